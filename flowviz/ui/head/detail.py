"""The figures beside the picture: dimensions, slopes, what wrote query and key."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from dash import dcc, html
from dash.development.base_component import Component

from flowviz.attention.neuron_types import Decay, NeuronView
from flowviz.attention.why_request import NeuronRequest, WhyRequest
from flowviz.attention.why_types import ScorePart, WhyThere
from flowviz.checked import check_prompt
from flowviz.graph.types import NodeKey, NodeKind
from flowviz.request import ExplainRequest
from flowviz.ui.dom import attributes
from flowviz.ui.links import flow_link
from flowviz.views.head.words import (
    ROTARY_DISTANCE,
    End,
    attended,
    attends_words,
    deciding_words,
    figure,
    head_name,
    limits_words,
    looks_words,
    most_attended,
    notes,
    part_name,
    part_tip,
    parts_of,
    score_words,
    share_of_slope,
    slope_words,
    term_words,
    token_name,
)
from flowviz.views.words import plain, signed

TOO_SHORT = "There are no two distances to compare here: give a prompt of three tokens or more."
ACROSS = "Across two texts there is no distance. Choose the part Encoder or Decoder."
Asked = NeuronRequest | WhyRequest
LISTED = 16  # dimensions
MOST_KEYS = 40


def table(heads: Sequence[str], rows: Iterable[html.Tr], name: str) -> html.Table:
    """A table of figures."""
    head = html.Thead(html.Tr([html.Th(each, scope="col") for each in heads]))
    return html.Table(
        [head, html.Tbody(list(rows))], className="head-table", **attributes(aria_label=name)
    )


def number(text: str) -> html.Td:
    """A figure in the colour of its sign."""
    sign = "against" if text.startswith("−") else "for" if text.startswith("+") else ""
    return html.Td(text, className=sign)


def _paragraphs(lines: Iterable[str], look: str = "") -> list[Component]:
    return [html.P(line, className=look) for line in lines if line]


# ---- neurons -----------------------------------------------------------------------------------


def of_neurons(
    view: NeuronView, request: Asked, key: int | None, linked: bool = True
) -> list[Component]:
    """What decides, and the share of each dimension at one source.

    Args:
        linked: whether the model has a flow, into which heads and components lead.
    """
    places = {token.position: at for at, token in enumerate(view.sources)}
    at = places.get(-1 if key is None else key, most_attended(view))
    return [
        html.H2(f"{head_name(view.layer, view.head)} at {token_name(view.tokens, view.query)}"),
        *_paragraphs([attends_words(view)]),
        _source(view, at),
        html.H3("Dimensions that decide"),
        *_paragraphs([deciding_words(view)], "dim"),
        table(("", "decides", "share here"), _dimensions(view, at), "Dimensions that decide"),
        *_paragraphs(notes(view), "dim"),
        *(_ways(view, request) if linked else []),
    ]


def _source(view: NeuronView, at: int) -> html.Dl:
    """One source's numbers."""
    product = float(view.product[at].sum()) * view.scale
    pairs = (
        ("Source", token_name(view.sources, at)),
        ("Attention", attended(float(view.pattern[at]))),
        ("Score", signed(float(view.score[at])) if np.isfinite(view.score[at]) else "not seen"),
        ("Query × key", signed(product)),
    )
    return html.Dl(
        [html.Div([html.Dt(name), html.Dd(value)]) for name, value in pairs], className="figures"
    )


def _dimensions(view: NeuronView, at: int) -> list[html.Tr]:
    shares = view.product[at] * view.scale
    return [
        html.Tr(
            [
                html.Td(_dimension(dim)),
                number(figure(float(view.deciding[dim]))),
                number(figure(float(shares[dim]))),
            ]
        )
        for dim in view.strongest[:LISTED]
    ]


def _dimension(dim: int) -> html.Button:
    return html.Button(
        f"dimension {dim}",
        className="plain",
        type="button",
        title="Mark it in the picture",
        **attributes(data_dim=dim),
    )


def _ways(view: NeuronView, request: Asked) -> list[Component]:
    """From a head into the flow."""
    key = NodeKey(NodeKind.HEAD, view.layer, view.query, view.head)
    return [html.P(_link("Open this head in the flow", request, key), className="into-flow")]


def _link(words: str, request: Asked, key: NodeKey) -> dcc.Link:
    explained = ExplainRequest(check_prompt(request.text), request.model)
    return dcc.Link(words, href=flow_link(explained, key))


# ---- distance ----------------------------------------------------------------------------------


def of_decay(decay: Decay | None, layer: int, head: int, across: bool = False) -> list[Component]:
    """How the score changes with distance, and which dimensions make it.

    Args:
        across: whether the head looks from one text at another, where there is no distance.
    """
    title = html.H2(f"{head_name(layer, head)} by distance")
    if decay is None:
        return [title, html.P(ACROSS if across else TOO_SHORT)]
    rows = [
        html.Tr(
            [
                html.Td(_dimension(dim)),
                number(figure(float(decay.slopes[dim]))),
                html.Td(plain(float(decay.correlations[dim]))),
            ]
        )
        for dim in decay.strongest[:LISTED]
    ]
    whole = html.Tr([html.Th("score", scope="row"), number(figure(decay.slope)), html.Td("")])
    return [
        title,
        *_paragraphs([slope_words(decay), share_of_slope(decay)]),
        table(("", "slope a token", "correlation"), [*rows, whole], "Slopes of the dimensions"),
        *_paragraphs([ROTARY_DISTANCE] if decay.rotary else [], "dim"),
    ]


# ---- why there ---------------------------------------------------------------------------------


def of_why(found: WhyThere, request: Asked, linked: bool = True) -> list[Component]:
    """The score, what wrote both its ends, and the other keys; `linked` as of `of_neurons`."""
    link = request if linked else None
    name = f"{head_name(found.layer, found.head)}: why {token_name(found.sources, found.key)}?"
    return [
        html.H2(name),
        *_paragraphs([looks_words(found), score_words(found), *term_words(found)]),
        *_paragraphs(limits_words(found.window, found.sink), "dim"),
        html.H3("Other sources"),
        _keys(found),
        html.H3("What wrote the query"),
        _parts(found, End.QUERY, link, "What wrote the query"),
        html.H3("What wrote the key"),
        _parts(found, End.KEY, link, "What wrote the key"),
    ]  # fmt: skip


def _keys(found: WhyThere) -> html.Div:
    """Sources to ask about instead, the most attended first."""
    order = np.argsort(-found.pattern, kind="stable")
    first = 0 if found.window is None else max(0, found.query - found.window + 1)
    seen = [int(at) for at in order if at >= first][:MOST_KEYS]
    return html.Div([_key(found, at) for at in seen], className="other-keys", role="group")


def _key(found: WhyThere, at: int) -> html.Button:
    weight = float(found.pattern[at])
    bar = html.I(style={"width": f"{100 * min(1.0, weight):.1f}%"})
    return html.Button(
        [bar, html.Span(token_name(found.sources, at)), html.Small(attended(weight))],
        className="chosen" if at == found.key else "",
        type="button",
        title=f"Why does it look at {token_name(found.sources, at)}?",
        **attributes(data_key=at, aria_pressed=str(at == found.key).lower()),
    )


def _parts(found: WhyThere, end: End, request: Asked | None, name: str) -> html.Table:
    rows = [
        html.Tr(
            [
                html.Td(_component(part, found, end, request), title=part_tip(part, found, end)),
                number(figure(part.beyond)),
                number(figure(part.share)),
            ],
            **attributes(data_part=place),
        )
        for place, part in enumerate(parts_of(found, end))
    ]
    away = found.product - found.mean_product
    cells = [html.Th("sum", scope="row"), number(figure(away)), number(figure(found.product))]
    return table(("", "beyond", "share"), [*rows, html.Tr(cells, className="sum")], name)


def _component(
    part: ScorePart, found: WhyThere, end: End, request: Asked | None
) -> Component | str:
    words = part_name(part, found, end)
    if request is None or not isinstance(part.what, NodeKey):
        return words
    return _link(words, request, part.what)
