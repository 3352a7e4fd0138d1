"""What a model's reading of a corpus leaves on disk: `plan`, `build`, `open_store`.

They are imported when they are asked for: `types` is plain, and parquet is not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flowviz.contexts.store.building import build, check_space
    from flowviz.contexts.store.opening import open_store
    from flowviz.contexts.store.planning import plan

__all__ = ["build", "check_space", "open_store", "plan"]


def __getattr__(name: str) -> Any:
    from importlib import import_module

    rooms = {"build": "building", "check_space": "building", "open_store": "opening",
             "plan": "planning"}  # fmt: skip
    if name not in rooms:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{rooms[name]}"), name)
