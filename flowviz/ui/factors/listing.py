"""The list of factors: what is searched, in which order; its rows are drawn by a script."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from flowviz.factors.kinds import Level
from flowviz.factors.look.types import FactorsFound
from flowviz.ui.contexts.controls import select
from flowviz.ui.dom import attributes
from flowviz.ui.factors.ids import Factors
from flowviz.ui.factors.opening import Opening
from flowviz.views.factors.words import (
    LEVEL_TIPS,
    LEVEL_WORDS,
    ORDER_TIP,
    ORDER_WORDS,
    depth,
    site_words,
)

NAME = "Factors. Up and down go from one to the next, Enter opens it."
SEARCH = "Search factors by word, token or number"
KEY_TIP = (
    "word: the commonest among its strongest contexts, and in what share of them; below, the "
    "tokens that its direction raises most"
)
ANYWHERE = {"value": "", "label": "where strongest"}


def listing(opening: Opening) -> html.Aside:
    """The panel on the left."""
    rows = html.Div(id=Factors.ROWS, className="factor-rows", tabIndex=0, role="listbox",
                    **attributes(aria_label=NAME))  # fmt: skip
    pages = html.Div(id=Factors.PAGES, className="list-pages", role="group",
                     **attributes(aria_label="Pages of the list"))  # fmt: skip
    return html.Aside(
        [_text(opening), _choices(opening), _key(), rows, pages],
        className="controls factor-list",
        **attributes(aria_label="Factors"),
    )


def _key() -> html.Div:
    """What stands where in a row."""
    names = ("no.", "word", "share", "level", "importance", "density")
    looks = ("", "factor-word", "", "", "importance-name", "")
    cells = [html.Span(name, className=look) for name, look in zip(names, looks, strict=True)]
    return html.Div(cells, className="factor-row factor-key", title=KEY_TIP)


def _text(opening: Opening) -> Component:
    return dmc.TextInput(
        id=Factors.TEXT, value=opening.request.text, size="xs", debounce=400,
        placeholder="a word, a token, a number",
        attributes={"input": {"aria-label": SEARCH, "maxlength": "100"}},
    )  # fmt: skip


def _choices(opening: Opening) -> html.Div:
    request = opening.request
    orders = [{"value": str(each), "label": words} for each, words in ORDER_WORDS.items()]
    levels = [{"value": "", "label": "all levels"}]
    levels += [{"value": str(each), "label": LEVEL_WORDS[each]} for each in Level]
    site = str(request.site) if request.site else ""
    sites = [ANYWHERE, *([{"value": site, "label": site_words(request.site)}]
                         if request.site else [])]  # fmt: skip
    level = str(request.level) if request.level else ""
    level_tip = "; ".join(f"{LEVEL_WORDS[each]}: {LEVEL_TIPS[each]}" for each in Level)
    boxes = [
        html.Div(select(Factors.ORDER, "Order", str(request.order), orders), title=ORDER_TIP),
        html.Div(select(Factors.LEVEL, "Level", level, levels), title=level_tip),
        html.Div(select(Factors.SITE, "Layer", site, sites),
                 title="At which vectors importance and contexts are told"),
    ]  # fmt: skip
    return html.Div(boxes, className="list-choices")


def site_options(found: FactorsFound) -> list[dict[str, Any]]:
    """The sites of the survey to choose from."""
    sites = sorted(found.listed.survey.sites, key=depth) if found.listed else ()
    return [ANYWHERE, *({"value": str(site), "label": site_words(site)} for site in sites)]
