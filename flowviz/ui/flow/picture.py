"""The graph with what lies on it: tools, legend, progress, status."""

from __future__ import annotations

from typing import Any

from dash import dcc, html

from flowviz.ui.canvas import CanvasIds, Save, canvas, empty
from flowviz.ui.check.panel import check_line
from flowviz.ui.flow.ids import Flow
from flowviz.ui.interventions.parts import parts_bar

SAVES = (
    Save(Flow.SAVE_PNG, "Picture", "PNG"),
    Save(Flow.SAVE_SVG, "Picture", "SVG"),
    Save(Flow.SAVE_JSON, "Graph", "JSON"),
    Save(Flow.SAVE_NODES, "Nodes", "CSV"),
    Save(Flow.SAVE_EDGES, "Edges", "CSV"),
)
IDS = CanvasIds(
    canvas=Flow.CANVAS,
    graph=Flow.GRAPH,
    fold=Flow.FOLD,
    zoom_out=Flow.ZOOM_OUT,
    zoom_in=Flow.ZOOM_IN,
    fit=Flow.FIT,
    link=Flow.LINK,
    progress=Flow.PROGRESS,
    stage=Flow.STAGE,
    bar=Flow.BAR,
    cancel=Flow.CANCEL,
    poll=Flow.POLL,
)
LEGEND = (
    ("line for", "for", "The flow speaks for the target; the wider the line, the more"),
    ("line against", "against", "The flow speaks against the target; the wider, the more"),
    ("shape state", "state", "A hidden state: the residual stream at a position"),
    ("shape head", "head", "An attention head's output"),
    ("shape neuron", "neuron", "A neuron's output"),
    ("shape embed", "token", "The embedding of a prompt token, or of its position"),
    ("shape bias", "bias", "A bias vector"),
    ("shape changed", "changed", "What an intervention changes has a dashed ring"),
    ("shape put-in", "put in", "What an intervention put in, as a source of its own"),
    ("shape opened", "opened", "A node that is opened: it flows on as the sum of its parts"),
    ("shape factor", "factor", "One learned direction of an opened node, as much as is in it"),
    ("shape error", "error", "What no factor holds of an opened node: it stays in sight"),
    ("shape rest", "rest", "What flows in and is not drawn: kept as one sum, never dropped"),
)


def picture(styles: dict[str, Any], donor: str | None) -> html.Section:
    """The middle of the page; `donor` is the prompt that values come from, where there is one."""
    nothing = empty(
        "See how the model gets its answer",
        "Type a prompt and press Enter, or pick one of the examples.",
    )
    name = "Flow graph. Arrows walk from node to node, f fits."
    return html.Section(
        [
            html.Div(id=Flow.BANNER, className="banner", role="alert"),
            canvas(IDS, name, styles["light"], legend(), SAVES, nothing),
            parts_bar(donor),
            html.P(id=Flow.PART, className="part", role="status"),
            html.Div(
                [
                    html.P(id=Flow.STATUS, className="status", role="status"),
                    dcc.Link("Analyses of this prompt", id=Flow.ANALYSE, href="/analyses",
                             className="to-analyses",
                             title="Overlaps, the target's course, norms and neurons of it"),
                ],
                className="status-row",
            ),
            check_line(),
        ],
        className="picture",
    )  # fmt: skip


def legend() -> html.Details:
    """What colours and shapes mean; a narrow window folds it."""
    return html.Details(
        [
            html.Summary("Legend"),
            html.Div([_key(look, word, tip) for look, word, tip in LEGEND]),
        ],
        id=Flow.LEGEND,
        className="legend",
        open=True,
        title="The wider a line, the more flows through it; the larger a node, the more influence",
    )


def _key(look: str, word: str, tip: str) -> html.Span:
    return html.Span([html.I(className=look), word], title=tip)
