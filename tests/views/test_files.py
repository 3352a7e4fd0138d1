"""Files to take away: CSV that no spreadsheet runs, and a report that fits a terminal."""

from __future__ import annotations

import csv as csv_format
import io
from dataclasses import replace

import pytest

from flowviz.graph.types import PromptToken
from flowviz.views.files import COLUMNS, csv, text
from flowviz.views.tokens import width
from tests.graphs import failed, grid, projection, three_nodes

REPORT = """\
Model        demo (LlamaForCausalLM, 2 layers, 8 heads, d_model 128)
Prompt       In␣France␣is · 3 tokens
Explained    logit of ␣Paris after position 2 (␣is) = 2
Predictions  ␣Paris 50%   ␣Rome 25%
Exactness    Exact to 3e-6 (limit 1e-4 for float32)
Coverage     2 of 100 nodes hold 85% of the influence; the rest is kept as rest nodes

Strongest nodes
  node                       kind         reads as                        flow of target influence
  L1 H3 at 2                 head         ␣Paris  ␣Rome                     +2      100%      100%
  ␣France at 1               embed        ␣France  ␣Gaul                    +2      100%       25%

Strongest paths
  +   100%   ␣France at 1 → L1 H3 at 2 → ␣Paris
"""


def test_the_report_of_three_nodes() -> None:
    assert text(three_nodes()) == REPORT


@pytest.mark.parametrize("wiring", ["stream", "circuit"])
@pytest.mark.parametrize("positions", [3, 80])
def test_the_report_fits_in_a_hundred_columns(wiring: str, positions: int) -> None:
    graph = grid(12, positions, 3, 3, wiring=wiring)
    wide = replace(
        graph,
        tokens=tuple(PromptToken(i, i, "宽" * 40 + "\n\u202e") for i in range(positions)),
        nodes=tuple(
            replace(n, projection=n.projection and projection("日本" * 20)) for n in graph.nodes
        ),
    )
    for each in (graph, wide):
        lines = text(each).splitlines()
        assert [line for line in lines if width(line) > COLUMNS] == []
        assert "\u202e" not in text(each)


def test_the_report_says_where_only_a_part_was_asked_for() -> None:
    graph = three_nodes()
    asked = {**graph.settings, "positions": [1, 2], "layers": None}
    lines = text(replace(graph, settings=asked)).splitlines()
    assert (
        "Drawn        only positions 1 to 2; what flows in from elsewhere is kept as rest" in lines
    )


def test_the_report_of_a_run_that_broke_a_law() -> None:
    report = text(failed())
    assert "Not exact: what flows into a node misses what flows out by 0.3" in report
    assert "Not shown    This run broke a law" in report
    nodes = report.split("\nNodes\n")[1].splitlines()
    assert nodes[1].startswith("  final at 3")
    assert nodes[1].split()[-3:] == ["–", "–", "–"]
    assert "the flow of this run is not shown" in report
    assert [line for line in report.splitlines() if width(line) > COLUMNS] == []


def rows(graph, table: str) -> list[dict[str, str]]:
    return list(csv_format.DictReader(io.StringIO(csv(graph, table), newline="")))


def test_nodes_and_edges_as_csv() -> None:
    nodes, edges = rows(three_nodes(), "nodes"), rows(three_nodes(), "edges")
    assert [row["id"] for row in nodes] == ["embed:0:1", "head:1:2:3", "target:2:2"]
    assert nodes[1]["gradient"] == "1.5"
    assert nodes[0]["gradient"] == ""
    assert edges[0] == {
        "id": "embed:0:1>head:1:2:3", "source": "embed:0:1", "target": "head:1:2:3",
        "kind": "read", "flow": "2.0", "share": "1.0", "influence": "1.0", "weight": "0.75",
    }  # fmt: skip


@pytest.mark.parametrize("token", ["=1+1", "+1", "-1", "@cmd", "\t=1", "\r=1", " =1", "\n=1"])
def test_formulas_get_an_apostrophe(token: str) -> None:
    graph = three_nodes()
    nodes = (replace(graph.nodes[0], projection=projection(token)), *graph.nodes[1:])
    tokens = tuple(PromptToken(i, i, token) for i in range(3))
    row = rows(replace(graph, nodes=nodes, tokens=tokens), "nodes")[0]
    assert row["top"] == f"'{token}"
    assert row["token"] == f"'{token}"


def test_where_a_law_failed_cells_of_the_flow_are_empty() -> None:
    nodes = rows(failed(), "nodes")
    assert {row[name] for row in nodes for name in ("flow", "share", "influence", "direct")} == {""}
    assert {row["norm"] for row in nodes if row["kind"].startswith("resid")} == {"3.25"}
    assert {row["norm"] for row in nodes if row["kind"] == "head"} == {""}
    assert rows(failed(), "edges") == []


def test_numbers_stay_numbers() -> None:
    graph = three_nodes()
    nodes = (replace(graph.nodes[0], flow=-2.5), *graph.nodes[1:])
    assert rows(replace(graph, nodes=nodes), "nodes")[0]["flow"] == "-2.5"


@pytest.mark.parametrize("token", ['a"b', "a,b", "a\nb", "a\r\nb", "שלום", "x\0y"])
def test_awkward_tokens_come_back_from_csv(token: str) -> None:
    graph = three_nodes()
    nodes = (replace(graph.nodes[0], projection=projection(token)), *graph.nodes[1:])
    assert rows(replace(graph, nodes=nodes), "nodes")[0]["top"] == token.replace("\0", "␀")


def test_another_table_is_refused() -> None:
    with pytest.raises(ValueError, match='"nodes" or "edges"'):
        csv(three_nodes(), "rows")
