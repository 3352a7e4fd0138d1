"""Attention packed for the browser: base64 of little-endian float16 or of bytes, never JSON lists.

A layer travels as float16, for its numbers are shown; thumbnails travel as bytes. A layer of 12
heads and 64 tokens takes 130 kB, 48 × 25 thumbnails of 32 × 32 cells take 1.6 MB.
"""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flowviz.attention.types import KIND_WORDS, AttentionMaps, Column
from flowviz.views.attention.window import BEHIND, BETWEEN, Frame
from flowviz.views.tokens import visible

MOST_CELLS = 64  # of a thumbnail, across
MOST_BYTES = 1_500_000  # of all thumbnails
NOTHING = 128  # the byte of a signed zero
SHORT_KINDS = tuple(kind for kind in KIND_WORDS if not kind.startswith("offset:"))


def layer_packed(maps: AttentionMaps, layer: int, start: int | None) -> dict[str, Any]:
    """One layer's window of tokens, all heads: what the head view draws.

    `data` is float16 [head, query, source]; its numbers times `unit` are weights or logits.
    `totals` is float32 [head, query], of norms alone.
    """
    frame = Frame.of(maps, start)
    layer = min(layer, maps.layers - 1)
    sources = frame.sources
    return {
        "layer": layer,
        "layers": maps.layers,
        "heads": maps.heads,
        "weighting": str(maps.weighting),
        "signed": maps.signed,
        "unit": maps.unit,
        "tokens": column_words(maps.queries),
        "keys": None if maps.sources is None else column_words(maps.sources),
        "columns": {"query": _marks(maps.queries), "source": _marks(maps.keys)},
        "queries": list(frame.queries.inside),
        "sources": list(sources.rows),
        "sums": {str(BETWEEN): list(sources.between), str(BEHIND): list(sources.behind)},
        "start": frame.start,
        "last": frame.last,
        "between": sources.words(BETWEEN),
        "behind": sources.words(BEHIND),
        "totals": None if maps.totals is None else _totals(maps.totals[layer], frame),
        "data": _text(frame.cut(maps.layer(layer)).astype("<f2")),
    }


def column_words(column: Column) -> list[str]:
    """The text of each token."""
    return [visible(token.text) for token in column.tokens]


def _marks(column: Column) -> dict[str, Any]:
    """What a script marks tokens by: of no text, of the second text, hidden from the model."""
    return {
        "special": list(column.special),
        "second": column.second,
        "masked": list(column.masked),
    }


def _totals(totals: NDArray[np.float32], frame: Frame) -> str:
    return _text(totals[:, frame.queries.start : frame.queries.end].astype("<f4"))


def model_packed(maps: AttentionMaps) -> dict[str, Any]:
    """All heads as thumbnails: what the model view draws.

    `data` is bytes [layer, head, row, column], all heads on one scale; of a signed weighting 128
    is zero. `kinds` holds what the finder says of each head, float16 [layer, head].
    """
    size = thumbnail_cells(maps)
    rows, columns = (np.arange(size) * count // size for count in maps.weights.shape[2:])
    levels = [
        _levels(_pooled(layer, rows, columns, maps.signed), maps.signed) for layer in maps.weights
    ]
    return {
        "layers": maps.layers,
        "heads": maps.heads,
        "size": size,
        "signed": maps.signed,
        "data": _text(np.stack(levels)),
        "kinds": [
            {"name": kind, "data": scores_packed(maps.kinds.scores(kind))} for kind in SHORT_KINDS
        ],
    }


def thumbnail_cells(maps: AttentionMaps) -> int:
    """How many cells a thumbnail has across: one a token, fewer where that would be too much.

    Of cross attention, whose columns differ in length, the longer one counts.
    """
    fits = int((MOST_BYTES / (maps.layers * maps.heads)) ** 0.5)
    return max(1, min(max(maps.weights.shape[2:]), MOST_CELLS, fits))


def scores_packed(scores: NDArray[np.floating]) -> str:
    """Scores of all heads as float16."""
    return _text(scores.astype("<f2"))


def _pooled(
    layer: NDArray[np.float16], rows: NDArray[np.intp], columns: NDArray[np.intp], signed: bool
) -> NDArray[np.float32]:
    """The strongest weight of each block of cells, with its sign, [head, row, column].

    A mean would wash out a single line of attention. Where a column has fewer tokens than the
    thumbnail has cells, a token has several.
    """
    if layer.shape[1:] == (len(rows), len(columns)):
        return layer.astype(np.float32)
    high = _highest(layer, rows, columns)
    if not signed:
        return high
    low = -_highest(-layer, rows, columns)
    return np.where(high >= -low, high, low)


def _highest(
    layer: NDArray[np.float16], rows: NDArray[np.intp], columns: NDArray[np.intp]
) -> NDArray[np.float32]:
    """The highest of each block, or 0 where all are below.

    The bits of half-precision numbers from 0 on are in the order of the numbers, and numpy finds
    the highest whole number ten times faster.
    """
    bits = np.maximum(layer, np.float16(0)).view(np.int16)
    for axis, starts in ((1, rows), (2, columns)):
        ends = [*starts[1:], bits.shape[axis]]
        blocks = [
            slice(start, max(end, start + 1)) for start, end in zip(starts, ends, strict=True)
        ]
        bits = np.stack([bits[(slice(None),) * axis + (one,)].max(axis) for one in blocks], axis)
    return bits.view(np.float16).astype(np.float32)


def _levels(cells: NDArray[np.float32], signed: bool) -> NDArray[np.uint8]:
    scaled = NOTHING + 127 * cells if signed else 255 * cells
    return np.rint(scaled).clip(0, 255).astype(np.uint8)


def _text(array: NDArray[Any]) -> str:
    return b64encode(np.ascontiguousarray(array).tobytes()).decode("ascii")
