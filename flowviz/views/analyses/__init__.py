"""Analyses as Plotly figures and words: plain values in, no Dash and no torch."""
