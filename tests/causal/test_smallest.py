"""What scores foresee of a replacement, and the small sets that are found with them."""

from __future__ import annotations

from functools import cache

import pytest
import torch

from flowviz.causal import baselines
from flowviz.causal.baselines import Baseline
from flowviz.causal.places import Places
from flowviz.causal.recovered import Passes
from flowviz.causal.scores import foreseen
from flowviz.causal.smallest import _between, smallest
from flowviz.errors import RequestError
from flowviz.graph.types import NodeKey, NodeKind
from flowviz.trace import record
from tests.flows import TARGET, scored
from tests.models import random_model

OTHER = tuple(range(25, 42))


@cache
def other(architecture: str) -> Baseline:
    model = random_model(architecture)
    return baselines.resample(record(model, list(OTHER)), TARGET.position + 1, "another prompt")


@pytest.mark.parametrize("architecture", ["gpt2", "llama", "gemma2", "bloom", "mixtral"])
def test_flow_foresees_the_difference_of_the_values(architecture: str) -> None:
    found = foreseen(scored(architecture), other(architecture))
    flow, second = scored(architecture).flow, record(random_model(architecture), list(OTHER))
    for layer, position, head in ((0, 3, 1), (2, 14, 2)):
        own, away = (trace.blocks[layer].z[position, head] for trace in (flow.trace, second))
        by_hand = float((own - away) @ flow.blocks[layer].heads[position, head])
        key = NodeKey(NodeKind.HEAD, layer, position, head)
        assert found["flow"][key] == pytest.approx(by_hand, abs=1e-5)
    own, away = (float(trace.blocks[1].post[5, 7]) for trace in (flow.trace, second))
    by_hand = (own - away) * float(flow.blocks[1].neurons[5, 7])
    assert found["flow"][NodeKey(NodeKind.NEURON, 1, 5, 7)] == pytest.approx(by_hand, abs=1e-5)
    token = NodeKey(NodeKind.EMBED, 0, 4)
    by_hand = float((flow.trace.embed[4] - second.embed[4]) @ flow.blocks[0].r_pre[4])
    assert found["flow"][token] == pytest.approx(by_hand, abs=1e-5)


@pytest.mark.parametrize("score", ["flow", "blend", "gradient", "direct"])
def test_a_prompt_in_its_own_place_changes_nothing(score: str) -> None:
    parts = scored("gpt2")
    itself = baselines.resample(parts.flow.trace, parts.flow.positions, "itself")
    values = foreseen(parts, itself)[score]
    assert max(float(values.heads.abs().max()), float(values.neurons.abs().max())) == 0
    zero = foreseen(parts, baselines.zero(parts.flow.model))[score]
    assert float(zero.heads.abs().max()) > 0.01


def test_gradient_foresees_a_small_step_exactly() -> None:
    """A replacement by what is almost the same: the gradient is the derivative of the pass."""
    parts = scored("gpt2")
    near = baselines.resample(parts.flow.trace, parts.flow.positions, "near")
    neurons = list(near.neurons)
    neurons[1] = neurons[1] + 1e-2
    near = Baseline(near.kind, near.words, near.embed, near.pos_embed, near.heads, tuple(neurons))
    key = NodeKey(NodeKind.NEURON, 1, 14, 3)
    said = foreseen(parts, near)["gradient"][key]
    run = Passes(parts.flow, near)
    (logits,) = run.logits([Places.of(parts.flow.model, parts.flow.positions, [key])])
    assert said == pytest.approx(run.whole - run.measure(logits), rel=0.05, abs=2e-5)


def test_the_set_that_is_found_recovers_the_share_and_its_weakest_cannot_go() -> None:
    parts = scored("gpt2")
    run = Passes(parts.flow, baselines.zero(parts.flow.model))
    model, positions = parts.flow.model, parts.flow.positions
    found = smallest(run, parts.flow.values, 0.5)
    assert found.kept.recovered >= 0.5
    assert found.kept.size == len(found.nodes) < len(run.every) // 10
    assert found.weakest in found.nodes
    assert found.without_weakest is not None
    assert found.without_weakest.recovered < 0.5
    places = Places.of(model, positions, found.nodes)
    for key in found.nodes:
        (fewer,) = run.keep([places & ~Places.of(model, positions, [key])])
        assert fewer.recovered <= found.without_weakest.recovered + 1e-4


def test_all_components_recover_everything_that_is_asked() -> None:
    parts = scored("gpt2")
    run = Passes(parts.flow, baselines.zero(parts.flow.model))
    against = parts.flow.values.each(torch.neg)  # the worst order that there is
    found = smallest(run, against, 1.0)
    assert found.kept.recovered >= 1 - 1e-4 or found.kept.size == len(run.every)
    with pytest.raises(RequestError, match="above 0"):
        smallest(run, parts.flow.values, 1.5)


def test_sizes_lie_strictly_between_and_close_in() -> None:
    assert _between(0, 1) == []
    assert _between(4, 6) == [5]
    sizes = _between(0, 40_000)
    assert sizes == sorted(set(sizes))
    assert sizes[0] == 1
    assert 20_000 in sizes
    assert sizes[-1] < 40_000
    assert len(sizes) <= 21
