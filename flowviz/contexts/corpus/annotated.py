"""A block of a CoNLL-U file becomes a sentence of words.

What cannot be understood loses as little as it can. A lost line is a gap: where `# text =` shows
what stood around it the sentence is kept without that word, else the sentence is left out. So is
one whose words are not numbered in order, for nobody could say which word governs which. A head
that points nowhere loses the word's governor. A `# text =` that is not made of the words is left
out.
"""

from __future__ import annotations

from dataclasses import dataclass

from flowviz.contexts.corpus.blocks import MOST_LINES, Block
from flowviz.contexts.corpus.columns import Row, read_row
from flowviz.contexts.corpus.entities import entities
from flowviz.contexts.corpus.types import NO_GOVERNOR, ROOT, Fault, Sentence, Word
from flowviz.contexts.corpus.written import Span, found_in, made_of

SENTENCE = "the sentence"


@dataclass(frozen=True)
class Surface:
    """A word as it is written: its row, and the rows of the words that it stands for."""

    row: Row
    members: tuple[Row, ...]

    def joined(self, column: str) -> str:
        """What its words have in a column, joined with "+"; "" where none has anything."""
        values = [getattr(member, column) for member in self.members]
        return "+".join(value or "_" for value in values) if any(values) else ""


@dataclass
class Reading:
    """The rows of a block while they are read, and what was wrong.

    `gap` is before which row one was lost; there are `gaps` such places.
    """

    rows: list[Row]
    faults: list[Fault]
    gap: int | None = None
    gaps: int = 0


def sentence_of(
    block: Block, said: dict[str, str], file: str, part: str, order: str = ""
) -> tuple[Sentence | None, list[Fault]]:
    """A block's sentence, if it can be read, and its faults.

    Args:
        said: the block's comments; `text` and `sent_id` are used.
        order: what the file's `# global.Entity` says.
    """
    if not block.whole:
        why = f"The sentence has more than {MOST_LINES:,} lines, or too long ones."
        return None, [*block.faults, Fault(file, block.first, why, SENTENCE)]
    reading = _rows(block, file)
    if not reading.rows:
        return None, reading.faults
    surfaces = _surfaces(reading, file)
    if surfaces is None:
        return None, reading.faults
    placed = _placed(surfaces, said.get("text", ""), reading, block, file)
    if placed is None:
        return None, reading.faults
    text, spans = placed
    words = _words(surfaces, spans, reading, file, order)
    place = _named(said.get("sent_id", "")) or f"{file}:{block.first}"
    return Sentence(text, words, part, place), sorted(reading.faults, key=lambda f: f.line)


def _rows(block: Block, file: str) -> Reading:
    lost = {fault.line for fault in block.faults}
    reading = Reading([], list(block.faults))
    for line in block.words:
        row, fault = (None, None) if line.number in lost else read_row(line, file)
        if fault:
            reading.faults.append(fault)
        if row:
            reading.rows.append(row)
        elif (fault or line.number in lost) and reading.gap != len(reading.rows):
            reading.gap, reading.gaps = len(reading.rows), reading.gaps + 1
    return reading


def _surfaces(reading: Reading, file: str) -> list[Surface] | None:
    """Each row that is written, with its words; None where they are not numbered in order."""
    wrong = _out_of_order(reading)
    if wrong:
        why = f"The word is numbered {wrong.first}, which is not what follows."
        reading.faults.append(Fault(file, wrong.line, why, SENTENCE))
        return None
    found, covered = list[Surface](), 0
    for index, row in enumerate(reading.rows):
        if row.is_range:
            inside = reading.rows[index + 1 : index + 2 + row.last - row.first]
            members = tuple(r for r in inside if not r.is_range and r.first <= row.last)
            found.append(Surface(row, members))
            covered = row.last
        elif row.first > covered:
            found.append(Surface(row, (row,)))
    return found


def _out_of_order(reading: Reading) -> Row | None:
    """The first row that does not follow; where rows were lost, numbers may leap."""
    last, within = 0, 0
    for row in reading.rows:
        follows = row.first == last + 1 or (reading.gaps and row.first > last)
        if not follows or (row.is_range and (row.first <= within or row.last <= row.first)):
            return row
        last, within = (last, row.last) if row.is_range else (row.first, within)
    whole = last >= within or reading.gaps
    return None if whole else next(r for r in reading.rows if r.is_range and r.last == within)


def _placed(
    surfaces: list[Surface], text: str, reading: Reading, block: Block, file: str
) -> tuple[str, list[Span]] | None:
    forms = [surface.row.form for surface in surfaces]
    gap = _surface_gap(surfaces, reading)
    spans = found_in(text, forms, gap) if text and reading.gaps <= 1 else None
    if spans is not None:
        return text, spans
    if reading.gaps:
        why = "What stood in the line that was lost is not known from # text."
        reading.faults.append(Fault(file, block.first, why, SENTENCE))
        return None
    if text:
        line = next(c.number for c in block.comments if _is_text(c.text or ""))
        why = "The text is not made of the sentence's words; it is made from them instead."
        reading.faults.append(Fault(file, line, why, "the comment"))
    return made_of(forms, [surface.row.misc for surface in surfaces])


def _surface_gap(surfaces: list[Surface], reading: Reading) -> int | None:
    """Before which written word a line was lost."""
    if reading.gap is None:
        return None
    before = {id(row) for row in reading.rows[: reading.gap]}
    return sum(id(surface.row) in before for surface in surfaces)


def _is_text(comment: str) -> bool:
    return comment[1:].partition("=")[0].strip() == "text"


def _words(
    surfaces: list[Surface], spans: list[Span], reading: Reading, file: str, order: str
) -> tuple[Word, ...]:
    owner = {m.first: index for index, surface in enumerate(surfaces) for m in surface.members}
    of_row = iter(entities([m.misc for s in surfaces for m in s.members], order))
    return tuple(
        Word(
            form=surface.row.form,
            start=start,
            end=end,
            lemma=surface.joined("lemma"),
            upos=surface.joined("upos"),
            xpos=surface.joined("xpos"),
            feats=surface.joined("feats"),
            deprel=surface.joined("deprel"),
            head=_governor(surface, index, owner, reading, file),
            entity=next((e for e in [next(of_row) for _ in surface.members] if e), ""),
        )
        for index, (surface, (start, end)) in enumerate(zip(surfaces, spans, strict=True))
    )


def _governor(
    surface: Surface, index: int, owner: dict[int, int], reading: Reading, file: str
) -> int:
    """Of the first of its words that another word governs."""
    for member in surface.members:
        if member.head == 0:
            return ROOT
        if member.head is None:
            continue
        found = owner.get(member.head)
        nowhere = found is None and not reading.gaps  # else what it points at may have been lost
        if nowhere or member.head == member.first:
            why = f"Its head is {member.head}, which is no other word of the sentence."
            reading.faults.append(Fault(file, member.line, why, "the word's governor"))
        elif found is not None and found != index:
            return found
    return NO_GOVERNOR


def _named(text: str) -> str:
    return text if text.isprintable() and len(text) <= 100 else ""
