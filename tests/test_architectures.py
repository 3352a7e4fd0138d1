"""Every architecture against every law, and the table of docs/architectures.md.

`python -m tests.test_architectures` measures again and writes the table.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest
import torch
from transformers import AutoModelForCausalLM

from flowviz.attention.queries_keys import record_attention
from flowviz.checks import law_errors
from flowviz.flow import FlowTarget, flow_of
from flowviz.graph import circuit
from flowviz.graph.build import build_graph
from flowviz.graph.scored import Scored
from flowviz.graph.select import COMPONENTS
from flowviz.graph.stream import target_key
from flowviz.graph.types import FlowGraph, NodeKey, NodeKind
from flowviz.lens import normed_states, to_logits
from flowviz.models.loaded import LoadedModel
from flowviz.models.loading import load_model
from flowviz.request import GraphSettings, Wiring
from flowviz.trace import Trace, record
from tests.architectures import ARCHITECTURES
from tests.flows import IDS, TARGET
from tests.models import save_model

PAGE = Path(__file__).parents[1] / "docs" / "architectures.md"
TOLERANCE = 1e-4
TARGETS = (TARGET, FlowTarget(16, 3), FlowTarget(0, 5))
NAMES = sorted(ARCHITECTURES)


@dataclass(frozen=True, eq=False)
class Subject:
    """A random model of one architecture, one pass of it, and Hugging Face's logits for it."""

    model: LoadedModel
    trace: Trace
    logits: torch.Tensor

    @property
    def scored(self) -> Scored:
        return Scored(flow_of(self.model, self.trace, TARGET))


@cache
def subject(name: str) -> Subject:
    folder = save_model(name, Path(mkdtemp()))
    how = "sdpa" if name == "falcon_rw" else "eager"  # its eager attention adds ALiBi twice
    theirs = AutoModelForCausalLM.from_pretrained(folder, attn_implementation=how).eval()
    with torch.inference_mode():
        logits = theirs(torch.tensor([IDS])).logits[0]
    model = load_model(str(folder))
    return Subject(model, record(model, list(IDS)), logits)


def logits_error(of: Subject) -> float:
    ours = of.model.capped(of.trace.logits)
    return float((ours - of.logits).abs().max() / of.logits.abs().max())


def largest_error(of: Subject) -> float:
    """Against all laws, for several targets and in both wirings."""
    laws = [law_errors(flow_of(of.model, of.trace, target)) for target in TARGETS]
    graphs = [graph_of(of, wiring) for wiring in Wiring]
    return max(
        *(error for each in laws for error in vars(each).values()),
        *(graph.checks.conservation_error for graph in graphs),
    )


def pattern_error(of: Subject) -> float:
    """Of the attention that queries and keys give, against the model's own."""
    layers = record_attention(of.model, of.trace, range(of.model.shape.layers))
    return max(each.pattern_error for each in layers.values())


def graph_of(of: Subject, wiring: Wiring) -> FlowGraph:
    return build_graph(of.scored, GraphSettings(wiring=wiring))


@pytest.mark.parametrize("name", NAMES)
def test_logits_are_those_of_hugging_face(name: str) -> None:
    assert logits_error(subject(name)) < 1e-5


@pytest.mark.parametrize("name", NAMES)
def test_all_laws_hold(name: str) -> None:
    assert largest_error(subject(name)) < TOLERANCE


@pytest.mark.parametrize("name", NAMES)
def test_what_flows_into_and_out_of_components_is_their_flow(name: str) -> None:
    flow = subject(name).scored.flow
    for key in strongest_of_each_kind(flow.values):
        if circuit.reads(flow, key) is not None:
            into = circuit.inflow_values(flow, key).total(COMPONENTS)
            assert abs(into - flow.values[key]) < TOLERANCE * flow.scale, key
        values, direct = circuit.outflow_values(flow, key)
        out = values.total(COMPONENTS) + direct
        assert abs(out - flow.values[key]) < TOLERANCE * flow.scale, key
    into = circuit.inflow_values(flow, target_key(flow)).total(COMPONENTS)
    assert abs(into - flow.value) < TOLERANCE * flow.scale


def strongest_of_each_kind(values) -> list[NodeKey]:
    """The strongest head, neuron and embedding, and the strongest of every bias that there is."""
    keys = [
        values.key(kind, *places)
        for kind in (NodeKind.HEAD, NodeKind.NEURON, NodeKind.EMBED)
        if (places := place_of_largest(values.of_kind(kind))) is not None
    ]
    biases = values.of_kind(NodeKind.BIAS)
    for index in range(biases.shape[2]):
        if biases[..., index].any():
            layer, position, _ = place_of_largest(biases[..., index, None]) or (0, 0, 0)
            keys.append(NodeKey(NodeKind.BIAS, layer, position, index))
    return keys


def place_of_largest(values: torch.Tensor) -> tuple[int, ...] | None:
    place = torch.unravel_index(values.abs().argmax(), values.shape)
    return tuple(int(i) for i in place) if values.any() else None


@pytest.mark.parametrize("name", NAMES)
def test_edges_of_the_circuit_are_the_inspectors_inflows(name: str) -> None:
    flow = subject(name).scored.flow
    graph = graph_of(subject(name), Wiring.CIRCUIT)
    for node in graph.nodes[:6]:
        inflows = circuit.inflow_values(flow, node.key)
        for edge in graph.edges:
            if edge.target == node.key and edge.source.kind in COMPONENTS:
                assert abs(edge.flow - inflows[edge.source]) < TOLERANCE * flow.scale, edge.id


@pytest.mark.parametrize("name", NAMES)
def test_scores_are_shared_out_without_loss(name: str) -> None:
    scored = subject(name).scored
    bottom = (NodeKind.EMBED, NodeKind.POS_EMBED, NodeKind.BIAS)
    assert scored.influence.total(bottom) == pytest.approx(1, abs=1e-5)
    direct = scored.direct.total(COMPONENTS)
    assert abs(direct - scored.flow.value) < TOLERANCE * scored.flow.scale


@pytest.mark.parametrize("name", NAMES)
def test_the_lens_reads_the_last_state_as_the_model_does(name: str) -> None:
    of = subject(name)
    states = of.trace.resid_final
    logits = to_logits(of.model, normed_states(of.model, states), torch.ones(len(IDS)).bool())
    torch.testing.assert_close(logits, of.logits, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_parallel_blocks_have_no_state_between(name: str) -> None:
    of = subject(name)
    graph = graph_of(of, Wiring.STREAM)
    kinds = {node.key.kind for node in graph.nodes}
    assert (NodeKind.RESID_MID in kinds) is not of.model.shape.parallel


def table() -> str:
    """The table's rows, measured now."""
    titles = ("architecture", "models", "what is special", "logits", "largest error",
              "queries and keys")  # fmt: skip
    lines = [f"| {' | '.join(titles)} |", "|" + "---|" * len(titles)]
    for name, each in ARCHITECTURES.items():
        of = subject(name)
        errors = (logits_error(of), largest_error(of), pattern_error(of))
        figures = " | ".join(f"{error:.0e}".replace("0e+00", "0") for error in errors)
        lines.append(f"| `{each.model}` | {each.title} | {each.special} | {figures} |")
    return "\n".join(lines)


def test_the_table_in_the_docs_is_what_is_measured() -> None:
    rows = re.findall(
        r"\| `(\w+)` \| (.+?) \| (.+?) \| (\S+) \| (\S+) \| (\S+) \|", PAGE.read_text()
    )
    stated = [(row[0], row[1], row[2]) for row in rows]
    assert stated == [(each.model, each.title, each.special) for each in ARCHITECTURES.values()]
    assert all(float(row[3]) < 1e-5 for row in rows)
    assert all(1e-8 < float(row[4]) < TOLERANCE for row in rows)
    assert all(float(row[5]) < 1e-5 for row in rows)


if __name__ == "__main__":
    page = PAGE.read_text()
    start, end = page.index("| architecture |"), page.index("\n\n", page.index("| architecture |"))
    PAGE.write_text(page[:start] + table() + page[end:])
