"""Dictionaries on disk: what is read is what was written; what is broken or foreign is refused."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from flowviz.contexts.kinds import Site
from flowviz.errors import RequestError
from flowviz.factors.dictionary import tensors
from flowviz.factors.dictionary.files import (
    CARD,
    WEIGHTS,
    load_dictionary,
    read_about,
    save_dictionary,
)
from flowviz.factors.kinds import Method
from tests.factors.dictionary.made import FACTORS, WIDTH, made

RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize("method", Method)
def test_what_is_read_is_what_was_written(method: Method, tmp_path: Path) -> None:
    dictionary = made(method)
    save_dictionary(dictionary, tmp_path / "one")
    assert sorted(file.name for file in (tmp_path / "one").iterdir()) == sorted([CARD, WEIGHTS])
    read = load_dictionary(tmp_path / "one")
    assert read.about == dictionary.about
    vectors = RANDOM.standard_normal((5, WIDTH), np.float32)
    one, two = dictionary.encode(vectors), read.encode(vectors)
    np.testing.assert_array_equal(one.factors, two.factors)
    np.testing.assert_array_equal(one.activations, two.activations)


def broken(folder: Path, change: Any) -> Path:
    save_dictionary(made(Method.TOPK), folder)
    change(folder)
    return folder


def edit(**parts: Any) -> Any:
    def change(folder: Path) -> None:
        card = json.loads((folder / CARD).read_text())
        for name, value in parts.items():
            card["about" if name in card["about"] else "options"][name] = value
        (folder / CARD).write_text(json.dumps(card))

    return change


def cut(folder: Path) -> None:
    data = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(data[: len(data) // 2])


def replace_card(**parts: Any) -> Any:
    def change(folder: Path) -> None:
        card = json.loads((folder / CARD).read_text())
        (folder / CARD).write_text(json.dumps(card | parts))

    return change


def weights(**parts: torch.Tensor | None) -> Any:
    def change(folder: Path) -> None:
        held = load_file(folder / WEIGHTS) | parts
        save_file({name: one for name, one in held.items() if one is not None}, folder / WEIGHTS)

    return change


def pickled(folder: Path) -> None:
    torch.save({"atoms": torch.eye(WIDTH)}, folder / WEIGHTS)


def declared_huge(folder: Path) -> None:
    """A header that promises a terabyte, and nothing behind it."""
    said = {"atoms": {"dtype": "F32", "shape": [10**6, 250_000], "data_offsets": [0, 10**12]}}
    header = json.dumps(said).encode()
    (folder / WEIGHTS).write_bytes(len(header).to_bytes(8, "little") + header)


def as_pipe(folder: Path) -> None:
    (folder / WEIGHTS).unlink()
    os.mkfifo(folder / WEIGHTS)


def as_folder(folder: Path) -> None:
    (folder / WEIGHTS).unlink()
    (folder / WEIGHTS).mkdir()


def link(file: Path, target: str) -> None:
    file.unlink()
    file.symlink_to(target)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (cut, "no whole safetensors"),
        (lambda folder: (folder / WEIGHTS).unlink(), "no whole safetensors"),
        (lambda folder: (folder / CARD).write_text("[]"), "no JSON object"),
        (lambda folder: (folder / CARD).write_text("{"), "as JSON"),
        (lambda folder: (folder / CARD).write_text("[" * 100_000), "as JSON"),
        (lambda folder: (folder / CARD).write_text(" " * 2**21), "no card"),
        (lambda folder: (folder / CARD).write_text('{"version": 9}'), "version '9'"),
        (lambda folder: (folder / CARD).write_text("{}"), "broken"),
        (edit(factors=41), "broken"),
        (edit(method="magic"), "broken"),
        (edit(sites=["nowhere"]), "site is 'nowhere'"),
        (edit(k="many"), "broken"),
        (edit(k=0), "k is '0'"),
        (edit(k=True), "k is 'True'"),
        (edit(k=2.0), "k is '2.0'"),
        (edit(k=FACTORS + 1), "from 1 to 40"),
        (edit(by_length="no"), "true or false"),
        (edit(name={"a": 1}), "name is 'a dict'"),
        (edit(name="x" * 201), "name is"),
        (edit(model="a\nb"), "model is"),
        (edit(factors="40"), "whole number"),
        (edit(factors=-40), "whole number"),
        (edit(width=10**30), "whole number"),
        (edit(sites=[]), "1 to"),
        (edit(sites="resid_pre:1"), "1 to"),
        (edit(sites=["resid_pre:2"] * 2), "repetitions"),
        (edit(sites=[["resid_pre:2"]]), "site is"),
        (edit(explained=float("nan")), "explained is"),
        (edit(explained=10**400), "explained is"),
        (edit(l0="16"), "l0 is"),
        (edit(dead=True), "dead is"),
        (edit(notes="one"), "notes is"),
        (edit(notes=[1]), "notes is"),
        (edit(notes=["x"] * 51), "notes is"),
        (replace_card(about=[]), "about is"),
        (replace_card(options="k"), "options is"),
        (replace_card(version=True), "version"),
        (lambda folder: (folder / CARD).write_bytes(b"\xff\xfe{}"), "as JSON"),
        (weights(atoms=2 * torch.eye(FACTORS, WIDTH)), "length 1"),
        (weights(atoms=torch.zeros(FACTORS, WIDTH)), "length 1"),
        (weights(atoms=torch.eye(FACTORS + 1, WIDTH)), "atoms is"),
        (weights(offset=torch.full((WIDTH,), torch.nan)), "no number"),
        (weights(offset=torch.full((WIDTH,), torch.inf)), "no number"),
        (weights(offset=torch.full((WIDTH,), 1e300, dtype=torch.float64)), "no number"),
        (weights(bias=torch.full((FACTORS,), 1e20)), "no number"),
        (weights(bias=torch.ones(FACTORS, dtype=torch.int64)), "I64"),
        (weights(bias=torch.ones(FACTORS, dtype=torch.bool)), "BOOL"),
        (weights(lengths=-torch.ones(FACTORS)), "above 0"),
        (weights(lengths=None), "missing"),
        (pickled, "no whole safetensors"),
        (declared_huge, "no whole safetensors"),
        (as_pipe, "no whole safetensors"),
        (as_folder, "no whole safetensors"),
        (lambda folder: link(folder / WEIGHTS, "/dev/zero"), "no whole safetensors"),
        (lambda folder: link(folder / WEIGHTS, "nowhere"), "no whole safetensors"),
        (lambda folder: (folder / CARD).unlink(), "no dictionary"),
    ],
)
def test_what_is_broken_is_refused(tmp_path: Path, change: Any, words: str) -> None:
    with pytest.raises(RequestError, match=words):
        load_dictionary(broken(tmp_path / "one", change))


def test_links_to_files_are_followed(tmp_path: Path) -> None:
    """As in the hub's cache."""
    save_dictionary(made(Method.TOPK), tmp_path / "blobs")
    (tmp_path / "one").mkdir()
    for name in (CARD, WEIGHTS):
        (tmp_path / "one" / name).symlink_to(tmp_path / "blobs" / name)
    assert load_dictionary(tmp_path / "one").about.factors == FACTORS


def test_every_field_of_a_card_is_read_back(tmp_path: Path) -> None:
    about = replace(
        made(Method.CODING).about, model="demo", identity="ab" * 16, corpus="demo", tokens=10**12,
        steps=7, seed=-3, explained=0.5, l0=2.5, dead=0, recovered=-0.25, notes=("One.", "Two."),
    )  # fmt: skip
    assert None not in asdict(about).values()
    save_dictionary(replace(made(Method.CODING), about=about), tmp_path / "one")
    assert load_dictionary(tmp_path / "one").about == about
    assert read_about(tmp_path / "one") == about


@pytest.mark.parametrize("penalty", [0, -1.0, float("nan"), float("inf"), "0.2", None, True])
def test_a_penalty_that_is_none_is_refused(tmp_path: Path, penalty: object) -> None:
    save_dictionary(made(Method.CODING), tmp_path / "one")
    edit(penalty=penalty)(tmp_path / "one")
    with pytest.raises(RequestError, match="penalty is"):
        load_dictionary(tmp_path / "one")


def test_what_does_not_fit_into_memory_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_dictionary(made(Method.TOPK), tmp_path / "one")
    monkeypatch.setattr(tensors, "free_memory", lambda: 1000)
    monkeypatch.setattr(torch.Tensor, "float", None)
    with pytest.raises(RequestError, match="are free"):
        load_dictionary(tmp_path / "one")


@pytest.mark.parametrize("name", ["sae_weights.pt", "ae.pt", "weights.bin", "sae.ckpt"])
def test_pickles_are_refused_with_a_reason(tmp_path: Path, name: str) -> None:
    (tmp_path / "cfg.json").write_text("{}")
    torch.save({}, tmp_path / name)
    with pytest.raises(RequestError, match=f"{name} is not read: what is pickled can run code"):
        load_dictionary(tmp_path)


def published(folder: Path, cfg: dict[str, Any], **more: torch.Tensor) -> Path:
    """A folder as SAELens writes it."""
    random = torch.Generator().manual_seed(2)
    folder.mkdir()
    parts = {
        "W_enc": torch.randn(WIDTH, FACTORS, generator=random),
        "b_enc": torch.randn(FACTORS, generator=random),
        "W_dec": torch.randn(FACTORS, WIDTH, generator=random),
        "b_dec": torch.randn(WIDTH, generator=random),
    }
    save_file(parts | more, folder / "sae_weights.safetensors")
    (folder / "cfg.json").write_text(json.dumps(cfg))
    return folder


OLD = {
    "architecture": "standard", "d_in": WIDTH, "d_sae": FACTORS, "activation_fn_str": "relu",
    "apply_b_dec_to_input": True, "normalize_activations": "none", "model_name": "gpt2-small",
    "hook_name": "blocks.8.hook_resid_pre", "hook_layer": 8, "hook_head_index": None,
}  # fmt: skip
NEW = {
    "architecture": "jumprelu", "d_in": WIDTH, "d_sae": FACTORS, "apply_b_dec_to_input": False,
    "normalize_activations": "none", "reshape_activations": "none",
    "metadata": {"hook_name": "blocks.3.hook_resid_post", "model_name": "gpt2",
                 "hook_head_index": None,
                 "model_from_pretrained_kwargs": {"center_writing_weights": False}},
}  # fmt: skip


@pytest.mark.parametrize("kind", ["old", "new", "topk"])
def test_dictionaries_of_saelens_give_what_they_say(tmp_path: Path, kind: str) -> None:
    threshold = torch.full((FACTORS,), 0.5)
    cfg = {
        "old": OLD,
        "new": NEW,
        "topk": OLD | {"architecture": "topk", "activation_fn_kwargs": {"k": 4}},
    }[kind]
    folder = published(tmp_path / "sae", cfg, **({"threshold": threshold} if kind == "new" else {}))
    dictionary = load_dictionary(folder)
    held = load_file(folder / "sae_weights.safetensors")
    parts = {name: tensor.numpy() for name, tensor in held.items()}
    vector = RANDOM.standard_normal(WIDTH, np.float32)
    given = vector - (parts["b_dec"] if cfg["apply_b_dec_to_input"] else 0)
    before = given @ parts["W_enc"] + parts["b_enc"]
    active = np.where(before > 0.5, before, 0) if kind == "new" else np.maximum(before, 0)
    if kind == "topk":
        active[np.argsort(-active)[4:]] = 0
    theirs = active @ parts["W_dec"] + parts["b_dec"]
    [split] = dictionary.split(vector[None])
    np.testing.assert_allclose(vector - split.error, theirs, atol=1e-4)
    assert set(split.factors) == set(np.flatnonzero(active))


def test_where_it_was_learned_is_known(tmp_path: Path) -> None:
    threshold = torch.ones(FACTORS)
    old = load_dictionary(published(tmp_path / "old", OLD))
    assert old.about.sites == (Site.parse("resid_pre:8"),)
    assert "centred" in old.about.notes[0]
    folder = published(tmp_path / "new", NEW, threshold=threshold)
    assert load_dictionary(folder).about.sites == (Site.parse("resid_pre:4"),)
    assert load_dictionary(folder).about.notes == ()
    assert load_dictionary(folder, layers=4).about.sites == (Site.parse("resid_final"),)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"architecture": "gated"}, "gated"),
        ({"normalize_activations": "expected_average_only_in"}, "scaled"),
        ({"reshape_activations": "hook_z"}, "hook_z"),
        ({"hook_name": "blocks.8.attn.hook_z"}, "no place"),
        ({"hook_name": "blocks.8.hook_resid_pre", "hook_head_index": 3}, "no place"),
        ({"hook_name": None}, "no place"),
        ({"architecture": "topk"}, "does not say k"),
        ({"architecture": "topk", "activation_fn_kwargs": {"k": -1}}, "does not say k"),
        ({"architecture": "jumprelu"}, "threshold"),
        ({"architecture": "jumprelu", "rescale_acts_by_decoder_norm": True}, "fold_W_dec_norm"),
        ({"rescale_acts_by_decoder_norm": True}, "fold_W_dec_norm"),
        ({"activation_fn_str": "tanh-relu"}, "tanh-relu"),
        ({"architecture": "transcoder"}, "transcoder"),
        ({"hook_name_out": "blocks.8.hook_mlp_out"}, "transcoder"),
        ({"finetuning_scaling_factor": True}, "scaled"),
        ({"apply_b_dec_to_input": "no"}, "true or false"),
        ({"apply_b_dec_to_input": 1}, "true or false"),
        ({"d_sae": FACTORS + 1}, "d_sae: '41'"),
        ({"d_in": "16"}, "d_in"),
        ({"normalize_activations": {"a": 1}}, "scaled"),
        ({"architecture": ["standard"]}, "architecture"),
        ({"hook_name": {"a": 1}}, "no place"),
        ({"architecture": "topk", "activation_fn_kwargs": "k"}, "does not say k"),
        ({"architecture": "topk", "k": True}, "does not say k"),
    ],
)
def test_what_cannot_be_read_exactly_is_refused_by_name(
    tmp_path: Path, change: dict[str, Any], words: str
) -> None:
    with pytest.raises(RequestError, match=words):
        load_dictionary(published(tmp_path / "sae", OLD | change))


@pytest.mark.parametrize(
    "part",
    [
        {"W_dec": torch.zeros(FACTORS, WIDTH)},
        {"W_dec": torch.zeros(FACTORS, WIDTH + 1)},
        {"b_enc": torch.full((FACTORS,), torch.nan)},
        {"W_enc": torch.zeros(0, 0)},
        {"W_enc": torch.zeros(WIDTH)},
        {"W_dec": torch.full((FACTORS, WIDTH), 1e-9)},
        {"b_dec": torch.full((WIDTH,), torch.inf)},
        {"b_dec": torch.ones(WIDTH, dtype=torch.int32)},
        {"b_gate": torch.zeros(FACTORS)},
        {"scaling_factor": torch.ones(FACTORS)},
        {"W_skip": torch.zeros(WIDTH, WIDTH)},
    ],
)
def test_weights_that_do_not_fit_are_refused(tmp_path: Path, part: dict[str, torch.Tensor]) -> None:
    with pytest.raises(RequestError):
        load_dictionary(published(tmp_path / "sae", OLD, **part))


def test_a_threshold_that_is_no_number_is_refused(tmp_path: Path) -> None:
    threshold = torch.full((FACTORS,), torch.nan)
    with pytest.raises(RequestError, match="threshold holds what is no number"):
        load_dictionary(published(tmp_path / "sae", NEW, threshold=threshold))


def test_a_logarithm_of_the_threshold_that_is_too_large_is_refused(tmp_path: Path) -> None:
    logarithm = torch.full((FACTORS,), 1000.0)
    with pytest.raises(RequestError, match="threshold"):
        load_dictionary(published(tmp_path / "sae", NEW, log_threshold=logarithm))


def test_where_nobody_says_the_bias_is_subtracted_as_in_saelens(tmp_path: Path) -> None:
    silent = {key: value for key, value in OLD.items() if key != "apply_b_dec_to_input"}
    said, unsaid = (
        load_dictionary(published(tmp_path / name, cfg))
        for name, cfg in (("a", OLD), ("b", silent))
    )
    vectors = RANDOM.standard_normal((5, WIDTH), np.float32)
    np.testing.assert_array_equal(
        said.encode(vectors).activations, unsaid.encode(vectors).activations
    )
