"""The neuron view and the decay with distance: laws on every architecture, numbers by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from flowviz.attention.neuron_types import Decay
from flowviz.attention.neurons import decay, neuron_view
from flowviz.attention.queries_keys import record_attention
from flowviz.attention.why_request import NeuronRequest
from flowviz.errors import RequestError
from flowviz.models.loading import load_model
from flowviz.trace import record
from tests.architectures import ARCHITECTURES
from tests.models import random_model, save_model

IDS = list(range(3, 15))
NAMES = sorted(ARCHITECTURES)
AT = 9


@pytest.mark.parametrize("name", NAMES)
def test_products_sum_to_the_score_and_the_scores_give_the_pattern(name: str) -> None:
    model = random_model(name)
    trace = record(model, IDS)
    attention = record_attention(model, trace, [1])[1]
    view = neuron_view(model, trace, NeuronRequest("a", name, 1, 3, AT), attention)
    np.testing.assert_allclose(view.product, view.q * view.k, rtol=1e-6)
    products = view.product.sum(1) * view.scale
    scoring = attention.scoring
    assert scoring is not None
    if scoring.cap is None and scoring.bias is None:
        seen = np.isfinite(view.score)
        np.testing.assert_allclose(products[seen], view.score[seen], rtol=1e-4, atol=1e-4)
    unscaled = torch.tensor(view.product.sum(1))[None]
    again = scoring.finish(unscaled, 3, torch.tensor([AT]))[0].numpy()
    if scoring.bias is not None:  # MPT counts its distances from the end of the prompt
        again = again + view.score[0] - again[0]
    np.testing.assert_allclose(again, view.score, rtol=1e-4, atol=1e-4)
    ours = scoring.pattern(torch.tensor(view.score)[None], 3)[0]
    np.testing.assert_allclose(ours, view.pattern, atol=1e-5)
    np.testing.assert_allclose(view.pattern, trace.blocks[1].pattern[3, AT, : AT + 1])
    assert view.rotary == (attention.rotation is not None)


def test_query_and_keys_on_gpt2_are_what_its_weights_make(tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM

    save_model("gpt2", tmp_path, layers=1, heads=2, d_head=3)
    raw = AutoModelForCausalLM.from_pretrained(tmp_path).state_dict()
    model, ids = load_model(str(tmp_path)), [5, 17, 8, 11]
    view = neuron_view(model, record(model, ids), NeuronRequest("a", "m", 0, 1, 2))
    stream = raw["transformer.wte.weight"][ids] + raw["transformer.wpe.weight"][:4]
    norm = (raw["transformer.h.0.ln_1.weight"], raw["transformer.h.0.ln_1.bias"])
    read = torch.nn.functional.layer_norm(stream, (6,), *norm, 1e-5)
    made = read @ raw["transformer.h.0.attn.c_attn.weight"]
    made = made + raw["transformer.h.0.attn.c_attn.bias"]
    np.testing.assert_allclose(view.q, made[2, 3:6], atol=1e-5)
    np.testing.assert_allclose(view.k, made[:3, 9:12], atol=1e-5)
    assert view.scale == pytest.approx(3**-0.5)
    products = view.q * view.k * view.scale
    expected = view.pattern @ products - products.mean(0)
    np.testing.assert_allclose(view.deciding, expected, atol=1e-6)
    assert view.strongest[0] == int(np.abs(expected).argmax())


def test_with_rotary_positions_the_vectors_are_those_that_are_compared() -> None:
    model = random_model("llama")
    trace = record(model, IDS)
    attention = record_attention(model, trace, [0])[0]
    view = neuron_view(model, trace, NeuronRequest("a", "m", 0, 3, AT), attention)
    np.testing.assert_allclose(view.q, attention.queries.compared[AT, 3], atol=1e-6)
    np.testing.assert_allclose(view.k, attention.keys.compared[: AT + 1, 1], atol=1e-6)
    assert np.abs(view.q - attention.q[AT, 3].numpy()).max() > 0.01  # not those before rotation


def test_outside_of_the_window_nothing_is_seen() -> None:
    model = random_model("mistral")
    view = neuron_view(model, record(model, IDS), NeuronRequest("a", "m", 0, 0, AT))
    assert view.window == 4
    assert np.isneginf(view.score[: AT - 3]).all()
    assert not view.pattern[: AT - 3].any()
    inside = view.product[AT - 3 :] * view.scale
    expected = view.pattern[AT - 3 :] @ inside - inside.mean(0)
    np.testing.assert_allclose(view.deciding, expected, atol=1e-6)
    assert view.decay is not None
    assert len(view.decay.counts) == 4


def line(distances: list[int], shares: list[list[float]]) -> Decay:
    """A pair at each distance."""
    counts = np.zeros(max(distances) + 1, np.int64)
    sums = np.zeros((len(counts), len(shares[0])))
    for distance, share in zip(distances, shares, strict=True):
        counts[distance] += 1
        sums[distance] += share
    return Decay(0, 0, counts, sums, rotary=False)


def test_slopes_and_correlations_by_hand() -> None:
    found = line([0, 1, 2, 3], [[5, 1, 0, 2], [3, 1, 1, 2], [1, 1, 1, 2], [-1, 1, 0, 2]])
    assert found.slopes.tolist() == pytest.approx([-2, 0, 0, 0])
    assert found.correlations.tolist() == pytest.approx([-1, 0, 0, 0])
    assert found.slope == pytest.approx(-2)
    assert found.strongest == (0, 1, 2, 3)
    assert found.scores.tolist() == [8, 7, 5, 2]
    uneven = line([0, 0, 0, 2], [[0.0], [3.0], [0.0], [4.0]])  # means 1 and 4, two apart
    assert uneven.slope == pytest.approx(1.5)
    assert np.isnan(uneven.means[1, 0])
    assert uneven.correlations.tolist() == pytest.approx([1])
    assert line([1, 1], [[1.0], [4.0]]).slopes.tolist() == [0]


def test_decays_of_two_prompts_are_those_of_all_their_pairs() -> None:
    both = line([0, 1], [[2.0], [1.0]]) + line([1, 3], [[3.0], [5.0]])
    assert both.counts.tolist() == [1, 2, 0, 1]
    assert both.sums[:, 0].tolist() == [2, 4, 0, 5]
    assert (both.pairs, both.prompts) == (4, 2)
    slope = np.polyfit([0, 1, 1, 3], [2, 1, 3, 5], 1)[0]
    assert both.slope == pytest.approx(slope)
    with pytest.raises(ValueError, match="do not sum"):
        _ = both + Decay(0, 1, both.counts, both.sums, rotary=False)


@pytest.mark.parametrize("name", ["gpt2", "llama", "mistral", "qwen3"])
def test_decay_is_the_line_through_all_pairs(name: str) -> None:
    model = random_model(name)
    traces = [record(model, IDS), record(model, IDS[:5][::-1])]
    found = decay(model, traces, 1, 2)
    distances, rows, scores = [], [], []
    for trace in traces:
        each = record_attention(model, trace, [1])[1]
        for i in range(len(trace.ids)):
            view = neuron_view(model, trace, NeuronRequest("a", name, 1, 2, i), each)
            for j in range(1, i + 1):
                if np.isfinite(view.score[j]):
                    distances.append(i - j)
                    rows.append(view.product[j] * view.scale)
                    scores.append(view.score[j])
    assert found.pairs == len(rows)
    slopes = np.polyfit(distances, np.array(rows, dtype=np.float64), 1)[0]
    np.testing.assert_allclose(found.slopes, slopes, rtol=1e-4, atol=1e-6)
    assert found.slope == pytest.approx(np.polyfit(distances, scores, 1)[0], rel=1e-4, abs=1e-6)
    means = [np.mean(np.array(scores)[np.array(distances) == d]) for d in range(4)]
    np.testing.assert_allclose(found.scores[:4], means, rtol=1e-4, atol=1e-5)


def test_the_farthest_that_counts() -> None:
    model = random_model("gpt2")
    trace = record(model, IDS)
    assert decay(model, [trace], 0, 0).counts.tolist() == [11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]
    assert decay(model, [trace], 0, 0, farthest=2).counts.tolist() == [11, 10, 9]
    short = record(model, IDS[:1])
    assert decay(model, [short, trace], 0, 0).prompts == 1
    assert neuron_view(model, short, NeuronRequest("a")).decay is None
    with pytest.raises(RequestError, match="two tokens or more"):
        decay(model, [short], 0, 0)


@pytest.mark.parametrize(
    ("name", "request_", "message"),
    [
        ("gpt2", NeuronRequest("a", layer=9), "no block 9"),
        ("gpt2", NeuronRequest("a", head=4), "no head 4"),
        ("gpt2", NeuronRequest("a", query=12), "positions 0 to 11"),
        ("mamba", NeuronRequest("a"), "cannot be read exactly"),
    ],
)
def test_what_cannot_be_shown_says_why(name: str, request_: NeuronRequest, message: str) -> None:
    model = random_model(name)
    with pytest.raises(RequestError, match=message):
        neuron_view(model, record(model, IDS), request_)
