"""The split of a score: sums on every architecture, and every number of it by another way."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import AutoModelForCausalLM

from flowviz.attention.ends import End
from flowviz.attention.head import head_of
from flowviz.attention.neurons import neuron_view
from flowviz.attention.queries_keys import (
    AttentionTrace,
    key_directions,
    query_directions,
    record_attention,
)
from flowviz.attention.split import why
from flowviz.attention.why_request import NeuronRequest, Rank, WhyRequest
from flowviz.attention.why_types import Inside, ScorePart, Term, WhyThere
from flowviz.errors import RequestError
from flowviz.graph.types import BIAS_NAMES, NodeKey, NodeKind
from flowviz.models.loaded import LoadedModel
from flowviz.models.loading import load_model
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
    model = random_model(name)
    trace = record(model, IDS)
    return model, trace, record_attention(model, trace, range(len(model.blocks)))


def split(name: str, layer: int, head: int, key: int | None, **more: Any) -> WhyThere:
    model, trace, attention = recorded(name)
    request = WhyRequest("a", name, layer, head, AT, **{"key": key, "n": 5, **more})
    return why(model, trace, request, attention[layer])


def shares(parts: Any) -> list[float]:
    return [part.share for part in parts]


def beyond(parts: Any) -> list[float]:
    return [part.beyond for part in parts]


@pytest.mark.parametrize("name", NAMES)
def test_the_parts_of_both_ends_and_their_pairs_sum_to_the_score(name: str) -> None:
    _, _, attention = recorded(name)
    for layer, each in attention.items():
        for head, key in ((0, AT), (each.heads - 1, AT - 2)):
            found = split(name, layer, head, key)
            limit = 1e-4 * max(1, abs(found.product))
            sides = (found.query_parts, found.key_parts, found.query_sums, found.key_sums)
            for parts in sides:
                assert abs(sum(shares(parts)) - found.product) < limit
                more = found.product - found.mean_product
                assert abs(sum(beyond(parts)) - more) < limit
            assert abs(found.pairs.sum(1) - shares(found.query_parts)).max() < limit
            assert abs(found.pairs.sum(0) - shares(found.key_parts)).max() < limit
            assert found.exact
            assert found.error < 1e-4
            theirs = float(each.scores(head)[AT, key])
            assert found.score == pytest.approx(theirs, rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("name", ["gpt2", "llama", "gemma2", "qwen3", "gpt1", "hunyuan"])
def test_shares_are_those_of_the_directions_in_the_stream(name: str) -> None:
    model, trace, attention = recorded(name)
    layer, key = 2, AT - 2
    for head in range(attention[layer].heads):
        found = split(name, layer, head, key, n=60)
        one, sources = torch.tensor([head]), torch.tensor([key])
        each, part = attention[layer], trace.blocks[layer]
        asked = key_directions(model, layer, each, AT, one, sources)[0] / part.ln1_scale[AT]
        every = sources.expand(each.heads)
        sought = query_directions(model, layer, each, AT, every)[head] / part.ln1_scale[key]
        for parts, direction, at in (
            (found.query_parts, asked, AT),
            (found.key_parts, sought, key),
        ):
            read = sum(p.share for p in parts if isinstance(p.what, NodeKey) or p.what == "others")
            assert read == pytest.approx(
                float(part.resid_pre[at] @ direction) * found.scale, rel=1e-4, abs=1e-4
            )


def test_every_pair_on_gpt2_by_its_raw_weights(tmp_path: Path) -> None:
    """A head of the second block; what wrote its stream, and every product, written out."""
    save_model("gpt2", tmp_path, layers=2, heads=2, d_head=3, neurons=5)
    raw = AutoModelForCausalLM.from_pretrained(tmp_path).state_dict()
    raw = {name.removeprefix("transformer."): weight.double() for name, weight in raw.items()}
    model = load_model(str(tmp_path))
    ids, query, key, head = [5, 17, 8, 11], 3, 1, 1
    found = why(model, record(model, ids), WhyRequest("a", "m", 1, head, query, key=key, n=30))
    wrote = [gpt2_stream(raw, ids, at) for at in range(4)]

    def made(end: str, at: int) -> dict[Any, Tensor]:
        start = (0 if end == "query" else 6) + 3 * head
        to = raw["h.1.attn.c_attn.weight"][:, start : start + 3]
        stream = torch.stack(list(wrote[at].values())).sum(0)
        spread = (stream.var(unbiased=False) + 1e-5).sqrt()
        parts: dict[Any, Tensor] = {
            name: ((vector - vector.mean()) / spread * raw["h.1.ln_1.weight"]) @ to
            for name, vector in wrote[at].items()
        }
        parts[Inside.LN1] = raw["h.1.ln_1.bias"] @ to
        parts[Inside.PROJECTION] = raw["h.1.attn.c_attn.bias"][start : start + 3]
        return parts

    asks, is_asked = made("query", query), [made("key", at) for at in range(4)]
    rows = [place(part) for part in found.query_parts]
    columns = [place(part) for part in found.key_parts]
    assert {*rows} == {*columns} == {*asks, Inside.OTHERS}  # all that there is has a row
    for (i, row), (j, column) in product(enumerate(rows), enumerate(columns)):
        others = Inside.OTHERS in (row, column)
        expected = 0.0 if others else float(asks[row] @ is_asked[key][column]) / 3**0.5
        assert found.pairs[i, j] == pytest.approx(expected, abs=1e-5)
    whole = [sum(parts.values()) for parts in is_asked]
    for part in found.query_parts:
        if part.what is not Inside.OTHERS:
            each = [float(asks[place(part)] @ other) / 3**0.5 for other in whole]
            assert part.share == pytest.approx(each[key], abs=1e-5)
            assert part.beyond == pytest.approx(each[key] - sum(each) / 4, abs=1e-5)
    for part in found.key_parts:
        if part.what is not Inside.OTHERS:
            each = [float(sum(asks.values()) @ k[place(part)]) / 3**0.5 for k in is_asked]
            assert part.share == pytest.approx(each[key], abs=1e-5)
            assert part.beyond == pytest.approx(each[key] - sum(each) / 4, abs=1e-5)
    scores = torch.tensor([float(sum(asks.values()) @ k) / 3**0.5 for k in whole])
    assert found.score == pytest.approx(float(scores[key]), abs=1e-5)
    assert found.weight == pytest.approx(float(scores.softmax(0)[key]), abs=1e-5)
    assert found.rank == 1 + int((scores > scores[key]).sum())


def place(part: ScorePart) -> Any:
    """A component without its position; what is inside as it is."""
    if isinstance(part.what, NodeKey):
        return part.what.kind, part.what.index
    return part.what


def gpt2_stream(raw: dict[str, Tensor], ids: list[int], at: int) -> dict[Any, Tensor]:
    """What every part of the first block wrote at a position, from the raw weights."""

    def normed(x: Tensor, name: str) -> Tensor:
        scale = (x.var(-1, unbiased=False, keepdim=True) + 1e-5).sqrt()
        return (x - x.mean(-1, keepdim=True)) / scale * raw[f"{name}.weight"] + raw[f"{name}.bias"]

    word, position = raw["wte.weight"][ids], raw["wpe.weight"][: len(ids)]
    start = word + position
    qkv = normed(start, "h.0.ln_1") @ raw["h.0.attn.c_attn.weight"] + raw["h.0.attn.c_attn.bias"]
    q, k, v = (side.unflatten(1, (2, 3)) for side in qkv.split(6, 1))
    found: dict[Any, Tensor] = {
        (NodeKind.EMBED, 0): word[at],
        (NodeKind.POS_EMBED, 0): position[at],
        (NodeKind.BIAS, BIAS_NAMES.index("b_O")): raw["h.0.attn.c_proj.bias"],
        (NodeKind.BIAS, BIAS_NAMES.index("b_out")): raw["h.0.mlp.c_proj.bias"],
    }
    for head in range(2):
        weights = (q[at, head] @ k[: at + 1, head].T / 3**0.5).softmax(0)
        out = raw["h.0.attn.c_proj.weight"][3 * head : 3 * head + 3]
        found[NodeKind.HEAD, head] = weights @ v[: at + 1, head] @ out
    mid = sum(found.values()) - raw["h.0.mlp.c_proj.bias"]
    before = normed(mid, "h.0.ln_2") @ raw["h.0.mlp.c_fc.weight"] + raw["h.0.mlp.c_fc.bias"]
    after = torch.nn.functional.gelu(before, approximate="tanh")
    for neuron, value in enumerate(after):
        found[NodeKind.NEURON, neuron] = value * raw["h.0.mlp.c_proj.weight"][neuron]
    return found


def test_pairs_on_llama_with_rotary_positions_and_a_shared_key(tmp_path: Path) -> None:
    save_model("llama", tmp_path, layers=1, heads=4, d_head=4, kv_heads=2)
    raw = AutoModelForCausalLM.from_pretrained(tmp_path).state_dict()
    model = load_model(str(tmp_path))
    ids, query, key, head = [5, 17, 8, 11], 3, 1, 3
    found = why(model, record(model, ids), WhyRequest("a", "m", 0, head, query, key=key))
    word = raw["model.embed_tokens.weight"][ids].double()
    root = (word.pow(2).mean(1, keepdim=True) + model.blocks[0].attention.norm.eps).sqrt()
    read = word / root * raw["model.layers.0.input_layernorm.weight"].double()
    weights = (raw[f"model.layers.0.self_attn.{name}_proj.weight"].double() for name in "qk")
    to_q, to_k = weights
    q = read[query] @ to_q[4 * head : 4 * head + 4].T
    k = read[key] @ to_k[4:8].T  # heads 2 and 3 share the second key
    angles = torch.tensor([1.0, 0.01]).double()[:, None] * torch.tensor([query, key])
    pairs = [torch.complex(side[:2], side[2:]) for side in (q, k)]
    turned = [side * torch.polar(torch.ones(2).double(), angles[:, i]) for i, side in
              enumerate(pairs)]  # fmt: skip
    expected = float((turned[0] * turned[1].conj()).real.sum()) / 2
    assert str(found.query_parts[0].what) == f"embed:0:{query}"
    assert str(found.key_parts[0].what) == f"embed:0:{key}"
    assert found.pairs[0, 0] == pytest.approx(expected, rel=1e-5)
    assert found.score == pytest.approx(expected, rel=1e-5)
    assert found.pairs[1:].any() == found.pairs[:, 1:].any() == False  # noqa: E712


def test_terms_beside_the_product() -> None:
    capped = split("gemma2", 1, 2, AT - 2)
    assert [term for term, _ in capped.terms] == [Term.PRODUCT, Term.CAP]
    assert capped.score == pytest.approx(float(torch.tanh(torch.tensor(capped.product))), rel=1e-5)
    assert abs(capped.terms[1][1]) > 1e-3
    biased = split("bloom", 1, 2, AT - 2)
    assert [term for term, _ in biased.terms] == [Term.PRODUCT, Term.POSITION]
    slope = 2.0 ** (-8 * 3 / 4)  # of the third head of four, Press et al. 2021
    assert biased.terms[1][1] == pytest.approx(slope * (AT - 2), rel=1e-4)
    assert split("gpt2", 1, 2, AT - 2).terms == ((Term.PRODUCT, split("gpt2", 1, 2, 7).product),)


def test_the_norms_on_queries_and_keys_are_frozen() -> None:
    found = split("stablelm", 1, 1, AT - 2)  # a LayerNorm on each head, with a bias where it has
    assert found.exact
    model, trace, attention = recorded("qwen3")
    head = head_of(model, trace, 1, 2, attention[1])
    end = End.query(head, AT)
    parts = end.parts([NodeKey(NodeKind.EMBED, 0, AT), NodeKey(NodeKind.HEAD, 0, AT, 1)])
    torch.testing.assert_close(parts.sum(0) + sum(end.biases.values()), end.whole)
    other = replace(end, at=AT - 1)
    assert (other.parts([])[0] - end.whole).norm() > 0.1


def test_a_sink_takes_what_the_weights_leave() -> None:
    found = split("gpt_oss", 0, 1, None)
    _, trace, _ = recorded("gpt_oss")
    assert found.sink == pytest.approx(1 - float(trace.blocks[0].pattern[1, AT].sum()), abs=1e-6)
    assert found.sink > 0.01
    assert split("gpt2", 0, 1, None).sink is None


def test_without_a_key_it_is_the_one_attended_most() -> None:
    _, trace, _ = recorded("gpt2")
    found = split("gpt2", 1, 3, None)
    assert found.key == int(trace.blocks[1].pattern[3, AT].argmax())
    assert (found.rank, found.seen, found.query) == (1, AT + 1, AT)


def test_the_strongest_come_first_by_either_measure() -> None:
    for rank, of in ((Rank.SHARE, shares), (Rank.BEYOND, beyond)):
        found = split("gpt2", 2, 0, AT - 3, n=8, rank=rank)
        for parts in (found.query_parts, found.key_parts):
            sizes = [abs(value) for value in of(parts[:8])]
            assert sizes == sorted(sizes, reverse=True)
            assert all(isinstance(part.what, NodeKey) for part in parts[:8])
            assert [part.what for part in parts[8:]] == ["others", "ln1", "projection"]
            all_of_it = split("gpt2", 2, 0, AT - 3, n=60, rank=rank)
            kept = all_of_it.query_parts if parts is found.query_parts else all_of_it.key_parts
            assert parts[:8] == kept[:8]


def test_in_half_precision_it_says_how_far_it_is_off(tmp_path: Path) -> None:
    model = load_model(str(save_model("llama", tmp_path)), dtype="bfloat16")
    found = why(model, record(model, IDS), WhyRequest("a", "m", 2, 1, AT, key=4))
    assert 1e-4 < found.error <= found.tolerance


REFUSED: dict[str, tuple[str, dict[str, Any], str]] = {
    "layer": ("gpt2", {"layer": 3}, "no block 3; choose one from 0 to 2"),
    "head": ("gpt2", {"head": 4}, "no head 4; choose one from 0 to 3"),
    "query": ("gpt2", {"query": 12}, "positions 0 to 11"),
    "key": ("gpt2", {"key": 12}, "positions 0 to 11"),
    "order": ("gpt2", {"query": 3, "key": 4}, "looks back only: choose a key from 0 to 3"),
    "window": ("mistral", {"query": 9, "key": 5}, "does not see 5. Choose a key from 6 to 9"),
    "unread": ("mamba", {}, "cannot be read exactly"),
    "misread": ("llama4", {}, "off by"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_answered_says_why(what: str) -> None:
    name, asked, message = REFUSED[what]
    model = random_model(name)
    with pytest.raises(RequestError, match=message):
        why(model, record(model, IDS), WhyRequest("a", name, **asked))


@pytest.mark.parametrize("name", ["gpt2", "bloom", "gpt_oss", "gpt1", "ministral3", "qwen3"])
def test_every_tensor_that_is_made_names_its_device(name: str) -> None:
    model, trace, attention = recorded(name)
    with DeviceNamed():
        why(model, trace, WhyRequest("a", name, 2, 1, AT), attention[2])
        neuron_view(model, trace, NeuronRequest("a", name, 2, 1, AT), attention[2])
