"""Models of one's own, as training leaves them: each loads, and gives the logits that it had."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast, Trainer, TrainingArguments

import flowviz
from flowviz.errors import RequestError
from flowviz.models.loading import load_model
from flowviz.trace import record
from tests.models import WORDS, byte_tokenizer, save_model

IDS = byte_tokenizer()("the cat sat on a mat while Mary")["input_ids"]
ARCHITECTURES = ("gpt2", "llama")


def logits(model: Any, ids: list[int] = IDS) -> torch.Tensor:
    with torch.inference_mode():
        return model.eval()(torch.tensor([ids])).logits[0]


def same(folder: Path, model: Any, ids: list[int] = IDS) -> None:
    found = record(load_model(str(folder)), ids).logits
    torch.testing.assert_close(found, logits(model, ids), atol=1e-4, rtol=1e-4)


def base(architecture: str, folder: Path) -> Any:
    return AutoModelForCausalLM.from_pretrained(save_model(architecture, folder))


def save(folder: Path, model: Any, tokenizer: Any) -> Path:
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_fine_tuned_model(architecture: str, tmp_path: Path) -> None:
    model = base(architecture, tmp_path / "base").train()
    before = logits(model).clone()
    step = torch.optim.AdamW(model.train().parameters(), lr=1e-2)
    ids = torch.tensor([byte_tokenizer()(WORDS)["input_ids"]])
    for _ in range(3):
        step.zero_grad()
        model(ids, labels=ids).loss.backward()
        step.step()
    assert (logits(model) - before).abs().max() > 0.1
    same(save(tmp_path / "tuned", model, byte_tokenizer()), model)


def test_a_checkpoint_that_the_trainer_wrote(tmp_path: Path) -> None:
    """Its optimiser's state and its arguments are pickles, and are not read."""
    model = base("llama", tmp_path / "base")
    ids = byte_tokenizer()(WORDS)["input_ids"]
    arguments = TrainingArguments(
        str(tmp_path / "run"), max_steps=2, save_steps=2, report_to="none", use_cpu=True,
        disable_tqdm=True, per_device_train_batch_size=1, logging_strategy="no",
    )  # fmt: skip
    tokenizer = copy.deepcopy(byte_tokenizer())
    tokenizer.pad_token = tokenizer.eos_token
    data: Any = [{"input_ids": ids, "labels": ids}] * 4
    trainer = Trainer(model, arguments, train_dataset=data, processing_class=tokenizer)
    trainer.train()
    folder = tmp_path / "run/checkpoint-2"
    assert (folder / "optimizer.pt").exists()
    (folder / "optimizer.pt").write_bytes(b"no pickle at all")
    (folder / "training_args.bin").write_bytes(b"no pickle at all")
    same(folder, model)


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_tied_and_untied_embeddings_in_shards(
    architecture: str, tied: bool, tmp_path: Path
) -> None:
    config = base(architecture, tmp_path / "base").config
    config.tie_word_embeddings = tied
    model = AutoModelForCausalLM.from_config(config)
    same_tensor = model.get_input_embeddings().weight is model.get_output_embeddings().weight
    assert same_tensor is tied
    model.save_pretrained(tmp_path / "mine", max_shard_size="40KB")
    byte_tokenizer().save_pretrained(tmp_path / "mine")
    assert len(list((tmp_path / "mine").glob("*.safetensors"))) > 1
    same(tmp_path / "mine", model)


def grown() -> PreTrainedTokenizerFast:
    tokenizer = copy.deepcopy(byte_tokenizer())
    tokenizer.add_tokens(["<one>", "<two>"])
    return tokenizer


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_added_tokens_with_resized_embeddings(architecture: str, tmp_path: Path) -> None:
    model, tokenizer = base(architecture, tmp_path / "base"), grown()
    model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    folder = save(tmp_path / "mine", model, tokenizer)
    loaded = load_model(str(folder))
    ids = loaded.vocabulary.encode("the <two> cat", None)
    assert 301 in ids
    assert loaded.vocabulary.text(301) == "<two>"
    same(folder, model, ids)
    graph = flowviz.explain("the <one> cat", loaded, target="<two>").graph
    assert graph.target.token.token == "<two>"


def test_added_tokens_without_resized_embeddings(tmp_path: Path) -> None:
    folder = save(tmp_path / "mine", base("llama", tmp_path / "base"), grown())
    loaded = load_model(str(folder))
    assert loaded.vocabulary.size == 300
    assert flowviz.explain("the cat", loaded).graph.checks.conservation_error < 1e-4
    with pytest.raises(RequestError, match="'<two>' with id 301"):
        flowviz.explain("the <two> cat", loaded)


def test_a_tokenizer_that_is_smaller_than_the_embedding(tmp_path: Path) -> None:
    model = base("llama", tmp_path / "base")
    model.resize_token_embeddings(320, mean_resizing=False)
    loaded = load_model(str(save(tmp_path / "mine", model, byte_tokenizer())))
    graph = flowviz.explain("the cat", loaded, target="[310]").graph
    assert (graph.target.token.id, graph.target.token.token) == (310, "[310]")


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_model_without_a_beginning_of_text(architecture: str, tmp_path: Path) -> None:
    """Neither its tokenizer nor its configuration has one: nothing stands before the prompt."""
    model = base(architecture, tmp_path / "base")
    model.config.bos_token_id = model.config.eos_token_id = None
    model.generation_config.bos_token_id = model.generation_config.eos_token_id = None
    bare = PreTrainedTokenizerFast(tokenizer_object=byte_tokenizer().backend_tokenizer)
    folder = save(tmp_path / "mine", model, bare)
    loaded = load_model(str(folder))
    graph = flowviz.explain("the cat", loaded).graph
    assert [token.text for token in graph.tokens] == ["the", " cat"]
    assert loaded.vocabulary.tokenizer.bos_token is None
    assert len(loaded.vocabulary.tokenizer) == 300
    same(folder, model)


def test_an_adapter_merged_by_hand_is_a_model_like_any_other(tmp_path: Path) -> None:
    adapted = get_peft_model(
        base("llama", tmp_path / "base"), LoraConfig(target_modules=["q_proj"])
    )
    for weight in adapted.parameters():
        weight.data += 0.05
    merged: Any = adapted.merge_and_unload()
    same(save(tmp_path / "merged", merged, byte_tokenizer()), merged)
