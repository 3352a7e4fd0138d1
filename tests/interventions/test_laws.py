"""Every intervention on every architecture: the changed pass still splits without loss."""

from __future__ import annotations

import pytest
import torch

from flowviz.causal import baselines
from flowviz.causal.recovered import Passes
from flowviz.checks import law_errors
from flowviz.flow import FlowTarget
from flowviz.graph.build import build_graph
from flowviz.graph.scored import Scored
from flowviz.graph.types import BIAS_NAMES, NodeKey, NodeKind
from flowviz.interventions.types import Intervention
from flowviz.request import GraphSettings, Wiring
from flowviz.scores import gradient_scores
from flowviz.trace import record
from tests.architectures import ARCHITECTURES
from tests.interventions.passes import IDS, TARGET, changed, changed_flow, every_kind
from tests.models import random_model

TOLERANCE = 1e-4
DIFFERENT = (  # one for each way in which blocks differ
    "gpt2", "llama", "gpt_neox", "falcon", "opt_350m", "gpt1", "bloom", "gemma2", "olmo2", "qwen3",
    "granite", "mixtral", "gpt_oss", "flex_olmo",
)  # fmt: skip


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_laws_hold_with_all_interventions_at_once(architecture: str) -> None:
    model = random_model(architecture)
    flow = changed_flow(model, ";".join(every_kind(model)))
    errors = vars(law_errors(flow))
    assert max(errors.values()) < TOLERANCE, errors
    clean = record(model, list(IDS)).logits
    assert (flow.trace.logits - clean).abs().max() > 1e-2


@pytest.mark.parametrize("architecture", DIFFERENT)
def test_laws_hold_with_each_intervention_alone(architecture: str) -> None:
    model = random_model(architecture)
    clean = record(model, list(IDS)).logits
    silent = []
    for text in every_kind(model):
        flow = changed_flow(model, text)
        errors = vars(law_errors(flow))
        assert max(errors.values()) < TOLERANCE, (text, errors)
        if (flow.trace.logits - clean).abs().max() < 1e-6:
            silent.append(text)
    # a neuron may be off, and a scaled state means nothing to a norm behind it
    assert all(text.startswith(("neuron", "head:0:5", "resid_final")) for text in silent)
    assert len(silent) <= 5


@pytest.mark.parametrize("wiring", Wiring)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_graphs_of_changed_passes_close_with_their_rest(architecture: str, wiring: Wiring) -> None:
    model = random_model(architecture)
    scored = Scored(changed_flow(model, ";".join(every_kind(model))))
    graph = build_graph(scored, GraphSettings(wiring=wiring, budget=80))
    assert graph.checks.exact
    into = {node.key: 0.0 for node in graph.nodes}
    for edge in graph.edges:
        into[edge.target] += edge.flow
    read = {edge.target for edge in graph.edges}
    for node in graph.nodes:
        if node.key in read:
            assert into[node.key] == pytest.approx(node.flow, abs=TOLERANCE * scored.flow.scale)


@pytest.mark.parametrize("architecture", ["gpt2", "gpt_neox", "gemma2", "opt_350m", "mixtral"])
def test_a_factor_of_one_changes_nothing(architecture: str) -> None:
    model = random_model(architecture)
    kinds = [text.rpartition("=")[0] + "=1" for text in every_kind(model)]
    trace, clean = changed(model, ";".join(kinds)), record(model, list(IDS))
    torch.testing.assert_close(trace.logits, clean.logits, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "architecture", ["gpt2", "llama", "gpt_neox", "gemma2", "opt_350m", "gpt1"]
)
def test_what_is_put_in_is_a_source(architecture: str) -> None:
    model = random_model(architecture)
    flow = changed_flow(model, "head:0:2:1=donor;neuron:1:3:4=mean;resid_pre:1:2=donor")
    values = flow.values
    for name, key in (
        ("set_heads", NodeKey(NodeKind.HEAD, 0, 2, 1)),
        ("set_post", NodeKey(NodeKind.RESID_PRE, 1, 2)),
    ):
        source = NodeKey(NodeKind.BIAS, 0, 2, BIAS_NAMES.index(name))
        assert values[source] == pytest.approx(values[key], abs=1e-5 * flow.scale)
    # what lies below a state that was replaced reaches the target by other positions alone
    assert values.heads[0, 2].abs().sum() == 0


@pytest.mark.parametrize(
    "architecture", ["gpt2", "llama", "gpt_neox", "gemma2", "bloom", "granite"]
)
@pytest.mark.parametrize("place", ["head:1:4:1", "resid_pre:1:3", "resid_pre:0:2", "embed:0:1"])
def test_the_gradient_sees_the_changed_pass(architecture: str, place: str) -> None:
    """A factor's derivative is the gradient score over the factor; by a central difference."""
    model, step, factor = random_model(architecture), 1e-2, 1.5
    others = "head:0:*:0=0.5;neuron:0:3:4=2;resid_pre:1:1=donor;"
    kind = Intervention.parse(f"{place}=1").sites[0].key
    found = gradient_scores(changed_flow(model, f"{others}{place}={factor}"))[kind] / factor
    low, high = (
        changed_flow(model, f"{others}{place}={factor + side}").value for side in (-step, step)
    )
    assert found == pytest.approx((high - low) / (2 * step), rel=2e-2, abs=2e-3)


@pytest.mark.parametrize("architecture", ["gpt2", "gpt_neox", "gemma2", "opt_350m", "mixtral"])
def test_a_changed_pass_is_held_against_itself(architecture: str) -> None:
    model = random_model(architecture)
    flow = changed_flow(model, ";".join(every_kind(model)), FlowTarget(4, TARGET.token))
    passes = Passes(flow, baselines.zero(model))
    assert passes.whole == pytest.approx(flow.value, abs=1e-4 * flow.scale)
    full, empty = passes.keep([passes.every, ~passes.every])
    assert (full.recovered, empty.recovered) == pytest.approx((1.0, 0.0), abs=1e-3)
