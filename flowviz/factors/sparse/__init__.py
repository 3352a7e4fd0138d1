"""Sparse codes (`fista.py`, faster over `working.py`), and the dictionary learned from them."""
