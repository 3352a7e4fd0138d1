"""Scores split: exact on every family that shows its queries, in all parts, and held by hand."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from flowviz.attention.head_json import read_head
from flowviz.attention.kinds import Part
from flowviz.attention.why_request import NeuronRequest, Rank, WhyRequest
from flowviz.attention.why_types import Inside, Term, WhyThere
from flowviz.encoders.loaded import LoadedEncoder
from flowviz.encoders.neurons import encoder_neurons
from flowviz.encoders.why import encoder_why
from flowviz.errors import RequestError
from flowviz.graph.types import BIAS_NAMES, NodeKey, NodeKind
from tests.encoders.families import FAMILIES
from tests.encoders.models import random_encoder

TEXT, SECOND = "the cat sat on a mat", "she said that"
SPLIT = [
    name
    for name, family in FAMILIES.items()
    if family.whole and name not in ("switch_transformers", "mobilebert")
]


def split(name: str, layer: int, **more: object) -> WhyThere:
    asked = {"head": 1, "query": 3, "key": 2, "second": SECOND, "n": 6} | more
    return encoder_why(random_encoder(name), WhyRequest(TEXT, name, layer=layer, **asked))


@pytest.mark.parametrize("name", SPLIT)
def test_parts_and_pairs_sum_to_the_score_that_the_model_took(name: str) -> None:
    found = split(name, random_encoder(name).shape.layers - 1)
    for parts in (found.query_parts, found.key_parts):
        assert math.isclose(math.fsum(p.share for p in parts), found.product, abs_tol=1e-4)
        beyond = math.fsum(p.beyond for p in parts)
        assert math.isclose(beyond, found.product - found.mean_product, abs_tol=1e-4)
    assert math.isclose(float(found.pairs.sum()), found.product, abs_tol=1e-4)
    assert found.pattern_error < 1e-5  # the score is the one behind the model's own pattern
    assert found.exact
    assert found.seen == len(found.tokens) == len(found.pattern)


@pytest.fixture(scope="module")
def bert() -> LoadedEncoder:
    return random_encoder("bert")


def normed(v: Tensor, at: Tensor, norm: torch.nn.LayerNorm) -> Tensor:
    """A vector through a norm whose scale is that of `at`, without the bias."""
    scale = (at - at.mean()).pow(2).mean().add(norm.eps).sqrt()
    return norm.weight * (v - v.mean()) / scale


def test_a_head_and_a_neuron_of_bert_by_hand(bert: LoadedEncoder) -> None:
    """Both are written in block 0, and read by the query of head 1 of block 1 at position 3."""
    found = split("bert", 1, n=60, second="")
    model = bert.weights.bert
    block, norms = model.encoder.layer[0], {}
    with torch.no_grad():
        ids = torch.tensor([[token.id for token in found.tokens]])
        states = model(ids, output_hidden_states=True).hidden_states
        x = states[0][0]
        own = block.attention.self
        z = torch.stack([own.query(x), own.key(x), own.value(x)]).unflatten(2, (4, 8))
        pattern = (z[0, :, 2] @ z[1, :, 2].T / math.sqrt(8)).softmax(-1)
        dense = block.attention.output.dense
        norms["mid"] = dense(_mixed(own, x)) + x
        mid = block.attention.output.LayerNorm(norms["mid"])
        acts = torch.nn.functional.gelu(block.intermediate.dense(mid))
        norms["post"] = block.output.dense(acts) + mid
        head = dense.weight[:, 16:24] @ (pattern @ z[2, :, 2])[3]
        neuron = block.output.dense.weight[:, 5] * acts[3, 5]
        read = model.encoder.layer[1].attention.self
        key = read.key(states[1][0])[2].unflatten(0, (4, 8))[1] / math.sqrt(8)

        def share(wrote: Tensor, both: bool) -> float:
            if both:
                wrote = normed(wrote, norms["mid"][3], block.attention.output.LayerNorm)
            wrote = normed(wrote, norms["post"][3], block.output.LayerNorm)
            return float((read.query.weight @ wrote).unflatten(0, (4, 8))[1] @ key)

    shares = {part.what: part.share for part in found.query_parts}
    assert shares[NodeKey(NodeKind.HEAD, 0, 3, 2)] == pytest.approx(share(head, True), abs=1e-5)
    assert shares[NodeKey(NodeKind.NEURON, 0, 3, 5)] == pytest.approx(
        share(neuron, False), abs=1e-5
    )
    bias = NodeKey(NodeKind.BIAS, 0, 3, BIAS_NAMES.index("b_O"))
    assert shares[bias] == pytest.approx(share(dense.bias, True), abs=1e-5)
    projection = float(read.query.bias.unflatten(0, (4, 8))[1] @ key)
    assert shares[Inside.PROJECTION] == pytest.approx(projection, abs=1e-5)


def _mixed(own: torch.nn.Module, x: Tensor) -> Tensor:
    q, k, v = (
        one(x).unflatten(1, (4, 8)).transpose(0, 1) for one in (own.query, own.key, own.value)
    )
    return ((q @ k.mT / math.sqrt(8)).softmax(-1) @ v).transpose(0, 1).flatten(1)


def test_beyond_is_the_share_less_its_mean_over_every_key(bert: LoadedEncoder) -> None:
    every = [split("bert", 2, key=key, n=2000) for key in range(12)]
    for what in (NodeKind.EMBED, NodeKind.POS_EMBED):
        shares = [
            next(p for p in one.key_parts if getattr(p.what, "kind", None) is what) for one in every
        ]
        mean = sum(part.share for part in shares) / len(shares)
        for part in shares:
            assert part.beyond == pytest.approx(part.share - mean, abs=1e-5)
    asked = {part.what: part for part in every[4].query_parts}
    for what, part in asked.items():
        means = [{p.what: p.share for p in one.query_parts}.get(what) for one in every]
        if None not in means and what is not Inside.OTHERS:
            assert part.beyond == pytest.approx(part.share - sum(means) / 12, abs=1e-5)


def test_the_strongest_by_share_are_the_strongest(bert: LoadedEncoder) -> None:
    found = split("bert", 2, rank=Rank.SHARE, n=5)
    sizes = [abs(part.share) for part in found.query_parts[:5]]
    assert sizes == sorted(sizes, reverse=True)
    more = split("bert", 2, rank=Rank.SHARE, n=20)
    assert more.query_parts[:5] == found.query_parts[:5]


def test_sums_by_block_hold_everything(bert: LoadedEncoder) -> None:
    found = split("bert", 2)
    for sums in (found.query_sums, found.key_sums):
        assert math.isclose(math.fsum(each.share for each in sums), found.product, abs_tol=1e-4)
    kinds = {(each.kind, each.layer): each.count for each in found.query_sums}
    assert kinds[NodeKind.HEAD, 1] == 4
    assert kinds[NodeKind.NEURON, 0] == 48
    assert (NodeKind.HEAD, 2) not in kinds


BOTH = [name for name in SPLIT if FAMILIES[name].both]


@pytest.mark.parametrize("part", ["decoder", "cross"])
@pytest.mark.parametrize("name", BOTH)
def test_a_decoders_scores_are_split_as_exactly(name: str, part: str) -> None:
    found = split(name, 1, part=Part(part), second="she said that john went")
    for parts in (found.query_parts, found.key_parts):
        assert math.isclose(math.fsum(p.share for p in parts), found.product, abs_tol=1e-4)
    assert found.exact
    assert found.pattern_error < 1e-5
    assert found.seen == len(found.pattern) == (4 if part == "decoder" else len(found.keys or ()))
    across = [p.share for p in found.query_parts if p.what is Inside.ACROSS]
    assert len(across) == 1
    assert across[0] != 0
    assert Inside.ACROSS not in [p.what for p in found.key_parts] or part == "decoder"


def test_a_key_across_by_hand() -> None:
    """What the embedding of an encoder's token gives to a score of T5's decoder."""
    model = random_encoder("t5")
    found = split("t5", 0, part=Part.CROSS, n=60)
    weights, ids = model.weights, torch.tensor([[token.id for token in found.sources]])
    with torch.no_grad():
        embedded = weights.shared(ids)[0, 2]
        stack = weights.encoder
        states: list[Tensor] = []
        handle = stack.final_layer_norm.register_forward_pre_hook(
            lambda _module, given: states.append(given[0])
        )
        stack(ids)
        handle.remove()
        norm, at = stack.final_layer_norm, states[0][0, 2]
        read = norm.weight * embedded / (at.pow(2).mean() + norm.variance_epsilon).sqrt()
        across = weights.decoder.block[0].layer[1].EncDecAttention
        key = across.k(read).unflatten(0, (4, -1))[1]
        whole = across.k(norm(at)).unflatten(0, (4, -1))[1]
    shares = {getattr(part.what, "kind", None): part.share for part in found.key_parts}
    view = encoder_neurons(model, NeuronRequest(TEXT, "t5", 0, 1, 3, SECOND, (), Part.CROSS))
    query = torch.tensor(view.q) * view.scale
    assert shares[NodeKind.EMBED] == pytest.approx(float(query @ key), abs=1e-5)
    assert found.product == pytest.approx(float(query @ whole), abs=1e-5)


def test_a_split_across_is_kept_as_json() -> None:
    found = split("bart", 1, part=Part.CROSS)
    back = read_head(found.to_json())
    assert isinstance(back, WhyThere)
    assert back.keys == found.keys
    assert back.to_json() == found.to_json()


def test_positions_by_distance_stand_beside_the_product() -> None:
    found = split("t5", 1)
    terms = dict(found.terms)
    assert set(terms) == {Term.PRODUCT, Term.POSITION}
    assert found.score == pytest.approx(sum(terms.values()))


def test_the_split_is_kept_as_json(bert: LoadedEncoder) -> None:
    found = split("bert", 1, query=2, key=6)  # it looks ahead
    back = read_head(found.to_json())
    assert isinstance(back, WhyThere)
    assert back.to_json() == found.to_json()


def test_the_model_is_left_as_it_was(bert: LoadedEncoder) -> None:
    ids, hooks = torch.arange(5, 12)[None], hooks_of(bert)
    with torch.no_grad():
        before = bert.weights(ids).logits
        split("bert", 2)
        assert torch.equal(before, bert.weights(ids).logits)
    assert hooks_of(bert) == hooks


def hooks_of(model: LoadedEncoder) -> int:
    return sum(len(module._forward_hooks) for module in model.weights.modules())


@pytest.mark.parametrize(
    ("name", "asked", "words"),
    [
        ("bert", {"layer": 3}, "no block 3; choose one from 0 to 2"),
        ("bert", {"head": 4}, "no head 4"),
        ("bert", {"query": 99}, "no position 99"),
        ("bert", {"key": 12}, "no position 12; choose one from 0 to 11"),
        ("mobilebert", {"layer": 1}, "cannot be read exactly"),
        ("switch_transformers", {"layer": 2}, "cannot be read exactly"),
        ("mpnet", {}, "taken apart where queries and keys are recorded"),
        ("bart", {"part": "decoder", "key": 4}, "choose a key from 0 to 3"),
        ("bart", {"part": "cross", "key": 8}, "no position 8; choose one from 0 to 7"),
    ],
)
def test_what_cannot_be_split_is_refused(name: str, asked: dict[str, object], words: str) -> None:
    asked = {"prompt": TEXT, "second": SECOND, "layer": 1, "query": 3, "key": 2} | asked
    with pytest.raises(RequestError, match=words):
        encoder_why(random_encoder(name), WhyRequest.from_mapping(asked))
