"""A path of the user's becomes a corpus."""

from __future__ import annotations

from pathlib import Path

from flowviz.contexts.corpus.files import sources
from flowviz.contexts.corpus.pipeline import load_pipeline
from flowviz.contexts.corpus.plain import PlainText
from flowviz.contexts.corpus.treebank import Treebank
from flowviz.contexts.corpus.types import Corpus
from flowviz.errors import RequestError


def open_corpus(path: Path, annotate: str | None = None) -> Corpus:
    """A CoNLL-U file, any other file as plain text, or a folder of `.conllu` or of `.txt`.

    Args:
        annotate: the name of an installed spaCy pipeline that annotates plain text.

    Raises:
        RequestError: there is no such corpus, or no such pipeline.
    """
    files = sources(path)
    name = path.resolve().name or "corpus"
    if not files[0].is_treebank:
        return PlainText(name, files, load_pipeline(annotate) if annotate else None)
    if annotate:
        raise RequestError(
            f"The treebank {path.name} has annotations of its own. Leave {annotate!r} out."
        )
    return Treebank(name, files)
