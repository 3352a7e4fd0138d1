"""What the page says of attention maps."""

from __future__ import annotations

import math

from flowviz.attention.types import (
    KIND_WORDS,
    AttentionMaps,
    HeadScore,
    HeadsFound,
    Part,
    Weighting,
)
from flowviz.models.kind import ModelKind
from flowviz.views.attention.packed import thumbnail_cells
from flowviz.views.attention.window import Frame, Window

WEIGHTING_WORDS = {
    Weighting.PATTERN: "Pattern",
    Weighting.NORM: "Value norm",
    Weighting.FLOW: "Flow",
}
WEIGHTING_TIPS = {
    Weighting.PATTERN: "What the softmax gave: each row sums to 1, or less with a sink.",
    Weighting.NORM: "Pattern × length of the value through W_O, as shares of the row: an attended "
    "token with a short value writes little.",
    Weighting.FLOW: "The signed share of the target's logit that a head draws from each token: "
    "blue for the target, orange against it.",
}
NO_FLOW = "No flow here: it is the share of a GPT's next token, and this model is no GPT."
NO_MEAN_FLOW = "No flow here: it is the share of one prompt's target, and has no mean over prompts."
PART_WORDS = {Part.ENCODER: "Encoder", Part.DECODER: "Decoder", Part.CROSS: "Cross"}
PART_TIPS = {
    Part.ENCODER: "Every token and every other",
    Part.DECODER: "A token that was written and those before it",
    Part.CROSS: "The decoder's tokens look at the encoder's",
}
LISTED = 12  # heads of the finder


def kind_name(kind: str) -> str:
    """A kind of head in few words."""
    named = {
        "previous": "Previous token",
        "next": "Next token",
        "first": "First token (null)",
        "same": "Same token",
        "duplicate": "Duplicate token",
        "induction": "Induction",
        "special": "Special tokens",
    }
    if not kind.startswith("offset:"):
        return named.get(kind) or kind.capitalize()
    offset = int(kind.removeprefix("offset:"))
    return f"Offset {offset}" if offset >= 0 else f"Offset −{-offset} (ahead)"


def kind_words(maps: AttentionMaps | HeadsFound, kind: str) -> str:
    """What such a head does, and over how many queries the score is a mean."""
    count = maps.kinds.queries_of(kind)
    what = KIND_WORDS[kind]
    sentence = f"{what[0].upper()}{what[1:]}."
    if not count:
        return f"{sentence} No token here has such a place: try another prompt."
    over = "1 token" if count == 1 else f"{count:,} tokens"
    chance = maps.kinds.chance(kind)
    where = f" of {maps.prompts:,} prompts" if isinstance(maps, HeadsFound) else ""
    return f"{sentence} Mean over {over}{where}; by chance {chance:.2f}."


def head_name(layer: int, head: int) -> str:
    """A head's name, as everywhere."""
    return f"L{layer} H{head}"


def strongest(maps: AttentionMaps | HeadsFound, kind: str) -> tuple[HeadScore, ...]:
    """The heads that do most of a kind, and more of it than chance."""
    chance = maps.kinds.chance(kind)
    found = maps.kinds.strongest(kind, LISTED)
    return tuple(each for each in found if not math.isnan(each.score) and each.score > chance)


def status_words(maps: AttentionMaps) -> str:
    """How much there is, and how a long prompt stays usable."""
    said = f"{maps.layers} layers × {maps.heads} heads, {maps.positions:,} tokens"
    if maps.sources is not None:
        said += f" look at {len(maps.sources):,}"
    cells = thumbnail_cells(maps)
    if cells < max(maps.positions, len(maps.keys)):
        said += f" · thumbnails have {cells} cells across: each shows its strongest weight"
    return said


def beyond_words(
    maps: AttentionMaps, layer: int | None, heads: tuple[int, ...] | None, at: int | None
) -> str:
    """What was asked for and is not there, and what is shown instead; empty where all is.

    Args:
        at: the position of the pinned token, of the longer column.
    """
    said = []
    if layer is not None and layer >= maps.layers:
        said.append(
            f"There is no layer {layer}: layers go from 0 to {maps.layers - 1}, and the last is "
            "shown."
        )
    missing = [str(head) for head in heads or () if head >= maps.heads]
    if missing:
        shown = "the others are" if len(missing) < len(heads or ()) else "all are"
        none = "There is no head" if len(missing) == 1 else "There are no heads"
        said.append(
            f"{none} {', '.join(missing[:8])}: heads go from 0 to {maps.heads - 1}, and {shown} "
            "shown."
        )
    most = max(maps.positions, len(maps.keys))
    if at is not None and at >= most:
        said.append(f"There is no token {at}: they go from 0 to {most - 1}, and none is pinned.")
    return " ".join(said)


def window_words(maps: AttentionMaps, start: int | None) -> str:
    """Which tokens the head view draws, of how many; empty where it draws all."""
    frame = Frame.of(maps, start)
    if frame.whole:
        return ""
    said = _span(frame.queries)
    if maps.sources is not None:
        said += f" read {_span(frame.keys).lower()}"
    sums = (frame.sources.between, frame.sources.behind)
    return f"{said}; what they read elsewhere stands in rows of its own" if any(sums) else said


def _span(window: Window) -> str:
    return f"Tokens {window.start} to {window.end - 1} of {window.positions:,}"


def second_words(kind: ModelKind | None) -> str:
    """What a second text is for a model of that kind."""
    if kind is None:
        return "the other sentence, or what follows"
    return {
        ModelKind.GPT: "follows the prompt, as it is",
        ModelKind.ENCODER: "the other sentence of a pair",
        ModelKind.BOTH: "what the decoder has written; empty: what it writes itself",
    }[kind]


def has_flow(maps: AttentionMaps) -> bool:
    """Whether these are the maps of a GPT: only there the flow is defined."""
    return maps.parts == (Part.DECODER,)


def why_no_flow(maps: AttentionMaps, mean: bool) -> str:
    """Why the weighting by flow is not offered; empty where it is."""
    if not has_flow(maps):
        return NO_FLOW
    return NO_MEAN_FLOW if mean else ""


def readings_words(maps: AttentionMaps) -> str:
    """What is predicted at each token."""
    if maps.part is Part.ENCODER:
        return "The token itself, or what a mask hides"
    return "The token that follows"
