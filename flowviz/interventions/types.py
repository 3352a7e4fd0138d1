"""What is changed in a pass, as plain frozen values with a text form for links, files and Python.

    head:3:7:1=0                  head 1 of block 3 writes nothing at position 7
    head:3:*:1=2.5                ... writes two and a half times as much, at every position
    head:3:7:1@4=0                ... reads nothing from position 4
    neuron:2:5:17=mean            gives its mean over a reference set
    factor:resid_mid:3:7:412=0    factor 412 is taken out of the state in block 3 at position 7
    factor:mlp_out:3:*:9~mine=2   ... doubled in what the MLP adds, by the dictionary called mine
    factor:resid_mid:3:*:9=clamp:4.5  its activation is 4.5 at every position, whatever it was
    error:resid_mid:3:7=0         what no factor holds is taken out: offset and factors alone stay
    resid_pre:2:5=donor           the hidden state is that of the donor, another prompt
    embed:0:2>head:3:7:1=0        head 1 does not see the token at 2, all others do (path patching)
    head:3:7:1,head:3:6:1=0       several at once; further interventions follow behind a semicolon

Sources: ablation and activation patching, Vig et al. 2020, Meng et al. 2022; path patching, Wang et
al. 2023, Goldowsky-Dill et al. 2023; clamping a factor, Templeton et al. 2024.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from enum import StrEnum

from flowviz.errors import RequestError
from flowviz.factors.kinds import DEFAULT
from flowviz.graph.types import PARTS, STATES, NodeKey, NodeKind

MOST = 50  # interventions of one request
MOST_SITES = 400  # of all of them
NAME = re.compile(r"[\w. -]{1,80}")  # of a dictionary
STRONGEST = 100.0  # the largest factor, either way
MOST_ACTIVE = 1e5  # the largest activation that is clamped to, either way
CLAMP = "clamp:"
CHANGEABLE = frozenset(
    {NodeKind.EMBED, NodeKind.POS_EMBED, NodeKind.HEAD, NodeKind.NEURON, NodeKind.BIAS,
     NodeKind.FACTOR, NodeKind.ERROR, *STATES}
)  # fmt: skip
READERS = frozenset({NodeKind.HEAD, NodeKind.NEURON, NodeKind.TARGET})
FORM = (
    "An intervention is written as head:3:7:1=0 (switched off), =2.5 (scaled), =mean, or =donor "
    "(from the donor, another prompt); a factor also as =clamp:4.5 (set to that activation). "
    "Several are separated by semicolons."
)


class Instead(StrEnum):
    """What takes the place of what is changed, where it is not only scaled."""

    MEAN = "mean"  # over a reference set
    DONOR = "donor"  # of another prompt, at the same position


@dataclass(frozen=True)
class Clamp:
    """The activation that a factor is set to, also where it is not active."""

    activation: float

    def __str__(self) -> str:
        return f"{CLAMP}{self.activation:.10g}"


How = float | Instead | Clamp
"""What happens to a part: it is scaled by a factor, or this takes its place."""


@dataclass(frozen=True, order=True)
class Site:
    """What is changed.

    Args:
        key: the node; its position says nothing where `everywhere` is true, and is 0.
        everywhere: whether it is meant at every position.
        source: of a head: only what it reads from this position.
        reader: only what this node reads of it: one edge of the circuit wiring.
        dictionary: of a factor or an error, by which dictionary.
    """

    key: NodeKey
    everywhere: bool = False
    source: int | None = None
    reader: NodeKey | None = None
    dictionary: str | None = None

    def __str__(self) -> str:
        parts = str(self.key).split(":")
        if self.everywhere:
            parts[_place(parts)] = "*"
        source = "" if self.source is None else f"@{self.source}"
        reader = "" if self.reader is None else f">{self.reader}"
        named = "" if self.dictionary in (None, DEFAULT) else f"~{self.dictionary}"
        return ":".join(parts) + source + reader + named

    @classmethod
    def parse(cls, text: str) -> Site:
        """Reads the text form back. Raises RequestError for anything that is not one."""
        written, _, name = text.partition("~")
        written, edge, reader = written.partition(">")
        written, at, source = written.partition("@")
        parts = written.split(":")
        place = _place(parts)
        everywhere = len(parts) > place and parts[place] == "*"
        if everywhere:
            parts[place] = "0"
        if at and not (source.isascii() and source.isdigit() and len(source) < 10):
            raise RequestError(f"{text[:80]!r}: behind @ stands a position. {FORM}")
        key = NodeKey.parse(":".join(parts))
        if name and not (key.part_of and NAME.fullmatch(name)):
            raise RequestError(f"{text[:80]!r}: behind ~ stands a factor's dictionary. {FORM}")
        site = cls(
            key,
            everywhere,
            int(source) if at else None,
            NodeKey.parse(reader) if edge else None,
            (name or DEFAULT) if key.part_of else None,
        )
        _check(site)
        return site


def _place(parts: list[str]) -> int:
    """Which part of a key's text is its position."""
    return 3 if parts[0] in PARTS else 2


def _check(site: Site) -> None:
    kind, name = site.key.kind, str(site)[:80]
    if kind not in CHANGEABLE:
        raise RequestError(f"{name!r} cannot be changed: it is made of other nodes. {FORM}")
    if site.source is not None and kind is not NodeKind.HEAD:
        raise RequestError(f"{name!r}: only a head reads other positions. {FORM}")
    if site.reader is None:
        return
    whole = site.everywhere or site.source is not None or site.key.part_of is not None
    if site.reader.kind not in READERS or whole:
        raise RequestError(
            f"{name!r} is no edge. An edge goes from one node at one position to a head, a neuron "
            "or the target, as in embed:0:2>head:3:7:1."
        )


@dataclass(frozen=True)
class Intervention:
    """Parts of a pass, and what happens to them.

    Args:
        sites: the parts.
        how: a factor (0 switches off, 1 leaves as it is), or what takes their place.
    """

    sites: tuple[Site, ...]
    how: How

    def __str__(self) -> str:
        how = f"{self.how:.10g}" if isinstance(self.how, float | int) else self.how
        return f"{','.join(map(str, self.sites))}={how}"

    @classmethod
    def parse(cls, text: str) -> Intervention:
        """Reads the text form back. Raises RequestError for anything that is not one."""
        sites, equals, how = text.rpartition("=")
        if not equals:
            raise RequestError(f"{text[:80]!r} is no intervention. {FORM}")
        return cls(tuple(Site.parse(site) for site in sites.split(",")), _how(how))


def _how(text: str) -> How:
    if text in tuple(Instead):
        return Instead(text)
    if text.startswith(CLAMP):
        return Clamp(_number(text, text.removeprefix(CLAMP), MOST_ACTIVE))
    return _number(text, text, STRONGEST)


def _number(text: str, written: str, most: float) -> float:
    try:
        found = float(written) if len(written) <= 40 else math.nan
    except ValueError:
        found = math.nan
    if not abs(found) <= most:
        raise RequestError(
            f"{text[:40]!r} is no change; it takes a factor from -{STRONGEST:.0f} to "
            f"{STRONGEST:.0f}, {', '.join(Instead)}, or {CLAMP} and an activation up to "
            f"{MOST_ACTIVE:,.0f} either way. {FORM}"
        )
    return found + 0.0  # no negative zero


def parse_interventions(value: object) -> tuple[Intervention, ...]:
    """Reads interventions from outside: their text, or a sequence of texts.

    Raises:
        RequestError: one is none, or there are too many.
    """
    if value is None or value == "" or value == ():
        return ()
    texts = list(value) if isinstance(value, list | tuple) else str(value)[:100_000].split(";")
    if len(texts) > MOST:
        raise RequestError(f"There are {len(texts)} interventions; at most {MOST} are taken.")
    found = tuple(
        text if isinstance(text, Intervention) else Intervention.parse(str(text)) for text in texts
    )
    if sum(len(one.sites) for one in found) > MOST_SITES:
        raise RequestError(f"At most {MOST_SITES} parts can be changed at once. Take fewer.")
    return found


def write_interventions(interventions: tuple[Intervention, ...]) -> str:
    """The text form of all of them."""
    return ";".join(map(str, interventions))
