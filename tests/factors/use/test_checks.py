"""Graphs with opened nodes held against the model: factors are components as all others."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from flowviz.causal import baselines
from flowviz.causal.baselines import Baseline
from flowviz.causal.check import check
from flowviz.causal.parts import OpenedPart
from flowviz.causal.places import Places
from flowviz.causal.recovered import Passes
from flowviz.errors import RequestError
from flowviz.factors.kinds import Method
from flowviz.factors.use.checked import parts_to_check, scores_of_parts
from flowviz.factors.use.places import OpenAt
from flowviz.factors.use.replaced import put_instead
from flowviz.factors.use.split import open_nodes
from flowviz.graph.build import build_graph
from flowviz.graph.opened import Opened
from flowviz.graph.types import NodeKey, NodeKind
from flowviz.request import GraphSettings
from flowviz.trace import record
from tests.factors.use.small import random_dictionary
from tests.factors.use.test_changes import changed, dictionary
from tests.flows import IDS, TARGET, scored

K = NodeKind
OTHER = [7, 3, 4, 9, 21, 2, 5, 6, 8, 4, 3, 2, 10, 11, 12, 13, 14]
STATES = ("resid_pre:1@9", "resid_mid:1@14", "resid_final@14")
OUTPUTS = ("attn_out:1@14", "mlp_out:1@14")


def baseline(architecture: str, kind: str) -> Baseline:
    model = scored(architecture).flow.model
    if kind == "zero":
        return baselines.zero(model)
    if kind == "mean":
        return baselines.mean(model, [list(IDS), OTHER])
    return baselines.resample(record(model, OTHER), TARGET.position + 1, "the other prompt")


def prepared(
    architecture: str, kind: str, *texts: str
) -> tuple[Opened, tuple[OpenedPart, ...], Passes]:
    places, flow = [OpenAt.parse(each) for each in texts], scored(architecture)
    opened = open_nodes(flow, places, lambda _: dictionary(architecture))
    against = baseline(architecture, kind)
    parts = parts_to_check(flow, opened, places, lambda _: dictionary(architecture), against)
    return opened, parts, Passes(flow.flow, against, parts)


@pytest.mark.parametrize("kind", ["zero", "mean", "resample"])
@pytest.mark.parametrize("architecture", ["gpt2", "llama", "mixtral", "opt_350m"])
def test_the_full_graph_recovers_all_and_the_empty_one_nothing(architecture, kind):
    """With factors among its components, too; and the full one is the model to the last bit."""
    texts = STATES if architecture == "opt_350m" else (*STATES[:2], *OUTPUTS)
    _, parts, run = prepared(architecture, kind, *texts)
    model, positions = run.flow.model, run.flow.positions
    whole, nothing = run.keep([run.every, Places.none(model, positions, parts)])
    assert whole.recovered == pytest.approx(1, abs=1e-3)
    assert nothing.recovered == pytest.approx(0, abs=1e-3)
    assert run.whole == pytest.approx(run.flow.value, abs=1e-3 * run.flow.scale)
    assert whole.same_first
    assert run.nothing != pytest.approx(run.whole, abs=1e-3 * run.flow.scale)


@pytest.mark.parametrize(("kind", "how"), [("zero", "0"), ("mean", "mean"), ("resample", "donor")])
@pytest.mark.parametrize("text", ["resid_pre:1@9", "resid_mid:1@9", "attn_out:1@9", "mlp_out:1@9"])
@pytest.mark.parametrize("architecture", ["gpt2", "llama"])
def test_a_check_replaces_parts_as_interventions_do(architecture, text, kind, how):
    opened, parts, run = prepared(architecture, kind, text)
    (node,) = opened.nodes
    error = next(key for key in node.keys if key.kind is K.ERROR)
    for key in (node.keys[0], error):
        places = Places.of(run.flow.model, run.flow.positions, [key], parts)
        (logits,) = run.logits([places])
        asked = changed(architecture, f"{key}={how}", lambda _: run.baseline)
        made = asked.flow.trace.logits[TARGET.position]
        assert torch.allclose(logits, made, atol=1e-4 * float(made.abs().max())), key


def test_a_factor_that_is_not_drawn_is_ablated():
    """Of all components only the strongest factor of the last state is left out."""
    opened, parts, run = prepared("gpt2", "zero", "resid_final@14")
    key = opened.nodes[0].keys[0]
    model, positions = run.flow.model, run.flow.positions
    kept = run.every & ~Places.of(model, positions, [key], parts)
    (found,) = run.keep([kept])
    off = changed("gpt2", f"{key}=0").flow
    assert found.target == pytest.approx(off.value, abs=1e-4 * off.scale)
    assert len(run.every) - len(kept) == 1


def test_random_graphs_have_as_many_factors_drawn_from_the_active_ones():
    opened, parts, run = prepared("gpt2", "zero", "resid_mid:1@14")
    keys = [key for key in opened.nodes[0].keys if key.kind is K.FACTOR][:3]
    kept = Places.of(run.flow.model, run.flow.positions, keys, parts)
    random = kept.random_like(run.likely, torch.Generator().manual_seed(0))
    assert int(random.parts.sum()) == 3
    assert bool((random.parts[0, :-1] & ~parts[0].active).any()) is False


def test_a_verdict_says_what_each_factor_and_error_does():
    flow = scored("gpt2")
    opened, parts, run = prepared("gpt2", "zero", "resid_final@14", "resid_mid:1@14")
    graph = build_graph(flow, GraphSettings(), opened)
    said = scores_of_parts(flow, opened, parts)
    verdict = check(flow, graph, run.baseline, strongest=5, opened=parts, of_parts=said)
    assert verdict.parts is not None
    keys = {effect.key for effect in verdict.parts.effects}
    assert keys == {key for node in opened.nodes for key in node.keys if key.kind is not K.OFFSET}
    drawn = sum(1 for node in graph.nodes if node.key.kind in (K.FACTOR, K.ERROR))
    plain = build_graph(flow, GraphSettings())
    assert verdict.recovery.kept.size >= drawn
    assert list(verdict.parts.spearman) == ["flow", "blend", "gradient", "direct"]
    assert verdict.parts.spearman["flow"] > 0.3
    assert check(flow, plain, run.baseline, strongest=5).parts is None


@pytest.mark.parametrize("architecture", ["gpt2", "llama", "mixtral"])
@pytest.mark.parametrize("text", ["resid_pre:1@9", "resid_mid:1@9", "attn_out:1@9", "mlp_out:1@9"])
def test_the_gradient_of_a_factor_is_how_the_target_moves_with_it(architecture, text):
    opened, parts, _ = prepared(architecture, "zero", text)
    said = scores_of_parts(scored(architecture), opened, parts)["gradient"]
    key = max((abs(value), key) for key, value in said.items())[1]
    more, less = (changed(architecture, f"{key}={scale}").flow for scale in (1.001, 0.999))
    slope = (more.value - less.value) / 0.002
    assert slope == pytest.approx(said[key], rel=1e-2, abs=1e-3 * more.scale)


def test_the_mean_of_a_factor_is_over_the_reference_set():
    _, parts, _ = prepared("gpt2", "mean", "resid_mid:1@14")
    model, found = scored("gpt2").flow.model, dictionary("gpt2")
    rows = [record(model, ids).blocks[1].resid_mid for ids in (list(IDS), OTHER)]
    sparse = found.encode(torch.cat([each for each in rows if each is not None]).numpy())
    wanted = torch.zeros(len(found.atoms))
    for row in range(sparse.rows):
        for factor, amount in zip(*sparse.row(row), strict=True):
            wanted[int(factor)] += float(amount) / sparse.rows
    assert torch.allclose(parts[0].instead, wanted, atol=1e-5)


def test_means_are_kept_with_their_baseline_each_dictionary_s_own():
    model, against = scored("gpt2").flow.model, baseline("gpt2", "mean")
    first, other = dictionary("gpt2"), random_dictionary(scored("gpt2").flow.model, Method.CODING)
    key = NodeKey(K.RESID_MID, 1, 14)
    made = put_instead(model, key, first, against)
    assert put_instead(model, replace(key, position=2), first, against) is made
    for another in (
        put_instead(model, key, other, against),
        put_instead(model, replace(key, kind=K.RESID_PRE), first, against),
        put_instead(model, key, first, baseline("gpt2", "mean")),
    ):
        assert another is not made


def test_a_donor_that_is_too_short_is_refused():
    model = scored("gpt2").flow.model
    short = baselines.resample(record(model, OTHER[:5]), 5, "the other prompt")
    with pytest.raises(RequestError, match="has 5 tokens"):
        changed("gpt2", "factor:resid_mid:1:9:3=donor", lambda _: short)


@pytest.mark.parametrize(
    ("architecture", "text"), [("gpt_j", "mlp_out:1@14"), ("opt_350m", "attn_out:1@14")]
)
def test_what_cannot_be_replaced_alone_is_refused(architecture, text):
    with pytest.raises(RequestError, match="cannot be replaced alone"):
        prepared(architecture, "zero", text)
