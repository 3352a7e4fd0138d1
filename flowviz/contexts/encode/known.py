"""What a reader has found out about a model, kept as long as the model is in memory."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary


class Known:
    """Answers that are found once. The caller holds the model's lock."""

    def __init__(self) -> None:
        self._found: dict[Hashable, Any] = {}

    def once(self, name: Hashable, find: Callable[[], Any]) -> Any:
        """What is known by that name, found now where it is not. It must not hold the model."""
        if name not in self._found:
            self._found[name] = find()
        return self._found[name]


_known: WeakKeyDictionary[Any, Known] = WeakKeyDictionary()
_lock = Lock()


def known_of(model: Any) -> Known:
    """What is known about a model."""
    with _lock:
        return _known.setdefault(model, Known())
