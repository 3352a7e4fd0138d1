"""The inspector: every table sums to its node's flow, in both wirings, for every kind of node."""

from __future__ import annotations

import pytest

from flowviz.errors import RequestError
from flowviz.graph.build import build_graph
from flowviz.graph.inspect import inspect_node
from flowviz.graph.stream import target_key
from flowviz.graph.types import BIAS_NAMES, SOURCES, STATES, NodeKey, NodeKind
from flowviz.request import GraphSettings, Wiring
from tests.flows import TARGET, scored

AT = TARGET.position
STATE_KEYS = [NodeKey(NodeKind.RESID_PRE, 0, 4), NodeKey(NodeKind.RESID_PRE, 2, AT),
              NodeKey(NodeKind.RESID_MID, 1, 9), NodeKey(NodeKind.RESID_FINAL, 3, AT)]  # fmt: skip
COMPONENT_KEYS = [NodeKey(NodeKind.EMBED, 0, 3), NodeKey(NodeKind.HEAD, 1, 8, 2),
                  NodeKey(NodeKind.HEAD, 2, AT, 1), NodeKey(NodeKind.NEURON, 1, 6, 5),
                  *(NodeKey(NodeKind.BIAS, 1, 7, i) for i in range(6))]  # fmt: skip


def look(architecture: str, wiring: Wiring, key: NodeKey):
    asked = GraphSettings(wiring=wiring)
    return inspect_node(scored(architecture), build_graph(scored(architecture), asked), asked, key)


def whole(table) -> float:
    return sum(row.flow for row in table.rows) + table.remainder


CASES = [(Wiring.STREAM, key) for key in STATE_KEYS + COMPONENT_KEYS]
CASES += [(Wiring.CIRCUIT, key) for key in COMPONENT_KEYS]


@pytest.mark.parametrize("architecture", ["gpt2", "llama"])
@pytest.mark.parametrize(("wiring", "key"), CASES, ids=str)
def test_both_tables_sum_to_the_nodes_flow(architecture, wiring, key):
    seen = look(architecture, wiring, key)
    scale = scored(architecture).flow.scale
    assert seen.node.flow == pytest.approx(scored(architecture).flow.values[key])
    if key.kind not in SOURCES:
        assert whole(seen.inflows) == pytest.approx(seen.node.flow, abs=1e-4 * scale)
    assert whole(seen.outflows) == pytest.approx(seen.node.flow, abs=1e-4 * scale)


@pytest.mark.parametrize("architecture", ["gpt2", "llama"])
@pytest.mark.parametrize(
    "key", [NodeKey(NodeKind.HEAD, 1, 8, 2), NodeKey(NodeKind.NEURON, 2, 6, 5)]
)
def test_all_components_before_a_reader_send_it_its_whole_flow(architecture, key):
    """The circuit's edges, summed over the whole pass and not only over the rows of a table."""
    from flowviz.graph.circuit import inflow_values
    from flowviz.graph.select import COMPONENTS

    flow = scored(architecture).flow
    total = inflow_values(flow, key).total(COMPONENTS)
    assert total == pytest.approx(flow.values[key], abs=1e-4 * flow.scale)


@pytest.mark.parametrize("architecture", ["gpt2", "llama"])
@pytest.mark.parametrize("key", [k for k in COMPONENT_KEYS if k.kind is not NodeKind.BIAS], ids=str)
def test_a_component_sends_its_whole_flow_on(architecture, key):
    from flowviz.graph.circuit import outflow_values
    from flowviz.graph.select import COMPONENTS

    flow = scored(architecture).flow
    values, direct = outflow_values(flow, key)
    assert values.total(COMPONENTS) + direct == pytest.approx(
        flow.values[key], abs=1e-4 * flow.scale
    )


def test_what_is_drawn_is_marked():
    asked = GraphSettings()
    graph = build_graph(scored("gpt2"), asked)
    edge = next(edge for edge in graph.edges if edge.source.kind is NodeKind.HEAD)
    seen = inspect_node(scored("gpt2"), graph, asked, edge.source)
    assert next(row for row in seen.outflows.rows if row.other == edge.target).drawn


def test_a_heads_attention_row_is_its_pattern_and_its_sources():
    key = NodeKey(NodeKind.HEAD, 1, 8, 2)
    seen = look("gpt2", Wiring.STREAM, key)
    assert seen.attention is not None
    assert len(seen.attention) == 9
    assert sum(cell.weight for cell in seen.attention) == pytest.approx(1, abs=1e-5)
    biases = scored("gpt2").flow.head_constants(1)[:, 8, 2].sum()
    carried = sum(cell.flow for cell in seen.attention) + float(biases)
    assert carried == pytest.approx(seen.node.flow, abs=1e-5)


def test_a_states_lens_ends_in_the_models_prediction():
    flow = scored("gpt2").flow
    seen = look("gpt2", Wiring.STREAM, NodeKey(NodeKind.RESID_MID, 1, AT))
    assert seen.lens is not None
    assert [row.key.kind in STATES for row in seen.lens] == [True] * 7
    assert seen.lens[-1].projection.top[0].id == int(flow.trace.logits[AT].argmax())


@pytest.mark.parametrize("architecture", ["gpt2", "llama"])
def test_a_neurons_value_tokens_follow_the_sign_of_its_activation(architecture):
    flow = scored(architecture).flow
    posts = flow.trace.blocks[1].post[6]
    for index in (int(posts.argmax()), int(posts.argmin())):
        seen = look(architecture, Wiring.STREAM, NodeKey(NodeKind.NEURON, 1, 6, index))
        assert seen.neuron is not None
        assert seen.neuron.activation == pytest.approx(float(posts[index]))
        assert seen.node.projection is not None
        wrote = [token.id for token in seen.node.projection.top]
        assert [token.id for token in seen.neuron.value.top] == wrote


def test_rest_tells_what_it_stands_for():
    graph = build_graph(scored("gpt2"), GraphSettings())
    rest = next(node for node in graph.nodes if node.key.kind is NodeKind.REST)
    seen = inspect_node(scored("gpt2"), graph, GraphSettings(), rest.key)
    assert seen.outflows.rows[0].other == rest.key.cut()


@pytest.mark.parametrize(
    "key",
    [NodeKey(NodeKind.HEAD, 9, 0, 0), NodeKey(NodeKind.HEAD, 0, 15, 0),
     NodeKey(NodeKind.RESID_FINAL, 1, 0), NodeKey(NodeKind.NEURON, 0, 0, 48),
     NodeKey(NodeKind.TARGET, 3, 2),
     NodeKey(NodeKind.BIAS, 0, 0, len(BIAS_NAMES))],
    ids=str,
)  # fmt: skip
def test_a_node_that_the_pass_has_not_is_refused(key):
    with pytest.raises(RequestError, match="has no node"):
        look("gpt2", Wiring.STREAM, key)


def test_the_target_can_be_inspected():
    flow = scored("gpt2").flow
    for wiring in Wiring:
        seen = look("gpt2", wiring, target_key(flow))
        assert whole(seen.inflows) == pytest.approx(flow.value, abs=1e-4 * flow.scale)
