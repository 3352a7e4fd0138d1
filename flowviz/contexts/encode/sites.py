"""Sites and heads that are asked for, against those that a model has."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from flowviz.contexts.kinds import Site, SiteKind
from flowviz.errors import RequestError
from flowviz.graph.types import ModelShape

USUAL = frozenset(
    {SiteKind.RESID_PRE, SiteKind.RESID_MID, SiteKind.RESID_FINAL, SiteKind.HEADS}
)  # fmt: skip


def usual_sites(sites: Collection[Site]) -> tuple[Site, ...]:
    """Hidden states and heads of all layers."""
    return tuple(site for site in sites if site.kind in USUAL)


def check_sites(name: str, sites: Collection[Site], asked: Sequence[Site]) -> None:
    """Raises RequestError where a site is asked for that the model does not have."""
    missing = next((site for site in asked if site not in sites), None)
    if missing is None:
        return
    layers = sorted(site.layer for site in sites if site.kind is missing.kind)
    if layers:
        way_out = f"it has {missing.kind.value} in the layers {layers[0]} to {layers[-1]}"
    else:
        kinds = dict.fromkeys(site.kind.value for site in sites)
        way_out = f"it has {', '.join(kinds)}"
    raise RequestError(f"{name} has no site {missing}; {way_out}. Choose one of them.")


def check_heads(shape: ModelShape, heads: Sequence[tuple[int, int]]) -> None:
    """Raises RequestError where none is asked for, or one that the model does not have."""
    if not heads:
        raise RequestError("No heads are chosen. Choose at least one, as in 3.1.")
    wrong = next(
        ((a, b) for a, b in heads if not (0 <= a < shape.layers and 0 <= b < shape.heads)), None
    )
    if wrong is not None:
        raise RequestError(
            f"There is no head {wrong[0]}.{wrong[1]}; {shape.name} has the layers 0 to "
            f"{shape.layers - 1} with the heads 0 to {shape.heads - 1}."
        )
