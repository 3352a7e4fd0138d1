"""What readers of both kinds of models say of themselves."""

from __future__ import annotations

from typing import Generic, TypeVar

from flowviz.contexts.encode.identity import identity_of
from flowviz.contexts.encode.known import known_of
from flowviz.encoders.loaded import LoadedEncoder
from flowviz.graph.types import ModelShape
from flowviz.models.loaded import LoadedModel

M = TypeVar("M", LoadedModel, LoadedEncoder)


class ModelReader(Generic[M]):
    """A loaded model, and what has been found out about it; see `Reader`."""

    def __init__(self, model: M) -> None:
        self._model = model
        self._known = known_of(model)

    @property
    def shape(self) -> ModelShape:
        """See `Reader`."""
        return self._model.shape

    @property
    def context(self) -> int | None:
        """See `Reader`."""
        return self._model.context

    @property
    def identity(self) -> str:
        """See `Reader`."""
        with self._model.lock:
            return self._known.once("identity", lambda: identity_of(self._model))
