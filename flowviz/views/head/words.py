"""What is said of one head: names of parts, sentences on what it looks at and why."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from flowviz.attention.kinds import Part
from flowviz.attention.neuron_types import Decay, NeuronView
from flowviz.attention.why_types import INSIDE_WORDS, Inside, KindSum, ScorePart, Term, WhyThere
from flowviz.graph.types import ModelShape, NodeKey, NodeKind, PromptToken
from flowviz.views.head.look import View
from flowviz.views.tokens import visible
from flowviz.views.words import place, plain, signed

READING = {
    View.NEURONS: "A row a source: its key, and key × query, dimension by dimension; blue is "
    "positive, orange negative, darkness a root of the size. A row of query × key sums to the "
    "score over the scale.",
    View.DISTANCE: "Each line is the mean share of a dimension in the score, over all pairs of "
    "tokens so far apart. The slope is that of the line of least squares through all pairs; "
    "slopes of all dimensions sum to that of the score.",
    View.WHY: "Rows wrote the query, columns wrote the key; a cell is the share of that pair in "
    "the score, and all cells sum to it.",
}
CLICKING = {
    View.NEURONS: "Click a row to look at that source closely, a dimension to mark it.",
    View.DISTANCE: "",
    View.WHY: "Click another source to ask about it, a name of a GPT's part to open it in the "
    "flow.",
}


class End(StrEnum):
    """The end of a score that a part belongs to."""

    QUERY = "query"
    KEY = "key"

    def tokens_of(self, found: WhyThere) -> tuple[PromptToken, ...]:
        """The tokens among which its parts stand."""
        return found.tokens if self is End.QUERY else found.sources


INSIDE_NAMES = {
    (End.QUERY, Inside.PROJECTION): "b_Q",
    (End.KEY, Inside.PROJECTION): "b_K",
    (End.QUERY, Inside.NORM): "query norm",
    (End.KEY, Inside.NORM): "key norm",
}
WHOLE_NAMES = {
    Inside.OTHERS: "all others",
    Inside.ACROSS: "cross attention",
    Inside.SENTENCE: "sentence embedding",
    Inside.NORMS: "biases of norms",
}
NOTHING = 1e-6  # a share of a score that is only the rounding of sums
ROTARY = "With rotary positions the vectors shown are the ones whose product is the score."
ROTARY_DISTANCE = (
    "With rotary positions two dimensions of a pair turn together: each alone swings with the "
    "distance, and the sum of a pair says more than either."
)
KIND_WORDS = {
    NodeKind.EMBED: "token embedding",
    NodeKind.POS_EMBED: "position embedding",
    NodeKind.HEAD: "heads of L{layer}",
    NodeKind.NEURON: "neurons of L{layer}",
    NodeKind.BIAS: "biases of L{layer}",
}
TERM_WORDS = {
    Term.PRODUCT: "query × key",
    Term.CAP: "what the soft cap takes off",
    Term.POSITION: "bias by position",
}
PART_WORDS = {  # of an encoder-decoder, in its order
    Part.ENCODER: "Encoder",
    Part.DECODER: "Decoder",
    Part.CROSS: "Cross",
}


def head_name(layer: int, head: int) -> str:
    """A head's name, as everywhere."""
    return f"L{layer} H{head}"


def token_name(tokens: Sequence[PromptToken], position: int) -> str:
    """A token with its position: "3 ␣Japan"."""
    return f"{position} {visible(tokens[position].text)}"


def parts_of(found: WhyThere, end: End) -> tuple[ScorePart, ...]:
    """The parts of the query, or of the key."""
    return found.query_parts if end is End.QUERY else found.key_parts


def part_name(part: ScorePart, found: WhyThere, end: End) -> str:
    """A part of a query or key in a few words."""
    if isinstance(part.what, Inside):
        alone = f"bias {INSIDE_NAMES.get((end, part.what), part.what)}"
        return WHOLE_NAMES.get(part.what, alone)
    return component_name(part.what, found.model, end.tokens_of(found))


def component_name(key: NodeKey, model: ModelShape, tokens: Sequence[PromptToken]) -> str:
    """What wrote a part: "L2 H0", "embedding ␣Japan"."""
    if key.kind is NodeKind.EMBED:
        return f"embedding {visible(tokens[key.position].text)}"
    return place(key, model)


def part_tip(part: ScorePart, found: WhyThere, end: End) -> str:
    """What a part is, in a sentence's worth of words."""
    if isinstance(part.what, Inside):
        return INSIDE_WORDS[part.what]
    tokens = end.tokens_of(found)
    at = token_name(tokens, part.what.position)
    return f"{component_name(part.what, found.model, tokens)} at {at}"


def sum_name(each: KindSum) -> str:
    """A kind of component in one block."""
    if each.kind is None:
        return f"biases inside L{each.layer}"
    return KIND_WORDS[each.kind].format(layer=each.layer)


def attended(weight: float) -> str:
    """A share of attention: 99.6%, 3.2%, <0.1%."""
    if 0 < weight < 0.0005:
        return "<0.1%"
    return f"{100 * weight + 0.0:.1f}%".replace("-", "−").replace(".0%", "%")


def figure(value: float) -> str:
    """A share of a score: three digits with the sign; what is nothing beside them is 0."""
    return "0" if abs(value) < NOTHING else signed(value)


# ---- why there ---------------------------------------------------------------------------------


def looks_words(found: WhyThere) -> str:
    """Who looks at what, and how much of its attention that is."""
    who = f"{head_name(found.layer, found.head)} at {token_name(found.tokens, found.query)}"
    what = token_name(found.sources, found.key)
    rank = "the most" if found.rank == 1 else f"number {found.rank}"
    return (
        f"{who} looks at {what}: {attended(found.weight)} of its attention, {rank} of {found.seen}."
    )


def score_words(found: WhyThere) -> str:
    """The score, and how far it stands above that of other keys."""
    above = found.product - found.mean_product
    side = "above" if above >= 0 else "below"
    return (
        f"The score is {plain(found.score)}; query × key is {plain(abs(above))} {side} its mean "
        f"over the {found.seen} keys that are seen ({plain(found.mean_product)})."
    )


def term_words(found: WhyThere) -> list[str]:
    """What the score is the sum of, where it is more than one product."""
    if len(found.terms) < 2:
        return []
    return [f"{TERM_WORDS[term]} {signed(value)}" for term, value in found.terms]


def exact_words(found: WhyThere) -> str:
    """How exact the split is on this run."""
    apart = f"{found.error:.1e}".replace("e-0", "e-")
    if not found.exact:
        return (
            f"The parts and the score are apart by {apart}, more than {found.tolerance:g}: this "
            "split is not exact, and must not be read as if it were."
        )
    return (
        f"All parts sum to {_number(found.parts_sum)}, the score is {_number(found.score)}: apart "
        f"by {apart}. {_follows(found.pattern_error)}"
    )


def _follows(error: float) -> str:
    """How far the pattern that the scores give is from the model's."""
    if not error:
        return "The attention that follows is the model's own."
    return f"The attention that follows is the model's own up to {error:.0e}."


def _number(value: float) -> str:
    return f"{value:.4f}".replace("-", "−")


def limits_words(window: int | None, sink: float | None, cap: float | None = None) -> list[str]:
    """What else decides where a head looks."""
    said = []
    if window is not None:
        said.append(f"The head looks back {window} positions, its own included.")
    if sink is not None:
        said.append(f"Its sink takes {attended(sink)} of the attention; nothing is read from it.")
    if cap is not None:
        said.append(f"Scores are capped softly: {cap:g} · tanh(product / {cap:g}).")
    return said


# ---- neurons -----------------------------------------------------------------------------------


def most_attended(view: NeuronView) -> int:
    """The place of the source that the query attends to most."""
    return int(view.pattern.argmax())


def attends_words(view: NeuronView) -> str:
    """Who looks, and at what most."""
    who = f"{head_name(view.layer, view.head)} at {token_name(view.tokens, view.query)}"
    most = most_attended(view)
    what = token_name(view.sources, most)
    return f"{who} looks most at {what}: {attended(float(view.pattern[most]))} of its attention."


def deciding_words(view: NeuronView) -> str:
    """What the deciding dimensions sum to, and how few make half of it."""
    whole = float(view.deciding.sum())
    return (
        f"Attended scores stand {plain(whole)} above the average score. A dimension decides as "
        "much of that as its share of the attended scores exceeds its average share."
    )


def notes(view: NeuronView) -> list[str]:
    """What a reader must know of this head."""
    said = [ROTARY] if view.rotary else []
    return [*said, *limits_words(view.window, view.sink, view.cap)]


# ---- distance ----------------------------------------------------------------------------------


def slope_words(decay: Decay) -> str:
    """Which way the head leans with distance, and over how many pairs that was seen."""
    prompts = "this prompt" if decay.prompts == 1 else f"{decay.prompts:,} prompts"
    over = f"over {decay.pairs:,} pairs of tokens of {prompts}"
    slope = decay.slope
    if not slope:
        return f"All pairs have one distance, {over}: there is no change to see."
    way = "loses" if slope < 0 else "gains"
    return (
        f"The score of {head_name(decay.layer, decay.head)} {way} {plain(abs(slope))} a token of "
        f"distance ({over}, the first token or special ones left out as sources)."
    )


def share_of_slope(decay: Decay, count: int = 4) -> str:
    """How much of the slope the strongest dimensions make."""
    slope = decay.slope
    if not slope:
        return ""
    strongest = list(decay.strongest[:count])
    made = signed(float(decay.slopes[strongest].sum()))
    named = ", ".join(map(str, strongest))
    return f"Dimensions {named} together: {made} a token."


def status_words(answer: WhyThere | NeuronView | Decay) -> str:
    """What the picture holds, in a line."""
    if isinstance(answer, WhyThere):
        return exact_words(answer)
    name = head_name(answer.layer, answer.head)
    if isinstance(answer, Decay):
        return f"{name}: {answer.sums.shape[1]} dimensions, {answer.pairs:,} pairs of tokens"
    count = len(answer.k)
    sources = "1 source" if count == 1 else f"{count:,} sources"
    return f"{name} of {answer.model.name}: {len(answer.q)} dimensions, {sources}"
