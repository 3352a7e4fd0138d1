"""What a request opens, with what it costs this prompt to run on reconstructions alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from flowviz.contexts.encode import open_reader
from flowviz.errors import RequestError
from flowviz.factors.shelf import Dictionaries
from flowviz.factors.splice import splice_prompt
from flowviz.factors.types import Dictionary
from flowviz.factors.use.places import OpenAt, dictionary_name
from flowviz.factors.use.split import Named, open_nodes
from flowviz.graph.opened import Opened
from flowviz.graph.scored import Scored
from flowviz.models.loaded import LoadedModel


def named_on(shelf: Dictionaries, model: LoadedModel) -> Named:
    """Gives the dictionaries of a shelf that are a model's, by name."""
    reader = None

    def dictionary(name: str) -> Dictionary:
        nonlocal reader
        reader = open_reader(model) if reader is None else reader
        return shelf.dictionary(name, reader)

    return dictionary


def shipped_on(model: LoadedModel) -> Named:
    """Those that ship."""
    return named_on(Dictionaries(), model)


def beside_shipped(given: object) -> tuple[str, Callable[[LoadedModel], Named]]:
    """A dictionary of one's own, beside those that ship: its name, and who gives it.

    Args:
        given: a dictionary in memory, or NAME=FOLDER.

    Raises:
        RequestError: it is neither, or cannot be opened.
    """
    if isinstance(given, Dictionary):
        name = dictionary_name(given.about.name)

        def held(model: LoadedModel) -> Named:
            others = shipped_on(model)
            return lambda asked: given if asked == name else others(asked)

        return name, held
    if not isinstance(given, str):
        raise RequestError(
            f"dictionary was given a {type(given).__name__}; it takes a name, NAME=FOLDER, or a "
            "dictionary in memory."
        )
    name, _, folder = given.partition("=")
    shelf = Dictionaries({dictionary_name(name.strip()): Path(folder.strip())})
    return name.strip(), lambda model: named_on(shelf, model)


def open_with_losses(scored: Scored, places: Sequence[OpenAt], named: Named) -> Opened:
    """Opens nodes, and says of each what becomes of the prompt's loss when the site is replaced by
    its reconstruction at every position (`splice`).

    Raises:
        RequestError: as `open_nodes`.
    """
    opened = open_nodes(scored, places, named)
    nodes = []
    for node, place in zip(opened.nodes, places, strict=True):
        loss, spliced = _losses(scored, place, named(place.dictionary))
        nodes.append(replace(node, place=replace(node.place, loss=loss, spliced=spliced)))
    return replace(opened, nodes=tuple(nodes))


def _losses(
    scored: Scored, place: OpenAt, dictionary: Dictionary
) -> tuple[float | None, float | None]:
    """In the clean pass; None for a prompt of which nothing can be predicted."""
    model, ids = scored.flow.model, scored.flow.trace.ids
    try:
        special = [at for at, token in enumerate(ids) if token in model.vocabulary.special]
        loss, (spliced,) = splice_prompt(model, dictionary, ids, special, chosen=[place.site])
    except RequestError:
        return None, None
    return loss, spliced
