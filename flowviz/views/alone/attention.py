"""Attention as one HTML file: all heads of all layers, as lines and as thumbnails, and the finder.

It holds every layer as the page draws it, window by window (`attention/packed.py`); what all
windows have alike stands there once.
"""

from __future__ import annotations

from typing import Any

from flowviz.attention.types import KIND_WORDS, AttentionMaps
from flowviz.views.alone.whole import Parts, check_bytes, whole_page
from flowviz.views.attention.packed import layer_packed, model_packed, scores_packed
from flowviz.views.attention.window import MOST_TOKENS, STEP, Frame
from flowviz.views.attention.words import (
    WEIGHTING_TIPS,
    WEIGHTING_WORDS,
    kind_name,
    kind_words,
    status_words,
    strongest,
)

PARTS = Parts(
    name="attention",
    look="attention attention-page is-heads",
    styles=("10-theme.css", "80-attention.css"),
    scripts=(
        "tooltip.js",
        "attention-data.js",
        "attention-lines.js",
        "attention-columns.js",
        "attention-head.js",
        "attention-words.js",
        "attention-point.js",
        "attention-model.js",
        "attention-squares.js",
    ),
)
CELL_BYTES = 8 / 3  # float16 as base64


def attention_page(maps: AttentionMaps, title: str = "") -> str:
    """The maps as the text of an HTML file.

    Args:
        title: what the page is called; its tokens where it is empty.

    Raises:
        RequestError: the file would take more than 64 MB.
    """
    starts = _starts(Frame.of(maps, None).last)
    _check_size(maps, len(starts))
    text = title or "".join(token.text for token in maps.tokens).strip()
    tip = WEIGHTING_TIPS[maps.weighting]
    return whole_page(PARTS, text, _told(maps), _data(maps, starts), tip=tip)


def _check_size(maps: AttentionMaps, windows: int) -> None:
    """Refuses what is too large before it is packed."""
    shown = min(MOST_TOKENS, maps.positions)
    cells = maps.layers * maps.heads * windows * shown * (shown + 2)
    what = f"The attention of {maps.positions:,} tokens in {maps.layers} x {maps.heads} heads"
    check_bytes(int(cells * CELL_BYTES), what)


def _starts(last: int) -> tuple[int, ...]:
    """Where the windows begin that show all of a prompt."""
    return (*range(0, last, STEP), last)


def _told(maps: AttentionMaps) -> str:
    model = "" if maps.model is None else f"{maps.model.name} · "
    said = f"{model}{WEIGHTING_WORDS[maps.weighting]} · {status_words(maps)}"
    return " · ".join((said, *maps.notes))


def _data(maps: AttentionMaps, starts: tuple[int, ...]) -> dict[str, Any]:
    """What the file's script reads; what all windows have alike stands there once."""
    windows = [[layer_packed(maps, i, start) for start in starts] for i in range(maps.layers)]
    first = windows[0][0]
    every = [window for layer in windows for window in layer]
    shared = {name: value for name, value in first.items() if all(w[name] == value for w in every)}
    own = [name for name in first if name not in shared]
    return {
        "shared": shared,
        "layers": [[{name: window[name] for name in own} for window in one] for one in windows],
        "model": model_packed(maps),
        "kinds": [_kind(maps, kind) for kind in KIND_WORDS if maps.kinds.queries_of(kind)],
    }


def _kind(maps: AttentionMaps, kind: str) -> dict[str, Any]:
    heads = strongest(maps, kind)
    return {
        "name": kind_name(kind),
        "words": kind_words(maps, kind),
        "data": scores_packed(maps.kinds.scores(kind)),
        "strongest": [[each.layer, each.head, each.score] for each in heads],
    }
