"""From a recorded pass, and the flow through it, to the maps of all heads.

Layer by layer, so that beside the answer only one layer is held in full precision. The law of each
weighting, which tests hold on every architecture:

    pattern   Σ_j A_ij v_j = z_i, what the head gives; `Checks.node_error` measures it on the run
    norm      a row of cells sums to 1, times its total to Σ_j ‖A_ij v_j W_O‖
    flow      Σ_j of a row + what the head draws from its norm's bias and from b_V = the head's flow

Where a law fails on the run, the flow is not shown: its cells are zero, and a note says why.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from flowviz.analyses.passes import passes, read_all, silent
from flowviz.analyses.types import Prompt
from flowviz.attention.average import mean_maps
from flowviz.attention.finder import find_kinds
from flowviz.attention.head import UpTo
from flowviz.attention.kinds import Part
from flowviz.attention.readings import top_predictions
from flowviz.attention.request import AttentionRequest
from flowviz.attention.types import AttentionMaps, Column, HeadsFound, KindScores, Weighting
from flowviz.errors import RequestError
from flowviz.flow import Flow
from flowviz.graph.describe import law_checks, predictions_at, prompt_tokens, target_of
from flowviz.graph.scored import Scored
from flowviz.graph.types import ModelShape
from flowviz.graph.unexplained import target_without_flow
from flowviz.jobs import Progress
from flowviz.models.loaded import LoadedModel
from flowviz.models.parts import exact
from flowviz.trace import Trace

BYTES_A_CELL = 2
BYTES_A_TOKEN = 4_000  # its text, and what is predicted there
LAYER_BYTES_A_CELL = 12  # of one layer while it is made: in float32, and copies


def maps_bytes(shape: ModelShape, tokens: int) -> int:
    """The memory that the maps of a prompt take, and what making them takes on top."""
    cells = shape.heads * tokens * tokens
    return cells * (BYTES_A_CELL * shape.layers + LAYER_BYTES_A_CELL) + BYTES_A_TOKEN * tokens


@torch.inference_mode()
def maps_of(scored: Scored, weighting: Weighting = Weighting.PATTERN) -> AttentionMaps:
    """The maps of all heads in the pass of a flow."""
    flow, checks = scored.flow, law_checks(scored, 0.0)
    signed = weighting is Weighting.FLOW
    maps = trace_maps(flow.model, flow.trace, Weighting.PATTERN if signed else weighting)
    if signed:
        maps = _by_flow(maps, flow) if checks.exact else _without_flow(maps)
    return replace(
        maps,
        target=target_of(flow) if checks.exact else target_without_flow(flow, target_of(flow)),
        predictions=predictions_at(flow, flow.target.position),
        checks=checks,
    )


@torch.inference_mode()
def trace_maps(
    model: LoadedModel, trace: Trace, weighting: Weighting = Weighting.PATTERN
) -> AttentionMaps:
    """The maps of all heads in a pass without a target, by pattern or by norm."""
    weights, totals = (_norms if weighting is Weighting.NORM else _patterns)(model, trace)
    special = special_places(model, trace.ids)
    return AttentionMaps(
        queries=Column(prompt_tokens(UpTo(model, trace, len(trace.ids))), special),
        weights=weights,
        kinds=kinds_of(trace, special),
        weighting=weighting,
        totals=totals,
        model=model.shape,
        readings=top_predictions(model.vocabulary, model.capped(trace.logits)),
        notes=_unread(trace),
    )


def special_places(model: LoadedModel, ids: Sequence[int]) -> tuple[int, ...]:
    """The positions of tokens that stand for no text."""
    special = model.vocabulary.special
    return tuple(place for place, i in enumerate(ids) if i in special)


def kinds_of(trace: Trace, special: Sequence[int] = ()) -> KindScores:
    """What the finder says of every head of a pass.

    Args:
        special: the positions of special tokens.
    """
    patterns = (part.pattern.cpu().numpy() for part in trace.blocks)
    return find_kinds(patterns, trace.ids, special=special)


def asked_maps(scored: Scored, request: AttentionRequest) -> AttentionMaps:
    """What a request asks of the pass of a flow. Raises RequestError as `check_asked` does."""
    check_asked(scored.flow.model.shape.name, request)
    maps = maps_of(scored, request.weighting)
    if not request.second:
        return maps
    start = scored.flow.model.vocabulary.start_of(request.prompt, request.second)
    return replace(maps, queries=replace(maps.queries, second=start))


def check_asked(name: str, request: AttentionRequest) -> None:
    """Raises RequestError where a request asks for what a GPT has not got."""
    if request.mask:
        raise RequestError(
            f"{name} is a GPT, which has no mask: only encoders such as BERT read hidden tokens. "
            "Leave out the mask."
        )
    check_part(name, request.part)


def check_part(name: str, part: Part | None) -> None:
    """Raises RequestError for a part that a GPT has not got."""
    if part not in (None, Part.DECODER):
        raise RequestError(f"{name} has no part {part}; it has decoder. Choose that.")


def find_over(
    model: LoadedModel, prompts: Iterable[Prompt | str], progress: Progress = silent
) -> HeadsFound:
    """What the finder says over a set of prompts, one pass each.

    Args:
        progress: told before each prompt; what it raises ends the work.

    Raises:
        RequestError: there are no prompts, or this model cannot read one (named by its number).
    """
    asked = read_all(model, prompts)
    found = [
        kinds_of(trace, special_places(model, trace.ids))
        for _, trace in passes(model, asked, progress)
    ]
    return HeadsFound(model.shape, len(asked), sum(found[1:], found[0]))


def average_over(
    model: LoadedModel,
    prompts: Iterable[Prompt | str],
    weighting: Weighting = Weighting.PATTERN,
    progress: Progress = silent,
) -> AttentionMaps:
    """The mean attention over a set of prompts, one pass each; see `average.py`.

    Raises:
        RequestError: as `find_over`, or for the weighting by flow.
    """
    asked = read_all(model, prompts)
    each = passes(model, asked, progress)
    return mean_maps(trace_maps(model, trace, weighting) for _, trace in each)


Read = tuple[NDArray[np.float16], NDArray[np.float32] | None]


def _patterns(model: LoadedModel, trace: Trace) -> Read:
    weights = _empty(model, trace)
    for layer, part in enumerate(trace.blocks):
        weights[layer] = part.pattern.cpu().numpy()
    return weights, None


def _norms(model: LoadedModel, trace: Trace) -> Read:
    weights = _empty(model, trace)
    totals = np.zeros(weights.shape[:3], dtype=np.float32)
    for layer, part in enumerate(trace.blocks):
        norms = part.pattern * value_norms(model, trace, layer)[:, None]
        total = norms.sum(-1)
        weights[layer] = (norms / total.clamp(min=1e-30)[..., None]).cpu().numpy()
        totals[layer] = total.cpu().numpy()
    return weights, totals


def value_norms(model: LoadedModel, trace: Trace, layer: int) -> Float[Tensor, "head pos"]:
    """‖v_j W_O‖ of each head at each source, the biases of the values included."""
    attention, values = model.blocks[layer].attention, trace.blocks[layer].v
    each, out = attention.queries_per_value, attention.W_O
    norms = [
        (values[:, head // each] @ exact(out[head], values)).norm(dim=-1)
        for head in range(attention.heads)  # one by one: together they take heads x d_model
    ]
    return torch.stack(norms)


def _by_flow(maps: AttentionMaps, flow: Flow) -> AttentionMaps:
    weights, p = np.zeros_like(maps.weights), flow.positions
    layers = range(len(flow.blocks))
    unit = max(float(flow.head_sources(layer).abs().max()) for layer in layers) or 1.0
    for layer in layers:
        weights[layer, :, :p, :p] = (flow.head_sources(layer) / unit).cpu().numpy()
    return replace(maps, weights=weights, weighting=Weighting.FLOW, unit=unit)


def _without_flow(maps: AttentionMaps) -> AttentionMaps:
    said = "The flow of this pass is not exact, so that it is not shown by head."
    weights = np.zeros_like(maps.weights)
    return replace(maps, weights=weights, weighting=Weighting.FLOW, notes=(*maps.notes, said))


def _empty(model: LoadedModel, trace: Trace) -> NDArray[np.float16]:
    tokens = len(trace.ids)
    return np.zeros((model.shape.layers, model.shape.heads, tokens, tokens), dtype=np.float16)


def _unread(trace: Trace) -> tuple[str, ...]:
    """What to say of blocks whose attention the bridge does not show."""
    unread = [str(i) for i, part in enumerate(trace.blocks) if not part.pattern.any()]
    if not unread:
        return ()
    blocks = f"Block {unread[0]}" if len(unread) == 1 else f"Blocks {', '.join(unread)}"
    return (f"{blocks} cannot be read: no attention is shown there.",)
