"""Opens blocks: one flow and a request become an `InsideGraph`.

1. Find the place: the position, and the blocks.
2. Choose what is drawn of each block (`choose`).
3. Draw it, block by block (`block`, `attention`, `mlp`, `queries`).
4. Measure it (`checks`).
5. Read all vectors as tokens, in one product (`describe`).
"""

from __future__ import annotations

from dataclasses import fields, replace

import torch

from flowviz.attention.queries_keys import PATTERN_TOLERANCE, AttentionTrace, record_attention
from flowviz.checks import TOLERANCE
from flowviz.errors import RequestError
from flowviz.flow import Flow
from flowviz.graph.build import DUST
from flowviz.graph.describe import predictions_at, prompt_tokens, target_of
from flowviz.graph.scored import Scored
from flowviz.graph.unexplained import target_without_flow
from flowviz.inside.block import draw_block
from flowviz.inside.checks import flow_error, largest, sum_error
from flowviz.inside.choose import check_size, choose
from flowviz.inside.describe import describe
from flowviz.inside.heads import HeadsAt
from flowviz.inside.neurons import NeuronsAt
from flowviz.inside.place import Place
from flowviz.inside.queries import directions_of, draw_queries, is_rotated, pattern_error
from flowviz.inside.request import InsideRequest, InsideSettings
from flowviz.inside.sketch import Sketch
from flowviz.inside.types import InsideChecks, InsideGraph, PartKey, PartKind
from flowviz.inside.without_flow import without_flow
from flowviz.models.loaded import LoadedModel


@torch.inference_mode()
def open_blocks(model: LoadedModel, scored: Scored, request: InsideRequest) -> InsideGraph:
    """The picture that is asked for.

    Args:
        scored: a flow through this model, of the request's prompt and target.

    Raises:
        RequestError: the model has no such block or the flow no such position, or the picture
            would be too large.
    """
    flow, settings = scored.flow, request.settings
    at = _position(flow, request.at)
    places = [Place(flow, layer, at) for layer in _layers(flow, request.layers)]
    parts = [(HeadsAt(place), NeuronsAt(place)) for place in places]
    attentions = record_attention(model, flow.trace, [place.layer for place in places])
    sketch = _sketch(flow, parts, attentions, settings)
    nodes, edges = describe(flow, at, sketch)
    graph = InsideGraph(
        model=model.shape,
        tokens=prompt_tokens(flow),
        target=target_of(flow),
        predictions=predictions_at(flow, at),
        layers=request.layers,
        position=at,
        rotated=is_rotated(list(attentions.values()), settings.rotary),
        settings=_plain(settings),
        checks=_checks(scored, sketch, parts, list(attentions.values())),
        whole=_whole(places),
        nodes=nodes,
        edges=edges,
    )
    if graph.checks.exact:
        return graph
    return replace(without_flow(graph), target=target_without_flow(flow, graph.target))


def _sketch(
    flow: Flow,
    parts: list[tuple[HeadsAt, NeuronsAt]],
    attentions: dict[int, AttentionTrace],
    settings: InsideSettings,
) -> Sketch:
    """Everything that is chosen, drawn block by block."""
    chosen = [choose(heads, neurons, settings) for heads, neurons in parts]
    check_size(sum(drawn.elements for drawn in chosen))
    sketch = Sketch(DUST * flow.scale)
    for (heads, neurons), drawn in zip(parts, chosen, strict=True):
        reader = draw_block(sketch, heads, neurons, drawn)
        attention = attentions[heads.place.layer]
        directions = directions_of(heads, drawn, attention, settings.rotary)
        draw_queries(sketch, heads, drawn, reader, directions)
    check_size(len(sketch.parts) + len(sketch.edges))
    return sketch


def _layers(flow: Flow, layers: tuple[int, int]) -> range:
    last = flow.model.shape.layers - 1
    if layers[1] > last:
        raise RequestError(
            f"Block {layers[1]} was asked for, but {flow.model.shape.name} has blocks 0 to {last}. "
            "Choose one of these."
        )
    return range(layers[0], layers[1] + 1)


def _position(flow: Flow, at: int | None) -> int:
    target = flow.target.position
    if at is None:
        return target
    if at > target:
        raise RequestError(
            f"Position {at} was asked for, but the prediction that is explained is made at "
            f"position {target}, and nothing flows to it from later ones. Choose a position up to "
            f"{target}, or a target at a later one."
        )
    return at


def _checks(
    scored: Scored,
    sketch: Sketch,
    parts: list[tuple[HeadsAt, NeuronsAt]],
    attentions: list[AttentionTrace],
) -> InsideChecks:
    """Where a law fails anywhere in the pass, the flow in these blocks is wrong too."""
    flow, errors = scored.flow, scored.errors
    first = PartKey(PartKind.STATE, parts[0][0].place.layer)
    last = PartKey(PartKind.STATE, parts[-1][0].place.layer + 1)
    own = flow_error(sketch, flow.scale, first, last)
    sums = [sum_error(sketch, heads, neurons) for heads, neurons in parts]
    return InsideChecks(
        flow_error=largest([own, errors.node, errors.cut, errors.target]),
        sum_error=largest([*sums, errors.block]),
        pattern_error=pattern_error(attentions),
        tolerance=TOLERANCE.get(flow.model.dtype, 0.0),
        pattern_tolerance=PATTERN_TOLERANCE.get(flow.model.dtype, 0.0),
    )


def _plain(settings: InsideSettings) -> dict[str, object]:
    values = {item.name: getattr(settings, item.name) for item in fields(settings)}
    return {name: value if isinstance(value, int) else str(value) for name, value in values.items()}


def _whole(places: list[Place]) -> dict[str, int]:
    """Of each block, the most that any of them has."""
    attention = [place.block.attention for place in places]
    return {
        "heads": max(each.heads for each in attention),
        "values": places[0].at + 1,
        "rows": max(each.heads * each.d_head for each in attention),
        "neurons": max(place.block.mlp.neurons for place in places),
    }
