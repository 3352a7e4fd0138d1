"""What the analyses ask and answer, in words."""

from __future__ import annotations

from dataclasses import dataclass

from flowviz.analyses.request import Analysis
from flowviz.analyses.types import (
    ActiveNeurons,
    NormFilters,
    Overlap,
    Result,
    TargetCourse,
    TokenSearch,
)
from flowviz.views.tokens import visible
from flowviz.views.words import percent


@dataclass(frozen=True)
class About:
    """What one analysis is for.

    Args:
        name: for its tab.
        question: what it answers.
        method: how, in one sentence.
        shows: what there is to see once it has run.
        first: what to do to run it.
    """

    name: str
    question: str
    method: str
    shows: str
    first: str = "Choose prompts and press Run."


ABOUT = {
    Analysis.OVERLAP: About(
        "Overlap",
        "Do the parts of a block read as the same tokens?",
        "Each vector is read as its first k tokens; the overlap is the share that two have in "
        "common.",
        "How much heads share with what they become part of, by layer and by their size; values "
        "with their head, by attention; queries, keys and values among each other; and what "
        "chance alone would give.",
    ),
    Analysis.TARGET: About(
        "Target course",
        "Where in the model does the answer appear?",
        "Every state behind a prompt's last token is read as tokens; followed is the answer, or "
        "without one the model's own prediction.",
        "The answer's probability and rank at every layer and stage, where the model is right "
        "against where it is wrong; and how it did on each prompt.",
    ),
    Analysis.NORMS: About(
        "Norm filters",
        "What do the norms let through, and what do they hold back?",
        "Vectors are read as tokens before and after a norm's weight and bias, and beside them "
        "random vectors of equal length.",
        "How much each norm of the model changes what it reads; and of each one the tokens that "
        "lose and gain, and the first tokens before and after.",
    ),
    Analysis.NEURONS: About(
        "Always-active neurons",
        "Which neurons fire whatever the prompt says?",
        "Counted is on how many prompts a neuron is among the n most active of its layer.",
        "How many neurons are how often active, how the most frequent ones differ from their "
        "layer, and a list of them that opens each one in the flow.",
    ),
    Analysis.SEARCH: About(
        "Neurons by text",
        "Which neurons and heads speak for a token, and which against it?",
        "What every neuron and head of the model writes is held against the token's direction.",
        "The neurons and heads that promote the token most, those that suppress it most, and for "
        "each head the source tokens that make it do so; each one opens in the flow.",
        "Type a few letters of a token and choose one of those that are offered.",
    ),
}


def summary(result: Result) -> str:
    """What the result is about, in one line."""
    match result:
        case Overlap():
            return f"{result.model} · {prompts(result.prompts)} · first {result.k:,} tokens"
        case TargetCourse():
            return f"{result.model} · {prompts(len(result.outcomes))}{_right(result)}"
        case NormFilters():
            return f"{result.model} · {prompts(result.prompts)} · first {result.k:,} tokens"
        case ActiveNeurons():
            return (
                f"{result.model} · {prompts(result.prompts)} · {found_words(result)} among the "
                f"{result.n:,} most active of their layer on at least {percent(result.threshold)} "
                "of the prompts"
            )
        case TokenSearch():
            return f"{result.model} · {visible(result.token)} (token {result.id:,})"


def prompts(count: int) -> str:
    """So many prompts."""
    return f"{count:,} prompt{'' if count == 1 else 's'}"


def found_words(result: ActiveNeurons) -> str:
    """How many neurons reach the threshold, and whether all are listed."""
    listed = len(result.neurons)
    found = max(result.found, listed)
    words = f"{found:,} neuron{'' if found == 1 else 's'}"
    return words if listed == found else f"{words} (the first {listed:,} are listed)"


def _right(result: TargetCourse) -> str:
    told = [outcome.right for outcome in result.outcomes if outcome.right is not None]
    if not told:
        return " · each target is the model's own prediction"
    return f" · {sum(told):,} of {len(told):,} answered right ({percent(sum(told) / len(told))})"


def notes(result: Result) -> tuple[str, ...]:
    """What a result says of itself: what is missing or was sampled."""
    return tuple(getattr(result, "notes", ()))
