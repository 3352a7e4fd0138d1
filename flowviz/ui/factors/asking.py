"""From the page's form to a job, and from a job to what it found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash.exceptions import PreventUpdate

from flowviz.factors.look.types import FactorsFound
from flowviz.factors.request import FactorsRequest
from flowviz.ui.factors.ids import Factors
from flowviz.ui.factors.listing import site_options
from flowviz.ui.factors.panel import dictionary_options
from flowviz.ui.server import current_session


def shown_factors(shown: object) -> FactorsFound:
    """What is on the page; nothing happens where nothing is."""
    if not isinstance(shown, Mapping) or not shown:
        raise PreventUpdate
    return current_session().answer(FactorsRequest.from_mapping(shown))


def fitted(found: FactorsFound) -> dict[str, Any]:
    """What the controls offer and show. A script sets them, where nothing else was chosen since."""
    request = found.request
    name = found.listed.about.name if found.listed else request.dictionary
    shown = {
        Factors.MODEL: request.model,
        Factors.DICTIONARY: name,
        Factors.CORPUS: request.corpus,
        Factors.ORDER: str(request.order),
        Factors.LEVEL: str(request.level) if request.level else "",
        Factors.SITE: str(request.site) if request.site else "",
        Factors.TEXT: request.text,
    }
    own = [{"value": request.dictionary, "label": "none for this model"}]
    return {
        "dictionaries": dictionary_options(found.offered) or own,
        "sites": site_options(found),
        "fitted": {
            "of": request.to_mapping(),
            "shown": {str(box): value for box, value in shown.items()},
            "offered": [each.name for each in found.offered],
            "model": request.model,
        },
    }
