"""Tables in Markdown, and whether a page's rows are those that are measured."""

from __future__ import annotations

import re
from collections.abc import Sequence

TOLERANCE = 0.021  # what a machine's rounding may move, where two hits change places
Row = tuple[str, ...]


def table(head: str, rows: Sequence[Row]) -> str:
    """A table in Markdown."""
    titles = [title.strip() for title in head.split("|")]
    lines = (titles, ["---"] * len(titles), *rows)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def differs(told: Row, measured: Row) -> bool:
    """Whether numbers of a row are others than those of the page."""
    was, now = (
        [float(number) for cell in row[-3:] for number in re.findall(r"-?\d+\.\d+", cell)]
        for row in (told, measured)
    )
    return len(was) != len(now) or any(
        abs(a - b) > TOLERANCE for a, b in zip(was, now, strict=True)
    )


def held(pairs: Sequence[tuple[Row, Row]]) -> int:
    """Says which rows differ; 1 where one does."""
    wrong = [pair for pair in pairs if differs(*pair)]
    for was, now in wrong:
        print(f"The page says {was}; measured: {now}")
    count = f"{len(wrong)} differ" if wrong else "none differs"
    print(f"{len(pairs)} rows of the page were measured again: {count}.")
    return int(bool(wrong))
