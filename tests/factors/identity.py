"""Dictionaries that give back every vector, or none, or something near."""

from __future__ import annotations

import torch

from flowviz.contexts.kinds import Site
from flowviz.factors.dictionary.encoders import Autoencoder
from flowviz.factors.dictionary.loaded import LoadedDictionary
from flowviz.factors.kinds import Method
from flowviz.factors.types import About


def both_ways(
    width: int,
    sites: tuple[Site, ...],
    threshold: float = 0.0,
    offset: float = 0.0,
    identity: str = "",
    name: str = "both-ways",
) -> LoadedDictionary:
    """Each axis in both directions: x = Σ max(0, x_i) e_i + Σ max(0, -x_i) (-e_i).

    Args:
        threshold: activations up to it are none; with 0 every vector is given back.
    """
    atoms = torch.cat([torch.eye(width), -torch.eye(width)])
    base = torch.full((width,), offset)
    encoder = Autoencoder(
        Method.JUMPRELU, atoms.T.contiguous(), torch.zeros(2 * width), torch.ones(2 * width),
        base, threshold=torch.full((2 * width,), threshold),
    )  # fmt: skip
    about = About(name, "tiny", identity, Method.JUMPRELU, sites, 2 * width, width)
    return LoadedDictionary(about, encoder, atoms, base)
