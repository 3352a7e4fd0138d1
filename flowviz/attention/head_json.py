"""One head as JSON, and back: version 1 of three forms, described in docs/head-json.md.

A file says in `form` what it is: `why` (`WhyThere`), `neurons` (`NeuronView`) or `decay` (`Decay`).
What is read back equals what was written, and what comes from a file is checked field by field.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from enum import StrEnum
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from flowviz.attention.arrays import array_text, read_array
from flowviz.attention.kinds import Part
from flowviz.attention.neuron_types import SCHEMA_VERSION, Decay, NeuronView
from flowviz.attention.why_types import Inside, KindSum, ScorePart, Term, WhyThere
from flowviz.errors import RequestError
from flowviz.graph.fields import WAY_OUT, Fields, fault
from flowviz.graph.json_parts import parse, read_model, read_tokens, writable
from flowviz.graph.types import NodeKey, NodeKind


class Form(StrEnum):
    """What a file holds."""

    WHY = "why"
    NEURONS = "neurons"
    DECAY = "decay"


# ---- writing ----------------------------------------------------------------------------------


def why_json(found: WhyThere) -> str:
    """A split score as one line of JSON."""
    return _text(Form.WHY, why_dict(found))


def neurons_json(view: NeuronView) -> str:
    """Queries, keys and products of one head as one line of JSON."""
    return _text(Form.NEURONS, neurons_dict(view))


def decay_json(decay: Decay) -> str:
    """How a head's dimensions change with distance, as one line of JSON."""
    return _text(Form.DECAY, decay_dict(decay))


def _text(form: Form, values: dict[str, Any]) -> str:
    whole = {"form": str(form), "version": SCHEMA_VERSION, **values}
    return orjson.dumps(writable(whole)).decode()


def why_dict(found: WhyThere) -> dict[str, Any]:
    """A split score as plain values that JSON can hold."""
    plain = (
        "layer", "head", "query", "key", "scale", "product", "score", "mean_product", "weight",
        "rank", "seen", "window", "sink", "error", "tolerance", "exact", "pattern_error",
    )  # fmt: skip
    return {
        "model": asdict(found.model),
        "tokens": [asdict(token) for token in found.tokens],
        "keys": None if found.keys is None else [asdict(token) for token in found.keys],
        **{name: getattr(found, name) for name in plain},
        "terms": [{"term": str(term), "value": value} for term, value in found.terms],
        "query_parts": [_part_dict(part) for part in found.query_parts],
        "key_parts": [_part_dict(part) for part in found.key_parts],
        "pairs": array_text(found.pairs, "<f8"),
        "query_sums": [_sum_dict(each) for each in found.query_sums],
        "key_sums": [_sum_dict(each) for each in found.key_sums],
        "pattern": array_text(found.pattern, "<f4"),
        "part": str(found.part),
    }


def _part_dict(part: ScorePart) -> dict[str, Any]:
    return {"what": str(part.what), "share": part.share, "beyond": part.beyond}


def _sum_dict(each: KindSum) -> dict[str, Any]:
    return asdict(each) | {"kind": None if each.kind is None else str(each.kind)}


def neurons_dict(view: NeuronView) -> dict[str, Any]:
    """A head's queries and keys as plain values that JSON can hold."""
    plain = (
        "layer", "head", "query", "scale", "cap", "window", "rotary", "sink", "pattern_error",
    )  # fmt: skip
    arrays = ("q", "k", "product", "score", "pattern", "deciding")
    return {
        "model": asdict(view.model),
        "tokens": [asdict(token) for token in view.tokens],
        "keys": None if view.keys is None else [asdict(token) for token in view.keys],
        "part": str(view.part),
        "sources": len(view.k),
        "d_head": len(view.q),
        **{name: getattr(view, name) for name in plain},
        **{name: array_text(getattr(view, name), "<f4") for name in arrays},
        "decay": None if view.decay is None else decay_dict(view.decay),
    }


def decay_dict(decay: Decay) -> dict[str, Any]:
    """Shares by distance as plain values that JSON can hold."""
    return {
        "model": None if decay.model is None else asdict(decay.model),
        "layer": decay.layer,
        "head": decay.head,
        "prompts": decay.prompts,
        "rotary": decay.rotary,
        "slope": decay.slope,
        "counts": decay.counts.tolist(),
        "d_head": decay.sums.shape[1],
        "sums": array_text(decay.sums, "<f8"),
        "slopes": decay.slopes.tolist(),
        "correlations": decay.correlations.tolist(),
    }


# ---- reading ----------------------------------------------------------------------------------


def read_head(text: str) -> WhyThere | NeuronView | Decay:
    """Reads any of the three back. Raises RequestError for anything else, with what is at fault."""
    top = Fields(Fields.of(parse(text), "the file").values, "")
    form = top.choice("form", Form)
    if top.values.get("version") != SCHEMA_VERSION:
        raise RequestError(
            f"The file's version is {str(top.values.get('version', 'missing'))[:20]}; this "
            f"flowviz reads version {SCHEMA_VERSION}. {WAY_OUT}"
        )
    return READERS[form](top)


def _read_why(item: Fields) -> WhyThere:
    query_parts, key_parts = (_read_parts(item, side) for side in ("query_parts", "key_parts"))
    tokens, query = _read_tokens(item)
    key, part = item.whole("key"), item.choice("part", Part)
    keys = _read_keys(item)
    seen = query + 1 if part is Part.DECODER else len(tokens if keys is None else keys)
    if key >= seen:
        raise fault(f"key is {key}, behind the {seen} tokens that the query may see")
    return WhyThere(
        model=read_model(item.part("model")),
        tokens=tokens,
        query=query,
        key=key,
        **_wholes(item, "layer", "head", "rank", "seen"),
        **_numbers(item, "scale", "product", "score", "mean_product", "weight"),
        **_numbers(item, "error", "tolerance", "pattern_error"),
        terms=tuple(_read_term(term) for term in item.parts("terms")),
        window=item.whole_or_none("window"),
        sink=item.number_or_none("sink"),
        query_parts=query_parts,
        key_parts=key_parts,
        pairs=read_array(item, "pairs", "<f8", (len(query_parts), len(key_parts))),
        query_sums=tuple(_read_sum(each) for each in item.parts("query_sums")),
        key_sums=tuple(_read_sum(each) for each in item.parts("key_sums")),
        pattern=read_array(item, "pattern", "<f4", (seen,)),
        part=part,
        keys=keys,
    )


def _read_tokens(item: Fields) -> tuple[tuple[Any, ...], int]:
    tokens, query = read_tokens(item.parts("tokens")), item.whole("query")
    if query >= len(tokens):
        raise fault(f"query is {query}, and there are {len(tokens)} tokens")
    return tokens, query


def _read_keys(item: Fields) -> tuple[Any, ...] | None:
    return None if item.values.get("keys") is None else read_tokens(item.parts("keys"))


def _read_term(item: Fields) -> tuple[Term, float]:
    return item.choice("term", Term), item.number("value")


def _read_parts(item: Fields, side: str) -> tuple[ScorePart, ...]:
    return tuple(
        ScorePart(_read_what(part), part.number("share"), part.number("beyond"))
        for part in item.parts(side)
    )


def _read_what(item: Fields) -> NodeKey | Inside:
    text = item.text("what")
    if text in set(Inside):
        return Inside(text)
    try:
        return NodeKey.parse(text)
    except RequestError as error:
        raise fault(f"{item.where}.what: {error}") from None


def _read_sum(item: Fields) -> KindSum:
    kind = None if item.text_or_none("kind") is None else item.choice("kind", NodeKind)
    numbers = item.number("share"), item.number("beyond")
    return KindSum(kind, item.whole("layer"), *numbers, item.whole("count"))


def _read_neurons(item: Fields) -> NeuronView:
    tokens, query = _read_tokens(item)
    keys = _read_keys(item)
    sources, size = item.whole("sources"), item.whole("d_head")
    if sources > len(tokens if keys is None else keys):
        raise fault(f"sources is {sources}, more than there are tokens")
    decay = item.part_or_none("decay")
    return NeuronView(
        model=read_model(item.part("model")),
        tokens=tokens,
        query=query,
        **_wholes(item, "layer", "head"),
        **_numbers(item, "scale", "pattern_error"),
        **_arrays(item, (size,), "q", "deciding"),
        **_arrays(item, (sources, size), "k", "product"),
        **_arrays(item, (sources,), "score", "pattern"),
        cap=item.number_or_none("cap"),
        window=item.whole_or_none("window"),
        rotary=item.flag("rotary"),
        sink=item.number_or_none("sink"),
        decay=None if decay is None else _read_decay(decay),
        keys=keys,
        part=item.choice("part", Part),
    )


def _read_decay(item: Fields) -> Decay:
    counts: NDArray[np.int64] = np.array(item.wholes("counts"), dtype=np.int64)
    sums = read_array(item, "sums", "<f8", (len(counts), item.whole("d_head")))
    if not len(counts) or not np.isfinite(sums).all():
        raise fault(f"{item.where or 'the file'} has no sums by distance")
    places = item.whole("layer"), item.whole("head")
    model = item.part_or_none("model")
    shape = None if model is None else read_model(model)
    return Decay(*places, counts, sums, item.flag("rotary"), item.whole("prompts"), shape)


def _arrays(item: Fields, shape: tuple[int, ...], *names: str) -> dict[str, Any]:
    return {name: read_array(item, name, "<f4", shape) for name in names}


def _wholes(item: Fields, *names: str) -> dict[str, Any]:
    return {name: item.whole(name) for name in names}


def _numbers(item: Fields, *names: str) -> dict[str, Any]:
    return {name: item.number(name) for name in names}


READERS: dict[Form, Callable[[Fields], WhyThere | NeuronView | Decay]] = {
    Form.WHY: _read_why,
    Form.NEURONS: _read_neurons,
    Form.DECAY: _read_decay,
}
