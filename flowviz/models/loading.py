"""Loading: one path for the demo model, a hub name and a local folder.

1. Read the configuration, and refuse what is not a causal language model.
2. Count its parameters on no device, and refuse what does not fit in memory.
3. Load the weights with transformers (safetensors only, never code from the hub).
4. Boot TransformerLens's TransformerBridge around them, in raw mode: its logits are the model's.
5. Name its parts (`architecture.py`).
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch

from flowviz.errors import ModelError
from flowviz.models.architecture import read_model
from flowviz.models.catalogue import ModelEntry, find_model
from flowviz.models.loaded import LoadedModel
from flowviz.models.supported import SUPPORTED

Progress = Callable[[str, float], None]
MEMORY_MARGIN = 1.2  # weights, and what a pass needs beside them


def load_model(
    source: str | ModelEntry = "demo",
    *,
    device: str = "cpu",
    dtype: torch.dtype = torch.float32,
    progress: Progress = lambda stage, fraction: None,
) -> LoadedModel:
    """Loads a model for explaining.

    Args:
        source: `demo`, another known name, a hub name, or a folder with a config.json.
        device: a torch device.
        dtype: the precision of the weights; only float32 and float64 are exact.
        progress: called with a stage in words and a fraction.

    Raises:
        ModelError: it does not exist, is not a causal language model, needs a token, does not
            fit in memory, cannot be reached, or has an architecture that is not covered.
    """
    entry = source if isinstance(source, ModelEntry) else find_model(source)
    progress(f"Reading {entry.title}", 0.05)
    with _said_plainly(entry):
        config, tokenizer = _read_config(entry)
        _check_memory(entry, config, dtype)
        progress(f"Loading the weights of {entry.title}", 0.2)
        weights = _read_weights(entry, config, dtype).to(device)
        progress(f"Attaching hooks to {entry.title}", 0.8)
        bridge = _boot(entry, weights, tokenizer, device, dtype)
    model = read_model(entry.name, bridge, tokenizer)
    progress(f"{entry.title} is ready", 1.0)
    return model


def _read_config(entry: ModelEntry) -> tuple[Any, Any]:
    from transformers import AutoConfig, AutoTokenizer

    if Path(entry.source).is_dir():
        _check_folder(entry)
    config = AutoConfig.from_pretrained(entry.source, trust_remote_code=False)
    names = config.architectures or [f"{type(config).__name__} without architectures"]
    if names[0] not in SUPPORTED:
        causal = "ForCausalLM" in names[0] or "LMHead" in names[0]
        reason = (
            "an architecture for which the flow is not exact yet"
            if causal
            else "not a causal language model"
        )
        raise ModelError(
            f"{entry.title} is {names[0]}: {reason}. Choose a model with one of the "
            f"architectures {', '.join(SUPPORTED)}."
        )
    tokenizer = AutoTokenizer.from_pretrained(entry.source, trust_remote_code=False)
    if not tokenizer.is_fast:
        raise ModelError(
            f"{entry.title} has no fast tokenizer. Convert it: load it with transformers and "
            "save it again, so that the folder holds a tokenizer.json."
        )
    return config, tokenizer


def _check_folder(entry: ModelEntry) -> None:
    folder = Path(entry.source)
    if not (folder / "config.json").is_file():
        raise ModelError(
            f"The folder {folder} holds no config.json. Give the folder that save_pretrained wrote."
        )
    if not any(folder.glob("*.safetensors")):
        raise ModelError(
            f"The folder {folder} holds no .safetensors file; pickled weights are not loaded, "
            "because they can run code. Load it where you trust it and save it again with "
            "save_pretrained, which writes safetensors."
        )


def _check_memory(entry: ModelEntry, config: Any, dtype: torch.dtype) -> None:
    from transformers import AutoModelForCausalLM

    with torch.device("meta"), _quiet():
        empty = AutoModelForCausalLM.from_config(config, trust_remote_code=False)
    needed = sum(weight.numel() for weight in empty.parameters()) * dtype.itemsize
    free = _free_memory()
    if free is not None and needed * MEMORY_MARGIN > free:
        raise ModelError(
            f"{entry.title} needs about {needed * MEMORY_MARGIN / 1e9:.1f} GB of memory in "
            f"{str(dtype).removeprefix('torch.')}; {free / 1e9:.1f} GB are free. Choose a "
            "smaller model, or free some memory."
        )


def _free_memory() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvail"))
    except (OSError, StopIteration):
        with contextlib.suppress(ValueError, OSError, AttributeError):
            return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        return None


def _read_weights(entry: ModelEntry, config: Any, dtype: torch.dtype) -> Any:
    from transformers import AutoModelForCausalLM

    with _quiet():
        weights, report = AutoModelForCausalLM.from_pretrained(
            entry.source,
            config=config,
            dtype=dtype,
            use_safetensors=True,
            trust_remote_code=False,
            attn_implementation="eager",
            output_loading_info=True,
        )
    missing = sorted(report["missing_keys"])
    if missing:
        raise ModelError(
            f"{entry.title} lacks {len(missing)} of its weights, for example {missing[0]}. A "
            "checkpoint without a language-model head cannot be explained; save the whole model."
        )
    return weights.eval().requires_grad_(False)


def _boot(entry: ModelEntry, weights: Any, tokenizer: Any, device: str, dtype: torch.dtype) -> Any:
    from transformer_lens.model_bridge import TransformerBridge

    with _quiet():
        bridge = TransformerBridge.boot_transformers(
            entry.source, hf_model=weights, tokenizer=tokenizer, device=device, dtype=dtype
        )
    return bridge.eval()


@contextlib.contextmanager
def _said_plainly(entry: ModelEntry) -> Iterator[None]:
    """Turns what the libraries raise into what happened and the way out."""
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    try:
        yield
    except ModelError:
        raise
    except GatedRepoError:
        raise ModelError(
            f"{entry.source} is gated. Accept its terms on the hub, then set HF_TOKEN."
        ) from None
    except RepositoryNotFoundError:
        raise ModelError(f"The hub has no model {entry.source}. Check the name.") from None
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ModelError(_reason(entry, error)) from error


def _reason(entry: ModelEntry, error: Exception) -> str:
    text = str(error)
    if "gated" in text:
        return f"{entry.source} is gated. Accept its terms on the hub, then set HF_TOKEN."
    if "trust_remote_code" in text or "custom code" in text:
        return f"{entry.title} needs code of its own to run, which flowviz never loads."
    if "safetensors" in text and "connect" not in text:
        return f"{entry.title} has no safetensors weights. Ask for a safetensors revision."
    if "connect" in text or "offline" in text.lower():
        return (
            f"{entry.source} is not on this machine, and the hub cannot be reached. Connect "
            "once to download it, give a local folder, or use the demo model."
        )
    if "not a valid model identifier" in text:
        return f"The hub has no model {entry.source}, or it needs HF_TOKEN. Check the name."
    first = text.strip().splitlines()[0][:300] if text.strip() else type(error).__name__
    return f"{entry.title} could not be loaded: {first}"


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keeps the libraries' progress bars and notes off standard output and error."""
    from transformers.utils import logging as transformers_logging

    verbosity = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    logging.getLogger("transformer_lens").setLevel(logging.ERROR)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        transformers_logging.set_verbosity(verbosity)
        transformers_logging.enable_progress_bar()
