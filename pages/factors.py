"""Factors: hidden states as sparse sums of learned directions; what each factor is, and a prompt's.

The data's way is that of the other pages: the form → ASKED → `ask` → JOB → (polled while it runs)
→ SHOWN. ASKED holds all that the page shows as a link has it: every box, row and cell changes that
one store (`assets/factors-form.js`). What was found is sent packed, and drawn by scripts
(`assets/factors-*.js`); which contexts and which layer are seen are choices of the browser alone.
"""

from __future__ import annotations

from typing import Any

import dash
from dash import Input, Output, State, callback, ctx, html
from dash.exceptions import PreventUpdate

from flowviz.factors.request import FactorsRequest
from flowviz.ui.connected import connect_job, connect_prompt, connect_question_of_links
from flowviz.ui.factors.asking import fitted, shown_factors
from flowviz.ui.factors.browser import answer_in_browser
from flowviz.ui.factors.examples import look_for
from flowviz.ui.factors.files import download
from flowviz.ui.factors.ids import Factors
from flowviz.ui.factors.listing import listing
from flowviz.ui.factors.opening import open_page
from flowviz.ui.factors.panel import card_figures, factors_panel
from flowviz.ui.factors.picture import charts, picture
from flowviz.ui.factors.sent import sent
from flowviz.ui.factors.stores import stores
from flowviz.ui.server import current_session
from flowviz.views.factors.words import status_words

dash.register_page(__name__, path="/factors", name="Factors", title="Factors · flowviz", order=2.4)


def layout(**query: object) -> html.Div:
    """The page as its link asks for it."""
    session = current_session()
    models, corpora = session.models(), session.corpora()
    names = [model.name for model in models]
    opening = open_page(query, names, [corpus.name for corpus in corpora])
    return html.Div(
        [
            *stores(opening, names),
            factors_panel(opening, models, corpora),
            html.Div([listing(opening), picture(), charts()], className="stage"),
        ],
        id=Factors.ROOT,
        className="workbench factors-page",
    )


@callback(
    output={
        "dictionaries": Output(Factors.DICTIONARY, "data"),
        "sites": Output(Factors.SITE, "data"),
        "fitted": Output(Factors.FITTED, "data"),
    },
    inputs=[Input(Factors.SHOWN, "data")],
    prevent_initial_call=True,
)
def fit(shown: object) -> dict[str, Any]:
    """What the controls offer, and what they are to show."""
    return fitted(shown_factors(shown))


@callback(
    output={
        "listed": Output(Factors.LISTED, "data"),
        "told": Output(Factors.TOLD, "data"),
        "prompt": Output(Factors.OF_PROMPT, "data"),
        "split": Output(Factors.SPLIT, "data"),
    },
    inputs=[Input(Factors.SHOWN, "data")],
    prevent_initial_call=True,
)
def send(shown: object) -> dict[str, Any]:
    """The list, the factor, the prompt's factors, as the browser draws them."""
    return sent(shown_factors(shown))


@callback(
    Output(Factors.CARD, "children"),
    Output(Factors.LOOK_FOR, "children"),
    Output(Factors.STATUS, "children"),
    Input(Factors.SHOWN, "data"),
    prevent_initial_call=True,
)
def tell(shown: object) -> tuple[Any, ...]:
    """The dictionary's card, and how much was looked at."""
    found = shown_factors(shown)
    return card_figures(found), look_for(found.request.to_mapping()), status_words(found)


@callback(
    Output(Factors.DOWNLOAD, "data"),
    Input(Factors.SAVE_LIST, "n_clicks"),
    Input(Factors.SAVE_FACTOR, "n_clicks"),
    Input(Factors.SAVE_PROMPT, "n_clicks"),
    Input(Factors.SAVE_JSON, "n_clicks"),
    State(Factors.SHOWN, "data"),
    prevent_initial_call=True,
)
def save(*clicks_and_shown: Any) -> dict[str, Any]:
    """The list, the factor, the prompt's factors, or all of it, as a file."""
    if not any(clicks_and_shown[:-1]):
        raise PreventUpdate
    return download(shown_factors(clicks_and_shown[-1]), ctx.triggered_id)


connect_question_of_links(Factors, FactorsRequest.from_mapping)
connect_job(Factors)
connect_prompt(Factors)
answer_in_browser()
