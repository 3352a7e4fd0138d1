"""What is told of factors as JSON: version 1. It is for others to read; nothing here reads it."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import orjson

from flowviz.contexts.kinds import Site
from flowviz.factors.look.types import FactorsFound, PromptFactors
from flowviz.factors.request import FactorsRequest
from flowviz.factors.types import About
from flowviz.graph.json_parts import writable

ONCE = ("request", "about", "survey", "version")  # parts of an answer that the whole has


def to_json(found: FactorsFound) -> str:
    """The answer as one line of JSON."""
    whole = _plain(found)
    listed = found.listed
    parts = {
        name: {key: value for key, value in part.items() if key not in ONCE}
        for name, part in whole.items()
        if name in ("listed", "told", "prompt", "attributed") and part is not None
    }
    own = {
        "version": found.version,
        "request": found.request.to_mapping(),
        "dictionary": _plain(listed.about) if listed else None,
        "survey": _plain(listed.survey) if listed else None,
    }
    return orjson.dumps(writable(own | parts)).decode()


def prompt_to_json(found: PromptFactors, about: About) -> str:
    """A prompt's factors alone as one line of JSON, as `to_json` has them under `prompt`."""
    part = {key: value for key, value in _plain(found).items() if key not in ONCE}
    own = {"version": found.version, "request": found.request.to_mapping()}
    return orjson.dumps(writable(own | {"dictionary": _plain(about), "prompt": part})).decode()


def _plain(value: Any) -> Any:
    """Dataclasses as objects, arrays as lists, sites and requests as links have them."""
    if isinstance(value, FactorsRequest):
        return value.to_mapping()
    if isinstance(value, Site):
        return str(value)
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if is_dataclass(value):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    return value
