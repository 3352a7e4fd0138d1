"""Recording attention where it is computed: in the function that the model itself calls.

transformers lets a model's attention be computed by any registered function. Ours asks the
family's own `eager_attention_forward`, gives its answer back unchanged, and keeps, while somebody
records, what went in and what came out:

    pattern = softmax(scale * q k^T + bias)      bias: positions (T5) and what may not be seen

so that every number is the model's own, with rotary positions in q and k. Nothing is recorded, and
nothing is changed, for who does not ask. Families that do not call registered functions (DeBERTa,
MPNet, LED, …) show their pattern alone, as `output_attentions` gives it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

RECORDED = "flowviz-recorded"
"""What the function is called where a model's `attn_implementation` is set."""


@dataclass(frozen=True, eq=False)
class Call:
    """One layer's attention in one pass, of the only text in its batch.

    Args:
        module: what computed it; layers that share weights (ALBERT) share it.
        q, k, v: as they are compared and mixed; keys and values repeated for grouped queries.
        bias: what is added to the scaled scores, with a first dimension of 1 where all heads have
            the same; None without one.
        cap: what the scaled scores are softly capped at, or None.
    """

    module: torch.nn.Module
    q: Float[Tensor, "head query d_head"]
    k: Float[Tensor, "head key d_head"]
    v: Float[Tensor, "head key d_value"]
    pattern: Float[Tensor, "head query key"]
    scale: float
    bias: Float[Tensor, "heads_or_1 queries_or_1 key"] | None
    cap: float | None


Sink = Callable[[Call], None]
_sink: ContextVar[Sink | None] = ContextVar("flowviz_recorded", default=None)


Watch = Callable[[Float[Tensor, "text head query key"]], None]
_watch: ContextVar[Watch | None] = ContextVar("flowviz_watched", default=None)


@contextmanager
def watching(watch: Watch) -> Iterator[None]:
    """Hands every layer's pattern of the passes within to `watch`, of all texts in a batch."""
    token = _watch.set(watch)
    try:
        yield
    finally:
        _watch.reset(token)


@contextmanager
def recording(sink: Sink) -> Iterator[None]:
    """Hands every layer's attention of the passes within to `sink`, in the order of the pass."""
    token = _sink.set(sink)
    try:
        yield
    finally:
        _sink.reset(token)


def register() -> None:
    """Makes the function known to transformers; again and again does no harm."""
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import eager_mask

    AttentionInterface.register(RECORDED, attend)
    AttentionMaskInterface.register(RECORDED, eager_mask)


def attend(
    module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    **given: Any,
) -> tuple[Tensor, Tensor]:
    """The family's own eager attention, as transformers calls it; recorded where that is asked."""
    own = sys.modules[type(module).__module__].eager_attention_forward
    output, weights = own(module, query, key, value, attention_mask, **given)
    watch, sink = _watch.get(), _sink.get()
    if watch is not None:
        watch(weights)
    if sink is not None:
        sink(_call(module, query, key, value, attention_mask, weights, given))
    return output, weights


def _call(
    module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None,
    weights: Tensor,
    given: dict[str, Any],
) -> Call:
    heads = query.shape[1]
    scale, cap = given.get("scaling"), given.get("softcap")
    return Call(
        module=module,
        q=query[0],
        k=_for_each_head(key[0], heads),
        v=_for_each_head(value[0], heads),
        pattern=weights[0],
        scale=float(query.shape[-1] ** -0.5 if scale is None else scale),
        bias=_sum(given.get("position_bias"), mask),
        cap=None if cap is None else float(cap),
    )


def _for_each_head(tensor: Tensor, heads: int) -> Tensor:
    """Keys or values that a group of queries shares, once for each of its heads."""
    return tensor.repeat_interleave(heads // tensor.shape[0], 0)


def _sum(first: Tensor | None, second: Tensor | None) -> Tensor | None:
    parts = [part[0] for part in (first, second) if part is not None]
    return None if not parts else parts[0] if len(parts) == 1 else parts[0] + parts[1]
