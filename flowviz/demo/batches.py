"""Documents become rows of tokens, with a note of which tokens answer a probe.

A row starts with the end-of-text token more or less often (the stage says how often), holds whole
documents one after the other with that token between them, and is cut at its length. Most rows are
short and each fourth batch has rows of the whole context, because short prompts at the row's start
are what the model will be asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from tokenizers import Tokenizer

from flowviz.demo.document import Document
from flowviz.demo.draw import Draw
from flowviz.demo.mixture import Stage, documents
from flowviz.demo.tokenizer import CONTEXT, align, end_of_text


@dataclass(frozen=True)
class Batch:
    """Token ids, and for each token the number of the phenomenon that it answers, or 0."""

    ids: np.ndarray
    answers: np.ndarray


class Marker:
    """Encodes documents; numbers phenomena in the order of their first appearance."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self.names: list[str] = ["-"]

    def encode(self, document: Document) -> tuple[list[int], list[int]]:
        """Ids, and for each the number of the phenomenon of which it is the answer."""
        encoding = self.tokenizer.encode(document.text, add_special_tokens=False)
        asked = {probe.word: probe for probe in document.probes}
        spans = list(document.spans()) if asked else []
        owners = align(document, self.tokenizer)
        answers = [0] * len(owners)
        for i, (owner, (start, _)) in enumerate(zip(owners, encoding.offsets, strict=True)):
            probe = asked.get(owner)
            if probe and start >= spans[owner][0] + probe.within - 1:
                answers[i] = self.number(probe.phenomenon)
        return encoding.ids, answers

    def number(self, name: str) -> int:
        """The number of a phenomenon; a new one for a new name."""
        if name not in self.names:
            self.names.append(name)
        return self.names.index(name)


def batch(stage: Stage, step: int, marker: Marker, seed: int) -> Batch:
    """The batch of one step: the same for the same seed, stage and step."""
    draw = Draw(f"{seed}/{stage.name}/{step}")
    length = CONTEXT if step % 4 == 3 else stage.row
    source = documents(stage, draw)
    count = stage.batch_tokens // length
    rows = [_row(source, draw.chance(stage.bare), marker, length) for _ in range(count)]
    ids, answers = (np.array(part, dtype=np.int64) for part in zip(*rows, strict=True))
    return Batch(ids, answers)


def _row(
    source: Iterator[Document], bare: bool, marker: Marker, length: int
) -> tuple[list[int], list[int]]:
    end = end_of_text(marker.tokenizer)
    ids: list[int] = [] if bare else [end]
    answers: list[int] = [] if bare else [0]
    while len(ids) < length:
        more, marks = marker.encode(next(source))
        ids += [*more, end]
        answers += [*marks, 0]
    return ids[:length], answers[:length]
