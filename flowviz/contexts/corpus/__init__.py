"""Corpora: sentences with annotated words, from treebanks, plain text, or the demo's grammar."""

from flowviz.contexts.corpus.demo import demo_corpus, drawn_corpus
from flowviz.contexts.corpus.opened import open_corpus

__all__ = ["demo_corpus", "drawn_corpus", "open_corpus"]
