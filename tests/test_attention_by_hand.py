"""The QK circuit written out as sums over single numbers, from the raw weights of a checkpoint.

Nothing is shared with the product here: weights are read from Hugging Face's own tensors, in their
own orientation, and every product is a loop.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM

from flowviz.attention.queries_keys import key_directions, query_directions, record_attention
from flowviz.models.loading import load_model
from flowviz.trace import record
from tests.models import save_model

IDS = [5, 17, 8, 11]
AT, SOURCE = 3, 1
Vector = list[float]


def loaded(name: str, folder: Path, **sizes: int) -> tuple[Any, Any, Any, dict[str, Any]]:
    """A model, a pass of it, its first block's attention, and its raw weights as lists."""
    save_model(name, folder, layers=1, heads=2, **sizes)
    raw = AutoModelForCausalLM.from_pretrained(folder).state_dict()
    model = load_model(str(folder))
    trace = record(model, IDS)
    weights = {key: weight.double().tolist() for key, weight in raw.items()}
    return model, trace, record_attention(model, trace, [0])[0], weights


def dot(one: Vector, other: Vector) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


def softmax(scores: Vector) -> Vector:
    whole = sum(math.exp(score) for score in scores)
    return [math.exp(score) / whole for score in scores]


def holds(ours: torch.Tensor, expected: Any) -> None:
    torch.testing.assert_close(ours.double(), torch.tensor(expected).double(), rtol=1e-4, atol=1e-5)


def test_gpt2_in_single_numbers(tmp_path: Path) -> None:
    model, trace, attention, raw = loaded("gpt2", tmp_path, d_head=2)
    width, d_head = range(4), range(2)
    weight, bias = (
        raw["transformer.h.0.attn.c_attn.weight"],
        raw["transformer.h.0.attn.c_attn.bias"],
    )
    gain, shift = raw["transformer.h.0.ln_1.weight"], raw["transformer.h.0.ln_1.bias"]
    word, place = raw["transformer.wte.weight"], raw["transformer.wpe.weight"]

    read = []
    for position, token in enumerate(IDS):
        stream = [word[token][m] + place[position][m] for m in width]
        mean = sum(stream) / 4
        spread = math.sqrt(sum((value - mean) ** 2 for value in stream) / 4 + 1e-5)
        read.append([(stream[m] - mean) / spread * gain[m] + shift[m] for m in width])

    def made(position: int, column: int) -> float:  # Conv1D: rows are inputs
        return sum(read[position][m] * weight[m][column] for m in width) + bias[column]

    q = [[[made(i, 2 * h + e) for e in d_head] for h in range(2)] for i in range(4)]
    k = [[[made(i, 4 + 2 * h + e) for e in d_head] for h in range(2)] for i in range(4)]
    holds(attention.q, q)
    holds(attention.k, k)
    for h in range(2):
        scores = [dot(q[AT][h], k[j][h]) / math.sqrt(2) for j in range(4)]
        holds(attention.scores(h)[AT], scores)
        holds(trace.blocks[0].pattern[h, AT], softmax(scores))

    def pulled(direction: Vector) -> Vector:
        scaled = [direction[m] * gain[m] for m in width]
        return [value - sum(scaled) / 4 for value in scaled]

    asked = [
        pulled([sum(q[AT][h][e] * weight[m][4 + 2 * h + e] for e in d_head) for m in width])
        for h in range(2)
    ]
    holds(query_directions(model, 0, attention, AT), asked)
    heads, sources = torch.tensor([1, 0]), torch.tensor([SOURCE, SOURCE])
    sought = [
        pulled([sum(k[SOURCE][h][e] * weight[m][2 * h + e] for e in d_head) for m in width])
        for h in (1, 0)
    ]
    holds(key_directions(model, 0, attention, AT, heads, sources), sought)


def turned(vector: Vector, steps: int, pairs: list[tuple[int, int]], base: float) -> Vector:
    """Each pair of numbers turned by steps times its own angle."""
    result = list(vector)
    for number, (one, two) in enumerate(pairs):
        angle = steps * base ** (-number / len(pairs))
        cos, sin = math.cos(angle), math.sin(angle)
        result[one] = vector[one] * cos - vector[two] * sin
        result[two] = vector[two] * cos + vector[one] * sin
    return result


@pytest.mark.parametrize(
    ("name", "pairs", "base"),
    [("llama", [(0, 2), (1, 3)], 10_000.0), ("ernie", [(0, 1), (2, 3)], 500_000.0)],
)
def test_rotary_positions_and_a_shared_key_head_in_single_numbers(
    name: str, pairs: list[tuple[int, int]], base: float, tmp_path: Path
) -> None:
    model, trace, attention, raw = loaded(name, tmp_path, d_head=4, kv_heads=1)
    width, d_head = range(8), range(4)
    to_q = raw["model.layers.0.self_attn.q_proj.weight"]
    to_k = raw["model.layers.0.self_attn.k_proj.weight"]
    gain, word = raw["model.layers.0.input_layernorm.weight"], raw["model.embed_tokens.weight"]
    eps = model.blocks[0].attention.norm.eps

    read = []
    for token in IDS:
        root = math.sqrt(sum(value**2 for value in word[token]) / 8 + eps)
        read.append([word[token][m] / root * gain[m] for m in width])
    q = [[[dot(to_q[4 * h + e], read[i]) for e in d_head] for h in range(2)] for i in range(4)]
    k = [[dot(to_k[e], read[i]) for e in d_head] for i in range(4)]
    holds(attention.q, q)
    holds(attention.k[:, 0], k)
    for h in range(2):
        scores = [
            dot(turned(q[AT][h], AT, pairs, base), turned(k[j], j, pairs, base)) / math.sqrt(4)
            for j in range(4)
        ]
        holds(attention.scores(h)[AT], scores)
        holds(trace.blocks[0].pattern[h, AT], softmax(scores))

    def asked(head: int, steps: int) -> Vector:
        query = turned(q[AT][head], steps, pairs, base)
        return [gain[m] * sum(query[e] * to_k[e][m] for e in d_head) for m in width]

    def sought(head: int, steps: int) -> Vector:
        key = turned(k[SOURCE], steps, pairs, base)
        return [gain[m] * sum(key[e] * to_q[4 * head + e][m] for e in d_head) for m in width]

    sources, heads = torch.tensor([SOURCE, SOURCE]), torch.tensor([0, 1])
    holds(query_directions(model, 0, attention, AT), [asked(h, 0) for h in range(2)])
    expected = [asked(h, AT - SOURCE) for h in range(2)]
    holds(query_directions(model, 0, attention, AT, sources), expected)
    for rotated, steps in ((True, SOURCE - AT), (False, 0)):
        found = key_directions(model, 0, attention, AT, heads, sources, rotated)
        holds(found, [sought(h, steps) for h in range(2)])
