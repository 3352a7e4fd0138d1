"""Small charts for the inspector, as Plotly figures on a transparent ground.

They are drawn for a panel of about 360 pixels: horizontal bars with the words on the left, one
line of height a row, no titles inside, the numbers in the hover text.
"""

from __future__ import annotations

from plotly import graph_objects as go

from flowviz.graph.inspection import AttentionCell, Inspection, LensRow
from flowviz.graph.types import Projection
from flowviz.views.palette import Palette, palette
from flowviz.views.tokens import clip, visible
from flowviz.views.words import percent, signed, stage

FONT = "system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', 'Noto Sans', sans-serif"
ROW_HEIGHT = 20
LABEL_COLUMNS = 18
MOST_ROWS = 28  # more of them share this height, and only some bear a label
MOST_CELLS = 24


def projection_bars(projection: Projection, theme: str) -> go.Figure:
    """The logits of the tokens that a vector promotes and suppresses, the highest on top."""
    c = palette(theme)
    ranked = sorted(projection.top, key=lambda token: -token.logit)
    tokens = [*ranked, *sorted(projection.bottom, key=lambda token: -token.logit)]
    bars = go.Bar(
        x=[token.logit for token in tokens],
        y=list(range(len(tokens))),
        orientation="h",
        marker_color=[_sign(token.logit, c) for token in tokens],
        hovertext=[
            f"{escaped(visible(token.text))}<br>"
            f"logit {signed(token.logit)}, {percent(token.probability)}"
            for token in tokens
        ],
        hoverinfo="text",
    )
    return _rows([bars], [visible(token.text) for token in tokens], c)


def attention_bars(
    attention: tuple[AttentionCell, ...], theme: str, *, flow: bool = True
) -> go.Figure:
    """A head's attention over the prompt: bars for the weight, coloured by the flow's sign.

    A long prompt shows the positions of the largest weight and flow, in the prompt's order.
    Without `flow` nothing is coloured or ranked by it.
    """
    c = palette(theme)
    cells = _chief(attention, flow)
    bars = go.Bar(
        x=[cell.weight for cell in cells],
        y=list(range(len(cells))),
        orientation="h",
        marker_color=[_sign(cell.flow, c) if flow else c.muted for cell in cells],
        hovertext=[_attention_words(cell, flow) for cell in cells],
        hoverinfo="text",
    )
    marks = _before([cell.before for cell in cells], c)
    labels = [f"{cell.position} {visible(cell.text)}" for cell in cells]
    figure = _rows([bars, *marks], labels, c)
    return figure.update_xaxes(tickformat="~%", rangemode="tozero")


def _attention_words(cell: AttentionCell, flow: bool) -> str:
    words = f"position {cell.position} {escaped(visible(cell.text))}<br>"
    amount = f", flow {signed(cell.flow)}" if flow else ""
    return f"{words}attention {percent(cell.weight)}{_was(cell.before)}{amount}"


def _was(before: float | None) -> str:
    return "" if before is None else f", before {percent(before)}"


def _before(values: list[float | None], c: Palette) -> list[go.Scatter]:
    """A stroke in each row where the value was without the interventions."""
    if all(value is None for value in values):
        return []
    stroke = {"symbol": "line-ns-open", "size": 13, "color": c.text, "line": {"width": 2}}
    places = list(range(len(values)))
    return [go.Scatter(x=values, y=places, mode="markers", marker=stroke, hoverinfo="skip")]


def _chief(cells: tuple[AttentionCell, ...], flow: bool) -> list[AttentionCell]:
    if len(cells) <= MOST_CELLS:
        return list(cells)
    strongest = max(abs(cell.flow) for cell in cells) or 1.0

    def order(cell: AttentionCell) -> tuple[float, int]:
        return -cell.weight - flow * abs(cell.flow) / strongest, cell.position

    ranked = sorted(cells, key=order)
    return sorted(ranked[:MOST_CELLS], key=lambda cell: cell.position)


def lens_chart(inspection: Inspection, theme: str) -> go.Figure:
    """The target at every state of a position: a bar for its probability, its rank beside it.

    Rows run from the first state at the bottom to the last on top, as in the graph; on the left
    of each stands the token that the state reads as.
    """
    c = palette(theme)
    rows = list(reversed(inspection.lens or ()))
    here = inspection.node.key
    bars = go.Bar(
        x=[row.projection.target_probability for row in rows],
        y=list(range(len(rows))),
        orientation="h",
        marker_color=[c.positive if row.key == here else c.muted for row in rows],
        text=[f"#{row.projection.target_rank:,}" for row in rows],
        textposition="outside",
        cliponaxis=False,
        hovertext=[_lens_words(row) for row in rows],
        hoverinfo="text",
    )
    marks = _before([row.before for row in rows], c)
    figure = _rows([bars, *marks], [_lens_label(row) for row in rows], c)
    shown = [max(row.projection.target_probability, row.before or 0.0) for row in rows]
    most = max(shown, default=0.0)
    return figure.update_xaxes(tickformat="~%", range=[0, max(1.25 * most, 0.01)])


def _lens_label(row: LensRow) -> str:
    top = row.projection.top
    return f"{stage(row.key)}  {visible(top[0].text) if top else '·'}"


def _lens_words(row: LensRow) -> str:
    read = row.projection
    tokens = "  ".join(escaped(visible(token.text)) for token in read.top[:5])
    rank = f"target: rank {read.target_rank:,}, {percent(read.target_probability)}"
    rank += _was(row.before)
    return f"{stage(row.key)}<br>reads as {tokens}<br>{rank}"


def _rows(bars: list[go.Bar | go.Scatter], labels: list[str], c: Palette) -> go.Figure:
    figure = go.Figure(bars)
    step = -(-len(labels) // MOST_ROWS) or 1
    figure.update_layout(
        template="none",
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": FONT, "size": 12, "color": c.text},
        hoverlabel={"bgcolor": c.surface, "bordercolor": c.line, "font": {"color": c.text}},
        margin={"l": 8, "r": 36, "t": 4, "b": 22},
        height=ROW_HEIGHT * max(2, min(len(labels), MOST_ROWS)) + 34,
        bargap=0.3,
        showlegend=False,
        dragmode=False,
    )
    figure.update_yaxes(
        tickvals=list(range(0, len(labels), step)),
        ticktext=[escaped(clip(label, LABEL_COLUMNS)) for label in labels[::step]],
        autorange="reversed",
        automargin=True,
        ticklabelstandoff=5,
        showgrid=False,
        zeroline=False,
        fixedrange=True,
    )
    return figure.update_xaxes(
        nticks=4, gridcolor=c.line, zerolinecolor=c.muted, tickfont={"color": c.muted, "size": 11},
        fixedrange=True,
    )  # fmt: skip


def _sign(value: float, c: Palette) -> str:
    return c.negative if value < 0 else c.positive


def escaped(text: str) -> str:
    """Plotly reads a little HTML in its texts; a token is never that."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
