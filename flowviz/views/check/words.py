"""What a check found, in words: the line beside every graph, and what its numbers mean."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean

from flowviz.causal.types import Ablation, Kept, Recovery, Smallest
from flowviz.graph.types import FlowGraph, NodeKey
from flowviz.views.words import percent, plain, short_label, target_name

ABLATION_WORDS = {
    Ablation.ZERO: "under zero ablation",
    Ablation.MEAN: "under mean ablation",
    Ablation.RESAMPLE: "with another prompt's values",
}
UNKNOWN = "–"


def share_words(kept: Kept) -> str:
    """What is recovered, in percent; a dash where all and nothing give the same."""
    return UNKNOWN if math.isnan(kept.recovered) else percent(kept.recovered)


def band(controls: Sequence[Kept]) -> tuple[float, float] | None:
    """The least and the most that random graphs recover; None where that is no number."""
    shares = [kept.recovered for kept in controls]
    if not shares or not all(map(math.isfinite, shares)):
        return None
    return min(shares), max(shares)


def band_words(controls: Sequence[Kept]) -> str:
    """The same in words."""
    ends = band(controls)
    return UNKNOWN if ends is None else f"{percent(ends[0])} to {percent(ends[1])}"


def also_words(kept: Kept) -> str:
    """How far the prediction is from the model's own."""
    return f"KL {bits(kept.divergence)} bits, first token: {first_words(kept)}"


def first_words(kept: Kept) -> str:
    """Whether the likeliest token is the model's own."""
    return "the same" if kept.same_first else "another"


def average_words(controls: Sequence[Kept]) -> str:
    """What random graphs recover: their mean, and their band."""
    if band(controls) is None:
        return UNKNOWN
    mean = fmean(kept.recovered for kept in controls)
    return f"recover {percent(mean)} on average, {band_words(controls)}"


def bits(divergence: float) -> str:
    """A divergence with as many digits as tell something."""
    return f"{divergence:.1f}" if divergence >= 1 else f"{divergence:.2f}"


def headline(graph: FlowGraph, recovery: Recovery) -> str:
    """What the drawn graph recovers of its target."""
    return f"Recovers {share_words(recovery.kept)} of {target_name(graph)}"


def details(recovery: Recovery, against: Ablation) -> str:
    """The rest of the line: the ablation by its name, the control, the prediction."""
    return (
        f"{ABLATION_WORDS[against]} (random graphs: {band_words(recovery.controls)}), "
        f"{also_words(recovery.kept)}"
    )


def meaning(graph: FlowGraph, recovery: Recovery) -> str:
    """What recovered means, in a sentence, with this run's own numbers."""
    number = "logit" if graph.target.contrast is None else "difference of logits"
    return (
        f"Only the {recovery.kept.size:,} components that are drawn stay; every other head, "
        f"neuron and embedding is replaced by {recovery.baseline}, and the model runs again. "
        f"100% is the {number} of the whole model ({plain(recovery.whole)}), 0% what is left with "
        f"none of its components ({plain(recovery.nothing)}). The random graphs keep as many of "
        "each kind."
    )


def smallest_words(small: Smallest) -> str:
    """How large the small graph is, and what it recovers."""
    many = "component recovers" if small.kept.size == 1 else "components recover"
    return f"{small.kept.size:,} {many} {_exactly(small.kept)}; {also_words(small.kept)}"


def weakest_words(small: Smallest, graph: FlowGraph) -> tuple[NodeKey, str, str] | None:
    """The weakest component, its name, and what its removal does; None where it is not known."""
    if small.weakest is None or small.without_weakest is None:
        return None
    words = f"without it {_exactly(small.without_weakest)}"
    return small.weakest, short_label(small.weakest, graph), words


def _exactly(kept: Kept) -> str:
    """With a digit behind the point: the weakest of many matters little."""
    return f"{100 * kept.recovered:.1f}%".replace("-", "−")


def too_large_words(small: Smallest) -> str | None:
    """Why no components are listed, where they are not."""
    if small.nodes:
        return None
    return "That is too many to try without each of them, so they are not listed."
