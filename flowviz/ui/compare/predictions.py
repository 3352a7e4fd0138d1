"""What the model says next on either side: a row a token, both probabilities and the change."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from flowviz.compare.types import Comparison, PredictionPair
from flowviz.graph.types import Prediction
from flowviz.ui.dom import attributes
from flowviz.ui.tokens import token_value
from flowviz.views.compare.words import change_words
from flowviz.views.tokens import clip
from flowviz.views.words import percent, visible

MOST_COLUMNS = 18


def side_by_side(comparison: Comparison) -> html.Section:
    """The table of predictions, the likeliest on any side first."""
    heads = [html.Th(word, scope="col") for word in ("Token", "First", "Second")]
    change = html.Th("Change", scope="col", title="in percentage points, second minus first")
    chosen = {comparison.first.target.token.id, comparison.second.target.token.id}
    rows = [_row(pair, pair.id in chosen) for pair in comparison.predictions]
    return html.Section(
        [
            html.H3("What the model says next"),
            html.Table(
                [html.Thead(html.Tr([*heads, change])), html.Tbody(rows)], className="side-by-side"
            ),
        ]
    )


def _row(pair: PredictionPair, chosen: bool) -> html.Tr:
    change = change_words(pair.difference)
    look = None if change == "0" else "for" if pair.difference > 0 else "against"
    return html.Tr(
        [
            html.Th(_token(pair, chosen), scope="row"),
            html.Td(_bar(pair.first)),
            html.Td(_bar(pair.second)),
            html.Td(change, className=look),
        ],
        className="chosen" if chosen else None,
    )


def _token(pair: PredictionPair, chosen: bool) -> html.Button:
    words = visible(pair.token)
    return html.Button(
        clip(words, MOST_COLUMNS),
        type="button",
        title=f"{words}\nClick to explain it; with Shift, to set it against",
        **attributes(data_token=token_value(pair.token, pair.id), aria_pressed=chosen),
    )


def _bar(prediction: Prediction) -> Component:
    chance = percent(prediction.probability)
    return html.Span(
        [html.I(style={"width": f"{100 * prediction.probability:.1f}%"}), html.Small(chance)],
        title=f"probability {chance}, logit {prediction.logit:.2f}",
    )
