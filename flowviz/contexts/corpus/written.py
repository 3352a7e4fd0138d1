"""How the words of a treebank's sentence were written: its text, and where each word stands in it.

The text is what `# text =` says, if the words stand in it one after the other with nothing but
white space between them. Otherwise it is made from the words and from what they say of the space
behind them: `SpaceAfter=No`, `SpacesAfter=\\s\\n` (UDPipe).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import chain

Span = tuple[int, int]
ESCAPED = {"s": " ", "n": "\n", "r": "\r", "t": "\t", "p": "|", "\\": "\\"}


def found_in(text: str, forms: Sequence[str], gap: int | None = None) -> list[Span] | None:
    """Where the words stand in a text; None where it is not made of them.

    Args:
        gap: before which word a word may be missing; len(forms) for behind the last.
    """
    cut = len(forms) if gap is None else gap
    before, end = _forward(text, forms[:cut])
    behind, start = _backward(text, forms[cut:])
    if before is None or behind is None or end > start:
        return None
    return None if gap is None and text[end:start].strip() else [*before, *behind]


def _forward(text: str, forms: Sequence[str]) -> tuple[list[Span] | None, int]:
    spans, end = list[Span](), 0
    for form in forms:
        while end < len(text) and text[end].isspace():
            end += 1
        if not text.startswith(form, end):
            return None, end
        spans.append((end, end + len(form)))
        end += len(form)
    return spans, end


def _backward(text: str, forms: Sequence[str]) -> tuple[list[Span] | None, int]:
    spans, start = list[Span](), len(text)
    for form in reversed(forms):
        while start and text[start - 1].isspace():
            start -= 1
        if not text.endswith(form, 0, start):
            return None, start
        spans.append((start - len(form), start))
        start -= len(form)
    return spans[::-1], start


def made_of(forms: Sequence[str], miscs: Sequence[Mapping[str, str]]) -> tuple[str, list[Span]]:
    """The text that the words make, and where they stand in it."""
    spaces = [_behind(misc) for misc in miscs[:-1]]
    text = "".join(chain.from_iterable(zip(forms, [*spaces, ""], strict=True)))
    spans, end = list[Span](), 0
    for form, space in zip(forms, [*spaces, ""], strict=True):
        spans.append((end, end + len(form)))
        end += len(form) + len(space)
    return text, spans


def _behind(misc: Mapping[str, str]) -> str:
    if misc.get("SpaceAfter") == "No":
        return ""
    written = misc.get("SpacesAfter")
    if not written:
        return " "
    spaces = re.sub(r"\\(.)", lambda found: ESCAPED.get(found[1], " "), written)
    return spaces if not spaces.strip() else " "
