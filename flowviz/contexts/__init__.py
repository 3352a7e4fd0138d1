"""Contexts: where else in an annotated corpus the model was in the state that it is in here.

The data's way: a corpus gives sentences with annotated words (`corpus/`); a model reads them in
batches and gives a vector for each token at each site (`encode/`); a store keeps both on disk
(`store/`); a search finds the nearest vectors (`search/`); and `find.py` runs what was found again,
for exact scores and for the attention that is shown, and counts what it has in common.
"""
