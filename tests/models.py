"""Small random models, made from a configuration and saved as a folder, one for each architecture.

Every norm's weight and bias and every other bias is randomised: with untouched norms an error in
folding them stays hidden.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

from flowviz.models.loaded import LoadedModel
from flowviz.models.loading import load_model
from tests.architectures import ARCHITECTURES, UNCOVERED, Sizes

WORDS = "the cat sat on a mat while Mary and John went to the store in Japan . She said that"


def configuration(architecture: str, **sizes: int) -> Any:
    """The configuration of a small model."""
    return (ARCHITECTURES | UNCOVERED)[architecture].configuration(Sizes(**sizes))


def randomise(model: torch.nn.Module, seed: int) -> None:
    """Gives every weight, norm and bias values that hide nothing."""
    generator = torch.Generator().manual_seed(seed)
    for name, weight in model.named_parameters():
        noise = torch.randn(weight.shape, generator=generator)
        is_norm = weight.dim() == 1 and name.endswith("weight")
        weight.data = 1 + 0.3 * noise if is_norm else noise * (0.3 if weight.dim() == 1 else 0.15)


@cache
def byte_tokenizer() -> PreTrainedTokenizerFast:
    """A byte-level BPE of 300 entries."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=300,
        special_tokens=["<|endoftext|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train_from_iterator([WORDS] * 20, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<|endoftext|>", eos_token="<|endoftext|>"
    )


def save_model(architecture: str, folder: Path, seed: int = 0, **sizes: int) -> Path:
    """Writes a random model with its tokenizer as a Hugging Face folder."""
    config = configuration(architecture, **sizes)
    model = AutoModelForCausalLM.from_config(config)
    randomise(model, seed)
    model.save_pretrained(folder)
    byte_tokenizer().save_pretrained(folder)
    return folder


@cache
def random_model(
    architecture: str, seed: int = 0, dtype: str = "float32", **sizes: int
) -> LoadedModel:
    """A random model, loaded the way that a user's own folder is."""
    folder = Path(mkdtemp()) / architecture  # a model is called by its folder
    return load_model(str(save_model(architecture, folder, seed, **sizes)), dtype=dtype)
