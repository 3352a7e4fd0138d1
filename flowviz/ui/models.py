"""The model box: every model that is offered, and whether it is in memory."""

from __future__ import annotations

from collections.abc import Sequence

from flowviz.session import ModelChoice

MEGABYTE = 2**20


def model_options(models: Sequence[ModelChoice]) -> list[dict[str, str]]:
    """What the box offers; `flowvizModel` in the browser draws one."""
    return [
        {
            "value": model.name,
            "label": model.title,
            "about": model.description,
            "state": state_words(model),
            "look": "held" if model.held else "not-held",
        }
        for model in models
    ]


def state_words(model: ModelChoice) -> str:
    """Whether a model is in memory, and what it takes there or will take."""
    if model.held:
        return f"in memory, {_size(model.bytes)}" if model.bytes else "in memory"
    return f"will be loaded, about {_size(model.bytes)}" if model.bytes else "will be loaded"


def _size(count: int) -> str:
    megabytes = max(round(count / MEGABYTE), 1)
    return f"{megabytes:,} MB" if megabytes < 1000 else f"{megabytes / 1024:.1f} GB"
