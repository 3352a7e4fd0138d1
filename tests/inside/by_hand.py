"""Sums written out as loops over plain lists, with Hugging Face's own weights and states."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import torch
from transformers import AutoModelForCausalLM

from flowviz.flow import FlowTarget, flow_of
from flowviz.graph.scored import Scored
from flowviz.inside.types import PartNode
from flowviz.models.loading import load_model
from flowviz.trace import record
from tests.flows import IDS, TARGET
from tests.models import save_model

Vector = list[float]


@cache
def theirs_and_ours(name: str) -> tuple[Any, list[list[Vector]], Scored]:
    """Hugging Face's model; its states before each block and behind the last; our flow."""
    folder = save_model(name, Path(mkdtemp()))
    model = AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager").eval()
    states: list[Any] = []
    final = model.transformer.ln_f if name == "gpt2" else model.model.norm
    blocks = model.transformer.h if name == "gpt2" else model.model.layers

    def keep(module: Any, given: tuple[Any, ...], named: dict[str, Any]) -> None:
        states.append((given[0] if given else named["hidden_states"])[0])

    for module in [*blocks, final]:
        module.register_forward_pre_hook(keep, with_kwargs=True)
    with torch.inference_mode():
        model(torch.tensor([IDS]))
    ours = load_model(str(folder))
    flow = flow_of(ours, record(ours, list(IDS)), FlowTarget(TARGET.position, TARGET.token))
    return model, [state.double().tolist() for state in states], Scored(flow)


def plain(weight: Any) -> Any:
    """A weight as nested lists."""
    return weight.detach().double().tolist()


def dot(left: Sequence[float], right: Sequence[float]) -> float:
    return sum(a * b for a, b in zip(left, right, strict=True))


def length(vector: Sequence[float]) -> float:
    return math.sqrt(dot(vector, vector))


def plus(*vectors: Sequence[float]) -> Vector:
    return [sum(entries) for entries in zip(*vectors, strict=True)]


def times(vector: Sequence[float], factor: float) -> Vector:
    return [entry * factor for entry in vector]


def centred(vector: Sequence[float]) -> Vector:
    mean = sum(vector) / len(vector)
    return [entry - mean for entry in vector]


def root_mean_square(vector: Sequence[float], eps: float) -> float:
    return math.sqrt(dot(vector, vector) / len(vector) + eps)


def weighted(vector: Sequence[float], weight: Sequence[float]) -> Vector:
    return [a * b for a, b in zip(vector, weight, strict=True)]


def softmax(scores: Sequence[float]) -> Vector:
    powers = [math.exp(score - max(scores)) for score in scores]
    return [power / sum(powers) for power in powers]


def assert_reads(node: PartNode, vector: Vector, logits: Vector, target: int) -> None:
    """The node's length and its whole projection, against a vector and logits by hand."""
    read = node.projection
    assert read is not None
    assert node.norm is not None
    assert math.isclose(node.norm, length(vector), rel_tol=1e-4, abs_tol=1e-6)
    order = sorted(range(len(logits)), key=lambda token: -logits[token])
    close = {"rel_tol": 1e-3, "abs_tol": 1e-4 * max(map(abs, logits))}
    for shown, expected in ((read.top, order[:10]), (read.bottom, order[::-1][:10])):
        for score, token in zip(shown, expected, strict=True):
            assert math.isclose(score.logit, logits[token], **close)
            assert math.isclose(score.logit, logits[score.id], **close)
    total = math.log(sum(math.exp(logit) for logit in logits))
    shares = [math.exp(logit - total) for logit in logits]
    entropy = -sum(share * math.log2(share) for share in shares if share)
    assert math.isclose(read.entropy, entropy, rel_tol=1e-3, abs_tol=1e-4)
    assert math.isclose(read.target_logit, logits[target], **close)
    assert read.target_rank == order.index(target) + 1
    assert math.isclose(read.target_probability, shares[target], rel_tol=1e-3, abs_tol=1e-6)
