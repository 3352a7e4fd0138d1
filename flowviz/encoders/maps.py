"""Maps of attention of models that read both ways: one pass, layer by layer.

A layer is written down as it is computed, in half precision, so that beside the answer only one
layer is held. Laws, which tests hold on every family: a row of patterns sums to 1; with the
weighting norm,

    total_i * cell_ij = ‖A_ij v_j W_O‖        v_j with its bias; Kobayashi et al. 2020
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor, nn

from flowviz.attention.finder import Finder
from flowviz.attention.kinds import Part, Weighting
from flowviz.attention.readings import top_predictions
from flowviz.attention.request import AttentionRequest
from flowviz.attention.types import AttentionMaps, Column
from flowviz.encoders.loaded import LoadedEncoder
from flowviz.encoders.read import Text, read_text
from flowviz.encoders.record import Call
from flowviz.encoders.run import Seen, run
from flowviz.encoders.write import with_written
from flowviz.errors import RequestError
from flowviz.graph.types import Prediction
from flowviz.models.kind import ModelKind
from flowviz.models.parts import exact


def encoder_maps(model: LoadedEncoder, request: AttentionRequest) -> AttentionMaps:
    """The maps of all heads of one part of a model on one text, or on two.

    Raises:
        RequestError: the part, the weighting, the texts or the mask are none that it has.
    """
    part = check_part(model, request.part)
    check_weighting(model, request.weighting)
    text = read_text(model, request.prompt, request.second, request.mask)
    if model.kind is ModelKind.BOTH:
        text = with_written(model, text)
    queries, sources = columns(text, part)
    taken = _taking(model, text, part, request.weighting)
    logits = run(model, text, taken.take)
    return AttentionMaps(
        queries=queries,
        sources=sources,
        weights=taken.weights,
        kinds=taken.finder.found(),
        weighting=request.weighting,
        totals=taken.totals,
        model=model.shape_of(part),
        part=part,
        parts=model.parts,
        readings=_readings(model, logits, part),
        notes=model.notes,
    )


def check_part(model: LoadedEncoder, part: Part | None) -> Part:
    """The part that is meant: the first where none is named. Raises RequestError."""
    if part is not None and part not in model.parts:
        raise RequestError(
            f"{model.shape.name} has no part {part}; it has {', '.join(model.parts)}. Choose one."
        )
    return part or model.parts[0]


def check_weighting(model: LoadedEncoder, weighting: Weighting) -> None:
    """Raises RequestError for a weighting that the model cannot have."""
    if weighting is Weighting.FLOW:
        raise RequestError(
            f"{model.shape.name} is an {model.kind}, and the weighting by flow is defined for GPTs "
            "alone. Choose pattern or norm."
        )
    known = all(one is not None for each in model.outputs for one in each)
    if weighting is Weighting.NORM and not (model.recorded and known):
        raise RequestError(f"{model.shape.name}: {model.notes[0]} Choose pattern.")


def columns(text: Text, part: Part) -> tuple[Column, Column | None]:
    """The tokens that look, and those that they look at where these are others."""
    if part is Part.ENCODER:
        return text.column, None
    assert text.written_column is not None
    return text.written_column, text.column if part is Part.CROSS else None


def read_ids(text: Text, part: Part) -> tuple[int, ...]:
    """The ids of the tokens that look, as the model reads them."""
    return text.ids if part is Part.ENCODER else text.written or ()


@dataclass(eq=False)
class _Taken:
    """What is kept of a pass, filled layer by layer."""

    part: Part
    outputs: tuple[nn.Linear | None, ...]
    finder: Finder
    weights: NDArray[np.float16]
    totals: NDArray[np.float32] | None

    def take(self, seen: Seen) -> None:
        if seen.part is not self.part:
            return
        pattern = seen.pattern.float().cpu().numpy()
        self.finder.see(pattern)
        self.weights[seen.layer] = pattern
        if self.totals is not None:
            self._weigh(seen, self.totals)

    def _weigh(self, seen: Seen, totals: NDArray[np.float32]) -> None:
        output = self.outputs[seen.layer]
        assert seen.call is not None
        assert output is not None
        norms = weighted_norms(seen.call, output)
        total = norms.sum(-1)
        totals[seen.layer] = total.cpu().numpy()
        self.weights[seen.layer] = (norms / total.clamp(min=1e-30)[..., None]).cpu().numpy()


def _taking(model: LoadedEncoder, text: Text, part: Part, weighting: Weighting) -> _Taken:
    shape, (queries, sources) = model.shape_of(part), columns(text, part)
    keys = sources or queries
    weights = np.zeros((shape.layers, shape.heads, len(queries), len(keys)), np.float16)
    return _Taken(
        part,
        model.outputs[model.parts.index(part)],
        Finder(
            read_ids(text, part),
            part=part,
            special=keys.special,
            sources=text.ids if part is Part.CROSS else None,
        ),
        weights,
        np.zeros(weights.shape[:3], np.float32) if weighting is Weighting.NORM else None,
    )


def weighted_norms(call: Call, output: nn.Linear) -> Float[Tensor, "head query key"]:
    """‖A_ij v_j W_O‖, the biases of the values included."""
    weight = exact(output.weight)  # [d_model, head * d_value]
    width = call.v.shape[-1]
    norms = [
        (exact(call.v[head]) @ weight[:, head * width : (head + 1) * width].T).norm(dim=-1)
        for head in range(len(call.v))  # one by one: together they take heads x d_model
    ]
    return exact(call.pattern) * torch.stack(norms)[:, None]


def _readings(
    model: LoadedEncoder, logits: Tensor | None, part: Part
) -> tuple[tuple[Prediction, ...], ...]:
    """What is predicted at each query; the encoder of an encoder-decoder predicts nothing."""
    if logits is None or not model.predicts:
        return ()
    if model.kind is ModelKind.BOTH and part is Part.ENCODER:
        return ()
    return top_predictions(model.vocabulary, logits)
