"""The settings of a server, all of them: each read from the environment, checked, documented.

`SETTINGS` is what the README lists.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from flowviz.contexts.kinds import DEMO
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
    "demo,demo-bert",
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
CONTEXTS = Setting(
    "FLOWVIZ_CONTEXTS",
    "",
    "Corpora to search for contexts beside the demo's, as NAME=FOLDER, separated by commas: each "
    "folder a store that `contexts build` made.",
)
CONTEXTS_MB = Setting(
    "FLOWVIZ_CONTEXTS_MB",
    "2048",
    "How much of the disk the demo corpus may take, as the models of the server read it, in MB. "
    "It is gone when the server stops.",
)
FACTORS = Setting(
    "FLOWVIZ_FACTORS",
    "",
    "Dictionaries of factors beside those that ship, as NAME=FOLDER, separated by commas: each "
    "folder one that `factors train` made, or one in the format of SAELens.",
)
FACTORS_MB = Setting(
    "FLOWVIZ_FACTORS_MB",
    "1024",
    "Memory for the dictionaries of factors in it, in MB; the least recently used make room.",
)
FRAME_ANCESTORS = Setting(
    "FLOWVIZ_FRAME_ANCESTORS",
    "'self'",
    "Which sites may show the page in a frame, as Content-Security-Policy writes it.",
)
SETTINGS = (
    MODELS, DEVICE, DTYPE, MODELS_MB, CACHE_MB, CONTEXTS, CONTEXTS_MB, FACTORS, FACTORS_MB,
    MOST_WAITING, FRAME_ANCESTORS,
)  # fmt: skip


@dataclass(frozen=True)
class Settings:
    """What a server is started with."""

    catalogue: Catalogue
    models_bytes: int | None
    cache_bytes: int | None
    contexts: Mapping[str, Path]
    contexts_bytes: int
    factors: Mapping[str, Path]
    factors_bytes: int
    most_waiting: int
    frame_ancestors: str

    @classmethod
    def from_environment(
        cls,
        environment: Mapping[str, str] = os.environ,
        models: str | None = None,
        device: str | None = None,
        dtype: str | None = None,
        contexts: str | None = None,
        factors: str | None = None,
    ) -> Settings:
        """Reads and checks all settings.

        Args:
            environment: where to read them.
            models, device, dtype, contexts, factors: what to take instead of what the environment
                says.

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
            contexts=_folders(CONTEXTS, text(CONTEXTS) if contexts is None else contexts, DEMO),
            contexts_bytes=_whole(CONTEXTS_MB, text(CONTEXTS_MB), 1, 10**7) * 2**20,
            factors=_folders(FACTORS, text(FACTORS) if factors is None else factors),
            factors_bytes=_whole(FACTORS_MB, text(FACTORS_MB), 1, 10**7) * 2**20,
            most_waiting=_whole(MOST_WAITING, text(MOST_WAITING), 1, 10**4),
            frame_ancestors=_sources(text(FRAME_ANCESTORS)),
        )


def _folders(setting: Setting, text: str, taken: str = "") -> dict[str, Path]:
    """Folders by name, as `NAME=FOLDER,…`; they are opened by who needs them.

    Args:
        taken: a name that none may have.
    """
    found = dict[str, Path]()
    for each in filter(None, map(str.strip, text.split(","))):
        name, _, folder = (part.strip() for part in each.partition("="))
        known = name in found or name == taken
        if not folder or known or not re.fullmatch(r"[\w. -]{1,40}", name):
            raise FlowvizError(
                f"{setting.name} has {each[:60]!r}; it takes NAME=FOLDER with a name of its own "
                f"of at most 40 letters and digits{f', and not {taken!r}' if taken else ''}."
            )
        found[name] = Path(folder)
    return found


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
