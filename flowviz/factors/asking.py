"""A look at a dictionary, answered: the list, one factor, a prompt's factors, an activation split.

1. The dictionary is one of those that the server offers for the model.
2. Its survey over the corpus is the one that lies beside it, or the one that was made since; else
   it is made now, and kept as long as the server runs.
3. The parts of the answer are kept one by one, so that another page of the list tells no factor
   again, and a closed context needs no pass.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

from cachetools import LRUCache

from flowviz.contexts.corpus import demo_corpus
from flowviz.contexts.corpus.types import Corpus
from flowviz.contexts.encode import open_reader
from flowviz.contexts.encode.types import Reader
from flowviz.contexts.kinds import DEMO
from flowviz.contexts.shelf import Shelf
from flowviz.encoders.loaded import LoadedEncoder
from flowviz.errors import RequestError
from flowviz.factors.look.files import open_survey, save_survey
from flowviz.factors.look.listing import list_factors
from flowviz.factors.look.survey import survey
from flowviz.factors.look.surveyed import Survey
from flowviz.factors.look.told import tell
from flowviz.factors.look.types import (
    Attributed,
    FactorsFound,
    FactorsListed,
    FactorTold,
    PromptFactors,
)
from flowviz.factors.prompt import prompt_factors
from flowviz.factors.request import DEFAULT, FactorsRequest
from flowviz.factors.shelf import Dictionaries
from flowviz.factors.stored import StoredCorpus
from flowviz.factors.types import About, Dictionary
from flowviz.factors.use.opened import named_on
from flowviz.jobs import Progress
from flowviz.models.loaded import LoadedModel

Model = LoadedModel | LoadedEncoder
Key = tuple[object, ...]
Part = TypeVar("Part")
MOST_SURVEYS = 4
MOST_PARTS = 200
MOST_LOOKED = 1000
SURVEYED, READ_PROMPT, READ = 0.7, 0.8, 0.9  # of the progress


@dataclass(frozen=True, eq=False)
class _Open:
    """What a request is about, in memory.

    Args:
        name: of the dictionary; `key`, what a part of the answer depends on at least.
    """

    request: FactorsRequest
    model: Model
    reader: Reader
    name: str
    dictionary: Dictionary

    @property
    def key(self) -> tuple[str, str, str]:
        return (self.name, self.reader.identity, self.request.corpus)


class Looking:
    """The looks at one server's dictionaries. Safe to call from many threads.

    Args:
        dictionaries: that are offered; corpora: over which they are surveyed.
    """

    def __init__(self, dictionaries: Dictionaries, corpora: Shelf) -> None:
        self._dictionaries, self._corpora = dictionaries, corpora
        self._surveys: LRUCache[Key, Survey] = LRUCache(MOST_SURVEYS)
        self._parts: LRUCache[Key, Any] = LRUCache(MOST_PARTS)
        self._looked: LRUCache[Key, bool] = LRUCache(MOST_LOOKED)  # what took long once
        self._lock, self._surveying = threading.Lock(), threading.Lock()

    def named(self, model: LoadedModel) -> Callable[[str], Dictionary]:
        """Gives the dictionaries of a model by name."""
        return named_on(self._dictionaries, model)

    def at_hand(self, request: FactorsRequest) -> bool:
        """Whether nothing that takes long is left to do for a request."""
        long = filter(None, (_whole(request), _split_of(request)))
        return all(self._kept(self._looked, key) for key in long)

    def answer(self, request: FactorsRequest, model: Model, progress: Progress) -> FactorsFound:
        """All that a request asks for.

        Raises:
            RequestError: there is no such dictionary, corpus, site or factor, or the prompt cannot
                be read.
        """
        reader = open_reader(model)
        offered = self._dictionaries.fitting(model, reader)
        if not offered:
            return FactorsFound(request, ())
        name = _chosen(request, offered)
        look = _Open(request, model, reader, name, self._dictionaries.dictionary(name, reader))
        surveyed = self._survey(look, partial(_between, progress, 0.0, SURVEYED))
        listed = list_factors(surveyed, look.dictionary, request)
        prompt = self._of_prompt(look, surveyed, partial(_between, progress, SURVEYED, READ_PROMPT))
        factor = _factor(request, listed, prompt)
        found = FactorsFound(
            request,
            offered,
            listed,
            told=self._told(look, surveyed, factor, partial(_between, progress, READ_PROMPT, READ)),
            prompt=prompt,
            attributed=self._split(look, surveyed, partial(_between, progress, READ, 1.0)),
        )
        with self._lock:
            self._looked.update((key, True) for key in (_whole(request), _split_of(request)) if key)
        return found

    # ---- surveys ------------------------------------------------------------------------------

    def _survey(self, look: _Open, progress: Progress) -> Survey:
        self._corpora.check(look.request.corpus)
        found = self._kept(self._surveys, look.key)
        if found is None:
            with self._surveying:  # a second visitor finds what the first has made
                found = self._kept(self._surveys, look.key) or self._opened(look)
                found = found or self._made(look, progress)
            with self._lock:
                self._surveys[look.key] = found
        return found

    def _opened(self, look: _Open) -> Survey | None:
        """The survey in the dictionary's folder, or one that was made before; None for none."""
        made = self._dictionaries.made_folder(*look.key)
        for folder in (self._dictionaries.folder(look.name) / "survey", made):
            try:
                found = open_survey(folder, look.dictionary, look.reader)
            except RequestError:
                continue
            if found.info.corpus == look.request.corpus:
                return found
        return None

    def _made(self, look: _Open, progress: Progress) -> Survey:
        corpus = self._corpus(look)
        found = survey(look.dictionary, look.model, corpus, progress=progress)
        named = replace(found, info=replace(found.info, corpus=look.request.corpus))
        save_survey(named, self._dictionaries.made_folder(*look.key))
        return named

    def _corpus(self, look: _Open) -> Corpus:
        asked, reader = look.request, look.reader
        if asked.corpus == DEMO:
            return demo_corpus()
        site = next(iter(reader.sites))
        store = self._corpora.store(asked.corpus, asked.model, reader, site, _silent)
        return StoredCorpus(asked.corpus, store)

    # ---- the parts of an answer ---------------------------------------------------------------

    def _kept(self, cache: LRUCache[Key, Part], key: Key) -> Part | None:
        with self._lock:
            return cache.get(key)

    def _part(self, key: Key, make: Callable[[], Part]) -> Part:
        """A part that is kept, or made now."""
        found = self._kept(self._parts, key)
        if found is None:
            found = make()
            with self._lock:
                self._parts[key] = found
        return found

    def _told(
        self, look: _Open, surveyed: Survey, factor: int | None, progress: Progress
    ) -> FactorTold | None:
        if factor is None:
            return None
        request = replace(look.request, factor=factor)
        return self._part(
            ("told", *look.key, factor, request.site),
            lambda: tell(surveyed, look.dictionary, look.model, request, progress),
        )

    def _of_prompt(self, look: _Open, surveyed: Survey, progress: Progress) -> PromptFactors | None:
        if not look.request.prompt:
            return None
        words = partial(words_of, surveyed)
        return self._part(
            ("prompt", *look.key, look.request.prompt),
            lambda: prompt_factors(
                look.model, look.dictionary, look.request, words=words, progress=progress
            ),
        )

    def _split(self, look: _Open, surveyed: Survey, progress: Progress) -> Attributed | None:
        request = look.request
        if _split_of(request) is None:
            return None
        from flowviz.factors.look.attributed import attribute

        return self._part(
            ("split", *look.key, request.factor, request.site, request.sentence, request.position),
            lambda: attribute(surveyed, look.dictionary, look.model, request, progress),
        )


def _factor(
    request: FactorsRequest, listed: FactorsListed, prompt: PromptFactors | None
) -> int | None:
    """The factor that is told: where none is named, the prompt's strongest, or the list's first."""
    if request.factor is not None:
        return request.factor
    if prompt is not None and prompt.factors:
        return prompt.factors[0]
    return listed.rows[0].factor if listed.rows else None


def words_of(surveyed: Survey, factors: Sequence[int]) -> list[str]:
    """The commonest word of each factor, at the site where it is strongest."""
    forms, _ = surveyed.words
    rows = [surveyed.row(int(surveyed.best[factor]), factor) for factor in factors]
    return [surveyed.values[int(forms[row])][1] for row in rows]


def _chosen(request: FactorsRequest, offered: Sequence[About]) -> str:
    """The dictionary that is asked for; where nobody says, the first that fits."""
    names = [about.name for about in offered]
    usual = request.dictionary == DEFAULT and DEFAULT not in names
    return names[0] if usual else request.dictionary


def _whole(request: FactorsRequest) -> Key:
    """What a request takes a survey for."""
    return (request.model, request.dictionary, request.corpus)


def _split_of(request: FactorsRequest) -> Key | None:
    """The request for the activation that is split; None for none."""
    if None in (request.factor, request.sentence, request.position):
        return None
    where = (request.factor, request.site, request.sentence, request.position)
    return (*_whole(request), *where)


def _between(progress: Progress, start: float, end: float, stage: str, fraction: float) -> None:
    progress(stage, start + (end - start) * fraction)


def _silent(_stage: str, _fraction: float) -> None:
    """Progress that nobody watches."""
