"""The neuron view of one head, and how its dimensions change with distance.

A score is scale * Σ_e q_ie k_je; each dimension e ("neuron") has its share. Shares of all pairs of
a prompt, by the distance i - j, tell which dimensions make a head look nearby. Source: the neuron
view and its distance-decaying neurons, Vig 2019.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from operator import add

import torch

from flowviz.analyses.passes import passes, read_all, silent
from flowviz.analyses.types import Prompt
from flowviz.attention.head import Head, check_gpt, head_of
from flowviz.attention.neuron_types import Decay, NeuronView
from flowviz.attention.queries_keys import AttentionTrace
from flowviz.attention.why_request import NeuronRequest
from flowviz.errors import RequestError
from flowviz.jobs import Progress
from flowviz.models.loaded import LoadedModel
from flowviz.trace import Trace

FARTHEST = 256
"""How many distances `decay` looks at: at 1,024 tokens the farthest have few pairs each."""


def neuron_view(
    model: LoadedModel,
    trace: Trace,
    request: NeuronRequest,
    attention: AttentionTrace | None = None,
) -> NeuronView:
    """Query, keys and their product of one head at one position.

    Args:
        attention: queries and keys of the block, where they are at hand.

    Raises:
        RequestError: there is no such head or position, or its queries and keys cannot be read
            exactly.
    """
    check_gpt(model.shape.name, request.mask, request.part)
    with torch.inference_mode():
        head = head_of(model, trace, request.layer, request.head, attention)
        return _view(head, head.place("query", request.query))


def _view(head: Head, query: int) -> NeuronView:
    q, k = head.queries[query], head.keys[: query + 1]
    pattern, seen = head.weights(query), head.seen(query)
    product, scoring = q * k, head.scoring
    attended = (pattern[:, None] * product).sum(0) / pattern.sum().clamp(min=1e-30)
    over_distance = _decay(head, FARTHEST)
    deciding = (attended - product[seen].mean(0)) * scoring.scale
    return NeuronView(
        model=head.model.shape,
        tokens=head.tokens,
        layer=head.layer,
        head=head.head,
        query=query,
        scale=scoring.scale,
        q=q.float().cpu().numpy(),
        k=k.float().cpu().numpy(),
        product=product.float().cpu().numpy(),
        score=head.scores(query).float().cpu().numpy(),
        pattern=pattern.float().cpu().numpy(),
        deciding=deciding.float().cpu().numpy(),
        cap=scoring.cap,
        window=scoring.window,
        rotary=head.attention.rotation is not None,
        sink=head.sink(query),
        decay=over_distance if over_distance.pairs else None,
        pattern_error=head.attention.pattern_error,
    )


def decay(
    model: LoadedModel,
    traces: Iterable[Trace],
    layer: int,
    head: int,
    farthest: int = FARTHEST,
) -> Decay:
    """How the share of each dimension of a head changes with distance, over some passes.

    Args:
        farthest: the largest distance that counts.

    Raises:
        RequestError: no pass has two sources to compare, there is no such head, or its queries and
            keys cannot be read exactly.
    """
    with torch.inference_mode():
        found = [_decay(head_of(model, trace, layer, head), farthest) for trace in traces]
    found = [each for each in found if each.pairs]
    if not found:
        raise RequestError(
            "There are no two positions to compare: the first token is left out as a source. "
            "Give a prompt of two tokens or more."
        )
    return reduce(add, found)


def decay_over(
    model: LoadedModel,
    prompts: Iterable[Prompt | str],
    layer: int,
    head: int,
    progress: Progress = silent,
) -> Decay:
    """The same over a set of prompts, one pass each.

    Args:
        progress: told before each prompt; what it raises ends the work.

    Raises:
        RequestError: as `decay`; there are no prompts, or this model cannot read one (named by its
            number).
    """
    asked = read_all(model, prompts)
    return decay(model, (trace for _, trace in passes(model, asked, progress)), layer, head)


def _decay(head: Head, farthest: int) -> Decay:
    queries, keys = head.queries.double() * head.scoring.scale, head.keys.double()
    longest = min(farthest, head.positions - 2, (head.scoring.window or head.positions) - 1)
    sums = queries.new_zeros(max(longest + 1, 1), queries.shape[1])
    counts = torch.zeros(len(sums), dtype=torch.long, device="cpu")
    for distance in range(longest + 1):
        asks, asked = queries[distance + 1 :], keys[1 : head.positions - distance]
        sums[distance] = (asks * asked).sum(0)
        counts[distance] = len(asks)
    return Decay(
        head.layer,
        head.head,
        counts.numpy(),
        sums.cpu().numpy(),
        head.attention.rotation is not None,
        model=head.model.shape,
    )
