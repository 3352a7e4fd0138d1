"""The page of contexts: panels and callbacks."""
