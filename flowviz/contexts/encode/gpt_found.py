"""Which sites a GPT offers: those that are what they should be on a few tokens.

See the head of `gpt_sites.py` for the laws. An error is relative to the largest state.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator

import torch
from torch import Tensor

from flowviz.checks import TOLERANCE
from flowviz.contexts.encode.batch import Batch
from flowviz.contexts.encode.gpt_pass import see
from flowviz.contexts.encode.gpt_sites import MOST_NEURONS, rows, source_of
from flowviz.contexts.kinds import Site, SiteKind
from flowviz.models.block import Block, Firing
from flowviz.models.loaded import LoadedModel
from flowviz.models.parts import Norm, exact

PROBED = 6


@torch.inference_mode()
def offered(model: LoadedModel) -> dict[Site, int]:
    """Each site with the width of its vectors, in the order of the pass."""
    probe = _Probe(model)
    return {
        site: probe.width(site) for site in sites_in_order(len(model.blocks)) if probe.holds(site)
    }


def sites_in_order(layers: int) -> Iterator[Site]:
    """Every site that there can be."""
    in_a_block = (
        SiteKind.RESID_PRE, SiteKind.HEADS, SiteKind.ATTN_OUT, SiteKind.RESID_MID,
        SiteKind.NEURONS, SiteKind.MLP_OUT,
    )  # fmt: skip
    for layer in range(layers):
        yield from (Site(kind, layer) for kind in in_a_block)
    yield Site(SiteKind.RESID_FINAL)


class _Probe:
    """What a few tokens' pass shows, held against the laws."""

    def __init__(self, model: LoadedModel) -> None:
        self._model = model
        self._seen: dict[Hashable, Tensor] = {}
        device, size = model.device, model.shape.vocabulary
        batch = Batch.of([[i % size for i in range(1, PROBED + 1)]], 0, device)

        def take(part: Hashable, value: Tensor) -> None:
            self._seen[part] = value.clone().to(device)

        see(model, batch, set(model.hooks.values()), take)

    def width(self, site: Site) -> int:
        """Of the vectors of a site."""
        return source_of(self._model, site, _no_root).width

    def holds(self, site: Site) -> bool:
        """Whether a site is there and is what it should be."""
        source = source_of(self._model, site, _no_root)
        if any(part not in self._seen for part in source.parts):
            return False
        layer, d_model = site.layer, self._model.shape.d_model
        match site.kind:
            case SiteKind.RESID_PRE | SiteKind.RESID_MID | SiteKind.RESID_FINAL:
                return self._seen[source.parts[0]].numel() == PROBED * d_model
            case SiteKind.HEADS:
                return self._heads(layer)
            case SiteKind.NEURONS:
                return source.width <= MOST_NEURONS and self._neurons(layer)
            case _:
                return self._adds_up(layer, site.kind)

    def _part(self, name: str, layer: int, width: int | None = None) -> Tensor:
        return rows(self._seen[name, layer], width or self._model.shape.d_model)

    def _heads(self, layer: int) -> bool:
        attention = self._model.blocks[layer].attention
        z, width = self._seen["z", layer], attention.heads * attention.d_head
        if ("attn_out", layer) not in self._seen or z.numel() != PROBED * width:
            return False
        written = rows(z, width) @ exact(attention.W_O, z).flatten(0, 1)
        if attention.b_O is not None:
            written = written + exact(attention.b_O, written)
        return self._near(written, self._part("attn_out", layer))

    def _neurons(self, layer: int) -> bool:
        mlp, d_model = self._model.blocks[layer].mlp, self._model.shape.d_model
        if ("mlp_out", layer) not in self._seen:
            return False
        if mlp.router is not None:
            firing = mlp.router.fire(self._part("mlp_in", layer))
        else:
            post = self._seen["post", layer]
            if post.numel() != PROBED * mlp.neurons:
                return False
            firing = Firing(rows(post, mlp.neurons), rows(post, mlp.neurons))
        return self._near(mlp.written(firing), self._part("mlp_out", layer, d_model))

    def _adds_up(self, layer: int, kind: SiteKind) -> bool:
        block = self._model.blocks[layer]
        before, after = self._part("resid_pre", layer), self._after(layer)
        if block.parallel:
            added = [self._added(layer, each) for each in (SiteKind.ATTN_OUT, SiteKind.MLP_OUT)]
            return all(one is not None for one in added) and self._near(
                before + sum(one for one in added if one is not None), after
            )
        mid, added = self._part("resid_mid", layer), self._added(layer, kind)
        if added is None:
            return False
        if kind is SiteKind.ATTN_OUT:
            return self._near(_on_stream(block, block.attention.post, before + added), mid)
        return self._near(_on_stream(block, block.mlp.post, mid + added), after)

    def _added(self, layer: int, kind: SiteKind) -> Tensor | None:
        source = source_of(self._model, Site(kind, layer), _no_root)
        if any(part not in self._seen for part in source.parts):
            return None
        return source.make(*(self._seen[part] for part in source.parts))

    def _after(self, layer: int) -> Tensor:
        last = layer + 1 == len(self._model.blocks)
        return self._part("resid_final", -1) if last else self._part("resid_pre", layer + 1)

    def _near(self, made: Tensor, own: Tensor) -> bool:
        error = (made - own).abs().max() / own.abs().max().clamp(min=1e-12)
        return bool(error <= TOLERANCE[self._model.dtype])


def _on_stream(block: Block, post: Norm, state: Tensor) -> Tensor:
    """What a norm that stands on the stream makes of a state; the same where none does."""
    if not block.norms_stream:
        return state
    made = post.apply(state, post.scale_of(state))
    return made if post.bias is None else made + exact(post.bias, made)


def _no_root(layer: int) -> Tensor:
    raise AssertionError(layer)
