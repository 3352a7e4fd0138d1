"""Norms as filters: probabilities before and after against those that are written out by hand."""

from __future__ import annotations

import math
import statistics

import pytest
import torch

from flowviz.analyses import norm_filters, norms
from flowviz.analyses.filtered import Filtered
from flowviz.analyses.types import NormFilter, NormFilters
from flowviz.models.parts import Norm
from tests.analyses.by_hand import OTHER, PROMPT, layer_norm, state, traced
from tests.models import random_model


@pytest.fixture(scope="module")
def gpt2():
    return random_model("gpt2")


def one(result: NormFilters, name: str, layer: int) -> NormFilter:
    (found,) = (norm for norm in result.norms if (norm.name, norm.layer) == (name, layer))
    return found


def by_hand(model, norm: Norm, vectors: torch.Tensor, final: bool):
    """Probabilities before and after of every vector."""
    assert norm.weight is not None
    before, after = [], []
    for vector in vectors:
        bare = layer_norm(vector, torch.ones_like(vector), None, norm.eps)
        through = layer_norm(vector, norm.weight, norm.bias, norm.eps)
        read = (
            (lambda x: torch.softmax(x @ model.W_U, -1)) if final else (lambda x: state(model, x))
        )
        before.append(read(bare))
        after.append(read(through))
    return torch.stack(before), torch.stack(after)


def bits(chances: torch.Tensor) -> float:
    return -sum(p * math.log2(p) for p in chances.tolist() if p > 0)


@pytest.mark.parametrize(("name", "layer"), [("ln1", 1), ("ln2", 0), ("ln_final", 3)])
def test_a_norm_is_read_before_and_after_as_written_out_by_hand(gpt2, name, layer) -> None:
    k = 12
    found = one(norm_filters(gpt2, [PROMPT], k=k), name, layer)
    trace = traced(gpt2, PROMPT)
    norm, vectors = {
        "ln1": (gpt2.blocks[1].attention.norm, trace.blocks[1].resid_pre),
        "ln2": (gpt2.blocks[0].mlp.norm, trace.blocks[0].resid_mid),
        "ln_final": (gpt2.ln_final, trace.resid_final),
    }[name]
    before, after = by_hand(gpt2, norm, vectors, name == "ln_final")
    change = (after - before).mean(0)
    assert found.vectors == len(trace.ids)
    order = sorted(range(len(change)), key=lambda token: float(change[token]))
    assert [token.id for token in found.losers] == order[:k]
    assert [token.id for token in found.gainers] == order[::-1][:k]
    for token in (*found.losers, *found.gainers):
        assert token.before == pytest.approx(float(before.mean(0)[token.id]), rel=1e-3)
        assert token.after == pytest.approx(float(after.mean(0)[token.id]), rel=1e-3)
        assert token.change == pytest.approx(token.after - token.before)
    tops = sorted(range(len(change)), key=lambda token: -float(before.mean(0)[token]))
    assert [token.id for token in found.top_before] == tops[:k]
    shift = sum(float((a - b).abs().sum()) / 2 for a, b in zip(after, before, strict=True))
    assert found.shift == pytest.approx(shift / len(before), rel=1e-3)
    entropy = sum(bits(a) - bits(b) for a, b in zip(after, before, strict=True))
    assert found.entropy_change == pytest.approx(entropy / len(before), abs=1e-3)
    both = zip(before.topk(k).indices.tolist(), after.topk(k).indices.tolist(), strict=True)
    overlap = sum(len(set(b) & set(a)) / k for b, a in both) / len(before)
    assert found.overlap == pytest.approx(overlap)


def test_after_the_final_norm_stands_the_models_own_answer(gpt2) -> None:
    found = one(norm_filters(gpt2, [PROMPT], k=3), "ln_final", 3)
    own = traced(gpt2, PROMPT).logits.softmax(-1).mean(0)
    for token in found.top_after:
        assert token.probability == pytest.approx(float(own[token.id]), rel=1e-4)


def test_before_a_blocks_norm_stands_the_logit_lens_of_what_it_reads(gpt2) -> None:
    found = one(norm_filters(gpt2, [PROMPT], k=3), "ln1", 2)
    lens = torch.stack([state(gpt2, vector) for vector in traced(gpt2, PROMPT).blocks[2].resid_pre])
    for token in found.top_before:
        assert token.probability == pytest.approx(float(lens.mean(0)[token.id]), rel=1e-3)


def test_a_norm_that_learned_nothing_filters_nothing() -> None:
    found = norm_filters(random_model("olmo"), [PROMPT], k=10)
    assert len(found.norms) == 7
    for norm in found.norms:
        assert norm.overlap == norm.control_overlap == 1
        assert norm.shift == pytest.approx(0, abs=1e-6)
        assert norm.control_shift == pytest.approx(0, abs=1e-6)


def test_random_vectors_are_as_long_and_as_centred_as_what_a_norm_keeps(gpt2) -> None:
    norm = gpt2.blocks[0].attention.norm
    random = torch.Generator().manual_seed(1)
    vectors = torch.arange(96.0).reshape(3, 32) ** 1.5
    drawn = Filtered(gpt2, norm, False, 5, random)._like(vectors)
    centred = vectors - vectors.mean(-1, keepdim=True)
    torch.testing.assert_close(drawn.norm(dim=-1), centred.norm(dim=-1))
    torch.testing.assert_close(drawn.mean(-1), torch.zeros(3), atol=1e-4, rtol=0)
    plain = Filtered(gpt2, Norm(eps=1e-5), False, 5, random)._like(vectors)
    torch.testing.assert_close(plain.norm(dim=-1), vectors.norm(dim=-1))
    assert float(plain.mean(-1).abs().max()) > 1e-3


def test_the_control_varies_from_draw_to_draw_as_it_says(gpt2, monkeypatch) -> None:
    monkeypatch.setattr(norms, "MOST_VECTORS", 4)

    def controls(draws: int) -> tuple[NormFilter, dict[int, tuple[float, float]]]:
        monkeypatch.setattr(norms, "DRAWS", draws)
        found = one(norm_filters(gpt2, [PROMPT, OTHER], k=300), "ln1", 1)
        tokens = (*found.losers, *found.gainers)
        return found, {token.id: (token.control, token.control_deviation) for token in tokens}

    (some, few), (more, many) = controls(25), controls(100)
    scores = [
        abs(few[token][0] - many[token][0]) / (few[token][1] * math.sqrt(1 / 25 + 1 / 100))
        for token in few
    ]
    assert len(scores) == gpt2.shape.vocabulary
    assert 0.4 < statistics.median(scores) < 1.0  # of a normal distribution: 0.67
    assert some.control_shift == pytest.approx(more.control_shift, rel=0.1)


def test_the_same_question_has_the_same_answer(gpt2) -> None:
    assert norm_filters(gpt2, [PROMPT], k=5) == norm_filters(gpt2, [PROMPT], k=5)


def test_a_set_is_the_mean_over_its_positions(gpt2) -> None:
    every = [norm_filters(gpt2, prompts, k=300) for prompts in ([PROMPT], [OTHER], [PROMPT, OTHER])]
    first, second, both = (one(found, "ln2", 1) for found in every)
    assert both.vectors == first.vectors + second.vectors
    mean = (first.shift * first.vectors + second.shift * second.vectors) / both.vectors
    assert both.shift == pytest.approx(mean, rel=1e-5)


def test_too_many_positions_are_sampled_and_said(gpt2, monkeypatch) -> None:
    monkeypatch.setattr(norms, "MOST_VECTORS", 5)
    found = norm_filters(gpt2, [PROMPT, OTHER], k=5)
    assert {norm.vectors for norm in found.norms} == {5}
    assert found.positions > 5
    assert f"{found.positions} positions; 5 of them were read" in found.notes[0]
    assert norm_filters(gpt2, [PROMPT, OTHER], k=5) == found


@pytest.mark.parametrize(
    ("architecture", "names"),
    [
        ("gpt_j", {"ln1"}),
        ("gpt_neox", {"ln1", "ln2"}),
        ("gemma2", {"ln1", "ln1_post", "ln2", "ln2_post"}),
        ("olmo2", {"ln1_post", "ln2_post"}),
        ("gpt1", {"ln1_post", "ln2_post"}),
        ("opt_350m", {"ln1_post", "ln2_post"}),
        ("flex_olmo", {"ln1_post", "ln2_post"}),
    ],
)
def test_every_norm_that_an_architecture_has_is_read(architecture, names) -> None:
    """What a norm behind a sublayer reads is summed from parts; its scale must be the model's."""
    found = norm_filters(random_model(architecture), [PROMPT], k=10)
    in_blocks = {(norm.name, norm.layer) for norm in found.norms if norm.name != "ln_final"}
    assert in_blocks == {(name, layer) for name in names for layer in range(3)}
    assert found.notes == ()
    for norm in found.norms:
        assert 0 <= norm.shift <= 1
        assert norm.control_shift > 0
