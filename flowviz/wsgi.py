"""The page for a WSGI server, from the environment's settings (`settings.py`).

    gunicorn --workers 1 --threads 8 --limit-request-line 8190 "flowviz.wsgi:application_factory()"

One worker, because the model and the results are held in it; threads for the visitors.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from flowviz.errors import FlowvizError
from flowviz.settings import Settings

if TYPE_CHECKING:
    from dash import Dash
    from flask import Flask

GUNICORN_STOPS = 4  # the exit code by which a gunicorn worker says: do not start me again


def application_factory() -> Flask:
    """The WSGI application; a setting that is wrong stops the server with one line."""
    try:
        return make_app(Settings.from_environment()).server
    except FlowvizError as error:
        print(f"flowviz: {error}", file=sys.stderr, flush=True)
        raise SystemExit(GUNICORN_STOPS) from None


def make_app(settings: Settings, debug: bool = False) -> Dash:
    """The page with a session of its own; the default model is loaded before it returns.

    Raises:
        ModelError: the default model cannot be loaded.
        RequestError: a store of contexts, or a dictionary of factors, cannot be opened.
    """
    from flowviz.app import create_app
    from flowviz.contexts.shelf import Shelf
    from flowviz.factors.shelf import Dictionaries
    from flowviz.jobs import Jobs
    from flowviz.session import Session

    session = Session(
        settings.catalogue,
        models_bytes=settings.models_bytes,
        cache_bytes=settings.cache_bytes,
        shelf=Shelf(settings.contexts, settings.contexts_bytes),
        dictionaries=Dictionaries(settings.factors, settings.factors_bytes),
        jobs=Jobs(settings.most_waiting),
    )
    session.preload()
    return create_app(session, debug=debug, frame_ancestors=settings.frame_ancestors)
