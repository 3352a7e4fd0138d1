"""An opened block as tables, rows of plain values or pandas frames; and what its parts are called.

Where a law failed, what the flow says of a part is left empty: a zero would be a lie.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flowviz.graph.types import BIAS_NAMES
from flowviz.inside.types import InsideGraph, PartEdge, PartKey, PartKind, PartNode
from flowviz.views.tokens import visible

if TYPE_CHECKING:
    import pandas

Row = dict[str, Any]
PART_COLUMNS = (
    "id", "kind", "layer", "index", "source", "of", "name", "token", "flow", "share", "norm",
    "activation", "strength", "top", "bottom", "target_rank", "target_probability", "entropy",
)  # fmt: skip
PART_EDGE_COLUMNS = (
    "id", "source", "target", "kind", "flow", "share", "norm", "strength", "weight"
)  # fmt: skip
K = PartKind
AT_A_SOURCE = frozenset({K.MEMORY, K.KEY, K.VALUE})
NAMES = {
    K.LN1: "norm before attention",
    K.QUERY: "query",
    K.HEAD_QUERY: "H{index} query",
    K.KEY: "H{index} key at {source}",
    K.VALUE: "H{index} value at {source}",
    K.HEAD: "H{index}",
    K.CONCAT: "all heads",
    K.ROW: "H{index} row {source}",
    K.ATTENTION: "attention output",
    K.LN1_POST: "norm behind attention",
    K.MID: "mid",
    K.LN2: "norm before MLP",
    K.GATE: "{neuron} gate",
    K.NEURON_KEY: "{neuron} key",
    K.NEURON: "{neuron} value",
    K.MLP: "MLP output",
    K.LN2_POST: "norm behind MLP",
    K.STATE: "state",
    K.MEMORY: "state at {source}",
    K.BIAS: "{bias}",
}


def parts_frame(graph: InsideGraph) -> pandas.DataFrame:
    """A row for every part, in the graph's order."""
    import pandas

    return pandas.DataFrame(part_rows(graph), columns=list(PART_COLUMNS))


def part_edges_frame(graph: InsideGraph) -> pandas.DataFrame:
    """A row for every edge, in the graph's order."""
    import pandas

    return pandas.DataFrame(part_edge_rows(graph), columns=list(PART_EDGE_COLUMNS))


def part_rows(graph: InsideGraph) -> list[Row]:
    """A row for every part, with the columns `PART_COLUMNS`."""
    return [_part_row(node, graph) for node in graph.nodes]


def _part_row(node: PartNode, graph: InsideGraph) -> Row:
    key, read = node.key, node.projection
    return {
        "id": str(key),
        "kind": key.kind.value,
        "layer": key.layer,
        "index": key.index,
        "source": key.source,
        "of": key.of and key.of.value,
        "name": part_name(key, graph),
        "token": _token(key, graph),
        "flow": node.flow,
        "share": _share(node.flow, graph),
        "norm": node.norm,
        "activation": node.activation,
        "strength": node.strength,
        "top": read.top[0].text if read and read.top else None,
        "bottom": read.bottom[0].text if read and read.bottom else None,
        "target_rank": read.target_rank if read else None,
        "target_probability": read.target_probability if read else None,
        "entropy": read.entropy if read else None,
    }


def _token(key: PartKey, graph: InsideGraph) -> str | None:
    """The source's token, of a part that has one."""
    here = key.kind in AT_A_SOURCE and key.source < len(graph.tokens)
    return graph.tokens[key.source].text if here else None


def _share(flow: float | None, graph: InsideGraph) -> float | None:
    return None if flow is None or not graph.target.value else flow / graph.target.value


def part_edge_rows(graph: InsideGraph) -> list[Row]:
    """A row for every edge, with the columns `PART_EDGE_COLUMNS`."""
    return [_edge_row(edge, graph) for edge in graph.edges]


def _edge_row(edge: PartEdge, graph: InsideGraph) -> Row:
    return {
        "id": edge.id,
        "source": str(edge.source),
        "target": str(edge.target),
        "kind": edge.kind.value,
        "flow": edge.flow,
        "share": _share(edge.flow, graph),
        "norm": edge.norm,
        "strength": edge.strength,
        "weight": edge.weight,
    }


def part_name(key: PartKey, graph: InsideGraph) -> str:
    """A part in a few words, with its block: "L3 H5 value at 4 (␣Japan)"."""
    if key.of is not None:
        on = PartKey(key.of, key.layer, key.index, key.source)
        words = "rest of" if key.kind is K.REST else "elsewhere from"
        return f"{words} {part_name(on, graph)}"
    token = _token(key, graph)
    words = NAMES[key.kind].format(
        index=key.index,
        source=key.source if token is None else f"{key.source} ({visible(token)})",
        neuron=_neuron(key, graph),
        bias=_bias(key),
    )
    return f"L{key.layer} {words}"


def _bias(key: PartKey) -> str:
    """A bias by its name in the weights; of a norm, which has other weights too, "ln1's bias"."""
    name = BIAS_NAMES[key.index] if key.index < len(BIAS_NAMES) else f"bias {key.index}"
    return f"{name}'s bias" if name.startswith("ln") else name


def _neuron(key: PartKey, graph: InsideGraph) -> str:
    """A neuron, with its expert where it has one."""
    sizes = graph.model.expert_neurons
    size = sizes[key.layer] if key.layer < len(sizes) else 0
    return f"E{key.index // size} N{key.index % size}" if size else f"N{key.index}"
