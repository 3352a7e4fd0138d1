"""The settings of a server, all of them: each read from the environment, checked, documented.

`SETTINGS` is what the README lists.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from flowviz.errors import FlowvizError
from flowviz.models.catalogue import Catalogue
from flowviz.models.placement import Placement


@dataclass(frozen=True)
class Setting:
    """One environment variable: its name, its default as text, and what it does."""

    name: str
    default: str
    words: str


MODELS = Setting(
    "FLOWVIZ_MODELS",
    "demo",
    "The models to offer, separated by commas, the default first: known names, hub names, or "
    "NAME=FOLDER; ADAPTER@BASE for an adapter on its base model.",
)
DEVICE = Setting("FLOWVIZ_DEVICE", "cpu", "Where models run: cpu, cuda, cuda:N, mps, or auto.")
DTYPE = Setting(
    "FLOWVIZ_DTYPE",
    "float32",
    "The precision of the weights: float32, float64, bfloat16, float16, int8, or auto for each "
    "checkpoint's own.",
)
MODELS_MB = Setting(
    "FLOWVIZ_MODELS_MB",
    "",
    "Memory for the weights of all models in it, in MB; the least recently used make room. Where "
    "it is not set: two thirds of what is free at the start beside results, at least 256.",
)
CACHE_MB = Setting(
    "FLOWVIZ_CACHE_MB",
    "",
    "Memory for results, in MB. A prompt that would take more is refused. Where it is not set: "
    "half of what is free at the start, at most 4,096.",
)
MOST_WAITING = Setting(
    "FLOWVIZ_MOST_WAITING", "32", "How many runs may wait before new ones are turned away."
)
FRAME_ANCESTORS = Setting(
    "FLOWVIZ_FRAME_ANCESTORS",
    "'self'",
    "Which sites may show the page in a frame, as Content-Security-Policy writes it.",
)
SETTINGS = (MODELS, DEVICE, DTYPE, MODELS_MB, CACHE_MB, MOST_WAITING, FRAME_ANCESTORS)


@dataclass(frozen=True)
class Settings:
    """What a server is started with."""

    catalogue: Catalogue
    models_bytes: int | None
    cache_bytes: int | None
    most_waiting: int
    frame_ancestors: str

    @classmethod
    def from_environment(
        cls,
        environment: Mapping[str, str] = os.environ,
        models: str | None = None,
        device: str | None = None,
        dtype: str | None = None,
    ) -> Settings:
        """Reads and checks all settings.

        Args:
            environment: where to read them.
            models, device, dtype: what to take instead of what the environment says.

        Raises:
            FlowvizError: one has a value that it cannot have.
        """

        def text(setting: Setting) -> str:
            return environment.get(setting.name, "").strip() or setting.default

        def size(setting: Setting) -> int | None:
            megabytes = text(setting)
            return _whole(setting, megabytes, 1, 10**7) * 2**20 if megabytes else None

        offered = Catalogue.of((text(MODELS) if models is None else models).split(","))
        placement = Placement.of(device or text(DEVICE), dtype or text(DTYPE))
        return cls(
            catalogue=offered.placed(placement),
            models_bytes=size(MODELS_MB),
            cache_bytes=size(CACHE_MB),
            most_waiting=_whole(MOST_WAITING, text(MOST_WAITING), 1, 10**4),
            frame_ancestors=_sources(text(FRAME_ANCESTORS)),
        )


def _whole(setting: Setting, text: str, low: int, high: int) -> int:
    if text.isascii() and text.isdigit() and len(text) < 10 and low <= int(text) <= high:
        return int(text)
    raise FlowvizError(
        f"{setting.name} is {text[:40]!r}; it takes a whole number from {low} to {high:,}."
    )


def _sources(text: str) -> str:
    """It becomes part of a header: nothing in it may end the directive."""
    if re.fullmatch(r"[\w'*:/.\-\[\] ]+", text, re.ASCII):
        return text
    raise FlowvizError(
        f"{FRAME_ANCESTORS.name} is {text[:60]!r}; it takes 'self', 'none', or addresses such as "
        "https://example.org, with spaces between."
    )
