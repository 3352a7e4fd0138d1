"""What a dictionary says of itself, checked: every value has the type and size that it should.

A card is a JSON object of at most `MOST_CARD` bytes with `version`, `about` and `options`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flowviz.checked import shown
from flowviz.contexts.kinds import Site
from flowviz.errors import RequestError
from flowviz.factors.kinds import Method
from flowviz.factors.types import About

VERSION = 1
MOST_CARD = 2**20
MOST_FACTORS, MOST_WIDTH, MOST_SITES = 2**24, 2**17, 1000
MOST_COUNT = 10**18
MOST_NOTES, LONGEST, LONGEST_NOTE = 50, 200, 1000


@dataclass(frozen=True)
class Options:
    """What an encoder takes beside its weights.

    Args:
        penalty: of CODING; k, by_length: of TOPK.
    """

    penalty: float | None = None
    k: int | None = None
    by_length: bool = False


def read_json(file: Path) -> dict[str, Any]:
    """A small JSON object. Raises RequestError."""
    try:
        if not file.is_file():
            raise RequestError(f"{file} is no file.")
        if file.stat().st_size > MOST_CARD:
            raise RequestError(f"{file} has more than {MOST_CARD // 2**20} MB, and is no card.")
        said = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise RequestError(f"{file} cannot be read as JSON ({str(error)[:80]}).") from None
    if not isinstance(said, dict):
        raise RequestError(f"{file} is no JSON object.")
    return said


def read_card(file: Path) -> tuple[About, Options]:
    """The card of one of our own dictionaries. Raises RequestError."""
    card = read_json(file)
    version = card.get("version")
    if version != VERSION or isinstance(version, bool):
        raise RequestError(
            f"{file.parent} is broken, or of the version {shown(version)}; {VERSION} is read here."
        )
    try:
        about = _about(_part(card, "about"))
        return about, _options(about, _part(card, "options"))
    except KeyError as error:
        raise RequestError(f"{file.parent} is broken: its card lacks {error}.") from None
    except (ValueError, RequestError) as error:
        raise RequestError(f"{file.parent} is broken: in its card, {error}") from None


def _part(said: Mapping[str, Any], name: str) -> dict[str, Any]:
    if not isinstance(said[name], dict):
        raise _wrong(name, said[name], "an object")
    return said[name]


def _about(said: Mapping[str, Any]) -> About:
    method = next((each for each in Method if each.value == said["method"]), None)
    if method is None:
        raise _wrong("method", said["method"], f"one of {', '.join(Method)}")
    sites = said["sites"]
    if not isinstance(sites, list) or not 0 < len(sites) <= MOST_SITES:
        raise _wrong("sites", sites, f"a list of 1 to {MOST_SITES:,} sites")
    parsed = tuple(Site.parse(each) for each in sites)
    if len(set(parsed)) < len(parsed):
        raise _wrong("sites", sites, "a list without repetitions")
    return About(
        name=_text(said, "name"),
        model=_text(said, "model"),
        identity=_text(said, "identity"),
        method=method,
        sites=parsed,
        factors=_whole(said, "factors", 1, MOST_FACTORS),
        width=_whole(said, "width", 1, MOST_WIDTH),
        corpus=_text(said, "corpus") if "corpus" in said else "",
        tokens=_whole(said, "tokens", 0, MOST_COUNT) if "tokens" in said else 0,
        steps=_whole(said, "steps", 0, MOST_COUNT) if "steps" in said else 0,
        seed=_whole(said, "seed", -MOST_COUNT, MOST_COUNT) if "seed" in said else 0,
        explained=_share(said, "explained"),
        l0=_share(said, "l0"),
        dead=None if said.get("dead") is None else _whole(said, "dead", 0, MOST_FACTORS),
        recovered=_share(said, "recovered"),
        notes=_notes(said.get("notes", [])),
    )


def _options(about: About, said: Mapping[str, Any]) -> Options:
    if about.method is Method.CODING:
        penalty = _number(said, "penalty")
        if not penalty > 0:
            raise _wrong("penalty", penalty, "a number above 0")
        return Options(penalty=penalty)
    if about.method is not Method.TOPK:
        return Options()
    by_length = said.get("by_length", False)
    if not isinstance(by_length, bool):
        raise _wrong("by_length", by_length, "true or false")
    return Options(k=_whole(said, "k", 1, about.factors), by_length=by_length)


def _text(said: Mapping[str, Any], name: str) -> str:
    value = said[name]
    if not isinstance(value, str) or len(value) > LONGEST or not value.isprintable():
        raise _wrong(name, value, f"a line of at most {LONGEST} characters")
    return value


def _whole(said: Mapping[str, Any], name: str, low: int, high: int) -> int:
    value = said[name]
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise _wrong(name, value, f"a whole number from {low:,} to {high:,}")
    return value


def _number(said: Mapping[str, Any], name: str) -> float:
    value = said[name]
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not abs(value) <= MOST_COUNT:
        raise _wrong(name, value, "a number")
    return float(value)


def _share(said: Mapping[str, Any], name: str) -> float | None:
    return None if said.get(name) is None else _number(said, name)


def _notes(value: Any) -> tuple[str, ...]:
    fits = isinstance(value, list) and len(value) <= MOST_NOTES
    if not fits or not all(isinstance(each, str) and len(each) <= LONGEST_NOTE for each in value):
        raise _wrong("notes", value, f"a list of at most {MOST_NOTES} sentences")
    return tuple(value)


def _wrong(name: str, value: object, wanted: str) -> ValueError:
    return ValueError(f"{name} is {shown(value)}; it takes {wanted}.")
