"""What changed, as rows."""

from __future__ import annotations

from dataclasses import replace

from flowviz.graph.types import EdgeKind, NodeKey, NodeKind
from flowviz.views.compare.tables import (
    CHANGE_COLUMNS,
    EDGE_COLUMNS,
    PREDICTION_COLUMNS,
    change_rows,
    edge_rows,
    prediction_rows,
    rest_difference,
    side_rows,
)
from flowviz.views.files import table_csv
from tests.comparisons import NURSE, PLUMBER, nothing, of_prompts, three_changes, unlawful

HEAD = NodeKey(NodeKind.HEAD, 1, 2, 3)


def test_a_row_a_node_with_both_sides():
    embed, head = change_rows(three_changes())
    assert head["id"] == "head:1:2:3"
    assert (head["first"], head["second"], head["difference"]) == (-0.5, 1.5, 2.0)
    assert (embed["rank"], embed["name"], embed["at"]) == (1, "embedding", "␣nurse | ␣plumber")
    assert (embed["first_top"], embed["second_top"]) == (" nurse", " France")
    assert (embed["share"], embed["drawn"]) == (1.0, True)


def test_the_rows_are_by_amount_and_the_whole_is_kept():
    found = of_prompts(NURSE, PLUMBER)
    amounts = [abs(row["difference"]) for row in change_rows(found)]
    assert amounts == sorted(amounts, reverse=True)
    assert len(amounts) == len(found.changes) > 5


def test_a_node_that_one_prompt_does_not_have_is_left_empty():
    found = three_changes()
    change = replace(found.changes[0], second=None)
    row = change_rows(replace(found, changes=(change,)))[0]
    assert (row["second"], row["second_top"], row["difference"]) == (None, None, -row["first"])


def test_without_a_law_and_without_a_change_there_are_no_rows():
    assert change_rows(unlawful(three_changes())) == []
    assert change_rows(nothing(three_changes())) == []
    zero = three_changes()
    target = replace(zero.graph.target, value=0.0)
    rows = change_rows(replace(zero, graph=replace(zero.graph, target=target)))
    assert {row["share"] for row in rows} == {None}


def test_the_inflows_and_outflows_of_a_node():
    found = three_changes()
    (into,), (out,) = (side_rows(HEAD, found, side) for side in ("in", "out"))
    assert (into["other"], into["what"]) == ("embed:0:1", "embedding of ␣nurse | ␣plumber")
    assert (into["first"], into["second"], into["difference"]) == (1.0, 3.0, 2.0)
    assert (out["other"], out["difference"]) == ("target:2:2", -2.0)


def test_inflows_and_the_rest_are_the_nodes_whole_difference():
    found = of_prompts(NURSE, PLUMBER)
    for node in found.graph.nodes:
        rows = side_rows(node.key, found, "in")
        if rows:
            rest = rest_difference(node.key, found) or 0.0
            assert abs(sum(row["difference"] for row in rows) + rest - node.flow) < 1e-9
            assert abs(rows[0]["difference"]) == max(abs(row["difference"]) for row in rows)


def test_every_table_is_written_as_csv_with_all_its_columns():
    found = of_prompts(NURSE, PLUMBER)
    drawn = [edge for edge in found.graph.edges if edge.kind is not EdgeKind.REST]
    for columns, rows in (
        (CHANGE_COLUMNS, change_rows(found)),
        (EDGE_COLUMNS, edge_rows(found)),
        (PREDICTION_COLUMNS, prediction_rows(found)),
    ):
        lines = table_csv(columns, rows).split("\r\n")
        assert lines[0] == ",".join(columns)
        assert len(lines) == len(rows) + 2
    assert len(edge_rows(found)) == len(drawn)
    assert prediction_rows(found)[0]["difference"] == 0.125 - 0.5
