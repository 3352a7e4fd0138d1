"""What colours, sizes and widths say now: the words and samples of the legend."""

from __future__ import annotations

from dataclasses import dataclass

from flowviz.inside.types import InsideGraph
from flowviz.views.inside.looks import Colour, Look, Width
from flowviz.views.tokens import visible


@dataclass(frozen=True)
class Key:
    """One entry: how its sample looks (a class of the style sheet), a word or two, the sentence."""

    look: str
    word: str
    tip: str


FOR = Key("line for", "for", "The flow along the line speaks for the target")
AGAINST = Key("line against", "against", "The flow along the line speaks against the target")
SILENT = Key("line silent", "no flow", "It carries no flow: patterns and gates are frozen")
WEIGHT = Key(
    "line attend", "attention", "From a query over a key to its value: the width is the weight"
)
SIZE = Key(
    "shape size", "size: norm",
    "The larger a part, the longer its vector, beside the longest of its kind",
)  # fmt: skip
REST = Key("shape rest", "rest", "What flows in and is not drawn: kept as one sum, never dropped")
ELSEWHERE = Key("shape elsewhere", "elsewhere", "What the state gives to other positions")
SIGN = Key(
    "letter", "+ − activation", "Of a neuron and of a row of W_O: the sign of its activation"
)
NEUTRAL = Key("shape neutral", "not said", "The part has no reading, or carries no flow")
WIDTHS = {
    Width.FLOW: Key(
        "line wide", "width: flow", "The wider a line, the more of the target flows along it"
    ),
    Width.NORM: Key(
        "line wide", "width: norm", "The wider a line, the longer the vector that it passes on"
    ),
    Width.STRENGTH: Key(
        "line wide", "width: activation × norm",
        "The wider a line, the larger |activation| × norm of the weights' own vector; lines of "
        "other parts are thin",
    ),
}  # fmt: skip


def legend(graph: InsideGraph, look: Look) -> tuple[Key, ...]:
    """All entries for a picture in a look."""
    exact = graph.checks.exact
    signs = (FOR, AGAINST, SILENT) if exact else ()
    rests = (REST, ELSEWHERE) if exact else ()
    return (*_colours(graph, look.colour), SIZE, WIDTHS[look.width], *signs, WEIGHT, SIGN, *rests)


def _colours(graph: InsideGraph, colour: Colour) -> tuple[Key, ...]:
    token = visible(graph.target.token.token)
    if colour is Colour.RANK:
        tip = f"The stronger, the higher {token} ranks among the tokens that the part promotes"
        return (Key("ramp rank", f"rank of {token}", tip), NEUTRAL)
    if colour is Colour.ENTROPY:
        tip = "The stronger, the fewer tokens the part promotes: its reading has low entropy"
        return (Key("ramp sharp", "entropy: low is strong", tip), NEUTRAL)
    if not graph.checks.exact:
        return (NEUTRAL,)
    return (
        Key("shape for", "speaks for", "The stronger, the more flows through it for the target"),
        Key("shape against", "against", "The stronger, the more flows through it against it"),
        NEUTRAL,
    )
