"""The top predictions, as chips that can be clicked."""

from __future__ import annotations

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from flowviz.graph.types import Prediction, Target
from flowviz.ui.dom import attributes
from flowviz.ui.tokens import token_value
from flowviz.views.changes import was_words
from flowviz.views.words import percent, visible

MAX_CHIP = 24


def prediction_chips(predictions: Sequence[Prediction], target: Target) -> list[Component]:
    """One chip a prediction, the likeliest first, with buttons to explain it or set it against."""
    chips = [_prediction(each, target) for each in predictions]
    return [html.Span("Predictions", className="strip-name"), *chips]


def _prediction(prediction: Prediction, target: Target) -> html.Span:
    words = visible(prediction.token)
    chosen = prediction.id == target.token.id
    against = target.contrast is not None and prediction.id == target.contrast.id
    main = html.Button(
        [
            html.Span(_cut(words)),
            html.Small([percent(prediction.probability), *_was(prediction)]),
            html.I(style={"width": f"{100 * prediction.probability:.1f}%"}, className="bar"),
            *_mark(prediction),
        ],
        className="chip",
        type="button",
        title=f"{words}\nprobability {percent(prediction.probability)}{_tip(prediction)}, "
        f"logit {prediction.logit:.2f}\nClick to explain it; with Shift, to set it against",
        **attributes(data_token=token_value(prediction.token, prediction.id), aria_pressed=chosen),
    )
    other = html.Button(
        "vs",
        className="against",
        type="button",
        title=f"Set {words} against the target",
        **attributes(
            data_contrast=token_value(prediction.token, prediction.id),
            aria_pressed=against,
            aria_label=f"Set {words} against the target",
        ),
    )
    look = " chosen" if chosen else " set-against" if against else ""
    return html.Span([main, other], className=f"prediction{look}")


def _was(prediction: Prediction) -> list[Component]:
    """The probability without the interventions, where there are some and it was another."""
    words = was_words(prediction.before, percent, prediction.probability)
    return [html.Span(words, className="was")] if words else []


def _mark(prediction: Prediction) -> list[Component]:
    """Where the bar ended before."""
    if prediction.before is None:
        return []
    return [html.I(style={"left": f"{100 * prediction.before:.1f}%"}, className="was-mark")]


def _tip(prediction: Prediction) -> str:
    return "" if prediction.before is None else f", before the change {percent(prediction.before)}"


def _cut(text: str) -> str:
    return text if len(text) <= MAX_CHIP else text[: MAX_CHIP - 1] + "…"
