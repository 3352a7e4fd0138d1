"""A small notation in which a sentence is written once with its analysis.

A template is words separated by blanks. Each word is

    form                       a function word: the table below knows its tag and relation
    form|deprel                a content word that depends on the root
    form|UPOS.deprel@head      with its part of speech, and the form of the word it depends on
    {slot}|deprel@head         filled with an :class:`Entry`, which brings the part of speech
    {slot}!|deprel             the word that a probe asks for

Heads that are not written follow two rules: determiners, prepositions, adjectives, numerals and
compounds depend on the next word that is none of these; everything else depends on the root.
``@word#2`` is the second occurrence of ``word``. ``a~`` becomes "a" or "an".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from flowviz.demo.document import Document, Probe, Word
from flowviz.demo.lexicon.entry import Entry
from flowviz.demo.lexicon.words import LEMMA

_FUNCTION_WORDS = """
DET.det: the a a~ this that these those every each all some no
ADP.case: of to in at on by with from for about into near under like behind
CCONJ.cc: and but or
AUX.cop: is are was were be
PART.advmod: not
PUNCT.punct: . , : ; ! ? " ' ( ) [ ] { } “ ” -> = « » -
ADV.advmod: then now today yesterday tomorrow here there also soon always often later again
"""
FUNCTION: dict[str, tuple[str, str]] = {
    form: tuple(tag.split("."))  # type: ignore[misc]
    for tag, _, forms in (line.partition(": ") for line in _FUNCTION_WORDS.strip().split("\n"))
    for form in forms.split()
}
_LEANS_RIGHT = {"det", "case", "amod", "nummod", "nmod:poss", "compound", "cc"}
_UPOS_OF = {
    "amod": "ADJ",
    "advmod": "ADV",
    "mark": "SCONJ",
    "aux": "AUX",
    "aux:pass": "AUX",
    "cop": "AUX",
    "case": "ADP",
    "det": "DET",
    "nummod": "NUM",
    "root": "VERB",
    "advcl": "VERB",
    "ccomp": "VERB",
    "xcomp": "VERB",
    "acl": "VERB",
    "acl:relcl": "VERB",
    "parataxis": "VERB",
}
_NO_SPACE_BEFORE = set(".,:;!?)]}”»")
_BASE = dict.fromkeys(("is", "are", "was", "were", "been"), "be") | {"an": "a", "'s": "'s"}
_NO_SPACE_AFTER = set("([{“«")


@dataclass(frozen=True)
class Piece:
    """One word of a template. ``head`` is an index, or -1 for the root's own head."""

    form: str
    slot: bool
    upos: str
    deprel: str
    head: int
    probe: bool
    space: bool


@cache
def parse(text: str) -> tuple[Piece, ...]:
    """Read a template's notation."""
    raw = [_split(item) for item in text.split()]
    labels = [form for form, *_ in raw]
    root = next((i for i, (_, _, rel, _, _) in enumerate(raw) if rel == "root"), None)
    if root is None:
        raise ValueError(f"The template {text!r} has no root: give one word the relation root.")
    spaces = _spaces(labels)
    return tuple(
        Piece(form.strip("{}") if slot else form, slot, upos, rel, head, probe, spaces[i])
        for i, (form, upos, rel, at, probe) in enumerate(raw)
        for slot in (_is_slot(form),)
        for head in (_head(i, rel, at, raw, labels, root),)
    )


def _is_slot(form: str) -> bool:
    return len(form) > 2 and form[0] == "{" and form[-1] == "}"


def _split(item: str) -> tuple[str, str, str, str, bool]:
    form, _, analysis = item.partition("|")
    probe = form.endswith("!") and len(form) > 1
    form = form[:-1] if probe else form
    tag, _, at = analysis.partition("@")
    upos, _, rel = tag.rpartition(".")
    known = FUNCTION.get(form) or FUNCTION.get(form.lower())
    if known and not rel:
        upos, rel = known
    if not rel:
        raise ValueError(f"The template word {form!r} needs a relation: write {form}|deprel.")
    if not upos and not _is_slot(form):
        upos = known[0] if known and known[1] == rel else _UPOS_OF.get(rel, "NOUN")
    return form, upos, rel, at, probe


def _head(i: int, rel: str, at: str, raw: list, labels: list[str], root: int) -> int:
    if rel == "root":
        return -1
    if at:
        name, _, nth = at.partition("#")
        found = [k for k, label in enumerate(labels) if label.strip("{}") == name and k != i]
        if not found:
            raise ValueError(f"No word {name!r} among {labels} to be a head.")
        return found[int(nth or 1) - 1]
    if rel == "case" and labels[i] == "'s":
        return i - 1
    if rel in _LEANS_RIGHT:
        skip = _LEANS_RIGHT | {"punct", "advmod"}
        return next((k for k in range(i + 1, len(raw)) if raw[k][2] not in skip), root)
    return root


def _spaces(labels: list[str]) -> list[bool]:
    spaces, quotes = [], 0
    glue = True
    for label in labels:
        closing = label in _NO_SPACE_BEFORE or label == "'s"
        if label in "\"'":
            closing, quotes = quotes % 2 == 1, quotes + 1
            opening = not closing
        else:
            opening = label in _NO_SPACE_AFTER
        spaces.append(not (glue or closing))
        glue = opening
    return spaces


def render(
    text: str,
    fills: Mapping[str, Entry],
    phenomenon: str = "",
    accept: frozenset[str] = frozenset(),
    contrast: str | None = None,
) -> Document:
    """Fill a template's slots; probes bear the phenomenon's name, if there is one."""
    pieces = parse(text)
    root = next(i for i, piece in enumerate(pieces) if piece.head < 0)
    entries = [fills[p.form] if p.slot else None for p in pieces]
    forms = [entry.form if entry else p.form for p, entry in zip(pieces, entries, strict=True)]
    words = tuple(
        _word(p, entry, _article(i, forms), 0 if i == root else p.head + 1)
        for i, (p, entry) in enumerate(zip(pieces, entries, strict=True))
    )
    probes = tuple(
        Probe(phenomenon, i, accept, contrast)
        for i, piece in enumerate(pieces)
        if piece.probe and phenomenon
    )
    return Document((words,), probes)


def _article(i: int, forms: list[str]) -> str:
    if forms[i] not in ("a~", "A~"):
        return forms[i]
    return forms[i][0] + ("n" if forms[i + 1][0].lower() in "aeiou" else "")


def _word(piece: Piece, entry: Entry | None, form: str, head: int) -> Word:
    if entry is None:
        return Word(form, piece.space, piece.upos, piece.deprel, head, _lemma(form, piece.upos))
    upos = piece.upos or entry.upos
    return Word(form, piece.space, upos, piece.deprel, head, entry.lemma, entry.feats, entry.entity)


def _lemma(form: str, upos: str) -> str:
    low = form.lower()
    verbal = upos in ("VERB", "AUX")
    return _BASE.get(low) or (LEMMA.get(low, low) if verbal else low)
