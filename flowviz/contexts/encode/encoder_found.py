"""Which sites an encoder offers, and how each is read.

    resid_pre l     what block l reads: `hidden_states[l]` of transformers
    resid_mid       between its attention and its MLP; behind the attention's norm where the norms
                    stand on the stream (BERT)
    resid_final     what the last block gives; a norm behind all blocks (T5) is not in it
    attn_out, mlp_out   what is added to the stream, in front of a norm on the stream
    neurons         what the last matrix of the MLP reads
    heads           z_h W_O,h of each head as few numbers (`heads.py`), without any norm

`encoder_places.py` finds them on a few tokens; what is not found is not offered. Of an
encoder-decoder, all of it is of the encoder.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from flowviz.contexts.encode.batch import Batch
from flowviz.contexts.encode.encoder_places import (
    BlockPlaces,
    Call,
    Place,
    blocks_of,
    called,
    places_of,
)
from flowviz.contexts.encode.filling import Source, as_it_is
from flowviz.contexts.encode.heads import small
from flowviz.contexts.kinds import Site, SiteKind
from flowviz.encoders.loaded import LoadedEncoder
from flowviz.encoders.probe import HALF, NEAR
from flowviz.models.kind import ModelKind

PROBED = 6


@dataclass(frozen=True)
class State:
    """One of the `hidden_states` that the encoder gives, where its blocks are not found."""

    number: int


@dataclass(frozen=True)
class Found:
    """Where a site is read, and how wide it is there."""

    place: Place | State
    width: int


@dataclass(frozen=True)
class Layout:
    """What is found of an encoder.

    Args:
        together: whether texts are read in one batch as each is alone. Where padding reaches into
            what stands before it (MobileBERT embeds a token with those around it), they are read
            one by one.
    """

    sites: dict[Site, Found]
    together: bool


def encoder_of(model: LoadedEncoder) -> Any:
    """What reads the text: the model without its head, or its first half."""
    weights = model.weights
    return weights.get_encoder() if model.kind is ModelKind.BOTH else weights.base_model


@torch.inference_mode()
def look_into(model: LoadedEncoder) -> Layout:
    """Finds every site, in the order of the pass, by running a few tokens."""
    encoder = encoder_of(model)
    rows = model.weights.get_input_embeddings().weight.shape[0]
    ids = [i % rows for i in range(3, 3 + PROBED)]
    with called(encoder) as calls:
        states = _states(model, encoder, [ids])
    blocks = blocks_of(encoder, calls, states)
    sites = _from_states(states) if blocks is None else _from_blocks(model, encoder, blocks, calls)
    return Layout(sites, _reads_together(model, encoder, ids, states))


def pad_of(encoder: Any) -> int:
    """What fills up a text: some families (RoBERTa's) take positions by it."""
    pad = getattr(encoder.config, "pad_token_id", None)
    return pad if isinstance(pad, int) else 0


def _states(model: LoadedEncoder, encoder: Any, texts: Sequence[Sequence[int]]) -> Sequence[Tensor]:
    batch = Batch.of(texts, pad_of(encoder), model.device)
    return encoder(
        input_ids=batch.ids,
        attention_mask=batch.mask,
        output_hidden_states=True,
        return_dict=True,
    ).hidden_states


def _reads_together(
    model: LoadedEncoder, encoder: Any, ids: list[int], alone: Sequence[Tensor]
) -> bool:
    """Whether a text in a batch, padded behind, is read as alone."""
    together = _states(model, encoder, [ids, [*ids, *ids]])
    return all(
        bool(
            (many[0, : len(ids)] - one[0]).abs().max()
            <= NEAR.get(one.dtype, HALF) * one.abs().max()
        )
        for one, many in zip(alone, together, strict=True)
    )


def _from_states(states: Sequence[Tensor]) -> dict[Site, Found]:
    return {
        Site(SiteKind.RESID_PRE, layer): Found(State(layer), state.shape[-1])
        for layer, state in enumerate(states[:-1])
        if state.shape[:2] == (1, PROBED)
    }


def _from_blocks(
    model: LoadedEncoder, encoder: Any, blocks: Sequence[Call], calls: Sequence[Call]
) -> dict[Site, Found]:
    heads = _heads(model, encoder)
    found: dict[Site, Place] = {}
    for layer, block in enumerate(blocks):
        found |= _in_block(layer, places_of(block, calls), heads.get(layer))
    found[Site(SiteKind.RESID_FINAL)] = blocks[-1].at(given=False)
    shown = {call.at(given): call.tensor(given) for call in calls for given in (True, False)}
    return {
        site: Found(place, shown[place].shape[-1])
        for site, place in found.items()
        if place in shown and shown[place].numel() == PROBED * shown[place].shape[-1]
    }


def _in_block(layer: int, places: BlockPlaces, heads: Place | None) -> dict[Site, Place]:
    named = {
        SiteKind.RESID_PRE: places.before,
        SiteKind.HEADS: heads,
        SiteKind.ATTN_OUT: places.attention,
        SiteKind.RESID_MID: places.mid,
        SiteKind.NEURONS: places.neurons,
        SiteKind.MLP_OUT: places.mlp,
    }
    return {Site(kind, layer): place for kind, place in named.items() if place is not None}


def _heads(model: LoadedEncoder, encoder: Any) -> dict[int, Place]:
    """What the matrix W_O of each layer reads; layers that share one read it one by one."""
    names = {id(module): name for name, module in encoder.named_modules()}
    found: dict[int, Place] = {}
    counts: Counter[int] = Counter()
    for layer, matrix in enumerate(model.outputs[0] if model.outputs else ()):
        if matrix is not None and id(matrix) in names:
            found[layer] = Place(names[id(matrix)], counts[id(matrix)], given=True)
            counts[id(matrix)] += 1
    return found


def source_of(site: Site, found: Found, heads: int, root: Callable[[int], Tensor]) -> Source:
    """How a site is read.

    Args:
        heads: how many a layer has.
        root: of the heads of a layer, see `heads.py`.
    """
    if site.kind is not SiteKind.HEADS:
        return Source((found.place,), found.width, as_it_is)

    def make(z: Tensor) -> Tensor:
        return small(z.reshape(-1, heads, found.width // heads), root(site.layer))

    return Source((found.place,), found.width, make)
