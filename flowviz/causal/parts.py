"""Parts of opened nodes, replaced in many variants of a pass at once.

    x' = x + Σ_{f replaced} (b_f - a_f) d_f + (b_error - error, where the error is replaced)

The activations a_f are those of the variant itself, found when its pass comes to the node, so that
a part that is kept answers to whatever else was replaced. b_f is nothing, the factor's mean
activation over a reference set, or its activation on another prompt. Where no part is replaced the
vector stays exactly as it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from flowviz.errors import RequestError
from flowviz.graph.types import OUTPUTS, NodeKey, NodeKind
from flowviz.models.loaded import LoadedModel

K = NodeKind
Act = Callable[[Tensor], None]  # changes values in place: variant pos d_model


@dataclass(frozen=True, eq=False)
class OpenedPart:
    """An opened node: how its vectors split, and what takes the place of parts.

    Args:
        active: the factors of the pass that is checked.
        encode: the activations of vectors.
        instead: of each factor; `instead_error`, of the error.
    """

    key: NodeKey
    atoms: Float[Tensor, "factor d_model"]
    offset: Float[Tensor, " d_model"]
    active: Bool[Tensor, " factor"]
    encode: Callable[[Tensor], Tensor]
    instead: Float[Tensor, " factor"]
    instead_error: Float[Tensor, " d_model"]

    def change(
        self, vectors: Float[Tensor, "variant d_model"], gone: Bool[Tensor, "variant part"]
    ) -> Float[Tensor, "variant d_model"]:
        """By how much each variant's vector changes.

        Args:
            gone: which parts are replaced; the last is the error.
        """
        vectors, gone = vectors.to(self.atoms), gone.to(self.atoms.device)
        activations = self.encode(vectors).to(self.atoms)
        error = vectors - self.offset - activations @ self.atoms
        by_factors = torch.where(gone[:, :-1], self.instead - activations, 0.0) @ self.atoms
        return by_factors + torch.where(gone[:, -1:], self.instead_error - error, 0.0)


def check_checkable(model: LoadedModel, key: NodeKey) -> None:
    """Raises RequestError for a node whose vector cannot be seen and replaced in a pass."""
    block = model.blocks[min(key.layer, len(model.blocks) - 1)]
    if key.kind in OUTPUTS and (block.parallel or block.norms_stream):
        raise RequestError(
            f"What {key} adds cannot be replaced alone in a pass of {model.shape.name}: attention "
            "and MLP add to one state, or a norm stands behind. Close it, or open a hidden state."
        )


def part_hooks(
    model: LoadedModel, parts: Sequence[OpenedPart], gone: Bool[Tensor, "variant opened part"]
) -> list[tuple[str, Callable[..., Tensor]]]:
    """The hooks that replace parts, in the order in which they must be set."""
    acts: dict[str, list[Act]] = defaultdict(list)
    order = sorted(range(len(parts)), key=lambda row: (_depth(parts[row].key), row))
    for row in order:
        if bool(gone[:, row].any()):
            for name, act in _acts(model, parts[row], gone[:, row]):
                acts[name].append(act)
    return [(name, _hook(some, len(gone))) for name, some in acts.items()]


def _depth(key: NodeKey) -> float:
    steps = {K.RESID_PRE: 0.0, K.ATTN_OUT: 0.2, K.RESID_MID: 0.4, K.MLP_OUT: 0.6}
    return key.layer + steps.get(key.kind, 0.0)


def _hook(acts: Iterable[Act], variants: int) -> Callable[..., Tensor]:
    acts = list(acts)

    def hook(value: Tensor, hook: Any = None) -> Tensor:
        in_rows = value.dim() == 2
        shown = value.unflatten(0, (variants, -1)) if in_rows else value
        shown = shown.clone()
        for act in acts:
            act(shown)
        return shown.flatten(0, 1) if in_rows else shown

    return hook


def _acts(
    model: LoadedModel, part: OpenedPart, gone: Bool[Tensor, "variant part"]
) -> list[tuple[str, Act]]:
    """What is done at which hook. A state between attention and MLP is passed on by nobody but the
    sum behind the block, so that its change is added there as well."""
    key, at = part.key, part.key.position
    pre, mid = ("resid_pre", key.layer), ("resid_mid", key.layer)
    seen: dict[str, Tensor] = {}

    def see(values: Tensor) -> None:
        seen["before"] = values[:, at].clone()

    def change(values: Tensor) -> None:
        before = seen.get("before")
        vectors = values[:, at] if before is None else values[:, at] - before
        seen["change"] = part.change(vectors, gone).to(values)
        values[:, at] += seen["change"]

    def pass_on(values: Tensor) -> None:
        values[:, at] += seen["change"]

    behind = _behind(model, min(key.layer, len(model.blocks) - 1))
    if key.kind is K.RESID_PRE:
        return [(_name(model, *pre), change)]
    if key.kind is K.RESID_FINAL:
        return [(behind, change)]
    if key.kind is K.MLP_OUT:
        return [(_name(model, *mid), see), (behind, change)]
    if key.kind is K.RESID_MID and model.blocks[key.layer].norms_stream:
        return [(f"blocks.{key.layer}.ln1.hook_out", change)]
    first = [(_name(model, *pre), see)] if key.kind is K.ATTN_OUT else []
    return [*first, (_name(model, *mid), change), (behind, pass_on)]


def _behind(model: LoadedModel, layer: int) -> str:
    last = layer + 1 == len(model.blocks)
    return _name(model, "resid_final", -1) if last else _name(model, "resid_pre", layer + 1)


def _name(model: LoadedModel, part: str, layer: int) -> str:
    return next(name for name, place in model.hooks.items() if place == (part, layer))
