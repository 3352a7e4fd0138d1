"""What the heads of a pass attend to, and why: patterns, queries and keys, kinds of heads."""
