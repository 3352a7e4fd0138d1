"""Whether a dictionary is one of a model: by its identity, or by its width and sites."""

from __future__ import annotations

from flowviz.contexts.encode.types import Reader
from flowviz.errors import RequestError
from flowviz.factors.types import About

UNSURE = (
    "The dictionary does not say which weights it was learned on. It has the width and the sites "
    "of this model; whether it is this model's shows in how much it explains."
)


def misfit(reader: Reader, about: About) -> str:
    """Why a dictionary is not one of the model, as the end of a sentence; empty where it may be."""
    if about.identity and about.identity != reader.identity:
        return f"it was learned on {about.model or 'another model'}, or on another version of it"
    sites = reader.sites
    missing = next((site for site in about.sites if site not in sites), None)
    if missing is not None:
        return f"it is of {missing}, which this model does not have"
    other = next((site for site in about.sites if sites[site] != about.width), None)
    if other is not None:
        return (
            f"its directions have {about.width:,} numbers, and the model's vectors at {other} "
            f"{sites[other]:,}"
        )
    return ""


def check_fits(reader: Reader, about: About) -> tuple[str, ...]:
    """What a reader of the dictionary should know of it for this model.

    Raises:
        RequestError: it is another model's.
    """
    reason = misfit(reader, about)
    if reason:
        raise RequestError(
            f"The dictionary {about.name} is not one of {reader.shape.name}: {reason}. Choose a "
            "dictionary of this model, or the model that it is of."
        )
    return (*about.notes, *(() if about.identity else (UNSURE,)))
