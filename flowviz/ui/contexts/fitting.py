"""The controls set to what is on the page, and what is said of it."""

from __future__ import annotations

from typing import Any

from flowviz.contexts.kinds import WHOLE, Site, SiteKind
from flowviz.contexts.request import ContextRequest
from flowviz.contexts.types import ContextsFound
from flowviz.models.kind import ModelKind
from flowviz.session import CorpusChoice
from flowviz.ui.contexts.controls import corpus_options, part_options
from flowviz.ui.contexts.ids import Contexts
from flowviz.views.contexts.words import SITE_WORDS, asked_site, middle
from flowviz.views.tokens import visible

TIP = "Click to find where else the model was in this state"
MASK_TIP = f"{TIP}; double-click, or m, to mask it or to show it again"


def fitted(
    request: ContextRequest,
    found: ContextsFound,
    corpora: tuple[CorpusChoice, ...],
    kind: ModelKind | None,
) -> dict[str, Any]:
    """What the controls offer and show. A script sets them, where nothing else was chosen since."""
    corpus = next((each for each in corpora if each.name == request.corpus), None)
    held = {"of": request.to_mapping(), "shown": _shown(found)}
    return {
        "corpora": corpus_options(corpora),
        "kinds": _kinds(corpus.sites if corpus else ()),
        "last": max(1, found.model.layers - 1),
        "parts": part_options(found.store.parts),
        "fitted": sizes(found, corpora, kind) | held,
    }


def _shown(found: ContextsFound) -> dict[str, Any]:
    """The value of each control, by the name of its id."""
    request, site = found.request, asked_site(found)
    neuron = {Contexts.NEURON: request.chosen[0]} if site.kind is SiteKind.NEURONS else {}
    layer = {} if site.layer == WHOLE else {Contexts.LAYER: site.layer}
    values = {
        Contexts.CORPUS: request.corpus,
        Contexts.KIND: str(site.kind),
        **layer,
        **neuron,
        Contexts.METRIC: str(request.metric),
        Contexts.MOST: request.count,
        Contexts.PART: request.part,
        Contexts.LEAST: "" if request.least is None else request.least,
        Contexts.OTHER: request.other_word,
        Contexts.ONE_EACH: request.one_each,
        Contexts.FIRST: request.first,
    }
    return {str(box): value for box, value in values.items()}


def _kinds(sites: tuple[Site, ...]) -> list[dict[str, Any]]:
    """What may be compared: all, or what the store has."""
    there = {site.kind for site in sites} or set(SITE_WORDS)
    return [
        {"value": str(kind), "label": words, "disabled": kind not in there}
        for kind, words in SITE_WORDS.items()
    ]


def sizes(
    found: ContextsFound, corpora: tuple[CorpusChoice, ...], kind: ModelKind | None
) -> dict[str, Any]:
    """What scripts need to know of the model and of what was asked."""
    may_mask = kind not in (None, ModelKind.GPT)
    return {
        "layers": found.model.layers,
        "heads": found.model.heads,
        "default": str(middle(found.model.layers)),
        "attending": [list(each) for each in found.heads],
        "corpora": {each.name: list(each.models) for each in corpora},
        "position": found.position,
        "masked": list(found.query.masked),
        "special": list(found.query.special),
        "mayMask": may_mask,
    }


def strip(found: ContextsFound, kind: ModelKind | None) -> dict[str, Any]:
    """What a script makes the prompt's chips of."""
    tokens = found.query.tokens
    return {
        "tokens": [visible(token.text) for token in tokens],
        "ids": [token.id for token in tokens],
        "target": found.position,
        "explained": None,
        "masked": list(found.query.masked),
        "second": found.query.second,
        "drawn": [] if found.attended is None else [found.attended],
        "span": None,
        "tip": TIP if kind in (None, ModelKind.GPT) else MASK_TIP,
    }
