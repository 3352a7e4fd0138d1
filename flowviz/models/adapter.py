"""Adapters of peft: small changes of a base model's weights, merged into it before it is explained.

1. Read `adapter_config.json` as plain JSON, and refuse what is no change of weights, or would
   import a module by a name that the file gives. Weights are read from safetensors alone.
2. Find the base: the one that was given, else the one that the adapter names. An adapter from
   the hub can name a model on the hub and nothing else: whoever wrote it must not choose which
   folders of this machine are read. Where an adapter is in a folder, its base may be in one too,
   because whoever runs the program chose that folder. Visitors choose neither.
3. Give the base's embeddings as many rows as the adapter was trained with, put the adapter on
   it, check that all of the adapter found its place, and merge.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from flowviz.errors import ModelError
from flowviz.models.catalogue import HUB_NAME, ModelEntry, find_model
from flowviz.models.hub import ADAPTER_CONFIG, ADAPTER_WEIGHTS, WEIGHTS

MERGED = ("LORA", "ADALORA", "LOHA", "LOKR", "IA3", "OFT", "HRA", "LN_TUNING", "TRAINABLE_TOKENS")
NAME_IT = "Name the model that it was trained on: ADAPTER@BASE, or base= in Python."
NOT_PLAIN = {
    "megatron_config": "is made for Megatron",
    "layer_replication": "repeats blocks of its base model",
    "alora_invocation_tokens": "changes its weights within a prompt",
}


@dataclass(frozen=True)
class Adapter:
    """An adapter in a folder, and what its adapter_config.json says."""

    title: str
    folder: Path
    said: dict[str, Any]


def read_adapter(title: str, folder: Path) -> Adapter | None:
    """The adapter that a folder holds; None where it holds none.

    Raises:
        ModelError: it cannot be read, or cannot be merged.
    """
    if not (folder / ADAPTER_CONFIG).is_file():
        return None
    if any((folder / name).is_file() for name in WEIGHTS):
        raise ModelError(
            f"{title} holds both a whole model and an adapter. Put the adapter_*.* files into a "
            "folder of their own, and give the one that you mean."
        )
    try:
        said = json.loads((folder / ADAPTER_CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{title} has an {ADAPTER_CONFIG} that is no JSON ({error}).") from error
    if not isinstance(said, dict):
        raise ModelError(f"{title} has an {ADAPTER_CONFIG} that is a {type(said).__name__}.")
    _check_kind(title, said)
    return Adapter(title, folder, said)


def _check_kind(title: str, said: dict[str, Any]) -> None:
    kind = str(said.get("peft_type"))[:40]
    if kind not in MERGED:
        raise ModelError(
            f"{title} is an adapter of the kind {kind}, which cannot be merged into the weights "
            f"of its base model here. Kinds that can be: {', '.join(MERGED)}."
        )
    for field, words in NOT_PLAIN.items():
        if said.get(field):
            raise ModelError(
                f"{title} {words} ({field} in its {ADAPTER_CONFIG}), which cannot be explained. "
                "Train an adapter without it."
            )
    if said.get("task_type") not in (None, "CAUSAL_LM"):
        raise ModelError(
            f"{title} is an adapter for {str(said['task_type'])[:40]}, not for a causal language "
            "model. Choose one whose task_type is CAUSAL_LM."
        )


def check_adapter_weights(adapter: Adapter) -> None:
    """Raises ModelError where the adapter's weights are not there, or are pickled."""
    if not (adapter.folder / ADAPTER_WEIGHTS).is_file():
        raise ModelError(
            f"{adapter.title} holds no {ADAPTER_WEIGHTS}; pickled weights (adapter_model.bin) are "
            "not loaded, because they can run code. Load it where you trust it and save it again "
            "with save_pretrained."
        )


def base_entry(adapter: Adapter, entry: ModelEntry) -> ModelEntry:
    """The entry of the model that an adapter is merged into.

    Raises:
        ModelError: it names none, or one that is not there, or that may not be read.
    """
    if entry.base is not None:
        return find_model(entry.base)
    named = adapter.said.get("base_model_name_or_path")
    if not isinstance(named, str) or not named:
        raise ModelError(f"{adapter.title} does not name its base model. {NAME_IT}")
    local = None if entry.on_hub else _local(named, adapter.folder)
    if local is not None:
        return ModelEntry(local.name, str(local), local.name, "")
    if HUB_NAME.fullmatch(named):
        return ModelEntry(named, named, named, "", on_hub=True)
    reason = "which is no hub name" if entry.on_hub else "which is not there"
    raise ModelError(f"{adapter.title} names the base model {named[:120]!r}, {reason}. {NAME_IT}")


def _local(named: str, folder: Path) -> Path | None:
    """A folder of that name: from where the program runs, or beside the adapter's files."""
    try:
        places = [place for place in (Path(named), folder / named) if place.is_dir()]
    except (OSError, ValueError):
        return None
    return places[0].resolve() if places else None


def put_on(adapter: Adapter, base: Any, base_title: str) -> Any:
    """The base with the adapter merged into it; the base is used up.

    Raises:
        ModelError: peft is missing, or the adapter was not made for this base.
    """
    check_peft(adapter.title)
    from peft import PeftConfig, PeftModel

    folder = str(adapter.folder)
    try:
        config = PeftConfig.from_pretrained(folder)
        config.inference_mode = True
        shapes = _shapes(adapter.folder / ADAPTER_WEIGHTS)
        _resize(base, shapes, adapter.said)
        device = str(next(base.parameters()).device)
        model = PeftModel.from_pretrained(
            base, folder, config=config, torch_device=device, autocast_adapter_dtype=False
        )
    except (RuntimeError, ValueError, KeyError, TypeError) as error:
        raise ModelError(_misfit(adapter.title, base_title, _reason(error))) from error
    _check_places(adapter.title, base_title, model, set(shapes))
    return merge(adapter.title, model)


def check_peft(title: str) -> None:
    """Raises ModelError where peft is not installed."""
    from importlib.util import find_spec

    if find_spec("peft") is None:
        raise ModelError(
            f"{title} is an adapter, and the library that merges it is not installed. "
            "Install it (pip install peft), or merge it elsewhere and give the whole model."
        )


def _shapes(file: Path) -> dict[str, tuple[int, ...]]:
    """The shape of each of an adapter's weights, from the file's head alone."""
    from safetensors import safe_open

    with safe_open(file, "pt") as weights:
        return {name: tuple(weights.get_slice(name).get_shape()) for name in weights.keys()}  # noqa: SIM118


def _resize(base: Any, shapes: dict[str, tuple[int, ...]], said: dict[str, Any]) -> None:
    """Gives the embeddings the rows that the adapter was trained with."""
    embeddings = [base.get_input_embeddings(), base.get_output_embeddings()]
    names = [name for name, module in base.named_modules() if any(module is e for e in embeddings)]
    rows = [
        shape[1] if "lora_embedding_A" in weight else shape[0]
        for weight, shape in shapes.items()
        if any(f".{name}." in f".{weight}." for name in names)
        and (weight.endswith(("embedding_A", ".weight")) and ".lora_A." not in weight)
        and ".lora_B." not in weight
    ]
    now = embeddings[0].weight.shape[0]
    tokens = said.get("trainable_token_indices") or said.get("token_indices") or []
    lists = tokens.values() if isinstance(tokens, dict) else [tokens]
    rows = [*rows, *(max(indices) + 1 for indices in lists if indices and max(indices) >= now)]
    if rows and max(rows) != now:
        base.resize_token_embeddings(max(rows), mean_resizing=False)


def _check_places(title: str, base_title: str, model: Any, held: set[str]) -> None:
    """Raises ModelError where a part of the adapter found no place in the base, or lacks one."""
    from peft import get_peft_model_state_dict

    wanted = set(get_peft_model_state_dict(model, save_embedding_layers=False))
    embeddings = {name for name in held - wanted if name.endswith(("base_layer.weight", ".weight"))
                  and "lora_" not in name}  # fmt: skip
    strange = sorted(held - wanted - embeddings)
    lacking = sorted(wanted - held)
    if strange or lacking:
        words = f"it has no place for {strange[0]}" if strange else f"it lacks {lacking[0]}"
        raise ModelError(_misfit(title, base_title, words))


def _misfit(title: str, base_title: str, words: str) -> str:
    return f"{title} does not fit the base model {base_title}: {words[:200]}. {NAME_IT}"


def _reason(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[1] if len(lines) > 1 else lines[0] if lines else type(error).__name__).rstrip(".")


def merge(title: str, model: Any) -> Any:
    """A PeftModel's base with its active adapter merged; the PeftModel is used up.

    Weights that the adapter changes are changed in copies, so that what shares them (the user's
    model, or an output embedding that is tied to the input's) keeps its own.

    Raises:
        ModelError: its adapter is no change of weights.
    """
    from peft.tuners.tuners_utils import BaseTunerLayer

    kinds = {str(getattr(c.peft_type, "value", c.peft_type)) for c in model.peft_config.values()}
    for kind in sorted(kinds - set(MERGED)):
        _check_kind(title, {"peft_type": kind})
    for layer in list(model.modules()):
        if isinstance(layer, BaseTunerLayer):
            own = layer.get_base_layer()
            for name, weight in list(own.named_parameters(recurse=False)):
                setattr(own, name, torch.nn.Parameter(weight.detach().clone(), False))
    merged = model.merge_and_unload() if hasattr(model, "merge_and_unload") else _unload(model)
    read, written = merged.get_input_embeddings(), merged.get_output_embeddings()
    merged.config.tie_word_embeddings = written is None or read.weight is written.weight
    return merged


def _unload(model: Any) -> Any:
    """Merges adapters that transformers itself put into a model (its `add_adapter`)."""
    from peft.tuners.tuners_utils import BaseTunerLayer
    from peft.utils.other import AuxiliaryTrainingWrapper

    for name, layer in list(model.named_modules()):
        parent, _, child = name.rpartition(".")
        if isinstance(layer, AuxiliaryTrainingWrapper):
            whole = layer.unload_and_optionally_merge_module(True, False, None)
        elif isinstance(layer, BaseTunerLayer):
            layer.merge()
            whole = layer.get_base_layer()
        else:
            continue
        setattr(model.get_submodule(parent), child, whole)
    return model
