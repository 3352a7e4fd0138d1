"""The dictionaries that a server offers: those that ship, and those that whoever started it names.

A visitor gives a name, never a path. Every dictionary that is named is opened at the start, so that
a broken one is told then; what they take in memory is bounded, and one that had to make room is
opened again when somebody asks for it.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
import weakref
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from flowviz.checked import shown
from flowviz.contexts.kinds import Site, SiteKind
from flowviz.demo.folder import FACTORS_FOLDER
from flowviz.errors import RequestError
from flowviz.factors.types import About, Dictionary

if TYPE_CHECKING:
    from flowviz.contexts.encode.types import Reader
    from flowviz.factors.dictionary.loaded import LoadedDictionary

MOST_BYTES = 2**30


@dataclass(frozen=True)
class Place:
    """Where a dictionary lies, and its card under the name by which it is offered."""

    folder: Path
    about: About


class Dictionaries:
    """The dictionaries of one server. Safe to call from many threads.

    Args:
        folders: by name, as whoever starts the server names them: our own or SAELens's.
        most_bytes: what the weights of all in memory may take before the ones that were used least
            recently make room; the one that is asked for now is there all the same.
        shipped: where those that ship lie, each in a folder by its name.

    Raises:
        RequestError: one cannot be opened, or has the name of one that ships.
    """

    def __init__(
        self,
        folders: Mapping[str, Path] | None = None,
        most_bytes: int = MOST_BYTES,
        shipped: Path = FACTORS_FOLDER,
    ) -> None:
        self._most_bytes = most_bytes
        self._held: OrderedDict[str, LoadedDictionary] = OrderedDict()
        self._opening = threading.RLock()
        self._surveys: dict[tuple[str, str, str], Path] = {}
        self._fitting: weakref.WeakKeyDictionary[object, tuple[About, ...]]
        self._fitting = weakref.WeakKeyDictionary()
        self._places = _shipped(shipped)
        for name, folder in (folders or {}).items():
            if name in self._places:
                raise RequestError(
                    f"A dictionary {shown(name)} ships with flowviz. Give {folder} another name."
                )
            self._places[name] = Place(folder, self._opened(name, folder).about)

    def names(self) -> tuple[str, ...]:
        """All names, those that ship first."""
        return tuple(self._places)

    def check(self, name: str) -> None:
        """Raises RequestError for a name that is not offered."""
        self._place(name)

    def folder(self, name: str) -> Path:
        """Where a dictionary lies; its survey, where it has one, is in `survey/` there.

        Raises:
            RequestError: it is not offered.
        """
        return self._place(name).folder

    def made_folder(self, name: str, identity: str, corpus: str) -> Path:
        """Where a survey is put that is made while the server runs; it is gone with the server.

        Args:
            identity: of the model, as `Reader.identity`.

        Raises:
            RequestError: the dictionary is not offered.
        """
        self.check(name)
        key = (name, identity, corpus)
        with self._opening:
            if key not in self._surveys:
                self._surveys[key] = Path(tempfile.mkdtemp(prefix="flowviz-factors-"))
                weakref.finalize(self, shutil.rmtree, self._surveys[key], ignore_errors=True)
            return self._surveys[key] / "survey"

    def offered(self) -> tuple[About, ...]:
        """The cards of all, whatever their models."""
        return tuple(place.about for place in self._places.values())

    def known(self, model: object) -> tuple[About, ...] | None:
        """What `fitting` said of a model; None where nobody has asked. It waits for no pass."""
        return self._fitting.get(model)

    def fitting(self, model: object, reader: Reader) -> tuple[About, ...]:
        """The cards of those that can be a model's (`misfit`), in the order of names.

        Args:
            model: in memory; `reader`: the same. It waits until no pass runs.
        """
        from flowviz.factors.fits import misfit

        if model not in self._fitting:
            every = (placed(about, reader.shape.layers) for about in self.offered())
            self._fitting[model] = tuple(about for about in every if not misfit(reader, about))
        return self._fitting[model]

    def dictionary(self, name: str, reader: Reader) -> Dictionary:
        """A dictionary of a model, in memory.

        Raises:
            RequestError: it is not offered, or is another model's, or cannot be opened any more.
        """
        from flowviz.factors.fits import check_fits

        place = self._place(name)
        about = placed(place.about, reader.shape.layers)
        check_fits(reader, about)
        return replace(self._opened(name, place.folder), about=about)

    def _place(self, name: str) -> Place:
        if name in self._places:
            return self._places[name]
        there = f"Choose one of: {', '.join(self._places)}." if self._places else (
            "There is none here; whoever starts the server names them with FLOWVIZ_FACTORS."
        )  # fmt: skip
        raise RequestError(f"The dictionary {shown(name)} is not offered here. {there}")

    def _opened(self, name: str, folder: Path) -> LoadedDictionary:
        from flowviz.factors.dictionary.files import load_dictionary

        with self._opening:
            if name not in self._held:
                found = load_dictionary(folder)
                self._held[name] = replace(found, about=replace(found.about, name=name))
            self._held.move_to_end(name)
            while len(self._held) > 1 and self._bytes() > self._most_bytes:
                self._held.popitem(last=False)
            return self._held[name]

    def _bytes(self) -> int:
        return sum(dictionary.bytes for dictionary in self._held.values())


def placed(about: About, layers: int) -> About:
    """The card for a model of so many blocks: what lies in front of the next is behind the last.

    Published dictionaries are of the state behind a block, and do not say how many there are.
    """
    behind = Site(SiteKind.RESID_PRE, layers)
    if behind not in about.sites:
        return about
    final = Site(SiteKind.RESID_FINAL)
    return replace(about, sites=tuple(final if each == behind else each for each in about.sites))


def _shipped(folder: Path) -> dict[str, Place]:
    """The cards of those that ship."""
    from flowviz.factors.dictionary.files import CARD, read_about

    folders = [card.parent for card in sorted(folder.glob(f"*/{CARD}"))]
    return {each.name: Place(each, replace(read_about(each), name=each.name)) for each in folders}
