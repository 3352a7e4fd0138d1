"""Token texts made fit to be shown.

They are untrusted: they may hold spaces, newlines, controls, or characters that turn the direction
of a line. `visible` makes all of that show, and keeps right-to-left text to itself between
isolates (Unicode UAX 9), so that what stands beside it stays where it is.
"""

from __future__ import annotations

import re
import unicodedata

MARKS = {" ": "␣", "\n": "↵", "\t": "⇥", "\r": "␍", "\xa0": "⍽", "\x7f": "␡", "\ufffd": "⟨byte⟩"}
LOOKS_EMPTY = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
ISOLATE, ISOLATE_END = "\u2068", "\u2069"
_PLAIN = re.compile(r"[!-~]+")


def visible(text: str) -> str:
    """The text with everything that would not show made visible. Not to be applied twice."""
    if _PLAIN.fullmatch(text):
        return text
    if not text:
        return "⟨empty⟩"
    shown = "".join(_mark(character) for character in text)
    if unicodedata.category(text[0]).startswith("M"):
        shown = "◌" + shown
    if any(unicodedata.bidirectional(character) in ("R", "AL", "AN") for character in shown):
        return f"{ISOLATE}{shown}{ISOLATE_END}"
    return shown


def _mark(character: str) -> str:
    if character in MARKS:
        return MARKS[character]
    if character < " ":
        return chr(0x2400 + ord(character))
    if unicodedata.category(character)[0] in "CZ" or character in LOOKS_EMPTY:
        return f"⟨U+{ord(character):04X}⟩"
    return character


def width(text: str) -> int:
    """How many columns of a fixed-width font the text takes."""
    return sum(_columns(character) for character in text)


def _columns(character: str) -> int:
    if character <= "\u02ff":
        return 1
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def clip(text: str, columns: int) -> str:
    """The text cut to so many columns, with an ellipsis; an opened isolate is closed again."""
    if width(text) <= columns:
        return text
    kept, used = [], 0
    for character in text:
        used += _columns(character)
        if used > columns - 1:
            break
        kept.append(character)
    return "".join(kept) + "…" + (ISOLATE_END if ISOLATE in kept else "")
