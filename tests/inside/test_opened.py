"""open_block: what it takes, what it gives, and what the demo model shows inside its blocks."""

from __future__ import annotations

import pytest

import flowviz
from flowviz.errors import RequestError
from flowviz.inside.types import InsideGraph, PartKey, PartKind
from flowviz.models.loaded import LoadedModel
from tests.inside.opened import inflows, of_kind
from tests.models import random_model

JAPAN = "The capital of Japan is the city of"
DRINK = "When Mary and John went to the store, John gave a drink to"


@pytest.fixture(scope="module")
def demo() -> LoadedModel:
    return flowviz.load_model("demo")


def test_it_takes_a_block_or_several_and_every_choice() -> None:
    model = random_model("gpt2")
    result = flowviz.open_block("the cat sat", model, layers=(0, 1), at=1, target=" cat",
                                contrast="#9", heads=1, rank="flow")  # fmt: skip
    graph = result.graph
    assert (graph.layers, graph.position) == ((0, 1), 1)
    assert graph.target.token.token == " cat"
    assert graph.target.contrast is not None
    assert graph.settings["heads"] == 1
    assert flowviz.read_block(result.to_json()) == graph
    assert flowviz.open_block("the cat sat", model, layers=2).graph.layers == (2, 2)


def test_tables_have_a_row_for_every_part_and_edge(demo: LoadedModel) -> None:
    result = flowviz.open_block(JAPAN, demo, layers=3)
    nodes, edges = result.nodes(), result.edges()
    assert len(nodes) == len(result.graph.nodes) == nodes["id"].nunique()
    assert len(edges) == len(result.graph.edges) == edges["id"].nunique()
    head = nodes[nodes["kind"] == "head"].iloc[0]
    into = edges[edges["target"] == head["id"]]["flow"].sum()
    assert into == pytest.approx(head["flow"], abs=1e-3)
    assert head["share"] == pytest.approx(head["flow"] / result.graph.target.value)
    values = nodes[nodes["kind"] == "value"]
    assert len(values) == 16
    assert all(str(value["source"]) in value["name"] for _, value in values.iterrows())
    assert set(nodes[nodes["kind"] == "query"]["flow"].isna()) == {True}


def test_an_explanation_opens_blocks_of_its_own_pass(demo: LoadedModel) -> None:
    explanation = flowviz.explain(JAPAN, demo, target=" Rome")
    result = explanation.inside(3, at=5, heads=2)
    assert result.scored is explanation.scored
    assert (
        result.graph
        == flowviz.open_block(JAPAN, demo, layers=3, at=5, heads=2, target=" Rome").graph
    )
    assert result.request.target == explanation.request.target
    with pytest.raises(RequestError, match="inside takes no 'token'; it takes at, heads"):
        explanation.inside(3, token=" Tokyo")


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        ({"depth": 3}, "open_block takes no 'depth'; it takes at, contrast"),
        ({"layers": (3, 1)}, "layers is '3-1'"),
        ({"layers": -1}, "layers is '-1'"),
        ({"layers": 99}, "has blocks 0 to 5"),
        ({"at": 99}, "Position 99"),
        ({"heads": 1000}, "from 0 to 200"),
    ],
)
def test_what_it_does_not_take_is_refused(demo: LoadedModel, choices: dict, words: str) -> None:
    with pytest.raises(RequestError) as error:
        flowviz.open_block(JAPAN, demo, **choices)
    assert words in str(error.value)


def test_a_fault_is_told_before_anything_is_loaded() -> None:
    with pytest.raises(RequestError, match="rank is"):
        flowviz.open_block(JAPAN, "no/such-model", rank="size")


# ---- what the demo model shows -----------------------------------------------------------------


def top(graph: InsideGraph, key: str) -> list[str]:
    node = graph.node(PartKey.parse(key))
    assert node is not None, key
    assert node.projection is not None
    return [token.text for token in node.projection.top]


def share(graph: InsideGraph, key: str) -> float:
    node = graph.node(PartKey.parse(key))
    assert node is not None
    assert node.flow is not None
    return node.flow / graph.target.value


def test_block_4_turns_a_country_into_its_capital(demo: LoadedModel) -> None:
    """The stream before its MLP has " Tokyo" nowhere near the top; the MLP puts it there."""
    graph = flowviz.open_block(JAPAN, demo, layers=4).graph
    assert graph.target.token.token == " Tokyo"
    assert top(graph, "mlp:4:0:0")[0] == " Tokyo"
    assert share(graph, "mlp:4:0:0") > 0.3
    before = graph.node(PartKey.parse("mid:4:0:0"))
    after = graph.node(PartKey.parse("state:5:0:0"))
    assert before is not None and before.projection is not None  # noqa: PT018
    assert after is not None and after.projection is not None  # noqa: PT018
    assert after.projection.target_rank < 4 < before.projection.target_rank


def test_head_6_of_block_1_already_writes_tokyo(demo: LoadedModel) -> None:
    graph = flowviz.open_block(JAPAN, demo, layers=1).graph
    assert top(graph, "head:1:6:0")[0] == " Tokyo"
    assert top(graph, "value:1:6:6")[0] == " Tokyo"  # from " city"
    assert share(graph, "head:1:6:0") > 0.1


def test_head_2_of_block_2_moves_the_other_name(demo: LoadedModel) -> None:
    """In "Mary and John … John gave a drink to" it looks at Mary alone, and writes her name."""
    graph = flowviz.open_block(DRINK, demo, layers=2).graph
    assert graph.target.token.token == " Mary"
    values = [n for n in of_kind(graph, PartKind.VALUE) if n.key.index == 2]
    most = max(values, key=lambda node: node.activation or 0)
    assert graph.tokens[most.key.source].text == " Mary"
    assert (most.activation or 0) > 0.99
    assert top(graph, str(most.key))[0] == " Mary"
    assert share(graph, "head:2:2:0") > 0.3


def test_the_whole_model_in_one_picture(demo: LoadedModel) -> None:
    graph = flowviz.open_block(JAPAN, demo, layers=(0, 5)).graph
    assert graph.checks.exact
    assert len(of_kind(graph, PartKind.STATE)) == 7
    into = inflows(graph)
    for layer in range(1, 7):
        state = graph.node(PartKey(PartKind.STATE, layer))
        assert state is not None
        assert into[state.key] == pytest.approx(state.flow, abs=1e-3)
