"""A closer look at one part: the panel on the right, in the order in which one asks."""

from __future__ import annotations

from dash import dcc, html
from dash.development.base_component import Component

from flowviz.errors import FlowvizError
from flowviz.graph.inspection import AttentionCell
from flowviz.inside.request import InsideRequest
from flowviz.inside.types import NO_FLOW, InsideGraph, PartKey, PartKind, PartNode
from flowviz.ui.contexts.similar import of_node
from flowviz.ui.inside.ids import Inside
from flowviz.ui.inside.strongest import strongest
from flowviz.ui.links import flow_link
from flowviz.ui.panel import chart, close_button, figures, target_line
from flowviz.ui.reads import reads
from flowviz.ui.tables import flow_column, grid, number_column, row_name, what_column
from flowviz.views.figures import attention_bars
from flowviz.views.inside.labels import ACTIVATION, UNREAD_HERE
from flowviz.views.inside.tables import Row, side_rows
from flowviz.views.inside.words import describe, in_flow_graph, name, read_here
from flowviz.views.words import percent, share_of_target, signed

K = PartKind


def refused(error: FlowvizError) -> list[Component]:
    """Why the part cannot be shown."""
    title = html.Div([html.H2("No such part here"), close_button()], className="title")
    return [title, html.P(str(error), role="alert")]


def not_drawn(key: PartKey, graph: InsideGraph) -> list[Component]:
    """A part that this picture does not hold."""
    title = html.Div([html.H2(name(key, graph)), close_button()], className="title")
    words = "It is not drawn in this picture. Raise the numbers on the left, or open its block."
    return [title, html.P(words, className="dim")]


def inspector(
    node: PartNode, request: InsideRequest, graph: InsideGraph, theme: str, via: str | None
) -> list[Component]:
    """Everything that is known of one part; `via` is the part from which one came."""
    shown = [
        _head(node.key, request, graph),
        _figures(node, graph),
        target_line(_read(node, graph), graph),
        *_readings(node, graph),
        _attention(node, graph, theme),
        _table("What goes in", Inside.INFLOWS, side_rows(node.key, graph, "in"), via),
        _table("Where it goes", Inside.OUTFLOWS, side_rows(node.key, graph, "out"), via),
    ]
    return [part for part in shown if part is not None]


def _head(key: PartKey, request: InsideRequest, graph: InsideGraph) -> html.Header:
    title = html.Div([html.H2(name(key, graph)), close_button()], className="title")
    there = in_flow_graph(key, graph)
    flow, contexts = None, None
    if there is not None:
        href = flow_link(request.explained(), there)
        flow = dcc.Link("See it in the flow", href=href, className="open-block")
        contexts = of_node(there, request.explained())
    return html.Header([title, html.P(describe(key, graph)), flow, contexts])


def _figures(node: PartNode, graph: InsideGraph) -> html.Dl:
    flow, share = _flow(node, graph)
    read, activation = _read(node, graph), ACTIVATION.get(node.key.kind, "activation")
    weight = activation == "attention"
    return figures(
        [
            ("Flow", flow, share),
            ("Share", share.split(" ")[0] if "target" in share else None, share),
            ("Norm", _three(node.norm), "length of its vector as it is read"),
            (
                activation.capitalize(),
                None if node.activation is None else (percent if weight else signed)(
                    node.activation),
                "attention weight" if weight else activation,
            ),
            ("Act. × norm", _three(node.strength), "|activation| × norm of the weights' vector"),
            ("Entropy", f"{read.entropy:.2f} bits" if read else None, "of what it reads as"),
        ]
    )  # fmt: skip


def _flow(node: PartNode, graph: InsideGraph) -> tuple[str, str]:
    if node.key.kind in NO_FLOW:
        return "–", "none: patterns and gates are frozen"
    if node.flow is None or not graph.checks.exact:
        return "–", "not shown: not exact on this run"
    return signed(node.flow), share_of_target(node.flow, graph)


def _three(value: float | None) -> str | None:
    return None if value is None else f"{value:.3g}"


def _read(node: PartNode, graph: InsideGraph):
    return node.projection if read_here(node.key, graph) else None


def _readings(node: PartNode, graph: InsideGraph) -> list[Component | None]:
    """What it promotes and suppresses; of a neuron its value, its key and its gate."""
    if not read_here(node.key, graph):
        return [html.P(f"{UNREAD_HERE.capitalize()}.", className="dim")]
    if node.key.kind not in (K.NEURON, K.NEURON_KEY, K.GATE):
        return [reads("Reads as", node.projection)]
    titles = {
        K.NEURON: ("What it promotes here (value)", ("promotes", "suppresses")),
        K.NEURON_KEY: ("What switches it (key)", ("on", "off")),
        K.GATE: ("What opens it (gate)", ("open", "shut")),
    }
    found = [graph.node(PartKey(kind, node.key.layer, node.key.index)) for kind in titles]
    return [reads(titles[n.key.kind][0], n.projection, titles[n.key.kind][1]) for n in found if n]


def _attention(node: PartNode, graph: InsideGraph, theme: str) -> Component | None:
    """A head's attention over the prompt, as far as its values are drawn."""
    key = node.key
    if key.kind not in (K.HEAD, K.HEAD_QUERY):
        return None
    cells = _cells(key, graph)
    if not cells:
        return None
    title = f"Attention: the {len(cells)} strongest of {graph.position + 1:,} tokens"
    return chart(title, attention_bars(cells, theme, flow=graph.checks.exact))


def _cells(key: PartKey, graph: InsideGraph) -> tuple[AttentionCell, ...]:
    values = [
        node
        for node in graph.nodes
        if node.key.kind is K.VALUE and (node.key.layer, node.key.index) == (key.layer, key.index)
    ]
    return tuple(
        AttentionCell(
            node.key.source,
            graph.tokens[node.key.source].text,
            node.activation or 0.0,
            node.flow or 0.0,
        )
        for node in values
    )


def _table(title: str, table: Inside, rows: list[Row], via: str | None) -> html.Section | None:
    """One side of a part: a row an edge, with flow and norm side by side."""
    if not rows:
        return None
    listed = [
        {**row, "row": row_name(row["id"]), "drawn": True, "came": row["other"] == via}
        for row in rows
    ]
    columns = [what_column(), flow_column(), number_column("norm", "Norm", "flowvizNumber")]
    for field, head, written in (
        ("strength", "Act.×n.", "flowvizNumber"),
        ("weight", "Attn", "flowvizShare"),
    ):
        if any(row[field] is not None for row in rows):
            columns.append(number_column(field, head, written))
    return html.Section([html.H3(title), grid(table, listed, [], columns)])


def overview(graph: InsideGraph) -> list[Component]:
    """What the panel shows while no part is selected: what matters most, and what writes most."""
    return [
        html.H2("Look closer"),
        html.P("Click a part to see what it reads as, what goes into it and where it goes."),
        html.P("Hover to follow the strongest paths; walk with the arrow keys.", className="dim"),
        *strongest(graph),
    ]


def nothing_drawn() -> list[Component]:
    """Before the first picture."""
    return [
        html.H2("Look closer"),
        html.P("Click a part of the block to see what it reads as and what flows through it."),
    ]
