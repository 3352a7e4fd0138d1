"""Changes to a pass while it runs: parts switched off, scaled, or taken from another prompt."""
