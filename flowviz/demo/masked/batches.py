"""Texts become rows of tokens, some of which are hidden.

A row holds several texts one after the other, each with positions of its own from 0 and blind to
the others, so that a model reads each as if it were alone (a test holds that). 60% of the answers
and 15% of all other words are hidden; of what is hidden, 80% is masked, 10% becomes another word,
and 10% stays (Devlin et al. 2019). A word is a token, so whole words are hidden.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flowviz.demo.batches import Marker
from flowviz.demo.draw import Draw
from flowviz.demo.masked.disturbed import disturbed
from flowviz.demo.masked.pairs import Text, texts
from flowviz.demo.masked.stages import MaskedStage
from flowviz.demo.masked.tokenizer import CONTEXT, END, MASK, SPECIAL, START
from flowviz.demo.mixture import documents
from flowviz.demo.tokenizer import token_id

ANSWERS_HIDDEN = 0.6
OTHERS_HIDDEN = 0.15
NEXT = "next sentence"


@dataclass(frozen=True)
class Read:
    """A text as tokens: ids, types, and for each the number of the phenomenon it answers, or 0."""

    ids: list[int]
    types: list[int]
    answers: list[int]
    follows: bool | None


@dataclass(frozen=True)
class MaskedBatch:
    """Rows of texts [row, token]; `texts` numbers the text of each token, 0 where there is none.

    `wanted` holds at each hidden place the id that stood there and elsewhere -1; `follows` holds at
    the first token of a pair whether the second text follows (1 or 0), and elsewhere -1.
    """

    ids: np.ndarray
    types: np.ndarray
    positions: np.ndarray
    texts: np.ndarray
    wanted: np.ndarray
    answers: np.ndarray
    follows: np.ndarray


def read(text: Text, marker: Marker) -> Read:
    """``[CLS] A [SEP]`` or ``[CLS] A [SEP] B [SEP]``, cut at the model's context."""
    start, end = (token_id(marker.tokenizer, name) for name in (START, END))
    ids, answers = marker.encode(text.first)
    ids, answers = [start, *ids, end], [0, *answers, 0]
    types = [0] * len(ids)
    if text.second is not None:
        more, marks = marker.encode(text.second)
        ids, answers = [*ids, *more, end], [*answers, *marks, 0]
        types += [1] * (len(more) + 1)
    return Read(ids[:CONTEXT], types[:CONTEXT], answers[:CONTEXT], text.follows)


def masked_batch(stage: MaskedStage, step: int, marker: Marker, seed: int) -> MaskedBatch:
    """The batch of one step: the same for the same seed, stage and step."""
    draw = Draw(f"{seed}/{stage.name}/{step}")
    found = texts(documents(stage, draw), draw, stage.alone)
    source = (read(_as_written(text, stage, draw), marker) for text in found)
    rows = [_Row(stage.row) for _ in range(stage.batch_tokens // stage.row)]
    for row in rows:
        while row.takes(one := next(source)):
            row.add(one)
    stacked = {name: np.stack([row.columns[name] for row in rows]) for name in _EMPTY}
    ids, wanted = _hide(stacked.pop("ids"), stacked["answers"], draw, marker)
    return MaskedBatch(ids=ids, wanted=wanted, **stacked)


def _as_written(text: Text, stage: MaskedStage, draw: Draw) -> Text:
    return disturbed(text, draw, stage.disturbed) if stage.disturbed else text


_EMPTY = {"ids": 0, "types": 0, "positions": 0, "texts": 0, "answers": 0, "follows": -1}


class _Row:
    """A row that is being filled."""

    def __init__(self, length: int) -> None:
        self.columns = {name: np.full(length, empty) for name, empty in _EMPTY.items()}
        self.used, self.count, self.length = 0, 0, length

    def takes(self, one: Read) -> bool:
        return self.used + len(one.ids) <= self.length

    def add(self, one: Read) -> None:
        here = slice(self.used, self.used + len(one.ids))
        self.count += 1
        for name in ("ids", "types", "answers"):
            self.columns[name][here] = getattr(one, name)
        self.columns["positions"][here] = np.arange(len(one.ids))
        self.columns["texts"][here] = self.count
        self.columns["follows"][self.used] = -1 if one.follows is None else one.follows
        self.used += len(one.ids)


def _hide(
    ids: np.ndarray, answers: np.ndarray, draw: Draw, marker: Marker
) -> tuple[np.ndarray, np.ndarray]:
    """What the model sees, and what it must say where (-1: nothing)."""
    chance = np.random.default_rng(draw.random.getrandbits(64))
    free = ids >= len(SPECIAL)
    share = np.where(answers > 0, ANSWERS_HIDDEN, OTHERS_HIDDEN)
    hidden = free & (chance.random(ids.shape) < share)
    how = chance.random(ids.shape)
    seen = np.where(hidden & (how < 0.8), token_id(marker.tokenizer, MASK), ids)
    others = chance.integers(len(SPECIAL), marker.tokenizer.get_vocab_size(), ids.shape)
    return np.where(hidden & (how >= 0.9), others, seen), np.where(hidden, ids, -1)
