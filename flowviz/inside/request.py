"""What a person asks for inside a block, as one frozen value: the way in for links and commands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flowviz.checked import check_prompt, choice, model_name, plain, span, whole
from flowviz.errors import RequestError
from flowviz.request import ExplainRequest, TargetSpec, write

MOST_BLOCKS = 6  # opened in one picture
MOST_OF_A_KIND = 200


class Rank(StrEnum):
    """By what heads, values, rows of W_O and neurons are chosen."""

    NORM = "norm"  # the length of what each writes: activation x norm of a neuron, as VISIT does
    FLOW = "flow"  # the absolute share of the target


class Rotary(StrEnum):
    """How queries and keys with rotary positions are read."""

    POSITIONS = "positions"  # rotated to each other: their product is the attention score
    BEFORE = "before"  # as they are before rotation: as if both stood at one position


@dataclass(frozen=True)
class InsideSettings:
    """How much of a block is drawn.

    Args:
        heads: heads a block.
        memories: keys and values a head, those that it attends most.
        rows: rows of W_O a block.
        high, low: neurons a block with the highest and with the lowest signed rank.
    """

    heads: int = 10
    memories: int = 2
    rows: int = 10
    high: int = 18
    low: int = 7
    rank: Rank = Rank.NORM
    rotary: Rotary = Rotary.POSITIONS


@dataclass(frozen=True)
class InsideRequest:
    """One opened block, or several. `from_mapping` is the way in for anything from outside.

    Args:
        layers: first and last block to open, both included.
        at: the prompt position to look at; None for the target's.
    """

    prompt: str
    model: str = "demo"
    target: TargetSpec = field(default_factory=TargetSpec)
    layers: tuple[int, int] = (0, 0)
    at: int | None = None
    settings: InsideSettings = field(default_factory=InsideSettings)

    def to_mapping(self) -> dict[str, str]:
        """Flat text form; what has its default value is left out, save model and prompt."""
        flat = {"model": self.model, "prompt": self.prompt, "layers": write(self.layers)}
        if self.at is not None:
            flat["at"] = str(self.at)
        for part in (self.target, self.settings):
            for item in fields(part):
                value = getattr(part, item.name)
                if value != getattr(type(part)(), item.name):
                    flat[item.name] = write(value)
        return flat

    def to_query(self) -> str:
        """The query of a link, without the question mark."""
        return urlencode(self.to_mapping())

    @staticmethod
    def fields() -> frozenset[str]:
        """The names of all choices beside model and prompt."""
        parts = (item.name for part in (TargetSpec, InsideSettings) for item in fields(part))
        return frozenset({"layers", "at", *parts})

    @classmethod
    def from_query(cls, query: str) -> InsideRequest:
        """Reads a link's query; unknown keys are left to others."""
        return cls.from_mapping(dict(parse_qsl(query.lstrip("?"), keep_blank_values=True)))

    @classmethod
    def from_mapping(cls, flat: Mapping[str, Any]) -> InsideRequest:
        """Reads and checks text from outside. Raises RequestError on the first fault."""
        layers = _blocks(flat.get("layers")) or (0, 0)
        if layers[1] - layers[0] >= MOST_BLOCKS:
            raise RequestError(
                f"Blocks {layers[0]} to {layers[1]} are too many for one picture; "
                f"open at most {MOST_BLOCKS} at once."
            )
        return cls(
            prompt=check_prompt(flat.get("prompt", "")),
            model=model_name(flat.get("model") or "demo"),
            target=TargetSpec.from_mapping(flat),
            layers=layers,
            at=whole("at", flat.get("at"), 0, 10**6),
            settings=_settings(flat),
        )

    def explained(self) -> ExplainRequest:
        """The request for the flow that this picture is a part of."""
        return ExplainRequest(self.prompt, self.model, self.target)


def _blocks(value: object) -> tuple[int, int] | None:
    """A first and a last block; a single number is that block alone."""
    text = plain(value)
    single = not isinstance(value, list | tuple) and text.isascii() and text.isdigit()
    return span("layers", (text, text) if single else value)


def _settings(flat: Mapping[str, Any]) -> InsideSettings:
    base = InsideSettings()

    def number(name: str) -> int:
        value = whole(name, flat.get(name), 0, MOST_OF_A_KIND)
        return getattr(base, name) if value is None else value

    return InsideSettings(
        heads=number("heads"),
        memories=number("memories"),
        rows=number("rows"),
        high=number("high"),
        low=number("low"),
        rank=choice("rank", flat.get("rank"), Rank) or base.rank,
        rotary=choice("rotary", flat.get("rotary"), Rotary) or base.rotary,
    )
