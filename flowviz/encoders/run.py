"""One pass of an encoder or encoder-decoder, its attention handed over layer by layer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from flowviz.attention.kinds import Part
from flowviz.encoders.loaded import LoadedEncoder
from flowviz.encoders.read import Text, inputs
from flowviz.encoders.record import Call, recording
from flowviz.models.kind import ModelKind
from flowviz.models.parts import exact

ATTENTIONS = {
    Part.ENCODER: ("encoder_attentions", "attentions"),
    Part.DECODER: ("decoder_attentions",),
    Part.CROSS: ("cross_attentions",),
}
ACROSS = ("cross", "encoder_attn", "encdec")  # what families call the attention to the encoder


@dataclass(frozen=True, eq=False)
class Seen:
    """The attention of one layer in one pass.

    Args:
        call: with queries, keys and values, where these are recorded.
    """

    part: Part
    layer: int
    pattern: Float[Tensor, "head query key"]
    call: Call | None


Take = Callable[[Seen], None]


@torch.inference_mode()
def run(model: LoadedEncoder, text: Text, take: Take) -> Float[Tensor, "pos d_vocab"] | None:
    """Runs the model once; the logits that it gives, None where it predicts nothing.

    Args:
        take: given every layer's attention, of all parts, in the order of the pass.
    """
    return forward(model.weights, inputs(model, text), model.kind, model.recorded, take, model.lock)


def forward(
    weights: Any, given: dict[str, Tensor], kind: ModelKind, recorded: bool, take: Take, lock: Any
) -> Float[Tensor, "pos d_vocab"] | None:
    """The same of a model that is not wrapped yet."""
    options: dict[str, Any] = {"use_cache": False} if kind is ModelKind.BOTH else {}
    with lock:
        if recorded:
            with recording(_in_order(weights, kind, take)):
                output = weights(**given, **options)
        else:
            output = weights(**given, **options, output_attentions=True)
            _hand_over(output, weights.config, take)
    logits = getattr(output, "logits", None)
    return None if logits is None else exact(logits[0].detach())


def _in_order(weights: Any, kind: ModelKind, take: Take) -> Callable[[Call], None]:
    """Numbers the layers of each part as they come."""
    names = {module: name for name, module in weights.named_modules()}
    counts: Counter[Part] = Counter()

    def sink(call: Call) -> None:
        part = part_of(names[call.module], kind)
        take(Seen(part, counts[part], call.pattern, call))
        counts[part] += 1

    return sink


def part_of(name: str, kind: ModelKind) -> Part:
    """Which attention a module computes, by its place in the model."""
    if kind is not ModelKind.BOTH or "decoder" not in name.split("."):
        return Part.ENCODER
    across = any(word in name.lower() for word in ACROSS)
    return Part.CROSS if across else Part.DECODER


def _hand_over(output: Any, config: Any, take: Take) -> None:
    for part, names in ATTENTIONS.items():
        layers = next((found for name in names if (found := getattr(output, name, None))), ())
        for place, layer in enumerate(layers):
            if layer is not None:
                take(Seen(part, place, shown_pattern(config, layer[0]), None))


def shown_pattern(config: Any, shown: Tensor) -> Tensor:
    """The pattern of what `output_attentions` shows: SqueezeBERT shows its scores, masked, as they
    are in front of the softmax.
    """
    return shown.softmax(-1) if config.model_type == "squeezebert" else shown
