"""Contexts that were found as JSON, and back: version 1, described in docs/contexts-json.md.

What is read back equals what was written, and what comes from a file is checked field by field.
"""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from flowviz.attention.arrays import array_text, read_array
from flowviz.attention.json import column_dict, read_column
from flowviz.contexts.corpus.types import NO_GOVERNOR, ROOT, Word
from flowviz.contexts.kinds import Feature, Role, Site
from flowviz.contexts.request import ContextRequest
from flowviz.contexts.store.types import StoreInfo
from flowviz.contexts.tables import hits_table, summary_table
from flowviz.contexts.types import SCHEMA_VERSION, Bar, ContextsFound, Hit, Summary
from flowviz.errors import RequestError
from flowviz.graph.fields import WAY_OUT, Fields, fault
from flowviz.graph.json_parts import MAX_CHARACTERS, parse, read_model, writable

__all__ = ["contexts_dict", "hits_table", "read_contexts", "summary_table", "to_json"]
GOVERNOR = {ROOT: "root", NO_GOVERNOR: None}
TAGS = ("lemma", "upos", "xpos", "feats", "deprel", "entity")


# ---- writing ----------------------------------------------------------------------------------


def to_json(found: ContextsFound) -> str:
    """The answer as one line of JSON. Raises RequestError where that would be too long to read."""
    cells = sum(hit.attention.size for hit in found.hits) + found.attention.size
    text = "" if cells * 8 / 3 > MAX_CHARACTERS else orjson.dumps(contexts_dict(found)).decode()
    if not text or len(text) > MAX_CHARACTERS:
        raise RequestError(
            f"The attention of {len(found.hits):,} sentences takes more than the "
            f"{MAX_CHARACTERS // 2**20} MB that are read back. Ask for fewer hits, or save the "
            "table of hits."
        )
    return text


def contexts_dict(found: ContextsFound) -> dict[str, Any]:
    """The answer as plain values that JSON can hold."""
    return writable(
        {
            "version": found.version,
            "request": found.request.to_mapping(),
            "model": asdict(found.model),
            "store": _store_dict(found.store),
            "query": column_dict(found.query),
            "position": found.position,
            "attention": array_text(found.attention, "<f2"),
            "attended": found.attended,
            "heads": [list(pair) for pair in found.heads],
            "hits": [_hit_dict(hit) for hit in found.hits],
            "summaries": [asdict(summary) for summary in found.summaries],
            "searched": found.searched,
            "exact": found.exact,
            "recall": found.recall,
            "fewer": found.fewer,
            "notes": list(found.notes),
        }
    )


def _store_dict(store: StoreInfo) -> dict[str, Any]:
    return asdict(store) | {"sites": [str(site) for site in store.sites]}


def _hit_dict(hit: Hit) -> dict[str, Any]:
    return {
        "row": hit.row,
        "sentence": hit.sentence,
        "part": hit.part,
        "place": hit.place,
        "text": hit.text,
        "tokens": column_dict(hit.tokens),
        "words": [
            asdict(word) | {"head": GOVERNOR.get(word.head, word.head)} for word in hit.words
        ],
        "word_of": [None if word < 0 else word for word in hit.word_of],
        "position": hit.position,
        "score": hit.score,
        "attended": hit.attended,
        "attention": array_text(hit.attention, "<f2"),
    }


# ---- reading ----------------------------------------------------------------------------------


def read_contexts(text: str) -> ContextsFound:
    """Reads `to_json` back. Raises RequestError for anything else, with what is at fault."""
    top = Fields(Fields.of(parse(text), "the file").values, "")
    if top.values.get("version") != SCHEMA_VERSION:
        raise RequestError(
            f"The version of these contexts is {str(top.values.get('version', 'missing'))[:20]}; "
            f"this flowviz reads version {SCHEMA_VERSION}. {WAY_OUT}"
        )
    query = read_column(top.part("query"))
    return ContextsFound(
        request=ContextRequest.from_mapping(top.part("request").values),
        model=read_model(top.part("model")),
        store=_read_store(top.part("store")),
        query=query,
        position=_below(top, "position", len(query)),
        attention=_read_attention(top, len(query)),
        attended=_below_or_none(top, "attended", len(query)),
        heads=_read_heads(top),
        hits=tuple(_read_hit(item) for item in top.parts("hits")),
        summaries=tuple(_read_summary(item) for item in top.parts("summaries")),
        searched=top.whole("searched"),
        exact=top.flag("exact"),
        recall=None if top.number_or_none("recall") is None else _share(top, "recall"),
        fewer=top.text("fewer"),
        notes=top.texts("notes"),
    )


def _read_store(item: Fields) -> StoreInfo:
    return StoreInfo(
        *(item.text(name) for name in ("name", "model", "identity")),
        sentences=item.whole("sentences"),
        rows=item.whole("rows"),
        parts=item.texts("parts"),
        annotations=tuple(_choices(item, "annotations")),
        sites=tuple(_site(item, text) for text in item.texts("sites")),
        faults=item.whole("faults"),
        notes=item.texts("notes"),
        bytes=item.whole("bytes"),
    )


def _choices(item: Fields, name: str) -> list[Feature]:
    named = Fields({str(at): text for at, text in enumerate(item.texts(name))}, f"store.{name}")
    return [named.choice(place, Feature) for place in named.values]


def _site(item: Fields, text: str) -> Site:
    try:
        return Site.parse(text)
    except RequestError as error:
        raise fault(f"{item.where}.sites: {error}") from None


def _read_heads(item: Fields) -> tuple[tuple[int, int], ...]:
    rows = item.values.get("heads")
    if not isinstance(rows, list):
        raise fault("heads is no list")
    pairs = [Fields({"heads": row}, "").wholes("heads") for row in rows]
    if any(len(pair) != 2 for pair in pairs):
        raise fault("heads is no list of a layer and a head each")
    return tuple((pair[0], pair[1]) for pair in pairs)


def _read_hit(item: Fields) -> Hit:
    tokens, text = read_column(item.part("tokens")), item.text("text")
    words = item.parts("words")
    score = item.number("score")
    if not math.isfinite(score):
        raise fault(f"{item.where}.score is {score} and should be a finite number")
    return Hit(
        row=item.whole("row"),
        sentence=item.whole("sentence"),
        part=item.text("part"),
        place=item.text("place"),
        text=text,
        tokens=tokens,
        words=tuple(_read_word(word, len(words), len(text)) for word in words),
        word_of=_read_word_of(item, len(tokens), len(words)),
        position=_below(item, "position", len(tokens)),
        score=score,
        attended=_below_or_none(item, "attended", len(tokens)),
        attention=_read_attention(item, len(tokens)),
    )


def _read_word(item: Fields, words: int, characters: int) -> Word:
    start, end = item.whole("start"), item.whole("end")
    if not start <= end <= characters:
        raise fault(f"{item.where} is from {start} to {end}, of {characters:,} characters")
    head = item.values.get("head", "")
    known = {text: number for number, text in GOVERNOR.items()}
    return Word(
        form=item.text("form"),
        start=start,
        end=end,
        head=known[head] if head in (None, "root") else _below(item, "head", words),
        **{name: item.text(name) for name in TAGS},
    )


def _read_word_of(item: Fields, tokens: int, words: int) -> tuple[int, ...]:
    values = item.values.get("word_of")
    if not isinstance(values, list) or len(values) != tokens:
        raise fault(f"{item.where}.word_of is no list of {tokens} numbers")
    named = Fields(
        {str(place): value for place, value in enumerate(values)}, f"{item.where}.word_of"
    )
    found = [_below_or_none(named, place, words) for place in named.values]
    return tuple(-1 if word is None else word for word in found)


def _read_attention(item: Fields, tokens: int) -> NDArray[np.float16]:
    found = read_array(item, "attention", "<f2", (tokens, tokens))
    if not ((found >= 0) & (found <= 1.01)).all():
        raise fault(f"{item.where or 'the file'}: attention holds what is not from 0 to 1")
    return found


def _read_summary(item: Fields) -> Summary:
    return Summary(
        role=item.choice("role", Role),
        feature=item.choice("feature", Feature),
        known=item.whole("known"),
        unknown=item.whole("unknown"),
        bars=tuple(_read_bar(bar) for bar in item.parts("bars")),
        others=item.whole("others"),
        base_of=item.text("base_of"),
    )


def _read_bar(item: Fields) -> Bar:
    over, ratio = item.values.get("over"), item.number("ratio")
    if isinstance(over, bool) or over not in (-1, 0, 1):
        raise fault(f"{item.where}.over is {str(over)[:20]!r} and should be -1, 0 or 1")
    if not ratio >= 0:
        raise fault(f"{item.where}.ratio is {ratio} and should be a number from 0 on")
    shares = (_share(item, name) for name in ("share", "low", "high", "base"))
    return Bar(item.text("value"), item.whole("count"), *shares, ratio=ratio, over=int(over))


def _share(item: Fields, name: str) -> float:
    value = item.number(name)
    if not 0 <= value <= 1:
        raise fault(f"{item.where or 'the file'}: {name} is {value} and should be from 0 to 1")
    return value


def _below(item: Fields, name: str, most: int) -> int:
    value = item.whole(name)
    if value >= most:
        raise fault(f"{item.where or 'the file'}: {name} is {value}, of {most}")
    return value


def _below_or_none(item: Fields, name: str, most: int) -> int | None:
    return None if item.whole_or_none(name) is None else _below(item, name, most)
