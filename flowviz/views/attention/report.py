"""Kinds of heads as a report in plain text; it fits into 100 columns of a terminal."""

from __future__ import annotations

from flowviz.attention.types import (
    KIND_WORDS,
    OFFSETS,
    AttentionMaps,
    Column,
    HeadsFound,
    KindScores,
    Part,
    check_kind,
)
from flowviz.graph.types import ModelShape
from flowviz.views.tokens import clip, visible

COLUMNS = 100
INDENT = 13
NAMED = ("previous", "next", "first", "special", "same", "duplicate", "induction")
ALWAYS = ("previous", "first", "same", "duplicate", "induction")  # said also where there is none
FEW, MANY = 5, 24  # heads of each kind, and of one kind alone


def of_prompt(maps: AttentionMaps, kind: str | None = None) -> str:
    """The strongest heads of each kind on one prompt, or those of one kind alone."""
    head = [] if maps.model is None else _head(maps.model)
    head += [*_texts(maps), _line("Tokens", _count(maps))]
    head += [_line("Note", note) for note in maps.notes]
    return _text(head, maps.kinds, kind)


def _texts(maps: AttentionMaps) -> list[str]:
    """What was read, and what was written, one text a line."""
    if len(maps.parts) > 1:
        part = [_line("Part", f"{maps.part} (of {', '.join(maps.parts)})")]
        column = maps.keys
        written = [_line("Written", _joined(maps.queries))] if maps.sources is not None else []
        title = "Written" if maps.part is Part.DECODER else "Prompt"
        return [*part, _line(title, _joined(column)), *written]
    return [_line("Prompt", _joined(maps.queries))]


def _joined(column: Column) -> str:
    hidden = set(column.masked)
    texts = (f"[{visible(t.text).strip()}]" if t.position in hidden else visible(t.text)
             for t in column.tokens)  # fmt: skip
    return "".join(texts)


def _count(maps: AttentionMaps) -> str:
    across = "" if maps.sources is None else f", which look at {len(maps.sources):,}"
    return f"{maps.positions:,}{across}"


def of_set(found: HeadsFound, kind: str | None = None) -> str:
    """The same as means over a set of prompts."""
    head = [*_head(found.model), _line("Prompts", f"{found.prompts:,}")]
    return _text(head, found.kinds, kind)


def _head(model: ModelShape) -> list[str]:
    name = f"{visible(model.name)} ({visible(model.architecture)})"
    return [_line("Model", f"{name}, {model.layers} layers of {model.heads} heads")]


def _text(head: list[str], kinds: KindScores, kind: str | None) -> str:
    rows = (
        [line for each in (*_named(kinds), *_offsets(kinds)) for line in _kind(kinds, each, FEW)]
        if kind is None
        else _kind(kinds, check_kind(kind), MANY)
    )
    return "\n".join([*head, "", *rows]) + "\n"


def _named(kinds: KindScores) -> list[str]:
    return [kind for kind in NAMED if kind in ALWAYS or kinds.queries_of(kind)]


def _offsets(kinds: KindScores) -> list[str]:
    """The offsets beyond the named ones at which some head looks twice as much as by chance."""
    names = [f"offset:{k}" for k in (*range(2, OFFSETS), *range(-2, -OFFSETS, -1))]
    found = [name for name in names if kinds.queries_of(name)]
    return [name for name in found if kinds.scores(name).max() > 2 * kinds.chance(name)]


def _kind(kinds: KindScores, kind: str, most: int) -> list[str]:
    count = kinds.queries_of(kind)
    if not count:
        return [_line(kind, f"{KIND_WORDS[kind]}: no token here has such a place")]
    over = "1 query" if count == 1 else f"{count:,} queries"
    lines = [_line(kind, f"{KIND_WORDS[kind]} ({over}; by chance {kinds.chance(kind):.3f})")]
    cells = [f"L{h.layer} H{h.head} {h.score:.3f}" for h in kinds.strongest(kind, most)]
    wide = max(map(len, cells)) + 3
    a_row = (COLUMNS - INDENT) // wide
    rows = [cells[start : start + a_row] for start in range(0, len(cells), a_row)]
    return [*lines, *(_line("", "".join(f"{cell:{wide}}" for cell in row)) for row in rows)]


def _line(title: str, words: str) -> str:
    return f"{title:<{INDENT}}{clip(words, COLUMNS - INDENT)}".rstrip()
