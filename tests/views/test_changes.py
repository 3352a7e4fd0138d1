"""What interventions do, in words, and what a graph, a table and a report show of it."""

from __future__ import annotations

import csv as csv_format
import io
from dataclasses import replace

import pytest

from flowviz.graph.inspection import FlowTable
from flowviz.graph.types import BIAS_NAMES, NodeKey, NodeKind
from flowviz.interventions.types import Instead, Intervention, Site
from flowviz.views.changes import (
    Changed,
    how_words,
    intervention_words,
    site_words,
    was_words,
)
from flowviz.views.elements import elements
from flowviz.views.files import csv, text
from flowviz.views.labels import edge_tip, node_label, node_tip
from flowviz.views.stylesheet import stylesheet
from flowviz.views.tables import (
    EDGE_COLUMNS,
    NODE_COLUMNS,
    edge_rows,
    edges_frame,
    flow_rows,
    node_rows,
    nodes_frame,
)
from flowviz.views.words import describe, percent, put_in, short_label
from tests.graphs import changed_nodes, failed, three_nodes
from tests.views.test_tables import inspected

K = NodeKind
HEAD = NodeKey(K.HEAD, 1, 2, 3)


@pytest.mark.parametrize(
    ("how", "words"),
    [(0.0, "off"), (2.5, "× 2.5"), (-1.0, "× −1"), (1.0, "× 1"), (Instead.MEAN, "its mean"),
     (Instead.DONOR, "from the other prompt")],
)  # fmt: skip
def test_what_happens_in_words(how: float | Instead, words: str) -> None:
    assert how_words(how) == words


@pytest.mark.parametrize(
    ("site", "words"),
    [
        ("head:1:2:3", "L1 H3 at ␣is (2)"),
        ("head:1:*:3", "L1 H3 at every position"),
        ("head:1:2:3@1", "L1 H3 at ␣is (2), what it reads from ␣France (1)"),
        ("embed:0:1", "embedding at ␣France (1)"),
        ("pos_embed:0:1", "position embedding at ␣France (1)"),
        ("resid_mid:1:2", "L1 mid at ␣is (2)"),
        ("bias:1:2:2", "L1 b_O at ␣is (2)"),
        ("embed:0:1>head:1:2:3", "embedding at ␣France (1) → L1 H3 at ␣is (2)"),
        ("head:1:2:3>target:2:2", "L1 H3 at ␣is (2) → ␣Paris"),
        ("head:1:99:3", "L1 H3 at ⟨none⟩ (99)"),
    ],
)
def test_what_is_changed_in_words(site: str, words: str) -> None:
    assert site_words(Site.parse(site), three_nodes()) == words
    assert site_words(Site.parse(site), None) == site


def test_an_intervention_in_words() -> None:
    one = Intervention.parse("head:1:2:3=0")
    assert intervention_words(one, three_nodes()) == "L1 H3 at ␣is (2): off"
    many = Intervention.parse("head:1:2:3,neuron:0:1:4=mean")
    assert intervention_words(many, three_nodes()) == "2 parts: its mean"


def test_what_a_number_was() -> None:
    assert was_words(None) == ""
    assert was_words(-1.0) == " ← −1"
    assert was_words(0.91, percent) == " ← 91%"
    assert was_words(0.91, percent, 0.914) == ""
    assert was_words(0.91, percent, 0.5) == " ← 91%"


def test_what_gives_nothing_reads_as_nothing() -> None:
    graph = changed_nodes()
    off = replace(graph.nodes[1], norm=0.0, flow=-0.0)
    graph = replace(graph, nodes=(graph.nodes[0], off, *graph.nodes[2:]))
    assert node_label(off, graph) == "·"
    assert "reads as" not in node_tip(off, graph)
    assert "flow +0, 0% of the target; before the change +4" in node_tip(off, graph)
    line = next(line for line in text(graph).split("\n") if "L1 H3 at 2" in line)
    assert line.split() == ["L1", "H3", "at", "2", "head", "+0", "0%", "+4"]


def test_which_nodes_and_edges_are_changed() -> None:
    changed = Changed(("head:1:*:3=0", "head:1:2:3@1=2", "embed:0:1>neuron:0:1:4=mean"))
    assert [how for _, how in changed.of(HEAD)] == [0.0, 2.0]
    assert [how for _, how in changed.of(replace(HEAD, position=0))] == [0.0]
    assert not changed.of(replace(HEAD, index=4))
    assert not changed.of(HEAD.rest())
    embed, neuron = NodeKey(K.EMBED, 0, 1), NodeKey(K.NEURON, 0, 1, 4)
    assert not changed.of(embed)
    assert changed.of_edge(embed, neuron) is Instead.MEAN
    assert changed.of_edge(NodeKey(K.EMBED, 0, 0), neuron) is None
    assert changed.of_edge(NodeKey(K.RESID_PRE, 1, 1), HEAD) == 2.0
    assert changed.of_edge(NodeKey(K.RESID_PRE, 1, 0), HEAD) is None
    assert not Changed(())


def test_changed_nodes_and_edges_bear_a_mark_and_say_so() -> None:
    made = {each["data"]["id"]: each for each in elements(changed_nodes())}
    head = made["head:1:2:3"]
    assert head["classes"].split()[-1] == "changed"
    assert head["data"]["tip"].split("\n")[1:4] == [
        "changed: × 2.5",
        "changed at every position, what it reads from In (0): from the other prompt",
        "flow +1.5, 75% of the target; before the change +4",
    ]
    assert "changed" not in made["embed:0:1"]["classes"]
    cut = made["embed:0:1>head:1:2:3"]
    assert cut["classes"].split()[-1] == "changed"
    assert cut["data"]["tip"].split("\n")[1:3] == [
        "changed: off", "flow +2, 100% of the target; before the change +4",
    ]  # fmt: skip
    assert "changed" not in made["head:1:2:3>target:2:2"]["classes"]
    assert not any("changed" in each["classes"] for each in elements(three_nodes()))


def test_what_is_put_in_has_a_name_and_a_look_of_its_own() -> None:
    graph = changed_nodes()
    for name in BIAS_NAMES:
        key = NodeKey(K.BIAS, 1, 2, BIAS_NAMES.index(name))
        assert put_in(key) == name.startswith("set_")
    key = graph.nodes[2].key
    assert node_label(graph.nodes[2], graph) == "put in"
    assert short_label(key, graph) == "L1 put into heads at 2"
    assert describe(key, graph) == (
        "What the intervention put into the heads in layer 1, at position 2 (␣is)."
    )
    made = {each["data"]["id"]: each for each in elements(graph)}
    assert "put-in" in made[str(key)]["classes"].split()
    for theme in ("light", "dark"):
        selectors = [rule["selector"] for rule in stylesheet(theme)]
        assert selectors.index("node.put-in") > selectors.index("node.bias[size]")
        assert {"node.changed", "edge.changed"} <= set(selectors)


def test_tables_show_the_flow_before_where_something_was_changed() -> None:
    graph = changed_nodes()
    nodes, edges = nodes_frame(graph), edges_frame(graph)
    assert list(nodes.columns) == [*NODE_COLUMNS[:8], "before", *NODE_COLUMNS[8:]]
    assert list(edges.columns) == [*EDGE_COLUMNS[:5], "before", *EDGE_COLUMNS[5:]]
    assert list(nodes["before"]) == [4.0, 4.0, 0.0, 4.0]
    assert list(edges["before"]) == [4.0, 4.0, 0.0]
    (row,) = inspected().inflows.rows
    was = replace(inspected(), inflows=FlowTable((replace(row, before=4.0),), 0.0, 0))
    rows = flow_rows(was, graph, "in")
    assert [row["before"] for row in rows if row["id"]] == [4.0]
    assert "before" not in flow_rows(inspected(), three_nodes(), "in")[0]
    assert "before" not in node_rows(three_nodes())[0] | edge_rows(three_nodes())[0]
    for table, count in (("nodes", 4), ("edges", 3)):
        read = list(csv_format.DictReader(io.StringIO(csv(graph, table))))
        assert [float(row["before"]) for row in read][:count] == list(
            (nodes if table == "nodes" else edges)["before"]
        )


def test_where_a_law_failed_no_flow_before_is_shown_either() -> None:
    graph = replace(failed(), interventions=("head:0:3:1=0",))
    assert {row["before"] for row in node_rows(graph)} == {None}
    assert any("changed" in each["classes"] for each in elements(graph))


def test_the_report_says_what_was_changed_and_what_was_before() -> None:
    lines = text(changed_nodes()).split("\n")
    assert lines[2] == (
        "Changed      L1 H3 at ␣is (2): × 2.5;   embedding at ␣France (1) → L1 H3 at ␣is (2): off;"
    )
    assert lines[3].strip().startswith("L1 H3 at every position, what it reads from In (0): from")
    assert "Other prompt In␣Gaul␣is" in lines
    assert any(line.endswith("= 2; before the change 4") for line in lines)
    assert any("␣Paris 50% ← 75%" in line for line in lines)
    table = next(i for i, line in enumerate(lines) if line.startswith("Strongest nodes"))
    assert lines[table + 1].endswith("before")
    assert any("L1 H3 at 2" in line and line.endswith("+4") for line in lines[table:])
    assert max(map(len, lines)) <= 100


def test_an_edge_without_a_change_says_nothing_of_one() -> None:
    graph = three_nodes()
    assert "change" not in edge_tip(graph.edges[0], graph)
