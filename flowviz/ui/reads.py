"""A vector read as tokens: what it promotes and what it suppresses, with bars."""

from __future__ import annotations

from dash import html

from flowviz.graph.types import Projection, TokenScore
from flowviz.ui.dom import attributes
from flowviz.ui.tokens import token_value
from flowviz.views.words import percent, visible

ROWS = 8


def reads(
    title: str, projection: Projection | None, sides: tuple[str, str] = ("promotes", "suppresses")
) -> html.Section | None:
    """Both lists side by side; the bars of a list share its scale of logits."""
    if projection is None:
        return None
    return html.Section(
        [
            html.H3(title),
            html.Div(
                [
                    _side(sides[0], "top", projection.top[:ROWS]),
                    _side(sides[1], "bottom", projection.bottom[:ROWS]),
                ],
                className="reads",
            ),
        ]
    )


def _side(name: str, look: str, tokens: tuple[TokenScore, ...]) -> html.Div:
    most = max((abs(token.logit) for token in tokens), default=0.0) or 1.0
    items = [html.Li(_token(token, abs(token.logit) / most)) for token in tokens]
    return html.Div([html.H4(name), html.Ol(items)], className=look)


def _token(token: TokenScore, length: float) -> html.Button:
    words = visible(token.text)
    chance = percent(token.probability)
    return html.Button(
        [
            html.I(style={"width": f"{100 * length:.0f}%"}),
            html.Span(words),
            html.Small(f"{token.logit:.1f}".replace("-", "−")),
        ],
        type="button",
        title=f"{words}: logit {token.logit:.2f}, probability {chance}\nClick to explain it",
        **attributes(data_token=token_value(token.text, token.id)),
    )
