"""Where a law fails: the message says which, no flow is shown, lens and attention stay right."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM

from flowviz.flow import flow_of
from flowviz.graph.build import build_graph
from flowviz.graph.inspect import inspect_node
from flowviz.graph.scored import Scored
from flowviz.graph.types import FlowGraph, NodeKey, NodeKind
from flowviz.request import GraphSettings, Score, Wiring
from flowviz.trace import record
from tests.architectures import UNCOVERED
from tests.flows import IDS, TARGET
from tests.models import random_model, save_model

SETTINGS = GraphSettings()


@cache
def scored(name: str) -> Scored:
    model = random_model(name)
    return Scored(flow_of(model, record(model, list(IDS)), TARGET))


@cache
def theirs(name: str) -> Any:
    """What Hugging Face's own model does on the same weights."""
    folder = save_model(name, Path(mkdtemp()))
    model = AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager").eval()
    attends = {} if name == "mamba" else {"output_attentions": True}
    with torch.inference_mode():
        return model(torch.tensor([IDS]), **attends)


@pytest.mark.parametrize("name", UNCOVERED)
@pytest.mark.parametrize("wiring", list(Wiring))
def test_nothing_is_drawn_as_if_it_were_right(name: str, wiring: Wiring) -> None:
    graph = build_graph(scored(name), GraphSettings(wiring=wiring, score=Score.FLOW))
    assert not graph.checks.exact
    assert graph.checks.conservation_error > 1e-2  # and not by a rounding error
    assert graph.edges == ()
    assert {node.flow for node in graph.nodes} == {0.0}
    assert {node.influence for node in graph.nodes} == {0.0}
    assert NodeKind.REST not in {node.key.kind for node in graph.nodes}


@pytest.mark.parametrize("name", UNCOVERED)
def test_the_target_and_the_predictions_are_the_models_own(name: str) -> None:
    graph, at = build_graph(scored(name), SETTINGS), theirs(name).logits[0, TARGET.position]
    assert graph.target.value == pytest.approx(float(at[TARGET.token] - at[TARGET.contrast]), 1e-4)
    assert graph.predictions[0].id == int(at.argmax())


@pytest.mark.parametrize("name", UNCOVERED)
def test_the_lens_reads_the_last_state_as_the_model_does(name: str) -> None:
    graph = build_graph(scored(name), SETTINGS)
    final = NodeKey(NodeKind.RESID_FINAL, graph.model.layers, TARGET.position)
    rows = inspect_node(scored(name), graph, SETTINGS, final).lens
    assert rows is not None
    assert rows[-1].projection.top[0].id == graph.predictions[0].id
    assert rows[-1].projection.top[0].probability == pytest.approx(
        graph.predictions[0].probability, rel=1e-4
    )


def heads_of(graph: FlowGraph) -> list[NodeKey]:
    return [node.key for node in graph.nodes if node.key.kind is NodeKind.HEAD]


@pytest.mark.parametrize("name", sorted(set(UNCOVERED) - {"mamba"}))
def test_attention_is_the_models_own(name: str) -> None:
    graph = build_graph(scored(name), SETTINGS)
    key = heads_of(graph)[0]
    cells = inspect_node(scored(name), graph, SETTINGS, key).attention
    assert cells is not None
    own = theirs(name).attentions[key.layer][0, key.index, TARGET.position, : TARGET.position + 1]
    assert [cell.weight for cell in cells] == pytest.approx(own.tolist(), abs=1e-5)
    assert {cell.flow for cell in cells} == {0.0}


def test_a_model_without_attention_has_no_heads_to_show() -> None:
    assert heads_of(build_graph(scored("mamba"), SETTINGS)) == []


@pytest.mark.parametrize("name", UNCOVERED)
def test_every_node_can_be_looked_at_and_says_nothing_of_flow(name: str) -> None:
    graph = build_graph(scored(name), SETTINGS)
    for node in graph.nodes:
        seen = inspect_node(scored(name), graph, SETTINGS, node.key)
        assert seen.inflows.rows == seen.outflows.rows == ()
        assert seen.neuron is None


def test_a_budget_and_a_range_of_blocks_are_kept() -> None:
    graph = build_graph(scored("xglm"), GraphSettings(budget=6, layers=(1, 1)))
    keys = [node.key for node in graph.nodes if node.key.kind is not NodeKind.TARGET]
    assert len(keys) == 6
    assert {key.layer for key in keys} == {1}
