"""What ablations and interventions put in the place of a value: zeros, means, another prompt's."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from flowviz.causal.baselines import Baseline, mean, resample, zero
from flowviz.causal.request import CheckRequest
from flowviz.causal.types import Ablation
from flowviz.explanation import reference_prompts
from flowviz.interventions.types import Instead
from flowviz.jobs import Progress
from flowviz.models.loaded import LoadedModel
from flowviz.trace import record


class StandIns:
    """Makes them; the means of the model that was asked last are kept.

    Args:
        check_size: refuses a prompt of so many tokens where its pass would take too much memory.
    """

    def __init__(self, check_size: Callable[[LoadedModel, int], None]) -> None:
        self._check_size = check_size
        self._means: tuple[LoadedModel, Baseline] | None = None

    def forget(self) -> None:
        """Lets go of what was computed from a model, which would hold the model itself."""
        self._means = None

    def intervention(
        self, model: LoadedModel, donor: str | None, progress: Progress, instead: Instead
    ) -> Baseline:
        """What an intervention puts in."""
        if instead is Instead.MEAN:
            return self._mean(model, progress)
        assert donor is not None
        return self._other(model, donor, None)

    def ablation(
        self, model: LoadedModel, positions: int, question: CheckRequest, progress: Progress
    ) -> Baseline:
        """What a check puts in, at so many positions."""
        if question.against is Ablation.ZERO:
            return zero(model)
        if question.against is Ablation.RESAMPLE:
            assert question.other is not None
            return self._other(model, question.other, positions)
        return self._mean(model, progress)

    def _other(self, model: LoadedModel, prompt: str, positions: int | None) -> Baseline:
        """The values on another prompt: at so many positions, or at all that it has."""
        ids = model.vocabulary.encode(prompt, model.context)
        self._check_size(model, len(ids))
        return resample(record(model, ids), positions or len(ids), "the values on another prompt")

    def _mean(self, model: LoadedModel, progress: Progress) -> Baseline:
        means = self._means
        if means is None or means[0] is not model:
            texts = reference_prompts()
            told = partial(_reference_read, progress, len(texts))
            means = model, mean(model, (_cut(model, text) for text in texts), told)
            self._means = means
        return means[1]


def _cut(model: LoadedModel, text: str) -> list[int]:
    """A prompt of the reference set, as much of it as the model takes."""
    return model.vocabulary.encode(text, None)[: model.context]


def _reference_read(progress: Progress, total: int, done: int) -> None:
    progress(f"Reading the reference set: {done} of {total} prompts", 0.5)
