"""The page's stores: small values, and the packed numbers of what is drawn now."""

from __future__ import annotations

from typing import Any

from dash import dcc
from dash.development.base_component import Component

from flowviz.ui.attention.ids import Attention, Finder
from flowviz.ui.attention.opening import Opening


def stores(opening: Opening, examples: list[dict[str, Any]]) -> list[Component]:
    """All of them, with what the page opens with."""
    look = opening.look
    asked = {"prompt": opening.prompt, "second": opening.second, "model": opening.model}
    filled = {
        Attention.ASKED: {**asked, "count": 0} if opening.run else None,
        Attention.MASK: list(opening.mask),
        Attention.PART: opening.part,
        Attention.EXPLAINED: opening.target.position,
        Attention.EXAMPLES: examples,
        Attention.HEADS: None if look.heads is None else list(look.heads),
        Attention.START: look.start,
        Attention.SELECTED: look.at.to_plain() if look.at else None,
        Attention.FAULT: opening.fault,
    }
    job = (Attention.JOB, Attention.STANDING, Attention.AGAIN, Attention.TYPED, Attention.PICKING)
    shown = (Attention.SHOWN, Attention.LAYER_DATA, Attention.MODEL_DATA, Attention.SCORES)
    more = (Attention.TRAITS, Attention.READING_DATA, Finder.JOB, Finder.STANDING, Finder.SHOWN)
    empty = (*job, *shown, *more, Attention.STRIP, Attention.OPENED, Attention.POSITION)
    return [
        *(dcc.Store(id=name, data=data) for name, data in filled.items()),
        *(dcc.Store(id=name) for name in empty),
        dcc.Download(id=Attention.DOWNLOAD),
    ]
