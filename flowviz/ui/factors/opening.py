"""What the page shows first: what its link asks for, else the list of the default model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flowviz.errors import FlowvizError
from flowviz.factors.request import FactorsRequest
from flowviz.ui.contexts.opening import check_corpus
from flowviz.ui.notice import notice
from flowviz.ui.opening import check_model, kept_prompt
from flowviz.views.factors.look import Look


@dataclass(frozen=True)
class Opening:
    """The first state of the page.

    Args:
        run: whether to ask at once.
        fault: what is wrong with the link, as a notice.
    """

    request: FactorsRequest
    look: Look = field(default_factory=Look)
    run: bool = True
    fault: dict[str, str] | None = None

    @property
    def asked(self) -> dict[str, Any]:
        """The question as the page's store holds it."""
        flat = self.request.to_mapping()
        return {"flat": flat} if self.run else {"flat": flat, "idle": True}


def open_page(
    query: Mapping[str, object], models: Sequence[str], corpora: Sequence[str]
) -> Opening:
    """Reads a link's query; whatever is wrong with it becomes a notice, never an exception.

    Args:
        query: what stands in the link.
        models: the names of the models that are offered, the default first.
        corpora: the names of the corpora, likewise.
    """
    try:
        check_model(query, models)
        check_corpus(query.get("corpus"), corpora)
        whole = {"model": models[0], **_own(query)}
        return Opening(FactorsRequest.from_mapping(whole), Look.from_mapping(query))
    except FlowvizError as error:
        fault = {**notice(error), "title": "This link cannot be shown"}
        kept = FactorsRequest(model=models[0], prompt=kept_prompt(query))
        return Opening(kept, run=False, fault=fault)


def _own(query: Mapping[str, object]) -> dict[str, object]:
    """What a link says of factors; another page's token is no context of the corpus."""
    own = dict(query)
    if "sentence" not in own or "factor" not in own:
        own.pop("position", None)
        own.pop("sentence", None)
    return own
