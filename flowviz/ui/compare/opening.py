"""What the page shows first: what its link asks for, or the first example."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flowviz.checked import plain
from flowviz.compare.request import OF_A_SIDE, PREFIX, CompareRequest
from flowviz.errors import FlowvizError, RequestError
from flowviz.graph.types import NodeKey
from flowviz.request import ExplainRequest, GraphSettings, settings_from_mapping
from flowviz.ui.compare.examples import EXAMPLES, example_link
from flowviz.ui.compare.form import Form, alone, form_of
from flowviz.ui.examples import DEMO
from flowviz.ui.notice import notice
from flowviz.ui.opening import check_model, kept_prompt

SECOND = frozenset(PREFIX + name for name in OF_A_SIDE)


@dataclass(frozen=True)
class Opening:
    """The first state of the page.

    Args:
        form: what stands in the boxes.
        run: whether to run it at once.
        hint: whether the second side is yet to be typed.
        node: the node that the link selects.
        rest: whether rest nodes are drawn.
        states: whether hidden states are listed among what changed most.
        fault: what is wrong with the link, as a notice.
    """

    form: Form
    settings: GraphSettings = field(default_factory=GraphSettings)
    run: bool = False
    hint: bool = False
    node: str | None = None
    rest: bool = True
    states: bool = False
    fault: dict[str, str] | None = None

    @property
    def more(self) -> bool:
        """Whether the fold holds anything, so that it is to be open."""
        folded = ("b_model", "interventions", "b_interventions", "own")
        return any(self.form[name] for name in folded)


def open_page(query: Mapping[str, object], models: Sequence[str]) -> Opening:
    """Reads a link's query; whatever is wrong with it becomes a notice, never an exception.

    Args:
        query: what stands in the link.
        models: the names of the models that are offered, the default first.
    """
    try:
        check_model(query, models)
        check_model({"model": query.get("b_model")}, models)
        return _opened(query, models)
    except FlowvizError as error:
        fault = {**notice(error), "title": "This link cannot be drawn"}
        return Opening(_refused(query, models[0]), fault=fault)


def _opened(query: Mapping[str, object], models: Sequence[str]) -> Opening:
    model = plain(query.get("model") or models[0])
    if "prompt" not in query:
        return _without_prompt(query, model, models)
    flat: dict[str, Any] = {"model": model, **query}
    node, rest = _node(query.get("node")), query.get("rest") != "0"
    states = query.get("states") == "1"
    if not SECOND & query.keys():
        first = ExplainRequest.from_mapping(flat)
        return Opening(alone(first), first.settings, hint=True, rest=rest, states=states)
    request = CompareRequest.from_mapping(flat)
    form, settings = form_of(request), request.first.settings
    return Opening(form, settings, run=True, node=node, rest=rest, states=states)


def _without_prompt(query: Mapping[str, object], model: str, models: Sequence[str]) -> Opening:
    """The first example; an empty form where another model than the default was asked for."""
    settings = settings_from_mapping(query)
    if model == models[0] == DEMO:
        request = CompareRequest.from_mapping(example_link(EXAMPLES[0], model))
        return Opening(form_of(request), settings, run=True)
    return Opening(_empty("", model), settings)


def _refused(query: Mapping[str, object], model: str) -> Form:
    second = kept_prompt({"prompt": query.get("b_prompt")})
    return {**_empty(kept_prompt(query), model), "b_prompt": second}


def _empty(prompt: str, model: str) -> Form:
    return {**alone(ExplainRequest(prompt, model)), "prompt": prompt}


def _node(text: object) -> str | None:
    if text is None or text == "":
        return None
    if not isinstance(text, str):
        raise RequestError("The link names more than one node. Keep one.")
    return str(NodeKey.parse(text))
