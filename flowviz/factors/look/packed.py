"""Surveys as plain arrays, and back: texts as bytes, places as steps, whole numbers as few bytes as
they take. What is read back is checked in full: places that are there, numbers that are finite.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from flowviz.contexts.kinds import Feature, Site
from flowviz.factors.look.bands import BANDS
from flowviz.factors.look.sentences import read_back, written
from flowviz.factors.look.surveyed import Annotated, Directions, Places, Reached, Survey
from flowviz.factors.look.types import SurveyInfo

Arrays = dict[str, NDArray[Any]]


# ---- writing ----------------------------------------------------------------------------------


def packed(survey: Survey) -> Arrays:
    """All of a survey that is not on its card."""
    numbers = np.array(list(survey.sentences), np.int64)
    found = {
        "counts": _small(survey.counts),
        "largest": survey.largest,
        "importance": survey.importance,
        "edges": survey.edges,
        "histogram": _small(survey.histogram),
        "numbers": _small(numbers),
        "sentences": _bytes(written(survey.sentences.values())),
        "values": _bytes(orjson.dumps(survey.values)),
    }
    found |= _places_arrays("top", survey.top, numbers)
    found |= _places_arrays("drawn", survey.drawn, numbers)
    one = survey.annotated
    found |= {
        "pairs": _small(np.diff(one.starts)),
        "pair_value": _small(_steps(one.value, one.starts)),
        "pair_count": _small(one.count),
        "words": _small(one.words),
        "base": _small(one.base),
        "total": np.array([one.total], np.int64),
    }
    if survey.reached is not None:
        found |= {f"reach_{name}": value for name, value in vars(survey.reached).items()}
    if survey.directions is not None:
        texts = {str(i): text for i, text in survey.directions.tokens.items()}
        found |= {
            "raised": _small(survey.directions.top),
            "raised_scores": survey.directions.top_scores.astype(np.float16),
            "lowered": _small(survey.directions.bottom),
            "lowered_scores": survey.directions.bottom_scores.astype(np.float16),
            "tokens": _bytes(orjson.dumps(texts)),
        }
    return found


def _places_arrays(name: str, places: Places, numbers: NDArray[np.int64]) -> Arrays:
    return {
        f"{name}_sizes": _small(np.diff(places.starts)),
        f"{name}_sentence": _small(np.searchsorted(numbers, places.sentence)),
        f"{name}_position": _small(places.position),
        f"{name}_tag": _small(places.tag),
    }


def _steps(values: NDArray[np.integer], starts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Growing numbers of each row as what each adds to the one before, the first to 0."""
    found = np.diff(values.astype(np.int64), prepend=0)
    first = starts[:-1][np.diff(starts) > 0]
    found[first] = values[first]
    return found


def _summed(steps: NDArray[np.int64], starts: NDArray[np.int64]) -> NDArray[np.int64]:
    """`_steps` undone."""
    total = np.concatenate([[0], np.cumsum(steps)])
    return total[1:] - np.repeat(total[starts[:-1]], np.diff(starts))


def _small(values: NDArray[np.integer]) -> NDArray[np.unsignedinteger]:
    """Whole numbers from 0 on, in as few bytes as they take."""
    return values.astype(np.min_scalar_type(int(values.max(initial=0))))


def _bytes(text: bytes) -> NDArray[np.uint8]:
    return np.frombuffer(text, np.uint8)


# ---- reading ----------------------------------------------------------------------------------


def unpacked(card: Mapping[str, Any], arrays: Arrays) -> Survey:
    """A survey of its card and its arrays. Raises ValueError, KeyError or TypeError where they are
    none."""
    sites = tuple(Site.parse(text) for text in card["sites"])
    shape = len(sites), _whole(card["factors"])
    if not sites or not shape[1]:
        raise ValueError("it has no factors")
    counts, edges = _of(arrays, "counts", shape), _of(arrays, "edges", (shape[0], None))
    bins = edges.shape[1] - 1
    values = _values(arrays)
    kept = read_back(_of(arrays, "sentences", (None,)).astype(np.uint8).tobytes())
    numbers = _of(arrays, "numbers", (len(kept),))
    if not (np.diff(numbers.astype(np.int64)) > 0).all():
        raise ValueError("its sentences are not in order")
    largest = _finite(arrays, "largest", shape)
    numbers = numbers.astype(np.int64)
    info = SurveyInfo(
        str(card["dictionary"]), str(card["corpus"]), str(card["identity"]), sites,
        _whole(card["sentences"]), _whole(card["tokens"]),
        tuple(Feature(each) for each in card["annotations"]), _whole(card["strongest"]),
    )  # fmt: skip
    return Survey(
        info=info,
        atoms=str(card["atoms"]),
        corpus=str(card["fingerprint"]),
        counts=_below(counts.astype(np.int64), info.tokens + 1, "counts"),
        largest=largest,
        importance=_finite(arrays, "importance", shape),
        edges=_finite(arrays, "edges", (shape[0], bins + 1)),
        histogram=_of(arrays, "histogram", (*shape, bins)).astype(np.int64),
        top=_places(arrays, "top", largest.size, numbers, len(values)),
        drawn=_places(arrays, "drawn", largest.size, numbers, BANDS),
        annotated=_annotated(arrays, shape[1], len(values)),
        values=values,
        sentences=dict(zip(numbers.tolist(), kept, strict=True)),
        reached=_reached(arrays, shape) if "reach_kept" in arrays else None,
        directions=_directions(arrays, shape[1]) if "raised" in arrays else None,
        notes=tuple(str(each) for each in card["notes"]),
    )


def _whole(value: object) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"{str(value)[:20]} is no count")
    return value


def _of(arrays: Arrays, name: str, shape: tuple[int | None, ...]) -> NDArray[Any]:
    """An array by its name, of a shape; None for any size."""
    found = arrays[name]
    fits = found.ndim == len(shape) and all(
        want in (None, has) for want, has in zip(shape, found.shape, strict=True)
    )
    if not fits or found.dtype.kind not in "uif":
        raise ValueError(f"{name} is of shape {found.shape} and type {found.dtype}")
    return found


def _finite(arrays: Arrays, name: str, shape: tuple[int | None, ...]) -> NDArray[np.float32]:
    found = _of(arrays, name, shape)
    if found.dtype.kind != "f" or not np.isfinite(found).all() or (found < 0).any():
        raise ValueError(f"{name} holds what is no number from 0 on")
    return found.astype(np.float32)


def _below(values: NDArray[Any], most: int, name: str) -> NDArray[np.int64]:
    if values.dtype.kind not in "ui":
        raise ValueError(f"{name} holds no whole numbers")
    values = values.astype(np.int64)
    if len(values) and not 0 <= int(values.min()) <= int(values.max()) < most:
        raise ValueError(f"{name} names what is not there")
    return values


def _starts(arrays: Arrays, name: str, groups: int) -> NDArray[np.int64]:
    sizes = _below(_of(arrays, name, (groups,)), 2**40, name)
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)


def _places(arrays: Arrays, name: str, rows: int, numbers: NDArray[np.int64], tags: int) -> Places:
    starts = _starts(arrays, f"{name}_sizes", rows)
    size = (int(starts[-1]),)
    index = _below(_of(arrays, f"{name}_sentence", size), len(numbers), f"{name}_sentence")
    return Places(
        starts,
        numbers[index] if size[0] else index,
        _below(_of(arrays, f"{name}_position", size), 2**31, f"{name}_position"),
        _below(_of(arrays, f"{name}_tag", size), tags, f"{name}_tag"),
    )


def _annotated(arrays: Arrays, factors: int, values: int) -> Annotated:
    starts = _starts(arrays, "pairs", factors)
    size = (int(starts[-1]),)
    total = int(_of(arrays, "total", (1,))[0])
    base = _below(_of(arrays, "base", (values,)), total + 1, "base")
    steps = _below(_of(arrays, "pair_value", size), values, "pair_value")
    value = _below(_summed(steps, starts), values, "pair_value")
    count = _below(_of(arrays, "pair_count", size), total + 1, "pair_count")
    if (count > base[value]).any():
        raise ValueError("pair_count is more than there is")
    words = _below(_of(arrays, "words", (factors,)), total + 1, "words")
    return Annotated(starts, value, count, words, base, total)


def _values(arrays: Arrays) -> tuple[tuple[int, str], ...]:
    rows = orjson.loads(_of(arrays, "values", (None,)).astype(np.uint8).tobytes())
    if not isinstance(rows, list) or not rows:
        raise ValueError("values is no list")
    for row in rows:
        fits = isinstance(row, list) and len(row) == 2
        if not fits or type(row[0]) is not int or not isinstance(row[1], str):
            raise ValueError("values holds what is no column and text")
    return tuple((row[0], row[1]) for row in rows)


def _reached(arrays: Arrays, shape: tuple[int, int]) -> Reached:
    windows = _below(_of(arrays, "reach_windows", (None,)), 2**31, "reach_windows")
    if not len(windows) or windows[0] < 1 or (np.diff(windows) <= 0).any():
        raise ValueError("reach_windows do not grow")
    return Reached(
        windows,
        _finite(arrays, "reach_kept", (shape[1], len(windows))),
        _below(_of(arrays, "reach_words", (shape[1],)), 2**31, "reach_words"),
        _below(_of(arrays, "reach_site", (shape[1],)), shape[0], "reach_site"),
    )


def _directions(arrays: Arrays, factors: int) -> Directions:
    said = orjson.loads(_of(arrays, "tokens", (None,)).astype(np.uint8).tobytes())
    tokens = {int(i): text for i, text in said.items() if isinstance(text, str)}
    raised, lowered = (_ids(arrays, name, factors, tokens) for name in ("raised", "lowered"))
    return Directions(*raised, *lowered, tokens)


def _ids(
    arrays: Arrays, name: str, factors: int, tokens: Mapping[int, str]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    ids = _of(arrays, name, (factors, None)).astype(np.int64)
    scores = _of(arrays, f"{name}_scores", ids.shape).astype(np.float32)
    if not np.isfinite(scores).all() or not set(np.unique(ids).tolist()) <= set(tokens):
        raise ValueError(f"{name} names tokens that are not there")
    return ids, scores
