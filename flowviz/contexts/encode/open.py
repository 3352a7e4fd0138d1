"""Opening a reader: a GPT's, or that of a model that reads both ways."""

from __future__ import annotations

from flowviz.contexts.encode.encoder import EncoderReader
from flowviz.contexts.encode.gpt import GptReader
from flowviz.contexts.encode.types import Reader
from flowviz.encoders.loaded import LoadedEncoder
from flowviz.models.loaded import LoadedModel


def open_reader(model: LoadedModel | LoadedEncoder) -> Reader:
    """See the package."""
    if isinstance(model, LoadedModel):
        return GptReader(model)
    return EncoderReader(model)
