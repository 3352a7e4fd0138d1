"""Dictionaries: how each method encodes, and the files that they are kept in."""
