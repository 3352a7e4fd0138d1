"""Selection: which nodes are drawn.

1. Rank all nodes of the kinds, blocks and positions that were asked for by one score.
2. Grow from the target: always take the first in rank among those that can flow into what is
   already taken, until the coverage asked for is held or the budget is spent.

Under *flow* the score is influence along paths. Under *gradient* and *direct* it is the absolute
score of the components; a hidden state then ranks with the strongest component that writes at or
below it in its column, so that what is kept stays connected. Ties go by key: the same request
gives the same graph.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from heapq import heapify, heappop, heappush

import torch
from torch import Tensor

from flowviz.errors import RequestError
from flowviz.graph.ports import TO_TARGET, Layout, Port, leads_to, opened
from flowviz.graph.types import BIAS_NAMES, STATES, NodeKey, NodeKind
from flowviz.request import GraphSettings, Wiring
from flowviz.values import NodeValues

REACH = 4  # how many times the budget is ranked, so that what connects can be found
COMPONENTS = frozenset(
    {NodeKind.EMBED, NodeKind.POS_EMBED, NodeKind.HEAD, NodeKind.NEURON, NodeKind.BIAS}
)


@dataclass(frozen=True)
class Selection:
    """The nodes to draw, the strongest first, and of how many they were chosen."""

    keys: tuple[NodeKey, ...]
    total: int


def drawn_kinds(settings: GraphSettings) -> frozenset[NodeKind]:
    """The kinds that a graph of these settings draws."""
    return settings.kinds | STATES if settings.wiring is Wiring.STREAM else settings.kinds


def select(
    ranking: NodeValues,
    flow: NodeValues,
    settings: GraphSettings,
    without: frozenset[NodeKey] = frozenset(),
    parallel: bool = False,
) -> Selection:
    """Chooses the nodes to draw.

    Args:
        ranking: what nodes are chosen by; not negative.
        flow: the flow of every node, for the neurons' signs.
        without: nodes not to draw.
        parallel: attention and MLP of a block read the same state.
    """
    every = COMPONENTS | STATES if settings.wiring is Wiring.STREAM else COMPONENTS
    wanted = settings.coverage * ranking.total(every)
    kinds = drawn_kinds(settings)
    allowed = _limited(_within(ranking, settings), flow, settings)
    most = REACH * settings.budget
    found = [pair for kind in sorted(kinds) for pair in allowed.strongest(kind, most)]
    ranked = sorted((-score, key) for score, key in found if key not in without)
    kept: list[NodeKey] = []
    held = 0.0
    cut = last_cut(settings, ranking.layers)
    layout = Layout(settings.wiring, ranking.layers, ranking.positions - 1, parallel, cut)
    for score, key in _grow(ranked, layout):
        if held >= wanted or len(kept) == settings.budget:
            break
        kept.append(key)
        held += score
    return Selection(tuple(kept), allowed.count(kinds))


def _grow(ranked: list[tuple[float, NodeKey]], layout: Layout) -> Iterator[tuple[float, NodeKey]]:
    """Nodes and their scores, in the order in which they join the target."""
    waiting: dict[Port, list[tuple[float, NodeKey]]] = defaultdict(list)
    for pair in ranked:
        for port in leads_to(pair[1], layout):
            waiting[port].append(pair)
    taken: set[NodeKey] = set()
    ready = waiting.pop(TO_TARGET, [])
    heapify(ready)
    while ready:
        score, key = heappop(ready)
        if key in taken:
            continue
        taken.add(key)
        yield -score, key
        for port in opened(key):
            for pair in waiting.pop(port, []):
                heappush(ready, pair)


def last_cut(settings: GraphSettings, layers: int) -> int | None:
    """The block whose incoming states the target reads; None where that is the final state."""
    if settings.layers is None or settings.layers[1] >= layers - 1:
        return None
    return settings.layers[1] + 1


def _within(values: NodeValues, settings: GraphSettings) -> NodeValues:
    """Zero outside the blocks and positions asked for."""
    if settings.layers is None and settings.positions is None:
        return values
    layers, count = _span(settings.layers, values.layers, "layers", "blocks"), values.positions
    positions = _span(settings.positions, count, "positions", "tokens up to the target")
    places = _mask(values.embed, *positions)
    within, ends = _mask(values.resid_pre[:, 0], *layers), layers[1] + 1 == values.layers
    cuts = _mask(values.resid_pre[:, 0], layers[0], layers[1] + 1)
    behind = torch.cat([within, within.new_tensor([ends])])
    return NodeValues(
        embed=values.embed * places * (layers[0] == 0),
        pos_embed=values.pos_embed * places * (layers[0] == 0),
        resid_pre=values.resid_pre * places * cuts[:, None],
        resid_mid=values.resid_mid * places * within[:, None],
        resid_final=values.resid_final * places * ends,
        heads=values.heads * places[:, None] * within[:, None, None],
        neurons=values.neurons * places[:, None] * within[:, None, None],
        biases=values.biases * places * behind[:, None],
    )


def _span(span: tuple[int, int] | None, size: int, name: str, what: str) -> tuple[int, int]:
    if span is None:
        return 0, size - 1
    if span[0] >= size:
        raise RequestError(
            f"{name} is {span[0]}-{span[1]}, but there are {size} {what}, counted from 0. "
            f"Choose a range within 0-{size - 1}."
        )
    return span[0], min(span[1], size - 1)


def _mask(values: Tensor, first: int, last: int) -> Tensor:
    places = torch.arange(values.shape[0], device=values.device)
    return (places >= first) & (places <= last)


def _limited(values: NodeValues, flow: NodeValues, settings: GraphSettings) -> NodeValues:
    """At most so many heads a block, and neurons of either sign."""
    heads, neurons = values.heads, values.neurons
    if settings.heads_per_layer is not None:
        heads = _top_per_layer(heads, settings.heads_per_layer)
    if settings.positive_neurons is not None or settings.negative_neurons is not None:
        signs = ((flow.neurons > 0, settings.positive_neurons),
                 (flow.neurons < 0, settings.negative_neurons))  # fmt: skip
        neurons = sum(
            (neurons * sign if most is None else _top_per_layer(neurons * sign, most))
            for sign, most in signs
        )
    return replace(values, heads=heads, neurons=neurons)


def _top_per_layer(values: Tensor, most: int) -> Tensor:
    """The largest of each layer, the first ones where some tie; zero elsewhere."""
    flat = values.flatten(1)
    order = flat.argsort(dim=1, descending=True, stable=True)[:, :most]
    return torch.zeros_like(flat).scatter(1, order, flat.gather(1, order)).view_as(values)


def ranking_by_score(scores: NodeValues, parallel: bool = False) -> NodeValues:
    """Absolute scores, normalised; states rank with what was written at or below them.

    Args:
        parallel: attention and MLP of a block read the same state: none stands between.
    """
    components = replace(
        scores,
        **{
            name: getattr(scores, name).abs() for name in ("embed", "pos_embed", "heads", "neurons")
        },
        biases=scores.biases.abs(),
    )
    biases = components.biases.amax(0)
    reached = torch.maximum(components.embed, components.pos_embed)
    for name in ("ln_embed", "set_first"):
        reached = torch.maximum(reached, components.biases[BIAS_NAMES.index(name), 0])
    pre, mid = torch.zeros_like(scores.resid_pre), torch.zeros_like(scores.resid_mid)
    for layer in range(scores.layers):
        pre[layer] = reached
        reached = torch.maximum(reached, components.heads[layer].amax(-1))
        mid[layer] = torch.zeros_like(reached) if parallel else reached
        reached = torch.maximum(reached, components.neurons[layer].amax(-1))
        reached = torch.maximum(reached, biases[layer])
    final = torch.zeros_like(scores.resid_final)
    final[-1] = reached[-1]
    ranked = replace(components, resid_pre=pre, resid_mid=mid, resid_final=final)
    whole = max(ranked.total(COMPONENTS), torch.finfo(torch.float32).tiny)
    return ranked.each(lambda value: value / whole)
