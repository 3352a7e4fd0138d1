"""What all readers keep: sites asked for alone, questions, identities, words for faults."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from flowviz.contexts.encode import open_reader
from flowviz.contexts.encode.heads import roots, small
from flowviz.contexts.encode.identity import identity_of
from flowviz.contexts.encode.types import Reader
from flowviz.contexts.kinds import Site, SiteKind
from flowviz.encoders.loading import load_any
from flowviz.errors import RequestError
from tests.architectures import UNCOVERED
from tests.contexts.encode.test_gpts import far
from tests.encoders.models import random_encoder, save_encoder
from tests.models import random_model, save_model

TEXTS = ((5, 17, 42, 9), (11, 12))
FINAL = Site(SiteKind.RESID_FINAL)


def gpt() -> Reader:
    return open_reader(random_model("gpt2"))


def bert() -> Reader:
    return open_reader(random_encoder("bert"))


both = pytest.mark.parametrize("make", [gpt, bert])


@both
def test_a_reader_is_one(make: type) -> None:
    assert isinstance(make(), Reader)


@both
def test_usual_sites_are_hidden_states_and_heads_of_all_layers(make: type) -> None:
    reader = make()
    assert [str(site) for site in reader.default_sites] == [
        *(f"{kind}:{layer}" for layer in range(3) for kind in ("resid_pre", "heads", "resid_mid")),
        "resid_final",
    ]
    assert set(reader.default_sites) < set(reader.sites)
    assert reader.sites[Site(SiteKind.NEURONS, 1)] == 48
    assert (reader.head_width(2), reader.sites[Site(SiteKind.HEADS, 2)]) == (8, 32)


@both
def test_one_site_alone_is_as_among_all(make: type) -> None:
    reader = make()
    everything = reader.vectors(TEXTS, tuple(reader.sites))
    for site in reader.sites:
        (alone,) = reader.vectors(TEXTS, [site]).values()
        assert alone.dtype == np.float32
        assert far(alone, everything[site]) <= 1e-6


@both
def test_no_texts_and_no_sites_are_no_vectors(make: type) -> None:
    reader = make()
    assert reader.vectors([], [FINAL])[FINAL].shape == (0, 32)
    assert reader.vectors(TEXTS, []) == {}
    assert reader.attention([], [(0, 0)]) == []


@pytest.mark.parametrize("kind", ["gpt", "encoder"])
def test_no_layer_behind_the_last_site_is_run_and_nothing_is_predicted(kind: str) -> None:
    if kind == "gpt":
        model = random_model("gpt2")
        weights = model.bridge.original_model
        layers, head = weights.transformer.h, weights.lm_head
    else:
        model = random_encoder("bert")
        layers, head = model.weights.bert.encoder.layer, model.weights.cls
    ran: list[str] = []
    watched = {str(place): layer for place, layer in enumerate(layers)} | {"head": head}
    handles = [
        module.register_forward_pre_hook(lambda *_, name=name: ran.append(name))
        for name, module in watched.items()
    ]
    reader = open_reader(model)
    try:
        assert reader.sites
        for site, expected in (
            (Site(SiteKind.RESID_PRE, 0), []),
            (Site(SiteKind.HEADS, 1), ["0", "1"]),
            (Site(SiteKind.RESID_PRE, 2), ["0", "1"]),
            (FINAL, ["0", "1", "2"]),
        ):
            ran.clear()
            reader.vectors(TEXTS, [site])
            assert [name for name in ran if name not in expected] in ([], [str(len(expected))])
            assert "head" not in ran
        ran.clear()
        reader.attention(TEXTS, [(0, 1), (1, 0)])
        assert ran == ["0", "1"]
    finally:
        for handle in handles:
            handle.remove()


def test_a_pass_that_was_ended_leaves_the_model_as_it_was() -> None:
    for model in (random_model("gemma2"), random_encoder("modernbert")):
        reader = open_reader(model)
        before = reader.vectors(TEXTS, [FINAL])[FINAL]
        reader.vectors(TEXTS, [Site(SiteKind.RESID_PRE, 1)])
        reader.attention(TEXTS, [(0, 0)])
        assert np.array_equal(reader.vectors(TEXTS, [FINAL])[FINAL], before)


@pytest.mark.parametrize("name", sorted(UNCOVERED))
def test_what_cannot_be_read_exactly_is_not_offered(name: str) -> None:
    reader = open_reader(random_model(name))
    kinds = {site.kind for site in reader.sites}
    assert {SiteKind.RESID_PRE, SiteKind.RESID_FINAL} <= kinds
    assert (SiteKind.HEADS in kinds) is (name not in ("deepseek_v3", "mamba"))
    dense = {site.layer for site in reader.sites if site.kind is SiteKind.NEURONS}
    assert dense == {"deepseek_v3": {0}, "xglm": {0, 1, 2}}.get(name, set())
    alone = reader.vectors(TEXTS[1:], tuple(reader.sites))
    for site, vectors in reader.vectors(TEXTS, tuple(reader.sites)).items():
        assert far(vectors[len(TEXTS[0]) :], alone[site]) <= 1e-5


def test_neurons_of_many_experts_are_too_wide(monkeypatch: pytest.MonkeyPatch) -> None:
    site = Site(SiteKind.NEURONS, 0)
    with monkeypatch.context() as patch:
        patch.setattr("flowviz.contexts.encode.gpt_found.MOST_NEURONS", 4 * 48 - 1)
        assert site not in open_reader(random_model("mixtral", seed=3)).sites
    assert open_reader(random_model("mixtral")).sites[site] == 4 * 48


def test_a_root_of_any_rank_keeps_inner_products() -> None:
    generator = torch.Generator().manual_seed(0)
    written = torch.randn(2, 8, 5, generator=generator)  # of rank 5, and then of rank 2
    written[1] = written[1, :, :2] @ torch.randn(2, 5, generator=generator)
    z = torch.randn(7, 2, 8, generator=generator)
    vectors, root = small(z, roots(written)), roots(written)
    assert torch.allclose(root, root.transpose(1, 2), atol=1e-6)
    for head in range(2):
        own = z[:, head] @ written[head]
        mine = vectors[:, head]
        assert far((mine @ mine.T).numpy(), (own @ own.T).numpy()) <= 1e-5


@both
def test_what_it_does_not_have_is_said(make: type) -> None:
    reader = make()
    with pytest.raises(RequestError, match=r"no site heads:7; it has heads in the layers 0 to 2"):
        reader.vectors(TEXTS, [Site(SiteKind.HEADS, 7)])
    with pytest.raises(RequestError, match=r"no head 1\.9; .* the layers 0 to 2 with the heads"):
        reader.attention(TEXTS, [(1, 9)])
    with pytest.raises(RequestError, match="No heads are chosen"):
        reader.attention(TEXTS, [])
    with pytest.raises(RequestError, match=r"65 tokens; .* takes at most 64\. Cut it"):
        reader.vectors([[5] * 65], [FINAL])
    for wrong in (-1, 900):
        with pytest.raises(RequestError, match=rf"id {wrong}; .* has the ids 0 to \d+\. Read the"):
            reader.attention([[5], [5, wrong]], [(0, 0)])


def test_a_kind_of_site_that_no_layer_has_is_said() -> None:
    with pytest.raises(RequestError, match=r"no site resid_mid:0; it has resid_pre, heads, attn_"):
        open_reader(random_model("gpt_j")).vectors(TEXTS, [Site(SiteKind.RESID_MID, 0)])
    with pytest.raises(RequestError, match="shows no attention in layer 0"):
        open_reader(random_model("mamba")).attention(TEXTS, [(0, 0)])


def test_a_question_to_a_gpt() -> None:
    asked = gpt().ask("the cat", " sat on")
    assert asked.types is None
    assert "".join(token.text for token in asked.column.tokens) == "the cat sat on"
    assert asked.column.second == len(gpt().tokens("the cat").ids)
    assert asked.ids == gpt().tokens("the cat sat on").ids
    with pytest.raises(RequestError, match="is a GPT, and tokens are hidden from encoders alone"):
        gpt().ask("the cat", mask=(1,))
    with pytest.raises(RequestError, match="no tokens"):
        gpt().ask("")


def test_a_question_to_an_encoder() -> None:
    asked = bert().ask("the cat", "sat on", mask=(2,))
    assert (asked.ids[2], asked.column.masked, asked.column.second) == (4, (2,), 4)
    assert asked.types == (0, 0, 0, 0, 1, 1, 1)
    with pytest.raises(RequestError, match="writes a second text with its decoder"):
        open_reader(random_encoder("t5")).ask("the cat", "sat")
    assert open_reader(random_encoder("t5")).ask("the cat").column.special == (0, 3)


def test_which_text_a_token_belongs_to_is_given_on() -> None:
    model, reader = random_encoder("bert"), bert()
    asked, other = reader.ask("the cat", "sat on"), reader.tokens("on a mat").ids
    found = reader.vectors([asked.ids, other], [FINAL], [asked.types, None])[FINAL]
    with torch.inference_mode():
        pair = model.weights.bert(
            torch.tensor([asked.ids]), token_type_ids=torch.tensor([asked.types])
        )
    assert far(found[: len(asked.ids)], pair.last_hidden_state[0]) <= 1e-5
    assert far(found[len(asked.ids) :], reader.vectors([other], [FINAL])[FINAL]) <= 1e-5
    untyped = reader.vectors([asked.ids], [FINAL])[FINAL]
    assert far(untyped, pair.last_hidden_state[0]) > 1e-2
    (mean, _) = reader.attention([asked.ids, other], [(1, 0)], [asked.types, None])
    (plain,) = reader.attention([asked.ids], [(1, 0)])
    assert not np.allclose(mean, plain, atol=1e-3)


@pytest.mark.parametrize("save", [save_model, save_encoder])
def test_an_identity_is_of_weights_and_tokenizer(save: type, tmp_path: Path) -> None:
    name = "gpt2" if save is save_model else "bert"
    folder, moved = save(name, tmp_path / "one"), tmp_path / "two"
    shutil.copytree(folder, moved)
    model, again = load_any(str(folder)), load_any(str(moved))
    assert identity_of(model) == identity_of(again)
    assert open_reader(model).identity == identity_of(model)
    reader = open_reader(again)
    reader.tokens("the cat")
    reader.vectors(TEXTS, [FINAL])
    assert identity_of(again) == identity_of(model)
    other = load_any(str(save(name, tmp_path / "other", seed=1)))
    assert identity_of(other) != identity_of(model)
    with torch.no_grad():  # one number of one matrix
        weight = max(again.module.parameters(), key=lambda each: each.numel())
        weight.view(-1)[weight.numel() // 2 + 1] += 1e-3
    assert identity_of(again) != identity_of(model)
    file = moved / "tokenizer.json"
    said = json.loads(file.read_text())
    said["normalizer"] = {"type": "Lowercase"}
    file.write_text(json.dumps(said))
    assert identity_of(load_any(str(moved))) != identity_of(model)


def test_a_reader_does_not_keep_its_model(tmp_path: Path) -> None:
    import gc
    import weakref

    model = load_any(str(save_encoder("bert", tmp_path / "bert")))
    reader = open_reader(model)
    reader.vectors(TEXTS, tuple(reader.sites))
    assert reader.identity
    gone = weakref.ref(model)
    del model, reader
    gc.collect()
    assert gone() is None
