"""A comparison of two passes, for the eye: words, elements, tables. No Dash, no torch."""
