"""Words of plain text, with their places, by one rule for all scripts.

A word is a run of letters, digits, combining marks and joiners; apostrophes within it belong to it
(don't, l’eau), and so do points and commas between digits (3.14, 1,000). Each character of Chinese
and Japanese is a word, for nobody marks their words. An emoji is one with what modifies it. Any
other character is a word of its own, or with those like it beside it (..., --).
"""

from __future__ import annotations

import re
import sys
import unicodedata
from functools import cache

from flowviz.contexts.corpus.types import Word

_IDEOGRAPHS = (
    "\u3041-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f"
    "\U00020000-\U0003ffff"
)
_JOINERS = "\u200c\u200d"
_SKIN = "\U0001f3fb-\U0001f3ff"
_FLAG = "\U0001f1e6-\U0001f1ff"


def words_of(text: str) -> tuple[Word, ...]:
    """All words of a text, in order."""
    found = (match for match in _pattern().finditer(text) if _seen(match.group()))
    return tuple(Word(match.group(), match.start(), match.end()) for match in found)


def _seen(form: str) -> bool:
    """Whether there is anything of it to see: not if all of it is format and control characters."""
    return any(character.isprintable() for character in form)


@cache
def _pattern() -> re.Pattern[str]:
    marks = _marks()
    letter = f"(?:(?![{_IDEOGRAPHS}])[\\w{marks}{_JOINERS}])"
    mark = f"[{marks}{_SKIN}]*"
    return re.compile(
        f"{letter}+(?:['’]{letter}+|(?<=\\d)[.,](?=\\d){letter}+)*"
        f"|[{_FLAG}]{{2}}"
        "|([.!?…~*=_#–—-])\\1*"
        f"|\\S{mark}(?:\u200d\\S{mark})*"
    )


def _marks() -> str:
    """Every combining mark, as a character class."""
    found = list[list[int]]()
    for code in range(sys.maxunicode + 1):
        if unicodedata.category(chr(code))[0] != "M":
            continue
        if found and found[-1][1] == code - 1:
            found[-1][1] = code
        else:
            found.append([code, code])
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in found)
