"""Norms against a sum written out from the weights, by family; and who reads whom across texts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import flowviz
from flowviz.attention.kinds import Part
from flowviz.attention.why_request import NeuronRequest
from flowviz.encoders.loaded import LoadedEncoder
from flowviz.encoders.neurons import encoder_neurons
from flowviz.encoders.read import inputs, read_text
from tests.encoders.models import random_encoder
from tests.test_devices import DeviceNamed

HALF = 2**-11
PROMPT, WRITTEN = "the cat sat on a mat", "she said that it"
HEADS = 4


def plain(model: LoadedEncoder) -> Any:
    text = read_text(model, PROMPT, WRITTEN if len(model.parts) > 1 else "", ())
    with torch.inference_mode():
        return model.weights(**inputs(model, text), output_hidden_states=True)


def by_hand(
    state: Tensor, value: Any, output: Any, pattern: np.ndarray, normed: Callable = lambda x: x
) -> np.ndarray:
    """‖A_ij v_j W_O‖ of each head, a loop over sources and heads."""
    v = normed(state) @ value.weight.T
    v = v if value.bias is None else v + value.bias
    d = v.shape[-1] // HEADS
    norms = np.zeros(pattern.shape)
    for head in range(HEADS):
        part = slice(head * d, (head + 1) * d)
        for j in range(len(v)):
            written = output.weight[:, part] @ v[j, part]
            norms[head, :, j] = pattern[head, :, j] * float(written.norm())
    return norms


def compare(maps: Any, layer: int, expected: np.ndarray) -> None:
    assert maps.totals is not None
    np.testing.assert_allclose(maps.totals[layer], expected.sum(-1), rtol=2 * HALF)
    cells = maps.weights[layer] * maps.totals[layer][..., None]
    np.testing.assert_allclose(cells, expected, rtol=3 * HALF, atol=1e-5)
    np.testing.assert_allclose(
        maps.weights[layer].sum(-1, dtype=float), 1, atol=len(expected[0]) * HALF
    )


def both(name: str, part: str | None = None) -> tuple[LoadedEncoder, Any, Any]:
    model = random_encoder(name)
    more = {"part": part, "second": WRITTEN} if part else {}
    norms = flowviz.attention_maps(PROMPT, model, weighting="norm", **more)
    return model, norms, flowviz.attention_maps(PROMPT, model, **more)


def test_bert() -> None:
    model, norms, patterns = both("bert")
    states = plain(model).hidden_states
    for layer, block in enumerate(model.weights.bert.encoder.layer):
        value, output = block.attention.self.value, block.attention.output.dense
        compare(norms, layer, by_hand(states[layer][0], value, output, patterns.weights[layer]))
    np.testing.assert_array_equal(norms.kinds.mass, patterns.kinds.mass)


def test_distilbert() -> None:
    model, norms, patterns = both("distilbert")
    states = plain(model).hidden_states
    block = model.weights.distilbert.transformer.layer[1].attention
    compare(norms, 1, by_hand(states[1][0], block.v_lin, block.out_lin, patterns.weights[1]))


def test_albert_whose_layers_share_their_weights() -> None:
    model, norms, patterns = both("albert")
    states = plain(model).hidden_states
    block = model.weights.albert.encoder.albert_layer_groups[0].albert_layers[0].attention
    for layer in range(3):
        expected = by_hand(states[layer][0], block.value, block.dense, patterns.weights[layer])
        compare(norms, layer, expected)
    assert np.abs(patterns.weights[0].astype(float) - patterns.weights[1]).max() > 0.01


def test_t5_in_its_encoder() -> None:
    model, norms, patterns = both("t5", "encoder")
    states = plain(model).encoder_hidden_states
    block = model.weights.encoder.block[2].layer[0]
    attention = block.SelfAttention
    expected = by_hand(
        states[2][0], attention.v, attention.o, patterns.weights[2], block.layer_norm
    )
    compare(norms, 2, expected)


@pytest.mark.parametrize("name", ["bart", "marian", "pegasus"])
def test_across_two_texts_the_values_are_the_encoders(name: str) -> None:
    model, norms, patterns = both(name, "cross")
    state = plain(model).encoder_last_hidden_state[0]
    attention = model.weights.model.decoder.layers[1].encoder_attn
    expected = by_hand(state, attention.v_proj, attention.out_proj, patterns.weights[1])
    compare(norms, 1, expected)


@pytest.mark.parametrize("name", ["t5", "bart", "marian"])
def test_each_part_has_its_own_columns(name: str) -> None:
    model = random_encoder(name)
    found = {
        part: flowviz.attention_maps(PROMPT, model, part=part, second=WRITTEN) for part in Part
    }
    read, written = len(found[Part.ENCODER].queries), len(found[Part.DECODER].queries)
    assert read != written
    assert found[Part.ENCODER].weights.shape == (3, HEADS, read, read)
    assert found[Part.DECODER].weights.shape == (2, HEADS, written, written)
    assert found[Part.CROSS].weights.shape == (2, HEADS, written, read)
    assert found[Part.CROSS].sources == found[Part.ENCODER].queries
    assert found[Part.CROSS].queries == found[Part.DECODER].queries
    assert not np.triu(found[Part.DECODER].weights[0, 0], 1).any()
    for part, maps in found.items():
        assert (maps.part, maps.parts) == (part, model.parts)
        assert maps.model is not None
        assert (maps.model.layers, maps.model.heads) == maps.weights.shape[:2]
        np.testing.assert_allclose(maps.weights.sum(-1, dtype=float), 1, atol=read * HALF)
    assert flowviz.attention_maps(PROMPT, model).part is Part.ENCODER
    assert found[Part.ENCODER].readings == ()
    assert [len(each) for each in found[Part.CROSS].readings] == [10] * written


@pytest.mark.parametrize("name", ["bert", "t5"])
def test_they_are_made_where_weights_are_on_a_device(name: str) -> None:
    model = random_encoder(name)
    with DeviceNamed():
        for weighting in ("pattern", "norm"):
            flowviz.attention_maps(PROMPT, model, weighting=weighting, part=model.parts[-1])
        encoder_neurons(model, NeuronRequest(PROMPT, "x", 1, 2))


def test_maps_read_back_equal_as_json() -> None:
    found = flowviz.attention_maps(PROMPT, random_encoder("bart"), part="cross", mask=[2])
    back = flowviz.read_attention(found.to_json())
    assert (back.queries, back.sources, back.part) == (found.queries, found.sources, found.part)
    assert back.readings == found.readings
    np.testing.assert_array_equal(back.weights, found.weights)


def hooks_of(model: LoadedEncoder) -> list[tuple[int, int]]:
    modules = model.weights.modules()
    return [(len(each._forward_hooks), len(each._forward_pre_hooks)) for each in modules]


def test_nothing_is_left_on_the_model() -> None:
    model = random_encoder("bert")
    before = {name: value.clone() for name, value in model.weights.state_dict().items()}
    hooks = hooks_of(model)
    flowviz.attention_maps(PROMPT, model, weighting="norm", mask=[2])
    for name, value in model.weights.state_dict().items():
        torch.testing.assert_close(value, before[name], rtol=0, atol=0)
    assert hooks_of(model) == hooks
    assert all(not weight.requires_grad for weight in model.weights.parameters())
    assert not model.weights.training
