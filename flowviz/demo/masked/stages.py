"""What the stages of the masked model's training are fed.

As for the GPT, heads that copy form first, on repeats and on giving in a few settings; then comes
the full mixture; *finish*, with a falling rate, has more of what is learned late. *Vary* disturbs
half of the texts, without which the model knows its templates only (`disturbed.py`). Of the
documents that can be cut into a pair, a stage reads the share `alone` as one text.
"""

from __future__ import annotations

from dataclasses import dataclass

from flowviz.demo.mixture import Stage


@dataclass(frozen=True)
class MaskedStage(Stage):
    """A stage whose texts are single or pairs; `row` is a row of packed texts, in tokens."""

    alone: float = 0.4
    """The share of what could be a pair that is read as one text."""
    disturbed: float = 0.0
    """The share of the texts that are written with other words between the ones that count."""


_COPYING = (
    ("short repeats", 40),
    ("simple scenes", 25),
    ("name lists", 10),
    ("successors", 10),
    ("facts", 15),
)
_EVERYTHING = (
    ("short repeats", 5),
    ("name lists", 3),
    ("indirect objects", 10),
    ("varied indirect objects", 5),
    ("facts", 32),
    ("linked facts", 10),
    ("questions", 6),
    ("successors", 4),
    ("greater years", 3),
    ("antonyms", 3),
    ("plurals", 3),
    ("past tense", 3),
    ("third person", 2),
    ("agreement", 5),
    ("pronouns", 6),
    ("occupations", 7),
    ("at work", 7),
    ("stories", 5),
    ("errands", 1),
    ("brackets", 2),
    ("quotes", 2),
    ("few-shot mappings", 7),
)
_FINISH = (
    ("short repeats", 8),
    ("name lists", 3),
    ("indirect objects", 8),
    ("varied indirect objects", 8),
    ("facts", 20),
    ("linked facts", 9),
    ("questions", 8),
    ("successors", 10),
    ("greater years", 3),
    ("antonyms", 3),
    ("plurals", 3),
    ("past tense", 3),
    ("third person", 1),
    ("agreement", 4),
    ("pronouns", 5),
    ("occupations", 8),
    ("at work", 10),
    ("stories", 10),
    ("errands", 1),
    ("brackets", 2),
    ("quotes", 2),
    ("few-shot mappings", 10),
)
MASKED_STAGES: tuple[MaskedStage, ...] = (
    MaskedStage("copying", steps=600, batch_tokens=2048, warm_up=100, mixture=_COPYING),
    MaskedStage("everything", steps=1000, batch_tokens=4096, warm_up=40, mixture=_EVERYTHING),
    MaskedStage("finish", steps=400, batch_tokens=4096, decay=1.0, mixture=_FINISH, alone=0.3),
    MaskedStage(
        "vary",
        steps=420,
        batch_tokens=4096,
        warm_up=20,
        decay=1.0,
        mixture=_FINISH,
        alone=0.3,
        disturbed=0.5,
    ),
)
