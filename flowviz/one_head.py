"""From a prompt to one head: the Python way, without a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar

from flowviz.analyses.passes import silent
from flowviz.attention.decay_request import DecayRequest
from flowviz.attention.head import check_gpt
from flowviz.attention.neuron_types import Decay, NeuronView
from flowviz.attention.neurons import decay_over
from flowviz.attention.neurons import neuron_view as view_of
from flowviz.attention.patterns import check_part
from flowviz.attention.request import HeadsRequest
from flowviz.attention.split import why as split
from flowviz.attention.why_request import NeuronRequest, Rank, WhyRequest
from flowviz.attention.why_types import WhyThere
from flowviz.encoders.answers import ask
from flowviz.encoders.loaded import LoadedEncoder
from flowviz.encoders.loading import load_any
from flowviz.encoders.neurons import decay_over_encoder
from flowviz.errors import RequestError
from flowviz.models.catalogue import ModelEntry
from flowviz.models.loaded import LoadedModel
from flowviz.trace import Trace, record

Model = LoadedModel | LoadedEncoder | ModelEntry | str
MOST_BYTES = 2**40  # of an answer: the caller has asked for it, and holds it


def why(
    prompt: str,
    layer: int,
    head: int,
    model: Model = "demo",
    *,
    query: int | None = None,
    key: int | None = None,
    n: int = WhyRequest.n,
    rank: str = Rank.BEYOND,
    **more: object,
) -> WhyThere:
    """Why a head looks from one position at another: its score, split without loss.

    Args:
        prompt: the text to run.
        model: a loaded model (`load_model`, or `wrap_model` for one in memory), or what
            `load_model` takes.
        query: the position that looks; None for the last.
        key: the position that it looks at; None for the one that it attends to most.
        n: how many components of each end have a row of their own.
        rank: by what these are chosen: `beyond` or `share`.
        more: `second`, a second text: what follows for a GPT, the other sentence for an encoder;
            `mask` and `part`, of an encoder, as `attention_maps` takes them.

    Raises:
        RequestError: there is no such head or position, or the score cannot be split.
        ModelError: the model cannot be loaded.

    Example:
        >>> found = why("The capital of Japan is the city of", 3, 3)
        >>> found.tokens[found.key].text, round(found.weight, 3)
        (' Japan', 0.996)
    """
    given = {"prompt": prompt, "layer": layer, "head": head, "query": query, "key": key}
    request = WhyRequest.from_mapping({**given, "n": n, "rank": rank, **_more(more)})
    loaded = load(model)
    if isinstance(loaded, LoadedEncoder):
        return _asked(loaded, request, WhyThere)
    return split(loaded, _pass(loaded, request), request)


def neuron_view(
    prompt: str,
    layer: int,
    head: int,
    model: Model = "demo",
    *,
    query: int | None = None,
    **more: object,
) -> NeuronView:
    """Query, keys and their product of one head at one position, dimension by dimension.

    Args:
        query: the position that looks; None for the last. The others are as of `why`.

    Raises:
        RequestError: there is no such head or position, or its queries cannot be read exactly.
        ModelError: the model cannot be loaded.

    Example:
        >>> neuron_view("The capital of Japan is the city of", 3, 3).k.shape
        (8, 24)
    """
    given = {"prompt": prompt, "layer": layer, "head": head, "query": query}
    request = NeuronRequest.from_mapping({**given, **_more(more)})
    loaded = load(model)
    if isinstance(loaded, LoadedEncoder):
        return _asked(loaded, request, NeuronView)
    return view_of(loaded, _pass(loaded, request), request)


def distance_decay(
    layer: int,
    head: int,
    model: Model = "demo",
    *,
    prompts: Sequence[str] | None = None,
    part: str | None = None,
) -> Decay:
    """How the dimensions of a head change with distance, over a set of prompts.

    Args:
        prompts: one pass each; None for the set `phenomena` that ships.
        part: of an encoder-decoder, `"encoder"`, `"decoder"` or `"cross"`.

    Raises:
        RequestError: there are no prompts, one cannot be read, or there is no such head.
        ModelError: the model cannot be loaded.

    Example:
        >>> distance_decay(2, 7, prompts=["When Mary and John went to the store"]).slope
        -0.7...
    """
    if isinstance(prompts, str):
        raise RequestError("distance_decay takes a list of prompts. Put the prompt into one.")
    asked = HeadsRequest().prompts() if prompts is None else prompts
    request = DecayRequest.from_mapping({"layer": layer, "head": head, "part": part})
    loaded = load(model)
    if isinstance(loaded, LoadedEncoder):
        return decay_over_encoder(loaded, asked, layer, head, silent, request.part)
    check_part(loaded.shape.name, request.part)
    return decay_over(loaded, asked, layer, head)


A = TypeVar("A")


def load(model: Model) -> LoadedModel | LoadedEncoder:
    """The model, loaded where it is not."""
    return model if isinstance(model, LoadedModel | LoadedEncoder) else load_any(model)


def _more(given: dict[str, object]) -> dict[str, Any]:
    known = {"second", "mask", "part"}
    unknown = sorted(set(given) - known)
    if unknown:
        raise RequestError(f"{unknown[0]!r} is not taken here; {', '.join(sorted(known))} are.")
    return given


def _asked(model: LoadedEncoder, request: NeuronRequest | WhyRequest, kind: type[A]) -> A:
    named = replace(request, model=model.shape.name)
    found = ask(model, named, MOST_BYTES, silent)
    assert isinstance(found, kind)
    return found


def _pass(model: LoadedModel, request: NeuronRequest | WhyRequest) -> Trace:
    check_gpt(model.shape.name, request.mask, request.part)
    return record(model, model.vocabulary.encode(request.text, model.context))
