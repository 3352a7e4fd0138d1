"""Loading: one path for the demo model, a hub name, a local folder and an adapter on any of them.

1. Find the folders that hold the files (`hub.py` downloads them where it must), an adapter's and
   its base model's (`adapter.py`).
2. Read the configuration and the tokenizer, and refuse what is not a causal language model.
3. Count the parameters on no device, and refuse what does not fit in the device's memory.
4. Load the weights with transformers (safetensors only, never code of the checkpoint's own), and
   merge the adapter into them.
5. Boot TransformerLens's TransformerBridge around them, and name their parts (`boot.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from flowviz.errors import ModelError
from flowviz.models.adapter import (
    Adapter,
    base_entry,
    check_adapter_weights,
    check_peft,
    put_on,
    read_adapter,
)
from flowviz.models.boot import boot, said_plainly
from flowviz.models.catalogue import ModelEntry, find_model, on_base
from flowviz.models.checkpoint import (
    check_finite,
    check_folder,
    check_tokenizer_files,
    count_bytes,
    has_tokenizer,
    read_config,
    read_tokenizer,
    read_weights,
)
from flowviz.models.hub import config_folder, model_folder
from flowviz.models.kind import ModelKind, kind_of_folder
from flowviz.models.loaded import LoadedModel
from flowviz.models.place import DeviceMap, Place, torch_dtype
from flowviz.models.placement import Placement
from flowviz.models.quantised import check_eight_bit, readable
from flowviz.models.quiet import quiet

Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class Files:
    """Where a model's parts are: the whole model, and an adapter to merge into it."""

    title: str
    whole: Path
    adapter: Adapter | None

    @property
    def tokenizer(self) -> Path:
        """The folder whose tokenizer is read: the adapter's own where it has one."""
        own = self.adapter is not None and has_tokenizer(self.adapter.folder)
        return self.adapter.folder if self.adapter is not None and own else self.whole


def load_model(
    source: str | ModelEntry = "demo",
    *,
    base: str | None = None,
    device: str | torch.device | None = None,
    dtype: str | torch.dtype | None = None,
    device_map: DeviceMap | None = None,
    progress: Progress = lambda stage, fraction: None,
) -> LoadedModel:
    """Loads a model for explaining. Nothing is printed while it loads.

    Args:
        source: `demo`, another known name, a hub name, a folder that `save_pretrained` wrote, or
            an adapter of peft: its folder or hub name, or `ADAPTER@BASE`.
        base: the model to merge an adapter into, where it is not the one that the adapter names.
        device: cpu (the default), cuda, cuda:N, mps, or auto for the best that there is.
        dtype: the precision of the weights: float32 (the default), float64, bfloat16, float16,
            auto for the checkpoint's own, or int8 for 8-bit weights; only float32 and float64
            are exact.
        device_map: how accelerate spreads the weights over several devices: `auto`, or a
            mapping of modules to devices, as transformers takes it. Instead of `device`.
        progress: called with a stage in words and a fraction; what it raises stops the loading.

    Raises:
        ModelError: it does not exist, is not a causal language model, needs a token, does not
            fit in memory, cannot be reached, or has an architecture that is not covered.
    """
    entry = source if isinstance(source, ModelEntry) else find_model(source)
    entry = entry if base is None else on_base(entry, base)
    placement = placement_of(entry, device, dtype)
    progress(f"Reading {entry.title}", 0.05)
    with quiet(), said_plainly(entry.title):
        files = find_files(entry, lambda found: model_folder(found, progress))
        check_files(files)
        config = read_config(files.title, files.whole)
        tokenizer = read_tokenizer(entry.title, files.tokenizer, config)
        place = Place.found(placement, device_map, config)
        check_eight_bit(entry.title, place.eight_bit, config, files.adapter is not None)
        place.check_fits(entry.title, count_bytes(config, place.dtype, place.eight_bit))
        progress(f"Loading the weights of {entry.title}", 0.2)
        weights = _read_weights(files, config, place)
        progress(f"Attaching hooks to {entry.title}", 0.8)
        model = boot(entry.name, weights, tokenizer)
    progress(f"{entry.title} is ready", 1.0)
    return model


def placement_of(
    entry: ModelEntry, device: str | torch.device | None, dtype: str | torch.dtype | None
) -> Placement:
    """What the call says, and what it leaves open from the entry."""
    chosen = entry.placement
    return Placement.of(str(device or chosen.device), str(dtype or chosen.dtype))


def find_files(entry: ModelEntry, fetch: Callable[[ModelEntry], Path]) -> Files:
    """Finds a model's folders; `fetch` gives an entry's own."""
    folder = fetch(entry)
    adapter = read_adapter(entry.title, folder)
    if adapter is None:
        if entry.base is not None:
            raise ModelError(
                f"{entry.title} is a whole model, not an adapter (it holds no adapter_config.json)"
                f". Leave out its base model {entry.base}."
            )
        return Files(entry.title, folder, None)
    below = base_entry(adapter, entry)
    whole = fetch(below)
    if read_adapter(below.title, whole) is not None:
        raise ModelError(
            f"The base model {below.title} of {entry.title} is an adapter itself. Merge it into "
            "its own base first, and save that."
        )
    return Files(below.title, whole, adapter)


def check_files(files: Files) -> None:
    """Raises ModelError where a file is missing that every model has."""
    check_folder(files.title, files.whole)
    check_tokenizer_files(files.tokenizer)
    if files.adapter is not None:
        check_adapter_weights(files.adapter)
        check_peft(files.adapter.title)


def _read_weights(files: Files, config: Any, place: Place) -> Any:
    weights = read_weights(files.title, files.whole, config, place.dtype, **place.arguments())
    if files.adapter is not None:
        weights = put_on(files.adapter, weights, files.title)
        check_finite(files.adapter.title, weights)
    return readable(weights).eval().requires_grad_(False)


def weight_bytes(entry: ModelEntry, dtype: torch.dtype | None = None) -> int:
    """How many bytes an entry's weights will take in memory, read from its config.json alone.

    Nothing but that file is downloaded, and a second call for the same file costs nothing. An
    adapter is merged, and takes what its base model takes.

    Args:
        entry: the model.
        dtype: the precision; None for the entry's own.

    Raises:
        ModelError: as `load_model` does for an entry that cannot be found or is no causal model.
    """
    with quiet(), said_plainly(entry.title):
        files = find_files(entry, config_folder)
        file = files.whole / "config.json"
        if not file.is_file():
            check_folder(files.title, files.whole)
        precision = entry.placement.dtype if dtype is None else str(dtype)
        return _counted(files.title, files.whole, file.stat().st_mtime_ns, precision)


@lru_cache(maxsize=64)
def _counted(title: str, folder: Path, changed: int, precision: str) -> int:
    """The bytes of a folder's weights; `changed` is when its config.json was written."""
    kind = kind_of_folder(folder) or ModelKind.GPT
    config = read_config(title, folder, kind)
    name = Placement.of(dtype=precision).dtype
    return count_bytes(config, torch_dtype(name, config), name == "int8", kind)
