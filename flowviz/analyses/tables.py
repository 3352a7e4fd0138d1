"""Results as tables of plain values, for pages, CSV and reports, and as JSON.

Every figure of a result stands in one of its tables, one row for each x of each series, prompt,
token, neuron or head. Tokens are as the tokenizer decodes them: spaces are not yet made visible.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields, is_dataclass
from typing import Any

from flowviz.analyses.types import (
    ActiveNeurons,
    HeadMatch,
    NeuronMatch,
    NormFilter,
    NormFilters,
    Overlap,
    Result,
    Series,
    TargetCourse,
    TokenSearch,
    finite,
)

SCHEMA_VERSION = 1
NAMES = {
    Overlap: "overlap",
    TargetCourse: "target",
    NormFilters: "norms",
    ActiveNeurons: "neurons",
    TokenSearch: "search",
}
TABLES = {
    "overlap": ("by_layer", "by_norm_rank", "by_attention_rank", "among"),
    "target": ("course", "prompts"),
    "norms": ("norms", "changes", "tops"),
    "neurons": ("neurons", "layers", "shares"),
    "search": ("neurons", "heads"),
}
Row = dict[str, Any]
X_NAMES = {
    "by_layer": ("layer", "Heads against outputs, by layer"),
    "by_norm_rank": ("norm_rank", "Heads against outputs, by their rank by norm"),
    "by_attention_rank": ("attention_rank", "Values against their head, by attention weight"),
    "among": ("layer", "Query, key and value of a head, by layer"),
}


@dataclass(frozen=True)
class Table:
    """A table that can be shown or saved.

    Args:
        name: short and stable, for files.
        title: in words.
        rows: plain values by column, each row with the same columns in the same order.
    """

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def tables(result: Result) -> tuple[Table, ...]:
    """All tables of a result, the main one first; those without rows are left out."""
    made = {
        Overlap: _overlap,
        TargetCourse: _target,
        NormFilters: _norms,
        ActiveNeurons: _neurons,
        TokenSearch: _search,
    }[type(result)](result)
    return tuple(table for table in made if table.rows)


def result_json(result: Result) -> str:
    """The whole result as JSON: its fields as they are named in `types.py`.

    What is not a number is null.
    """
    head = {"version": SCHEMA_VERSION, "analysis": NAMES[type(result)]}
    return json.dumps({**head, **_plain(asdict(result))}, ensure_ascii=False, allow_nan=False)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return finite(value) if isinstance(value, float) else value


def _table(name: str, title: str, rows: Iterable[Row]) -> Table:
    rows = tuple({column: _plain(value) for column, value in row.items()} for row in rows)
    return Table(name, title, tuple(rows[0]) if rows else (), rows)


def _fields(value: Any, *without: str) -> Row:
    """The fields of a dataclass that are plain values, in their order."""
    row = {item.name: getattr(value, item.name) for item in fields(value)}
    return {
        name: inner
        for name, inner in row.items()
        if name not in without and not isinstance(inner, tuple) and not is_dataclass(inner)
    }


def _tokens(texts: Iterable[str]) -> str:
    return " | ".join(texts)


# ---- overlap -----------------------------------------------------------------------------------


def _overlap(result: Overlap) -> Iterator[Table]:
    for panel, (x_name, title) in X_NAMES.items():
        series = getattr(result, panel)
        yield _table(panel, title, (row for one in series for row in _points(one, x_name)))


def _points(series: Series, x_name: str) -> Iterator[Row]:
    points = zip(series.x, series.mean, series.deviation, series.count, strict=True)
    for x, mean, deviation, count in points:
        named = {"series": series.name, "title": series.title, x_name: x}
        yield {**named, "mean": mean, "deviation": deviation, "count": count}


# ---- target ------------------------------------------------------------------------------------


def _target(result: TargetCourse) -> tuple[Table, ...]:
    names = (
        "probability", "probability_deviation", "rank", "rank_deviation", "median_rank",
    )  # fmt: skip
    course = (
        {"group": group.name, "prompts": group.prompts, "stage": stage}
        | {name: getattr(group, name)[place] for name in names}
        for group in result.groups
        for place, stage in enumerate(result.stages)
    )
    outcomes = (
        {
            "number": number,
            "prompt": outcome.prompt.text,
            "answer": outcome.prompt.answer,
            "group": outcome.prompt.group,
            **_fields(outcome, "prompt"),
        }
        for number, outcome in enumerate(result.outcomes, 1)
    )
    return (
        _table("course", "The target by layer and stage", course),
        _table("prompts", "Each prompt", outcomes),
    )


# ---- norms -------------------------------------------------------------------------------------


def _norms(result: NormFilters) -> tuple[Table, ...]:
    return (
        _table("norms", "Each norm", (_norm_row(norm) for norm in result.norms)),
        _table("changes", "Losers and gainers", (r for n in result.norms for r in _changes(n))),
        _table("tops", "The likeliest tokens", (r for n in result.norms for r in _tops(n))),
    )


def _norm_row(norm: NormFilter) -> Row:
    told = {
        "most_lost": _tokens(token.text for token in norm.losers[:5]),
        "most_gained": _tokens(token.text for token in norm.gainers[:5]),
    }
    return {**_named(norm), **_fields(norm, "name", "layer"), **told}


def _named(norm: NormFilter) -> Row:
    return {"norm": norm.name, "layer": norm.layer}


def _changes(norm: NormFilter) -> Iterator[Row]:
    for side, tokens in (("loser", norm.losers), ("gainer", norm.gainers)):
        for place, token in enumerate(tokens, 1):
            yield {**_named(norm), "side": side, "place": place, **_fields(token)}


def _tops(norm: NormFilter) -> Iterator[Row]:
    for side, tokens in (("before", norm.top_before), ("after", norm.top_after)):
        for place, token in enumerate(tokens, 1):
            yield {**_named(norm), "side": side, "place": place, **_fields(token)}


# ---- neurons -----------------------------------------------------------------------------------


def _neurons(result: ActiveNeurons) -> tuple[Table, ...]:
    neurons = (
        {
            **_fields(neuron, "example", "position"),
            "promotes": _tokens(token.text for token in neuron.projection.top),
            "suppresses": _tokens(token.text for token in neuron.projection.bottom),
            "example": neuron.example,
            "position": neuron.position,
        }
        for neuron in result.neurons
    )
    steps = [100 // (len(layer.shares) - 1) for layer in result.layers]
    shares = (
        {"layer": layer.layer, "at_least_share": place * step / 100, "neurons": count}
        | {"share_of_layer": count / layer.neurons}
        for layer, step in zip(result.layers, steps, strict=True)
        for place, count in enumerate(layer.shares)
    )
    layers = (_fields(layer) for layer in result.layers)
    return (
        _table("neurons", "Always-active neurons", neurons),
        _table("layers", "Their layers", layers),
        _table("shares", "How many neurons are active on how many prompts", shares),
    )


# ---- search ------------------------------------------------------------------------------------


def _search(result: TokenSearch) -> tuple[Table, ...]:
    sides = ("promotes", "suppresses")
    neurons = zip(sides, (result.promoting_neurons, result.suppressing_neurons), strict=True)
    heads = zip(sides, (result.promoting_heads, result.suppressing_heads), strict=True)
    return (
        _table("neurons", "Neurons", (_match(s, match) for s, found in neurons for match in found)),
        _table("heads", "Heads", (_match(s, match) for s, found in heads for match in found)),
    )


def _match(side: str, match: NeuronMatch | HeadMatch) -> Row:
    row = {"side": side, **_fields(match)}
    if isinstance(match, HeadMatch):
        row["sources"] = _tokens(source.text for source in match.sources)
        row["source_logits"] = _tokens(f"{source.logit:.4g}" for source in match.sources)
    return row
