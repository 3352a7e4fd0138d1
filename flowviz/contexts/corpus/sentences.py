"""Plain text becomes sentences, by a small rule that reads no further than it must.

1. A blank line ends a sentence. Any other line end is a space.
2. So do 。！？ and the like of Chinese and Japanese, with closing quotes and brackets behind them.
3. So do . ! ? … and their like in other scripts (؟ । ። ։), with closing quotes and brackets, where
   white space follows and what comes next, quotes and brackets aside, is no lower-case letter.
4. A single full stop does not: behind an abbreviation (Dr., e.g., U.S., usw.), behind an initial
   (J. K. Rowling), and behind a number that opens the sentence (1. Introduction).
5. What is longer than `MOST_SENTENCE` characters is cut at its last white space; nothing is lost.

Line by line lists without full stops are thus read as one sentence; put blank lines between them.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

MOST_SENTENCE = 4_000
_CLOSING = "\"'”’»›)\\]}"
_OPENING = "\"'“‘„«‹([{¿¡—–-"
_STOPS = ".!?…؟۔।॥።။։"
_FAR_EAST = "。！？｡︒"
_END = re.compile(
    rf"(?<![{_STOPS}])[{_STOPS}]++[{_CLOSING}]*+(?=\s|$)"
    rf"|[{_FAR_EAST}]+[」』”’）】》〉{_CLOSING}]*"
)
_MARK = re.compile(f"[{_STOPS}{_FAR_EAST}]")
_NEXT = re.compile(rf"[\s{re.escape(_OPENING)}]*(\S?)")
_LAST = re.compile(r"\S*$")
_SHORT = re.compile(r"(?:[^\W\d_]\.)*[^\W\d_]")  # J, U.S, z.B
ABBREVIATIONS = frozenset(  # words that also end sentences (art, no, may) are not among them
    """adm al approx apr aug ave bldg bros ca capt cf ch co corp dec dept dr eds eg esp etc feb fig
    figs gov hon inc jan jr lt ltd messrs mme mlle mr mrs ms mt nov nr oct pp prof pt rd rev sept
    sgt sr st vol vs bsp bspw bzw dipl evtl ggf hr inkl sog tel usw vgl zb zzgl av sra srta ud uds
    """.split()  # noqa: SIM905
)


class Splitter:
    """Takes lines, gives sentences as soon as they end; holds at most one and the last line."""

    def __init__(self) -> None:
        self._text = ""
        self._lines: list[tuple[int, int]] = []  # where in the text each line begins, its number
        self._may_end = False  # whether there is anything in the text that may end a sentence

    def line(self, number: int, text: str) -> Iterator[tuple[int, str]]:
        """The sentences that end with this line or before it, with the lines they begin in."""
        text = text.strip()
        if not text:
            yield from self.end()
            return
        self._text += " " if self._text else ""
        self._lines.append((len(self._text), number))
        self._text += text
        self._may_end = self._may_end or _MARK.search(text) is not None
        if self._may_end or len(self._text) > MOST_SENTENCE:
            yield from self._take(final=False)

    def end(self) -> Iterator[tuple[int, str]]:
        """What is left, at the end of a paragraph."""
        yield from self._take(final=True)

    def _take(self, final: bool) -> Iterator[tuple[int, str]]:
        start, text = 0, self._text
        while (end := _next_end(text, start, final)) is not None:
            sentence = text[start:end]
            if sentence.strip():
                begins = start + len(sentence) - len(sentence.lstrip())
                yield self._line_of(begins), sentence.strip()
            start = end
        here = self._line_of(start) if self._lines else 0
        later = [(place - start, number) for place, number in self._lines if place > start]
        self._text, self._lines = text[start:], [(0, here), *later]
        self._may_end = _MARK.search(self._text) is not None

    def _line_of(self, place: int) -> int:
        return self._lines[bisect_right(self._lines, (place, 10**18)) - 1][1]


def _next_end(text: str, start: int, final: bool) -> int | None:
    """Where the sentence that begins here ends; None where more has to be read first."""
    limit = start + MOST_SENTENCE
    for found in _END.finditer(text, start, limit):
        if _NEXT.match(text, found.end()).group(1) == "" and not final:  # type: ignore[union-attr]
            return None if len(text) <= limit else _cut(text, start, limit)
        if _ends(text, start, found):
            return found.end()
    if len(text) > limit:
        return _cut(text, start, limit)
    return len(text) if final and start < len(text) else None


def _cut(text: str, start: int, limit: int) -> int:
    spaces = [found.start() for found in re.compile(r"\s").finditer(text, start + 1, limit)]
    return spaces[-1] if spaces else limit


def _ends(text: str, start: int, found: re.Match[str]) -> bool:
    mark = found.group()
    if mark[0] in _FAR_EAST:
        return True
    behind = text[found.end() : found.end() + 1]
    following = _NEXT.match(text, found.end())
    if (behind and not behind.isspace()) or (following and following[1].islower()):
        return False
    return mark != "." or not _stays(text[max(start, found.start() - 40) : found.start()])


def _stays(before: str) -> bool:
    """Whether a full stop behind this belongs to its last word."""
    last = _LAST.search(before)
    word = (last[0] if last else "").lstrip(_OPENING)
    if word != "I" and _SHORT.fullmatch(word):
        return True
    opens = before.strip() == word and word.isdigit()
    return opens or word.casefold().replace(".", "") in ABBREVIATIONS
