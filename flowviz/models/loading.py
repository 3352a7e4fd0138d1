"""Loading: one path for the demo model, a hub name and a local folder.

1. Find the folder that holds the files (`hub.py` downloads them where it must).
2. Read the configuration and the tokenizer, and refuse what is not a causal language model.
3. Count the parameters on no device, and refuse what does not fit in memory.
4. Load the weights with transformers (safetensors only, never code of the checkpoint's own).
5. Boot TransformerLens's TransformerBridge around them, in raw mode: its logits are the model's.
6. Name its parts (`architecture.py`).
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from flowviz.errors import FlowvizError, ModelError
from flowviz.models.architecture import read_model
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
    with quiet(), _said_plainly(entry):
        folder = model_folder(entry, progress)
        check_folder(entry.title, folder)
        config = read_config(entry.title, folder)
        tokenizer = read_tokenizer(entry.title, folder, config)
        _check_memory(entry, config, dtype)
        progress(f"Loading the weights of {entry.title}", 0.2)
        weights = read_weights(entry.title, folder, config, dtype).to(device)
        progress(f"Attaching hooks to {entry.title}", 0.8)
        bridge = _boot(folder, weights, tokenizer, device, dtype)
        model = read_model(entry.name, bridge, tokenizer)
    progress(f"{entry.title} is ready", 1.0)
    return model


def weight_bytes(entry: ModelEntry, dtype: torch.dtype = torch.float32) -> int:
    """How many bytes an entry's weights will take in memory, read from its config.json alone.

    Nothing but that file is downloaded, and a second call for the same file costs nothing.

    Raises:
        ModelError: as `load_model` does for an entry that cannot be found or is no causal model.
    """
    with quiet(), _said_plainly(entry):
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


def _boot(folder: Path, weights: Any, tokenizer: Any, device: str, dtype: torch.dtype) -> Any:
    from transformer_lens.model_bridge import TransformerBridge

    bridge = TransformerBridge.boot_transformers(
        str(folder), hf_model=weights, tokenizer=_for_bridge(tokenizer), device=device, dtype=dtype
    )
    return bridge.eval().requires_grad_(False)  # it splits GPT-2's q, k and v into new weights


def _for_bridge(tokenizer: Any) -> Any:
    """A copy that the bridge may change: it adds tokens that it misses.

    It is marked as one that adds a first token, or the bridge would read one that does from
    wherever the tokenizer once came from. The bridge is only ever given ids.
    """
    own = copy.deepcopy(tokenizer)
    own.init_kwargs = {**own.init_kwargs, "name_or_path": "", "add_bos_token": True}
    return own


@contextlib.contextmanager
def _said_plainly(entry: ModelEntry) -> Iterator[None]:
    """Turns what the libraries raise, which may be anything, into what happened and the way out."""
    try:
        yield
    except FlowvizError:
        raise
    except MemoryError as error:
        raise ModelError(_too_large(entry)) from error
    except Exception as error:
        raise ModelError(_reason(entry, error)) from error


def _too_large(entry: ModelEntry) -> str:
    return f"{entry.title} does not fit in memory. Choose a smaller model, or free some memory."


def _reason(entry: ModelEntry, error: Exception) -> str:
    text = str(error).strip()
    if "trust_remote_code" in text or "custom code" in text:
        return (
            f"{entry.title} needs code of its own to run, which flowviz never loads. Choose a "
            "model whose architecture is part of transformers."
        )
    if "not enough memory" in text or "allocate memory" in text or "out of memory" in text:
        return _too_large(entry)
    if type(error).__name__ == "SafetensorError":
        return (
            f"{entry.title} has a damaged or cut-off safetensors file ({text[:120]}). Copy or "
            "download it again."
        )
    first = f"{type(error).__name__}: {text.splitlines()[0]}" if text else type(error).__name__
    return (
        f"{entry.title} could not be loaded ({first[:200]}). Check its files, and that "
        "transformers itself can load it."
    )
