"""Why a callback runs. The browser may send several changes at once, as a click in the moment of a
poll: `ctx.triggered_id` names the first of them alone, and the click would be lost."""

from __future__ import annotations

from dash import ctx


def triggered_by(component_id: str) -> bool:
    """Whether a component is among those whose change runs this callback."""
    return component_id in ctx.triggered_prop_ids.values()
