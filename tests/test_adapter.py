"""Adapters: merged into their base they give peft's own logits; what does not fit is said."""

from __future__ import annotations

import copy
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import (
    AdaLoraConfig,
    HRAConfig,
    IA3Config,
    LNTuningConfig,
    LoHaConfig,
    LoKrConfig,
    LoraConfig,
    OFTConfig,
    PeftModel,
    PrefixTuningConfig,
    TrainableTokensConfig,
    get_peft_model,
)
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

import flowviz
from flowviz.errors import ModelError
from flowviz.models.catalogue import Catalogue, ModelEntry, find_model
from flowviz.models.in_memory import wrap_model
from flowviz.models.loading import load_model, weight_bytes
from flowviz.trace import record
from tests.models import byte_tokenizer, save_model

PROMPT = "the cat sat on a mat while Mary"
IDS = byte_tokenizer()(PROMPT)["input_ids"]
LINEAR = ["q_proj", "v_proj", "o_proj", "up_proj", "down_proj"]


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("bases")
    for architecture in ("gpt2", "llama"):
        save_model(architecture, root / architecture)
    save_model("llama", root / "deeper", layers=4)
    save_model("llama", root / "wider", d_head=16)
    return root


def trained(base: Any, config: Any) -> PeftModel:
    """The base with an adapter on it whose every weight has moved."""
    torch.manual_seed(1)
    model = get_peft_model(base, config)
    for weight in model.parameters():
        if weight.requires_grad:
            weight.data += 0.1 * torch.randn_like(weight)
    return model.eval()


def save_adapter(base: Path, folder: Path, config: Any) -> torch.Tensor:
    """Trains an adapter, saves it, and gives peft's own logits."""
    model = trained(AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32), config)
    model.save_pretrained(folder)
    return logits(model)


def logits(model: Any, ids: list[int] = IDS) -> torch.Tensor:
    with torch.inference_mode():
        return model(torch.tensor([ids])).logits[0]


def close(found: torch.Tensor, wanted: torch.Tensor) -> None:
    torch.testing.assert_close(found, wanted, atol=2e-4, rtol=1e-4)


def lora(**changes: Any) -> LoraConfig:
    chosen = {"target_modules": LINEAR, "r": 4, "task_type": "CAUSAL_LM", **changes}
    return LoraConfig(**chosen)


KINDS = {
    "lora": lora(),
    "every linear layer": lora(target_modules="all-linear", use_rslora=True),
    "dora": lora(use_dora=True),
    "with biases": lora(bias="all"),
    "some blocks": lora(layers_to_transform=[1]),
    "the head too": lora(modules_to_save=["lm_head"]),
    "embeddings too": lora(target_modules=["embed_tokens", "q_proj"]),
    "some tokens": lora(trainable_token_indices=IDS[:2]),
    "AdaLora": AdaLoraConfig(target_modules=LINEAR, total_step=10, task_type="CAUSAL_LM"),
    "LoHa": LoHaConfig(target_modules=LINEAR, r=2, task_type="CAUSAL_LM"),
    "LoKr": LoKrConfig(target_modules=LINEAR, r=2, task_type="CAUSAL_LM"),
    "IA3": IA3Config(
        target_modules=["v_proj", "down_proj"],
        feedforward_modules=["down_proj"],
        task_type="CAUSAL_LM",
    ),
    "OFT": OFTConfig(target_modules=LINEAR, oft_block_size=4, r=0, task_type="CAUSAL_LM"),
    "HRA": HRAConfig(target_modules=LINEAR, r=2, task_type="CAUSAL_LM"),
    "norms": LNTuningConfig(target_modules=["input_layernorm"], task_type="CAUSAL_LM"),
    "tokens alone": TrainableTokensConfig(token_indices=IDS[:2], task_type="CAUSAL_LM"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_merged_adapter_gives_pefts_own_logits(bases: Path, tmp_path: Path, kind: str) -> None:
    wanted = save_adapter(bases / "llama", tmp_path / "mine", copy.deepcopy(KINDS[kind]))
    model = load_model(str(tmp_path / "mine"))
    close(record(model, IDS).logits, wanted)
    assert model.shape.name == "mine"
    plain = AutoModelForCausalLM.from_pretrained(bases / "llama")
    assert (logits(plain) - wanted).abs().max() > 1e-2


@pytest.mark.parametrize("targets", [["c_attn", "c_proj", "c_fc"], ["wte", "c_attn"]])
def test_an_adapter_on_gpt2(bases: Path, tmp_path: Path, targets: list[str]) -> None:
    """Its layers are transposed; its tied head stays as it is."""
    config = lora(target_modules=targets, fan_in_fan_out=True)
    wanted = save_adapter(bases / "gpt2", tmp_path / "mine", config)
    close(record(load_model(str(tmp_path / "mine")), IDS).logits, wanted)


def test_the_flow_of_an_adapted_model_is_conserved(bases: Path, tmp_path: Path) -> None:
    save_adapter(bases / "llama", tmp_path / "mine", lora())
    graph = flowviz.explain(PROMPT, str(tmp_path / "mine")).graph
    assert graph.checks.conservation_error < 1e-4


@pytest.mark.parametrize("tied", [True, False])
def test_added_tokens_come_with_the_adapter(bases: Path, tmp_path: Path, tied: bool) -> None:
    base = AutoModelForCausalLM.from_pretrained(bases / "llama", tie_word_embeddings=tied)
    base.save_pretrained(tmp_path / "base")
    byte_tokenizer().save_pretrained(tmp_path / "base")
    base = AutoModelForCausalLM.from_pretrained(tmp_path / "base")
    tokenizer = copy.deepcopy(byte_tokenizer())
    tokenizer.add_tokens(["<new>", "<other>"])
    base.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    saved = ["embed_tokens"] if tied else ["embed_tokens", "lm_head"]
    adapted = trained(base, lora(modules_to_save=saved))
    adapted.save_pretrained(tmp_path / "mine")
    tokenizer.save_pretrained(tmp_path / "mine")

    model = load_model(str(tmp_path / "mine"))

    ids = model.vocabulary.encode("the <new> cat", None)
    assert model.vocabulary.resolve("<new>") == 300
    assert 300 in ids
    assert model.shape.vocabulary == 302
    close(record(model, ids).logits, logits(adapted, ids))


def test_rows_that_were_added_without_being_trained_are_kept(bases: Path, tmp_path: Path) -> None:
    base = AutoModelForCausalLM.from_pretrained(bases / "llama")
    base.resize_token_embeddings(303, mean_resizing=False)
    adapted = trained(base, lora())
    adapted.save_pretrained(tmp_path / "mine", save_embedding_layers=True)
    close(record(load_model(str(tmp_path / "mine")), IDS).logits, logits(adapted))


# ---- which base --------------------------------------------------------------------------------


def test_the_base_may_be_given(bases: Path, tmp_path: Path) -> None:
    wanted = save_adapter(bases / "llama", tmp_path / "mine", lora())
    say(tmp_path / "mine", base_model_name_or_path="nowhere/at/all")
    adapter, base = str(tmp_path / "mine"), str(bases / "llama")
    with pytest.raises(ModelError, match="'nowhere/at/all', which is not there"):
        load_model(adapter)
    for model in (load_model(adapter, base=base), load_model(f"{adapter}@{base}")):
        close(record(model, IDS).logits, wanted)
    entry = Catalogue.of([f"tuned={adapter}@{base}"]).entry("tuned")
    close(record(load_model(entry), IDS).logits, wanted)
    assert str(tmp_path) not in entry.title + entry.description


def test_an_adapter_takes_what_its_base_takes(bases: Path, tmp_path: Path) -> None:
    save_adapter(bases / "llama", tmp_path / "mine", lora())
    found = weight_bytes(find_model(str(tmp_path / "mine")))
    assert found == weight_bytes(find_model(str(bases / "llama"))) > 0


def test_a_base_beside_the_adapter_is_found(bases: Path, tmp_path: Path) -> None:
    wanted = save_adapter(bases / "llama", tmp_path / "mine", lora())
    shutil.copytree(bases / "llama", tmp_path / "the-base")
    say(tmp_path / "mine", base_model_name_or_path="../the-base")
    close(record(load_model(str(tmp_path / "mine")), IDS).logits, wanted)


@pytest.mark.parametrize("named", ["{base}", "../{name}", "{name}"])
def test_an_adapter_of_the_hub_cannot_name_a_folder(
    bases: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    """Where it is a hub name too, the hub is asked for it, though a folder is called the same."""
    save_adapter(bases / "llama", tmp_path / "mine", lora())
    base = bases / "llama"
    say(tmp_path / "mine", base_model_name_or_path=named.format(base=base, name=base.name))
    monkeypatch.chdir(base.parent)
    entry = ModelEntry("lab/mine", "lab/mine", "mine", "", on_hub=True)
    asked: list[ModelEntry] = []

    def fetch(wanted: ModelEntry, *_: object) -> Path:
        asked.append(wanted)
        if wanted is entry:
            return tmp_path / "mine"
        raise ModelError("asked the hub")

    monkeypatch.setattr("flowviz.models.loading.model_folder", fetch)
    with pytest.raises(ModelError, match=r"which is no hub name|asked the hub"):
        load_model(entry)
    assert all(wanted.on_hub for wanted in asked)
    assert len(asked) == (2 if named == "{name}" else 1)


WRONG_BASES = {
    "gpt2": "does not fit the base model gpt2: .*q_proj",
    "deeper": "does not fit the base model deeper: it lacks .*layers.3",
    "wider": "does not fit the base model wider: size mismatch",
}


@pytest.mark.parametrize("base", WRONG_BASES)
def test_another_models_adapter_is_refused(bases: Path, tmp_path: Path, base: str) -> None:
    save_adapter(bases / "llama", tmp_path / "mine", lora())
    with pytest.raises(ModelError, match=WRONG_BASES[base]) as caught:
        load_model(str(tmp_path / "mine"), base=str(bases / base))
    assert "Name the model that it was trained on" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_adapter_of_a_deeper_model_is_refused(bases: Path, tmp_path: Path) -> None:
    save_adapter(bases / "deeper", tmp_path / "mine", lora())
    with pytest.raises(ModelError, match=r"it has no place for .*layers\.3"):
        load_model(str(tmp_path / "mine"), base=str(bases / "llama"))


# ---- what is refused ---------------------------------------------------------------------------


def say(folder: Path, **changes: object) -> None:
    file = folder / "adapter_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def pickled(folder: Path) -> None:
    torch.save(load_file(folder / "adapter_model.safetensors"), folder / "adapter_model.bin")
    (folder / "adapter_model.safetensors").unlink()


REFUSED = {
    "pickled": (pickled, "can run code"),
    "no weights": (lambda f: (f / "adapter_model.safetensors").unlink(), "holds no adapter_model"),
    "cut": (lambda f: (f / "adapter_model.safetensors").write_bytes(b"123"), "damaged or cut-off"),
    "no JSON": (lambda f: (f / "adapter_config.json").write_text("{"), "is no JSON"),
    "a list": (lambda f: (f / "adapter_config.json").write_text("[]"), "that is a list"),
    "no kind": (lambda f: say(f, peft_type=None), "the kind None"),
    "many adapters": (lambda f: say(f, peft_type="XLORA"), "the kind XLORA"),
    "no base": (lambda f: say(f, base_model_name_or_path=None), "does not name its base"),
    "a module by name": (
        lambda f: say(f, megatron_config={"a": 1}, megatron_core="evil"), "made for Megatron",
    ),
    "blocks twice": (lambda f: say(f, layer_replication=[[0, 2], [1, 3]]), "repeats blocks"),
    "within a prompt": (lambda f: say(f, alora_invocation_tokens=[3]), "within a prompt"),
    "another task": (lambda f: say(f, task_type="SEQ_CLS"), "an adapter for SEQ_CLS"),
    "on an adapter": (lambda f: say(f, base_model_name_or_path=str(f)), "is an adapter itself"),
    "a whole model too": (lambda f: (f / "model.safetensors").touch(), "both a whole model and"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_merged_is_refused(bases: Path, tmp_path: Path, case: str) -> None:
    save_adapter(bases / "llama", tmp_path / "mine", lora())
    spoil, words = REFUSED[case]
    spoil(tmp_path / "mine")
    with pytest.raises(ModelError, match=words) as caught:
        load_model(str(tmp_path / "mine"))
    assert "\n" not in str(caught.value)


def test_without_peft_the_way_out_is_said(
    bases: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_adapter(bases / "llama", tmp_path / "mine", lora())
    monkeypatch.setattr("importlib.util.find_spec", lambda name, *_: None)
    with pytest.raises(ModelError, match="pip install peft"):
        load_model(str(tmp_path / "mine"))


def test_a_whole_model_takes_no_base(bases: Path) -> None:
    with pytest.raises(ModelError, match="is a whole model, not an adapter"):
        load_model(str(bases / "llama"), base=str(bases / "gpt2"))
    with pytest.raises(ModelError, match="two base models"):
        load_model(f"{bases / 'llama'}@demo", base="demo")


# ---- in memory ---------------------------------------------------------------------------------


@pytest.mark.parametrize("architecture", ["gpt2", "llama"])
def test_a_peft_model_in_memory_is_merged_in_a_copy(bases: Path, architecture: str) -> None:
    base = AutoModelForCausalLM.from_pretrained(bases / architecture)
    targets = ["wte", "c_attn"] if architecture == "gpt2" else [*LINEAR, "embed_tokens"]
    adapted = trained(base, lora(target_modules=targets, fan_in_fan_out=architecture == "gpt2"))
    wanted, numbers = logits(adapted), copy.deepcopy(adapted.state_dict())
    modules = [(name, id(module)) for name, module in adapted.named_modules()]

    loaded = wrap_model(adapted, byte_tokenizer())

    close(record(loaded, IDS).logits, wanted)
    assert flowviz.explain(PROMPT, loaded).graph.checks.conservation_error < 1e-4
    assert [(name, id(module)) for name, module in adapted.named_modules()] == modules
    assert all(torch.equal(weight, numbers[name]) for name, weight in adapted.state_dict().items())
    assert any(weight.requires_grad for weight in adapted.parameters())
    torch.testing.assert_close(logits(adapted), wanted, atol=0, rtol=0)


@pytest.mark.parametrize("saved", [None, ["lm_head"]])
def test_an_adapter_that_transformers_put_in_is_merged_in_a_copy(
    bases: Path, saved: list[str] | None
) -> None:
    adapted = AutoModelForCausalLM.from_pretrained(bases / "llama")
    before = logits(adapted)
    torch.manual_seed(1)
    adapted.add_adapter(lora(modules_to_save=saved))
    for weight in adapted.parameters():
        if weight.requires_grad:
            weight.data += 0.1 * torch.randn_like(weight)
    wanted = logits(adapted.eval())
    assert (wanted - before).abs().max() > 1e-2
    close(record(wrap_model(adapted, byte_tokenizer()), IDS).logits, wanted)
    torch.testing.assert_close(logits(adapted), wanted, atol=0, rtol=0)


def test_a_prompt_that_was_learnt_cannot_be_merged(bases: Path) -> None:
    base = AutoModelForCausalLM.from_pretrained(bases / "llama")
    adapted = get_peft_model(base, PrefixTuningConfig(num_virtual_tokens=2, task_type="CAUSAL_LM"))
    with pytest.raises(ModelError, match="the kind PREFIX_TUNING"):
        wrap_model(adapted, byte_tokenizer())
