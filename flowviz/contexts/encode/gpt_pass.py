"""One pass of a GPT over a batch, up to the last thing that is asked for.

No mask is given, unless tokens are to be hidden: what stands behind a token, padding with it, is
hidden by the order of attention, and positions are counted from the start. (With a mask the
bridge's GPT-1 loses that order: its model adds it inside of what the bridge computes anew.)
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable
from contextlib import suppress
from typing import Any

import torch
from torch import Tensor

from flowviz.contexts.encode.batch import Batch, Enough
from flowviz.models.loaded import LoadedModel


@torch.inference_mode()
def see(
    model: LoadedModel,
    batch: Batch,
    wanted: Collection[Hashable],
    take: Callable[[Hashable, Tensor], None],
    hidden: bool = False,
    embedded: Callable[[Tensor], Tensor] | None = None,
) -> None:
    """Hands what `model.hooks` show of these parts to `take`, each once; then the pass ends.

    What is handed over may be changed by the model afterwards.

    Args:
        hidden: whether the batch's mask is given, because it hides more than what stands behind.
        embedded: what becomes of the tokens' embeddings before the pass goes on; None for nothing.
    """
    waiting = set(wanted)

    def hook_of(part: Hashable) -> Any:
        def hook(value: Tensor, hook: Any = None) -> None:
            if part in waiting:
                waiting.remove(part)
                take(part, value.detach())
                if not waiting:
                    raise Enough

        return hook

    hooks = [(name, hook_of(part)) for name, part in model.hooks.items() if part in waiting]
    if embedded is not None:
        changed = [name for name, part in model.hooks.items() if part == ("embed", -1)]
        hooks = [*((name, _changing(embedded)) for name in changed), *hooks]
    given: dict[str, Any] = {"use_cache": False, "prepend_bos": False}
    if hidden:
        places = torch.arange(batch.ids.shape[1], device=batch.ids.device)
        given |= {"attention_mask": batch.mask, "position_ids": places.expand_as(batch.ids)}
    with model.lock:
        try:
            with suppress(Enough):
                model.bridge.run_with_hooks(batch.ids, fwd_hooks=hooks, **given)
        finally:
            model.forget_pass()


def _changing(change: Callable[[Tensor], Tensor]) -> Any:
    def hook(value: Tensor, hook: Any = None) -> Tensor:
        return change(value)

    return hook
