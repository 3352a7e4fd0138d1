"""The neuron view of a head of a model that reads both ways, from what was recorded of its pass.

    score_ij = scale * Σ_e q_ie k_je, softly capped where the model does so, + bias_ij

with the bias of T5's kind by distance, and minus infinity where the head may not look. The pattern
that follows, softmax(score), is held against the model's own on the run.

Distances: in an encoder |i - j| over all pairs whose source is no special token, because heads
that have nothing to do rest on those (Clark et al. 2019); in a decoder i - j without the first
token as a source, as of a GPT. Across two texts there is no distance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import reduce
from operator import add

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from flowviz.analyses.types import Prompt
from flowviz.attention.kinds import Part
from flowviz.attention.neuron_types import Decay, NeuronView
from flowviz.attention.neurons import FARTHEST
from flowviz.attention.why_request import NeuronRequest
from flowviz.encoders.loaded import LoadedEncoder
from flowviz.encoders.maps import check_part, columns
from flowviz.encoders.read import Text, read_text
from flowviz.encoders.record import Call
from flowviz.encoders.run import Seen, run
from flowviz.encoders.write import with_written
from flowviz.errors import RequestError
from flowviz.models.kind import ModelKind
from flowviz.models.parts import exact

Progress = Callable[[str, float], None]
FAR_OFF = {torch.float64: 1e-6, torch.float32: 1e-3}
HALF = 0.05  # in half precision


@torch.inference_mode()
def encoder_neurons(model: LoadedEncoder, request: NeuronRequest) -> NeuronView:
    """Query, keys and their product of one head at one position.

    Raises:
        RequestError: there is no such part, layer, head or position, or this kind of model shows
            its patterns alone.
    """
    part = check_head(model, request.part, request.layer, request.head)
    text = _read(model, request.prompt, request.second, request.mask)
    call = _call(model, text, part, request.layer)
    return _view(model, text, part, call, request)


def check_head(model: LoadedEncoder, part: Part | None, layer: int, head: int) -> Part:
    """The part that is meant. Raises RequestError where the head cannot be looked into."""
    part = check_part(model, part)
    if not model.recorded:
        raise RequestError(f"{model.shape.name}: {model.notes[0]} Choose a model such as BERT.")
    shape = model.shape_of(part)
    for name, value, count in (("layer", layer, shape.layers), ("head", head, shape.heads)):
        if value >= count:
            raise RequestError(f"There is no {name} {value}; choose one from 0 to {count - 1}.")
    return part


def _read(model: LoadedEncoder, prompt: str, second: str, mask: tuple[int, ...]) -> Text:
    text = read_text(model, prompt, second, mask)
    return with_written(model, text) if model.kind is ModelKind.BOTH else text


def _call(model: LoadedEncoder, text: Text, part: Part, layer: int) -> Call:
    """What was recorded of one layer."""
    found: list[Call] = []

    def take(seen: Seen) -> None:
        if (seen.part, seen.layer) == (part, layer) and seen.call is not None:
            found.append(seen.call)

    run(model, text, take)
    return found[0]


def _view(
    model: LoadedEncoder, text: Text, part: Part, call: Call, request: NeuronRequest
) -> NeuronView:
    head, (queries, sources) = request.head, columns(text, part)
    query = _place(len(queries), request.query)
    last = query + 1 if part is Part.DECODER else call.k.shape[1]
    scores = _scores(call)
    error = _checked_error(model, scores, call)
    q, k = exact(call.q[head, query]), exact(call.k[head, :last])
    pattern, score = exact(call.pattern[head, query, :last]), scores[head, query, :last]
    product = q * k
    over_distance = _decay(call, request.layer, head, part, (sources or queries).special, model)
    return NeuronView(
        model=model.shape_of(part),
        tokens=queries.tokens,
        layer=request.layer,
        head=head,
        query=query,
        scale=call.scale,
        q=_array(q),
        k=_array(k),
        product=_array(product),
        score=_array(score),
        pattern=_array(pattern),
        deciding=_array(_deciding(product, pattern, score.isfinite()) * call.scale),
        cap=call.cap,
        window=None,
        rotary=_rotary(model, part),
        sink=None,
        decay=over_distance if over_distance is not None and over_distance.pairs else None,
        pattern_error=error,
        keys=None if sources is None else sources.tokens,
        part=part,
    )


def _place(count: int, position: int | None) -> int:
    if position is not None and position >= count:
        raise RequestError(
            f"The query's position is {position}; the text has the positions 0 to {count - 1}. "
            "Choose one of them."
        )
    return count - 1 if position is None else position


def _scores(call: Call) -> Float[Tensor, "head query key"]:
    """What the softmax takes; minus infinity where the head may not look."""
    scores = exact(call.q) @ exact(call.k).transpose(1, 2) * call.scale
    if call.cap is not None:
        scores = torch.tanh(scores / call.cap) * call.cap
    if call.bias is None:
        return scores
    lowest = torch.finfo(call.bias.dtype).min / 2  # the mask of what may not be seen
    return torch.where(call.bias < lowest, -torch.inf, scores + exact(call.bias))


def _checked_error(model: LoadedEncoder, scores: Tensor, call: Call) -> float:
    """How far the pattern that follows is off. Raises RequestError where it is another one."""
    error = float((scores.softmax(-1) - exact(call.pattern)).abs().max())
    if not error <= FAR_OFF.get(model.dtype, HALF):
        raise RequestError(
            f"The queries and keys of {model.shape.name} cannot be read exactly (the pattern that "
            f"follows from them is off by {error:.2g}), so that its neurons are not shown. The "
            "attention itself is the model's own and can be looked at."
        )
    return error


def _deciding(
    product: Float[Tensor, "source d_head"],
    pattern: Float[Tensor, " source"],
    seen: Bool[Tensor, " source"],
) -> Float[Tensor, " d_head"]:
    attended = (pattern[:, None] * product).sum(0) / pattern.sum().clamp(min=1e-30)
    return attended - product[seen].mean(0)


def _rotary(model: LoadedEncoder, part: Part) -> bool:
    """Whether queries and keys are rotated; across two texts no family does."""
    names = (name.lower() for name, _ in model.weights.named_modules())
    return part is not Part.CROSS and any("rotary" in name for name in names)


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.float().cpu().numpy()


def decay_over_encoder(
    model: LoadedEncoder,
    prompts: Iterable[Prompt | str],
    layer: int,
    head: int,
    progress: Progress = lambda stage, fraction: None,
    part: Part | None = None,
) -> Decay:
    """How the shares of a head's dimensions change with distance, over a set of prompts.

    Args:
        progress: told before each prompt; what it raises ends the work.

    Raises:
        RequestError: as `encoder_neurons`; there are no prompts, one cannot be read (named by its
            number), or the part is that of two texts.
    """
    part = check_head(model, part, layer, head)
    if part is Part.CROSS:
        raise RequestError(
            "Across two texts there is no distance. Choose the part encoder or decoder."
        )
    texts = [one if isinstance(one, str) else one.text for one in prompts]
    found: list[Decay] = []
    for number, text in enumerate(texts, 1):
        progress(f"Prompt {number} of {len(texts)}", (number - 1) / len(texts))
        found.append(_decay_of(model, text, number, part, (layer, head)))
    found = [each for each in found if each.pairs]
    if not found:
        raise RequestError("There are no two positions to compare. Give a longer prompt.")
    return reduce(add, found)


@torch.inference_mode()
def _decay_of(
    model: LoadedEncoder, prompt: str, number: int, part: Part, place: tuple[int, int]
) -> Decay:
    try:
        text = _read(model, prompt, "", ())
    except RequestError as error:
        raise RequestError(f"Prompt {number}: {error}") from None
    special = columns(text, part)[0].special
    found = _decay(_call(model, text, part, place[0]), *place, part, special, model)
    assert found is not None
    return found


def _decay(
    call: Call, layer: int, head: int, part: Part, special: tuple[int, ...], model: LoadedEncoder
) -> Decay | None:
    """Over the pairs of one pass; None across two texts."""
    if part is Part.CROSS:
        return None
    queries, keys = call.q[head].double() * call.scale, call.k[head].double()
    there = torch.ones(len(keys), dtype=torch.bool, device=keys.device)
    there[[0] if part is Part.DECODER else list(special)] = False
    farthest = min(FARTHEST, len(keys) - 1)
    sums = queries.new_zeros(farthest + 1, queries.shape[1])
    counts = torch.zeros(farthest + 1, dtype=torch.long, device="cpu")
    for distance in range(farthest + 1):
        for i, j in _pairs(len(keys), distance, part):
            kept = there[j]
            sums[distance] += (queries[i] * keys[j])[kept].sum(0)
            counts[distance] += int(kept.sum())
    rotary = _rotary(model, part)
    shape = model.shape_of(part)
    return Decay(layer, head, counts.numpy(), sums.cpu().numpy(), rotary, model=shape)


def _pairs(count: int, distance: int, part: Part) -> list[tuple[slice, slice]]:
    """Queries and sources so far apart: before, and in an encoder behind too."""
    ahead, back = slice(distance, count), slice(0, count - distance)
    both = part is Part.ENCODER and distance > 0
    return [(ahead, back), (back, ahead)] if both else [(ahead, back)]
