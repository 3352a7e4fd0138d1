"""The flow against its laws, and against an independent computation by autograd."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from torch import Tensor

from flowviz.checks import law_errors
from flowviz.flow import FlowTarget, flow_of
from flowviz.graph.types import BIAS_NAMES
from flowviz.influence import influence_of
from flowviz.models.loaded import LoadedModel
from flowviz.trace import record, trace_bytes
from tests.architectures import ARCHITECTURES as ALL
from tests.flows import IDS, TARGET, scored
from tests.models import random_model

ARCHITECTURES = ("gpt2", "llama")
TOLERANCE = 1e-4


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_flow_of_embeddings_and_biases_is_the_models_own_logit_difference(architecture):
    flow = scored(architecture).flow
    values = flow.values
    logits = flow.trace.logits[TARGET.position]
    wanted = float(logits[TARGET.token] - logits[TARGET.contrast])
    got = float(values.embed.sum() + values.pos_embed.sum() + values.biases.sum())
    assert got == pytest.approx(wanted, rel=TOLERANCE)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("target", [FlowTarget(14, 7, 9), FlowTarget(16, 3), FlowTarget(0, 5)])
def test_all_laws_hold(architecture, target):
    errors = law_errors(scored(architecture, target).flow)
    assert max(vars(errors).values()) < TOLERANCE


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # a smaller model would say no more
)
@given(
    architecture=st.sampled_from(sorted(ALL)),
    layers=st.integers(1, 4),
    heads=st.sampled_from([2, 4, 6]),
    d_head=st.sampled_from([8, 16]),  # a quarter of them is rotated in StableLM: an even number
    neurons=st.integers(5, 60),
    ids=st.lists(st.integers(0, 299), min_size=1, max_size=24),
    seed=st.integers(0, 3),
    data=st.data(),
)
def test_laws_hold_on_random_configurations(
    architecture, layers, heads, d_head, neurons, ids, seed, data
):
    assume(architecture != "codegen" or heads == 4)  # it splits its heads over four
    sizes = {"layers": layers, "heads": heads, "d_head": d_head, "neurons": neurons}
    # In float32 a target that happens to be near zero would be off by more than this share of it.
    model = random_model(architecture, seed, "float64", **sizes)
    position = data.draw(st.integers(0, len(ids) - 1))
    token, contrast = data.draw(st.lists(st.integers(0, 299), min_size=2, max_size=2, unique=True))
    target = FlowTarget(position, token, data.draw(st.sampled_from([None, contrast])))
    errors = law_errors(flow_of(model, record(model, ids), target))
    assert max(vars(errors).values()) < TOLERANCE


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_flow_gradient_is_autograds_with_scales_patterns_and_gates_detached(architecture):
    flow = scored(architecture).flow
    expected = _frozen_gradients(flow.model, TARGET)
    for layer, block in enumerate(flow.blocks):
        for name, got in (("hook_in", block.r_pre), ("ln2.hook_in", block.r_mid)):
            wanted = expected[f"blocks.{layer}.{name}"][: flow.positions]
            torch.testing.assert_close(got, wanted, rtol=1e-4, atol=1e-6)


def _frozen_gradients(model: LoadedModel, target: FlowTarget) -> dict[str, Tensor]:
    kept: dict[str, Tensor] = {}
    before: dict[str, Tensor] = {}

    def detach(value: Tensor, hook: Any) -> Tensor:
        return value.detach()

    def gate_input(value: Tensor, hook: Any) -> Tensor:
        before[hook.name] = value
        return value

    def gated_output(value: Tensor, hook: Any) -> Tensor:
        linear = before[hook.name.replace("out.hook_in", "in.hook_out")]
        return linear * (value / linear).detach()

    def leaf(value: Tensor, hook: Any) -> Tensor:
        return value.detach().requires_grad_()

    def keep(name: str) -> Any:
        def hook(value: Tensor, hook: Any) -> Tensor:
            kept[name] = value
            return value

        return hook

    hooks: list[tuple[str, Any]] = [("hook_embed", leaf), ("ln_final.hook_scale", detach)]
    for layer, block in enumerate(model.blocks):
        at = f"blocks.{layer}."
        hooks += [(at + n, keep(at + n)) for n in ("hook_in", "ln2.hook_in")]
        frozen = ["ln1.hook_scale", "ln2.hook_scale", "attn.hook_pattern"]
        if block.mlp.gated:
            frozen.append("mlp.hook_pre")
        else:
            hooks += [(at + "mlp.in.hook_out", gate_input), (at + "mlp.out.hook_in", gated_output)]
        hooks += [(at + name, detach) for name in frozen]
        if block.mlp.gated:  # act(g) is detached with g, and u keeps its own gradient
            continue
    with torch.enable_grad():
        logits = model.bridge.run_with_hooks(torch.tensor([list(IDS)]), fwd_hooks=hooks)[0]
        aim = logits[target.position, target.token] - logits[target.position, target.contrast]
        found = torch.autograd.grad(aim, list(kept.values()))
    return {name: gradient[0] for name, gradient in zip(kept, found, strict=True)}


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_influence_is_shared_out_without_loss_at_every_cut(architecture):
    influence = influence_of(scored(architecture).flow)
    for layer in range(influence.layers):
        cut = influence.resid_pre[layer].sum() + influence.biases[:, layer:].sum()
        assert float(cut) == pytest.approx(1.0, abs=1e-5)
    bottom = influence.embed.sum() + influence.pos_embed.sum() + influence.biases.sum()
    assert float(bottom) == pytest.approx(1.0, abs=1e-5)


def test_every_bias_of_gpt2_carries_flow():
    values = scored("gpt2").flow.values
    silent = [name for name, row in zip(BIAS_NAMES, values.biases, strict=True) if not row.any()]
    none_of_gpt2 = ["b_U", "ln_embed", "ln1_post", "ln2_post"]
    put_in = ["set_heads", "set_neurons", "set_first", "set_mid", "set_post"]
    assert silent == none_of_gpt2 + put_in


def test_a_broken_weight_is_told_by_the_checks():
    flow = scored("gpt2").flow
    mlp = flow.model.blocks[1].mlp
    whole = mlp.W_out[0, 5].clone()
    try:
        with torch.no_grad():
            mlp.W_out[0, 5] += 0.5
        broken = flow_of(flow.model, flow.trace, TARGET)
        assert law_errors(broken).block > TOLERANCE
    finally:
        with torch.no_grad():
            mlp.W_out[0, 5] = whole


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_trace_is_as_large_as_stated(architecture):
    model = random_model(architecture)
    trace = record(model, list(IDS))
    assert 0.8 * trace_bytes(model, len(IDS)) <= trace.bytes <= trace_bytes(model, len(IDS))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_positions_behind_the_target_change_nothing(architecture):
    model = random_model(architecture)
    short = flow_of(model, record(model, list(IDS[:15])), TARGET)
    torch.testing.assert_close(short.values.heads, scored(architecture).flow.values.heads)
