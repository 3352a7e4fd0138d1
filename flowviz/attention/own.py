"""Attention that was computed elsewhere, as maps: checked, and read by the same finder."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flowviz.attention.finder import find_kinds
from flowviz.attention.kinds import Part
from flowviz.attention.types import AttentionMaps, Column
from flowviz.errors import RequestError
from flowviz.graph.types import PromptToken

SLACK = 2e-2  # half precision: a row of 1,000 weights sums to 1 within this


def own_maps(
    arrays: Any,
    tokens: Sequence[object],
    sources: Sequence[object] | None = None,
    second: int | None = None,
) -> AttentionMaps:
    """See `AttentionMaps.of`."""
    if not isinstance(arrays, Iterable):
        raise RequestError("arrays takes an array for each layer: heads, queries, keys.")
    layers = [_layer(place, array) for place, array in enumerate(arrays)]
    ids: dict[str, int] = {}  # equal texts count as the same token
    named = _tokens(tokens, ids)
    looked_at = named if sources is None else _tokens(sources, ids)
    if not layers:
        raise RequestError("There is no layer of attention. Give an array for each layer.")
    if not named or not looked_at or not len(layers[0]):
        raise RequestError("There is no head, or no token, to show. Give at least one of each.")
    wanted = (*layers[0].shape[:1], len(named), len(looked_at))
    for place, layer in enumerate(layers):
        if layer.shape != wanted:
            raise RequestError(
                f"Layer {place} has the shape {_words(layer.shape)}; with {len(named)} tokens it "
                f"should be {_words(wanted)}: heads, queries, keys. Give the tokens that it is of"
                f"{'' if sources is None else ', and those that they look at'}."
            )
    weights = np.stack([layer.astype(np.float16) for layer in layers])
    part = Part.CROSS if sources is not None else _part(layers)
    return AttentionMaps(
        queries=Column(named, second=None if sources is not None else _start(second, named)),
        sources=None if sources is None else Column(looked_at, second=_start(second, looked_at)),
        weights=weights,
        kinds=find_kinds(
            layers,
            [token.id for token in named],
            part=part,
            sources=None if sources is None else [token.id for token in looked_at],
        ),
        part=part,
        parts=(part,),
    )


def _part(layers: Sequence[NDArray[np.float32]]) -> Part:
    """Attention that looks ahead is an encoder's."""
    ahead = any(np.triu(layer, 1).any() for layer in layers)
    return Part.ENCODER if ahead else Part.DECODER


def _start(second: int | None, tokens: Sequence[PromptToken]) -> int | None:
    if second is None or (type(second) is int and 0 < second < len(tokens)):
        return second
    raise RequestError(
        f"second is {second!r:.40}; it takes the position at which the second text begins, from 1 "
        f"to {len(tokens) - 1}."
    )


def _tokens(tokens: Sequence[object], ids: dict[str, int]) -> tuple[PromptToken, ...]:
    texts = [text for text in tokens if isinstance(text, str)]
    if isinstance(tokens, str) or len(texts) < len(tokens):
        raise RequestError("tokens takes a list with the text of each position.")
    return tuple(
        PromptToken(place, ids.setdefault(text, len(ids)), text) for place, text in enumerate(texts)
    )


def _layer(place: int, array: Any) -> NDArray[np.float32]:
    if hasattr(array, "detach"):  # a tensor of torch, with or without gradients, on any device
        array = array.detach().cpu().float()
    try:
        layer = np.asarray(array, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise RequestError(f"Layer {place} is no array of numbers: {str(error)[:80]}.") from None
    layer = layer[0] if layer.ndim == 4 and len(layer) == 1 else layer
    if layer.ndim != 3:
        raise RequestError(
            f"Layer {place} has the shape {_words(layer.shape)}; it takes heads, queries, keys."
        )
    sums = layer.sum(-1)
    if not (layer >= -SLACK).all() or not (sums <= 1 + SLACK).all():
        raise RequestError(
            f"Layer {place} holds weights from {layer.min():.3g} to {layer.max():.3g}, in rows "
            f"that sum to up to {sums.max():.3g}. Attention weights are from 0 to 1 and a row sums "
            "to at most 1: give them behind the softmax."
        )
    return layer


def _words(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape)) or "of a single number"
