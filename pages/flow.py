"""The flow page: one prompt, one forward pass, one graph.

The data's way through the page: the form → ASKED and settings → `ask` → JOB → (polled while it
runs) → SHOWN → `draw` and the others that read it. What must answer at once is in `assets/`.
"""

from __future__ import annotations

from typing import Any

import dash
from dash import Input, Output, State, callback, ctx, html
from dash.exceptions import PreventUpdate

from flowviz.errors import FlowvizError, NotKept
from flowviz.graph.types import NodeKey
from flowviz.request import ExplainRequest
from flowviz.ui.ask_panel import ask_panel
from flowviz.ui.check.callbacks import connect_check
from flowviz.ui.check.panel import check_panel
from flowviz.ui.check.stores import check_stores
from flowviz.ui.connected import connect_ask, connect_job, connect_question
from flowviz.ui.dom import attributes
from flowviz.ui.examples import example_requests, look_for
from flowviz.ui.flow import files
from flowviz.ui.flow.ask import ASK
from flowviz.ui.flow.browser import answer_in_browser
from flowviz.ui.flow.controls import controls, default_values
from flowviz.ui.flow.drawing import drawing
from flowviz.ui.flow.form import SPANS, request_from_form
from flowviz.ui.flow.ids import Flow
from flowviz.ui.flow.inspector import inspector, refused
from flowviz.ui.flow.opening import open_page
from flowviz.ui.flow.overview import nothing_drawn, overview
from flowviz.ui.flow.parts import part_note
from flowviz.ui.flow.picture import picture
from flowviz.ui.flow.stores import stores
from flowviz.ui.flow.strips import shown_predictions, token_strip
from flowviz.ui.flow.styles import styles
from flowviz.ui.flow.words import failure_banner, status_line, value_words
from flowviz.ui.ids import Shell
from flowviz.ui.interventions.callbacks import connect_changes
from flowviz.ui.interventions.ids import Change
from flowviz.ui.interventions.stores import change_stores
from flowviz.ui.opened.callbacks import connect_opened
from flowviz.ui.opened.ids import Open
from flowviz.ui.opened.stores import opened_stores
from flowviz.ui.predictions import prediction_chips
from flowviz.ui.server import current_examples, current_session
from flowviz.views.elements import elements

dash.register_page(__name__, path="/", name="Flow", title="flowviz", order=0)

SETTINGS = {
    "wiring": (Flow.WIRING, "value"),
    "score": (Flow.SCORE, "value"),
    "coverage": (Flow.COVERAGE, "value"),
    "budget": (Flow.BUDGET, "value"),
    "edge_coverage": (Flow.EDGE_COVERAGE, "value"),
    "layers": (Flow.LAYERS, "value"),
    "positions": (Flow.POSITIONS, "value"),
    "kinds": (Flow.KINDS, "value"),
    "heads_per_layer": (Flow.HEADS, "value"),
    "positive_neurons": (Flow.POSITIVE, "value"),
    "negative_neurons": (Flow.NEGATIVE, "value"),
}
SAVES = (Flow.SAVE_JSON, Flow.SAVE_NODES, Flow.SAVE_EDGES)


def layout(**query: object) -> html.Div:
    """The page as its link asks for it."""
    session, examples = current_session(), current_examples()
    models = session.models(gpt=True)
    opening = open_page(query, examples, [model.name for model in models])
    looks = styles()
    return html.Div(
        [
            *stores(opening, example_requests(examples, models), looks),
            *check_stores(opening.check),
            *change_stores(opening.made),
            *opened_stores(opening.opened),
            ask_panel(ASK, opening.asked, models, examples),
            html.Section(
                id=Change.BAR, className="changes", **attributes(aria_label="Changes of the pass")
            ),
            html.Section(
                id=Open.BAR, className="changes", **attributes(aria_label="What is opened")
            ),
            html.Div(
                [
                    controls(opening),
                    picture(looks, opening.made.donor),
                    html.Aside(
                        nothing_drawn(),
                        id=Flow.INSPECTOR,
                        className="inspector",
                        **attributes(aria_label="Inspector"),
                    ),
                    check_panel(opening.check),
                ],
                className="stage",
            ),
        ],
        className="workbench",
    )


# ---- from the form to a job -------------------------------------------------------------------


connect_ask(
    Flow,
    ExplainRequest.from_mapping,
    request_from_form,
    target={
        "token": Input(Flow.TARGET, "value"),
        "contrast": Input(Flow.CONTRAST, "value"),
        "position": Input(Flow.POSITION, "data"),
    },
    settings={name: Input(*place) for name, place in SETTINGS.items()},
    made=Input(Change.MADE, "data"),
    opened=Input(Open.MADE, "data"),
    ends={"layers": State(Flow.LAYERS, "max"), "positions": State(Flow.POSITIONS, "max")},
)


@callback(
    output={
        "settings": {
            name: Output(*place, allow_duplicate=name in SPANS) for name, place in SETTINGS.items()
        },
        "rest": Output(Flow.REST, "checked"),
    },
    inputs=[
        Input(Flow.RESET, "n_clicks"),
        State(Flow.LAYERS, "max"),
        State(Flow.POSITIONS, "max"),
    ],
    prevent_initial_call=True,
)
def reset(_clicks: int, last_layer: int | None, last_position: int | None) -> dict[str, Any]:
    """All settings back to their defaults."""
    return {"settings": default_values(last_layer, last_position), "rest": True}


# ---- from a job to the picture ----------------------------------------------------------------


@callback(
    Output(Flow.GRAPH, "elements"),
    Output(Flow.DRAWN, "data"),
    Output(Flow.STATUS, "children"),
    Output(Flow.BANNER, "children"),
    Output(Flow.PART, "children"),
    Input(Flow.SHOWN, "data"),
    Input(Flow.REST, "checked"),
    prevent_initial_call=True,
)
def draw(shown: dict[str, str] | None, rest: bool) -> tuple[Any, ...]:
    """The graph's elements, and the lines that say how exact and complete they are."""
    if not shown:
        raise PreventUpdate
    request = ExplainRequest.from_mapping(shown)
    graph = current_session().graph(request)
    drawn = elements(graph, show_rest=bool(rest))
    about = drawing(request, graph, len(drawn))
    return drawn, about, status_line(graph), failure_banner(graph), part_note(request, graph)


@callback(
    Output(Flow.STRIP, "data"),
    Output(Flow.PREDICTIONS, "children"),
    Output(Flow.LOOK_FOR, "children"),
    Output(Flow.VALUE, "children"),
    Input(Flow.SHOWN, "data"),
    prevent_initial_call=True,
)
def answer(shown: dict[str, str] | None) -> tuple[Any, ...]:
    """The prompt's tokens, the model's predictions, what the example is about, the target."""
    if not shown:
        raise PreventUpdate
    request = ExplainRequest.from_mapping(shown)
    graph = current_session().graph(request)
    words = look_for(request, current_examples())
    strip = token_strip(request, graph)
    return strip, prediction_chips(graph.predictions, graph.target), words, value_words(graph)


# ---- a closer look ----------------------------------------------------------------------------


@callback(
    Output(Flow.INSPECTOR, "children"),
    Input(Flow.SELECTED, "data"),
    Input(Flow.SHOWN, "data"),
    Input(Shell.THEME, "data"),
    prevent_initial_call=True,
)
def inspect(selected: dict[str, Any] | None, shown: dict[str, str] | None, theme: str) -> Any:
    """The selected node's panel, or what is strongest where none is selected."""
    if not shown:
        raise PreventUpdate
    session, request = current_session(), ExplainRequest.from_mapping(shown)
    if not selected:
        return overview(session.graph(request))
    try:
        inspection = session.inspect(request, NodeKey.parse(str(selected.get("key"))))
    except NotKept:
        raise
    except FlowvizError as error:
        return refused(error)
    offered = session.dictionaries(request.model)
    graph, via = session.graph(request), selected.get("via")
    return inspector(inspection, request, graph, theme, via, offered)


@callback(
    Output(Flow.DOWNLOAD, "data"),
    *(Input(button, "n_clicks") for button in SAVES),
    State(Flow.SHOWN, "data"),
    prevent_initial_call=True,
)
def save(*clicks_and_shown: Any) -> dict[str, Any]:
    """The graph as a file."""
    *clicks, shown = clicks_and_shown
    if not shown or not any(clicks):
        raise PreventUpdate
    graph = current_session().graph(ExplainRequest.from_mapping(shown))
    return files.download(graph, Flow(ctx.triggered_id))


connect_job(Flow)
connect_question(Flow, shown_predictions, gpt=True)
connect_check()
connect_changes()
connect_opened()
answer_in_browser()
