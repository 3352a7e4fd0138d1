"""Replaced parts: against single passes with hooks in a plain loop, and by what must come out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from flowviz.causal import baselines
from flowviz.causal.baselines import Baseline
from flowviz.causal.passes import logits_without
from flowviz.causal.places import Places
from flowviz.errors import RequestError
from flowviz.graph.types import NodeKey, NodeKind
from flowviz.models.loaded import LoadedModel
from flowviz.trace import record
from tests.architectures import ARCHITECTURES
from tests.models import random_model

IDS = tuple(range(3, 12))
OTHER = tuple(range(20, 29))
HEADS_AND_NEURONS = (
    NodeKey(NodeKind.HEAD, 0, 7, 1),
    NodeKey(NodeKind.HEAD, 1, 8, 0),
    NodeKey(NodeKind.NEURON, 0, 8, 5),
    NodeKey(NodeKind.NEURON, 1, 7, 0),
)


def one_by_one(model: LoadedModel, edits: dict[str, Callable[[Tensor], None]]) -> Tensor:
    """The last logits of one pass, with what some hooks show changed in place."""
    kept: dict[str, Tensor] = {}

    def edited(change: Callable[[Tensor], None]) -> Callable[..., Tensor]:
        def hook(value: Tensor, hook: Any = None) -> Tensor:
            value = value.clone()
            change(value if value.dim() > 2 else value[None])
            return value

        return hook

    def keep(value: Tensor, hook: Any = None) -> Tensor:
        kept["logits"] = value[0, -1] * model.logit_scale
        return value

    hooks = [(name, edited(change)) for name, change in edits.items()]
    with torch.inference_mode():
        hooks.append(("unembed.hook_out", keep))
        model.bridge.run_with_hooks(torch.tensor([IDS]), fwd_hooks=hooks, prepend_bos=False)
    return kept["logits"]


def change_of(key: NodeKey, baseline: Baseline) -> Callable[[Tensor], None]:
    values = baseline.heads if key.kind is NodeKind.HEAD else baseline.neurons
    row = values[key.layer]
    by = row[key.position if len(row) > 1 else 0, key.index]

    def change(shown: Tensor) -> None:
        shown[0, key.position, key.index] = by

    return change


@pytest.mark.parametrize("kind", ["zero", "mean", "resample"])
@pytest.mark.parametrize("architecture", ["gpt2", "opt", "gpt_neox", "gemma2", "bloom", "granite"])
def test_a_batch_is_what_single_passes_give(architecture: str, kind: str) -> None:
    model = random_model(architecture)
    baseline = {
        "zero": lambda: baselines.zero(model),
        "mean": lambda: baselines.mean(model, [list(OTHER), list(IDS[:4])]),
        "resample": lambda: baselines.resample(record(model, list(OTHER)), len(IDS), "another"),
    }[kind]()
    variants = [Places.of(model, len(IDS), [key]) for key in HEADS_AND_NEURONS]
    batch = logits_without(model, IDS, variants, baseline)
    for key, logits in zip(HEADS_AND_NEURONS, batch, strict=True):
        part = "hook_z" if key.kind is NodeKind.HEAD else "hook_post"
        room = "attn" if key.kind is NodeKind.HEAD else "mlp"
        name = f"blocks.{key.layer}.{room}.{part}"
        alone = one_by_one(model, {name: change_of(key, baseline)})
        untouched = one_by_one(model, {})
        torch.testing.assert_close(logits, alone, rtol=1e-4, atol=1e-4)
        assert (alone - untouched).abs().max() > 1e-4


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_nothing_replaced_is_the_model_and_all_replaced_is_the_other_prompt(
    architecture: str,
) -> None:
    model = random_model(architecture)
    own, other = record(model, list(IDS)), record(model, list(OTHER))
    none, every = Places.none(model, len(IDS)), Places.all(model, len(IDS))
    baseline = baselines.resample(other, len(IDS), "the other")
    whole, nothing = logits_without(model, IDS, [none, every], baseline)
    size = float(own.logits.abs().max())
    assert (whole - own.logits[-1]).abs().max() <= 1e-4 * size
    assert (nothing - other.logits[-1]).abs().max() <= 1e-4 * size
    assert (own.logits[-1] - other.logits[-1]).abs().max() > 1e-2 * size


@pytest.mark.parametrize("architecture", ["mixtral", "gpt_oss", "olmoe"])
def test_an_experts_neuron_is_replaced_in_what_its_block_writes(architecture: str) -> None:
    model = random_model(architecture)
    trace = record(model, list(IDS))
    layer = model.shape.layers - 1
    neuron = int(trace.blocks[layer].post[-1].abs().argmax())
    key = NodeKey(NodeKind.NEURON, layer, len(IDS) - 1, neuron)
    places = Places.of(model, len(IDS), [key])
    found = logits_without(model, IDS, [places], baselines.zero(model))[0]
    written = trace.blocks[layer].post[-1, neuron] * model.blocks[layer].mlp.writes(
        torch.tensor([neuron])
    )[0]  # fmt: skip
    block, part = model.blocks[layer], trace.blocks[layer]
    assert part.ln2_post_scale is None
    state = trace.resid_final[-1] - block.onto_stream(block.mlp.post, written, None)
    norm = model.ln_final
    normed = norm.apply(state, norm.scale_of(state))
    assert norm.bias is None
    expected = normed @ model.W_U * model.logit_scale
    expected = expected if model.b_U is None else expected + model.b_U
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    assert (found - trace.logits[-1]).abs().max() > 1e-4


def test_many_variants_are_run_in_several_batches_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    model = random_model("gpt2")
    keys = [NodeKey(NodeKind.NEURON, 0, 8, index) for index in range(7)]
    variants = [Places.of(model, len(IDS), [key]) for key in keys]
    at_once = logits_without(model, IDS, variants, baselines.zero(model))
    monkeypatch.setattr("flowviz.causal.passes.TOKENS_AT_ONCE", 3 * len(IDS))
    told: list[int] = []
    in_turn = logits_without(model, IDS, variants, baselines.zero(model), told.append)
    assert told == [3, 6, 7]
    torch.testing.assert_close(at_once, in_turn, rtol=1e-5, atol=1e-5)


def test_the_mean_is_over_all_positions_of_all_prompts() -> None:
    model = random_model("llama")
    prompts = [list(IDS), list(OTHER[:3])]
    mean = baselines.mean(model, prompts)
    traces = [record(model, ids) for ids in prompts]
    by_hand = torch.cat([trace.blocks[1].post for trace in traces]).mean(0, keepdim=True)
    torch.testing.assert_close(mean.neurons[1], by_hand)
    z = torch.cat([trace.blocks[0].z for trace in traces])
    torch.testing.assert_close(mean.heads[0], z.mean(0, keepdim=True))
    assert mean.words == "the mean over 2 prompts"


def test_a_baseline_that_cannot_be_is_refused() -> None:
    model = random_model("gpt2")
    with pytest.raises(RequestError, match="has 3 tokens; the first 9"):
        baselines.resample(record(model, [1, 2, 3]), 9, "short")
    with pytest.raises(RequestError, match="no prompt"):
        baselines.mean(model, [])
