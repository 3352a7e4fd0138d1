"""From a prompt to similar contexts in a corpus: the Python way, without a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from functools import cache
from pathlib import Path

from flowviz.attended import Model, loaded_model
from flowviz.contexts.corpus import demo_corpus, open_corpus
from flowviz.contexts.encode import open_reader
from flowviz.contexts.find import find_contexts
from flowviz.contexts.kinds import DEMO, Site
from flowviz.contexts.request import ContextRequest
from flowviz.contexts.shelf import Shelf
from flowviz.contexts.sites import asked_site
from flowviz.contexts.store import build, open_store
from flowviz.contexts.store.types import Store
from flowviz.contexts.types import ContextsFound
from flowviz.errors import RequestError
from flowviz.jobs import Progress

CHOICES = frozenset(each.name for each in fields(ContextRequest)) - {"prompt", "model", "corpus"}


def similar_contexts(
    prompt: str, model: Model = "demo", store: Store | str | Path | None = None, **choices: object
) -> ContextsFound:
    """The contexts of a corpus in which a model was most like here.

    Args:
        prompt: the text to run.
        model: as `attention_maps` takes it: a GPT or an encoder.
        store: what `build_store` made, or its folder; None for the demo corpus, which is read now,
            once in the life of the process.
        choices: any other field of `ContextRequest`, as text or as it is: `position`, `site`
            (`"resid_pre:3"`, `"heads:2"`, …), `chosen`, `metric`, `count`, `part`, `filters`
            (`["matched.upos=VERB"]`), `least`, `other_word`, `one_each`, `heads`, `second`, `mask`.

    Raises:
        RequestError: something cannot be asked so, or the store is another model's.
        ModelError: the model cannot be loaded.

    Example:
        >>> similar_contexts("The bank of the river", position=1, site="resid_pre:4").hits[0].text
    """
    unknown = sorted(set(choices) - CHOICES)
    if unknown:
        raise RequestError(
            f"similar_contexts takes no {unknown[0]!r}; it takes {', '.join(sorted(CHOICES))}."
        )
    request = ContextRequest.from_mapping({**_as_text(choices), "prompt": prompt})
    loaded = loaded_model(model)
    reader = open_reader(loaded)
    request = replace(request, model=loaded.shape.name)
    if store is None:
        site = asked_site(reader, request)
        opened = _shelf().store(DEMO, request.model, reader, site, _silent)
    else:
        opened = open_store(Path(store)) if isinstance(store, str | Path) else store
        request = replace(request, corpus=opened.info.name)
    return find_contexts(reader, opened, request, _silent)


def build_store(
    corpus: str | Path,
    folder: str | Path,
    model: Model = "demo",
    *,
    sites: Sequence[Site | str] | None = None,
    progress: Progress | None = None,
) -> Store:
    """Reads a corpus with a model and keeps the vectors on disk; goes on where it was stopped.

    Args:
        corpus: CoNLL-U or plain text, a file or a folder; `"demo"` for the demo corpus.
        folder: where the store is to be, or is in part.
        sites: which vectors to keep; None for hidden states and heads of all layers.

    Raises:
        RequestError: the corpus cannot be read, or the folder holds something else.
        ModelError: the model cannot be loaded.
    """
    read = demo_corpus() if corpus == DEMO else open_corpus(Path(corpus))
    chosen = [each if isinstance(each, Site) else Site.parse(each) for each in sites or ()]
    reader = open_reader(loaded_model(model))
    return build(read, reader, Path(folder), chosen or None, progress=progress or _silent)


def _as_text(choices: dict[str, object]) -> dict[str, object]:
    """A site as a link has it; all else is read as it is."""
    return {name: str(each) if isinstance(each, Site) else each for name, each in choices.items()}


@cache
def _shelf() -> Shelf:
    return Shelf()


def _silent(_stage: str, _fraction: float) -> None:
    """Progress that nobody watches."""
