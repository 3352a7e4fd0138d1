"""The corpora that a server offers, each with the stores that its models read.

The demo corpus is there for every model: it is read when somebody first asks, one site at a time,
into a folder that is gone with the server. A store that whoever started the server built before is
opened as it is, and never changed.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
import weakref
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from flowviz.checked import shown
from flowviz.contexts.corpus.types import Corpus
from flowviz.contexts.encode.types import Reader
from flowviz.contexts.kinds import ANNOTATIONS, DEMO, Feature, Site
from flowviz.contexts.store.types import Store
from flowviz.errors import RequestError
from flowviz.jobs import Progress

DEMO_TITLE = "Demo corpus"
MOST_BYTES = 2 * 2**30


@dataclass(frozen=True)
class CorpusChoice:
    """A corpus that visitors may choose.

    Args:
        sentences: None where that is not known yet.
        models: which models it was read by, by their shapes' names; empty for any.
        sites: which vectors it has; empty for all that the model has.
    """

    name: str
    title: str
    sentences: int | None
    parts: tuple[str, ...]
    annotations: tuple[Feature, ...]
    models: tuple[str, ...] = ()
    sites: tuple[Site, ...] = ()


class Shelf:
    """The corpora of one server. Safe to call from many threads.

    Args:
        folders: stores by name, as whoever starts the server names them. They are opened now, so
            that a broken one is told at the start.
        most_bytes: what the demo corpus may take on disk before the store that was used least
            recently makes room; what is asked for now is read all the same.

    Raises:
        RequestError: a store cannot be opened.
    """

    def __init__(
        self, folders: Mapping[str, Path] | None = None, most_bytes: int = MOST_BYTES
    ) -> None:
        self._built = {name: _open(folder) for name, folder in (folders or {}).items()}
        self._most_bytes = most_bytes
        self._demo: Corpus | None = None
        self._read: OrderedDict[str, _Place] = OrderedDict()  # by the identity of the reader
        self._opened: dict[str, Store] = {}  # what was opened last, by the same
        self._used: weakref.WeakKeyDictionary[Store, _Place] = weakref.WeakKeyDictionary()
        self._served: set[tuple[str, str, Site | None]] = set()
        self._building = threading.Lock()

    def choices(self) -> tuple[CorpusChoice, ...]:
        """What visitors may choose, the demo corpus first."""
        return _demo_choice(), *(_choice(name, store) for name, store in self._built.items())

    def check(self, name: str) -> None:
        """Raises RequestError for a name that is not offered."""
        if name != DEMO and name not in self._built:
            raise RequestError(
                f"The corpus {shown(name)} is not offered here. Choose one of: "
                f"{', '.join((DEMO, *self._built))}."
            )

    def at_hand(self, name: str, model: str, site: Site | None) -> bool:
        """Whether `store` has been asked for that before, so that it only opens what is there."""
        return name in self._built or (name, model, site) in self._served

    def store(self, name: str, model: str, reader: Reader, site: Site, progress: Progress) -> Store:
        """The store of a corpus with a site's vectors.

        Args:
            model: the name by which it was asked for; `reader`: that model.

        Raises:
            RequestError: the corpus is not offered, or has no such vectors and cannot get them.
        """
        self.check(name)
        if name in self._built:
            return self._built[name]
        found = self._opened.get(reader.identity)  # nobody waits for what others build
        if found is None or site not in found.info.sites:
            with self._building:  # a second visitor finds what the first has built
                found = self._demo_store(reader, site, progress)
                self._opened[reader.identity] = found
        self._served.update({(name, model, site), (name, model, None)})
        return found

    def _demo_store(self, reader: Reader, site: Site, progress: Progress) -> Store:
        from flowviz.contexts.corpus import demo_corpus
        from flowviz.contexts.store import build

        self._demo = self._demo or demo_corpus()
        if reader.identity in self._read:
            self._read.move_to_end(reader.identity)
        self._make_room()
        place = self._read.get(reader.identity) or _Place()
        self._read[reader.identity] = place
        store = build(self._demo, reader, place.folder, [site], progress=progress)
        self._used[store] = place
        return store

    def _make_room(self) -> None:
        """Lets go of what was used least recently, even of the store that is to grow."""
        while sum(place.bytes for place in self._read.values()) > self._most_bytes:
            identity, _ = self._read.popitem(last=False)
            self._opened.pop(identity, None)
            self._served.clear()


class _Place:
    """A folder that is deleted once neither the shelf nor an open store needs it."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="flowviz-contexts-"))
        weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)

    @property
    def bytes(self) -> int:
        """What it takes on the disk."""
        return sum(file.stat().st_size for file in self.folder.rglob("*") if file.is_file())


def _open(folder: Path) -> Store:
    from flowviz.contexts.store import open_store

    return open_store(folder)


def _demo_choice() -> CorpusChoice:
    return CorpusChoice(DEMO, DEMO_TITLE, None, (), ANNOTATIONS)


def _choice(name: str, store: Store) -> CorpusChoice:
    about = store.info
    return CorpusChoice(
        name, name, about.sentences, about.parts, about.annotations, (about.model,), about.sites
    )
