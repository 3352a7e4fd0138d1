"""What went wrong, told on the page with the way out."""

from __future__ import annotations

import logging
import time

from dash import html, set_props

from flowviz.errors import FlowvizError, NotKept
from flowviz.ui.ids import Shell

log = logging.getLogger(__name__)
UNKNOWN = (
    "Something went wrong here that should not have. Run the prompt again; if it happens again, "
    "tell whoever runs this server: the details are in its log."
)


def notice(error: Exception) -> dict[str, str]:
    """The words for the page. Only errors that a user can mend speak for themselves."""
    if isinstance(error, FlowvizError):
        return {"title": "That cannot be drawn", "text": str(error)}
    return {"title": "An error on the server", "text": UNKNOWN}


def tell(error: Exception) -> None:
    """Handles what a callback raised: shows it on the page, logs it where it is a bug.

    A result that is not kept any more is for the page to run again.
    """
    if isinstance(error, NotKept):
        set_props(Shell.NOT_KEPT, {"data": time.time()})
        return
    if not isinstance(error, FlowvizError):
        log.error("A callback failed", exc_info=error)
    set_props(Shell.NOTICE, {"data": notice(error)})


def notice_box() -> html.Div:
    """Where notices appear; a script fills it with text."""
    return html.Div(
        [
            html.Strong(id=Shell.NOTICE_TITLE),
            html.Span(id=Shell.NOTICE_TEXT),
            html.Button("Dismiss", id=Shell.NOTICE_CLOSE, className="plain", type="button"),
        ],
        id=Shell.NOTICE_BOX,
        className="notice",
        hidden=True,
        role="alert",
    )
