"""Where the question is put: model, prompt, examples, run; then dictionary, corpus and card."""

from __future__ import annotations

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from flowviz.factors.look.types import FactorsFound
from flowviz.factors.types import About
from flowviz.session import CorpusChoice, ModelChoice
from flowviz.ui.ask_panel import model_box, prompt_box, run_button
from flowviz.ui.contexts.controls import corpus_options, select
from flowviz.ui.dom import attributes
from flowviz.ui.factors.examples import example_menu
from flowviz.ui.factors.ids import Factors
from flowviz.ui.factors.opening import Opening
from flowviz.ui.panel import figures
from flowviz.views.factors.words import about_line, card

PLACEHOLDER = "Type a prompt to see its factors; leave it empty to look through the dictionary"


def factors_panel(
    opening: Opening, models: Sequence[ModelChoice], corpora: Sequence[CorpusChoice]
) -> html.Section:
    """The whole panel above the stage."""
    asked = opening.request
    row = [
        model_box(Factors.MODEL, asked.model, models),
        prompt_box(Factors.PROMPT, Factors.COUNT, asked.prompt, PLACEHOLDER),
        example_menu([model.name for model in models]),
        run_button(Factors.RUN),
    ]
    return html.Section(
        [
            html.Div(row, className="ask-row"),
            html.Div(
                [
                    _named("Dictionary", _dictionary(asked.dictionary)),
                    _named("over", _corpus(asked.corpus, corpora)),
                    html.Div(id=Factors.CARD, className="card-figures"),
                ],
                className="dictionary-row",
            ),
            html.Div(id=Factors.LOOK_FOR, className="look-for"),
        ],
        className="ask",
        **attributes(aria_label="Question"),
    )


def _named(name: str, box: Component) -> html.Div:
    return html.Div([html.Span(name, className="dim"), box], className="named-box")


def _dictionary(name: str) -> Component:
    options = [{"value": name, "label": name}]
    return select(Factors.DICTIONARY, "Dictionary", name, options, className="dictionary-box")


def _corpus(name: str, corpora: Sequence[CorpusChoice]) -> Component:
    return select(Factors.CORPUS, "Corpus of the survey", name, corpus_options(corpora))


def dictionary_options(offered: Sequence[About]) -> list[dict[str, str]]:
    """The dictionaries to choose from."""
    return [{"value": each.name, "label": about_line(each)} for each in offered]


def card_figures(found: FactorsFound) -> list[Component]:
    """The dictionary's card, each figure with what it means."""
    listed = found.listed
    if listed is None:
        return []
    made: list[Component] = [figures(card(listed.about, listed.survey.tokens, listed.dead))]
    notes = [html.P(note, className="dim") for note in listed.about.notes]
    return [*made, html.Details([html.Summary("Notes"), *notes])] if notes else made
