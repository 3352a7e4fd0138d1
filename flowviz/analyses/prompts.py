"""Sets of prompts: text with one prompt a line, or a set that ships.

A line is `prompt`, `prompt<TAB>answer` or `prompt<TAB>answer<TAB>group`. In prompt and answer
`\\n`, `\\t` and `\\\\` stand for a newline, a tab and a backslash. Spaces belong to the prompt and
the answer; an empty line, and one that begins with `#`, says nothing (`\\#` begins a prompt with
that sign).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from flowviz.analyses.types import Prompt
from flowviz.checked import check_prompt, read_token, shown
from flowviz.errors import RequestError

FOLDER = Path(__file__).parent / "sets"
MOST_PROMPTS = 1000
MOST_CHARACTERS = 200_000
ESCAPES = {r"\n": "\n", r"\t": "\t", r"\\": "\\", r"\#": "#"}


def shipped_sets() -> tuple[str, ...]:
    """The names of the sets that ship."""
    return tuple(sorted(file.stem for file in FOLDER.glob("*.tsv")))


@cache
def shipped(name: str) -> tuple[Prompt, ...]:
    """A set that ships. Raises RequestError where there is none of that name."""
    if name not in shipped_sets():
        raise RequestError(
            f"No set of prompts is called {shown(name)}. There is: {', '.join(shipped_sets())}."
        )
    return read_prompts((FOLDER / f"{name}.tsv").read_text(encoding="utf-8"))


def groups(name: str) -> tuple[str, ...]:
    """The groups of a set that ships, in its order."""
    return tuple(dict.fromkeys(prompt.group for prompt in shipped(name) if prompt.group))


def prompts_from(name: str, text: str, group: str = "") -> tuple[Prompt, ...]:
    """The prompts of a named set or of a text, those of one group where it is named.

    Raises:
        RequestError: there are none, both are given, or a line is none.
    """
    if name and text:
        raise RequestError("Both a set of prompts and a text are given. Choose one.")
    prompts = shipped(name) if name else read_prompts(text)
    chosen = tuple(prompt for prompt in prompts if not group or prompt.group == group)
    if not chosen:
        where = f" of the group {shown(group)}" if group else ""
        raise RequestError(f"There are no prompts{where}. Type one a line, or choose a set.")
    return chosen


def read_prompts(text: object) -> tuple[Prompt, ...]:
    """One prompt a line. Raises RequestError with the line that is wrong."""
    if not isinstance(text, str):
        raise RequestError("The prompts are no text. Give one prompt a line.")
    if len(text) > MOST_CHARACTERS:
        raise RequestError(
            f"The prompts have {len(text):,} characters; at most {MOST_CHARACTERS:,} are taken. "
            "Give fewer."
        )
    lines = re.split(r"\r\n|\n|\r", text)
    said = [(number, line) for number, line in enumerate(lines, 1) if _says(line)]
    if len(said) > MOST_PROMPTS:
        raise RequestError(f"There are {len(said):,} prompts; at most {MOST_PROMPTS:,} are taken.")
    return tuple(_prompt(number, line) for number, line in said)


def write_prompts(prompts: Iterable[Prompt]) -> str:
    """The text that `read_prompts` reads back: one prompt a line."""

    def line(prompt: Prompt) -> str:
        columns = (_escaped(prompt.text), _escaped(prompt.answer or ""), prompt.group)
        return "\t".join(columns).rstrip("\t") + "\n"

    return "".join(map(line, prompts))


def _says(line: str) -> bool:
    return bool(line.strip()) and not line.startswith("#")


def _prompt(number: int, line: str) -> Prompt:
    text, answer, group, *more = [*line.split("\t"), "", ""][: max(3, line.count("\t") + 1)]
    try:
        if more:
            raise RequestError("It has more than three columns: prompt, answer, group.")
        return Prompt(
            check_prompt(_unescaped(text)), read_token("answer", _unescaped(answer)), group[:100]
        )
    except RequestError as error:
        raise RequestError(f"Line {number}: {error}") from None


def _unescaped(text: str) -> str:
    return re.sub(r"\\[nt\\#]", lambda found: ESCAPES[found[0]], text)


def _escaped(text: str) -> str:
    text = text.replace("\\", r"\\").replace("\n", r"\n").replace("\t", r"\t")
    return rf"\{text}" if text.startswith("#") else text
