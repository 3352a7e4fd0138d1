"""A model that is already in memory, explained without touching it.

TransformerBridge changes the model that it wraps in place. It therefore gets a copy of the model's
structure, which shares the numbers of every weight, so that memory is not doubled:

1. An adapter of peft's in the model is merged, into copies of the weights that it changes.
2. The modules are copied, in evaluation mode and with eager attention; each weight of the copy is
   another Parameter over the same numbers, and takes no gradient. Hooks are not copied: what is
   explained is the model as its weights are.
3. The bridge wraps the copy (`boot.py`).

Weights that are trained further afterwards change under the copy in part only (the bridge splits
some into new ones): wrap the model again after training.
"""

from __future__ import annotations

import copy
from collections import OrderedDict
from pathlib import PurePath
from typing import Any

import torch

from flowviz.errors import ModelError
from flowviz.models.boot import boot, said_plainly
from flowviz.models.catalogue import LONGEST_NAME
from flowviz.models.checkpoint import causal_name, check_architecture, usable_tokenizer
from flowviz.models.loaded import LoadedModel
from flowviz.models.quantised import check_quantised, readable
from flowviz.models.quiet import quiet

HOOKS = (
    "_forward_hooks",
    "_forward_hooks_with_kwargs",
    "_forward_hooks_always_called",
    "_forward_pre_hooks",
    "_forward_pre_hooks_with_kwargs",
    "_backward_hooks",
    "_backward_pre_hooks",
)


def wrap_model(model: Any, tokenizer: Any, *, name: str | None = None) -> LoadedModel:
    """Makes a model and a tokenizer that are in memory ready to be explained, many times.

    Neither is changed: the model keeps its modules, hooks, mode, attention and gradients.

    Args:
        model: a causal language model of transformers, or a PeftModel around one.
        tokenizer: its tokenizer, as transformers loads it.
        name: what the graph calls it; by default what its configuration says.

    Raises:
        ModelError: one of them is something else, or the architecture is not covered.

    Example:
        >>> loaded = wrap_model(model, tokenizer)
        >>> explain("The capital of Japan is the city of", loaded)
    """
    if isinstance(model, LoadedModel):
        return model
    whole = _unwrapped(model)
    title = _title(whole, name)
    with quiet(), said_plainly(title):
        own_tokenizer = copy.deepcopy(usable_tokenizer(title, tokenizer))
        own = _own_copy(title, whole)
        return boot(title, own, own_tokenizer)


def _unwrapped(model: Any) -> Any:
    """The model inside torch.compile's or DataParallel's wrapper, or ModelError."""
    if isinstance(model, torch.nn.Module):
        model = model._modules.get("_orig_mod") or model
        model = model if hasattr(model, "config") else model._modules.get("module") or model
    if type(model).__name__ == "TransformerBridge":
        raise ModelError(
            "The model is a TransformerBridge, which has changed the model that it wraps. Give "
            "the Hugging Face model, loaded again."
        )
    if not isinstance(model, torch.nn.Module) or not hasattr(model, "config"):
        raise ModelError(
            f"The model is a {type(model).__name__}; a causal language model of transformers, a "
            "PeftModel, or the name or folder of one is wanted."
        )
    return model


def _title(model: Any, name: str | None) -> str:
    given = name or PurePath(str(getattr(model.config, "name_or_path", "") or "")).name
    plain = "".join(character for character in given if character.isprintable()).strip()
    return plain[:LONGEST_NAME] or type(model).__name__


def _own_copy(title: str, model: Any) -> Any:
    """The model's structure with its numbers, adapters merged, ready to be changed."""
    own = share_weights(title, model)
    if getattr(own, "peft_config", None):
        from flowviz.models.adapter import merge

        own = merge(title, own)
    own.config.architectures = [causal_name(own)]
    check_architecture(title, own.config)
    check_quantised(title, own.config)
    readable(own)
    own.set_attn_implementation("eager")
    own.set_experts_implementation("eager")
    return own.eval()


def share_weights(title: str, model: torch.nn.Module) -> Any:
    """A copy of the modules over the same numbers, without hooks and without gradients.

    Raises:
        ModelError: something in the model cannot be copied, or its weights are elsewhere.
    """
    memo: dict[int, Any] = {}
    for weight in model.parameters():
        if weight.is_meta:
            raise ModelError(f"{title} has weights that are not in memory. Load all of it first.")
        memo[id(weight)] = torch.nn.Parameter(weight.detach(), requires_grad=False)
    for module in model.modules():
        memo.update({id(getattr(module, hooks)): OrderedDict() for hooks in HOOKS})
    try:
        own = copy.deepcopy(model, memo)
    except Exception as error:  # whatever hangs on a module may refuse to be copied
        raise ModelError(
            f"{title} cannot be copied in memory ({type(error).__name__}: {str(error)[:120]}). "
            "Save it with save_pretrained, and give the folder."
        ) from error
    for module in own.modules():
        module.__dict__.pop("_output_capturing_hooks_installed", None)  # transformers' own hooks
    return own
