"""The models that one server holds, within a bound of bytes; the least recently used goes first.

`HeldModels.load` makes room and loads, one model at a time:

1. A model whose weights take more than the whole bound is refused, and nothing is unloaded.
2. Least recently used models are marked as leaving until the new one fits: no new run takes them.
3. What runs on them already ends first; cancelled meanwhile, they stay.
4. They are unloaded with all that was computed from them, and their memory is free.
5. The new one is loaded. Where that fails, what was unloaded is loaded again when it is asked for.

What a run needs together (two checkpoints to compare) is loaded together: none of them makes room
for another, and where they do not fit beside each other they are refused.

A run takes its models by a `Lease`, all or none, and gives them back whatever happened to it.
"""

from __future__ import annotations

import gc
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from flowviz.encoders.loaded import LoadedEncoder
from flowviz.errors import ModelError
from flowviz.jobs import Progress
from flowviz.models.catalogue import ModelEntry
from flowviz.models.loaded import LoadedModel

MEGABYTE = 2**20
LOOK_SECONDS = 0.2  # how often a load that waits for runs to end looks whether it is still wanted
Loaded = LoadedModel | LoadedEncoder
Loader = Callable[[ModelEntry, Progress], Loaded]


@dataclass(eq=False)
class _Place:
    model: Loaded
    bytes: int
    runs: int = 0
    leaving: bool = False


class HeldModels:
    """The table of models. Every method is safe to call from many threads.

    Args:
        most_bytes: what the weights of all of them may take.
        load: loads an entry.
        size: how many bytes an entry's weights will take, before they are loaded.
        forget: lets go of what was computed from the model of that name.
    """

    def __init__(
        self,
        most_bytes: int,
        load: Loader,
        size: Callable[[ModelEntry], int],
        forget: Callable[[str], None],
    ) -> None:
        self.most_bytes = most_bytes
        self._load, self._size, self._forget = load, size, forget
        self._places: OrderedDict[str, _Place] = OrderedDict()  # the least recently used first
        self._sizes: dict[str, int] = {}
        self._changed = threading.Condition()  # around both, for moments
        self._loading = threading.Lock()  # around a whole load

    @property
    def bytes(self) -> int:
        """What the weights of the models that are held take."""
        with self._changed:
            return sum(place.bytes for place in self._places.values())

    def look(self, name: str) -> Loaded | None:
        """A model that is held, to read its vocabulary; a run takes it by a `Lease`."""
        with self._changed:
            place = self._places.get(name)
            return place.model if place else None

    def known_bytes(self, name: str) -> int | None:
        """What a model takes or will take, where that is known already."""
        with self._changed:
            place = self._places.get(name)
            return place.bytes if place else self._sizes.get(name)

    def measure(self, entries: Iterable[ModelEntry]) -> None:
        """Learns the sizes of those that are folders of this machine; no network is asked."""
        for entry in entries:
            if entry.name not in self._sizes and _is_here(entry):
                try:
                    self._needed(entry)
                except ModelError:
                    continue  # it is told to whoever asks for that model

    def load(self, entry: ModelEntry, progress: Progress) -> None:
        """Holds a model, loaded now where it is not held yet; one loads at a time.

        Raises:
            ModelError: it can never fit here, or cannot be loaded; all others are as they were,
                or will be loaded again.
        """
        self.load_together((entry,), progress)

    def load_together(self, entries: Sequence[ModelEntry], progress: Progress) -> None:
        """Holds several models at once, and loads those that are not held yet.

        Raises:
            ModelError: one of them cannot be loaded, or they can never be held together.
        """
        names = frozenset(entry.name for entry in entries)
        with self._loading:
            missing = [entry for entry in entries if self.look(entry.name) is None]
            if not missing:
                return
            self._check_room(entries, {entry.name: self._needed(entry) for entry in missing})
            for entry in missing:
                self._make_room(self.known_bytes(entry.name) or 0, progress, but=names)
                self._hold(entry.name, self._load(entry, progress))
                self._make_room(0, progress, but=names)  # where it took more than was said

    def _check_room(self, entries: Sequence[ModelEntry], missing: dict[str, int]) -> None:
        sizes = {
            entry.name: missing.get(entry.name) or self.known_bytes(entry.name) or 0
            for entry in entries
        }
        if sum(sizes.values()) > self.most_bytes:
            titles = " and ".join(entry.title for entry in entries)
            raise ModelError(self._never(titles, sum(sizes.values()), len(entries) > 1))

    def _needed(self, entry: ModelEntry) -> int:
        needed = self._size(entry)
        with self._changed:
            self._sizes[entry.name] = needed
        return needed

    def _never(self, titles: str, needed: int, together: bool) -> str:
        most = self.most_bytes / MEGABYTE
        takes, choose = "takes", "Choose a smaller model"
        if together:
            takes, choose = "together take", "Choose smaller models"
        return (
            f"{titles} {takes} {needed / MEGABYTE:,.0f} MB; {most:,.0f} MB are set aside for "
            f"models here. {choose}, or have the server set aside more (FLOWVIZ_MODELS_MB)."
        )

    def _hold(self, name: str, model: Loaded) -> None:
        size = weights_of(model.module)
        with self._changed:
            self._places[name] = _Place(model, size)
            self._sizes[name] = size

    def _make_room(self, needed: int, progress: Progress, but: frozenset[str]) -> None:
        leaving = self._choose(needed, but)
        try:
            self._await_runs(leaving, progress)
        except BaseException:
            self._mark(leaving, False)
            raise
        self._unload(leaving)

    def _choose(self, needed: int, but: frozenset[str]) -> list[str]:
        """Marks the least recently used as leaving, as many as must go."""
        with self._changed:
            left = sum(place.bytes for place in self._places.values())
            leaving: list[str] = []
            for name, place in self._places.items():
                if left + needed > self.most_bytes and name not in but:
                    leaving.append(name)
                    left -= place.bytes
            self._mark(leaving, True)
            return leaving

    def _mark(self, names: list[str], leaving: bool) -> None:
        with self._changed:
            for name in names:
                self._places[name].leaving = leaving

    def _await_runs(self, names: list[str], progress: Progress) -> None:
        while True:
            with self._changed:
                if self._changed.wait_for(lambda: not self._used(names), LOOK_SECONDS):
                    return
                used = ", ".join(self._used(names))
            progress(f"Waiting for the last run on {used}, which has to make room", 0.0)

    def _used(self, names: list[str]) -> list[str]:
        return [name for name in names if self._places[name].runs]

    def _unload(self, names: list[str]) -> None:
        for name in names:
            with self._changed:
                del self._places[name]
            self._forget(name)
        gc.collect()  # a bridge refers to itself; and what failed before is let go too
        if torch.cuda.is_available():
            torch.cuda.empty_cache()  # what torch would keep for itself

    def take(self, name: str) -> _Place | None:
        """For a `Lease`: counts one more run, unless the model is not held or about to leave."""
        with self._changed:
            place = self._places.get(name)
            if place is None or place.leaving:
                return None
            place.runs += 1
            self._places.move_to_end(name)
            return place

    def give_back(self, place: _Place) -> None:
        """For a `Lease`: counts one run less."""
        with self._changed:
            place.runs -= 1
            self._changed.notify_all()


class Lease:
    """One run's hold on its models: between `take` and `give_back` none of them is unloaded."""

    def __init__(self, models: HeldModels, *names: str) -> None:
        self._models, self._names = models, names
        self._places: tuple[_Place, ...] = ()

    def take(self) -> bool:
        """Whether all of them are held, and taken now; else none is."""
        if self._places:
            return True
        taken: list[_Place] = []
        for name in self._names:
            place = self._models.take(name)
            if place is None:
                self._give_back(taken)
                return False
            taken.append(place)
        self._places = tuple(taken)
        return True

    def give_back(self) -> None:
        """Lets go of the models, where they were taken."""
        places, self._places = self._places, ()
        self._give_back(places)

    def _give_back(self, places: Iterable[_Place]) -> None:
        for place in places:
            self._models.give_back(place)

    @property
    def model(self) -> Loaded:
        """The model, the first where there are two; only while it is taken."""
        return self.models[0]

    @property
    def models(self) -> tuple[Loaded, ...]:
        """The models, in the order in which they were named; only while they are taken."""
        if not self._places:
            raise RuntimeError(f"the models {self._names} are used without having been taken")
        return tuple(place.model for place in self._places)


def _is_here(entry: ModelEntry) -> bool:
    """Whether it is a folder with a whole model; an adapter's base may be on the hub."""
    folder = Path(entry.source)
    adapter = entry.base is not None or (folder / "adapter_config.json").exists()
    return not entry.on_hub and not adapter and folder.is_dir()


def weights_of(module: Any) -> int:
    """The bytes that a module's weights take, what is shared among them once."""
    seen: dict[tuple[torch.device, int], int] = {}
    for weight in chain(module.parameters(), module.buffers()):
        for part in _plain(weight):
            storage = part.untyped_storage()
            seen[part.device, storage.data_ptr()] = storage.nbytes()
    return sum(seen.values())


def _plain(tensor: Any) -> Iterator[Tensor]:
    """The tensors that hold a tensor's numbers: its own, or those of one held in 8 bits."""
    if not hasattr(tensor, "__tensor_flatten__"):
        yield tensor
        return
    for name in tensor.__tensor_flatten__()[0]:
        yield from _plain(getattr(tensor, name))
