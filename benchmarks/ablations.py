"""Fifty ablations of single nodes, as a ratio to fifty forward passes done as one batch.

The floor is one call of transformers' own model, which nothing has wrapped, on fifty copies of
the prompt, unembedding the last position only, as the ablations do.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

from benchmarks.subject import (
    gpt2_small,
    milliseconds,
    plain_gpt2_small,
    prompt_of,
    ratio,
    side_by_side,
)
from flowviz.causal import baselines
from flowviz.causal.passes import logits_without
from flowviz.causal.places import Places
from flowviz.graph.types import NodeKey, NodeKind
from flowviz.models.loaded import LoadedModel

TOKENS = 10
ABLATIONS = 50
BOUND = 2.0


def run(rounds: int) -> None:
    """Prints both times and their ratio."""
    model = gpt2_small()
    ids = model.vocabulary.encode(prompt_of(model, TOKENS), model.context)
    whole = side_by_side(rounds, floor(ids), ablations(model, ids))
    times = [milliseconds(part) for part in whole]
    share = ratio(whole[1], whole[0])
    print(f"\n{ABLATIONS} single-node ablations, {TOKENS} tokens, GPT-2 small's shape")
    print(f"{'batch ms':>10}{'ablations ms':>14}{'ratio':>8}{'bound':>8}")
    print(f"{times[0]:>10.0f}{times[1]:>14.0f}{share:>8.2f}{BOUND:>8.1f}")


def floor(ids: list[int]) -> Callable[[], object]:
    """As many forward passes, in one batch."""
    untouched = plain_gpt2_small()
    tokens = torch.tensor([ids]).expand(ABLATIONS, -1)

    @torch.inference_mode()
    def work() -> object:
        return untouched(tokens, logits_to_keep=1).logits

    return work


def ablations(model: LoadedModel, ids: list[int]) -> Callable[[], object]:
    """Heads and neurons of all layers and positions, each replaced by zero alone."""
    zero, keys = baselines.zero(model), _keys(model, len(ids))

    def work() -> object:
        places = (Places.of(model, len(ids), [key]) for key in keys)
        return logits_without(model, ids, places, zero)

    return work


def _keys(model: LoadedModel, positions: int) -> list[NodeKey]:
    shape, half = model.shape, ABLATIONS // 2
    return [
        NodeKey(kind, number % shape.layers, number % positions, 7 * number % most)
        for kind, most in ((NodeKind.HEAD, shape.heads), (NodeKind.NEURON, shape.neurons))
        for number in range(half)
    ]
