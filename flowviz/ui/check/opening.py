"""What a link says of the check."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flowviz.causal.request import CheckRequest
from flowviz.causal.types import Ablation


@dataclass(frozen=True)
class CheckOpening:
    """The first state of the panel.

    Args:
        open: whether it is open.
        smallest: the share that a small graph is looked for; None for none.
    """

    against: Ablation = Ablation.ZERO
    other: str | None = None
    smallest: float | None = None
    open: bool = False

    @classmethod
    def of(cls, request: CheckRequest, query: Mapping[str, object]) -> CheckOpening:
        """As a link's request has it."""
        return cls(request.against, request.other, request.smallest, query.get("check") == "1")

    @property
    def chosen(self) -> dict[str, Any]:
        """As the page's store holds it."""
        return {"against": str(self.against), "other": self.other, "smallest": self.smallest}
