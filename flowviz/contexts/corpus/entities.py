"""Entities of words, from the ways in which treebanks write them into the last column.

Three are read: a type (`Entity=PERSON`), a type with the mark of where the entity begins
(`NER=B-PER`, and likewise with I, E, S, L, U; O for none), and the brackets of CorefUD and GUM
(`Entity=(e3-person-1(e4-place-2` … `e4)e3)`), of which each word has the type of the innermost that
is open. These mark all mentions, not only names; `# global.Entity` says where the type stands.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

KEYS = ("Entity", "NER")
MOST_OPEN = 100
MOST_TYPE = 60
MOST_FIELDS = 20
TYPES = ("etype", "entity")
_PIECE = re.compile(r"[()]|[^()]+")
_MARKED = re.compile(r"[BIESLU][-_](.+)")


def entities(miscs: Sequence[Mapping[str, str]], order: str = "") -> list[str]:
    """The type of each word's entity, "" for none.

    Args:
        miscs: the last column of each word of one sentence.
        order: what `# global.Entity` says, such as `eid-etype-head-other`.
    """
    brackets = Brackets(order)
    return [_entity(misc, brackets)[:MOST_TYPE] for misc in miscs]


def _entity(misc: Mapping[str, str], brackets: Brackets) -> str:
    value = next((misc[key] for key in KEYS if key in misc), "")
    if "(" in value or ")" in value:
        return brackets.word(value)
    marked = _MARKED.fullmatch(value)
    if marked:
        return marked[1]
    return brackets.innermost() if value in ("", "O", "_") else value


class Brackets:
    """The mentions that are open while the words of a sentence are read.

    A mention is closed by its name, which is its first field, or its second where the first is its
    type; earlier GUMs close it with both (`(person-97` … `person-97)`).
    """

    def __init__(self, order: str = "") -> None:
        names = order.split("-") if order else []
        self.stated = bool(names)
        self.place = next((i for i, name in enumerate(names) if name in TYPES), None)
        self.open: list[tuple[list[str], str]] = []

    def innermost(self) -> str:
        """The type of the mention that opened last."""
        return self.open[-1][1] if self.open else ""

    def word(self, value: str) -> str:
        """Opens and closes what one word says; the innermost type that the word itself is in."""
        inner, closing = self.innermost(), list[list[str]]()
        pieces = _PIECE.findall(value)
        for before, piece, behind in zip(["", *pieces], pieces, [*pieces[1:], ""], strict=False):
            if piece in "()":
                continue
            fields = [_plain(field) for field in piece.split("-", MOST_FIELDS)]
            if before == "(" and len(self.open) < MOST_OPEN:
                self.open.append((fields[:2], self._type(fields)))
                inner = self.innermost()
            if behind == ")":
                closing.append(fields[:2])
        for name in closing:
            self._close(name)
        return inner

    def _type(self, fields: list[str]) -> str:
        """By the stated place; else the second field behind a name such as e3 or 3, else the
        first."""
        place = self.place
        if place is None and not self.stated:
            place = int(len(fields) > 1 and any(c.isdigit() for c in fields[0]))
        return fields[place] if place is not None and place < len(fields) else ""

    def _close(self, said: list[str]) -> None:
        for index in range(len(self.open) - 1, -1, -1):
            named = self.open[index][0]
            if said == named or (len(said) == 1 and said[0] in named):
                del self.open[index]
                return


def _plain(name: str) -> str:
    """A mention's name without the count of its parts: e3[1/2]."""
    return name.partition("[")[0]
