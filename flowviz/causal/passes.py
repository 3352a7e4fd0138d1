"""Many variants of one pass in one batch of the model's own forward pass, with parts replaced.

The hooks of a `LoadedModel` replace what a component gives: the embedding, a head's z before W_O,
a neuron's output before W_out. Nothing is frozen: patterns, norms and gates respond. Experts show
no neurons, so what their block writes is made again from what it read. Only the position of the
target is unembedded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from flowviz.causal.baselines import Baseline
from flowviz.causal.parts import OpenedPart, part_hooks
from flowviz.causal.places import Places
from flowviz.interventions.changes import Changes
from flowviz.interventions.hooks import hooks_of
from flowviz.models.loaded import LoadedModel
from flowviz.models.parts import exact

TOKENS_AT_ONCE = 1024
Hook = Callable[..., Tensor]


@torch.inference_mode()
def logits_without(
    model: LoadedModel,
    ids: Sequence[int],
    replaced: Iterable[Places],
    baseline: Baseline,
    progress: Callable[[int], None] = lambda _done: None,
    changes: Changes | None = None,
    opened: Sequence[OpenedPart] = (),
) -> Float[Tensor, "variant d_vocab"]:
    """The logits behind the last of these tokens, with other components replaced in each variant.

    With every linear scale, before a soft cap, as `Trace.logits` are.

    Args:
        model: the model.
        ids: the prompt up to the target's position.
        replaced: for each variant, what is replaced; those of one batch are held at once, since
            a set of a thousand tokens of GPT-2 small takes 38 MB.
        baseline: by what.
        progress: told how many variants are done; may raise to stop.
        changes: interventions that take place in every variant, before anything is replaced.
        opened: the nodes whose parts are components as well.
    """
    found, waiting, done = [], iter(replaced), 0
    while batch := list(islice(waiting, max(1, TOKENS_AT_ONCE // len(ids)))):
        found.append(_batch(model, ids, batch, baseline, changes, opened))
        done += len(batch)
        progress(done)
    return torch.cat(found)


def _batch(
    model: LoadedModel,
    ids: Sequence[int],
    replaced: Sequence[Places],
    baseline: Baseline,
    changes: Changes | None,
    opened: Sequence[OpenedPart],
) -> Tensor:
    kept: dict[str, Tensor] = {}

    def keep(logits: Tensor, hook: Any = None) -> Tensor:
        kept["logits"] = logits.reshape(len(replaced), -1, logits.shape[-1])[:, -1].float()
        return logits

    before = [] if changes is None else hooks_of(changes)
    hooks = [
        *before,
        *_hooks(model, replaced, baseline, changes),
        *_part_hooks(model, replaced, opened),
        (_name(model, "logits", -1), keep),
    ]
    tokens = torch.tensor([list(ids)], device=model.device).expand(len(replaced), -1)
    with model.lock:
        model.bridge.run_with_hooks(tokens, fwd_hooks=hooks, prepend_bos=False)
        model.forget_pass()
    return kept["logits"] * model.logit_scale


def _part_hooks(
    model: LoadedModel, replaced: Sequence[Places], opened: Sequence[OpenedPart]
) -> list[tuple[str, Hook]]:
    if not opened:
        return []
    return part_hooks(model, opened, torch.stack([places.parts for places in replaced]))


def _name(model: LoadedModel, part: str, layer: int) -> str:
    return next(name for name, place in model.hooks.items() if place == (part, layer))


def _hooks(
    model: LoadedModel, replaced: Sequence[Places], baseline: Baseline, changes: Changes | None
) -> list[tuple[str, Hook]]:
    """A hook wherever some variant replaces something."""
    hooks: list[tuple[str, Hook]] = [("unembed.hook_in", _last_position)]
    for name, (part, layer) in model.hooks.items():
        found = _replacement(model, part, layer, replaced, baseline)
        if found is not None and bool(found[0].any()):
            hooks.append((name, _replace(*found)))
    for layer, block in enumerate(model.blocks):
        if block.mlp.router is not None:
            mask = torch.stack([places.neurons[layer] for places in replaced])
            if bool(mask.any()):
                hooks += _expert_hooks(model, layer, mask, baseline.neurons[layer], changes)
    return hooks


def _last_position(states: Tensor, hook: Any = None) -> Tensor:
    """The last state alone, so that the unembedding has one position of each variant."""
    return states[:, -1:]


def _replacement(
    model: LoadedModel, part: str, layer: int, replaced: Sequence[Places], baseline: Baseline
) -> tuple[Tensor, Tensor] | None:
    """Where a hook's values are replaced, variant by position by …, and by what."""
    if part == "embed":
        bias = model.embed_bias
        values = baseline.embed if bias is None else baseline.embed + exact(bias, baseline.embed)
        return torch.stack([places.embed for places in replaced])[..., None], values
    if part == "pos_embed":
        return torch.stack([places.pos_embed for places in replaced])[..., None], baseline.pos_embed
    if part == "z":
        heads = model.blocks[layer].attention.heads
        mask = torch.stack([places.heads[layer, :, :heads] for places in replaced])
        return mask[..., None], baseline.heads[layer]
    if part == "post":
        neurons = model.blocks[layer].mlp.neurons
        mask = torch.stack([places.neurons[layer, :, :neurons] for places in replaced])
        return mask, baseline.neurons[layer]
    return None


def _replace(mask: Tensor, values: Tensor) -> Hook:
    """A hook that takes values of all variants, or of one for all, by position or by row."""

    def hook(value: Tensor, hook: Any = None) -> Tensor:
        variants, positions = mask.shape[:2]
        in_rows = value.dim() <= values.dim()
        shown = value.unflatten(0, (-1, positions)) if in_rows else value
        one_for_all = shown.shape[0] == 1
        changed = torch.where(mask.to(shown.device), values.to(shown)[None], shown)
        return changed.flatten(0, 1) if in_rows and (variants == 1 or not one_for_all) else changed

    return hook


def _expert_hooks(
    model: LoadedModel, layer: int, mask: Tensor, values: Tensor, changes: Changes | None
) -> list[tuple[str, Hook]]:
    mlp, read = model.blocks[layer].mlp, {}
    router = mlp.router
    assert router is not None

    def see(value: Tensor, hook: Any = None) -> Tensor:
        read["input"] = value
        return value

    def write(value: Tensor, hook: Any = None) -> Tensor:
        firing = router.fire(exact(read.pop("input")).flatten(0, -2))
        where = mask[..., : mlp.neurons].to(firing.post.device)
        post = firing.post.view(*where.shape)
        if changes is not None and layer in changes.neurons:
            post = changes.post(layer, post)
        post = torch.where(where, values.to(post)[None], post).flatten(0, 1)
        return mlp.written(firing._replace(post=post)).to(value).view_as(value)

    return [
        (_name(model, "mlp_in", layer), see),
        (_name(model, "mlp_out", layer), write),
    ]
