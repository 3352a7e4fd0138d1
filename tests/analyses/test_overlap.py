"""Overlap: sets of tokens against sets that are written out by hand."""

from __future__ import annotations

import math

import pytest
import torch
from transformers import AutoModelForCausalLM

import flowviz
from flowviz.analyses import Prompt, overlap
from flowviz.analyses.top import shared
from flowviz.analyses.types import Overlap, Series
from flowviz.errors import Cancelled, RequestError
from tests.analyses.by_hand import OTHER, PROMPT, component, state, top, traced
from tests.models import byte_tokenizer, configuration, random_model, randomise

K = 20


def series(result: Overlap, name: str) -> Series:
    every = (*result.by_layer, *result.by_norm_rank, *result.by_attention_rank, *result.among)
    (found,) = (one for one in every if one.name == name)
    return found


def share(one: set[int], other: set[int]) -> float:
    return len(one & other) / K


@pytest.fixture(scope="module")
def gpt2():
    return random_model("gpt2")


@pytest.fixture(scope="module")
def result(gpt2) -> Overlap:
    return overlap(gpt2, [PROMPT], k=K)


def test_two_rankings_share_what_they_share() -> None:
    one = torch.tensor([[1, 2, 3, 4], [1, 2, 3, 4], [9, 8, 7, 6]])
    other = torch.tensor([[4, 9, 8, 1], [5, 6, 7, 8], [6, 7, 8, 9]])
    assert shared(one, other).tolist() == [0.5, 0.0, 1.0]
    assert shared(one, other[:1]).tolist() == [0.5, 0.5, 0.5]


def test_heads_through_w_o_and_raw_are_read_as_written_out_by_hand(gpt2, result) -> None:
    trace = traced(gpt2, PROMPT)
    last = len(trace.ids) - 1
    final = top(state(gpt2, trace.resid_final[last]).tolist(), K)
    for layer, (block, part) in enumerate(zip(gpt2.blocks, trace.blocks, strict=True)):
        z, weight = part.z[last], block.attention.W_O
        written = [
            sum(float(z[head, d]) * weight[head, d] for d in range(z.shape[1]))
            for head in range(z.shape[0])
        ]
        whole = sum(written, torch.zeros_like(written[0])) + block.attention.b_O
        after = top(state(gpt2, trace.resid_post(layer)[last]).tolist(), K)
        outputs = {
            "attention_output": top(component(gpt2, whole), K),
            "block_output": after,
            "final_output": final,
        }
        for name, output in outputs.items():
            through, raw = [], []
            for head, vector in enumerate(written):
                through.append(share(top(component(gpt2, vector), K), output))
                alone = torch.zeros(gpt2.shape.d_model)
                width = z.shape[1]
                alone[head * width : (head + 1) * width] = z[head]
                raw.append(share(top(component(gpt2, alone), K), output))
            found = series(result, f"head_through_W_O~{name}")
            assert found.mean[layer] == pytest.approx(sum(through) / len(through))
            assert found.deviation[layer] == pytest.approx(
                math.sqrt(sum((x - found.mean[layer]) ** 2 for x in through) / len(through))
            )
            assert found.count[layer] == len(through)
            mean = series(result, f"head_raw~{name}").mean[layer]
            assert mean == pytest.approx(sum(raw) / len(raw))


def test_heads_stand_by_their_rank_by_norm(gpt2, result) -> None:
    trace = traced(gpt2, PROMPT)
    last = len(trace.ids) - 1
    figures: dict[int, list[float]] = {}
    for block, part in zip(gpt2.blocks, trace.blocks, strict=True):
        written = torch.einsum("hd,hdm->hm", part.z[last], block.attention.W_O)
        whole = top(component(gpt2, written.sum(0) + block.attention.b_O), K)
        order = sorted(range(len(written)), key=lambda head: -float(written[head].norm()))
        for rank, head in enumerate(order, 1):
            figures.setdefault(rank, []).append(
                share(top(component(gpt2, written[head]), K), whole)
            )
    found = series(result, "head_by_norm~attention_output")
    assert found.x == tuple(figures)
    assert found.mean == pytest.approx([sum(some) / len(some) for some in figures.values()])


def test_values_stand_by_their_attention_weight(gpt2, result) -> None:
    trace = traced(gpt2, PROMPT)
    last = len(trace.ids) - 1
    figures: dict[int, list[float]] = {}
    for block, part in zip(gpt2.blocks, trace.blocks, strict=True):
        for head in range(gpt2.shape.heads):
            whole = top(component(gpt2, part.z[last, head] @ block.attention.W_O[head]), K)
            weights = part.pattern[head, last]
            order = sorted(range(last + 1), key=lambda source: -float(weights[source]))
            for rank, source in enumerate(order[:10], 1):
                value = weights[source] * part.v[source, head] @ block.attention.W_O[head]
                figures.setdefault(rank, []).append(share(top(component(gpt2, value), K), whole))
    found = series(result, "value_by_attention~head")
    assert found.x == tuple(figures)
    assert found.mean == pytest.approx([sum(some) / len(some) for some in figures.values()])


def test_query_key_and_value_are_read_through_their_own_head(gpt2, result) -> None:
    """For GPT-2, without rotary positions: W_K q and W_Q k behind ln1's weight and centring."""
    trace, bridge = traced(gpt2, PROMPT), gpt2.bridge
    last, pairs = len(trace.ids) - 1, {"query~key": [], "query~value": [], "key~value": []}
    part, block = trace.blocks[1], gpt2.blocks[1]
    norm = block.attention.norm
    read = norm.apply(part.resid_pre[last], part.ln1_scale[last]) + norm.bias
    attention = bridge.blocks[1].attn
    for head in range(gpt2.shape.heads):
        query = read @ attention.W_Q[head] + attention.b_Q[head]
        key = read @ attention.W_K[head] + attention.b_K[head]
        directions = {
            "query": attention.W_K[head] @ query * norm.weight,
            "key": attention.W_Q[head] @ key * norm.weight,
        }
        vectors = {name: vector - vector.mean() for name, vector in directions.items()}
        vectors["value"] = part.v[last, head] @ block.attention.W_O[head]
        tops = {name: top(component(gpt2, some.detach()), K) for name, some in vectors.items()}
        for pair, found in pairs.items():
            one, other = pair.split("~")
            found.append(share(tops[one], tops[other]))
    for pair, found in pairs.items():
        assert series(result, pair).mean[1] == pytest.approx(sum(found) / len(found))


def test_two_prompts_are_the_mean_of_both(gpt2, result) -> None:
    other, both = overlap(gpt2, [OTHER], k=K), overlap(gpt2, [PROMPT, OTHER], k=K)
    assert both.prompts == 2
    for name in ("head_through_W_O~final_output", "head_raw~block_output", "query~value"):
        parts = (series(result, name).mean, series(other, name).mean)
        halves = [(a + b) / 2 for a, b in zip(*parts, strict=True)]
        assert series(both, name).mean == pytest.approx(halves)


def test_a_text_is_a_prompt_without_an_answer(gpt2, result) -> None:
    assert overlap(gpt2, [Prompt(PROMPT)], k=K) == result


def test_a_named_position_reads_as_the_prompt_cut_off_there(gpt2) -> None:
    cut = gpt2.vocabulary.encode(PROMPT, None)[:4]
    found, whole = overlap(gpt2, [PROMPT], k=K, position=3), traced(gpt2, PROMPT)
    text = gpt2.vocabulary.tokenizer.decode(cut)
    assert gpt2.vocabulary.encode(text, None) == cut
    short = overlap(gpt2, [text], k=K)
    assert series(found, "head_raw~block_output").mean == pytest.approx(
        series(short, "head_raw~block_output").mean
    )
    assert len(whole.ids) > 4


def test_more_tokens_than_there_are_all_overlap(gpt2) -> None:
    found = overlap(gpt2, [PROMPT], k=10_000)
    assert found.k == gpt2.shape.vocabulary
    assert found.chance == 1
    assert set(series(found, "head_raw~final_output").mean) == {1.0}


def test_raw_heads_are_left_out_where_they_are_no_vector_of_the_stream() -> None:
    assert overlap(random_model("gemma"), [PROMPT]).notes == ()
    config = configuration("gemma")
    config.head_dim = 16
    model = AutoModelForCausalLM.from_config(config)
    randomise(model, 0)
    found = overlap(flowviz.wrap_model(model.eval(), byte_tokenizer()), [PROMPT], k=K)
    assert not [one for one in found.by_layer if "raw" in one.name]
    assert "64 wide and the stream 32" in found.notes[0]


def test_attention_that_cannot_be_read_says_nothing() -> None:
    found = overlap(random_model("deepseek_v3"), [PROMPT], k=K)
    series = (*found.by_layer, *found.by_norm_rank, *found.by_attention_rank, *found.among)
    assert series == ()
    assert "cannot be read" in found.notes[0]


@pytest.mark.parametrize(
    ("prompts", "position", "words"),
    [
        ([], None, "There are no prompts"),
        ([PROMPT, ""], None, "Prompt 2: The prompt is empty"),
        ([PROMPT, OTHER * 40], None, "Prompt 2: The prompt has"),
        ([PROMPT, Prompt(OTHER, "no token")], None, "Prompt 2: 'no token' is not one token"),
        ([OTHER, "a"], 1, "prompt 2 has positions 0 to 0"),
        ([OTHER], -1, "counted from 0"),
    ],
)
def test_what_cannot_be_read_is_told_before_the_first_pass(gpt2, prompts, position, words) -> None:
    told: list[str] = []
    with pytest.raises(RequestError, match=words):
        overlap(gpt2, prompts, position=position, progress=lambda stage, _: told.append(stage))
    assert told == []


def test_it_ends_when_the_user_gives_up(gpt2) -> None:
    told: list[float] = []

    def progress(_stage: str, fraction: float) -> None:
        told.append(fraction)
        if fraction >= 0.5:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        overlap(gpt2, [PROMPT, OTHER, PROMPT, OTHER], k=K, progress=progress)
    assert told == [0.0, 0.25, 0.5]
