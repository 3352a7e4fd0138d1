"""Pictures of changed passes: every number beside what it was before."""

from __future__ import annotations

from functools import lru_cache

import pytest

from flowviz.errors import RequestError
from flowviz.explanation import Explanation, explain
from flowviz.graph.json import graph_json, read_graph
from flowviz.graph.types import FlowGraph, NodeKey, NodeKind
from flowviz.models.loading import load_model

PROMPT = "The capital of Japan is the city of"
DONOR = "The capital of France is the city of"


@lru_cache
def explained(interventions: str, wiring: str = "stream", **choices: str) -> Explanation:
    reference = [PROMPT, DONOR] if "mean" in interventions else []
    return explain(
        PROMPT, load_model("demo"), interventions=interventions, donor=DONOR, wiring=wiring,
        reference=reference, **choices,
    )  # fmt: skip


@lru_cache
def strongest_head() -> str:
    nodes = explained("").graph.nodes
    return str(max((n for n in nodes if n.key.kind is NodeKind.HEAD), key=lambda n: n.flow).key)


def inflows_before(graph: FlowGraph) -> dict[NodeKey, float]:
    into: dict[NodeKey, float] = {}
    for edge in graph.edges:
        assert edge.before is not None
        into[edge.target] = into.get(edge.target, 0.0) + edge.before
    return into


@pytest.mark.parametrize("wiring", ["stream", "circuit"])
@pytest.mark.parametrize("how", ["0", "2", "mean", "donor"])
def test_before_is_the_clean_pass_and_closes_with_its_rest(how: str, wiring: str) -> None:
    graph = explained(f"{strongest_head()}={how}", wiring).graph
    clean = explained("", wiring)
    values = clean.scored.flow.values
    into = inflows_before(graph)
    for node in graph.nodes:
        if node.key.kind is NodeKind.TARGET:
            assert node.before == pytest.approx(clean.graph.target.value)
        elif node.key.kind is not NodeKind.REST:
            assert node.before == pytest.approx(values[node.key])
        drawn_rest = graph.node(node.key.rest()) is not None
        if node.key in into and drawn_rest:
            assert into[node.key] == pytest.approx(node.before, abs=1e-4 * clean.scored.flow.scale)
    before = {p.id: p.probability for p in clean.graph.predictions}
    assert all(p.before == pytest.approx(before[p.id]) for p in graph.predictions if p.id in before)
    assert graph.target.before == pytest.approx(clean.graph.target.value)
    assert graph.interventions == (f"{strongest_head()}={how}",)


def test_what_was_switched_off_stays_in_sight() -> None:
    graph = explained(f"{strongest_head()}=0").graph
    node = graph.node(NodeKey.parse(strongest_head()))
    assert node is not None
    assert node.flow == 0
    assert (node.before or 0) > 1
    assert any(edge.source == node.key for edge in graph.edges)


def test_the_question_stays_the_same_when_the_answer_changes() -> None:
    heads = ";".join(f"head:{layer}:*:{head}=0" for layer in (2, 3, 4) for head in range(8))
    clean, graph = explained("").graph, explained(heads).graph
    assert graph.predictions[0].id != clean.predictions[0].id
    assert graph.target.token.id == clean.target.token.id
    assert graph.target.value < (graph.target.before or 0)


def test_a_clean_graph_says_nothing_of_before() -> None:
    graph = explained("").graph
    assert graph.interventions == ()
    assert graph.donor is None
    assert {node.before for node in graph.nodes} == {edge.before for edge in graph.edges} == {None}
    assert graph.target.before is graph.predictions[0].before is None


def test_it_is_written_and_read_back() -> None:
    graph = explained(f"{strongest_head()}=donor").graph
    assert graph.donor == DONOR
    assert read_graph(graph_json(graph)) == graph


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("head:6:7:1=0", "blocks 0 to 5"),
        ("resid_final:5:7=0", "blocks 0 to 5"),
        ("head:3:30:1=0", "positions 0 to"),
        ("head:3:7:99=0", "the last head there is number"),
        ("neuron:3:7:99999=0", "the last neuron there is number"),
        ("head:3:2:1@5=0", "up to its own"),
        ("head:3:7:1@5=mean", "switched off or scaled"),
        ("head:3:7:1>head:2:7:1=0", "does not read"),
        ("head:3:7:1>neuron:4:6:1=0", "does not read"),
        ("resid_pre:3:7>head:4:7:1=0", "no end of an edge"),
        ("bias:3:7:0=0", "cannot be changed on its own"),
        ("bias:3:7:11=0", "what an intervention put in"),
        ("bias:3:7:2=donor", "same everywhere|no bias"),
        ("bias:3:7:40=0", "there is number"),
        ("embed:1:2=0", "layer 0"),
    ],
)
def test_what_the_pass_has_not_is_refused_with_what_it_has(text: str, said: str) -> None:
    with pytest.raises(RequestError, match=said):
        explained(text)


def test_a_donor_may_be_shorter_where_nothing_is_taken_from_behind_it() -> None:
    model = load_model("demo")
    choices = {"interventions": "head:3:1:1=donor", "donor": "The capital of"}
    assert explain(PROMPT, model, **choices).graph.checks.exact
    with pytest.raises(RequestError, match="nothing stands at its position 7"):
        explain(PROMPT, model, **choices | {"interventions": "head:3:7:1=donor"})


def test_a_mean_is_over_what_is_given_or_the_shipped_prompts() -> None:
    model, head = load_model("demo"), "head:3:7:1=mean"
    alone = explain(PROMPT, model, interventions=head, reference=[PROMPT]).graph.target.value
    shipped = explain(PROMPT, model, interventions=head).graph.target.value
    assert alone != pytest.approx(shipped)
    with pytest.raises(RequestError, match="list of prompts"):
        explain(PROMPT, load_model("demo"), interventions="head:3:7:1=mean", reference="one")


@pytest.mark.parametrize("wiring", ["stream", "circuit"])
def test_a_closer_look_has_every_flow_as_it_was(wiring: str) -> None:
    """Of a state, the target, a head and the head that was switched off, in and out."""
    changed, clean = explained(f"{strongest_head()}=0", wiring), explained("", wiring)
    scale = clean.scored.flow.scale
    keys = [node.key for node in changed.graph.nodes if node.key.kind is not NodeKind.REST][:12]
    for key in {*keys, NodeKey.parse(strongest_head())}:
        now, was = changed.inspect(key), clean.inspect(key)
        for side in ("inflows", "outflows"):
            known = {row.other: row.flow for row in getattr(was, side).rows}
            for row in getattr(now, side).rows:
                assert row.before is not None
                if row.other in known:
                    assert row.before == pytest.approx(known[row.other], abs=1e-5 * scale)
        assert all(row.before is None for row in was.inflows.rows)
    off = changed.inspect(strongest_head())
    assert {row.flow for row in off.inflows.rows} == {0.0}
    assert sum(row.before or 0.0 for row in off.inflows.rows) > 1


def test_how_many_parts_and_edges_are_taken() -> None:
    edges = ",".join(f"head:{layer}:7:{h}>neuron:4:7:{n}" for layer in (0, 1) for h in range(8)
                     for n in range(4))  # fmt: skip
    with pytest.raises(RequestError, match="64 edges"):
        explained(f"{edges}=0")
    model, parts = load_model("demo"), ",".join(f"neuron:0:*:{n}" for n in range(390))
    with pytest.raises(RequestError, match="more than 20,000 parts"):
        explain("a b " * 30, model, interventions=f"{parts}=0")
