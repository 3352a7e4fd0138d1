"""Maps of attention as JSON, and back: version 1, described in docs/attention-json.md.

Arrays travel as base64 of their bytes, little-endian, the last index fastest; lists would take five
times as much. What is read back equals what was written, and what comes from a file is checked
field by field: an array must have as many bytes as tokens, heads and layers say.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from flowviz.attention.arrays import array_text, read_array
from flowviz.attention.kinds import Part
from flowviz.attention.types import (
    NO_TOKEN,
    ROWS,
    SCHEMA_VERSION,
    AttentionMaps,
    Column,
    KindScores,
    Weighting,
)
from flowviz.errors import RequestError
from flowviz.graph.fields import WAY_OUT, Fields, fault
from flowviz.graph.json_parts import (
    MAX_CHARACTERS,
    checks_dict,
    in_order,
    parse,
    read_checks,
    read_model,
    read_prediction,
    read_target,
    writable,
)
from flowviz.graph.types import Prediction, PromptToken


def attention_json(maps: AttentionMaps) -> str:
    """The maps as one line of JSON. Raises RequestError where no reader would take so long a text.

    The bound is 64 MB: about 400 tokens in 12 x 12 heads.
    """
    if maps.bytes * 4 / 3 > MAX_CHARACTERS:
        raise RequestError(
            f"The attention of {maps.positions:,} tokens in {maps.layers} x {maps.heads} heads "
            f"takes {maps.bytes * 4 / 3 / 2**20:.0f} MB as JSON; at most "
            f"{MAX_CHARACTERS // 2**20} MB are read back. Shorten the prompt, or save the array "
            "`weights` with NumPy."
        )
    return orjson.dumps(attention_dict(maps)).decode()


def attention_dict(maps: AttentionMaps) -> dict[str, Any]:
    """The maps as plain values that JSON can hold."""
    checks = maps.checks
    return writable(
        {
            "version": maps.version,
            "model": None if maps.model is None else asdict(maps.model),
            "part": str(maps.part),
            "parts": [str(part) for part in maps.parts],
            "queries": column_dict(maps.queries),
            "sources": None if maps.sources is None else column_dict(maps.sources),
            "target": None if maps.target is None else asdict(maps.target),
            "predictions": [asdict(prediction) for prediction in maps.predictions],
            "readings": [[asdict(each) for each in reading] for reading in maps.readings],
            "weighting": str(maps.weighting),
            "layers": maps.layers,
            "heads": maps.heads,
            "unit": maps.unit,
            "weights": array_text(maps.weights, "<f2"),
            "totals": None if maps.totals is None else array_text(maps.totals, "<f4"),
            "kinds": {row: _kind_dict(maps.kinds, place) for place, row in enumerate(ROWS)},
            "checks": None if checks is None else checks_dict(checks),
            "notes": list(maps.notes),
        }
    )


def column_dict(column: Column) -> dict[str, Any]:
    """Tokens in a row as plain values that JSON can hold."""
    tokens = [asdict(token) | {"id": _id(token)} for token in column.tokens]
    return {
        "tokens": tokens,
        "special": list(column.special),
        "second": column.second,
        "masked": list(column.masked),
    }


def _id(token: PromptToken) -> int | None:
    """A token's id; none where it is not one token, but several texts' at that position."""
    return None if token.id < 0 else token.id


def _kind_dict(kinds: KindScores, row: int) -> dict[str, Any]:
    return {
        "queries": int(kinds.queries[row]),
        "uniform": float(kinds.uniform[row]),
        "mass": kinds.mass[row].tolist(),
    }


def read_attention(text: str) -> AttentionMaps:
    """Reads `attention_json` back. Raises RequestError for anything else, with what is at fault."""
    top = Fields(Fields.of(parse(text), "the file").values, "")
    if top.values.get("version") != SCHEMA_VERSION:
        raise RequestError(
            f"The attention's version is {str(top.values.get('version', 'missing'))[:20]}; this "
            f"flowviz reads version {SCHEMA_VERSION}. {WAY_OUT}"
        )
    model, target, checks = (top.part_or_none(name) for name in ("model", "target", "checks"))
    queries, part = read_column(top.part("queries")), top.choice("part", Part)
    other = top.part_or_none("sources")
    sources = None if other is None else read_column(other)
    keys = len(queries if sources is None else sources)
    heads = top.whole("layers"), top.whole("heads")
    totals = None
    if top.text_or_none("totals") is not None:
        totals = _array(top, "totals", "<f4", (*heads, len(queries)))
    return AttentionMaps(
        queries=queries,
        weights=_array(top, "weights", "<f2", (*heads, len(queries), keys)),
        kinds=_read_kinds(top.part("kinds"), heads),
        weighting=top.choice("weighting", Weighting),
        unit=top.number("unit"),
        totals=totals,
        model=read_model(model) if model else None,
        target=read_target(target) if target else None,
        predictions=tuple(read_prediction(item) for item in top.parts("predictions")),
        checks=read_checks(checks) if checks else None,
        notes=top.texts("notes"),
        sources=sources,
        part=part,
        parts=_read_parts(top),
        readings=_read_readings(top, len(queries)),
    )


def read_column(item: Fields) -> Column:
    """Reads `column_dict` back. Raises RequestError with what is at fault."""
    tokens = in_order(tuple(_read_token(one) for one in item.parts("tokens")))
    second = item.whole_or_none("second")
    places = {"special": item.wholes("special"), "masked": item.wholes("masked")}
    for name, found in (*places.items(), ("second", () if second is None else (second,))):
        if any(place >= len(tokens) for place in found):
            raise fault(f"{item.where}.{name} names a position behind the last")
    return Column(tokens, second=second, **places)


def _read_token(item: Fields) -> PromptToken:
    token_id = item.whole_or_none("id")
    place, text = item.whole("position"), item.text("text")
    return PromptToken(place, NO_TOKEN if token_id is None else token_id, text)


def _read_parts(item: Fields) -> tuple[Part, ...]:
    named = Fields({str(i): text for i, text in enumerate(item.texts("parts"))}, "parts")
    return tuple(named.choice(place, Part) for place in named.values)


def _read_readings(item: Fields, queries: int) -> tuple[tuple[Prediction, ...], ...]:
    rows = item.values.get("readings")
    if not isinstance(rows, list) or len(rows) not in (0, queries):
        raise fault(f"readings is no list with a row for each of the {queries} tokens")
    named = Fields({str(place): row for place, row in enumerate(rows)}, "readings")
    return tuple(
        tuple(read_prediction(each) for each in named.parts(place)) for place in named.values
    )


def _array(item: Fields, name: str, kind: str, shape: tuple[int, ...]) -> NDArray[Any]:
    """A whole array of finite numbers, of which there is at least one."""
    array = read_array(item, name, kind, shape)
    if not array.size:
        raise fault(f"{name} has 0 bytes, which is not {' x '.join(map(str, shape))}")
    if not np.isfinite(array).all():
        raise fault(f"{name} holds what is no number")
    return array


def _read_kinds(item: Fields, heads: tuple[int, int]) -> KindScores:
    rows = [item.part(row) for row in ROWS]
    mass = np.array([_numbers(row, heads) for row in rows], dtype=np.float64)
    return KindScores(
        mass=mass.reshape(len(ROWS), *heads),
        queries=np.array([row.whole("queries") for row in rows], dtype=np.int64),
        uniform=np.array([row.number("uniform") for row in rows], dtype=np.float64),
    )


def _numbers(row: Fields, heads: tuple[int, int]) -> list[list[float]]:
    layers = row.values.get("mass")
    found = [_layer(row.where, layer) for layer in layers] if isinstance(layers, list) else []
    if [len(layer) for layer in found] != [heads[1]] * heads[0]:
        raise fault(f"{row.where}.mass has not {heads[0]} lists of {heads[1]} numbers")
    return found


def _layer(where: str, layer: object) -> list[float]:
    if not isinstance(layer, list):
        raise fault(f"{where}.mass is no list of lists")
    named = Fields({str(head): value for head, value in enumerate(layer)}, f"{where}.mass")
    return [named.number(head) for head in named.values]
