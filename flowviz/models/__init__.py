"""Models: the catalogue, loading, tokens, and what each architecture's parts are called."""

from flowviz.models.catalogue import Catalogue, ModelEntry
from flowviz.models.loaded import LoadedModel

__all__ = ["Catalogue", "LoadedModel", "ModelEntry", "load_model"]


def __getattr__(name: str) -> object:
    """Imports the loader when it is first asked for: it takes seconds, and `--help` must not."""
    if name == "load_model":
        from flowviz.models.loading import load_model

        return load_model
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
