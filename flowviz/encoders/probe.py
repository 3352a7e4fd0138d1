"""What a model shows of its attention, found by running a few tokens through it.

1. With our recorded function in place, every layer that computes attention is seen with its
   queries, keys, values and pattern; the patterns are held against `output_attentions`.
2. Where nothing is recorded, or not that, the patterns of `output_attentions` are all there is.
3. The matrix W_O that reads what a layer's heads give is looked for beside it, and is believed
   only where it is seen to read just that: z = pattern v, head by head.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from flowviz.attention.kinds import Part
from flowviz.encoders.record import RECORDED
from flowviz.encoders.run import Seen, forward
from flowviz.errors import ModelError
from flowviz.graph.types import ModelShape
from flowviz.models.kind import ModelKind

PROBED = 6  # tokens; written by a decoder: two less, so that no part can be taken for another
NEAR = {torch.float64: 1e-9, torch.float32: 1e-4}
HALF = 3e-2
OUTPUTS = ("out_proj", "o_proj", "o", "out_lin", "Wo", "dense", "out")
FIRST_PARTS = (Part.ENCODER, Part.DECODER, Part.CROSS)
PATTERN_ALONE = (
    "This kind of model shows its attention patterns alone: no weighting by norm, and no single "
    "neurons."
)
NO_OUTPUT = (
    "What this model's heads write is not found, so that there is no weighting by norm; patterns "
    "and single neurons are shown."
)


@dataclass(frozen=True)
class Found:
    """What a model shows; the fields are those of `LoadedEncoder`."""

    parts: tuple[Part, ...]
    shapes: tuple[ModelShape, ...]
    recorded: bool
    outputs: tuple[tuple[nn.Linear | None, ...], ...]
    context: int | None
    decoder_context: int | None
    vocabulary: int
    notes: tuple[str, ...]


@torch.inference_mode()
def examine(name: str, weights: Any, kind: ModelKind) -> Found:
    """Runs a model on a few tokens. Raises ModelError where it shows no attention."""
    given = _tokens(weights, kind)
    try:
        plain, logits = _attend(weights, kind, given, False)
    except Exception as error:  # a family may ask for more than tokens, or for longer texts
        raise _not_shown(name, weights) from error
    weights.set_attn_implementation(RECORDED)
    seen, inner = _recorded(weights, kind, given)
    recorded = _same(seen, plain)
    if not recorded:
        weights.set_attn_implementation("eager")
        _check_shown(name, weights, kind, plain)
        seen = plain
    parts = tuple(part for part in FIRST_PARTS if any(one.part is part for one in seen))
    layers = [[one for one in seen if one.part is part] for part in parts]
    outputs = tuple(tuple(_output(weights, one, inner) for one in each) for each in layers)
    return Found(
        parts=parts,
        shapes=tuple(_shape(name, weights, each) for each in layers),
        recorded=recorded,
        outputs=outputs,
        context=context_of(weights, ("encoder", "source")),
        decoder_context=context_of(weights, ("decoder", "target"))
        if kind is ModelKind.BOTH
        else None,
        vocabulary=0 if logits is None else logits.shape[-1],
        notes=_notes(recorded, outputs),
    )


def _tokens(weights: Any, kind: ModelKind) -> dict[str, Tensor]:
    rows, device = weights.get_input_embeddings().weight.shape[0], weights.device
    ids = torch.arange(3, 3 + PROBED, device=device)[None] % rows
    given = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    if kind is ModelKind.BOTH:
        given["decoder_input_ids"] = ids[:, :-2]
    return given


def _attend(
    weights: Any, kind: ModelKind, given: dict[str, Tensor], recorded: bool
) -> tuple[list[Seen], Tensor | None]:
    seen: list[Seen] = []
    logits = forward(weights, given, kind, recorded, seen.append, _NoLock())
    return seen, logits


class _NoLock:
    """The model is not shared yet."""

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


def _recorded(
    weights: Any, kind: ModelKind, given: dict[str, Tensor]
) -> tuple[list[Seen], dict[nn.Module, list[Tensor]]]:
    """What is recorded, and what each linear layer that may be W_O was given."""
    with _inputs_kept(weights) as inner:
        seen, _ = _attend(weights, kind, given, True)
    return seen, inner


@contextmanager
def _inputs_kept(weights: Any) -> Iterator[dict[nn.Module, list[Tensor]]]:
    inner: dict[nn.Module, list[Tensor]] = {}

    def keep(module: nn.Module, given: tuple[Any, ...]) -> None:
        if given and isinstance(given[0], Tensor):
            inner.setdefault(module, []).append(given[0].detach())

    layers = [
        module
        for name, module in weights.named_modules()
        if isinstance(module, nn.Linear) and name.rpartition(".")[2] in OUTPUTS
    ]
    handles = [layer.register_forward_pre_hook(keep) for layer in layers]
    try:
        yield inner
    finally:
        for handle in handles:
            handle.remove()


def _same(seen: list[Seen], plain: list[Seen]) -> bool:
    """Whether the recorded patterns are the model's own, layer by layer."""
    found = {(one.part, one.layer): one.pattern for one in seen}
    own = {(one.part, one.layer): one.pattern for one in plain}
    return found.keys() == own.keys() != set() and all(
        _near(found[place], own[place]) for place in own
    )


def _near(one: Tensor, other: Tensor) -> bool:
    if one.shape != other.shape:
        return False
    return bool((one - other).abs().max() <= NEAR.get(one.dtype, HALF) * other.abs().max())


def _check_shown(name: str, weights: Any, kind: ModelKind, plain: list[Seen]) -> None:
    """Raises ModelError where a model's patterns are not those of every token with every other."""
    sizes = {Part.ENCODER: (PROBED, PROBED)}
    if kind is ModelKind.BOTH:
        short = PROBED - 2
        sizes |= {Part.DECODER: (short, short), Part.CROSS: (short, PROBED)}
    wrong = [one for one in plain if tuple(one.pattern.shape[-2:]) != sizes.get(one.part)]
    dull = [one for one in plain if one.pattern.dim() != 3 or not bool(one.pattern.any())]
    if not plain or wrong or dull:
        raise _not_shown(name, weights)


def _not_shown(name: str, weights: Any) -> ModelError:
    return ModelError(
        f"{name} is a {type(weights).__name__}, which does not show how its tokens attend to each "
        "other. Choose a model of another family, for example BERT or T5."
    )


def _shape(name: str, weights: Any, seen: list[Seen]) -> ModelShape:
    config = _config_of(weights, "decoder" if seen[0].part is not Part.ENCODER else "encoder")
    return ModelShape(
        name=name,
        architecture=type(weights).__name__,
        layers=len(seen),
        heads=seen[0].pattern.shape[0],
        neurons=_first(config, "intermediate_size", "encoder_ffn_dim", "d_ff", "hidden_dim") or 0,
        d_model=_first(config, "hidden_size", "d_model", "dim") or 0,
        vocabulary=0,
    )


def _config_of(weights: Any, side: str) -> Any:
    """The configuration of one half, where a model is made of two."""
    half = getattr(weights.config, side, None)
    return half if hasattr(half, "model_type") else weights.config


def _first(config: Any, *names: str) -> int | None:
    found = (getattr(config, name, None) for name in names)
    return next((value for value in found if isinstance(value, int) and value > 0), None)


def context_of(weights: Any, sides: tuple[str, str]) -> int | None:
    """How many tokens a side takes at most; None where positions are told by distance alone.

    RoBERTa's kind counts positions from behind its padding token's id.
    """
    side, other = sides
    names = f"max_{side}_position_embeddings", f"max_{other}_positions", "max_position_embeddings"
    most = _first(_config_of(weights, side), *names)
    rows = [
        module.weight.shape[0] - module.padding_idx - 1
        for name, module in weights.named_modules()
        if name.endswith("position_embeddings") and getattr(module, "padding_idx", None) is not None
    ]
    return min(rows, default=most) if most is None else min([most, *rows])


def _output(weights: Any, seen: Seen, inner: dict[nn.Module, list[Tensor]]) -> nn.Linear | None:
    """The linear layer that reads what a layer's heads give; None where none is seen to do so."""
    if seen.call is None:
        return None
    z = (seen.call.pattern @ seen.call.v).transpose(0, 1).flatten(1)
    for module in _beside(weights, seen.call.module):
        if any(
            given.shape[1:] == z.shape and _near(given[0], z) for given in inner.get(module, ())
        ):
            return module
    return None


def _beside(weights: Any, module: nn.Module) -> Iterator[nn.Linear]:
    """Linear layers of an attention module, or of the module that holds it."""
    names = {inner: name for name, inner in weights.named_modules()}
    parent = weights.get_submodule(names[module].rpartition(".")[0])
    for holder in (module, parent, getattr(parent, "output", None)):
        if isinstance(holder, nn.Module):
            yield from (m for m in holder.children() if isinstance(m, nn.Linear))


def _notes(recorded: bool, outputs: tuple[tuple[nn.Linear | None, ...], ...]) -> tuple[str, ...]:
    if not recorded:
        return (PATTERN_ALONE,)
    return (NO_OUTPUT,) if any(one is None for each in outputs for one in each) else ()
