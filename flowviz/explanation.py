"""From a prompt to a graph: the whole path of the data, in the order in which it is walked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flowviz.errors import RequestError
from flowviz.flow import FlowTarget, flow_of
from flowviz.graph.build import Scored, build_graph
from flowviz.graph.inspect import inspect_node
from flowviz.graph.inspection import Inspection
from flowviz.graph.json import graph_json
from flowviz.graph.types import FlowGraph, NodeKey
from flowviz.models.loaded import LoadedModel
from flowviz.models.loading import load_model
from flowviz.request import ExplainRequest, TargetSpec
from flowviz.trace import Trace, record

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Explanation:
    """One explained pass: the graph, and what it was made from."""

    request: ExplainRequest
    scored: Scored
    graph: FlowGraph

    def inspect(self, node: NodeKey | str) -> Inspection:
        """A closer look at one node, given as its key or its text (`head:3:7:1`)."""
        key = NodeKey.parse(node) if isinstance(node, str) else node
        return inspect_node(self.scored, self.graph, self.request.settings, key)

    def to_json(self) -> str:
        """The graph as versioned JSON (docs/graph-json.md)."""
        return graph_json(self.graph)

    def nodes(self) -> pd.DataFrame:
        """The drawn nodes as a table."""
        from flowviz.views.tables import nodes_frame

        return nodes_frame(self.graph)

    def edges(self) -> pd.DataFrame:
        """The drawn edges as a table."""
        from flowviz.views.tables import edges_frame

        return edges_frame(self.graph)


def explain(prompt: str, model: LoadedModel | str = "demo", **choices: object) -> Explanation:
    """Explains one prediction of a model.

    Args:
        prompt: the text to run.
        model: a loaded model, or what `load_model` takes.
        choices: any field of `TargetSpec` and `GraphSettings`: `target` (a token) or `token`,
            `contrast`, `position`, `wiring`, `score`, `coverage`, `budget`, `layers`, ….

    Raises:
        RequestError: the prompt, the target or a setting cannot be explained as asked.
        ModelError: the model cannot be loaded.

    Example:
        >>> explain("The capital of Japan is the city of").graph.target.token.token
        ' Tokyo'
    """
    if "target" in choices:
        choices["token"] = choices.pop("target")
    known = ExplainRequest.fields()
    unknown = sorted(set(choices) - known)
    if unknown:
        raise RequestError(f"explain takes no {unknown[0]!r}; it takes {', '.join(sorted(known))}.")
    loaded = load_model(model) if isinstance(model, str) else model
    request = ExplainRequest.from_mapping({**choices, "prompt": prompt, "model": loaded.shape.name})
    return explain_request(loaded, request)


def explain_request(model: LoadedModel, request: ExplainRequest) -> Explanation:
    """Walks the whole path for one request on a loaded model."""
    trace = record(model, model.vocabulary.encode(request.prompt, model.context))
    scored = Scored(flow_of(model, trace, resolve_target(model, trace, request.target)))
    return Explanation(request, scored, build_graph(scored, request.settings))


def resolve_target(model: LoadedModel, trace: Trace, spec: TargetSpec) -> FlowTarget:
    """Finds the ids and the position that a request means.

    Raises:
        RequestError: the position is not in the prompt, a text is not one token, or token and
            contrast are the same.
    """
    last = len(trace.ids) - 1
    position = last if spec.position is None else spec.position
    if position > last:
        raise RequestError(
            f"The target's position is {position}, but the prompt has positions 0 to {last}. "
            "Choose one of the prompt's tokens."
        )
    vocabulary = model.vocabulary
    token = (
        int(trace.logits[position].argmax())
        if spec.token is None
        else vocabulary.resolve(spec.token)
    )
    contrast = None if spec.contrast is None else vocabulary.resolve(spec.contrast)
    if contrast == token:
        raise RequestError(
            f"The target and its contrast are the same token, {vocabulary.text(token)!r}. "
            "Choose another contrast, or none."
        )
    return FlowTarget(position, token, contrast)
