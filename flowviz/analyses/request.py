"""What a person asks of an analysis, as one frozen value: the way in for links and commands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flowviz.analyses.prompts import prompts_from
from flowviz.analyses.types import Prompt
from flowviz.checked import choice, model_name, read_token, share, whole
from flowviz.errors import RequestError


class Analysis(StrEnum):
    """The analyses that there are."""

    OVERLAP = "overlap"
    TARGET = "target"
    NORMS = "norms"
    NEURONS = "neurons"
    SEARCH = "search"


@dataclass(frozen=True)
class AnalysisRequest:
    """One analysis of one model.

    Args:
        set: the name of a set that ships, or empty where `text` holds the prompts.
        text: prompts, one a line (`prompts.py` says how); empty where a set is named.
        group: only the set's prompts of this group; empty for all.
        token: for the search, the token; otherwise None.
        k: how many tokens an overlap compares, and a list shows.
        n: how many neurons of a layer count as the most active.
        threshold: the share of prompts from which on a neuron counts as always active.
    """

    analysis: Analysis
    model: str = "demo"
    set: str = ""
    text: str = ""
    group: str = ""
    token: str | None = None
    k: int = 50
    n: int = 100
    threshold: float = 0.85

    def prompts(self) -> tuple[Prompt, ...]:
        """The prompts that it is about. Raises RequestError where there are none."""
        return prompts_from(self.set, self.text, self.group)

    def to_mapping(self) -> dict[str, str]:
        """Flat text form; what has its default value is left out, save analysis and model."""
        kept = {"analysis": str(self.analysis), "model": self.model}
        for item in fields(self):
            value = getattr(self, item.name)
            if item.name not in kept and value != item.default:
                kept[item.name] = str(value)
        return kept

    def to_query(self) -> str:
        """The query of a link, without the question mark."""
        return urlencode(self.to_mapping())

    @classmethod
    def from_query(cls, query: str) -> AnalysisRequest:
        """Reads a link's query; unknown keys are left to others."""
        return cls.from_mapping(dict(parse_qsl(query.lstrip("?"), keep_blank_values=True)))

    @classmethod
    def from_mapping(cls, flat: Mapping[str, Any]) -> AnalysisRequest:
        """Reads and checks text from outside. Raises RequestError on the first fault."""
        analysis = choice("analysis", flat.get("analysis"), Analysis) or Analysis.OVERLAP
        request = cls(
            analysis=analysis,
            model=model_name(flat.get("model") or "demo"),
            set=_short("set", flat.get("set")),
            text=_text(flat.get("text")),
            group=_short("group", flat.get("group")),
            token=read_token("token", flat.get("token")),
            k=whole("k", flat.get("k"), 1, 1000) or cls.k,
            n=whole("n", flat.get("n"), 1, 100_000) or cls.n,
            threshold=share("threshold", flat.get("threshold"), cls.threshold),
        )
        if analysis is Analysis.SEARCH:
            if request.token is None:
                raise RequestError("No token is given to search for. Type one.")
        else:
            request.prompts()
        return request


def _text(value: object) -> str:
    text = value or ""
    if not isinstance(text, str):
        raise RequestError("The prompts are no text. Give one prompt a line.")
    return text


def _short(name: str, value: object) -> str:
    text = value or ""
    if not isinstance(text, str) or len(text) > 100 or not text.isprintable():
        raise RequestError(f"The {name} is not one. Choose one of those that are listed.")
    return text
