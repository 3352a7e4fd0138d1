"""The analyses page: one question about a model, asked of many prompts at once.

The data's way through the page: the form → `ask` → ASKED and JOB → (polled while it runs) → SHOWN →
`show` and the others that read it. What must answer at once is in `assets/analyses*.js`.
"""

from __future__ import annotations

from typing import Any

import dash
from dash import ALL, Input, Output, State, callback, ctx, html
from dash.exceptions import PreventUpdate

from flowviz.analyses.request import Analysis, AnalysisRequest
from flowviz.ui.analyses import files
from flowviz.ui.analyses.asking import asked, kept
from flowviz.ui.analyses.browser import answer_in_browser
from flowviz.ui.analyses.ids import Analyses
from flowviz.ui.analyses.norms import chosen_norm
from flowviz.ui.analyses.opening import OWN, open_page
from flowviz.ui.analyses.panel import choice, form, question, results
from flowviz.ui.analyses.parts import nothing
from flowviz.ui.analyses.prompts import chosen_text, count_words, group_options, listed
from flowviz.ui.analyses.results import Look, found
from flowviz.ui.analyses.search import place_in, search_options
from flowviz.ui.analyses.stores import stores
from flowviz.ui.connected import connect_job
from flowviz.ui.ids import Shell
from flowviz.ui.models import model_options
from flowviz.ui.server import current_examples, current_session
from flowviz.ui.triggers import triggered_by

dash.register_page(__name__, path="/analyses", name="Analyses", title="Analyses · flowviz", order=3)

FORM = {
    "analysis": (Analyses.ANALYSIS, "value"),
    "model": (Analyses.MODEL, "value"),
    "source": (Analyses.SOURCE, "value"),
    "set": (Analyses.SET, "value"),
    "group": (Analyses.GROUP, "value"),
    "text": (Analyses.TEXT, "value"),
    "token": (Analyses.TOKEN, "value"),
    "k": (Analyses.K, "value"),
    "n": (Analyses.N, "value"),
    "threshold": (Analyses.THRESHOLD, "value"),
}
AS_IT_STANDS = {name: State(*place) for name, place in FORM.items()}


def layout(**query: object) -> html.Div:
    """The page as its link asks for it."""
    models = current_session().models(gpt=True)
    opening = open_page(query, [model.name for model in models], current_examples())
    look = f"is-{opening.request.analysis} asks-{opening.source}"
    return html.Div(
        [
            *stores(opening),
            choice(opening),
            html.Div([form(opening, models), results(opening)], className="stage"),
        ],
        id=Analyses.ROOT,
        className=f"workbench analyses {look}",
    )


# ---- the form ---------------------------------------------------------------------------------


@callback(
    Output(Analyses.QUESTION, "children"),
    Input(Analyses.ANALYSIS, "value"),
    prevent_initial_call=True,
)
def explain(analysis: object) -> Any:
    """What the chosen analysis answers."""
    return question(analysis)


@callback(
    Output(Analyses.COUNT, "children"),
    Output(Analyses.TEXT, "error"),
    Input(Analyses.TYPED, "data"),
)
def count(typed: object) -> tuple[str, bool]:
    """How many prompts there are, while they are typed, or which line is none."""
    return count_words(typed)


@callback(
    Output(Analyses.GROUP, "data"),
    Output(Analyses.GROUP, "value"),
    Input(Analyses.SET, "value"),
    prevent_initial_call=True,
)
def offer_groups(name: object) -> tuple[list[dict[str, str]], None]:
    """The groups of another set."""
    return group_options(name), None


@callback(
    Output(Analyses.LOOK, "children"),
    Input(Analyses.SET, "value"),
    Input(Analyses.GROUP, "value"),
    prevent_initial_call=True,
)
def look_at(name: object, group: object) -> Any:
    """The prompts that are chosen."""
    return listed(name, group)


@callback(
    Output(Analyses.TEXT, "value"),
    Output(Analyses.SOURCE, "value"),
    Input(Analyses.COPY_SET, "n_clicks"),
    State(Analyses.SET, "value"),
    State(Analyses.GROUP, "value"),
    prevent_initial_call=True,
)
def copy_set(clicks: int | None, name: object, group: object) -> tuple[str, str]:
    """A set's prompts as one's own, to be edited."""
    if not clicks:
        raise PreventUpdate
    return chosen_text(name, group), OWN


@callback(
    Output(Analyses.MODEL, "data"),
    Input(Analyses.PICKING, "data"),
    Input(Analyses.SHOWN, "data"),
)
def offer_models(_opened: int | None, _shown: Any) -> list[dict[str, str]]:
    """The models and where they stand, each time that the box is opened."""
    return model_options(current_session().models(gpt=True))


@callback(
    Output(Analyses.TOKEN, "data"),
    Input(Analyses.TOKEN, "searchValue"),
    Input(Analyses.TOKEN, "value"),
    State(Analyses.MODEL, "value"),
)
def find(text: str | None, value: str | None, model: str | None) -> list[dict[str, str]]:
    """Tokens of the vocabulary that match what was typed."""
    return search_options(current_session(), model or "", text or "", value)


# ---- from the form to a job -------------------------------------------------------------------


@callback(
    output={"job": Output(Analyses.JOB, "data"), "asked": Output(Analyses.ASKED, "data")},
    inputs={
        "triggers": {
            "run": Input(Analyses.RUN, "n_clicks"),
            "again": Input(Analyses.AGAIN, "data"),
            "token": Input(Analyses.TOKEN, "value"),
            "visitor": Input(Shell.VISITOR, "data"),
        },
        "start": State(Analyses.START, "data"),
        "last": State(Analyses.JOB, "data"),
        "form": AS_IT_STANDS,
    },
)
def ask(
    triggers: dict[str, Any], start: object, last: object, form: dict[str, Any]
) -> dict[str, Any]:
    """Submits what the form says, or a result's own request again."""
    opens = bool(start) and last is None
    job = asked(current_session(), ctx.triggered_id, triggers, form, opens)
    if job is None:
        raise PreventUpdate
    return {"asked": job.pop("request", None), "job": job}


# ---- from a job to the result -----------------------------------------------------------------


@callback(
    output=Output(Analyses.SHOWN, "data"),
    inputs={"_turned": Input(Analyses.ANALYSIS, "value"), "form": AS_IT_STANDS},
    prevent_initial_call=True,
)
def turn(_turned: object, form: dict[str, Any]) -> dict[str, str] | None:
    """Another analysis: its result where it is there already, else what to do to get it."""
    return kept(current_session(), form)


@callback(
    Output(Analyses.RESULT, "children"),
    Input(Analyses.SHOWN, "data"),
    Input(Shell.THEME, "data"),
    Input(Analyses.OPEN_IN, "value"),
    State(Analyses.NORM_CHOSEN, "data"),
    State(Analyses.ANALYSIS, "value"),
    prevent_initial_call=True,
)
def show(shown: Any, theme: str, open_in: object, norm: object, analysis: object) -> Any:
    """The charts and tables of a result."""
    if not shown:
        if not triggered_by(Analyses.SHOWN):
            raise PreventUpdate
        return nothing(analysis)
    request = AnalysisRequest.from_mapping(shown)
    elsewhere = triggered_by(Analyses.SHOWN) or triggered_by(Shell.THEME)
    if not elsewhere and request.analysis is not Analysis.SEARCH:
        raise PreventUpdate
    session = current_session()
    place = place_in(session, request.model, open_in)
    return found(request, session.answer(request), Look(theme, norm, place))


@callback(
    Output(Analyses.NORM_DETAIL, "children"),
    Input(Analyses.NORM, "value"),
    State(Analyses.SHOWN, "data"),
    State(Shell.THEME, "data"),
    prevent_initial_call=True,
)
def look_at_norm(norm: object, shown: Any, theme: str) -> Any:
    """One norm closely."""
    if not shown:
        raise PreventUpdate
    result = current_session().answer(AnalysisRequest.from_mapping(shown))
    return chosen_norm(result, norm, theme)


@callback(
    Output(Analyses.DOWNLOAD, "data"),
    Input(Analyses.SAVE_JSON, "n_clicks"),
    Input({"type": Analyses.SAVE_CSV, "index": ALL}, "n_clicks"),
    State(Analyses.SHOWN, "data"),
    prevent_initial_call=True,
)
def save(*clicks_and_shown: Any) -> dict[str, Any]:
    """The whole result as JSON, or one of its tables as CSV."""
    shown = clicks_and_shown[-1]
    if not shown or not ctx.triggered[0]["value"]:
        raise PreventUpdate
    request = AnalysisRequest.from_mapping(shown)
    return files.download(request, current_session().answer(request), ctx.triggered_id)


connect_job(Analyses)
answer_in_browser()
