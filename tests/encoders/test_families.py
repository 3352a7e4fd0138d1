"""Every family: attention and predictions against Hugging Face's own, on random models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModelForMaskedLM, AutoModelForSeq2SeqLM

from flowviz.attention.kinds import Part
from flowviz.attention.request import AttentionRequest
from flowviz.attention.types import AttentionMaps, Weighting
from flowviz.attention.why_request import NeuronRequest
from flowviz.encoders.loaded import LoadedEncoder
from flowviz.encoders.loading import load_encoder
from flowviz.encoders.maps import encoder_maps
from flowviz.encoders.neurons import encoder_neurons
from flowviz.errors import ModelError, RequestError
from flowviz.models.kind import ModelKind
from tests.encoders.families import FAMILIES, REFUSED
from tests.encoders.models import random_encoder, save_encoder, save_family

HALF = 2**-11  # what float16 rounds by
PROMPT = "the cat sat on a mat while mary went to the store"
WRITTEN = "she said that john sat"


def asked(part: Part | None = None, **more: Any) -> AttentionRequest:
    second = WRITTEN if part is not None else ""
    return AttentionRequest(PROMPT, "x", part=part, second=second, **more)


def parts(name: str) -> tuple[Part | None, ...]:
    return tuple(Part) if FAMILIES[name].both else (None,)


def own(name: str, folder: Path) -> Any:
    auto = AutoModelForSeq2SeqLM if FAMILIES[name].both else AutoModelForMaskedLM
    return auto.from_pretrained(folder, attn_implementation="eager").eval()


def output(name: str, model: LoadedEncoder, folder: Path) -> Any:
    """What the plain model gives for the same tokens, in its own eager attention."""
    tokenizer = model.vocabulary.tokenizer
    given = tokenizer(PROMPT, return_tensors="pt")
    plain = own(name, folder)
    if FAMILIES[name].both:
        given.pop("token_type_ids", None)
        labels = tokenizer(text_target=WRITTEN, return_tensors="pt")["input_ids"]
        start = torch.full((1, 1), plain.config.decoder_start_token_id)
        given["decoder_input_ids"] = torch.cat([start, labels[:, :-1]], 1)
        if name in ("mbart", "plbart"):  # they start with the language, which is the last label
            given["decoder_input_ids"] = torch.cat([labels[:, -1:], labels[:, :-1]], 1)
    elif getattr(plain.config, "type_vocab_size", 0) < 2 or "token_type_ids" not in given:
        given.pop("token_type_ids", None)
    with torch.inference_mode():
        try:
            return plain(**given, output_attentions=True)
        except TypeError:  # the family takes no types
            given.pop("token_type_ids")
            return plain(**given, output_attentions=True)


OUTPUTS = {
    Part.ENCODER: "encoder_attentions",
    Part.DECODER: "decoder_attentions",
    Part.CROSS: "cross_attentions",
    None: "attentions",
}


@pytest.mark.parametrize("name", FAMILIES)
def test_patterns_and_predictions_are_the_models_own(name: str, tmp_path: Path) -> None:
    folder = save_encoder(name, tmp_path / name)
    model = load_encoder(str(folder))
    plain = output(name, model, folder)
    for part in parts(name):
        maps = encoder_maps(model, asked(part))
        expected = np.stack([layer[0].numpy() for layer in getattr(plain, OUTPUTS[part])])
        if name == "squeezebert":  # it shows its scores
            expected = torch.tensor(expected).softmax(-1).numpy()
        assert maps.weights.shape == expected.shape
        np.testing.assert_allclose(maps.weights.astype(float).sum(-1), 1, atol=3e-3)
        assert maps.weights.std() > 1e-3
        np.testing.assert_allclose(maps.weights, expected, rtol=HALF, atol=1e-5)
        _check_predictions(maps, plain.logits[0])
    assert model.kind is (ModelKind.BOTH if FAMILIES[name].both else ModelKind.ENCODER)
    assert model.recorded is FAMILIES[name].whole


def _check_predictions(maps: AttentionMaps, logits: torch.Tensor) -> None:
    if maps.part is Part.ENCODER and len(maps.parts) > 1:
        assert maps.readings == ()
        return
    assert len(maps.readings) == maps.positions == len(logits)
    for reading, row in zip(maps.readings, logits, strict=True):
        top = row.softmax(-1).topk(10)
        assert [one.id for one in reading] == top.indices.tolist()
        found = [one.probability for one in reading]
        np.testing.assert_allclose(found, top.values.numpy(), rtol=1e-3, atol=1e-6)


WHOLE = [name for name, family in FAMILIES.items() if family.whole]


@pytest.mark.parametrize("name", WHOLE)
def test_weighted_values_sum_to_what_the_heads_write(name: str) -> None:
    """The heads' vectors Σ_h Σ_j A_ij v_j W_O are what W_O gives, its bias aside; and so norms."""
    model = random_encoder(name)
    for part, outputs in zip(model.parts, model.outputs, strict=True):
        given, found = _watched(model, part)
        for module, written, call in zip(outputs, given, found, strict=True):
            assert module is not None
            weight, width = module.weight, call.v.shape[-1]
            vectors = torch.stack(
                [call.v[h] @ weight[:, h * width : (h + 1) * width].T for h in range(len(call.v))]
            )
            whole = torch.einsum("hqk,hkd->qd", call.pattern, vectors)
            bias = 0 if module.bias is None else module.bias
            torch.testing.assert_close(whole, written - bias, rtol=1e-4, atol=1e-5)
            norms = call.pattern * vectors.norm(dim=-1)[:, None]
            maps = encoder_maps(model, asked(part if len(model.parts) > 1 else None,
                                             weighting=Weighting.NORM))  # fmt: skip
            assert maps.totals is not None
            layer = found.index(call)
            cells = maps.weights[layer] * maps.totals[layer][..., None]
            np.testing.assert_allclose(cells, norms.numpy(), rtol=2 * HALF, atol=1e-5)
            break  # one layer is looked at; that all are alike is the family's own matter


def _watched(model: LoadedEncoder, part: Part) -> tuple[list[torch.Tensor], list[Any]]:
    """What each layer's W_O gave in a pass, and the calls that were recorded there."""
    from flowviz.encoders.read import read_text
    from flowviz.encoders.run import run

    outputs = model.outputs[model.parts.index(part)]
    written: list[torch.Tensor] = []
    found: list[Any] = []
    modules = {id(each): each for each in outputs if each is not None}.values()
    handles = [
        each.register_forward_hook(lambda _m, _i, out: written.append(out[0].detach()))
        for each in modules
    ]
    second = WRITTEN if len(model.parts) > 1 else ""
    try:
        run(model, read_text(model, PROMPT, second, ()), lambda seen: found.append(seen))
    finally:
        for handle in handles:
            handle.remove()
    return written, [seen.call for seen in found if seen.part is part]


@pytest.mark.parametrize("name", WHOLE)
def test_scores_follow_from_queries_and_keys(name: str) -> None:
    model = random_encoder(name)
    for part in model.parts:
        several = len(model.parts) > 1
        request = NeuronRequest(PROMPT, "x", 1, 2, 3, WRITTEN if several else "", part=part)
        view = encoder_neurons(model, request)
        maps = encoder_maps(model, asked(part if several else None))
        assert view.pattern_error < 1e-5
        assert view.part is part
        np.testing.assert_allclose(view.pattern, maps.row(1, 2, 3)[: len(view.pattern)], atol=1e-3)
        exponents = np.exp(view.score - view.score.max())
        np.testing.assert_allclose(exponents / exponents.sum(), view.pattern, atol=1e-5)
        np.testing.assert_allclose(view.product, view.q * view.k, rtol=1e-5)
        assert len(view.sources) == len(view.k)
        assert (view.decay is None) == (part is Part.CROSS)


@pytest.mark.parametrize("name", [name for name, one in FAMILIES.items() if not one.whole])
def test_what_shows_its_patterns_alone_says_so(name: str) -> None:
    model = random_encoder(name)
    assert "patterns alone" in encoder_maps(model, asked(parts(name)[0])).notes[0]
    with pytest.raises(RequestError, match=r"patterns alone.* Choose pattern"):
        encoder_maps(model, asked(parts(name)[0], weighting=Weighting.NORM))
    with pytest.raises(RequestError, match="no single neurons"):
        encoder_neurons(model, NeuronRequest(PROMPT, "x", 0, 0))


@pytest.mark.parametrize("name", REFUSED)
def test_a_family_without_such_patterns_is_refused_in_words(name: str, tmp_path: Path) -> None:
    folder = save_family(REFUSED[name], tmp_path / name)
    with pytest.raises(ModelError, match="does not show how its tokens attend to each other"):
        load_encoder(str(folder))
