"""What a check found as rows of plain values, and the whole of it as JSON."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from typing import Any

from flowviz.causal.request import CheckRequest
from flowviz.causal.types import Effect, Verdict
from flowviz.graph.types import FlowGraph, NodeKey
from flowviz.views.words import short_label

Row = dict[str, Any]
SCHEMA_VERSION = 1
EFFECT_COLUMNS = ("id", "kind", "layer", "position", "index", "name", "drawn", "effect")
CURVE_COLUMNS = (
    "score", "size", "share", "recovered", "target", "divergence", "same_first", "cpr", "cmd"
)  # fmt: skip


def effect_columns(verdict: Verdict) -> tuple[str, ...]:
    """The columns of `effect_rows`: one for each score behind the others."""
    return (*EFFECT_COLUMNS, *verdict.agreement.spearman)


def effect_rows(graph: FlowGraph, verdict: Verdict) -> list[Row]:
    """A row for each component that was ablated alone, the largest absolute effect first; behind
    them the same of the parts of opened nodes."""
    drawn = {node.key for node in graph.nodes}
    return [
        {
            "id": str(row.key),
            "kind": row.key.kind.value,
            "layer": row.key.layer,
            "position": row.key.position,
            "index": row.key.index,
            "name": short_label(row.key, graph),
            "drawn": row.key in drawn,
            "effect": row.effect,
            **row.scores,
        }
        for row in (*verdict.agreement.effects, *_of_parts(verdict))
    ]


def _of_parts(verdict: Verdict) -> tuple[Effect, ...]:
    return () if verdict.parts is None else verdict.parts.effects


def curve_rows(verdict: Verdict) -> list[Row]:
    """A row for each size of each curve; the areas of a curve stand in all of its rows."""
    return [
        {
            "score": curve.score,
            "size": point.size,
            "share": point.size / curve.points[-1].size,
            "recovered": finite(point.recovered),
            "target": point.target,
            "divergence": point.divergence,
            "same_first": point.same_first,
            "cpr": finite(curve.cpr),
            "cmd": finite(curve.cmd),
        }
        for curve in verdict.curves
        for point in curve.points
    ]


def verdict_json(request: CheckRequest, verdict: Verdict) -> str:
    """The request and its whole verdict, under the names of `causal/types.py`.

    Components are written as `NodeKey` writes them; what is not a number is null.
    """
    whole = {"version": SCHEMA_VERSION, "request": request.to_mapping(), **_fields(verdict)}
    return json.dumps(whole, ensure_ascii=False, allow_nan=False, indent=1)


def _fields(verdict: Verdict) -> Row:
    plain = asdict(verdict, dict_factory=dict)
    for row, effect in zip(plain["agreement"]["effects"], verdict.agreement.effects, strict=True):
        row["key"] = str(effect.key)
    for row, effect in zip(
        (plain["parts"] or {}).get("effects", ()), _of_parts(verdict), strict=True
    ):
        row["key"] = str(effect.key)
    if verdict.smallest is not None:
        small = plain["smallest"]
        small["nodes"] = [str(key) for key in verdict.smallest.nodes]
        small["weakest"] = _key(verdict.smallest.weakest)
    return _finite(plain)


def _key(key: NodeKey | None) -> str | None:
    return None if key is None else str(key)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return finite(value) if isinstance(value, float) else value


def finite(value: float) -> float | None:
    """What is no number is nothing."""
    return value if math.isfinite(value) else None
