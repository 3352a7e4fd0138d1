"""Attention as a browser draws it: packed numbers, words, tables. No Dash, no torch."""
