"""Queries, keys and the QK circuit, on every architecture and against other ways to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM

from flowviz.attention.queries_keys import (
    PATTERN_TOLERANCE,
    AttentionTrace,
    Reading,
    key_directions,
    query_directions,
    record_attention,
)
from flowviz.models.loaded import LoadedModel
from flowviz.models.loading import load_model
from flowviz.models.parts import Norm, exact
from flowviz.models.scoring import Scoring, Side
from flowviz.trace import Trace, record
from tests.architectures import ARCHITECTURES
from tests.models import random_model, save_model
from tests.test_devices import DeviceNamed

IDS = list(range(3, 15))
NAMES = sorted(ARCHITECTURES)
AT = 9
Recorded = tuple[LoadedModel, Trace, dict[int, AttentionTrace]]


@cache
def recorded(name: str) -> Recorded:
    return attention_of(random_model(name))


def attention_of(model: LoadedModel) -> Recorded:
    trace = record(model, IDS)
    return model, trace, record_attention(model, trace, range(len(model.blocks)))


@pytest.mark.parametrize("name", NAMES)
def test_queries_and_keys_give_the_models_own_pattern(name: str) -> None:
    _, trace, attention = recorded(name)
    assert set(attention) == {0, 1, 2}
    for layer, each in attention.items():
        assert each.exact
        assert each.pattern_error < 1e-5
        ours = torch.stack([each.pattern(head) for head in range(each.heads)])
        torch.testing.assert_close(ours, trace.blocks[layer].pattern, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_scores_are_bilinear_in_what_both_ends_read(name: str) -> None:
    model, trace, attention = recorded(name)
    for layer, each in attention.items():
        heads = torch.arange(each.heads)
        here = torch.full_like(heads, AT)
        for sources in (here, heads * 3 % AT, heads * 2 % AT):
            key_heads = each.key_head(heads)
            queries, keys = each.queries.compared[AT], each.keys.compared[sources, key_heads]
            expected = (queries * keys).sum(-1)

            asked = query_directions(model, layer, each, AT, sources)
            biases = of_biases(model, layer, each.keys).some(sources, key_heads, sources)
            found = read_by(asked, trace, layer, sources) + (queries * biases).sum(-1)
            torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)

            sought = key_directions(model, layer, each, AT, heads, sources)
            biases = of_biases(model, layer, each.queries).some(here, heads, here)
            found = read_by(sought, trace, layer, here) + (keys * biases).sum(-1)
            torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def read_by(
    directions: torch.Tensor, trace: Trace, layer: int, positions: torch.Tensor
) -> torch.Tensor:
    block = trace.blocks[layer]
    return (directions * block.resid_pre[positions] / block.ln1_scale[positions]).sum(-1)


def of_biases(model: LoadedModel, layer: int, reading: Reading) -> Reading:
    """What the biases alone would make, where the stream is zero and the scales as they were."""
    bias = model.blocks[layer].attention.norm.bias
    read = torch.zeros(1, model.shape.d_model) if bias is None else exact(bias)[None]
    return replace(reading, made=reading.side.project(read).expand_as(reading.made))


@pytest.mark.parametrize("name", ["gpt2", "llama", "gpt_neox", "gpt_j", "glm", "falcon_40b"])
def test_before_rotation_is_the_plain_product_with_the_shared_head(name: str) -> None:
    model, _, attention = recorded(name)
    bridge, norm = model.bridge.blocks[1].attn, model.blocks[1].attention.norm
    queries, keys = bridge.W_Q, bridge.W_K
    group = len(queries) // len(keys)
    asked = query_directions(model, 1, attention[1], AT)
    for head in range(len(queries)):
        read = keys[head // group] @ attention[1].q[AT, head]
        torch.testing.assert_close(asked[head], norm.pull(read), rtol=1e-4, atol=1e-5)
        one, source = torch.tensor([head]), torch.tensor([4])
        sought = key_directions(model, 1, attention[1], AT, one, source, rotated=False)
        read = queries[head] @ attention[1].k[4, head // group]
        torch.testing.assert_close(sought[0], norm.pull(read), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["llama", "gpt_neox", "gpt_j", "cohere", "gpt_oss"])
def test_keys_at_their_positions_are_not_compared_with_queries_before_rotation(name: str) -> None:
    model, trace, attention = recorded(name)
    assert attention[0].rotation is not None
    sources = torch.full((attention[0].heads,), 2)
    at_places = query_directions(model, 0, attention[0], AT, sources)
    before = query_directions(model, 0, attention[0], AT)
    assert (at_places - before).norm() > 0.1 * before.norm()
    same = query_directions(model, 0, attention[0], AT, torch.full_like(sources, AT))
    torch.testing.assert_close(same, before, rtol=1e-5, atol=1e-6)
    products = [read_by(each, trace, 0, sources) for each in (at_places, before)]
    assert (products[0] - products[1]).abs().max() > 1e-2


def test_blocks_without_rotary_positions_say_so() -> None:
    assert all(each.rotation is None for each in recorded("gpt2")[2].values())
    assert [each.rotation is None for each in recorded("cohere2")[2].values()] == [
        False,
        True,
        False,
    ]


def transposed(side: Side) -> Side:
    """VISIT's error: the whole projection the wrong way round."""

    def read() -> torch.Tensor:
        weight = side.read()
        whole = weight.transpose(0, 1).flatten(1).T
        return whole.unflatten(1, (weight.shape[0], -1)).transpose(0, 1)

    return replace(side, read=read)


WRONG: dict[str, tuple[str, Callable[[Scoring], dict[str, Any]]]] = {
    "queries transposed": ("gpt2", lambda s: {"queries": transposed(s.queries)}),
    "keys transposed": ("gpt2", lambda s: {"keys": transposed(s.keys)}),
    "rotary, transposed": ("gpt_neox", lambda s: {"queries": transposed(s.queries)}),
    "other pairs": ("llama", lambda s: {"adjacent": True}),
    "halves for pairs": ("glm", lambda s: {"adjacent": False}),
    "unscaled": ("gpt2", lambda s: {"scale": 1.0}),
    "scaled": ("gpt_neo", lambda s: {"scale": 8**-0.5}),
    "no bias": ("opt", lambda s: {"queries": replace(s.queries, bias=None)}),
    "no cap": ("gemma2", lambda s: {"cap": None}),
    "no window": ("mistral", lambda s: {"window": None}),
    "no ALiBi": ("bloom", lambda s: {"bias": None}),
    "no sink": ("gpt_oss", lambda s: {"sinks": None}),
    "no norm on keys": ("qwen3", lambda s: {"keys": replace(s.keys, norm=Norm())}),
    "a norm for each head": ("olmo2", lambda s: {"keys": replace(s.keys, together=False)}),
    "norm before rotation": ("hunyuan", lambda s: {"norm_last": False}),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_read_wrongly_shows_in_the_pattern(what: str) -> None:
    name, changes = WRONG[what]
    model, trace, _ = recorded(name)
    block = model.blocks[0]
    assert block.attention.scoring is not None
    scoring = replace(block.attention.scoring, **changes(block.attention.scoring))
    wrong = replace(block, attention=replace(block.attention, scoring=scoring))
    model = replace(model, blocks=(wrong, *model.blocks[1:]))
    assert record_attention(model, trace, [0])[0].pattern_error > 0.05


ROPE = {"rope_theta": 10000.0, "factor": 4.0, "original_max_position_embeddings": 8}
OTHERS: dict[str, tuple[str, dict[str, Any]]] = {
    "YaRN": ("qwen3", {"rope_parameters": {**ROPE, "rope_type": "yarn"}}),
    "longrope": ("phi3", {"original_max_position_embeddings": 8, "rope_parameters": {
        "rope_type": "longrope", "short_factor": [1.0] * 4, "long_factor": [2.0, 3.0, 4.0, 5.0],
        "rope_theta": 10000.0, "original_max_position_embeddings": 8}}),
    "growing queries": ("ministral3", {"rope_parameters": {
        **ROPE, "rope_type": "yarn", "llama_4_scaling_beta": 0.3, "mscale": 1.0,
        "mscale_all_dim": 1.0}}),
    "scaled by layer": ("gpt2", {"scale_attn_by_inverse_layer_idx": True}),
    "a window that is off": ("qwen2", {"sliding_window": 4}),
    "a window in some blocks": ("exaone4", {"sliding_window": 4}),
    "all dimensions rotated": ("gpt_neox", {"rope_parameters": {
        "rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": 1.0}}),
    "six slopes, BLOOM": ("bloom", {"n_head": 6, "hidden_size": 48}),
    "six slopes, Falcon": ("falcon_rw", {"num_attention_heads": 6, "hidden_size": 48}),
    "six slopes, MPT": ("mpt", {"n_heads": 6, "d_model": 48}),
    "one value head, ALiBi": ("falcon", {"alibi": True}),
}  # fmt: skip


@pytest.mark.parametrize("what", OTHERS)
def test_other_configurations_of_an_architecture(
    what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, more = OTHERS[what]
    base = ARCHITECTURES[name]
    other = replace(base, options=lambda sizes: {**base.options(sizes), **more})
    monkeypatch.setitem(ARCHITECTURES, what, other)
    _, _, attention = attention_of(random_model(what))
    assert all(each.pattern_error < 1e-5 for each in attention.values())


@pytest.mark.parametrize("ids", [[5], [5, 6]], ids=["one token", "two"])
@pytest.mark.parametrize("name", ["gpt2", "llama", "cohere", "gpt_oss", "gpt_neox", "bloom"])
def test_the_shortest_prompts(name: str, ids: list[int]) -> None:
    model = random_model(name)
    for each in record_attention(model, record(model, ids), range(3)).values():
        assert each.pattern_error < 1e-6


def test_rows_of_scores_are_those_of_the_whole() -> None:
    each = recorded("gemma2")[2][0]
    at = torch.tensor([2, AT])
    torch.testing.assert_close(each.scores(1, at), each.scores(1)[at])
    torch.testing.assert_close(each.pattern(1, at), each.pattern(1)[at])
    assert each.scores(1, at)[0, 3:].isneginf().all()  # later than who asks
    assert each.scores(1, at)[1, : AT - 3].isneginf().all()  # outside the window of 4


@pytest.mark.parametrize("name", ["gpt2", "llama", "gpt_oss", "gemma2"])
def test_patterns_are_those_of_hugging_face(name: str, tmp_path: Path) -> None:
    folder = save_model(name, tmp_path)
    theirs = AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager").eval()
    with torch.inference_mode():
        patterns = theirs(torch.tensor([IDS]), output_attentions=True).attentions
    _, _, attention = attention_of(load_model(str(folder)))
    for layer, each in attention.items():
        ours = torch.stack([each.pattern(head) for head in range(each.heads)])
        torch.testing.assert_close(ours, patterns[layer][0], rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", ["mamba", "deepseek_v3"])
def test_what_cannot_be_read_raises_nothing(name: str) -> None:
    model, _, attention = recorded(name)
    for layer, each in attention.items():
        assert not each.pattern_error < 1  # not a number
        assert not each.exact
        assert not each.q.any()
        assert not each.k.any()
        assert not query_directions(model, layer, each, AT).any()
        head = torch.tensor([0])
        assert not key_directions(model, layer, each, AT, head, head).any()
        assert each.scores(0).isnan().all()


def test_what_is_not_understood_says_so() -> None:
    assert recorded("llama4")[2][0].pattern_error > 0.1  # rotates complex numbers of its own


@pytest.mark.parametrize("dtype", ["bfloat16", "int8", "float64"])
@pytest.mark.parametrize("name", ["llama", "gemma3", "gpt_neox"])
def test_in_other_precisions(name: str, dtype: str, tmp_path: Path) -> None:
    model, _, attention = attention_of(load_model(str(save_model(name, tmp_path)), dtype=dtype))
    most = {"bfloat16": 0.05, "int8": 1e-5, "float64": 1e-6}[dtype]  # the model's softmax: float32
    for each in attention.values():
        assert each.pattern_error < most < each.tolerance
        assert each.q.dtype == (torch.float64 if dtype == "float64" else torch.float32)
    assert query_directions(model, 0, attention[0], AT).abs().max() > 0


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
@pytest.mark.parametrize("name", ["llama", "gemma2"])
def test_deep_models_in_half_precision(name: str, dtype: torch.dtype, tmp_path: Path) -> None:
    folder = save_model(name, tmp_path, layers=12, heads=8, d_head=32, neurons=512)
    model = load_model(str(folder), dtype=dtype)
    trace = record(model, [(7 * i * i + 3 * i + 2) % 300 for i in range(40)])
    attention = record_attention(model, trace, range(12))
    worst = max(each.pattern_error for each in attention.values())
    assert 1e-3 < worst < PATTERN_TOLERANCE[dtype]


@pytest.mark.parametrize("name", ["gpt2", "bloom", "gpt_oss", "gpt_j", "ministral3", "mamba"])
def test_every_tensor_that_is_made_names_its_device(name: str) -> None:
    model, trace, _ = recorded(name)
    with DeviceNamed():
        each = record_attention(model, trace, [1])[1]
        heads = torch.arange(each.heads, device="cpu")
        query_directions(model, 1, each, AT, heads)
        key_directions(model, 1, each, AT, heads, heads, rotated=False)
