"""From a prompt to the attention of all heads: the Python way, without a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from flowviz.attention.kinds import Part
from flowviz.attention.patterns import (
    asked_maps,
    average_over,
    check_asked,
    check_part,
    find_over,
    maps_of,
)
from flowviz.attention.request import AttentionRequest, HeadsRequest
from flowviz.attention.types import AttentionMaps, HeadsFound, Weighting
from flowviz.checked import choice
from flowviz.encoders.heads import average_over_encoder, find_over_encoder
from flowviz.encoders.loaded import LoadedEncoder
from flowviz.encoders.loading import load_any
from flowviz.encoders.maps import encoder_maps
from flowviz.errors import RequestError
from flowviz.explanation import Explanation, scored_request
from flowviz.models.catalogue import ModelEntry
from flowviz.models.loaded import LoadedModel

Model = LoadedModel | LoadedEncoder | ModelEntry | str


def attention_maps(prompt: str, model: Model = "demo", **choices: object) -> AttentionMaps:
    """What every head of a model attends to on a prompt.

    Args:
        prompt: the text to run.
        model: a loaded model (`load_model`, `load_encoder`, or `wrap_model` for one in memory), or
            what these take: a known name, a hub name, a folder.
        choices: `weighting` (`"pattern"`, `"norm"` or, of a GPT, `"flow"`) and, for the flow, any
            field of `TargetSpec`: `target` (a token) or `token`, `contrast`, `position`. `second`,
            a second text: the other sentence for an encoder, what the decoder has written for an
            encoder-decoder (which writes by itself where there is none), what follows for a GPT.
            `mask`, positions to hide from an encoder. `part`, of an encoder-decoder: `"encoder"`,
            `"decoder"` or `"cross"`. `average`, a set of prompts to average over instead.

    Raises:
        RequestError: the prompt, the target or another choice cannot be shown as asked.
        ModelError: the model cannot be loaded.

    Example:
        >>> attention_maps("When Mary and John went to the store").weights.shape
        (6, 8, 8, 8)
        >>> pair = attention_maps("The cat sat.", "demo-bert", second="It slept.", mask=[2])
    """
    if "target" in choices:
        choices["token"] = choices.pop("target")
    unknown = sorted(set(choices) - AttentionRequest.fields())
    if unknown:
        raise RequestError(
            f"attention_maps takes no {unknown[0]!r}; it takes "
            f"{', '.join(sorted(AttentionRequest.fields()))}."
        )
    request = AttentionRequest.from_mapping({**choices, "prompt": prompt})
    loaded = loaded_model(model)
    request = replace(request, model=loaded.shape.name)
    if isinstance(loaded, LoadedEncoder):
        return _of_encoder(loaded, request)
    if request.average:
        return average_over(loaded, request.prompts(), request.weighting)
    check_asked(loaded.shape.name, request)
    return asked_maps(scored_request(loaded, request.explained()), request)


def _of_encoder(model: LoadedEncoder, request: AttentionRequest) -> AttentionMaps:
    if not request.average:
        return encoder_maps(model, request)
    asked = request.prompts(), request.weighting
    return average_over_encoder(model, *asked, part=request.part)


def explained_attention(explanation: Explanation, weighting: str) -> AttentionMaps:
    """The attention of a pass that is explained already; see `Explanation.attention`."""
    how = choice("weighting", weighting, Weighting) or Weighting.PATTERN
    return maps_of(explanation.scored, how)


def find_heads(
    prompts: Sequence[str] | None = None, model: Model = "demo", *, part: str | None = None
) -> HeadsFound:
    """What kinds of heads a model has, by their mean scores over a set of prompts.

    Args:
        prompts: one pass each; None for the set `phenomena` that ships.
        part: of an encoder-decoder, which of its attentions; None for the encoder's.

    Raises:
        RequestError: there are no prompts, or one cannot be read (named by its number), or the
            model has no such part.
        ModelError: the model cannot be loaded.

    Example:
        >>> find_heads().kinds.strongest("induction", 1)
        (HeadScore(layer=3, head=4, score=0.5773...),)
    """
    if isinstance(prompts, str):
        raise RequestError("find_heads takes a list of prompts. Put the prompt into one.")
    asked = HeadsRequest().prompts() if prompts is None else prompts
    which, loaded = choice("part", part, Part), loaded_model(model)
    if isinstance(loaded, LoadedEncoder):
        return find_over_encoder(loaded, asked, part=which)
    check_part(loaded.shape.name, which)
    return find_over(loaded, asked)


def loaded_model(model: Model) -> LoadedModel | LoadedEncoder:
    """A model of either kind: as it is, or loaded by its name."""
    return model if isinstance(model, LoadedModel | LoadedEncoder) else load_any(model)
