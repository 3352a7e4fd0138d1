"""One line of a CoNLL-U file: ten columns, read by the library `conllu` behind checks of our own.

What is wrong with a line loses as little as it can: a head that is no number loses the word's
governor, too few columns lose its annotations, and only a line without a number or a form is lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from conllu.exceptions import ParseException
from conllu.parser import parse_comment_line, parse_id_value, parse_int_value

from flowviz.checked import shown
from flowviz.contexts.corpus.lines import Line
from flowviz.contexts.corpus.types import Fault

COLUMNS = 10
MOST_DIGITS = 12
ID, FORM, LEMMA, UPOS, XPOS, FEATS, HEAD, DEPREL, _, MISC = range(COLUMNS)


@dataclass(frozen=True)
class Row:
    """A word, or a multi-word token of which the words `first` to `last` follow.

    `head` is as in the file: 0 for the root, None for nothing. Empty where the file has "_".
    """

    line: int
    first: int
    last: int
    is_range: bool
    form: str
    lemma: str = ""
    upos: str = ""
    xpos: str = ""
    feats: str = ""
    head: int | None = None
    deprel: str = ""
    misc: Mapping[str, str] = field(default_factory=dict)


def read_row(line: Line, file: str) -> tuple[Row | None, Fault | None]:
    """A line's row and what was wrong; no row and no fault for an empty node (8.1)."""
    columns = (line.text or "").split("\t")
    form = columns[FORM].strip() if len(columns) > FORM else ""
    number = _number(columns[ID])
    if number is None or not form:
        why = f"{shown(columns[ID])} is no number of a word." if form else "There is no word."
        return None, Fault(file, line.number, why, "the line")
    first, last, mark = number
    if mark == ".":
        return None, None
    if len(columns) != COLUMNS:
        why = f"There are {len(columns)} columns; it takes {COLUMNS}."
        bare = Row(line.number, first, last, mark == "-", form)
        return bare, Fault(file, line.number, why, "the word's annotations")
    head, wrong = _head(columns[HEAD])
    row = Row(
        line.number, first, last, mark == "-", form,
        lemma=_said(columns[LEMMA]), upos=_said(columns[UPOS]), xpos=_said(columns[XPOS]),
        feats=_said(columns[FEATS]), head=head, deprel=_said(columns[DEPREL]),
        misc=_misc(columns[MISC]),
    )  # fmt: skip
    return row, Fault(file, line.number, wrong, "the word's governor") if wrong else None


def comments(lines: list[Line]) -> dict[str, str]:
    """What the comments of a sentence say, by their names; "" for those that only stand there."""
    found = dict[str, str]()
    for line in lines:
        text = line.text or "#"
        for key, value in parse_comment_line(text):
            found[key] = value or ""
    return found


def _number(text: str) -> tuple[int, int, str] | None:
    """First and last number and what stands between them: "-", "." or nothing."""
    if len(text) > MOST_DIGITS or not text.isascii():
        return None
    try:
        number = parse_id_value(text)
    except ParseException:
        return None
    if isinstance(number, tuple):
        return number[0], number[2], str(number[1])
    return None if number is None or number == 0 else (number, number, "")


def _head(text: str) -> tuple[int | None, str]:
    try:
        head = parse_int_value(text) if len(text) <= MOST_DIGITS and text.isascii() else -1
    except ParseException:
        head = -1
    if head is not None and head < 0:
        return None, f"Its head is {shown(text)}; it takes the number of a word, or 0."
    return head, ""


def _misc(text: str) -> dict[str, str]:
    """Our own, for the library's cuts a value at its second "="."""
    parts = (part.partition("=") for part in text.split("|"))
    return {key: value for key, _, value in parts if key not in ("", "_")}


def _said(text: str) -> str:
    return "" if text == "_" else text.strip()
