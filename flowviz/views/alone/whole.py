"""One HTML file from its parts: what is drawn, the scripts that draw it, the theme.

The scripts are those of the pages (`assets/`), and a small one that does what there the server and
Dash do. The file's policy forbids the browser to load anything else. Tokens come from outside: they
stand in the file as data or as text, never as markup.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from string import Template
from typing import Any

import orjson

from flowviz.errors import RequestError

HERE = Path(__file__).parent
ASSETS = HERE.parents[2] / "assets"
MOST_BYTES = 64 * 2**20  # what a browser still opens within seconds
TITLE = 80  # letters of a title


@dataclass(frozen=True)
class Parts:
    """What a kind of page is made of, beside its data.

    Args:
        name: of its own `.html` and `.js` beside this file.
        look: the classes of its body, by which the pages' sheets know it.
        styles, scripts: files of `assets/`, in the order in which they are read.
    """

    name: str
    look: str
    styles: tuple[str, ...]
    scripts: tuple[str, ...]


def whole_page(parts: Parts, title: str, told: str, data: Mapping[str, Any], **texts: str) -> str:
    """The text of the file.

    Args:
        title: its heading.
        told: what is said below that.
        data: what its script reads.
        texts: what its own `.html` has places for.

    Raises:
        RequestError: it would take more than 64 MB.
    """
    packed = orjson.dumps(data).decode().replace("<", "\\u003c")
    check_bytes(len(packed))
    said = {name: escape(text) for name, text in texts.items()}
    return Template(_own("page.html")).substitute(
        title=escape(title[:TITLE]),
        text=escape(title),
        told=escape(told),
        look=parts.look,
        main=Template(_own(f"{parts.name}.html")).substitute(said),
        style=_files(parts.styles) + _own("page.css"),
        script=_files(parts.scripts) + _own(f"{parts.name}.js"),
        data=packed,
    )


def check_bytes(size: int, what: str = "This picture") -> None:
    """Raises RequestError where a file would be too large."""
    if size > MOST_BYTES:
        raise RequestError(
            f"{what} takes {size / 2**20:.0f} MB as one file; at most {MOST_BYTES // 2**20} MB are "
            "written. Shorten the prompt."
        )


@cache
def _own(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


@cache
def _files(names: tuple[str, ...]) -> str:
    return "\n".join((ASSETS / name).read_text(encoding="utf-8") for name in names)
