"""What a picture of a changed pass says of the clean one: every number as it was before.

Nodes and edges keep their names, so each is looked up in the flow of the same target through the
clean pass. A node is drawn for what it is now or was before, whichever is more: what was switched
off stays in sight. What interventions put in was not there: before, it is zero.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import torch

from flowviz.flow import Flow
from flowviz.graph.edges import Drawn, Inflow
from flowviz.graph.opened import Opened
from flowviz.graph.types import OUTPUTS, FlowNode, NodeKey, NodeKind, Prediction, Target
from flowviz.values import NodeValues


def larger(now: NodeValues, before: NodeValues) -> NodeValues:
    """For every node the larger of two values."""
    fields = (name for name, value in vars(now).items() if isinstance(value, torch.Tensor))
    return NodeValues(
        **{name: torch.maximum(getattr(now, name), getattr(before, name)) for name in fields}
    )


def both_inflows(
    now: dict[NodeKey, Inflow], before: dict[NodeKey, Inflow]
) -> dict[NodeKey, Inflow]:
    """The inflows of each drawn node, with what they were before; also those that are no more."""
    return {key: _both(inflow, before[key]) for key, inflow in now.items()}


def _both(now: Inflow, before: Inflow) -> Inflow:
    were = {(link.far, link.kind): link for link in before.links}
    links = []
    for link in now.links:
        was = were.pop((link.far, link.kind), None)
        links.append(replace(link, before=0.0 if was is None else was.flow))
    links += [replace(was, flow=0.0, before=was.flow) for was in were.values()]
    magnitude = max(now.magnitude, before.magnitude)
    return replace(now, links=tuple(links), magnitude=magnitude, before=before.total)


def nodes_before(nodes: Iterable[FlowNode], clean: Flow, opened: Opened) -> list[FlowNode]:
    """Nodes with their flow in the clean pass."""
    return [replace(node, before=flow_before(clean, node.key, opened)) for node in nodes]


def flow_before(clean: Flow, key: NodeKey, opened: Opened) -> float:
    """A node's flow in the clean pass."""
    if key.part_of or key.kind in OUTPUTS:
        return opened.flow_before(key)
    return clean.value if key.kind is NodeKind.TARGET else clean.values[key]


def rest_before(drawn: Drawn, key: NodeKey) -> float | None:
    """What flowed into a drawn node before and is not drawn."""
    was = drawn.before.get(key)
    if was is None:
        return None
    return was - sum(edge.before or 0.0 for edge in drawn.edges if edge.target == key)


def predictions_before(predictions: Iterable[Prediction], clean: Flow) -> tuple[Prediction, ...]:
    """Predictions with their probability in the clean pass."""
    logits = clean.model.capped(clean.trace.logits[clean.target.position])
    probabilities = logits.softmax(0)
    return tuple(replace(each, before=float(probabilities[each.id])) for each in predictions)


def target_before(target: Target, clean: Flow) -> Target:
    """The target with its value in the clean pass, and its tokens' probabilities there."""
    (token,) = predictions_before([target.token], clean)
    away = target.contrast and predictions_before([target.contrast], clean)[0]
    return replace(target, token=token, contrast=away, before=clean.value)
