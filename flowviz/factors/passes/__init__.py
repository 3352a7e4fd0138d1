"""Passes in which the vectors of one site are changed, and the losses that come of them."""
