"""From weights and a tokenizer in memory to a LoadedModel: the last steps of every way to load.

TransformerLens's TransformerBridge is put around the weights in raw mode, so that its logits are
the model's own; whether they are is measured here, once, on a few tokens. It changes what it is
given, both the model and the tokenizer: it gets copies.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from flowviz.errors import FlowvizError, ModelError
from flowviz.models.architecture import as_trained, before_boot, read_model
from flowviz.models.loaded import LoadedModel
from flowviz.models.parts import exact

PROBED = 8
ANOTHER_MODEL = 0.2  # far above what half precision rounds


def boot(name: str, weights: Any, tokenizer: Any) -> LoadedModel:
    """Puts the bridge around weights that may be changed in place, and names their parts.

    Raises:
        ModelError: behind the bridge it is another model.
    """
    from transformer_lens.model_bridge import TransformerBridge

    first = next(weights.parameters())
    as_trained(weights)
    before = _logits(weights, first.device)
    before_boot(weights)
    bridge = TransformerBridge.boot_transformers(
        name,
        hf_model=weights,
        tokenizer=_for_bridge(tokenizer),
        device=first.device,
        dtype=first.dtype,
    )
    bridge.eval().requires_grad_(False)  # it splits GPT-2's q, k and v into new weights
    error = _difference(before, _logits(bridge, first.device))
    if not error <= ANOTHER_MODEL:
        raise ModelError(
            f"{name} gives other logits behind TransformerLens's bridge than without it, by "
            f"{error:.0%} of the largest: the bridge does not compute {type(weights).__name__} as "
            "it is, and what it shows would be of another model. Choose another one."
        )
    return replace(read_model(name, bridge, tokenizer), boot_error=error)


def _logits(model: Any, device: torch.device) -> Tensor:
    """The logits of a few tokens; all models have that many."""
    with torch.inference_mode():
        result = model(torch.arange(1, PROBED + 1, device=device)[None] % model.config.vocab_size)
    logits = getattr(result, "logits", result)
    return exact(logits.detach()).clone()


def _difference(before: Tensor, after: Tensor) -> float:
    """The largest difference, relative to the largest logit."""
    return float((after.to(before) - before).abs().max() / before.abs().max().clamp(min=1e-12))


def _for_bridge(tokenizer: Any) -> Any:
    """A copy that the bridge may change: it adds tokens that it misses.

    It is marked as one that adds a first token, or the bridge would read one that does from
    wherever the tokenizer once came from. The bridge is only ever given ids.
    """
    own = copy.deepcopy(tokenizer)
    own.init_kwargs = {**own.init_kwargs, "name_or_path": "", "add_bos_token": True}
    return own


@contextlib.contextmanager
def said_plainly(title: str) -> Iterator[None]:
    """Turns what the libraries raise, which may be anything, into what happened and the way out."""
    try:
        yield
    except FlowvizError:
        raise
    except MemoryError as error:
        raise ModelError(_too_large(title)) from error
    except Exception as error:
        raise ModelError(_reason(title, error)) from error


def _too_large(title: str) -> str:
    return f"{title} does not fit in memory. Choose a smaller model, or free some memory."


def _reason(title: str, error: Exception) -> str:
    text = str(error).strip()
    if "trust_remote_code" in text or "custom code" in text:
        return (
            f"{title} needs code of its own to run, which flowviz never loads. Choose a "
            "model whose architecture is part of transformers."
        )
    if "not enough memory" in text or "allocate memory" in text or "out of memory" in text:
        return _too_large(title)
    if type(error).__name__ == "SafetensorError":
        return (
            f"{title} has a damaged or cut-off safetensors file ({text[:120]}). Copy or "
            "download it again."
        )
    first = f"{type(error).__name__}: {text.splitlines()[0]}" if text else type(error).__name__
    return (
        f"{title} could not be loaded ({first[:200]}). Check its files, and that "
        "transformers itself can load it."
    )
