"""Passes with other vectors at a site: what follows answers to them as if they had been there."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
import torch

from flowviz.contexts.encode import open_reader
from flowviz.contexts.encode.types import Reader, Tokens
from flowviz.contexts.kinds import Site, SiteKind
from flowviz.encoders.loaded import LoadedEncoder
from flowviz.errors import Cancelled, RequestError
from flowviz.factors import splice as splice_module
from flowviz.factors.passes import instead as instead_module
from flowviz.factors.passes import losses as losses_module
from flowviz.factors.passes.losses import losses_of
from flowviz.factors.passes.runs import FOLDS, Change, Run, runs_of
from flowviz.factors.splice import WHOLE, Losses, rebuilt, splice, splice_prompt
from flowviz.models.loaded import LoadedModel
from tests.architectures import ARCHITECTURES
from tests.contexts.encode.test_encoders import BLOCKS_NOT_FOUND
from tests.encoders.families import FAMILIES
from tests.encoders.models import random_encoder
from tests.factors.identity import both_ways
from tests.models import random_model

Vectors = Any
EXACT = 1e-5
ONE, OTHER = (5, 17, 42, 99, 3, 8, 120), (200, 100, 50, 25, 12, 6, 33)
ENCODERS = sorted(
    name for name, family in FAMILIES.items() if not family.both and name not in BLOCKS_NOT_FOUND
)
FEW = ("gpt2", "gpt_j", "gemma2", "gpt1", "opt_350m", "granite", "mixtral", "bert", "modernbert",
       "albert")  # fmt: skip
TEXTS = ("the cat sat on a mat", "She said that Mary and John", "in Japan", "the store")


def sites_of(reader: Reader) -> tuple[Site, ...]:
    return tuple(site for site in reader.sites if site.kind in WHOLE)


def made(name: str) -> LoadedModel | LoadedEncoder:
    return random_encoder(name) if name in ENCODERS else random_model(name)


def width_of(model: LoadedModel | LoadedEncoder) -> int:
    return model.shape.d_model


def texts_of(model: LoadedModel | LoadedEncoder) -> list[Tokens]:
    reader = open_reader(model)
    return [reader.tokens(text) for text in TEXTS]


def made_other(sites: dict[Site, Vectors], others: dict[Site, Vectors], site: Site) -> Vectors:
    """What must be added at a site so that the state behind it is that of the other text."""
    layer = site.layer
    gap: dict[SiteKind, Vectors] = {
        kind: others[Site(kind, layer)] - sites[Site(kind, layer)]
        for kind in WHOLE
        if Site(kind, layer) in sites
    }
    if site.kind not in (SiteKind.ATTN_OUT, SiteKind.MLP_OUT):
        return others[site] - sites[site]
    if SiteKind.RESID_MID not in gap:  # side by side: both are added to the same state
        return gap[SiteKind.RESID_PRE] + gap[SiteKind.ATTN_OUT] + gap[SiteKind.MLP_OUT]
    if site.kind is SiteKind.ATTN_OUT:
        return gap[SiteKind.RESID_PRE] + gap[SiteKind.ATTN_OUT]
    return gap[SiteKind.RESID_MID] + gap[SiteKind.MLP_OUT]


def check_all_sites(model: Any, runs: tuple[Run, Run]) -> None:
    """With the other text's vectors in their place, the other text's predictions follow."""
    one, other = runs
    reader = open_reader(model)
    sites = sites_of(reader)
    own, others = (reader.vectors([run.ids], sites) for run in runs)
    rows = [(one, Change(site, made_other(own, others, site))) for site in sites]
    clean, expected, *found = losses_of(
        model, [(one, None), (Run(other.ids, one.asked, other.special), None), *rows]
    )
    assert abs(clean - expected) > 2 * EXACT
    for site, loss in zip(sites, found, strict=True):
        assert abs(loss - expected) <= EXACT, site


@pytest.mark.parametrize("name", sorted(ARCHITECTURES))
def test_what_is_put_in_is_what_follows_in_gpts(name: str) -> None:
    model = random_model(name)
    asked = tuple(zip(range(6), ONE[1:], strict=False))
    check_all_sites(model, (Run(ONE, asked), Run(OTHER, asked)))


@pytest.mark.parametrize("name", ENCODERS)
def test_what_is_put_in_is_what_follows_in_encoders(name: str) -> None:
    model = random_encoder(name)
    reader = open_reader(model)
    one, other = (reader.tokens(text).ids for text in ("the cat sat on", "a mat and mary"))
    check_all_sites(model, (Run(one, ((1, 5),)), Run(other, ((1, 5),))))


@pytest.mark.parametrize("name", sorted(BLOCKS_NOT_FOUND))
def test_states_that_cannot_be_replaced_are_refused_by_name(name: str) -> None:
    model = random_encoder(name)
    site = Site(SiteKind.RESID_PRE, 1)
    with pytest.raises(RequestError, match=f"{site}.*can be read"):
        splice(model, both_ways(32, (site,)), texts_of(model))


def test_what_has_no_loss_of_its_own_is_refused() -> None:
    model = random_encoder("t5")
    with pytest.raises(RequestError, match="decoder"):
        splice(model, both_ways(32, (Site(SiteKind.RESID_PRE, 1),)), texts_of(model))


@pytest.mark.parametrize("name", FEW)
def test_perfect_reconstructions_keep_the_clean_loss(name: str) -> None:
    model = made(name)
    sites = sites_of(open_reader(model))
    losses = splice(model, both_ways(width_of(model), sites), texts_of(model))
    np.testing.assert_allclose(losses.spliced, np.tile(losses.clean, (len(sites), 1)), atol=EXACT)
    assert np.abs(losses.ablated - losses.clean).max() > 1e-3
    for recovered, ablated in zip(losses.recovered, losses.ablated, strict=True):
        worse = float((ablated - losses.clean) @ losses.predicted)
        assert (recovered is None) is (worse <= 0)
        assert recovered is None or abs(recovered - 1) <= 1e-2


@pytest.mark.parametrize("name", FEW)
def test_no_factors_are_the_offset(name: str) -> None:
    """A dictionary without an active factor gives its offset, and so does one that is the mean."""
    model = made(name)
    sites = sites_of(open_reader(model))
    silent = both_ways(width_of(model), sites, threshold=1e9, offset=0.25)
    means = {site: np.full(width_of(model), 0.25, np.float32) for site in sites}
    losses = splice(model, silent, texts_of(model), means=means)
    np.testing.assert_allclose(losses.spliced, losses.ablated, atol=EXACT)
    assert losses.recovered == pytest.approx(
        [0 if r is not None else None for r in losses.recovered], abs=1e-6
    )


def test_the_mean_is_that_of_the_texts_alone() -> None:
    model = random_model("gpt2")
    reader, site = open_reader(model), Site(SiteKind.RESID_PRE, 1)
    texts = texts_of(model)
    vectors = reader.vectors([text.ids for text in texts], [site])[site]
    special = np.concatenate([text.special for text in texts])
    means = {site: vectors[~special].mean(0)}
    own = splice(model, both_ways(width_of(model), (site,)), texts)
    given = splice(model, both_ways(width_of(model), (site,)), texts, means=means)
    np.testing.assert_allclose(own.ablated, given.ablated, atol=EXACT)


def test_recovered_by_hand() -> None:
    losses = Losses(
        (Site(SiteKind.RESID_PRE, 0), Site(SiteKind.RESID_PRE, 1)), np.array([1, 3]),
        np.array([1.0, 2.0]), np.array([[1.0, 3.0], [1.0, 2.0]]),
        np.array([[5.0, 6.0], [1.0, 2.0]]),
    )  # fmt: skip
    assert losses.recovered == (pytest.approx((5.75 - 2.5) / (5.75 - 1.75)), None)
    assert losses.recovered_in_all == pytest.approx(3.25 / 4)


def test_the_loss_is_that_of_the_models_own_logits() -> None:
    model = random_model("gemma2")
    ids = torch.tensor([ONE])
    with torch.inference_mode():
        logits = model.bridge.original_model(ids).logits[0]
    expected = torch.nn.functional.cross_entropy(logits[:-1], ids[0, 1:])
    dictionary = both_ways(width_of(model), (Site(SiteKind.RESID_PRE, 1),))
    loss, [spliced] = splice_prompt(model, dictionary, ONE, ())
    assert loss == pytest.approx(float(expected), abs=EXACT)
    assert spliced == pytest.approx(loss, abs=EXACT)


def test_the_loss_of_an_encoder_is_that_of_its_own_logits() -> None:
    model = random_encoder("bert")
    text = texts_of(model)[0]
    special = [i for i, is_special in enumerate(text.special) if is_special]
    runs = runs_of(model, text.ids, special)
    for run, loss in zip(runs, losses_of(model, [(run, None) for run in runs]), strict=True):
        ids = torch.tensor([run.ids])
        with torch.inference_mode():
            logits = model.weights(ids, attention_mask=torch.ones_like(ids)).logits[0]
        places, wanted = zip(*run.asked, strict=True)
        own = torch.nn.functional.cross_entropy(logits[list(places)], torch.tensor(wanted))
        assert loss == pytest.approx(float(own), abs=EXACT)


def test_each_word_piece_is_hidden_once() -> None:
    model = random_encoder("bert")
    text = open_reader(model).tokens("the cat sat on a mat while mary went to the store")
    special = [i for i, is_special in enumerate(text.special) if is_special]
    runs = runs_of(model, text.ids, special)
    hidden = [place for run in runs for place, _ in run.asked]
    assert len(runs) == FOLDS
    assert sorted(hidden) == [i for i in range(len(text)) if i not in special]
    for run in runs:
        changed = {i for i, (a, b) in enumerate(zip(run.ids, text.ids, strict=True)) if a != b}
        assert changed == {place for place, _ in run.asked}
        assert all(text.ids[place] == token for place, token in run.asked)
    assert runs_of(model, text.ids, special, copy=9) == (runs[2],)


def test_special_tokens_keep_their_vectors() -> None:
    """Without text there is nothing to replace: the loss stays as it is, whatever is put in."""
    model = random_model("gpt2")
    silent = both_ways(width_of(model), (Site(SiteKind.RESID_PRE, 1),), threshold=1e9)
    loss, [spliced] = splice_prompt(model, silent, ONE, range(len(ONE)))
    assert spliced == pytest.approx(loss, abs=EXACT)
    assert splice_prompt(model, silent, ONE, ())[1][0] != pytest.approx(loss, abs=1e-3)


@pytest.mark.parametrize(
    ("site", "ids", "words"),
    [
        ("heads:1", ONE, "cannot be replaced"),
        ("resid_pre:9", ONE, "no site"),
        ("resid_pre:1", ONE[:1], "no token to predict"),
    ],
)
def test_what_cannot_be_spliced_is_refused(site: str, ids: tuple[int, ...], words: str) -> None:
    model = random_model("gpt2")
    with pytest.raises(RequestError, match=words):
        splice_prompt(model, both_ways(width_of(model), (Site.parse(site),)), ids, ())


def test_another_width_is_refused() -> None:
    with pytest.raises(RequestError, match="another model's"):
        splice_prompt(random_model("gpt2"), both_ways(8, (Site(SiteKind.RESID_PRE, 1),)), ONE, ())


def test_it_tells_its_progress_and_can_be_stopped() -> None:
    model, told = random_model("gpt2"), list[float]()

    def stop(_stage: str, fraction: float) -> None:
        told.append(fraction)
        if fraction >= 0.5:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        splice(model, both_ways(width_of(model), (Site(SiteKind.RESID_PRE, 1),)),
               texts_of(model), progress=stop)  # fmt: skip
    assert told == [0.0, 0.5]


def test_batches_give_what_each_text_gives_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    model = random_model("gpt2")
    coarse = both_ways(width_of(model), sites_of(open_reader(model))[:4], threshold=0.5)
    together = splice(model, coarse, texts_of(model))
    monkeypatch.setattr(losses_module, "TOKENS_AT_ONCE", 1)
    monkeypatch.setattr(splice_module, "TEXTS_AT_ONCE", 1)
    monkeypatch.setattr(instead_module, "VECTORS_AT_ONCE", 1)
    alone = splice(model, coarse, texts_of(model))
    np.testing.assert_allclose(together.clean, alone.clean, atol=EXACT)
    np.testing.assert_allclose(together.spliced, alone.spliced, atol=1e-4)
    np.testing.assert_allclose(together.ablated, alone.ablated, atol=EXACT)


def test_sums_are_those_of_the_split() -> None:
    dictionary = both_ways(8, (Site(SiteKind.RESID_PRE, 1),), threshold=0.7, offset=0.1)
    vectors = np.random.default_rng(0).standard_normal((6, 8), np.float32)
    found = rebuilt(dictionary, vectors)
    for vector, split, row in zip(vectors, dictionary.split(vectors), found, strict=True):
        np.testing.assert_allclose(vector - split.error, row, atol=1e-6)
    assert rebuilt(dictionary, vectors[:0]).shape == (0, 8)


@pytest.mark.parametrize("name", ["gpt2", "bert"])
def test_passes_wait_for_the_models_lock_and_leave_no_hooks(name: str) -> None:
    model = made(name)
    dictionary = both_ways(width_of(model), (Site(SiteKind.RESID_PRE, 1),))
    texts, done = texts_of(model), threading.Event()
    hooks = sum(len(module._forward_hooks) for module in model.module.modules())

    def work() -> None:
        splice(model, dictionary, texts)
        done.set()

    thread = threading.Thread(target=work)
    with model.lock:
        thread.start()
        assert not done.wait(0.5)
    thread.join(60)
    assert done.is_set()
    assert sum(len(module._forward_hooks) for module in model.module.modules()) == hooks


def test_in_half_precision_perfect_reconstructions_keep_the_loss() -> None:
    model = random_model("llama", dtype="bfloat16")
    sites = sites_of(open_reader(model))
    losses = splice(model, both_ways(width_of(model), sites), texts_of(model))
    np.testing.assert_allclose(losses.spliced, np.tile(losses.clean, (len(sites), 1)), atol=0.03)
