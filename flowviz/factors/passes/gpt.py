"""A GPT's pass with something added to the vectors of sites.

What is added to a site goes wherever the model itself reads that site:

    resid_pre, resid_final   the state, which all that follows reads
    resid_mid       what the MLP reads, and the state behind the block, since no hook on what the
                    MLP reads is passed on; where norms stand on the stream (GPT, OPT-350m), the
                    output of the first one, which is passed on
    attn_out        a sublayer's share of the stream: as resid_mid; of parallel blocks the state
                    behind; where norms stand on the stream, what the attention writes
    mlp_out         the state behind the block; where norms stand on the stream, what the MLP writes
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from flowviz.contexts.encode.batch import Batch
from flowviz.contexts.kinds import Site, SiteKind
from flowviz.models.loaded import LoadedModel

Added = Float[Tensor, "row pos width"]


@torch.inference_mode()
def logits_of(model: LoadedModel, batch: Batch, added: Mapping[Site, Added]) -> Tensor:
    """The model's logits, [row, pos, d_vocab], as it gives them.

    Args:
        batch: padded behind; no token sees what stands behind it.
        added: to the vectors of each site, in which rows are zero that stay as they are.
    """
    at: dict[str, Tensor] = {}
    for site, values in added.items():
        for name, factor in _places(model, site):
            more = values * factor
            at[name] = at[name] + more if name in at else more
    hooks = [(name, _adding(values)) for name, values in at.items()]
    with model.lock:
        try:
            return model.bridge.run_with_hooks(
                batch.ids, fwd_hooks=hooks, use_cache=False, prepend_bos=False
            )
        finally:
            model.forget_pass()


def _adding(values: Added) -> Any:
    def hook(value: Tensor, hook: Any = None) -> Tensor:
        more = values.to(value)
        return value + (more if value.dim() > 2 else more.flatten(0, 1))

    return hook


def _places(model: LoadedModel, site: Site) -> list[tuple[str, float]]:
    """The hooks that pass a site's vectors on, and what a change is multiplied with at each."""
    names = {place: name for name, place in model.hooks.items()}
    layer, final = site.layer, names["resid_final", -1]
    match site.kind:
        case SiteKind.RESID_PRE:
            return [(names["resid_pre", layer], 1.0)]
        case SiteKind.RESID_FINAL:
            return [(final, 1.0)]
    block = model.blocks[layer]
    if block.norms_stream:
        if site.kind is SiteKind.RESID_MID:
            return [(f"blocks.{layer}.ln1.hook_out", 1.0)]
        return [(names[site.kind.value, layer], 1.0 / block.residual_scale)]
    last = layer + 1 == len(model.blocks)
    behind = final if last else names["resid_pre", layer + 1]
    if site.kind is SiteKind.MLP_OUT or block.parallel:
        return [(behind, 1.0)]
    return [(names["resid_mid", layer], 1.0), (behind, 1.0)]
