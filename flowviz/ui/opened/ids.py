"""The ids of what is opened, on the flow page."""

from __future__ import annotations

from enum import StrEnum


class Open(StrEnum):
    """Ids of the list of opened nodes and of its stores. `assets/names.js` repeats some."""

    MADE = "open-made"  # store: {opened, prompt, model} that are asked for
    EDIT = "open-edit"  # store: {do, node, dictionary, count}: what was pressed last
    BAR = "open-bar"  # the list above the graph
