"""What the analyses find: plain frozen data without tensors, for pages, tables and files.

Figures are means over prompts (and over heads, where it says so), with the standard deviation
beside them, so that one prompt and a set have the same form.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from flowviz.graph.types import Projection

MOST_NEURONS = 1000


@dataclass(frozen=True)
class Prompt:
    """One prompt of a set.

    Args:
        text: the prompt.
        answer: the token that should come next, as text; None where nobody says.
        group: what kind of prompt it is, for a set of several; empty where nobody says.
    """

    text: str
    answer: str | None = None
    group: str = ""


@dataclass(frozen=True)
class Series:
    """One line of a plot. `mean[i]` and `deviation[i]` are of `count[i]` figures at `x[i]`.

    The deviation is that of all the figures (divided by their number); zero for a single one.

    Args:
        name: stable, for files; for example `head_through_W_O~attention_output`.
        title: in words, for a legend.
    """

    name: str
    title: str
    x: tuple[int, ...]
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    count: tuple[int, ...]


@dataclass(frozen=True)
class Overlap:
    """I_k = |top-k of one ∩ top-k of the other| / k, between parts of the same pass.

    Args:
        k: how many tokens were compared; all of them in a vocabulary that has fewer.
        chance: what two random sets of k tokens of this vocabulary share: k / d_vocab.
        by_layer: heads, raw and through W_O, against attention output, block output and final
            output; x is the layer.
        by_norm_rank: a head's output against its attention output, block output and final
            output; x is the head's rank by norm in its layer, 1 the largest.
        by_attention_rank: a value against its head's output; x is the value's rank by attention
            weight, 1 the most attended.
        among: query, key and value of a head and position, pair by pair; x is the layer.
        notes: what is missing here and why, in sentences.
    """

    model: str
    k: int
    prompts: int
    chance: float
    by_layer: tuple[Series, ...]
    by_norm_rank: tuple[Series, ...]
    by_attention_rank: tuple[Series, ...]
    among: tuple[Series, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class TargetGroup:
    """The target's course through the model, over the prompts of one group.

    Args:
        name: `right` (the model's first token is the answer), `wrong`, or `all`, which is left
            out where it would repeat the only other group. A prompt without an answer is in `all`
            alone; its target is the model's own prediction.
        prompts: how many there are.
        probability: the target's probability under the lens, at each stage.
        rank: its rank there; 1 is the first.
        median_rank: the median of the ranks, which a few large ones do not move.
    """

    name: str
    prompts: int
    probability: tuple[float, ...]
    probability_deviation: tuple[float, ...]
    rank: tuple[float, ...]
    rank_deviation: tuple[float, ...]
    median_rank: tuple[float, ...]


@dataclass(frozen=True)
class PromptOutcome:
    """How the model did on one prompt of a set.

    Args:
        right: whether the answer is the model's first token; None where nobody says one.
        rank, probability: of the target in the model's own output.
        target_id, prediction_id: `#` and an id names a token where its text does not.
    """

    prompt: Prompt
    target: str
    prediction: str
    right: bool | None
    rank: int
    probability: float
    target_id: int = -1
    prediction_id: int = -1


@dataclass(frozen=True)
class TargetCourse:
    """The target's probability and rank by layer and stage.

    Args:
        stages: `0 pre`, `0 mid`, …, `final`; those that the architecture has.
        outcomes: each prompt, in the order of the set.
    """

    model: str
    stages: tuple[str, ...]
    groups: tuple[TargetGroup, ...]
    outcomes: tuple[PromptOutcome, ...]


@dataclass(frozen=True)
class TokenChange:
    """What a norm does to a token's probability under the lens, as means over vectors.

    Args:
        control: the mean change by the same norm over random vectors of equal length.
        control_deviation: the standard deviation of that mean, from draw to draw of all vectors.
    """

    id: int
    text: str
    before: float
    after: float
    change: float
    control: float
    control_deviation: float


@dataclass(frozen=True)
class RankedToken:
    """A token in a list by mean probability."""

    id: int
    text: str
    probability: float


@dataclass(frozen=True)
class NormFilter:
    """One norm as a semantic filter.

    Args:
        name: `ln1`, `ln1_post`, `ln2`, `ln2_post` or `ln_final`.
        layer: its block; the final norm stands at the number of layers.
        vectors: how many vectors the means are over.
        losers, gainers: the tokens that lose and gain most, strongest first.
        top_before, top_after: the likeliest tokens by mean probability.
        overlap: I_k between a vector's top-k before and after, mean.
        shift: total variation distance between the two distributions, mean.
        entropy_change: after minus before, in bits, mean.
        control_overlap, control_shift, control_entropy_change: the same of random vectors.
    """

    name: str
    layer: int
    vectors: int
    losers: tuple[TokenChange, ...]
    gainers: tuple[TokenChange, ...]
    top_before: tuple[RankedToken, ...]
    top_after: tuple[RankedToken, ...]
    overlap: float
    shift: float
    entropy_change: float
    control_overlap: float
    control_shift: float
    control_entropy_change: float


@dataclass(frozen=True)
class NormFilters:
    """All norms of a model.

    Args:
        positions: how many positions the prompts have; a norm's `vectors` are fewer where they
            were sampled.
        draws: how many random vectors stand beside each.
        notes: what was sampled or is missing, in sentences.
    """

    model: str
    prompts: int
    k: int
    norms: tuple[NormFilter, ...]
    positions: int = 0
    draws: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ActiveNeuron:
    """A neuron that is among the most active of its layer on many prompts.

    Args:
        share: the share of prompts on which it is.
        activation: its mean activation there.
        norm, entropy: of its value (its row of W_out), and in bits of the tokens that it projects
            to, read with its own scale: the entropy speaks of its direction, not of its length.
        projection: its value times the sign of its mean activation, read as tokens; the
            `target_…` fields speak of its own first token.
        example: a prompt on which it is active, and the position looked at, to open it there.
    """

    layer: int
    index: int
    share: float
    activation: float
    norm: float
    entropy: float
    projection: Projection
    example: str
    position: int


@dataclass(frozen=True)
class LayerOfNeurons:
    """What the always-active neurons of a layer are held against.

    Args:
        norm, norm_deviation: of the values of all its neurons.
        entropy, entropy_deviation: of what they project to, in bits, each neuron's value with the
            sign of its mean activation.
        shares: for 0, 5, …, 100% of prompts, how many neurons are active on at least that share.
        expected: n / d_mlp, the share of prompts on which a neuron would be active by chance.
        read: over how many neurons the entropy is; a large layer's are sampled.
    """

    layer: int
    neurons: int
    norm: float
    norm_deviation: float
    entropy: float
    entropy_deviation: float
    shares: tuple[int, ...]
    expected: float
    read: int = 0


@dataclass(frozen=True)
class ActiveNeurons:
    """Always-active neurons: those that reach the threshold, the largest share first.

    Args:
        found: how many reach it; `neurons` lists at most `MOST_NEURONS` of them.
    """

    model: str
    prompts: int
    n: int
    threshold: float
    neurons: tuple[ActiveNeuron, ...]
    layers: tuple[LayerOfNeurons, ...]
    found: int = 0


@dataclass(frozen=True)
class NeuronMatch:
    """A neuron whose value promotes or suppresses the token that was searched for.

    Args:
        logit: what it adds to the token's logit for each unit of activation, with the final
            norm's scale set aside (so that neurons can be compared, not prompts predicted).
        cosine: between its value and the token's direction.
        rank: of the token among all that its value promotes (or, where it suppresses it, among
            all that it suppresses); 1 is the first.
    """

    layer: int
    index: int
    logit: float
    cosine: float
    rank: int


@dataclass(frozen=True)
class SourceToken:
    """A token that, attended by a head, changes the searched token's logit."""

    id: int
    text: str
    logit: float


@dataclass(frozen=True)
class HeadMatch:
    """A head whose OV circuit promotes or suppresses the token that was searched for.

    Args:
        logit: the strongest effect over all source tokens, per unit of attention, each source
            token's embedding read through the head's own norm; the final norm's scale set aside.
        sources: the source tokens with the strongest effect of that sign.
    """

    layer: int
    index: int
    logit: float
    sources: tuple[SourceToken, ...]


@dataclass(frozen=True)
class TokenSearch:
    """Neurons and heads by text: who promotes or suppresses a token, over the whole model."""

    model: str
    token: str
    id: int
    promoting_neurons: tuple[NeuronMatch, ...]
    suppressing_neurons: tuple[NeuronMatch, ...]
    promoting_heads: tuple[HeadMatch, ...]
    suppressing_heads: tuple[HeadMatch, ...]


Result = Overlap | TargetCourse | NormFilters | ActiveNeurons | TokenSearch


def finite(value: float) -> float | None:
    """For files: a number, or None where there is none."""
    return value if math.isfinite(value) else None
