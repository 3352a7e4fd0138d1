"""Which parts are drawn: by norm or by flow, ties by index, and never more than is readable."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from flowviz.errors import RequestError
from flowviz.inside import describe
from flowviz.inside.choose import MOST_ELEMENTS, check_size
from flowviz.inside.request import InsideRequest, InsideSettings, Rank
from flowviz.inside.types import PartKind
from tests.flows import scored
from tests.inside.opened import ALL, FEW, NOTHING, kinds, of_kind, open_up, opened

AT = 10


def drawn(kind: PartKind, settings: InsideSettings) -> list[int]:
    return [node.key.index for node in of_kind(opened("gpt2", settings=settings), kind)]


def everything() -> dict[PartKind, list]:
    graph = opened("gpt2", settings=ALL)
    return {kind: of_kind(graph, kind) for kind in PartKind}


def test_heads_by_norm_and_by_flow() -> None:
    heads = everything()[PartKind.HEAD]
    by_norm = sorted(heads, key=lambda node: -node.norm)[:2]
    by_flow = sorted(heads, key=lambda node: -abs(node.flow))[:2]
    assert set(drawn(PartKind.HEAD, FEW)) == {node.key.index for node in by_norm}
    chosen = drawn(PartKind.HEAD, replace(FEW, rank=Rank.FLOW))
    assert set(chosen) == {node.key.index for node in by_flow}


def test_neurons_from_both_ends() -> None:
    neurons = everything()[PartKind.NEURON]
    signed = sorted(neurons, key=lambda n: -n.strength if n.activation > 0 else n.strength)
    expected = {node.key.index for node in (*signed[:4], *signed[-3:])}
    assert set(drawn(PartKind.NEURON, FEW)) == expected
    by_flow = sorted(neurons, key=lambda node: -node.flow)
    expected = {node.key.index for node in (*by_flow[:4], *by_flow[-3:])}
    assert set(drawn(PartKind.NEURON, replace(FEW, rank=Rank.FLOW))) == expected


def test_rows_by_activation_times_norm() -> None:
    rows = everything()[PartKind.ROW]
    strongest = sorted(rows, key=lambda node: -node.strength)[:3]
    graph = opened("gpt2")
    assert {node.key for node in of_kind(graph, PartKind.ROW)} == {node.key for node in strongest}


def test_the_most_attended_sources_of_each_head() -> None:
    pattern = scored("gpt2").flow.trace.blocks[1].pattern[:, AT, : AT + 1]
    graph = opened("gpt2")
    for head in of_kind(graph, PartKind.HEAD):
        most = sorted(range(AT + 1), key=lambda j: -float(pattern[head.key.index, j]))[:2]
        values = [n for n in of_kind(graph, PartKind.VALUE) if n.key.index == head.key.index]
        assert {node.key.source for node in values} == set(most)


def test_sources_that_a_head_cannot_see_are_no_memories() -> None:
    graph = opened("mistral", settings=replace(FEW, memories=20))  # a window of four tokens
    places = {node.key.source for node in of_kind(graph, PartKind.VALUE)}
    assert places == {AT - 3, AT - 2, AT - 1, AT}


def test_ties_go_to_the_lower_index() -> None:
    of = scored("gpt2")
    block = of.flow.trace.blocks[1]
    even = torch.ones_like(block.pattern).tril() / torch.arange(1, 18)[:, None]
    trace = replace(of.flow.trace, blocks=(
        of.flow.trace.blocks[0], replace(block, pattern=even), of.flow.trace.blocks[2]
    ))  # fmt: skip
    graph = open_up(type(of)(replace(of.flow, trace=trace)))
    assert {node.key.source for node in of_kind(graph, PartKind.VALUE)} == {0, 1}


def test_the_same_request_gives_the_same_picture() -> None:
    assert opened("llama") == opened("llama")


def test_a_picture_read_in_pieces_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = opened("gpt2", (0, 1))
    monkeypatch.setattr(describe, "LOGITS_AT_ONCE", 700)  # two rows of 300 tokens
    pieces = opened("gpt2", (0, 1))
    assert [node.key for node in pieces.nodes] == [node.key for node in whole.nodes]
    for one, other in zip(pieces.nodes, whole.nodes, strict=True):
        if one.projection is not None and other.projection is not None:
            assert one.projection.top[0].id == other.projection.top[0].id
            assert one.projection.entropy == pytest.approx(other.projection.entropy, rel=1e-5)
            assert one.projection.target_rank == other.projection.target_rank


def test_nothing_chosen_leaves_the_sums_and_their_rests() -> None:
    graph = opened("gpt2", settings=NOTHING)
    sums = {PartKind.CONCAT, PartKind.ATTENTION, PartKind.MLP, PartKind.REST, PartKind.MID}
    assert sums < kinds(graph)
    chosen = {PartKind.HEAD, PartKind.VALUE, PartKind.ROW, PartKind.NEURON, PartKind.QUERY}
    assert not kinds(graph) & chosen


def test_how_many_there_are_is_said() -> None:
    assert opened("gpt2").whole == {"heads": 4, "values": 11, "rows": 32, "neurons": 48}


def test_more_than_can_be_read_is_refused_with_the_way_out() -> None:
    check_size(MOST_ELEMENTS)
    with pytest.raises(RequestError, match=r"3,001 nodes and edges.*Open fewer blocks"):
        check_size(MOST_ELEMENTS + 1)
    with pytest.raises(RequestError, match="nodes and edges or more"):
        opened("gpt2", (0, 2), None, ALL)


@pytest.mark.parametrize(
    ("layers", "at", "words"),
    [
        ((0, 3), 3, "Block 3 was asked for.*has blocks 0 to 2"),
        ((7, 7), None, "Block 7 was asked for"),
        ((1, 1), 15, "Position 15 was asked for.*made at position 14.*Choose a position up to 14"),
        ((1, 1), 10**6, "Position 1000000 was asked for"),
    ],
)
def test_what_is_not_there_is_refused_with_the_way_out(
    layers: tuple[int, int], at: int | None, words: str
) -> None:
    with pytest.raises(RequestError, match=words):
        opened("gpt2", layers, at)


def test_settings_travel_with_the_picture() -> None:
    graph = opened("gpt2", settings=replace(FEW, rank=Rank.FLOW))
    assert graph.settings == {
        "heads": 2, "memories": 2, "rows": 3, "high": 4, "low": 3, "rank": "flow",
        "rotary": "positions",
    }  # fmt: skip
    flat = {"prompt": "x", **graph.settings}
    assert InsideRequest.from_mapping(flat).settings == replace(FEW, rank=Rank.FLOW)
