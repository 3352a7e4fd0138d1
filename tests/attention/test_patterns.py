"""Maps of attention, against Hugging Face's own, against hand computations, and by their laws."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

from flowviz.attention.patterns import find_over, kinds_of, maps_bytes, maps_of, value_norms
from flowviz.attention.types import ROWS, Weighting
from flowviz.errors import RequestError
from flowviz.flow import Flow, FlowTarget, flow_of
from flowviz.graph.scored import Scored
from flowviz.models.loading import load_model
from flowviz.trace import record
from tests.flows import IDS, TARGET, scored
from tests.models import random_model, save_model
from tests.test_devices import DeviceNamed

HALF = 2**-11  # what float16 rounds by
EAGER = ("gpt2", "llama", "gpt_neox", "gemma2", "bloom", "mistral", "gpt_oss")
FLOWS = ("gpt2", "llama", "gpt_j", "gemma2", "bloom", "opt_350m", "gpt_oss", "qwen3_moe")


@pytest.mark.parametrize("name", EAGER)
def test_patterns_are_those_of_hugging_faces_eager_attention(name: str, tmp_path: Path) -> None:
    folder = save_model(name, tmp_path / name)
    own = AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager")
    with torch.inference_mode():
        expected = own(torch.tensor([IDS]), output_attentions=True).attentions
    model = load_model(str(folder))
    flow = flow_of(model, record(model, list(IDS)), TARGET)
    maps = maps_of(Scored(flow))
    found = np.stack([layer[0].numpy() for layer in expected])
    assert maps.weights.shape == found.shape == (3, 4, len(IDS), len(IDS))
    assert found.max() > 0.2
    np.testing.assert_allclose(maps.weights, found, rtol=HALF, atol=1e-5)
    assert (maps.unit, maps.totals, maps.notes) == (1.0, None, ())


def test_a_map_says_what_it_is_of() -> None:
    flow = scored("gpt2").flow
    maps = maps_of(scored("gpt2"))
    assert [token.id for token in maps.tokens] == list(IDS)
    assert maps.model == flow.model.shape
    assert maps.target is not None
    assert (maps.target.position, maps.target.value) == (TARGET.position, flow.value)
    assert len(maps.predictions) == 10
    assert maps.checks is not None
    assert maps.checks.exact
    assert maps.bytes >= 3 * 4 * len(IDS) ** 2 * 2
    assert maps_bytes(flow.model.shape, len(IDS)) >= maps.weights.nbytes


@pytest.mark.parametrize("name", ["gpt2", "llama", "gemma2"])
def test_norms_are_those_of_each_weighted_value_written_out_by_hand(name: str) -> None:
    flow = scored(name).flow
    maps = maps_of(scored(name), Weighting.NORM)
    assert maps.totals is not None
    for layer, (block, part) in enumerate(zip(flow.model.blocks, flow.trace.blocks, strict=True)):
        for head in range(4):
            value = part.v[:, head // block.attention.queries_per_value]
            for query in (0, 1, 9, len(IDS) - 1):
                vectors = [
                    part.pattern[head, query, source] * (value[source] @ block.attention.W_O[head])
                    for source in range(len(IDS))
                ]
                norms = torch.stack([vector.norm() for vector in vectors])
                found = maps.row(layer, head, query) * maps.totals[layer, head, query]
                np.testing.assert_allclose(found, norms.numpy(), rtol=2 * HALF, atol=1e-6)
    np.testing.assert_allclose(maps.weights.sum(-1, dtype=np.float64), 1, atol=len(IDS) * HALF)


def test_a_head_without_values_has_no_norms_and_divides_by_nothing() -> None:
    flow = scored("gpt2").flow
    silent = replace(flow.trace.blocks[1], v=torch.zeros_like(flow.trace.blocks[1].v))
    blocks = (flow.trace.blocks[0], silent, *flow.trace.blocks[2:])
    trace = replace(flow.trace, blocks=blocks)
    maps = maps_of(Scored(replace(flow, trace=trace)), Weighting.NORM)
    assert maps.totals is not None
    assert maps.totals[1].max() == maps.weights[1].max() == 0
    assert maps.weights[0].max() > 0
    assert float(value_norms(flow.model, trace, 1).max()) == 0


@pytest.mark.parametrize("name", FLOWS)
def test_the_flow_by_source_and_the_biases_sum_to_the_heads_flow(name: str) -> None:
    flow = scored(name).flow
    maps = maps_of(scored(name), Weighting.FLOW)
    p = flow.positions
    for layer, part in enumerate(flow.trace.blocks):
        rows = maps.weights[layer, :, :p].astype(np.float64).sum(-1) * maps.unit
        attended = part.pattern[:, :p, :p].sum(-1)
        biases = flow.head_constants(layer).sum(0).T * attended
        expected = flow.values.heads[layer].T - biases
        np.testing.assert_allclose(rows, expected, atol=flow.scale * 1e-4 + maps.unit * p * HALF)
    assert np.abs(maps.weights).max() == 1
    assert maps.weights.min() < 0


def test_behind_the_target_nothing_flows() -> None:
    maps = maps_of(scored("gpt2", FlowTarget(position=6, token=7)), Weighting.FLOW)
    assert not maps.weights[:, :, 7:].any()
    assert not maps.weights[..., 7:].any()
    assert maps.weights[:, :, 6].any()


def test_a_flow_that_breaks_a_law_is_not_shown_and_the_patterns_are() -> None:
    flow = scored("gpt2").flow
    lost = replace(flow.trace.blocks[1], z=flow.trace.blocks[1].z * 2)
    trace = replace(flow.trace, blocks=(flow.trace.blocks[0], lost, *flow.trace.blocks[2:]))
    broken = Scored(replace(flow, trace=trace))
    maps = maps_of(broken, Weighting.FLOW)
    assert maps.checks is not None
    assert not maps.checks.exact
    assert not maps.weights.any()
    assert "not exact" in maps.notes[0]
    np.testing.assert_array_equal(maps_of(broken).weights, maps_of(scored("gpt2")).weights)


def test_a_block_that_cannot_be_read_is_named() -> None:
    flow = scored("gpt2").flow
    unread = replace(flow.trace.blocks[2], pattern=torch.zeros_like(flow.trace.blocks[2].pattern))
    trace = replace(flow.trace, blocks=(*flow.trace.blocks[:2], unread))
    assert maps_of(Scored(replace(flow, trace=trace))).notes == (
        "Block 2 cannot be read: no attention is shown there.",
    )


def test_the_kinds_do_not_depend_on_the_weighting_nor_on_half_precision() -> None:
    expected = kinds_of(scored("llama").flow.trace)
    for weighting in Weighting:
        found = maps_of(scored("llama"), weighting).kinds
        np.testing.assert_array_equal(found.mass, expected.mass)
    assert expected.mass.shape == (len(ROWS), 3, 4)


def test_a_set_weighs_each_prompt_by_its_places() -> None:
    model = random_model("gpt2")
    prompts = ["the cat sat", "Mary and John went to the store and John and Mary sat on the mat"]
    found = find_over(model, prompts)
    singles = [kinds_of(record(model, model.vocabulary.encode(p, None))) for p in prompts]
    assert (found.prompts, found.model) == (2, model.shape)
    for kind in ("previous", "induction"):
        places = [each.queries_of(kind) for each in singles]
        assert found.kinds.queries_of(kind) == sum(places)
        weighed = sum(
            n * np.nan_to_num(s.scores(kind)) for n, s in zip(places, singles, strict=True)
        )
        np.testing.assert_allclose(found.kinds.scores(kind), weighed / sum(places))


def test_a_set_tells_its_progress_and_which_prompt_cannot_be_read() -> None:
    model, told = random_model("gpt2"), []
    find_over(model, ["the cat", "the mat"], lambda stage, _: told.append(stage))
    assert told[:2] == ["Prompt 1 of 2", "Prompt 2 of 2"]
    with pytest.raises(RequestError, match="Prompt 2"):
        find_over(model, ["the cat", ""])
    with pytest.raises(RequestError, match="no prompts"):
        find_over(model, [])


def test_maps_are_made_where_weights_are_on_a_device() -> None:
    flow: Flow = scored("llama").flow
    with DeviceNamed():
        for weighting in Weighting:
            maps_of(Scored(flow), weighting)
