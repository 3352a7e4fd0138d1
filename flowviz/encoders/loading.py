"""Loading a model that reads both ways, with the same checks as a GPT's.

1. Find the folder, read the configuration and the tokenizer, and count what the weights take.
2. Load them with transformers: safetensors only, never code of the checkpoint's own. A checkpoint
   without a language-model head (a plain BertModel, a classifier) is loaded without one.
3. Run a few tokens, and see what can be recorded of each layer: all, or its pattern alone. Where
   that pattern is not the model's own, as `output_attentions` gives it, the model is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from flowviz.encoders.loaded import LoadedEncoder
from flowviz.encoders.probe import examine
from flowviz.encoders.record import register
from flowviz.errors import ModelError
from flowviz.models.boot import said_plainly
from flowviz.models.catalogue import ModelEntry, find_model
from flowviz.models.checkpoint import (
    check_finite,
    check_none_missing,
    check_shapes,
    count_bytes,
    fetch_weights,
    read_config,
    read_tokenizer,
)
from flowviz.models.hub import model_folder
from flowviz.models.kind import ModelKind, kind_of_folder
from flowviz.models.loaded import LoadedModel
from flowviz.models.loading import Files, check_files, find_files, load_model, placement_of
from flowviz.models.place import Place
from flowviz.models.quantised import is_quantised
from flowviz.models.quiet import quiet
from flowviz.models.tokens import Vocabulary

Progress = Callable[[str, float], None]
NO_HEAD = "This checkpoint has no head that predicts tokens: its attention is shown, no prediction."


def load_any(
    source: str | ModelEntry, progress: Progress = lambda stage, fraction: None, **place: Any
) -> LoadedModel | LoadedEncoder:
    """Loads a model of whichever kind it is: a GPT for everything, any other for attention.

    Args:
        source: as `load_model` takes it.
        place: `device` and `dtype`, as `load_model` takes them.

    Raises:
        ModelError: as `load_model` and `load_encoder` do.
    """
    entry = source if isinstance(source, ModelEntry) else find_model(source)
    kind = entry.kind or _kind_of(entry, progress)
    load = load_model if kind in (ModelKind.GPT, None) else load_encoder
    return load(entry, progress=progress, **place)


def _kind_of(entry: ModelEntry, progress: Progress) -> ModelKind | None:
    if entry.base is not None:
        return ModelKind.GPT
    with quiet(), said_plainly(entry.title):
        return kind_of_folder(model_folder(entry, progress))


def load_encoder(
    source: str | ModelEntry,
    *,
    device: str | torch.device | None = None,
    dtype: str | torch.dtype | None = None,
    progress: Progress = lambda stage, fraction: None,
) -> LoadedEncoder:
    """Loads an encoder (BERT) or an encoder-decoder (T5, BART), for many calls of `attention_maps`.

    Args:
        source: a known name, a hub name, or a folder that `save_pretrained` wrote.
        device: cpu (the default), cuda, cuda:N, mps, or auto.
        dtype: float32 (the default), float64, bfloat16, float16, or auto.
        progress: called with a stage in words and a fraction; what it raises stops the loading.

    Raises:
        ModelError: it does not exist, is a GPT, does not fit in memory, cannot be reached, or its
            attention cannot be read.

    Example:
        >>> encoder = load_encoder("bert-base-uncased")
        >>> attention_maps("The cat sat.", encoder, second="It slept.").queries.second
        6
    """
    entry = source if isinstance(source, ModelEntry) else find_model(source)
    placement = placement_of(entry, device, dtype)
    progress(f"Reading {entry.title}", 0.05)
    register()
    with quiet(), said_plainly(entry.title):
        files = find_files(entry, lambda found: model_folder(found, progress))
        kind = _checked_kind(entry, files)
        config = read_config(files.title, files.whole, kind)
        tokenizer = read_tokenizer(entry.title, files.tokenizer, config, fast=False)
        _check_one_vocabulary(entry.title, tokenizer, config)
        place = Place.found(placement, None, config)
        _check_precision(entry.title, place, config)
        place.check_fits(entry.title, count_bytes(config, place.dtype, kind=kind))
        progress(f"Loading the weights of {entry.title}", 0.2)
        weights, predicts = _read_weights(files.title, files.whole, kind, config, place)
        progress(f"Looking at the attention of {entry.title}", 0.8)
        model = wrap(entry.name, weights, tokenizer, kind, predicts)
    progress(f"{entry.title} is ready", 1.0)
    return model


def _checked_kind(entry: ModelEntry, files: Files) -> ModelKind:
    if files.adapter is not None:
        raise ModelError(
            f"{entry.title} is an adapter, and adapters are merged into causal language models "
            "alone. Merge it into its base model elsewhere, and give that folder."
        )
    check_files(files)
    kind = kind_of_folder(files.whole)
    if kind in (ModelKind.GPT, None):
        raise ModelError(
            f"{entry.title} is no encoder and no encoder-decoder by its config.json. Load it with "
            "load_model, or choose a model such as BERT or T5."
        )
    return kind


def _check_precision(title: str, place: Place, config: Any) -> None:
    if place.eight_bit or is_quantised(config):
        raise ModelError(
            f"{title} in 8 bits cannot be read: only causal language models are held so. Choose "
            "another precision, for example bfloat16."
        )


def _check_one_vocabulary(title: str, tokenizer: Any, config: Any) -> None:
    if getattr(tokenizer, "separate_vocabs", False) or hasattr(config, "tgt_vocab_size"):
        raise ModelError(
            f"{title} reads one vocabulary and writes another, which is not read here. Choose a "
            "model with one for both, for example T5, BART, or most of Marian's."
        )


def _read_weights(
    title: str, folder: Path, kind: ModelKind, config: Any, place: Place
) -> tuple[Any, bool]:
    """The weights, and whether they have a head that predicts."""
    weights, report = fetch_weights(kind, folder, config, place.dtype, **place.arguments())
    check_shapes(title, report)
    missing = sorted(report["missing_keys"])
    prefix = f"{weights.base_model_prefix}."
    headless = kind is ModelKind.ENCODER and weights.base_model is not weights
    if headless:
        check_none_missing(title, [name for name in missing if name.startswith(prefix)])
    else:
        check_none_missing(title, missing)
    weights = weights.base_model if missing else weights
    check_finite(title, weights)
    return weights.eval().requires_grad_(False), not missing


def wrap(name: str, weights: Any, tokenizer: Any, kind: ModelKind, predicts: bool) -> LoadedEncoder:
    """Weights that are in memory, as a loaded model: what they show is found by trying.

    Raises:
        ModelError: their attention cannot be read.
    """
    found = examine(name, weights, kind)
    size = found.vocabulary if predicts else weights.get_input_embeddings().weight.shape[0]
    weight = next(weights.parameters())
    shapes = tuple(replace(shape, vocabulary=size) for shape in found.shapes)
    return LoadedEncoder(
        shape=shapes[0],
        weights=weights,
        vocabulary=Vocabulary(tokenizer, size),
        context=found.context,
        kind=kind,
        parts=found.parts,
        dtype=weight.dtype,
        device=weight.device,
        shapes=shapes,
        decoder_context=found.decoder_context,
        recorded=found.recorded,
        outputs=found.outputs,
        predicts=predicts,
        precision=str(weight.dtype).removeprefix("torch."),
        notes=found.notes if predicts else (*found.notes, NO_HEAD),
    )
