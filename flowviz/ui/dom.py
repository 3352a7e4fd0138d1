"""HTML attributes whose names hold a hyphen."""

from __future__ import annotations

from typing import Any


def attributes(**values: object) -> dict[str, Any]:
    """Keyword arguments for a Dash component: `aria_label="x"` becomes `{"aria-label": "x"}`.

    What is None is left out, and truth values are written as HTML writes them.
    """
    written = {name.replace("_", "-"): value for name, value in values.items() if value is not None}
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in written.items()
    }
