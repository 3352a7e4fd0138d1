"""Seeded choices, and the split into what is trained on and what is held out.

A case is named by a text such as ``capitals|3|Japan`` (phenomenon, template, entity). Its hash
puts 15% of all cases into the held-out side, in every run and on every machine. A :class:`Draw`
of one side never returns a case of the other.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")
HELD_SHARE = 15
_TRIES = 10_000


def is_held(*case: object) -> bool:
    """Is this case kept out of training?"""
    return zlib.crc32("|".join(map(str, case)).encode()) % 100 < HELD_SHARE


class Draw:
    """A random generator bound to one side of the split."""

    def __init__(self, seed: int | float | str, held: bool = False) -> None:
        self.random = random.Random(seed)
        self.held = held

    def pick(self, items: Sequence[T]) -> T:
        """One of the items."""
        return items[int(self.random.random() * len(items))]

    def sample(self, items: Sequence[T], count: int) -> list[T]:
        """Different items."""
        return self.random.sample(items, count)

    def chance(self, share: float) -> bool:
        """True this often."""
        return self.random.random() < share

    def case(self, *case: object) -> bool:
        """Does the case belong to this side?"""
        return is_held(*case) == self.held

    def until(self, make, allowed) -> T:  # type: ignore[no-untyped-def]
        """The first value of ``make()`` that ``allowed`` accepts."""
        for _ in range(_TRIES):
            value = make()
            if allowed(value):
                return value
        raise ValueError("No case of this side of the split was found: too few are held out.")

    def fact(self, phenomenon: str, templates: Sequence[str], keys: Sequence[T]) -> tuple[int, T]:
        """A template's number and a key, the key drawn first so that all facts weigh the same."""
        return self.until(
            lambda: _second_first(self.pick(keys), int(self.random.random() * len(templates))),
            lambda drawn: self.case(phenomenon, drawn[0], drawn[1]),
        )


def _second_first(key: T, template: int) -> tuple[int, T]:
    return template, key
