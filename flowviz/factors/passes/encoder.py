"""An encoder's pass with something added to the vectors of sites.

Hooks stand on the modules of transformers at which `encoder_places.py` found the sites, and change
what a module reads or gives. A middle state that is found where the MLP's norm reads it is not
passed on from there; it is changed by what the attention adds, which makes it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from flowviz.contexts.encode.batch import Batch
from flowviz.contexts.encode.encoder_found import Layout, encoder_of, look_into, pad_of
from flowviz.contexts.encode.encoder_pass import given_to, hooked
from flowviz.contexts.encode.encoder_places import Place
from flowviz.contexts.encode.known import known_of
from flowviz.contexts.kinds import Site, SiteKind
from flowviz.encoders.loaded import LoadedEncoder
from flowviz.errors import RequestError

Added = Float[Tensor, "row pos width"]
Types = Sequence[Sequence[int] | None] | None


def layout_of(model: LoadedEncoder) -> Layout:
    """Where the sites are, and whether texts can be read in one batch."""
    with model.lock:
        return known_of(model).once("layout", lambda: look_into(model))


def padding_of(model: LoadedEncoder) -> int:
    """What fills up a text."""
    return pad_of(encoder_of(model))


@torch.inference_mode()
def logits_of(
    model: LoadedEncoder, batch: Batch, types: Types, added: Mapping[Site, Added]
) -> Tensor:
    """The logits of the head that fills in masks, [row, pos, d_vocab].

    Raises:
        RequestError: a site's vectors can be read but not replaced.
    """
    places: dict[Place, Added] = {}
    for site, values in added.items():
        place = _place(model, site)
        places[place] = places[place] + values if place in places else values
    with model.lock, _adding(encoder_of(model), places):
        return model.weights(**given_to(batch, types), return_dict=True).logits


def _place(model: LoadedEncoder, site: Site) -> Place:
    sites = layout_of(model).sites
    place = sites[site].place
    if site.kind is SiteKind.RESID_MID and isinstance(place, Place) and place.given:
        place = sites[Site(SiteKind.ATTN_OUT, site.layer)].place
    if isinstance(place, Place):
        return place
    raise RequestError(
        f"The blocks of {model.shape.name} are not known well enough to replace what is at {site}: "
        "its states can be read, and nothing put in their place. Choose a model such as BERT."
    )


@contextmanager
def _adding(encoder: nn.Module, places: Mapping[Place, Added]) -> Iterator[None]:
    """Hooks that add these values, for the time of one pass."""
    counts = Counter[tuple[str, bool]]()

    def more(module: str, given: bool) -> Tensor | None:
        call = counts[module, given]
        counts[module, given] += 1
        return places.get(Place(module, call, given))

    def reads(name: str) -> Any:
        def hook(_module: nn.Module, args: Any, kwargs: dict[str, Any]) -> Any:
            added = more(name, True)
            if added is None:
                return None
            changed = _with([*args, *kwargs.values()], added)
            return tuple(changed[: len(args)]), dict(zip(kwargs, changed[len(args) :], strict=True))

        return hook

    def gives(name: str) -> Any:
        def hook(_module: nn.Module, _args: Any, output: Any) -> Any:
            added = more(name, False)
            if added is None:
                return None
            if isinstance(output, Tensor):
                return output + added.to(output)
            return type(output)(_with(output, added))

        return hook

    with hooked(encoder, places, reads, gives):
        yield


def _with(values: Sequence[Any], added: Added) -> list[Any]:
    """The same, with something added to the first tensor of numbers (`first_tensor`)."""
    changed = list(values)
    place = next(
        i for i, one in enumerate(changed) if isinstance(one, Tensor) and one.is_floating_point()
    )
    changed[place] = changed[place] + added.to(changed[place])
    return changed
