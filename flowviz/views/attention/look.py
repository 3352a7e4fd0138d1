"""How attention is looked at: choices of the page that need no new run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from flowviz.attention.request import read_set
from flowviz.attention.types import check_kind
from flowviz.checked import choice, plain, share, shown, whole
from flowviz.errors import RequestError

MOST = 10**6
MOST_HEADS = 200  # named in a link
ALL, NONE = "all", "none"
PREVIOUS = "previous"


class View(StrEnum):
    """What is drawn."""

    HEADS = "heads"  # two columns of tokens, lines between them
    MODEL = "model"  # every head as a thumbnail


class Pairs(StrEnum):
    """Of two texts, from which to which lines are drawn."""

    ALL = "all"
    AA = "aa"
    AB = "ab"
    BA = "ba"
    BB = "bb"


class Merge(StrEnum):
    """What a line stands for."""

    EACH = "each"  # one of the chosen heads
    MEAN = "mean"  # all of them, as their mean
    SUM = "sum"


class Side(StrEnum):
    """The column of a token: it reads, or it is read."""

    QUERY = "query"
    SOURCE = "source"


@dataclass(frozen=True)
class Pin:
    """The token whose lines alone are shown."""

    side: Side
    position: int

    def __str__(self) -> str:
        return f"{self.side}:{self.position}"

    def to_plain(self) -> dict[str, Any]:
        """As a store holds it."""
        return {"side": str(self.side), "position": self.position}

    @classmethod
    def read(cls, value: object) -> Pin | None:
        """From a link's `query:7`, or from a store; None for none. Raises RequestError."""
        if value is None or value == "":
            return None
        if isinstance(value, Mapping):
            side, position = value.get("side"), value.get("position")
        else:
            side, _, position = plain(value).partition(":")
        kind, number = choice("at", side, Side), whole("at", position, 0, MOST)
        if kind is None or number is None:
            raise RequestError(f"at is {shown(value)}; it takes query or source, as in query:7.")
        return cls(kind, number)


@dataclass(frozen=True)
class Look:
    """All choices.

    Args:
        layer: the layer of the head view.
        heads: its chosen heads; None for all.
        mass: of each row, the share of what is shown that the drawn lines hold.
        hide: whether the first token is left out.
        text_only: whether tokens that stand for no text are left out.
        pairs: of two texts, from which to which lines are drawn.
        merge: what a line stands for.
        at: the pinned token.
        start: where the window of tokens begins, in a long prompt; None for its end.
        kind: the kind of head that is looked for.
        over: what heads are looked for in: this prompt (empty), a set, or a group of one.
    """

    view: View = View.HEADS
    layer: int = 0
    heads: tuple[int, ...] | None = None
    mass: float = 0.9
    hide: bool = False
    text_only: bool = False
    pairs: Pairs = Pairs.ALL
    merge: Merge = Merge.EACH
    at: Pin | None = None
    start: int | None = None
    kind: str = PREVIOUS
    over: str = ""

    @classmethod
    def from_mapping(cls, flat: Mapping[str, Any]) -> Look:
        """Reads and checks text from outside. Raises RequestError on the first fault."""
        base = cls()
        kind = flat.get("kind")
        return cls(
            view=choice("view", flat.get("view"), View) or base.view,
            layer=whole("layer", flat.get("layer"), 0, MOST) or 0,
            heads=read_heads(flat.get("heads")),
            mass=share("mass", flat.get("mass"), base.mass),
            hide=whole("hide", flat.get("hide"), 0, 1) == 1,
            text_only=whole("textonly", flat.get("textonly"), 0, 1) == 1,
            pairs=choice("pairs", flat.get("pairs"), Pairs) or base.pairs,
            merge=choice("merge", flat.get("merge"), Merge) or base.merge,
            at=Pin.read(flat.get("at")),
            start=whole("start", flat.get("start"), 0, MOST),
            kind=check_kind(kind) if kind else base.kind,
            over=read_set(flat.get("over")),
        )


def read_heads(value: object) -> tuple[int, ...] | None:
    """Heads from a link's `0,3` or from a store's list; None for all. Raises RequestError."""
    if value is None or value in ("", ALL):
        return None
    if value == NONE:
        return ()
    parts = list(value) if isinstance(value, list | tuple) else plain(value).split(",")
    if len(parts) > MOST_HEADS:
        raise RequestError(f"heads names {len(parts):,} heads; it takes at most {MOST_HEADS}.")
    numbers = (whole("heads", part, 0, MOST) for part in parts)
    return tuple(sorted({number for number in numbers if number is not None}))
