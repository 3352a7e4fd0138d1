"""What the page shows first: what its link asks for, or the first example."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flowviz.checked import plain
from flowviz.contexts.request import ContextRequest
from flowviz.errors import FlowvizError, RequestError
from flowviz.ui.contexts.examples import first_link
from flowviz.ui.notice import notice
from flowviz.ui.opening import check_model, kept_prompt
from flowviz.views.contexts.look import Look


@dataclass(frozen=True)
class Opening:
    """The first state of the page.

    Args:
        run: whether to run it at once.
        fault: what is wrong with the link, as a notice.
    """

    request: ContextRequest
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
        return _opened(_completed(query, models))
    except FlowvizError as error:
        fault = {**notice(error), "title": "This link cannot be searched for"}
        return Opening(ContextRequest(kept_prompt(query), models[0]), run=False, fault=fault)


def check_corpus(name: object, corpora: Sequence[str]) -> None:
    """Raises RequestError where the link names a corpus that is not offered."""
    if name and name not in corpora:
        raise RequestError(
            f"No corpus {plain(name)[:60]!r} is offered here. Choose one of: {', '.join(corpora)}."
        )


def _completed(query: Mapping[str, object], models: Sequence[str]) -> dict[str, Any]:
    """The query with a model, and with the first example where it has no prompt."""
    whole = {"model": models[0], **query}
    return whole if "prompt" in query else {**first_link(models, whole["model"]), **whole}


def _opened(flat: Mapping[str, Any]) -> Opening:
    look = Look.from_mapping(flat)
    if "prompt" not in flat:
        return Opening(ContextRequest("", str(flat["model"])), look, run=False)
    return Opening(ContextRequest.from_mapping(flat), look)
