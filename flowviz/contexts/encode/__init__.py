"""A model as a reader of corpora: batches of tokens in, vectors at sites and attention out."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flowviz.contexts.encode.types import Reader
    from flowviz.encoders.loaded import LoadedEncoder
    from flowviz.models.loaded import LoadedModel


def open_reader(model: LoadedModel | LoadedEncoder) -> Reader:
    """A loaded model as a reader. What it finds out about a model it keeps as long as that lives.

    Raises:
        ModelError: the model has no states that can be read.
    """
    from flowviz.contexts.encode.open import open_reader as opened  # torch is not loaded before

    return opened(model)
