"""Annotations of plain text by spaCy, where the user has it and a pipeline for the language.

Nothing is ever downloaded. A pipeline is code of its own: its name comes from whoever starts the
command, and never from a page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flowviz.checked import shown
from flowviz.contexts.corpus.types import NO_GOVERNOR, ROOT, Word
from flowviz.contexts.kinds import ANNOTATIONS, Feature
from flowviz.errors import RequestError

GIVES: Mapping[Feature, tuple[str, ...]] = {
    Feature.UPOS: ("tagger", "morphologizer", "attribute_ruler"),
    Feature.DEPREL: ("parser",),
    Feature.ENTITY: ("ner", "entity_ruler"),
    Feature.LEMMA: ("lemmatizer", "trainable_lemmatizer"),
}


@dataclass(frozen=True)
class Pipeline:
    """A spaCy pipeline.

    Args:
        read: from a text to spaCy's `Doc`.
        label: its name and version.
        annotations: what its components give.
    """

    read: Callable[[str], Iterable[Any]]
    label: str
    annotations: tuple[Feature, ...]

    @classmethod
    def of(cls, name: str, nlp: Any) -> Pipeline:
        """Of spaCy's own `Language`."""
        made = set(getattr(nlp, "pipe_factories", {}).values()) | set(nlp.pipe_names)
        gives = tuple(feature for feature in ANNOTATIONS if made & set(GIVES[feature]))
        return cls(nlp, f"{name} {nlp.meta.get('version', '')}".strip(), gives)

    def words(self, text: str) -> tuple[Word, ...]:
        """The words of a sentence as spaCy cuts it; its tokens of white space are none."""
        tokens = [token for token in self.read(text) if not token.is_space and token.text]
        index = {token.i: number for number, token in enumerate(tokens)}
        return tuple(self._word(token, index) for token in tokens)

    def _word(self, token: Any, index: Mapping[int, int]) -> Word:
        return Word(
            form=token.text,
            start=token.idx,
            end=token.idx + len(token.text),
            lemma=token.lemma_,
            upos=token.pos_,
            xpos=token.tag_,
            feats=str(token.morph),
            deprel=token.dep_,
            head=_governor(token, index) if Feature.DEPREL in self.annotations else NO_GOVERNOR,
            entity=token.ent_type_,
        )


def _governor(token: Any, index: Mapping[int, int]) -> int:
    """A token of spaCy's that governs itself is a root."""
    if token.head.i == token.i:
        return ROOT
    return index.get(token.head.i, NO_GOVERNOR)


def load_pipeline(name: str) -> Pipeline:
    """An installed pipeline by its name. Raises RequestError."""
    try:
        import spacy  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise RequestError(
            f"spaCy is not installed, which {shown(name)} needs. Install it with "
            "`pip install spacy`, or read the text without annotations."
        ) from None
    try:
        return Pipeline.of(name, spacy.load(name))
    except (OSError, ValueError, ImportError) as error:
        raise RequestError(
            f"spaCy cannot load the pipeline {shown(name)} ({str(error)[:200]}). Install it with "
            f"`python -m spacy download`, or name a folder that has one."
        ) from error
