"""The middle of the page: the filters, the contexts that were found; on the right their bars."""

from __future__ import annotations

import json

from dash import html

from flowviz.ui.canvas import JobIds, Save, empty, progress, save_menu, tool
from flowviz.ui.contexts.ids import Contexts
from flowviz.ui.dom import attributes
from flowviz.views.contexts.words import FEATURE_WORDS, ROLE_WORDS

NAME = (
    "Contexts that were found, the most similar first. Up and down go from one to the next, left "
    "and right from token to token, Enter opens what can be done with one."
)
EMPTY_WORDS = (
    "Type a prompt and press Enter, or pick one of the examples; then click the token whose "
    "contexts are looked for."
)
JOB = JobIds(
    progress=Contexts.PROGRESS,
    stage=Contexts.STAGE,
    bar=Contexts.BAR,
    cancel=Contexts.CANCEL,
    poll=Contexts.POLL,
)
SAVES = (
    Save(Contexts.SAVE_HITS, "Hits", "CSV"),
    Save(Contexts.SAVE_SUMMARY, "Summaries", "CSV"),
    Save(Contexts.SAVE_JSON, "Everything", "JSON"),
)


def picture() -> html.Section:
    """The middle of the page."""
    return html.Section(
        [
            html.Div(
                [
                    _tools(),
                    html.Div(id=Contexts.FILTERS, className="filter-chips", role="group",
                             **attributes(aria_label="Filters", data_words=_words())),
                    html.Div(id=Contexts.RESULTS, className="hits", tabIndex=0, role="group",
                             **attributes(aria_label=NAME)),
                    progress(JOB),
                    empty("Find where else the model was in this state", EMPTY_WORDS),
                ],
                className="canvas",
            ),
            html.Div(id=Contexts.SPOKEN, className="unseen", role="status"),
            html.P(id=Contexts.STATUS, className="status", role="status"),
        ],
        className="picture found-contexts",
    )  # fmt: skip


def _words() -> str:
    """What a script calls roles and features."""
    roles = {str(role): words for role, words in ROLE_WORDS.items()}
    features = {str(feature): words for feature, words in FEATURE_WORDS.items()}
    return json.dumps({"roles": roles, "features": features})


def _tools() -> html.Div:
    return html.Div(
        [
            html.Div(id=Contexts.LEGEND, className="class-legend"),
            html.Span(className="grow"),
            tool(Contexts.LINK, "link", "Copy a link to this page"),
            save_menu(SAVES),
        ],
        className="canvas-tools",
    )


def summaries() -> html.Aside:
    """The panel on the right, before anything is found."""
    words = (
        "What the contexts have in common is counted here, against how often it would be anyway."
    )
    return html.Aside(
        [html.H2("In common"), html.P(words, className="dim"), html.Div(id=Contexts.CHARTS)],
        className="inspector",
        **attributes(aria_label="What the contexts have in common"),
    )
