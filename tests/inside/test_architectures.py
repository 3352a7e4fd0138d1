"""What is special about a block shows: parallel, behind norms, gated, of experts, on the stream."""

from __future__ import annotations

import pytest

from flowviz.inside.request import InsideSettings
from flowviz.inside.types import InsideGraph, PartEdge, PartEdgeKind, PartKey, PartKind
from tests.flows import scored
from tests.inside.opened import kinds, of_kind, open_up, opened, sources, the


def edge(graph: InsideGraph, source: PartKey, target: PartKey) -> PartEdge:
    return next(e for e in graph.edges if (e.source, e.target) == (source, target))


def test_a_plain_block_goes_through_mid() -> None:
    graph = opened("gpt2")
    state, mid, after = PartKey(PartKind.STATE, 1), PartKey(PartKind.MID, 1), PartKey(
        PartKind.STATE, 2
    )  # fmt: skip
    assert sources(graph, mid) == {PartKind.STATE, PartKind.ATTENTION}
    assert sources(graph, after) == {PartKind.MID, PartKind.MLP}
    assert edge(graph, state, mid).kind is edge(graph, mid, after).kind is PartEdgeKind.RESIDUAL
    assert sources(graph, PartKey(PartKind.LN2, 1)) == {PartKind.MID}
    assert not kinds(graph) & {PartKind.GATE, PartKind.LN1_POST, PartKind.LN2_POST}


@pytest.mark.parametrize("name", ["gpt_neox", "falcon_40b"])
def test_a_parallel_block_behind_two_norms_has_no_mid(name: str) -> None:
    graph = opened(name)
    assert PartKind.MID not in kinds(graph)
    after = {PartKind.STATE, PartKind.ATTENTION, PartKind.MLP}
    assert sources(graph, PartKey(PartKind.STATE, 2)) == after
    for norm in (PartKind.LN1, PartKind.LN2):
        assert sources(graph, PartKey(norm, 1)) == {PartKind.STATE}


@pytest.mark.parametrize(
    "name", ["gpt_j", "phi", "codegen", "falcon", "cohere", "stablelm_parallel"]
)
def test_a_parallel_block_behind_one_norm_reads_it_twice(name: str) -> None:
    graph = opened(name)
    assert not kinds(graph) & {PartKind.MID, PartKind.LN2}
    read = {e.target.kind for e in graph.edges if e.source == PartKey(PartKind.LN1, 1)}
    assert {PartKind.QUERY, PartKind.NEURON_KEY} < read


@pytest.mark.parametrize("name", ["gemma2", "gemma3", "glm4", "vault_gemma"])
def test_norms_before_and_behind_sublayers(name: str) -> None:
    graph = opened(name)
    behind = {PartKind.LN1_POST, PartKind.LN2_POST} & kinds(graph)
    assert behind or name == "vault_gemma"
    for post, output in (
        (PartKind.LN1_POST, PartKind.ATTENTION),
        (PartKind.LN2_POST, PartKind.MLP),
    ):
        if post in behind:
            key = PartKey(post, 1)
            assert sources(graph, key) == {output}
            assert edge(graph, PartKey(output, 1), key).kind is PartEdgeKind.NORM
            # what attention puts out is read as what it becomes in the stream
            assert the(graph, post).norm == pytest.approx(the(graph, output).norm, rel=1e-5)


@pytest.mark.parametrize("name", ["olmo2", "olmo3", "exaone4"])
def test_norms_behind_sublayers_only(name: str) -> None:
    graph = opened(name)
    assert not kinds(graph) & {PartKind.LN1, PartKind.LN2}
    assert {PartKind.LN1_POST, PartKind.LN2_POST} <= kinds(graph)
    assert sources(graph, PartKey(PartKind.QUERY, 1)) == {PartKind.STATE}
    keys = of_kind(graph, PartKind.NEURON_KEY)
    assert all(PartKind.MID in sources(graph, key.key) for key in keys)


@pytest.mark.parametrize("name", ["gpt1", "opt_350m"])
def test_norms_on_the_stream(name: str) -> None:
    graph = opened(name)
    norms = {PartKind.LN1, PartKind.LN2, PartKind.LN1_POST, PartKind.LN2_POST}
    assert not kinds(graph) & norms
    into_mid = {PartKind.STATE, PartKind.ATTENTION, PartKind.BIAS}  # the norm's own bias
    assert sources(graph, PartKey(PartKind.MID, 1)) == into_mid
    trace = scored(name).flow.trace.blocks[1]
    assert trace.resid_mid is not None
    assert the(graph, PartKind.MID).norm == pytest.approx(float(trace.resid_mid[10].norm()), 1e-5)


@pytest.mark.parametrize("name", ["llama", "mixtral", "gpt_oss", "phi3", "glm", "qwen3_moe"])
def test_gates(name: str) -> None:
    of = scored(name)
    graph = open_up(of)
    gates, neurons = of_kind(graph, PartKind.GATE), of_kind(graph, PartKind.NEURON)
    assert [g.key.index for g in gates] == [n.key.index for n in neurons] != []
    mlp, part = of.flow.model.blocks[1].mlp, of.flow.trace.blocks[1]
    for gate, neuron in zip(gates, neurons, strict=True):
        assert gate.flow is None
        assert gate.activation is not None
        opening = float(mlp.act(part.resid_pre.new_tensor(gate.activation)))
        weight = 1.0
        if part.router is not None:
            weight = float(part.router[10, neuron.key.index // mlp.d_expert])
        if name != "gpt_oss":  # which clamps its other branch as well
            frozen = float(part.gate[10, neuron.key.index])
            assert opening * weight == pytest.approx(frozen, rel=1e-3, abs=1e-5)
        assert sources(graph, gate.key) == {PartKind.LN2}
        assert PartKind.GATE in sources(graph, neuron.key)


@pytest.mark.parametrize("name", ["mixtral", "gpt_oss", "olmoe", "granite_moe"])
def test_experts_that_were_not_chosen_are_silent(name: str) -> None:
    of = scored(name)
    graph = open_up(of, settings=InsideSettings(high=200))
    router, size = of.flow.trace.blocks[1].router, of.flow.model.blocks[1].mlp.d_expert
    assert router is not None
    chosen = set(router[10].nonzero().flatten().tolist())
    assert len(chosen) == 2
    neurons = of_kind(graph, PartKind.NEURON)
    assert {node.key.index // size for node in neurons} == chosen
    assert graph.model.expert_neurons[1] == size
    assert graph.whole["neurons"] == 4 * size


@pytest.mark.parametrize("name", ["llama", "falcon", "gpt_bigcode"])
def test_each_query_head_has_the_keys_and_values_that_it_shares(name: str) -> None:
    graph = opened(name)
    heads = [node.key.index for node in of_kind(graph, PartKind.HEAD)]
    for kind in (PartKind.KEY, PartKind.VALUE):
        assert {node.key.index for node in of_kind(graph, kind)} == set(heads)
    assert graph.whole["heads"] == 4


def test_scaled_sublayers_are_read_as_they_reach_the_stream() -> None:
    of = scored("granite")
    graph = open_up(of)
    part = of.flow.trace.blocks[1]
    assert part.resid_mid is not None
    added = part.resid_mid[10] - part.resid_pre[10]
    assert the(graph, PartKind.ATTENTION).norm == pytest.approx(float(added.norm()), rel=1e-4)


@pytest.mark.parametrize(
    ("name", "rotated"), [("gpt2", None), ("bloom", None), ("llama", True), ("gpt_j", True)]
)
def test_whether_there_are_rotary_positions(name: str, rotated: bool | None) -> None:
    assert opened(name).rotated is rotated
