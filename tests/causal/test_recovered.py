"""Recovered, its controls and curves, and the agreement of scores with measured effects."""

from __future__ import annotations

import math
from functools import cache

import pytest
import torch

from flowviz.causal import baselines
from flowviz.causal.agreement import ablate_each, agreement, spearman
from flowviz.causal.places import COMPONENTS, Places, Ranked
from flowviz.causal.recovered import Passes, _area, curve, recovery
from flowviz.flow import flow_of
from flowviz.graph.types import NodeKey, NodeKind
from flowviz.trace import record
from tests.architectures import ARCHITECTURES
from tests.flows import IDS, TARGET, scored
from tests.models import random_model


@cache
def passes(architecture: str = "gpt2") -> Passes:
    flow = scored(architecture).flow
    return Passes(flow, baselines.zero(flow.model))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("kind", ["zero", "mean"])
def test_the_full_graph_recovers_all_and_the_empty_one_nothing(
    architecture: str, kind: str
) -> None:
    model = random_model(architecture)
    flow = flow_of(model, record(model, list(IDS)), TARGET)
    mean = baselines.mean(model, [list(IDS), [5, 4, 3]])
    run = Passes(flow, baselines.zero(model) if kind == "zero" else mean)
    whole, nothing = run.keep([run.every, Places.none(model, flow.positions)])
    assert whole.recovered == pytest.approx(1, abs=1e-3)
    assert nothing.recovered == pytest.approx(0, abs=1e-3)
    assert run.whole == pytest.approx(flow.value, abs=1e-3 * flow.scale)
    assert whole.divergence < 1e-5
    assert whole.same_first
    assert whole.size == len(run.every)
    assert nothing.size == 0


def test_recovered_is_the_share_between_none_and_all() -> None:
    run = passes()
    half = Ranked(run.flow.values, run.every).first(len(run.every) // 2)
    (kept,) = run.keep([half])
    logits = run.logits([run.every & ~half])[0]
    own = run.flow.trace.logits[TARGET.position].log_softmax(-1)
    other = logits.log_softmax(-1)
    bits = sum(math.exp(p) * (p - q) for p, q in zip(own.tolist(), other.tolist(), strict=True))
    assert kept.target == float(logits[TARGET.token] - logits[TARGET.contrast])
    share = (kept.target - run.nothing) / (run.whole - run.nothing)
    assert kept.recovered == pytest.approx(share)
    assert kept.divergence == pytest.approx(bits / math.log(2), abs=1e-4)
    assert kept.same_first == (int(logits.argmax()) == int(own.argmax()))
    assert kept.size == len(run.every) // 2


def test_controls_have_the_size_and_kinds_of_the_graph_and_are_the_same_each_time() -> None:
    run = passes()
    keys = [
        NodeKey(NodeKind.EMBED, 0, 3), NodeKey(NodeKind.HEAD, 1, 4, 2),
        NodeKey(NodeKind.NEURON, 0, 14, 6), NodeKey(NodeKind.NEURON, 2, 1, 6),
        NodeKey(NodeKind.RESID_PRE, 1, 3), NodeKey(NodeKind.BIAS, 1, 3),
    ]  # fmt: skip
    places = Places.of(run.flow.model, run.flow.positions, keys)
    drawn = places.random_like(run.every, torch.Generator().manual_seed(1))
    assert [drawn.count(kind) for kind in COMPONENTS] == [1, 0, 1, 2]
    assert len(drawn & ~run.every) == 0
    first, again = recovery(run, places), recovery(run, places)
    assert len(first.controls) == 20
    assert first == again
    assert {kept.size for kept in first.controls} == {first.kept.size} == {4}
    assert len({kept.target for kept in first.controls}) > 5


def test_random_sets_stay_where_the_model_has_neurons() -> None:
    model = random_model("qwen3_moe")  # its blocks differ in how many neurons they have
    every = Places.all(model, 4)
    drawn = every.random_like(every, torch.Generator().manual_seed(0))
    assert all(drawn.count(kind) == every.count(kind) for kind in COMPONENTS)
    assert len(every & ~drawn) == 0


def test_the_strongest_come_first() -> None:
    run = passes()
    ranked = Ranked(run.flow.values, run.every)
    one, three = ranked.first(1), ranked.first(3)
    values = [pair for kind in COMPONENTS for pair in run.flow.values.strongest(kind, 5)]
    values.sort(key=lambda pair: -pair[0])
    keys = [key for _, key in values]
    model, positions = run.flow.model, run.flow.positions
    for places, size in ((one, 1), (three, 3)):
        expected = Places.of(model, positions, keys[:size])
        assert len(places) == size == len(places & expected)


def test_curves_end_at_one_and_their_areas_are_of_trapezoids() -> None:
    run = passes()
    found = curve(run, "flow", run.flow.values)
    assert found.points[-1].recovered == pytest.approx(1, abs=1e-3)
    assert [point.size for point in found.points] == sorted({p.size for p in found.points})
    assert _area([0.0, 0.5, 1.0], [0.0, 1.0, 1.0]) == pytest.approx(0.75)
    shares = [0.0, *(point.size / len(run.every) for point in found.points)]
    heights = [0.0, *(point.recovered for point in found.points)]
    assert found.cpr == pytest.approx(torch.trapezoid(torch.tensor(heights), torch.tensor(shares)))


def test_effects_are_of_each_alone_and_agreement_ranks_them() -> None:
    run, parts = passes(), scored("gpt2")
    scores = {"flow": parts.flow.values, "direct": parts.direct}
    found = agreement(run, scores, strongest=5)
    assert 5 <= len(found.effects) <= 10
    sizes = [abs(row.effect) for row in found.effects]
    assert sizes == sorted(sizes, reverse=True)
    top = found.effects[0]
    (effect,) = ablate_each(run, [top.key]).tolist()
    assert top.effect == pytest.approx(effect, abs=1e-4)
    for name, values in scores.items():
        assert top.scores[name] == pytest.approx(values[top.key])
        said = torch.tensor([row.scores[name] for row in found.effects])
        real = torch.tensor([row.effect for row in found.effects])
        assert found.spearman[name] == pytest.approx(spearman(said, real), abs=1e-6)


def test_a_final_neurons_direct_score_is_its_effect_where_the_final_norm_is_frozen() -> None:
    """Without a final norm's change nothing else stands between the last neuron and the logit."""
    run = passes()
    layer, at = run.flow.model.shape.layers - 1, TARGET.position
    post = run.flow.trace.blocks[layer].post[at]
    key = NodeKey(NodeKind.NEURON, layer, at, int(post.abs().argmin()))  # so small that it is
    (effect,) = ablate_each(run, [key]).tolist()
    assert effect == pytest.approx(run.flow.values[key], abs=2e-3 * abs(run.whole))


def test_spearman_by_hand() -> None:
    assert spearman(torch.tensor([1.0, 2, 3]), torch.tensor([10.0, 20, 25])) == pytest.approx(1)
    assert spearman(torch.tensor([1.0, 2, 3]), torch.tensor([3.0, 2, 1])) == pytest.approx(-1)
    tied = spearman(torch.tensor([1.0, 1, 2]), torch.tensor([1.0, 2, 3]))
    assert tied == pytest.approx(math.sqrt(3) / 2)
    assert math.isnan(spearman(torch.tensor([1.0, 1]), torch.tensor([1.0, 2])))
