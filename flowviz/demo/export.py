"""A trained network becomes a plain Hugging Face folder.

Weights are stored in float16 to stay small, and the configuration asks for float32, so that what
is loaded computes in float32 on rounded weights.
"""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer
from transformers import GPT2LMHeadModel

from flowviz.demo.tokenizer import save_tokenizer

_READABLE = 0o644


def export(model: GPT2LMHeadModel, tokenizer: Tokenizer, folder: Path) -> None:
    """Write configuration, weights and tokenizer; existing files are replaced."""
    save_tokenizer(tokenizer, folder)
    model.config.architectures = ["GPT2LMHeadModel"]
    model.config.dtype = torch.float32
    model.config.use_cache = True
    model.config.save_pretrained(folder)
    weights = {
        name: tensor.detach().half().contiguous()
        for name, tensor in model.state_dict().items()
        if name != "lm_head.weight"  # tied to the embedding
    }
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    for path in folder.iterdir():
        path.chmod(_READABLE)
