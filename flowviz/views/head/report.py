"""One head as a report in plain text; it fits into 100 columns of a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

import numpy as np

from flowviz.attention.neuron_types import Decay, NeuronView
from flowviz.attention.why_types import KindSum, WhyThere
from flowviz.graph.types import ModelShape, PromptToken
from flowviz.views.head.words import (
    ROTARY_DISTANCE,
    End,
    attended,
    attends_words,
    deciding_words,
    exact_words,
    figure,
    limits_words,
    looks_words,
    most_attended,
    notes,
    part_name,
    parts_of,
    score_words,
    share_of_slope,
    slope_words,
    sum_name,
    term_words,
)
from flowviz.views.tokens import clip, visible, width
from flowviz.views.words import plain, signed

COLUMNS = 100
INDENT = 13
LISTED = 12  # sources, and dimensions
SUMS = 8  # kinds of components of one end


def of_why(found: WhyThere) -> str:
    """Why a head looks there."""
    lines = [
        *_head(found.model, found.tokens),
        *_wrap("Head", looks_words(found)),
        *_wrap("Score", score_words(found)),
        *(_line("", line) for line in term_words(found)),
        *_wrap("Exact", exact_words(found)),
    ]  # fmt: skip
    for note in limits_words(found.window, found.sink):
        lines += _wrap("Note", note)
    for end, sums in ((End.QUERY, found.query_sums), (End.KEY, found.key_sums)):
        lines += ["", *_parts(end, found), "", *_sums(end, sums)]
    return _text(lines)


def of_neurons(view: NeuronView) -> str:
    """What a head compares at one query."""
    lines = [
        *_head(view.model, view.tokens),
        *_wrap("Head", attends_words(view)),
        *_wrap("Deciding", deciding_words(view)),
        *(line for note in notes(view) for line in _wrap("Note", note)),
        "",
        *_sources(view),
        "",
        *_dimensions(view),
    ]
    if view.decay is not None:
        lines += ["", *_distances(view.decay)]
    return _text(lines)


def of_decay(decay: Decay) -> str:
    """How a head's dimensions change with distance, over a set of prompts."""
    return _text([*([] if decay.model is None else _model(decay.model)), *_distances(decay)])


def _text(lines: Iterable[str]) -> str:
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _model(model: ModelShape) -> list[str]:
    name = f"{visible(model.name)} ({visible(model.architecture)})"
    return [_line("Model", f"{name}, {model.layers} layers of {model.heads} heads")]


def _head(model: ModelShape, tokens: Sequence[PromptToken]) -> list[str]:
    text = "".join(visible(token.text) for token in tokens[:COLUMNS])
    return [*_model(model), _line("Prompt", text), _line("Tokens", f"{len(tokens):,}")]


def _line(title: str, words: str) -> str:
    return f"{title:<{INDENT}}{clip(words, COLUMNS - INDENT)}"


def _wrap(title: str, words: str) -> list[str]:
    lines = textwrap.wrap(words, COLUMNS - INDENT, break_long_words=False)
    return [_line(title if not number else "", line) for number, line in enumerate(lines)]


def _columns(cells: Sequence[str], rooms: Sequence[int]) -> str:
    first = clip(cells[0], rooms[0] - 1)
    rest = [f"{cell:>{room}}" for cell, room in zip(cells[1:], rooms[1:], strict=True)]
    return "  " + first + " " * (rooms[0] - width(first)) + "".join(rest)


def _parts(end: End, found: WhyThere) -> list[str]:
    rooms = (44, 12, 12)
    rows = [
        (part_name(part, found, end), figure(part.beyond), figure(part.share))
        for part in parts_of(found, end)
    ]
    away = found.product - found.mean_product
    return [
        f"What wrote the {end}",
        _columns(("", "beyond", "share"), rooms),
        *(_columns(row, rooms) for row in rows),
        _columns(("sum", signed(away), signed(found.product)), rooms),
    ]


def _sums(end: End, sums: Sequence[KindSum]) -> list[str]:
    rooms = (44, 12, 12, 8)
    ranked = sorted(sums, key=lambda each: -abs(each.beyond))[:SUMS]
    rows = [
        (sum_name(each), figure(each.beyond), figure(each.share), f"{each.count:,}")
        for each in ranked
    ]
    title = f"The {end} by kind and block"
    return [
        title,
        _columns(("", "beyond", "share", "parts"), rooms),
        *(_columns(r, rooms) for r in rows),
    ]


def _sources(view: NeuronView) -> list[str]:
    rooms = (44, 12, 12)
    order = np.argsort(-view.pattern, kind="stable")[:LISTED]
    rows = [
        (
            f"{view.sources[at].position} {visible(view.sources[at].text)}",
            signed(float(view.score[at])),
            attended(float(view.pattern[at])),
        )
        for at in map(int, order)
    ]
    return [
        "Most attended sources",
        _columns(("", "score", "attention"), rooms),
        *(_columns(row, rooms) for row in rows),
    ]


def _dimensions(view: NeuronView) -> list[str]:
    rooms = (20, 12, 12, 12, 12)
    most = most_attended(view)
    rows = [
        (
            f"dimension {dim}",
            signed(float(view.deciding[dim])),
            signed(float(view.q[dim])),
            signed(float(view.k[most, dim])),
            signed(float(view.product[most, dim]) * view.scale),
        )
        for dim in view.strongest[:LISTED]
    ]
    where = f"{view.sources[most].position} {visible(view.sources[most].text)}"
    return [
        f"Deciding dimensions; key and share at {clip(where, 50)}",
        _columns(("", "decides", "query", "key", "share"), rooms),
        *(_columns(row, rooms) for row in rows),
    ]


def _distances(decay: Decay) -> list[str]:
    rooms = (20, 16, 14)
    rows = [
        (
            f"dimension {dim}",
            signed(float(decay.slopes[dim])),
            plain(float(decay.correlations[dim])),
        )
        for dim in decay.strongest[:LISTED]
    ]
    lines = [*_wrap("Distance", slope_words(decay)), *_wrap("", share_of_slope(decay))]
    lines += _wrap("Note", ROTARY_DISTANCE) if decay.rotary else []
    heads = ("", "slope a token", "correlation")
    return [*lines, "", _columns(heads, rooms), *(_columns(row, rooms) for row in rows)]
