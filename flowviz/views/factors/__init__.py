"""Factors, made fit to be shown: no Dash, no torch."""
