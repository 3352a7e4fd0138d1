"""A small BERT on the little English: masked words, and whether one text follows another."""
