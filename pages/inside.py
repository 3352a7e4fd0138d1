"""The page of an opened block: every part of it, at one position, as a flow of its own.

The data's way is that of the flow page: the form → ASKED, BLOCKS, POSITION and settings → `ask` →
JOB → (polled while it runs) → SHOWN → `draw` and the others that read it. Colour and width are
choices of the picture alone and start no run.
"""

from __future__ import annotations

from typing import Any

import dash
from dash import Input, Output, State, callback, ctx, html
from dash.exceptions import PreventUpdate

from flowviz.errors import FlowvizError
from flowviz.inside.request import InsideRequest
from flowviz.inside.types import PartKey
from flowviz.ui.ask_panel import ask_panel
from flowviz.ui.connected import connect_ask, connect_job, connect_question
from flowviz.ui.dom import attributes
from flowviz.ui.examples import example_requests, look_for
from flowviz.ui.flow.words import value_words
from flowviz.ui.ids import Shell
from flowviz.ui.inside import files
from flowviz.ui.inside.ask import ASK
from flowviz.ui.inside.browser import answer_in_browser
from flowviz.ui.inside.controls import SETTINGS, controls, default_values
from flowviz.ui.inside.drawing import drawing, shown_predictions, token_strip
from flowviz.ui.inside.form import request_from_form
from flowviz.ui.inside.ids import Inside
from flowviz.ui.inside.inspector import inspector, not_drawn, nothing_drawn, overview, refused
from flowviz.ui.inside.opening import open_page
from flowviz.ui.inside.picture import legend_keys, picture
from flowviz.ui.inside.stores import stores
from flowviz.ui.inside.words import banner, rotary_words, status_line, where_words
from flowviz.ui.links import flow_link
from flowviz.ui.predictions import prediction_chips
from flowviz.ui.server import current_examples, current_session
from flowviz.views.inside.elements import elements
from flowviz.views.inside.legend import legend
from flowviz.views.inside.looks import Look
from flowviz.views.inside.stylesheet import styles

dash.register_page(__name__, path="/inside", name="Block", title="A block · flowviz", order=1)

SAVES = (Inside.SAVE_JSON, Inside.SAVE_NODES, Inside.SAVE_EDGES)


def layout(**query: object) -> html.Div:
    """The page as its link asks for it."""
    session, examples = current_session(), current_examples()
    models = session.models(gpt=True)
    opening = open_page(query, examples, [model.name for model in models])
    looks = styles()
    return html.Div(
        [
            *stores(opening, example_requests(examples, models), looks),
            ask_panel(ASK, opening.asked, models, examples),
            html.Div(
                [
                    controls(opening),
                    picture(opening, looks),
                    html.Aside(
                        nothing_drawn(),
                        id=Inside.INSPECTOR,
                        className="inspector",
                        **attributes(aria_label="Inspector"),
                    ),
                ],
                className="stage",
            ),
        ],
        className="workbench",
    )


# ---- from the form to a job -------------------------------------------------------------------


connect_ask(
    Inside,
    InsideRequest.from_mapping,
    request_from_form,
    target={
        "token": Input(Inside.TARGET, "value"),
        "contrast": Input(Inside.CONTRAST, "value"),
        "position": Input(Inside.EXPLAINED, "data"),
    },
    place={"layers": Input(Inside.BLOCKS, "data"), "at": Input(Inside.POSITION, "data")},
    settings={name: Input(*control) for name, control in SETTINGS.items()},
)


@callback(
    output={name: Output(*control) for name, control in SETTINGS.items()},
    inputs=[Input(Inside.RESET, "n_clicks")],
    prevent_initial_call=True,
)
def reset(_clicks: int) -> dict[str, object]:
    """All settings back to their defaults."""
    return default_values()


# ---- from a job to the picture ----------------------------------------------------------------


@callback(
    Output(Inside.GRAPH, "elements"),
    Output(Inside.DRAWN, "data"),
    Output(Inside.KEYS, "children"),
    Input(Inside.SHOWN, "data"),
    Input(Inside.COLOUR, "value"),
    Input(Inside.WIDTH, "value"),
    prevent_initial_call=True,
)
def draw(shown: dict[str, str] | None, colour: str, width: str) -> tuple[Any, ...]:
    """The picture's elements in the chosen colours and widths, and the legend for them."""
    if not shown:
        raise PreventUpdate
    request = InsideRequest.from_mapping(shown)
    graph = current_session().answer(request)
    look = Look.from_mapping({"colour": colour, "width": width})
    drawn = elements(graph, look)
    return drawn, drawing(request, graph, look, len(drawn)), legend_keys(legend(graph, look))


@callback(
    Output(Inside.STATUS, "children"),
    Output(Inside.BANNER, "children"),
    Output(Inside.WHERE, "children"),
    Output(Inside.ROTARY_WORDS, "children"),
    Output(Inside.ROTARY, "disabled"),
    Output(Inside.BACK, "href"),
    Input(Inside.SHOWN, "data"),
    prevent_initial_call=True,
)
def tell(shown: dict[str, str] | None) -> tuple[Any, ...]:
    """What is said of the picture: how exact and complete it is, where it is, the way back."""
    if not shown:
        raise PreventUpdate
    request = InsideRequest.from_mapping(shown)
    graph = current_session().answer(request)
    said = status_line(graph), banner(graph), where_words(graph), rotary_words(graph)
    return *said, graph.rotated is None, flow_link(request.explained())


@callback(
    Output(Inside.STRIP, "data"),
    Output(Inside.PREDICTIONS, "children"),
    Output(Inside.LOOK_FOR, "children"),
    Output(Inside.VALUE, "children"),
    Input(Inside.SHOWN, "data"),
    prevent_initial_call=True,
)
def answer(shown: dict[str, str] | None) -> tuple[Any, ...]:
    """The prompt's tokens, the model's predictions, what the example is about, the target."""
    if not shown:
        raise PreventUpdate
    request = InsideRequest.from_mapping(shown)
    graph = current_session().answer(request)
    words = look_for(request.explained(), current_examples())
    chips = prediction_chips(graph.predictions, graph.target)
    return token_strip(graph), chips, words, value_words(graph)


# ---- a closer look ----------------------------------------------------------------------------


@callback(
    Output(Inside.INSPECTOR, "children"),
    Input(Inside.SELECTED, "data"),
    Input(Inside.SHOWN, "data"),
    Input(Shell.THEME, "data"),
    prevent_initial_call=True,
)
def inspect(selected: dict[str, Any] | None, shown: dict[str, str] | None, theme: str) -> Any:
    """The selected part's panel, or what is strongest where none is selected."""
    if not shown:
        raise PreventUpdate
    request = InsideRequest.from_mapping(shown)
    graph = current_session().answer(request)
    if not selected:
        return overview(graph)
    try:
        key = PartKey.parse(str(selected.get("key")))
    except FlowvizError as error:
        return refused(error)
    node = graph.node(key)
    if node is None:
        return not_drawn(key, graph)
    return inspector(node, request, graph, theme, selected.get("via"))


@callback(
    Output(Inside.DOWNLOAD, "data"),
    *(Input(button, "n_clicks") for button in SAVES),
    State(Inside.SHOWN, "data"),
    prevent_initial_call=True,
)
def save(*clicks_and_shown: Any) -> dict[str, Any]:
    """The block as a file."""
    *clicks, shown = clicks_and_shown
    if not shown or not any(clicks):
        raise PreventUpdate
    graph = current_session().answer(InsideRequest.from_mapping(shown))
    return files.download(graph, Inside(ctx.triggered_id))


connect_job(Inside)
connect_question(Inside, shown_predictions, gpt=True)
answer_in_browser()
