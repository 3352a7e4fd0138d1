"""The ids of what changes a pass, on the flow page."""

from __future__ import annotations

from enum import StrEnum


class Change(StrEnum):
    """Ids of the list of changes and of its stores. `assets/names.js` repeats what scripts use."""

    MADE = "change-made"  # store: {interventions, donor, prompt, model} that are asked for
    EDIT = "change-edit"  # store: {do, sites, how, donor, count}: what was pressed last
    ASIDE = "change-aside"  # store: {interventions, donor} that another prompt put aside, or None
    BAR = "change-bar"  # the list above the graph
    PARTS = "change-parts"  # the bar for the nodes that were picked together
    PARTS_COUNT = "change-parts-count"
