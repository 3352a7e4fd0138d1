"""The passes over a set of prompts: all prompts are checked first, then one runs at a time.

So memory is bounded, and a prompt that cannot be read, or whose answer is no single token, is told
by its number before the first pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from flowviz.analyses.types import Prompt
from flowviz.checked import check_prompt
from flowviz.errors import RequestError
from flowviz.jobs import Progress
from flowviz.models.loaded import LoadedModel
from flowviz.trace import Trace, record


def silent(_stage: str, _fraction: float) -> None:
    """Progress that nobody watches."""


@dataclass(frozen=True)
class Asked:
    """A prompt as this model reads it.

    Args:
        number: which one of the set it is, from 1.
        answer: the id of the token that should come next; None where nobody says.
    """

    number: int
    prompt: Prompt
    ids: tuple[int, ...]
    answer: int | None

    @property
    def last(self) -> int:
        """The last position."""
        return len(self.ids) - 1


def read_all(model: LoadedModel, prompts: Iterable[Prompt | str]) -> tuple[Asked, ...]:
    """All prompts as ids.

    Raises:
        RequestError: there are none, or one is empty or too long, or its answer is no single
            token; the message begins with the prompt's number.
    """
    asked = tuple(_read(model, number, prompt) for number, prompt in enumerate(prompts, 1))
    if not asked:
        raise RequestError("There are no prompts. Give at least one.")
    return asked


def _read(model: LoadedModel, number: int, prompt: Prompt | str) -> Asked:
    prompt = Prompt(prompt) if isinstance(prompt, str) else prompt
    try:
        ids = model.vocabulary.encode(check_prompt(prompt.text), model.context)
        answer = None if prompt.answer is None else model.vocabulary.resolve(prompt.answer)
    except RequestError as error:
        raise RequestError(f"Prompt {number}: {error}") from None
    return Asked(number, prompt, tuple(ids), answer)


def passes(
    model: LoadedModel, asked: tuple[Asked, ...], progress: Progress, until: float = 1.0
) -> Iterator[tuple[Asked, Trace]]:
    """One pass after the other; progress is told before each, and raises where it is to end.

    Args:
        until: the fraction of the whole work that stands behind the last pass.
    """
    for done, one in enumerate(asked):
        progress(f"Prompt {one.number} of {len(asked)}", until * done / len(asked))
        yield one, record(model, list(one.ids))
    progress("All prompts are read", until)
