"""Factors in one pass: of its nodes, its predictions, its loss."""
