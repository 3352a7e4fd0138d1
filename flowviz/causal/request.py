"""What a person asks a check for, as one frozen value: the way in for links and commands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flowviz.causal.types import Ablation
from flowviz.checked import check_prompt, choice, share
from flowviz.errors import RequestError
from flowviz.request import ExplainRequest


@dataclass(frozen=True)
class CheckRequest:
    """One graph held against the model.

    Args:
        explained: the graph's own request.
        against: what takes the place of what is ablated.
        other: the prompt that it is taken from, where it is from another prompt; else None.
        smallest: the share that a small graph is to recover; None to look for none.
    """

    explained: ExplainRequest
    against: Ablation = Ablation.ZERO
    other: str | None = None
    smallest: float | None = None

    @property
    def model(self) -> str:
        """The model that is asked."""
        return self.explained.model

    def to_mapping(self) -> dict[str, str]:
        """Flat text form; what has its default value is left out, save model and prompt."""
        flat = self.explained.to_mapping()
        if self.against is not Ablation.ZERO:
            flat["against"] = str(self.against)
        if self.other is not None:
            flat["other"] = self.other
        if self.smallest is not None:
            flat["smallest"] = str(self.smallest)
        return flat

    def to_query(self) -> str:
        """The query of a link, without the question mark."""
        return urlencode(self.to_mapping())

    @classmethod
    def from_query(cls, query: str) -> CheckRequest:
        """Reads a link's query; unknown keys are left to others."""
        return cls.from_mapping(dict(parse_qsl(query.lstrip("?"), keep_blank_values=True)))

    @classmethod
    def from_mapping(cls, flat: Mapping[str, Any]) -> CheckRequest:
        """Reads and checks text from outside. Raises RequestError on the first fault."""
        against = choice("against", flat.get("against"), Ablation) or Ablation.ZERO
        other = flat.get("other") or None
        if (against is Ablation.RESAMPLE) != (other is not None):
            raise RequestError("To resample, give the other prompt; it is for nothing else.")
        wanted = share("smallest", flat.get("smallest"), 0.0)
        return cls(
            explained=ExplainRequest.from_mapping(flat),
            against=against,
            other=None if other is None else check_prompt(other),
            smallest=wanted or None,
        )
