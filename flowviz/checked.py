"""Values from outside, checked: each function takes anything, and gives what it names or refuses.

Whatever reaches flowviz from a link, a form, a file or a command line goes through here first.
"""

from __future__ import annotations

import math
from enum import StrEnum
from typing import TypeVar

from flowviz.errors import RequestError

E = TypeVar("E", bound=StrEnum)

MAX_PROMPT_CHARACTERS = 20_000
MAX_NAME_CHARACTERS = 200


def check_prompt(text: object) -> str:
    """A prompt that a tokenizer can take, or RequestError."""
    if not isinstance(text, str) or not text:
        raise RequestError("The prompt is empty. Type some text, or pick an example.")
    if len(text) > MAX_PROMPT_CHARACTERS:
        raise RequestError(
            f"The prompt has {len(text):,} characters; at most {MAX_PROMPT_CHARACTERS:,} are "
            "taken. Shorten it."
        )
    if "\0" in text:
        raise RequestError("The prompt holds a NUL character. Remove it.")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise RequestError("The prompt holds half of a surrogate pair. Type that character again.")
    return text


def model_name(text: object) -> str:
    """A model's name, or RequestError."""
    if not isinstance(text, str) or len(text) > MAX_NAME_CHARACTERS or not text.isprintable():
        raise RequestError("The model's name is not one. Choose a model from the list.")
    return text


def read_token(field_name: str, text: object) -> str | None:
    """A token as a person writes it; None where there is none."""
    if text is None or text == "":
        return None
    if not isinstance(text, str) or len(text) > MAX_NAME_CHARACTERS or _unwritable(text):
        raise RequestError(f"The {field_name} {shown(text)} is no token. Pick one token.")
    return text


def _unwritable(text: str) -> bool:
    """Whether it holds what no tokenizer and no link can take: NUL, or half a surrogate pair."""
    return any(character == "\0" or "\ud800" <= character <= "\udfff" for character in text)


def plain(value: object) -> str:
    """A value from outside as text, whatever it is; empty for what has no short text form."""
    if not isinstance(value, str | int | float):
        return f"a {type(value).__name__}"
    try:
        return str(value)
    except ValueError:  # a whole number of thousands of digits
        return "a very large number"


def shown(value: object) -> str:
    """The beginning of a value, to quote it in a message."""
    return repr(plain(value)[:40])


def whole(field_name: str, value: object, low: int, high: int) -> int | None:
    """A whole number within bounds; None where there is none."""
    if value is None or value == "":
        return None
    text = plain(value)
    if text.isascii() and text.isdigit() and len(text) < 10 and low <= int(text) <= high:
        return int(text)
    raise RequestError(
        f"{field_name} is {shown(value)}; it takes a whole number from {low} to {high:,}."
    )


def share(field_name: str, value: object, default: float) -> float:
    """A number above 0 and up to 1."""
    if value is None or value == "":
        return default
    text = plain(value)
    try:
        number = float(text) if len(text) <= 40 else math.nan
    except ValueError:
        number = math.nan
    if not 0 < number <= 1:
        raise RequestError(
            f"{field_name} is {shown(value)}; it takes a number above 0 and up to 1."
        )
    return number


def choice(field_name: str, value: object, choices: type[E]) -> E | None:
    """One of an enumeration's values; None where there is none."""
    if value is None or value == "":
        return None
    try:
        return choices(plain(value))
    except ValueError:
        raise RequestError(
            f"{field_name} is {shown(value)}; it takes one of {', '.join(choices)}."
        ) from None


def span(field_name: str, value: object) -> tuple[int, int] | None:
    """A first and a last number, as in `0-3`; None where there is none."""
    if value is None or value == "":
        return None
    parts = value if isinstance(value, list | tuple) else plain(value).split("-")
    numbers = [whole(field_name, part, 0, 10**6) for part in parts[:3]]
    if len(numbers) != 2 or numbers[0] is None or numbers[1] is None or numbers[0] > numbers[1]:
        given = "-".join(map(plain, parts[:3]))[:40]
        raise RequestError(
            f"{field_name} is {given!r}; it takes a first and a last number, as in 0-3."
        )
    return numbers[0], numbers[1]
