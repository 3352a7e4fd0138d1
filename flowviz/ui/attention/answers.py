"""The maps that are on the page, and what is said of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash import html
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from flowviz.attention.request import AttentionRequest
from flowviz.attention.types import AttentionMaps
from flowviz.checked import whole
from flowviz.graph.types import Prediction
from flowviz.session import Session
from flowviz.ui.attention.fitting import can_mask
from flowviz.ui.server import current_session
from flowviz.views.attention.look import MOST
from flowviz.views.attention.words import has_flow, readings_words, status_words
from flowviz.views.tokens import visible
from flowviz.views.words import plain

READ_TIP = "Click to see what heads read here"
MASK_TIP = "Click to see what heads read here; double-click, or m, to mask it or to show it again"
TOKEN_TIP = "Click to see what heads read here; with Shift, to explain what the model says after it"


def shown_maps(shown: object) -> tuple[AttentionRequest, AttentionMaps]:
    """The request that is drawn and its maps; nothing happens where nothing is drawn."""
    if not isinstance(shown, Mapping) or not shown:
        raise PreventUpdate
    request = AttentionRequest.from_mapping(shown)
    return request, current_session().answer(request)


def shown_predictions(session: Session, shown: Mapping[str, str] | None) -> tuple[Prediction, ...]:
    """The predictions of what is drawn; none where nothing is."""
    if not shown:
        return ()
    return session.answer(AttentionRequest.from_mapping(shown)).predictions


def whole_or_none(name: str, value: object) -> int | None:
    """A layer or a position from a control. Raises RequestError for anything else."""
    return whole(name, value, 0, MOST)


def told(maps: AttentionMaps) -> tuple[str, str, dict[str, Any]]:
    """How much there is, what is predicted at each token, the prompt's tokens."""
    return status_words(maps), readings_words(maps) if maps.readings else "", _strip(maps)


def value(maps: AttentionMaps) -> Component | str:
    """The number that the flow explains."""
    target = maps.target
    if target is None or maps.model is None:
        return ""
    what = "logit" if target.contrast is None else "logit difference"
    capped = " before the cap" if maps.model.logit_cap else ""
    return html.Span([f"{what} ", html.B(plain(target.value)), capped])


def _strip(maps: AttentionMaps) -> dict[str, Any]:
    """What a script makes the prompt's chips of."""
    target = maps.target.position if maps.target else None
    return {
        "tokens": [visible(token.text) for token in maps.tokens],
        "ids": [token.id for token in maps.tokens],
        "target": target,
        "explained": target,
        "masked": list(maps.queries.masked),
        "second": maps.queries.second,
        "drawn": [],
        "span": None,
        "tip": TOKEN_TIP if has_flow(maps) else MASK_TIP if can_mask(maps) else READ_TIP,
    }
