"""What a person asks of one head, as frozen values: the way in for links and commands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode

from flowviz.attention.kinds import Part
from flowviz.attention.request import mask_text, read_mask, read_second
from flowviz.checked import check_prompt, choice, model_name, whole
from flowviz.errors import RequestError

R = TypeVar("R", bound="_HeadRequest")

MOST_PARTS = 60
MOST_PLACE = 10**6


@dataclass(frozen=True)
class _HeadRequest:
    """One head and one token of a prompt; what both questions have.

    Args:
        query: the position that looks; None for the last.
        second, mask, part: as an `AttentionRequest` takes them.
    """

    prompt: str
    model: str = "demo"
    layer: int = 0
    head: int = 0
    query: int | None = None
    second: str = ""
    mask: tuple[int, ...] = ()
    part: Part | None = None

    def to_mapping(self) -> dict[str, str]:
        """Flat text form; what has its default value is left out, save model and prompt."""
        flat = {"model": self.model, "prompt": self.prompt}
        for item in fields(self):
            value = getattr(self, item.name)
            if item.name not in flat and value != item.default:
                flat[item.name] = mask_text(value) if item.name == "mask" else str(value)
        return flat

    @property
    def text(self) -> str:
        """What a GPT reads: both texts, one behind the other."""
        return self.prompt + self.second

    def to_query(self) -> str:
        """The query of a link, without the question mark."""
        return urlencode(self.to_mapping())

    @classmethod
    def from_query(cls: type[R], query: str) -> R:
        """Reads a link's query; unknown keys are left to others."""
        return cls.from_mapping(dict(parse_qsl(query.lstrip("?"), keep_blank_values=True)))

    @classmethod
    def from_mapping(cls: type[R], flat: Mapping[str, Any]) -> R:
        """Reads and checks text from outside. Raises RequestError on the first fault."""
        return cls(
            check_prompt(flat.get("prompt", "")),
            model_name(flat.get("model") or "demo"),
            **cls._places(flat),
        )

    @classmethod
    def _places(cls, flat: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "layer": whole("layer", flat.get("layer"), 0, MOST_PLACE) or 0,
            "head": whole("head", flat.get("head"), 0, MOST_PLACE) or 0,
            "query": whole("query", flat.get("query"), 0, MOST_PLACE),
            "second": read_second(flat.get("second")),
            "mask": read_mask(flat.get("mask")),
            "part": choice("part", flat.get("part"), Part),
        }


class Rank(StrEnum):
    """By what the strongest components are chosen."""

    BEYOND = "beyond"  # what they do for this key more than for the others
    SHARE = "share"  # their share of the score, which may be the same for all keys


@dataclass(frozen=True)
class WhyRequest(_HeadRequest):
    """Why one head looks from one position at another.

    Args:
        key: the position that it looks at; None for the one that it attends to most.
        n: how many components of each end have a row of their own.
    """

    key: int | None = None
    n: int = 12
    rank: Rank = Rank.BEYOND

    @classmethod
    def _places(cls, flat: Mapping[str, Any]) -> dict[str, Any]:
        key = whole("key", flat.get("key"), 0, MOST_PLACE)
        n = whole("n", flat.get("n"), 1, MOST_PARTS) or cls.n
        places = super()._places(flat)
        rank = choice("rank", flat.get("rank"), Rank) or cls.rank
        return {**places, "key": key, "n": n, "rank": rank}


@dataclass(frozen=True)
class NeuronRequest(_HeadRequest):
    """What decides, dimension by dimension, where one head looks from one position."""


def check_order(query: int | None, key: int | None) -> None:
    """Raises RequestError where the key stands behind the query."""
    if query is not None and key is not None and key > query:
        raise RequestError(
            f"The key's position is {key}, behind the query's, {query}. This model looks back "
            f"only: choose a key from 0 to {query}."
        )
