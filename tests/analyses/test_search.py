"""The search by token: neurons and heads against loops over all of them."""

from __future__ import annotations

import time

import pytest
import torch

from flowviz.analyses import search_token
from flowviz.errors import Cancelled, RequestError
from flowviz.models import embeddings
from flowviz.models.embeddings import token_embeddings
from tests.analyses.by_hand import PROMPT, traced
from tests.models import random_model

TOKEN = 41


@pytest.fixture(scope="module")
def gpt2():
    return random_model("gpt2")


@pytest.fixture(scope="module")
def found(gpt2):
    return search_token(gpt2, f"#{TOKEN}", most=1000)


def test_every_neuron_stands_with_its_logit_cosine_and_rank(gpt2, found) -> None:
    matches = {
        (m.layer, m.index): m for m in (*found.promoting_neurons, *found.suppressing_neurons)
    }
    assert len(matches) == 3 * 48
    column = gpt2.W_U[:, TOKEN] * gpt2.ln_final.weight
    for layer, block in enumerate(gpt2.blocks):
        for index, value in enumerate(block.mlp.W_out[0]):
            centred = value - value.mean()
            logits = (centred * gpt2.ln_final.weight) @ gpt2.W_U
            match, logit = matches[layer, index], float(logits[TOKEN])
            assert match.logit == pytest.approx(logit, rel=1e-3, abs=1e-5)
            direction = column - column.mean()
            cosine = float(value @ direction / (value.norm() * direction.norm()))
            assert match.cosine == pytest.approx(cosine, rel=1e-3, abs=1e-5)
            signed = logits if logit > 0 else -logits
            assert match.rank == 1 + sum(x > float(signed[TOKEN]) for x in signed.tolist())


def test_heads_stand_with_their_strongest_source_tokens(gpt2, found) -> None:
    matches = {(m.layer, m.index, m.logit > 0): m for m in found.promoting_heads}
    matches |= {(m.layer, m.index, m.logit > 0): m for m in found.suppressing_heads}
    assert len(matches) == 2 * 3 * 4
    table = gpt2.bridge.original_model.get_input_embeddings().weight.detach()
    for layer, block in enumerate(gpt2.blocks):
        norm = block.attention.norm
        for head in range(4):
            logits = []
            for source in table:
                centred = source - source.mean()
                read = centred / (centred.pow(2).mean() + norm.eps).sqrt() * norm.weight
                value = read @ block.attention.W_V[head] @ block.attention.W_O[head]
                written = (value - value.mean()) * gpt2.ln_final.weight
                logits.append(float(written @ gpt2.W_U[:, TOKEN]))
            order = sorted(range(len(logits)), key=lambda token: -logits[token])
            for positive, best in ((True, order[:5]), (False, order[::-1][:5])):
                match = matches[layer, head, positive]
                assert [source.id for source in match.sources] == best
                assert match.logit == match.sources[0].logit
                for source in match.sources:
                    assert source.logit == pytest.approx(logits[source.id], rel=1e-3, abs=1e-5)


def test_the_strongest_come_first_and_no_more_than_asked(gpt2, found) -> None:
    few = search_token(gpt2, f"#{TOKEN}", most=4)
    for name in ("promoting_neurons", "promoting_heads"):
        logits = [match.logit for match in getattr(found, name)]
        assert logits == sorted(logits, reverse=True)
        assert min(logits) > 0
        assert [m.logit for m in getattr(few, name)] == pytest.approx(logits[:4])
    for name in ("suppressing_neurons", "suppressing_heads"):
        logits = [match.logit for match in getattr(found, name)]
        assert logits == sorted(logits)
        assert max(logits) < 0
        assert [m.logit for m in getattr(few, name)] == pytest.approx(logits[:4])
    assert (few.id, few.token) == (TOKEN, gpt2.vocabulary.text(TOKEN))


def test_pieces_of_the_vocabulary_are_put_together(gpt2, found, monkeypatch) -> None:
    monkeypatch.setattr(embeddings, "TOKENS", 70)
    told: list[float] = []
    again = search_token(gpt2, f"#{TOKEN}", 1000, lambda _, fraction: told.append(fraction))
    for mine, theirs in zip(again.promoting_heads, found.promoting_heads, strict=True):
        assert (mine.layer, mine.index) == (theirs.layer, theirs.index)
        assert [source.id for source in mine.sources] == [source.id for source in theirs.sources]
    assert told == sorted(told)
    assert len(told) == 2 + 5
    assert told[-1] == 1


@pytest.mark.parametrize(
    "architecture", ["gpt2", "gemma", "bloom", "granite", "opt", "opt_350m", "gpt_j", "gpt_oss"]
)
def test_embeddings_are_those_that_enter_the_first_block(architecture) -> None:
    model = random_model(architecture)
    trace = traced(model, PROMPT)
    table = torch.cat([some for _, some in token_embeddings(model)])
    entered = trace.embed if model.embed_bias is None else trace.embed + model.embed_bias
    torch.testing.assert_close(table[list(trace.ids)], entered, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(traced(model, PROMPT).logits, trace.logits)  # nothing is left behind


def test_grouped_queries_share_their_values() -> None:
    """Against the values that the model itself makes of one token alone."""
    model = random_model("llama")
    trace = traced(model, PROMPT)
    found = search_token(model, f"#{trace.ids[0]}", most=1000)
    block, part = model.blocks[0], trace.blocks[0]
    direction = model.ln_final.pull(model.W_U[:, trace.ids[0]])
    values = part.v[0].repeat_interleave(2, 0)  # the first token at position 0: nothing but itself
    own = torch.einsum("hd,hdm,m->h", values, block.attention.W_O, direction)
    table = torch.cat([some for _, some in token_embeddings(model)])
    norm = block.attention.norm
    read = norm.apply(table, norm.scale_of(table))
    weight = block.attention.W_V.repeat_interleave(2, 0)
    every = torch.einsum("vm,hmd,hdn,n->vh", read, weight, block.attention.W_O, direction)
    torch.testing.assert_close(every[trace.ids[0]], own, rtol=1e-3, atol=1e-4)
    best = {m.index: m.logit for m in found.promoting_heads if m.layer == 0}
    for head in range(4):
        assert best[head] == pytest.approx(float(every[:, head].max()), rel=1e-3)


def test_what_is_no_token_is_refused_and_what_is_given_up_ends(gpt2) -> None:
    with pytest.raises(RequestError, match="is not one token"):
        search_token(gpt2, "no token")

    def progress(_stage: str, fraction: float) -> None:
        if fraction > 0.2:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        search_token(gpt2, f"#{TOKEN}", progress=progress)


def test_the_demo_model_is_searched_at_once() -> None:
    import flowviz

    model = flowviz.load_model("demo")
    search_token(model, " Tokyo")
    begun = time.process_time()
    search_token(model, " Tokyo")
    assert time.process_time() - begun < 2  # about 0.03 s; the bound only forbids a loop
