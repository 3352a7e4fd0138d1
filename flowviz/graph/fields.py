"""Reading checked values out of JSON: each error says which field is wrong, and the way out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from flowviz.errors import RequestError

E = TypeVar("E", bound=StrEnum)

NOT_FINITE = {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}
WAY_OUT = "Save the graph again with this version of flowviz, and read that file."
MAX_WHOLE = 10**15


def fault(what: str) -> RequestError:
    """The error for a file that is no graph."""
    return RequestError(f"This is no graph of flowviz: {what}. {WAY_OUT}")


@dataclass(frozen=True)
class Fields:
    """One JSON object, and where in the file it stands."""

    values: dict[str, Any]
    where: str

    @classmethod
    def of(cls, value: Any, where: str) -> Fields:
        """The object, or the error for anything else."""
        if not isinstance(value, dict):
            raise fault(f"{where} is {_shown(value)} and should be an object")
        return cls(value, where)

    def part(self, name: str) -> Fields:
        """An object inside this one."""
        return Fields.of(self._get(name), self._path(name))

    def part_or_none(self, name: str) -> Fields | None:
        """An object inside this one, or null."""
        return None if self._get(name) is None else self.part(name)

    def parts(self, name: str) -> list[Fields]:
        """A list of objects."""
        items = self._get(name)
        if not isinstance(items, list):
            raise self._wrong(name, "a list")
        path = self._path(name)
        return [Fields.of(item, f"{path}[{number}]") for number, item in enumerate(items)]

    def text(self, name: str) -> str:
        """A text."""
        value = self._get(name)
        if not isinstance(value, str):
            raise self._wrong(name, "a text")
        return value

    def text_or_none(self, name: str) -> str | None:
        """A text, or null; also where nothing stands there."""
        return None if self.values.get(name) is None else self.text(name)

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts."""
        items = self._get(name)
        if not isinstance(items, list):
            raise self._wrong(name, "a list")
        entries = Fields({str(place): item for place, item in enumerate(items)}, self._path(name))
        return tuple(entries.text(place) for place in entries.values)

    def whole(self, name: str) -> int:
        """A whole number from 0 on."""
        value = self._get(name)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_WHOLE:
            raise self._wrong(name, "a whole number from 0 on")
        return value

    def whole_or_none(self, name: str) -> int | None:
        """A whole number from 0 on, or null."""
        return None if self._get(name) is None else self.whole(name)

    def wholes(self, name: str) -> tuple[int, ...]:
        """A list of whole numbers from 0 on."""
        items = self._get(name)
        if not isinstance(items, list):
            raise self._wrong(name, "a list")
        entries = Fields({str(place): item for place, item in enumerate(items)}, self._path(name))
        return tuple(entries.whole(place) for place in entries.values)

    def flag(self, name: str) -> bool:
        """True or false."""
        value = self._get(name)
        if not isinstance(value, bool):
            raise self._wrong(name, "true or false")
        return value

    def has(self, name: str) -> bool:
        """Whether it stands there; files of earlier releases lack what was added since."""
        return name in self.values

    def number(self, name: str) -> float:
        """A number; "inf", "-inf" and "nan" stand for those that JSON cannot write."""
        value = self._get(name)
        if isinstance(value, str) and value in NOT_FINITE:
            return NOT_FINITE[value]
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._wrong(name, "a number")
        return float(value)

    def number_or_none(self, name: str) -> float | None:
        """A number, or null."""
        return None if self._get(name) is None else self.number(name)

    def choice(self, name: str, choices: type[E]) -> E:
        """One of the words of an enumeration."""
        text = self.text(name)
        if text not in set(choices):
            raise self._wrong(name, f"one of {', '.join(choices)}")
        return choices(text)

    def _get(self, name: str) -> Any:
        if name not in self.values:
            raise fault(f"{self._path(name)} is missing")
        return self.values[name]

    def _path(self, name: str) -> str:
        return f"{self.where}.{name}" if self.where else name

    def _wrong(self, name: str, wanted: str) -> RequestError:
        return fault(f"{self._path(name)} is {_shown(self.values[name])} and should be {wanted}")


def _shown(value: Any) -> str:
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    text = repr(value)
    return text if len(text) <= 40 else text[:39] + "…"
