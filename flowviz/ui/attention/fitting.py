"""The controls as the maps that are drawn allow: layers, heads, parts, weightings, masks."""

from __future__ import annotations

from typing import Any

from dash import no_update

from flowviz.attention.request import AttentionRequest
from flowviz.attention.types import AttentionMaps, Part, Weighting
from flowviz.ui.attention.controls import part_buttons, weighting_options
from flowviz.views.attention.look import Pin, read_heads
from flowviz.views.attention.packed import column_words
from flowviz.views.attention.words import beyond_words, has_flow, why_no_flow


def traits(maps: AttentionMaps, mean: bool) -> dict[str, Any]:
    """What there is of these maps, as scripts and style sheets ask for it.

    Args:
        mean: whether they are means over a set.
    """
    queries, keys, masks = maps.queries, maps.keys, can_mask(maps) and not mean
    has = {
        "flow": has_flow(maps),
        "no-flow": not has_flow(maps),
        "parts": len(maps.parts) > 1,
        "pairs": None not in (queries.second, keys.second),
        "special": bool(queries.special or keys.special),
        "masks": masks,
        "readings": bool(maps.readings),
        "mean": mean,
    }
    told = {
        "offered": masks,
        "special": list(queries.special),
        "words": column_words(queries) if masks else [],
    }
    return {"has": [name for name, there in has.items() if there], "masks": told}


def can_mask(maps: AttentionMaps) -> bool:
    """Whether tokens can be hidden from this model: it is an encoder alone."""
    return maps.parts == (Part.ENCODER,)


def banner(maps: AttentionMaps, layer: int | None, heads: object, pinned: object) -> list[str]:
    """What cannot be shown, and what is shown instead."""
    pin = Pin.read(pinned)
    beyond = beyond_words(maps, layer, read_heads(heads), pin.position if pin else None)
    said = " ".join((*maps.notes, *filter(None, (beyond,))))
    return [said] if said else []


def fitted(
    request: AttentionRequest,
    maps: AttentionMaps,
    layer: int | None,
    heads: object,
    pinned: object,
    weighting: object,
) -> dict[str, Any]:
    """What the controls are set to, by name; those that fit stay."""
    chosen, why = read_heads(heads), why_no_flow(maps, bool(request.average))
    there = [head for head in chosen or () if head < maps.heads]
    other = why and weighting == Weighting.FLOW
    return {
        "layer": min(layer or 0, maps.layers - 1) if (layer or 0) >= maps.layers else no_update,
        "heads": (there or None) if len(there) < len(chosen or ()) else no_update,
        "parts": part_buttons(maps),
        "options": weighting_options(not why),
        "weighting": str(maps.weighting) if other else no_update,
        "why": why,
        "banner": banner(maps, layer, heads, pinned),
        "most": maps.layers - 1,
        "traits": traits(maps, bool(request.average)),
    }
