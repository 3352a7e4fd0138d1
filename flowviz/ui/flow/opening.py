"""What the page shows first: what its link asks for, or the first example."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from flowviz.causal.request import CheckRequest
from flowviz.errors import FlowvizError, RequestError
from flowviz.graph.types import NodeKey
from flowviz.request import (
    GraphSettings,
    TargetSpec,
    settings_from_mapping,
)
from flowviz.ui.ask_panel import Asked
from flowviz.ui.check.opening import CheckOpening
from flowviz.ui.examples import DEMO
from flowviz.ui.interventions.made import Made
from flowviz.ui.notice import notice
from flowviz.ui.opened.made import OpenedMade
from flowviz.ui.opening import check_model, kept_prompt
from flowviz.ui.server import Example


@dataclass(frozen=True)
class Opening:
    """The first state of the page.

    Args:
        run: whether to run it at once.
        node: the node that the link selects.
        rest: whether rest nodes are drawn.
        fault: what is wrong with the link, as a notice.
        check: how the graph is held against the model.
        made: what is changed in the pass.
        opened: which nodes are opened into factors.
    """

    prompt: str
    model: str
    target: TargetSpec
    settings: GraphSettings
    run: bool
    node: str | None = None
    rest: bool = True
    fault: dict[str, str] | None = None
    check: CheckOpening = field(default_factory=CheckOpening)
    made: Made = field(default_factory=Made)
    opened: OpenedMade = field(default_factory=OpenedMade)

    @property
    def asked(self) -> Asked:
        """What stands in the panel above the graph."""
        return Asked(self.prompt, self.model, self.target)


def open_page(
    query: Mapping[str, object], examples: Sequence[Example], models: Sequence[str]
) -> Opening:
    """Reads a link's query; whatever is wrong with it becomes a notice, never an exception.

    Args:
        query: what stands in the link.
        examples: the example prompts; the first is shown where the link has no prompt.
        models: the names of the models that are offered, the default first.
    """
    model = models[0]
    try:
        check_model(query, models)
        if "prompt" in query:
            return _from_link(query, model)
        return _from_example(query, examples, model)
    except FlowvizError as error:
        return _refused(query, model, error)


def _from_link(query: Mapping[str, object], model: str) -> Opening:
    check = CheckRequest.from_mapping({"model": model, **query})
    request = check.explained
    return Opening(
        request.prompt,
        request.model,
        request.target,
        request.settings,
        run=True,
        node=_node(query.get("node")),
        rest=query.get("rest") != "0",
        check=CheckOpening.of(check, query),
        made=Made(request.interventions, request.donor, request.prompt, request.model),
        opened=OpenedMade(request.opened, request.prompt, request.model),
    )


def _from_example(query: Mapping[str, object], examples: Sequence[Example], model: str) -> Opening:
    chosen = str(query.get("model") or model)
    settings = settings_from_mapping(query)
    if not examples or chosen != model:
        return Opening("", chosen, TargetSpec(), settings, run=False)
    first = examples[0]
    target = TargetSpec(first.target, first.contrast) if model == DEMO else TargetSpec()
    return Opening(first.prompt, model, target, settings, run=True)


def _refused(query: Mapping[str, object], model: str, error: FlowvizError) -> Opening:
    return Opening(
        kept_prompt(query),
        model,
        TargetSpec(),
        GraphSettings(),
        run=False,
        fault={**notice(error), "title": "This link cannot be drawn"},
    )


def _node(text: object) -> str | None:
    if text is None or text == "":
        return None
    if not isinstance(text, str):
        raise RequestError("The link names more than one node. Keep one.")
    return str(NodeKey.parse(text))
