"""Loading: one path for the demo model, a hub name and a local folder.

1. Find the folder that holds the files (`hub.py` downloads them where it must).
2. Read the configuration and the tokenizer, and refuse what is not a causal language model.
3. Count the parameters on no device, and refuse what does not fit in memory.
4. Load the weights with transformers (safetensors only, never code of the checkpoint's own).
5. Boot TransformerLens's TransformerBridge around them, in raw mode: its logits are the model's.
6. Name its parts (`architecture.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from flowviz.errors import ModelError
from flowviz.models.boot import boot, said_plainly
from flowviz.models.catalogue import ModelEntry, find_model
from flowviz.models.checkpoint import (
    check_folder,
    count_parameters,
    read_config,
    read_tokenizer,
    read_weights,
)
from flowviz.models.hub import config_file, model_folder
from flowviz.models.loaded import LoadedModel
from flowviz.models.memory import free_memory
from flowviz.models.quiet import quiet

Progress = Callable[[str, float], None]
MEMORY_MARGIN = 1.2  # weights, and what a pass needs beside them


def load_model(
    source: str | ModelEntry = "demo",
    *,
    device: str = "cpu",
    dtype: torch.dtype = torch.float32,
    progress: Progress = lambda stage, fraction: None,
) -> LoadedModel:
    """Loads a model for explaining. Nothing is printed while it loads.

    Args:
        source: `demo`, another known name, a hub name, or a folder with a config.json.
        device: a torch device.
        dtype: the precision of the weights; only float32 and float64 are exact.
        progress: called with a stage in words and a fraction; what it raises stops the loading.

    Raises:
        ModelError: it does not exist, is not a causal language model, needs a token, does not
            fit in memory, cannot be reached, or has an architecture that is not covered.
    """
    entry = source if isinstance(source, ModelEntry) else find_model(source)
    progress(f"Reading {entry.title}", 0.05)
    with quiet(), said_plainly(entry.title):
        folder = model_folder(entry, progress)
        check_folder(entry.title, folder)
        config = read_config(entry.title, folder)
        tokenizer = read_tokenizer(entry.title, folder, config)
        _check_memory(entry, config, dtype)
        progress(f"Loading the weights of {entry.title}", 0.2)
        weights = read_weights(entry.title, folder, config, dtype).to(device)
        progress(f"Attaching hooks to {entry.title}", 0.8)
        model = boot(entry.name, weights, tokenizer)
    progress(f"{entry.title} is ready", 1.0)
    return model


def weight_bytes(entry: ModelEntry, dtype: torch.dtype = torch.float32) -> int:
    """How many bytes an entry's weights will take in memory, read from its config.json alone.

    Nothing but that file is downloaded, and a second call for the same file costs nothing.

    Raises:
        ModelError: as `load_model` does for an entry that cannot be found or is no causal model.
    """
    with quiet(), said_plainly(entry.title):
        file = config_file(entry)
        changed = file.stat().st_mtime_ns if file.is_file() else 0
        return _parameters(entry.title, file.parent, changed) * dtype.itemsize


@lru_cache(maxsize=64)
def _parameters(title: str, folder: Path, changed: int) -> int:
    """How many numbers a model has; `changed` is when its config.json was written."""
    if not changed:
        check_folder(title, folder)
    return count_parameters(read_config(title, folder))


def _check_memory(entry: ModelEntry, config: Any, dtype: torch.dtype) -> None:
    needed = count_parameters(config) * dtype.itemsize
    free = free_memory()
    if free is not None and needed * MEMORY_MARGIN > free:
        raise ModelError(
            f"{entry.title} needs about {needed * MEMORY_MARGIN / 1e9:.1f} GB of memory in "
            f"{str(dtype).removeprefix('torch.')}; {free / 1e9:.1f} GB are free. Choose a "
            "smaller model, or free some memory."
        )
