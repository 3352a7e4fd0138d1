"""A trained network becomes a plain Hugging Face folder.

Weights are stored in float16 to stay small, and the configuration asks for float32, so that what
is loaded computes in float32 on rounded weights.
"""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor
from transformers import PreTrainedModel

_READABLE = 0o644


def export(model: PreTrainedModel, folder: Path) -> None:
    """Write configuration and weights beside the tokenizer's files; those there are replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    model.config.architectures = [type(model).__name__]
    model.config.dtype = torch.float32
    model.config.use_cache = True
    model.config.save_pretrained(folder)
    save_file(_stored(model), folder / "model.safetensors", metadata={"format": "pt"})
    for path in folder.iterdir():
        path.chmod(_READABLE)


def _stored(model: PreTrainedModel) -> dict[str, Tensor]:
    """Each tensor once, under the first of its names: what is tied is tied again on loading."""
    first: dict[int, str] = {}
    for name, tensor in model.state_dict().items():
        first.setdefault(tensor.data_ptr(), name)
    return {
        name: tensor.detach().half().contiguous()
        for name, tensor in model.state_dict().items()
        if first[tensor.data_ptr()] == name
    }
