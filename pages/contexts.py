"""Contexts: where else in a corpus the model was in a token's state, and what those places share.

The data's way is that of the other pages: the form → ASKED → `ask` → JOB → (polled while it runs)
→ SHOWN. ASKED holds the whole question as a link has it: every control, chip and bar changes that
one store (`assets/contexts-form.js`). What was found is sent packed and drawn by scripts
(`assets/contexts-*.js`); colours, offsets and which bars are open are choices of the browser alone.
"""

from __future__ import annotations

from typing import Any

import dash
from dash import Input, Output, State, callback, ctx, html
from dash.exceptions import PreventUpdate

from flowviz.contexts.request import ContextRequest
from flowviz.ui.connected import connect_job, connect_prompt, connect_question_of_links
from flowviz.ui.contexts.asking import kind_of, packed, shown_contexts
from flowviz.ui.contexts.browser import answer_in_browser
from flowviz.ui.contexts.controls import controls
from flowviz.ui.contexts.examples import look_for
from flowviz.ui.contexts.files import download
from flowviz.ui.contexts.fitting import fitted, strip
from flowviz.ui.contexts.ids import Contexts
from flowviz.ui.contexts.opening import open_page
from flowviz.ui.contexts.panel import contexts_panel
from flowviz.ui.contexts.picture import picture, summaries
from flowviz.ui.contexts.stores import stores
from flowviz.ui.server import current_session
from flowviz.views.contexts.packed import summaries_packed
from flowviz.views.contexts.words import question_words, status_words

dash.register_page(
    __name__, path="/contexts", name="Contexts", title="Contexts · flowviz", order=2.2
)


def layout(**query: object) -> html.Div:
    """The page as its link asks for it."""
    session = current_session()
    models, corpora = session.models(), session.corpora()
    names = [model.name for model in models]
    opening = open_page(query, names, [corpus.name for corpus in corpora])
    return html.Div(
        [
            *stores(opening, names),
            contexts_panel(opening, models),
            html.Div([controls(opening, corpora), picture(), summaries()], className="stage"),
        ],
        id=Contexts.ROOT,
        className="workbench contexts-page",
    )


@callback(
    output={
        "corpora": Output(Contexts.CORPUS, "data"),
        "kinds": Output(Contexts.KIND, "data"),
        "last": Output(Contexts.LAYER, "max"),
        "parts": Output(Contexts.PART, "data"),
        "fitted": Output(Contexts.FITTED, "data"),
    },
    inputs=[Input(Contexts.SHOWN, "data")],
    prevent_initial_call=True,
)
def fit(shown: object) -> dict[str, Any]:
    """What the controls offer, and what they are to show."""
    session = current_session()
    request, found = shown_contexts(shown)
    return fitted(request, found, session.corpora(), kind_of(session, request.model))


@callback(
    Output(Contexts.DATA, "data"),
    Input(Contexts.SHOWN, "data"),
    Input(Contexts.LIMIT, "data"),
    prevent_initial_call=True,
)
def send(shown: object, limit: object) -> dict[str, Any]:
    """The hits that are listed, as the browser draws them."""
    return packed(shown, limit)


@callback(
    Output(Contexts.SUMMARY, "data"), Input(Contexts.SHOWN, "data"), prevent_initial_call=True
)
def summarise(shown: object) -> dict[str, Any]:
    """What the hits have in common."""
    return summaries_packed(shown_contexts(shown)[1])


@callback(
    Output(Contexts.QUESTION, "children"),
    Output(Contexts.STATUS, "children"),
    Output(Contexts.STRIP, "data"),
    Output(Contexts.LOOK_FOR, "children"),
    Input(Contexts.SHOWN, "data"),
    prevent_initial_call=True,
)
def tell(shown: object) -> tuple[Any, ...]:
    """What was asked and how much was compared; the prompt's tokens."""
    request, found = shown_contexts(shown)
    chips = strip(found, kind_of(current_session(), request.model))
    return question_words(found), status_words(found), chips, look_for(request.to_mapping())


@callback(
    Output(Contexts.DOWNLOAD, "data"),
    Input(Contexts.SAVE_HITS, "n_clicks"),
    Input(Contexts.SAVE_SUMMARY, "n_clicks"),
    Input(Contexts.SAVE_JSON, "n_clicks"),
    State(Contexts.SHOWN, "data"),
    prevent_initial_call=True,
)
def save(*clicks_and_shown: Any) -> dict[str, Any]:
    """The hits, their summaries, or all of it, as a file."""
    if not any(clicks_and_shown[:-1]):
        raise PreventUpdate
    return download(shown_contexts(clicks_and_shown[-1])[1], ctx.triggered_id)


connect_question_of_links(Contexts, ContextRequest.from_mapping)
connect_job(Contexts)
connect_prompt(Contexts)
answer_in_browser()
