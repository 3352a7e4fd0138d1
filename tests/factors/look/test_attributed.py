"""One activation over the tokens of its sentence: the exact split, and masking."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from flowviz.contexts.encode import open_reader
from flowviz.contexts.kinds import Site, SiteKind
from flowviz.errors import RequestError
from flowviz.factors.kinds import Method
from flowviz.factors.look.affine import affine_of
from flowviz.factors.look.attributed import attribute
from flowviz.factors.look.masking import WIDTH, drawn_masks, ridge
from flowviz.factors.look.state_flow import SPLIT, state_flow
from flowviz.factors.look.survey import Options, survey
from flowviz.factors.look.surveyed import Survey
from flowviz.factors.request import FactorsRequest
from flowviz.trace import record
from tests.encoders.models import random_encoder
from tests.factors.look.made import SmallCorpus, made
from tests.models import random_model

ARCHITECTURES = ("gpt2", "opt", "gpt1", "llama", "gemma2", "gpt_neox", "bloom", "granite", "olmo2",
                 "mixtral", "opt_350m", "cohere")  # fmt: skip
IDS = list(range(3, 20))
PRE = Site(SiteKind.RESID_PRE, 2)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_functional_of_any_site_is_the_sum_of_its_parts(architecture: str) -> None:
    model = random_model(architecture)
    reader, trace = open_reader(model), record(model, IDS)
    sites = [site for site in reader.sites if site.kind in SPLIT]
    assert len({site.kind for site in sites}) >= 4
    vectors = reader.vectors([IDS], sites)
    for site in sites:
        u = torch.randn(reader.sites[site], generator=torch.Generator().manual_seed(1))
        own = torch.from_numpy(vectors[site][11])
        found = state_flow(model, trace, site, 11, u)
        size = max(float(own.norm() * u.norm()), 1.0)
        whole = float(found.tokens.sum()) + found.positions + found.biases
        assert abs(whole - float(own @ u)) <= 1e-5 * size, site
        assert len(found.tokens) == 12


def test_tokens_give_what_the_frozen_pass_says() -> None:
    """Against autograd through a pass of GPT-2 whose patterns, norms and gates are frozen."""
    model = random_model("gpt2")
    trace = record(model, IDS)
    u = torch.randn(32, generator=torch.Generator().manual_seed(2))
    found = state_flow(model, trace, Site(SiteKind.RESID_MID, 1), 9, u)
    x = trace.embed.clone().requires_grad_()
    state = x + trace.pos_embed.clone()
    for layer in (0, 1):
        block, part = model.blocks[layer], trace.blocks[layer]
        norm = block.attention.norm
        read = norm.apply(state, part.ln1_scale.clone()) + norm.bias
        v = torch.einsum("pd,hde->phe", read, block.attention.W_V) + block.attention.b_V
        z = torch.einsum("hqk,khe->qhe", part.pattern.clone(), v)
        state = state + torch.einsum("qhe,hed->qd", z, block.attention.W_O) + block.attention.b_O
        if layer == 0:
            norm = block.mlp.norm
            read = norm.apply(state, part.ln2_scale.clone()) + norm.bias
            neurons = part.gate.clone() * (read @ block.mlp.W_in[0] + block.mlp.b_in)
            state = state + neurons @ block.mlp.W_out[0] + block.mlp.b_out[0]
    (gradient,) = torch.autograd.grad((state[9] * u).sum(), x)
    expected = (gradient * trace.embed).sum(1)[:10]
    torch.testing.assert_close(found.tokens, expected.detach(), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("method", [Method.RELU, Method.TOPK, Method.CODING])
def test_an_activation_is_affine_in_its_vector(method: Method) -> None:
    model = random_model("gpt2")
    dictionary = made(model, (PRE,), method)
    vector = open_reader(model).vectors([IDS], [PRE])[PRE][5]
    factors, values = dictionary.encode(vector[None]).row(0)
    assert len(factors) > 2
    for factor, value in zip(factors.tolist(), values.tolist(), strict=True):
        w, c = affine_of(dictionary, vector, factor)
        assert abs(w @ vector.astype(np.float64) + c - value) <= 1e-3 * max(1.0, value)
        small = 1e-4 * np.random.default_rng(0).standard_normal(len(vector)).astype(np.float32)
        moved, own = dictionary.encode((vector + small)[None]).row(0)
        if set(moved.tolist()) == set(factors.tolist()):
            change = float(own[moved.tolist().index(factor)]) - value
            assert abs(change - w @ small) <= 2e-3


def surveyed(model: object, dictionary: object) -> Survey:
    return survey(dictionary, model, SmallCorpus(), Options(levels=False))  # type: ignore[arg-type]


def first_context(found: Survey, factor: int, site: int = 0) -> FactorsRequest:
    row = found.row(site, factor)
    at = int(found.top.starts[row])
    assert at < found.top.starts[row + 1]
    return FactorsRequest(
        factor=factor, site=found.info.sites[site],
        sentence=int(found.top.sentence[at]), position=int(found.top.position[at]),
    )  # fmt: skip


@pytest.mark.parametrize("architecture", ["gpt2", "llama", "gemma2", "bloom"])
@pytest.mark.parametrize("method", [Method.RELU, Method.CODING])
def test_flow_sums_to_the_activation(architecture: str, method: Method) -> None:
    model = random_model(architecture)
    sites = (PRE, Site(SiteKind.MLP_OUT, 1), Site(SiteKind.ATTN_OUT, 1), Site(SiteKind.RESID_FINAL))
    sites = tuple(site for site in sites if site in open_reader(model).sites)
    dictionary = made(model, sites, method)
    found = surveyed(model, dictionary)
    for index in range(len(sites)):
        factor = int(found.importance[index].argmax())
        request = first_context(found, factor, index)
        told = attribute(found, dictionary, model, request)
        read = found.sentences[request.sentence or 0].read(open_reader(model))
        vectors = open_reader(model).vectors([read.tokens.ids], [sites[index]])
        values = dictionary.encode(vectors[sites[index]][told.position][None]).row(0)
        assert (
            told.activation == dict(zip(*(each.tolist() for each in values), strict=True))[factor]
        )
        assert len(told.flow) == len(told.tokens) == len(told.masking)
        whole = sum(told.flow) + told.biases + told.rest
        assert whole == pytest.approx(told.activation, rel=1e-5)
        trace = record(model, [token.id for token in told.tokens[: told.position + 1]])
        if trace.pos_embed is None:  # nothing but the encoder's tolerance is left
            slack = 1e-3 if method is Method.CODING else 1e-4
            assert abs(told.rest) <= slack * max(1.0, told.activation)


def test_masking_finds_the_planted_token() -> None:
    """A factor that is the embedding of one token, read where that token stands."""
    model = random_model("gpt2")
    site = Site(SiteKind.RESID_PRE, 0)
    token = open_reader(model).tokens(" cat").ids[-1]
    table = model.bridge.original_model.get_input_embeddings().weight
    dictionary = made(model, (site,), atoms=table[token][None].detach(), bias=-0.01)
    found = surveyed(model, dictionary)
    request = first_context(found, 0)
    told = attribute(found, dictionary, model, request)
    strongest = int(np.abs(told.masking).argmax())
    assert strongest == told.position
    others = [abs(w) for place, w in enumerate(told.masking) if place != told.position]
    assert max(others) < 0.05 * told.masking[told.position]
    assert told.fit > 0.99
    assert int(np.abs(told.flow).argmax()) == told.position


def test_masking_is_a_weighted_ridge_regression() -> None:
    kept = drawn_masks(6, 300)
    assert kept[0].all()
    assert set(kept.sum(1).tolist()) == set(range(7))
    planted = np.array([0.0, 2.0, -1.0, 0.0, 0.5, 0.0])
    weights, fit = ridge(kept, kept @ planted + 3.0)
    weight = np.sqrt(np.exp(-((1 - np.sqrt(kept.mean(1))) ** 2) / WIDTH**2))
    design = np.concatenate([kept, np.ones((300, 1))], axis=1)
    penalty = np.diag([1.0] * 6 + [0.0])
    slow = np.linalg.solve(
        design.T @ (weight[:, None] * design) + penalty,
        design.T @ (weight * (kept @ planted + 3.0)),
    )
    np.testing.assert_allclose(weights, slow[:6], atol=1e-10)
    np.testing.assert_allclose(weights, planted, atol=0.2)
    assert fit > 0.98


def test_an_encoder_has_masking_alone() -> None:
    model = random_encoder("bert")
    dictionary = made(model, (Site(SiteKind.RESID_PRE, 1),))
    found = surveyed(model, dictionary)
    factor = int(found.importance[0].argmax())
    told = attribute(found, dictionary, model, first_context(found, factor))
    assert told.flow == ()
    assert "masking" in told.notes[0]
    assert told.masking[0] == told.masking[-1] == 0  # [CLS] and [SEP]
    assert any(told.masking)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sentence": None}, "No context is named"),
        ({"position": 99}, "no token 99"),
        ({"sentence": 999}, "Sentence 999"),
        ({"factor": 500}, "no factor 500"),
    ],
)
def test_what_is_not_there_is_refused(change: dict[str, int | None], words: str) -> None:
    model = random_model("gpt2")
    dictionary = made(model, (PRE,))
    found = surveyed(model, dictionary)
    asked = {"factor": 1, "sentence": 0, "position": 1} | change
    with pytest.raises(RequestError, match=words):
        attribute(found, dictionary, model, FactorsRequest(**asked))  # type: ignore[arg-type]
