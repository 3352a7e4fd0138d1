"""Headers and limits that hold for every answer of the server."""

from __future__ import annotations

from dash import Dash
from flask import Response

MAX_REQUEST_BYTES = 1024 * 1024  # three prompts of the longest kind, escaped


def protect(app: Dash, frame_ancestors: str) -> None:
    """Bounds what comes in, and tells the browser to load nothing from elsewhere."""
    app.server.config["MAX_CONTENT_LENGTH"] = MAX_REQUEST_BYTES
    policy: list[str] = []

    @app.server.after_request
    def add_headers(response: Response) -> Response:
        if not policy:
            policy.append(_policy(app.csp_hashes(), frame_ancestors))
        response.headers.setdefault("Content-Security-Policy", policy[0])
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Referrer-Policy", "no-referrer")
        return response


def _policy(script_hashes: object, frame_ancestors: str) -> str:
    scripts = " ".join(script_hashes)  # type: ignore[arg-type]
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
