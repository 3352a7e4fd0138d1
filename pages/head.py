"""One head from the inside: what it compares, how that changes with distance, why it looks there.

The data's way is that of the other pages: the form → `ask` → JOB → (polled while it runs) → SHOWN.
SHOWN is what a link would say; each view is one question to the session (`ui/head/question.py`).
Which dimensions come first and what is marked are choices of the browser alone
(`assets/head*.js`).
"""

from __future__ import annotations

from typing import Any

import dash
from dash import Input, Output, State, callback, ctx, html
from dash.exceptions import PreventUpdate

from flowviz.ui.connected import connect_job, connect_prompt
from flowviz.ui.head.answers import figures, packed, shown_answer, sizes, strip
from flowviz.ui.head.asking import again, asked, has_parts
from flowviz.ui.head.browser import answer_in_browser
from flowviz.ui.head.controls import controls
from flowviz.ui.head.examples import example_links, look_for
from flowviz.ui.head.files import download, titles
from flowviz.ui.head.ids import Head
from flowviz.ui.head.opening import open_page
from flowviz.ui.head.panel import head_panel
from flowviz.ui.head.picture import inspector, picture
from flowviz.ui.head.stores import stores
from flowviz.ui.ids import Shell
from flowviz.ui.server import current_session
from flowviz.ui.triggers import triggered_by
from flowviz.views.head.words import status_words

dash.register_page(__name__, path="/head", name="One head", title="One head · flowviz", order=2)

FORM = {
    "asked": Input(Head.ASKED, "data"),
    "passed": Input(Head.PASSED, "data"),
    "view": Input(Head.VIEW, "value"),
    "part": Input(Head.PART, "value"),
    "layer": Input(Head.LAYER, "value"),
    "head": Input(Head.HEAD, "data"),
    "query": Input(Head.POSITION, "data"),
    "key": Input(Head.EXPLAINED, "data"),
    "rank": Input(Head.RANK, "value"),
    "over": Input(Head.OVER, "value"),
    "group": Input(Head.GROUP, "value"),
}


def layout(**query: object) -> html.Div:
    """The page as its link asks for it."""
    models = current_session().models()
    opening = open_page(query, [model.name for model in models])
    return html.Div(
        [
            *stores(opening, example_links(models)),
            head_panel(opening, models),
            html.Div([controls(opening), picture(), inspector()], className="stage"),
        ],
        id=Head.ROOT,
        className=f"workbench head-page is-{opening.look.view} over-{opening.over}",
    )


# ---- from the form to a job -------------------------------------------------------------------


@callback(
    output=Output(Head.JOB, "data"),
    inputs={
        "form": FORM,
        "repeat": Input(Head.AGAIN, "data"),
        "visitor": Input(Shell.VISITOR, "data"),
        "last": State(Head.JOB, "data"),
    },
)
def ask(
    form: dict[str, Any],
    repeat: dict[str, Any] | None,
    visitor: str | None,
    last: dict[str, Any] | None,
) -> dict[str, Any]:
    """Submits what the form says, unless it is what was submitted last; or an answer again."""
    session, job = current_session(), None
    if visitor and repeat and triggered_by(Head.AGAIN):
        job = again(repeat, visitor, session)
    elif visitor:
        changed = {each["prop_id"] for each in ctx.triggered}
        unless = None if f"{Head.ASKED}.data" in changed else last
        job = asked(form, visitor, session, unless, f"{Head.POSITION}.data" in changed)
    if job is None:
        raise PreventUpdate
    return job


# ---- from a job to the picture ----------------------------------------------------------------


@callback(
    Output(Head.DATA, "data"),
    Output(Head.WINDOW, "hidden"),
    Output(Head.WINDOW_WORDS, "children"),
    Input(Head.SHOWN, "data"),
    Input(Head.ORDER, "value"),
    Input(Head.START, "data"),
    prevent_initial_call=True,
)
def send(shown: object, order: object, start: object) -> tuple[Any, ...]:
    """The numbers of the picture; of many sources a window."""
    data, words = packed(shown, order, start)
    return data, not words, words


@callback(
    Output(Head.DETAIL, "children"),
    Input(Head.SHOWN, "data"),
    Input(Head.EXPLAINED, "data"),
    prevent_initial_call=True,
)
def look(shown: object, key: object) -> Any:
    """The figures beside the picture."""
    return figures(shown, key)


@callback(
    Output(Head.STATUS, "children"),
    Output(Head.BANNER, "children"),
    Output(Head.LOOK_FOR, "children"),
    Output(Head.STRIP, "data"),
    Output(Head.SIZES, "data"),
    Output(Head.PARTS, "hidden"),
    Output(Head.SAVE_FIRST, "children"),
    Output(Head.SAVE_SECOND, "children"),
    Input(Head.SHOWN, "data"),
    prevent_initial_call=True,
)
def tell(shown: object) -> tuple[Any, ...]:
    """What is said of the answer; the tokens, and which heads there are to choose from."""
    question, answer = shown_answer(shown)
    said, parts = status_words(answer), has_parts(current_session(), question.flat["model"])
    inexact = not getattr(answer, "exact", True)
    first, second = ([name, html.Small("CSV")] for name in titles(question, answer))
    kept = [made or dash.no_update for made in (strip(answer), sizes(answer))]
    banner = [said] if inexact else []
    return said, banner, look_for(question.flat), *kept, not parts, first, second


@callback(
    Output(Head.DOWNLOAD, "data"),
    Input(Head.SAVE_JSON, "n_clicks"),
    Input(Head.SAVE_HTML, "n_clicks"),
    Input(Head.SAVE_FIRST, "n_clicks"),
    Input(Head.SAVE_SECOND, "n_clicks"),
    State(Head.SHOWN, "data"),
    prevent_initial_call=True,
)
def save(*clicks_and_shown: Any) -> dict[str, Any]:
    """The answer, or a table of it, as a file."""
    if not any(clicks_and_shown[:-1]):
        raise PreventUpdate
    return download(*shown_answer(clicks_and_shown[-1]), ctx.triggered_id)


connect_job(Head)
connect_prompt(Head)
answer_in_browser()
