"""Few-shot mappings of words: "hot -> cold, big -> small, fast -> slow".

The same word can stand in several mappings (a noun has a plural and a kind; a country has a
capital and a language), so the mapping has to be read from the shots. A (mapping, word) pair of
the held-out side never occurs in any shot of training.
"""

from __future__ import annotations

from collections.abc import Mapping

from flowviz.demo.document import Document, Probe, Word
from flowviz.demo.draw import Draw
from flowviz.demo.lexicon import words
from flowviz.demo.lexicon.index import index
from flowviz.demo.phenomena.knowledge import RELATIONS

MAPPINGS: dict[str, Mapping[str, str]] = {
    "antonym": words.ANTONYM,
    "plural": {one: many for one, many in words.PLURAL.items() if one != many},
    "past": words.PAST,
    "third": words.THIRD,
    "kind": words.KIND,
    "capital": RELATIONS["capitals"].pairs,
    "language": RELATIONS["languages"].pairs,
    "country": RELATIONS["capital to country"].pairs,
}
_ARROWS = ("->", ":")
_NAME = "few-shot mappings"


def few_shot(draw: Draw) -> Document:
    """Two to five shots of one mapping; every answer but the first is a probe."""
    mapping = draw.pick(tuple(MAPPINGS))
    pairs = MAPPINGS[mapping]
    trained = Draw(draw.random.random())
    keys = tuple(pairs)
    last = draw.until(lambda: draw.pick(keys), lambda x: draw.case(_NAME, mapping, x))
    shots = trained.until(
        lambda: draw.sample(keys, draw.random.randint(2, 4)),
        lambda xs: last not in xs and all(trained.case(_NAME, mapping, x) for x in xs),
    )
    return _written(pairs, [*shots, last], draw.pick(_ARROWS), draw.held)


def _written(pairs: Mapping[str, str], keys: list[str], arrow: str, held: bool) -> Document:
    known = index()
    sentence: list[Word] = []
    probes: list[Probe] = []
    for i, x in enumerate(keys):
        if i:
            sentence.append(Word(",", False, "PUNCT", "punct", 1, ","))
        sentence.append(_item(known[x], i > 0, len(sentence)))
        sentence.append(Word(arrow, arrow != ":", "PUNCT", "punct", 1, arrow))
        if i == len(keys) - 1 or (i and not held):
            probes.append(Probe(_NAME, len(sentence)))
        sentence.append(_item(known[pairs[x]], True, len(sentence)))
    return Document((tuple(sentence),), tuple(probes))


def _item(entry, space: bool, position: int) -> Word:  # type: ignore[no-untyped-def]
    relation = "list" if position else "root"
    head = 1 if position else 0
    return Word(
        entry.form, space, entry.upos, relation, head, entry.lemma, entry.feats, entry.entity
    )
