"""Headers and limits that hold for every answer of the server."""

from __future__ import annotations

from dash import Dash
from flask import Response

MAX_REQUEST_BYTES = 1024 * 1024  # three prompts of the longest kind, escaped


def protect(app: Dash, frame_ancestors: str, *, debug: bool = False) -> None:
    """Bounds what comes in, and tells the browser to load nothing from elsewhere.

    Args:
        app: the app with all its callbacks.
        frame_ancestors: who may show the page in a frame.
        debug: whether Dash's developer bundles are served, which evaluate text.
    """
    app.server.config["MAX_CONTENT_LENGTH"] = MAX_REQUEST_BYTES
    policy: list[str] = []

    @app.server.after_request
    def add_headers(response: Response) -> Response:
        if not policy:
            scripts = [*app.csp_hashes(), *(["'unsafe-eval'"] if debug else [])]
            policy.append(_policy(" ".join(scripts), frame_ancestors))
        response.headers.setdefault("Content-Security-Policy", policy[0])
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Referrer-Policy", "no-referrer")
        return response


def _policy(scripts: str, frame_ancestors: str) -> str:
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src 'self' {scripts}",
            "style-src 'self' 'unsafe-inline'",  # Mantine, Cytoscape and Plotly write styles
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            f"frame-ancestors {frame_ancestors}",
        )
    )
