"""The target's course: its probability and rank, layer by layer, where the model is right or wrong.

Every state of the stream at the prompt's last position (before each block, between its attention
and its MLP where such a state stands there, and behind the last block) is read through the lens as
the model would read it if it were the last one,

    p = softmax(cap(W_U · ln_final(state) + b_U)),        rank = 1 + how many tokens have more,

and the target's p and rank are averaged over the prompts that the model gets right (its first token
is the answer), over those that it gets wrong, and over all.

Sources: Katz and Belinkov 2023 (VISIT); logit lens: nostalgebraist 2020.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from flowviz.analyses.passes import Asked, passes, read_all, silent
from flowviz.analyses.top import state_logits
from flowviz.analyses.types import Prompt, PromptOutcome, TargetCourse, TargetGroup
from flowviz.jobs import Progress
from flowviz.models.loaded import LoadedModel
from flowviz.trace import Trace


@torch.inference_mode()
def target_course(
    model: LoadedModel, prompts: Iterable[Prompt | str], progress: Progress = silent
) -> TargetCourse:
    """The target's probability and rank by layer and stage; see the head of this module.

    A prompt's target is its answer, or the model's own prediction where nobody says one.

    Args:
        progress: told once a prompt; what it raises ends the work.

    Raises:
        RequestError: a prompt cannot be read, or its answer is no single token of this model.

    Example:
        >>> prompts = [Prompt("The capital of Japan is the city of", " Tokyo")]
        >>> target_course(flowviz.load_model("demo"), prompts).groups[0].rank[-1]
        1.0
    """
    courses = [
        _course(model, one, trace)
        for one, trace in passes(model, read_all(model, prompts), progress)
    ]
    return TargetCourse(
        model=model.shape.name,
        stages=_stages(model),
        groups=_groups(courses),
        outcomes=tuple(course.outcome for course in courses),
    )


@dataclass(frozen=True, eq=False)
class _Course:
    outcome: PromptOutcome
    probability: Float[Tensor, " stage"]
    rank: Float[Tensor, " stage"]


def _course(model: LoadedModel, one: Asked, trace: Trace) -> _Course:
    states = torch.stack([state[one.last] for state in _states(trace)])
    prediction = int(trace.logits[one.last].argmax())
    target = prediction if one.answer is None else one.answer
    read = [_read(logits, target) for logits in state_logits(model, states)]
    probability, rank = (torch.cat(parts).cpu().double() for parts in zip(*read, strict=True))
    text = model.vocabulary.text
    outcome = PromptOutcome(
        prompt=one.prompt,
        target=text(target),
        prediction=text(prediction),
        right=None if one.answer is None else prediction == target,
        rank=int(rank[-1]),
        probability=float(probability[-1]),
        target_id=target,
        prediction_id=prediction,
    )
    return _Course(outcome, probability, rank)


def _read(logits: Float[Tensor, "n d_vocab"], target: int) -> tuple[Tensor, Tensor]:
    aim = logits[:, target]
    return (aim - logits.logsumexp(-1)).exp(), (logits > aim[:, None]).sum(-1) + 1


def _states(trace: Trace) -> list[Float[Tensor, "pos d_model"]]:
    states = [state for part in trace.blocks for state in (part.resid_pre, part.resid_mid)]
    return [state for state in (*states, trace.resid_final) if state is not None]


def _stages(model: LoadedModel) -> tuple[str, ...]:
    names = [
        f"{layer} {stage}"
        for layer, block in enumerate(model.blocks)
        for stage in (("pre",) if block.parallel else ("pre", "mid"))
    ]
    return (*names, "final")


def _groups(courses: list[_Course]) -> tuple[TargetGroup, ...]:
    def which(right: bool) -> list[_Course]:
        return [course for course in courses if course.outcome.right is right]

    named = {"right": which(True), "wrong": which(False)}
    if not any(len(some) == len(courses) for some in named.values()):
        named["all"] = courses
    return tuple(_group(name, some) for name, some in named.items() if some)


def _group(name: str, courses: list[_Course]) -> TargetGroup:
    probability = torch.stack([course.probability for course in courses])
    rank = torch.stack([course.rank for course in courses])
    return TargetGroup(
        name=name,
        prompts=len(courses),
        probability=tuple(probability.mean(0).tolist()),
        probability_deviation=tuple(probability.std(0, correction=0).tolist()),
        rank=tuple(rank.mean(0).tolist()),
        rank_deviation=tuple(rank.std(0, correction=0).tolist()),
        median_rank=tuple(rank.quantile(0.5, dim=0).tolist()),
    )
