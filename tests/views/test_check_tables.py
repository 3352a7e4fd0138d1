"""A verdict as rows and as JSON: every figure of it, under its name."""

from __future__ import annotations

import json
from dataclasses import replace

from flowviz.causal.request import CheckRequest
from flowviz.request import ExplainRequest
from flowviz.views.check.tables import (
    CURVE_COLUMNS,
    curve_rows,
    effect_columns,
    effect_rows,
    verdict_json,
)
from flowviz.views.files import table_csv
from tests.graphs import three_nodes
from tests.verdicts import small, three_components

GRAPH, VERDICT = three_nodes(), three_components()
REQUEST = CheckRequest(ExplainRequest("In France is"), smallest=0.8)


def test_effects_are_a_row_for_each_component_with_every_score() -> None:
    rows = effect_rows(GRAPH, VERDICT)
    assert rows[0] == {
        "id": "head:1:2:3", "kind": "head", "layer": 1, "position": 2, "index": 3,
        "name": "L1 H3 at 2", "drawn": True, "effect": 3.0,
        "flow": 2.0, "blend": 1.75, "gradient": 1.0, "direct": 1.5,
    }  # fmt: skip
    assert [(row["id"], row["drawn"]) for row in rows[1:]] == [
        ("embed:0:1", True),
        ("head:0:2:1", False),
    ]
    assert all(tuple(row) == effect_columns(VERDICT) for row in rows)


def test_curves_are_a_row_for_each_size_of_each_score() -> None:
    rows = curve_rows(VERDICT)
    assert len(rows) == 15
    assert rows[1] == {
        "score": "flow", "size": 10, "share": 0.1, "recovered": 0.75, "target": 3.0,
        "divergence": 1.5, "same_first": True, "cpr": 0.75, "cmd": 0.25,
    }  # fmt: skip
    assert rows[7]["score"] == "gradient"
    assert rows[7]["recovered"] is None
    assert all(tuple(row) == CURVE_COLUMNS for row in rows)


def test_both_tables_go_into_csv() -> None:
    effects = table_csv(effect_columns(VERDICT), effect_rows(GRAPH, VERDICT)).splitlines()
    assert effects[0].endswith("effect,flow,blend,gradient,direct")
    assert effects[2] == "embed:0:1,embed,0,1,0,␣France at 1,True,-1.0,1.0,0.5,-0.5,0.0"
    assert len(table_csv(CURVE_COLUMNS, curve_rows(VERDICT)).splitlines()) == 16


def test_json_holds_the_request_and_the_whole_verdict() -> None:
    keys = tuple(node.key for node in GRAPH.nodes[:2])
    whole = json.loads(verdict_json(REQUEST, replace(VERDICT, smallest=small(keys))))
    assert whole["version"] == 1
    assert CheckRequest.from_mapping(whole["request"]) == REQUEST
    assert whole["recovery"]["kept"]["recovered"] == 0.5
    assert [row["recovered"] for row in whole["recovery"]["controls"]] == [-0.25, 0.25]
    assert whole["agreement"]["effects"][0]["key"] == "head:1:2:3"
    assert whole["agreement"]["spearman"]["direct"] == -0.25
    assert whole["curves"][2]["points"][1]["recovered"] is None
    assert whole["smallest"]["nodes"] == ["embed:0:1", "head:1:2:3"]
    assert whole["smallest"]["weakest"] == "embed:0:1"


def test_json_without_a_small_graph_says_null() -> None:
    assert json.loads(verdict_json(REQUEST, VERDICT))["smallest"] is None
