"""Which phenomena there are, how each is made, and what the stages of training are fed.

Stage 1 is a curriculum: mostly random repeats, until heads that copy have formed; on the full
mixture alone they do not form. Stage 2 is the full mixture. Stage 3 adds names and verbs in other
surroundings and lets the learning rate fall; stage 4 does so once more, with more facts and giving.
Stage 5 tells of giving in drawn words, without which the model copies in known settings only;
stage 6 lets most rows start as a typed prompt does, without the end-of-text token.
A stage's batches depend on the seed, the stage's name and the step alone, so training can stop
anywhere and go on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from flowviz.demo.document import Document
from flowviz.demo.draw import Draw
from flowviz.demo.phenomena import (
    copying,
    forms,
    knowledge,
    linked,
    marks,
    pronouns,
    scenes,
    series,
    shots,
    variety,
)

Maker = Callable[[Draw], Document]

MAKERS: dict[str, Maker] = {
    "repeats": copying.repeats,
    "name lists": copying.name_lists,
    "simple scenes": scenes.simple_scenes,
    "indirect objects": copying.indirect_objects,
    "varied indirect objects": variety.varied_indirect_objects,
    "successors": series.successors,
    "greater years": series.greater_years,
    "facts": knowledge.fact,
    "antonyms": forms.antonyms,
    "plurals": forms.plurals,
    "past tense": forms.past_tense,
    "third person": forms.third_person,
    "agreement": forms.agreement,
    "pronouns": pronouns.pronouns,
    "occupations": pronouns.occupations,
    "stories": pronouns.stories,
    "errands": pronouns.errands,
    "brackets": marks.brackets,
    "quotes": marks.quotes,
    "few-shot mappings": shots.few_shot,
    "short repeats": lambda draw: copying.repeats(draw, 4, 16),
    "linked facts": linked.linked_facts,
    "questions": linked.questions,
    "at work": linked.at_work,
}
"""What a stage's mixture can name."""


@dataclass(frozen=True)
class Stage:
    """A span of training: how long, in what batches, on what, and how the rate ends."""

    name: str
    steps: int
    batch_tokens: int
    mixture: tuple[tuple[str, int], ...]
    """Kind of document and its share of the documents' tokens, any unit."""
    warm_up: int = 0
    decay: float = 0.0
    """The share of the steps, at the end, over which the learning rate falls to zero."""
    bare: float = 0.2
    """The share of rows that start without the end-of-text token, as most prompts do."""
    row: int = 128
    """The length of most rows, in tokens."""


_VARIED = (
    ("repeats", 6),
    ("name lists", 4),
    ("varied indirect objects", 16),
    ("indirect objects", 6),
    ("facts", 42),
    ("successors", 4),
    ("greater years", 2),
    ("antonyms", 2),
    ("plurals", 2),
    ("past tense", 2),
    ("third person", 1),
    ("agreement", 3),
    ("pronouns", 4),
    ("occupations", 6),
    ("stories", 2),
    ("errands", 2),
    ("brackets", 2),
    ("quotes", 2),
    ("few-shot mappings", 7),
)
STAGES = (
    Stage(
        name="copying",
        steps=1000,
        batch_tokens=2048,
        warm_up=100,
        mixture=(
            ("repeats", 50),
            ("simple scenes", 20),
            ("successors", 15),
            ("greater years", 15),
        ),
    ),
    Stage(
        name="everything",
        steps=500,
        batch_tokens=4096,
        warm_up=50,
        mixture=(
            ("repeats", 13),
            ("indirect objects", 15),
            ("facts", 32),
            ("successors", 4),
            ("greater years", 3),
            ("antonyms", 4),
            ("plurals", 3),
            ("past tense", 4),
            ("agreement", 3),
            ("pronouns", 6),
            ("occupations", 4),
            ("stories", 5),
            ("brackets", 2),
            ("quotes", 3),
            ("few-shot mappings", 9),
        ),
    ),
    Stage(
        name="finish",
        steps=480,
        batch_tokens=3072,
        decay=0.6,
        mixture=(
            ("repeats", 9),
            ("name lists", 4),
            ("indirect objects", 16),
            ("facts", 34),
            ("successors", 4),
            ("greater years", 2),
            ("antonyms", 3),
            ("plurals", 3),
            ("past tense", 4),
            ("agreement", 6),
            ("pronouns", 8),
            ("occupations", 4),
            ("stories", 3),
            ("errands", 3),
            ("brackets", 3),
            ("quotes", 2),
            ("few-shot mappings", 9),
        ),
    ),
    Stage(
        name="settle",
        steps=260,
        batch_tokens=4096,
        warm_up=20,
        decay=1.0,
        mixture=(
            ("repeats", 6),
            ("name lists", 4),
            ("indirect objects", 20),
            ("facts", 35),
            ("successors", 4),
            ("greater years", 2),
            ("antonyms", 2),
            ("plurals", 2),
            ("past tense", 2),
            ("third person", 4),
            ("agreement", 3),
            ("pronouns", 4),
            ("occupations", 6),
            ("stories", 2),
            ("errands", 2),
            ("brackets", 2),
            ("quotes", 2),
            ("few-shot mappings", 12),
        ),
    ),
    Stage(name="vary", steps=1250, batch_tokens=4096, warm_up=40, decay=0.7, mixture=_VARIED),
    Stage(
        name="bare",
        steps=350,
        batch_tokens=4096,
        warm_up=20,
        decay=1.0,
        bare=0.7,
        row=48,
        mixture=_VARIED,
    ),
)


def documents(stage: Stage, draw: Draw) -> Iterator[Document]:
    """Documents without end, in the stage's shares.

    A kind is drawn by its share of tokens over its documents' usual length, which is tracked as
    they come, so that shares are of tokens and not of documents.
    """
    kinds = [kind for kind, _ in stage.mixture]
    given = dict.fromkeys(kinds, 0)
    share = dict(stage.mixture)
    while True:
        kind = min(kinds, key=lambda k: (given[k] + draw.random.random() * 40) / share[k])
        document = MAKERS[kind](draw)
        given[kind] += len(document.words)
        yield document
