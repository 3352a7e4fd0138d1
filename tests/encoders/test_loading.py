"""Checkpoints of every kind: with heads and without, and those that are refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

import flowviz
from flowviz.encoders.loaded import LoadedEncoder
from flowviz.encoders.loading import load_any, load_encoder
from flowviz.errors import ModelError
from flowviz.models.catalogue import Catalogue, ModelKind, find_model
from flowviz.models.kind import kind_of, kind_of_folder
from flowviz.models.loaded import LoadedModel
from flowviz.models.loading import load_model, weight_bytes
from tests.encoders.families import FAMILIES
from tests.encoders.models import random_encoder, save_encoder, word_tokenizer
from tests.models import randomise, save_model

PROMPT = "the cat sat on a mat"


def save(model: Any, folder: Path) -> Path:
    randomise(model, 0)
    model.save_pretrained(folder)
    word_tokenizer().save_pretrained(folder)
    return folder


def bert(kind: str) -> Any:
    return getattr(transformers, kind)(FAMILIES["bert"].configuration())


@pytest.mark.parametrize("kind", ["BertModel", "BertForSequenceClassification"])
def test_without_a_head_attention_is_shown_and_nothing_is_predicted(
    kind: str, tmp_path: Path
) -> None:
    folder = save(bert(kind), tmp_path / kind)
    model = load_encoder(str(folder))
    found = flowviz.attention_maps(PROMPT, model)
    assert not model.predicts
    assert found.readings == ()
    assert "no head that predicts tokens" in found.notes[-1]
    own = transformers.AutoModel.from_pretrained(folder, attn_implementation="eager").eval()
    given = word_tokenizer()(PROMPT, return_tensors="pt")
    with torch.inference_mode():
        expected = own(**given, output_attentions=True).attentions
    torch.testing.assert_close(
        torch.tensor(found.weights[1]).float(), expected[1][0], rtol=1e-3, atol=1e-4
    )


def test_a_checkpoint_of_pretraining_predicts(tmp_path: Path) -> None:
    model = load_encoder(str(save(bert("BertForPreTraining"), tmp_path / "p")))
    assert model.predicts
    assert len(flowviz.attention_maps(PROMPT, model).readings) == 8


def test_electras_discriminator_shows_attention(tmp_path: Path) -> None:
    config = FAMILIES["electra"].configuration()
    model = load_encoder(str(save(transformers.ElectraForPreTraining(config), tmp_path / "e")))
    assert not model.predicts
    assert flowviz.attention_maps(PROMPT, model, weighting="norm").totals is not None


def test_either_kind_is_loaded_by_what_its_folder_says(tmp_path: Path) -> None:
    assert isinstance(load_any(str(save_model("gpt2", tmp_path / "gpt"))), LoadedModel)
    encoder = save_encoder("bert", tmp_path / "bert")
    assert isinstance(load_any(str(encoder)), LoadedEncoder)
    assert find_model(str(encoder)).kind is ModelKind.ENCODER
    assert find_model(str(tmp_path / "gpt")).kind is ModelKind.GPT
    assert find_model("some/hub-name").kind is None
    entry = Catalogue.of([f"b={encoder}"]).entries[0]
    model = load_any(entry)
    taken = sum(weight.numel() * 4 for weight in model.module.parameters())
    assert weight_bytes(entry) == taken


def test_a_gpts_loader_names_what_shows_an_encoders_attention(tmp_path: Path) -> None:
    folder = str(save_encoder("bert", tmp_path / "bert"))
    for call in (load_model, lambda f: flowviz.explain("x", f)):
        with pytest.raises(ModelError, match=r"not a causal language model.*attention_maps"):
            call(folder)
    with pytest.raises(ModelError, match=r"no encoder and no encoder-decoder.*load_model"):
        load_encoder(str(save_model("gpt2", tmp_path / "gpt")))


@pytest.mark.parametrize("dtype", ["float64", "bfloat16", "float16", "auto"])
def test_other_precisions(dtype: str, tmp_path: Path) -> None:
    for name in ("bert", "t5"):
        model = load_encoder(str(save_encoder(name, tmp_path / name)), dtype=dtype)
        assert model.recorded
        found = flowviz.attention_maps(PROMPT, model, weighting="norm")
        near = 0.05 if dtype in ("bfloat16", "float16") else 1e-3
        whole = flowviz.attention_maps(PROMPT, random_encoder(name), weighting="norm")
        assert abs(found.weights.astype(float) - whole.weights).max() < near


def edited(change: Callable[[dict[str, Any]], None]) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        said = json.loads((folder / "config.json").read_text())
        change(said)
        (folder / "config.json").write_text(json.dumps(said))

    return edit


def pickled(folder: Path) -> None:
    torch.save({}, folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()


def lost(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    del weights["bert.encoder.layer.1.attention.self.query.weight"]
    save_file(weights, folder / "model.safetensors", {"format": "pt"})


def infinite(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    weights["bert.encoder.layer.1.output.dense.bias"][3] = torch.nan
    save_file(weights, folder / "model.safetensors", {"format": "pt"})


FAULTS: dict[str, tuple[Callable[[Path], None], str]] = {
    "pickled": (pickled, "pickled weights are not loaded"),
    "a weight is missing": (lost, "lacks 1 of its weights"),
    "not finite": (infinite, "not finite numbers"),
    "another size": (edited(lambda c: c.update(hidden_size=16)), "do not fit its config.json"),
    "code of its own": (
        edited(lambda c: c.update(model_type="mine", auto_map={"AutoConfig": "x.Y"},
                                  is_encoder_decoder=True)),
        "code of its own",
    ),
    "no layers": (edited(lambda c: c.update(num_hidden_layers=0)), "has 0 blocks"),
    "no tokenizer": (lambda f: (f / "tokenizer.json").unlink(), "holds no tokenizer"),
    "quantised": (
        edited(lambda c: c.update(quantization_config={"quant_method": "gptq", "bits": 4})),
        "is quantised by gptq",
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_checkpoint_is_refused_in_words(fault: str, tmp_path: Path) -> None:
    folder = save_encoder("bert", tmp_path / "bert")
    spoil, words = FAULTS[fault]
    spoil(folder)
    with pytest.raises(ModelError, match=words):
        load_encoder(str(folder))


def test_8_bits_are_refused(tmp_path: Path) -> None:
    folder = save_encoder("bert", tmp_path / "bert")
    with pytest.raises(ModelError, match="in 8 bits cannot be read"):
        load_encoder(str(folder), dtype="int8")


def test_what_a_config_says_of_its_kind(tmp_path: Path) -> None:
    said = {
        "gpt": {"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"]},
        "encoder": {"model_type": "bert", "architectures": ["BertModel"]},
        "encoder-decoder": {"model_type": "t5", "is_encoder_decoder": True},
    }
    for kind, config in said.items():
        assert kind_of(config) == kind
    assert kind_of({"model_type": "bert", "is_decoder": True,
                    "architectures": ["BertLMHeadModel"]}) is ModelKind.GPT  # fmt: skip
    strange: list[Any] = [
        {}, {"architectures": []}, {"architectures": [3]}, {"model_type": []},
        {"architectures": "BertModel"}, {"is_encoder_decoder": "yes"},
    ]  # fmt: skip
    assert [kind_of(config) for config in strange] == [None] * len(strange)
    file = tmp_path / "config.json"
    for text in ("", "[]", "{", "[" * 10**5, "\ud800".encode("utf-8", "surrogatepass"), "3"):
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        assert kind_of_folder(tmp_path) is None
    file.write_text(json.dumps({"is_encoder_decoder": True, "x": " " * 2**23}))
    assert kind_of_folder(tmp_path) is None
    assert kind_of_folder(tmp_path / "nowhere") is None
