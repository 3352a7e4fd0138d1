"""Held-out cases: how they are found, and when an answer to one is right.

A case is what a model reads and the token that it must then say. A case counts as right when that
token (or, for greater years, any token of a greater year) is the most probable of the whole
vocabulary; for agreement, when the right form of the verb is more probable than the wrong one.
Held-out means: for facts and word forms, a (template, entity) pair; for indirect objects, a pair of
names; for few-shot mappings, a (mapping, word) pair; for years, an (event, year) pair; for series,
a (series, start, length) triple. Induction is asked at every word after the first pass of a random
list, on lists that were made with other seeds than training's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from jaxtyping import Float
from tokenizers import Tokenizer
from torch import Tensor

from flowviz.demo.document import Document, Probe
from flowviz.demo.draw import Draw
from flowviz.demo.lexicon.people import P_SHE
from flowviz.demo.mixture import MAKERS, Maker
from flowviz.demo.phenomena import copying, knowledge
from flowviz.demo.tokenizer import align

SUITES: dict[str, Maker] = {
    "indirect objects": copying.indirect_objects,
    "indirect objects, off-template": copying.unseen_indirect_objects,
    "induction": copying.repeats,
    **{name: knowledge.maker(name) for name in knowledge.RELATIONS},
    "capitals, off-template": knowledge.unseen_capitals,
    "antonyms": MAKERS["antonyms"],
    "plurals": MAKERS["plurals"],
    "past tense": MAKERS["past tense"],
    "agreement": MAKERS["agreement"],
    "gendered pronouns": MAKERS["pronouns"],
    "successors": MAKERS["successors"],
    "greater years": MAKERS["greater years"],
    "closing brackets": MAKERS["brackets"],
    "closing quotes": MAKERS["quotes"],
    "few-shot mappings": MAKERS["few-shot mappings"],
}
SEED = "evaluation"
_BATCH = 64
_TRIES = 40


@dataclass(frozen=True)
class Case:
    """What a model reads, as token ids, and what is right."""

    ids: tuple[int, ...]
    right: frozenset[int]
    wrong: int | None = None


C = TypeVar("C", bound=Case)


def find_cases(
    make: Callable[[Draw], list[C]], name: str, count: int, seed: str, all_of_them: bool = False
) -> list[C]:
    """Different cases from documents of the held-out side, the first so many; or all that were
    found until there were so many."""
    draw = Draw(f"{seed}/{name}", held=True)
    found: dict[tuple[int, ...], C] = {}
    for _ in range(count * _TRIES):
        for case in make(draw):
            found.setdefault(case.ids, case)
        if len(found) >= count:
            break
    return list(found.values())[: None if all_of_them else count]


def answer_at(document: Document, probe: Probe, tokenizer: Tokenizer) -> int:
    """Which of the text's tokens answers the probe; special tokens are not counted."""
    encoding = tokenizer.encode(document.text, add_special_tokens=False)
    start = list(document.spans())[probe.word][0] + probe.within
    owners = align(document, tokenizer)
    return next(
        i
        for i, (owner, (_, end)) in enumerate(zip(owners, encoding.offsets, strict=True))
        if owner == probe.word and end > start
    )


def score(cases: list[C], logits_of: Callable[[list[C]], Float[Tensor, "batch d_vocab"]]) -> float:
    """The share of the cases that are right, by the logits of a few of them at a time."""
    cases = sorted(cases, key=lambda case: len(case.ids))
    right = 0
    for begin in range(0, len(cases), _BATCH):
        chunk = cases[begin : begin + _BATCH]
        logits = logits_of(chunk)
        right += sum(_is_right(case, row) for case, row in zip(chunk, logits, strict=True))
    return right / len(cases)


def _is_right(case: Case, logits: Float[Tensor, " d_vocab"]) -> bool:
    if case.wrong is None:
        return int(logits.argmax()) in case.right
    return bool(max(logits[token] for token in case.right) > logits[case.wrong])


def against_stated(shares: list[float]) -> tuple[float, float]:
    """Correlation and mean distance of P(she | she or he) and the generator's stated chance."""
    stated = list(P_SHE.values())
    distance = np.abs(np.array(shares) - np.array(stated)).mean()
    return float(np.corrcoef(shares, stated)[0, 1]), float(distance)
