"""The page that compares: two prompts, two checkpoints, or before and after an intervention.

The data's way is that of the flow page: the form → ASKED, target and settings → `ask` → JOB →
(polled while it runs) → SHOWN → `draw` and the others that read it.
"""

from __future__ import annotations

from typing import Any

import dash
from dash import Input, Output, State, callback, ctx, html
from dash.exceptions import PreventUpdate

from flowviz.compare.request import CompareRequest
from flowviz.errors import FlowvizError
from flowviz.graph.types import NodeKey
from flowviz.ui.compare import files
from flowviz.ui.compare.browser import answer_in_browser
from flowviz.ui.compare.controls import SETTINGS, controls
from flowviz.ui.compare.drawing import column_strip, drawing, shown_predictions
from flowviz.ui.compare.examples import example_forms, look_for
from flowviz.ui.compare.form import request_from_form
from flowviz.ui.compare.ids import Compare
from flowviz.ui.compare.inspector import inspector, nothing_drawn, overview, refused
from flowviz.ui.compare.opening import open_page
from flowviz.ui.compare.panel import compare_panel
from flowviz.ui.compare.picture import picture
from flowviz.ui.compare.stores import stores
from flowviz.ui.compare.tables import changed_most, changes_table
from flowviz.ui.compare.words import banner, note, same_words, status_line, value_line
from flowviz.ui.connected import connect_ask, connect_job, connect_question, connect_tokens
from flowviz.ui.count import count_words
from flowviz.ui.dom import attributes
from flowviz.ui.flow.styles import styles
from flowviz.ui.graph_controls import default_values
from flowviz.ui.links import flow_link
from flowviz.ui.models import model_options
from flowviz.ui.server import current_session
from flowviz.views.compare.elements import compared_elements

dash.register_page(__name__, path="/compare", name="Compare", title="Compare · flowviz", order=2.5)

SAVES = (
    Compare.SAVE_JSON,
    Compare.SAVE_CHANGES,
    Compare.SAVE_EDGES,
    Compare.SAVE_PREDICTIONS,
    Compare.SAVE_TABLE,
)


def layout(**query: object) -> html.Div:
    """The page as its link asks for it."""
    models = current_session().models(gpt=True)
    opening = open_page(query, [model.name for model in models])
    looks = styles()
    return html.Div(
        [
            *stores(opening, example_forms(models), looks),
            compare_panel(opening, models),
            html.Div(
                [
                    controls(opening),
                    picture(opening, looks),
                    html.Aside(
                        nothing_drawn(),
                        id=Compare.INSPECTOR,
                        className="inspector",
                        **attributes(aria_label="Inspector"),
                    ),
                    changed_most(opening.states),
                ],
                className="stage",
            ),
        ],
        className="workbench comparing",
    )


# ---- from the form to a job -------------------------------------------------------------------


connect_ask(
    Compare,
    CompareRequest.from_mapping,
    request_from_form,
    target={
        "token": Input(Compare.TARGET, "value"),
        "contrast": Input(Compare.CONTRAST, "value"),
        "own": Input(Compare.OWN, "checked"),
        "b_token": Input(Compare.SECOND_TARGET, "value"),
        "b_contrast": Input(Compare.SECOND_CONTRAST, "value"),
        "position": Input(Compare.POSITION, "data"),
    },
    settings={name: Input(*control) for name, control in SETTINGS.items()},
    kept=Input(Compare.KEPT, "data"),
)


@callback(
    output={
        "settings": {name: Output(*control) for name, control in SETTINGS.items()},
        "rest": Output(Compare.REST, "checked"),
        "kept": Output(Compare.KEPT, "data"),
        "words": Output(Compare.KEPT_WORDS, "children"),
    },
    inputs=[Input(Compare.RESET, "n_clicks")],
    prevent_initial_call=True,
)
def reset(_clicks: int) -> dict[str, Any]:
    """All settings back to their defaults."""
    return {"settings": default_values(), "rest": True, "kept": {}, "words": ""}


@callback(
    Output(Compare.SECOND_MODEL, "data"),
    Input(Compare.PICKING, "data"),
    Input(Compare.SHOWN, "data"),
)
def offer_second(_opened: object, _shown: object) -> list[dict[str, str]]:
    """The models and where they stand, each time that a box of models is opened."""
    return model_options(current_session().models(gpt=True))


@callback(
    Output(Compare.SECOND_COUNT, "children"),
    Output(Compare.SECOND, "error"),
    Input(Compare.SECOND_TYPED, "data"),
    Input(Compare.SHOWN, "data"),
)
def count_second(typed: object, _shown: object) -> tuple[str, bool]:
    """How long the second prompt is, while it is typed."""
    return count_words(current_session(), typed)


# ---- from a job to the picture ----------------------------------------------------------------


@callback(
    Output(Compare.GRAPH, "elements"),
    Output(Compare.DRAWN, "data"),
    Output(Compare.STATUS, "children"),
    Output(Compare.BANNER, "children"),
    Output(Compare.NOTE, "children"),
    Output(Compare.SAME, "children"),
    Input(Compare.SHOWN, "data"),
    Input(Compare.REST, "checked"),
    prevent_initial_call=True,
)
def draw(shown: dict[str, str] | None, rest: bool) -> tuple[Any, ...]:
    """The graph's elements, and the lines that say how exact and complete they are."""
    if not shown:
        raise PreventUpdate
    request = CompareRequest.from_mapping(shown)
    found = current_session().answer(request)
    drawn = compared_elements(found, show_rest=bool(rest))
    about = drawing(request, found, len(drawn))
    said = status_line(found), banner(found), note(found), same_words(found)
    return drawn, about, *said


@callback(
    Output(Compare.STRIP, "data"),
    Output(Compare.ALIGNMENT, "children"),
    Output(Compare.LOOK_FOR, "children"),
    Output(Compare.VALUE, "children"),
    Output(Compare.OPEN_FIRST, "href"),
    Output(Compare.OPEN_SECOND, "href"),
    Input(Compare.SHOWN, "data"),
    prevent_initial_call=True,
)
def answer(shown: dict[str, str] | None) -> tuple[Any, ...]:
    """Both prompts' tokens, what the example is about, the target, the way to each side."""
    if not shown:
        raise PreventUpdate
    request = CompareRequest.from_mapping(shown)
    found = current_session().answer(request)
    words = look_for(request), value_line(found)
    links = flow_link(request.first), flow_link(request.second)
    return column_strip(found), found.alignment, *words, *links


@callback(
    Output(Compare.TABLE, "children"),
    Input(Compare.SHOWN, "data"),
    Input(Compare.STATES, "checked"),
    prevent_initial_call=True,
)
def list_changes(shown: dict[str, str] | None, states: bool) -> Any:
    """What changed most."""
    if not shown:
        raise PreventUpdate
    found = current_session().answer(CompareRequest.from_mapping(shown))
    return changes_table(found, bool(states))


# ---- a closer look ----------------------------------------------------------------------------


@callback(
    Output(Compare.INSPECTOR, "children"),
    Input(Compare.SELECTED, "data"),
    Input(Compare.SHOWN, "data"),
    prevent_initial_call=True,
)
def inspect(selected: dict[str, Any] | None, shown: dict[str, str] | None) -> Any:
    """The selected node on both sides, or both sides' predictions where none is selected."""
    if not shown:
        raise PreventUpdate
    request = CompareRequest.from_mapping(shown)
    found = current_session().answer(request)
    if not selected:
        return overview(found)
    try:
        key = NodeKey.parse(str(selected.get("key")))
    except FlowvizError as error:
        return refused(error)
    return inspector(key, request, found, selected.get("via"))


@callback(
    Output(Compare.DOWNLOAD, "data"),
    *(Input(button, "n_clicks") for button in SAVES),
    State(Compare.SHOWN, "data"),
    prevent_initial_call=True,
)
def save(*clicks_and_shown: Any) -> dict[str, Any]:
    """The comparison as a file."""
    *clicks, shown = clicks_and_shown
    if not shown or not any(clicks):
        raise PreventUpdate
    found = current_session().answer(CompareRequest.from_mapping(shown))
    return files.download(found, Compare(ctx.triggered_id))


connect_job(Compare)
connect_question(Compare, shown_predictions, gpt=True)
connect_tokens(Compare, Compare.SECOND_TARGET, shown_predictions)
connect_tokens(Compare, Compare.SECOND_CONTRAST, shown_predictions)
answer_in_browser()
