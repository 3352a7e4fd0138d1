"""Token texts made fit to be shown.

They are untrusted: they may hold spaces, newlines, controls, or characters that turn the direction
of a line. `visible` makes all of that show, and keeps right-to-left text to itself between
isolates (Unicode UAX 9), so that what stands beside it stays where it is.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

MARKS = {" ": "␣", "\n": "↵", "\t": "⇥", "\r": "␍", "\xa0": "⍽", "\x7f": "␡", "\ufffd": "⟨byte⟩"}
LOOKS_EMPTY = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
ISOLATE, ISOLATE_END = "\u2068", "\u2069"
WIDTHS = (
    ("il.,:;'|!j I[]()", 0.36),
    ('ftr-/\\"`', 0.42),
    ("mMwW@%…", 1.0),
    ("<>=+~#QO", 0.84),
)  # in font sizes, of characters unlike most
Measure = Callable[[str], float]
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
        return f"<0x{ord(character):02X}>"  # as bytes that are no text: few fonts draw U+2400
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


def ems(text: str) -> float:
    """About how wide the text is in a proportional font of the page, in its font sizes.

    The widths are those of DejaVu Sans, the widest of the fonts that the page may get.
    """
    return sum((_ems(character) for character in text), 0.0)


def _ems(character: str) -> float:
    wide = next((share for letters, share in WIDTHS if character in letters), None)
    if wide is not None:
        return wide
    columns = _columns(character)
    return 0.7 if character.isupper() else (0.0, 0.63, 1.0)[columns]


def clip(text: str, columns: int) -> str:
    """The text cut to so many columns, with an ellipsis; an opened isolate is closed again."""
    return _clipped(text, float(columns), 1.0, width)


def clip_ems(text: str, most: float) -> str:
    """The text cut to what fits into so many font sizes, as `clip` cuts it."""
    return _clipped(text, most, 1.0, ems)


def _clipped(text: str, most: float, mark: float, measure: Measure) -> str:
    if measure(text) <= most:
        return text
    kept, used = [], 0.0
    for character in text:
        used += measure(character)
        if used > most - mark:
            break
        kept.append(character)
    return "".join(kept) + "…" + (ISOLATE_END if ISOLATE in kept else "")
