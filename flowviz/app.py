"""The page's server: `create_app` makes a Dash app from a session, and holds nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import dash_cytoscape
from dash import Dash

from flowviz.session import Session
from flowviz.ui.notice import tell
from flowviz.ui.security import protect
from flowviz.ui.server import Example, provide
from flowviz.ui.shell import connect, frame

ROOT = Path(__file__).parent.parent
DESCRIPTION = "One forward pass of a language model as an exact flow graph."


def create_app(
    session: Session,
    *,
    examples: Sequence[Example] | None = None,
    debug: bool = False,
    frame_ancestors: str = "'self'",
) -> Dash:
    """A Dash app for one session; `app.server` is the WSGI application.

    Args:
        session: what answers the pages' questions.
        examples: the example prompts; None for those of the demo model.
        debug: Dash's developer tools.
        frame_ancestors: who may show the page in a frame, as Content-Security-Policy writes it.
    """
    dash_cytoscape.load_extra_layouts()  # it brings the export to SVG
    app = Dash(
        __name__,
        use_pages=True,
        pages_folder=str(ROOT / "pages"),
        assets_folder=str(ROOT / "assets"),
        serve_locally=True,
        compress=True,
        suppress_callback_exceptions=True,
        include_pages_meta=False,
        meta_tags=[{"name": "description", "content": DESCRIPTION}],
        title="flowviz",
        update_title="",
        on_error=tell,
    )
    provide(app.server, session, demo_examples() if examples is None else examples)
    app.layout = frame
    connect(app)
    protect(app, frame_ancestors, debug=debug)
    if debug:
        app.enable_dev_tools(debug=True, dev_tools_disable_version_check=True)
    return app


def demo_examples() -> tuple[Example, ...]:
    """The example prompts that come with the demo model."""
    from flowviz.demo import EXAMPLES

    return tuple(EXAMPLES)
