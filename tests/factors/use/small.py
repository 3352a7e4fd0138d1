"""Random dictionaries for random models: any vector is a sum in them, and little of it is error."""

from __future__ import annotations

import torch
from torch.nn.functional import normalize

from flowviz.contexts.kinds import Site, SiteKind
from flowviz.factors.dictionary.encoders import Autoencoder, Coder
from flowviz.factors.dictionary.loaded import LoadedDictionary
from flowviz.factors.kinds import Method
from flowviz.factors.types import About, Dictionary
from flowviz.models.loaded import LoadedModel

FACTORS = 40


def all_sites(layers: int) -> tuple[Site, ...]:
    kinds = (SiteKind.RESID_PRE, SiteKind.RESID_MID, SiteKind.ATTN_OUT, SiteKind.MLP_OUT)
    each = tuple(Site(kind, layer) for kind in kinds for layer in range(layers))
    return (*each, Site(SiteKind.RESID_FINAL))


def random_dictionary(
    model: LoadedModel, method: Method = Method.RELU, seed: int = 0, name: str = "coding"
) -> Dictionary:
    """A dictionary of every site of a model."""
    generator = torch.Generator().manual_seed(seed)
    width = model.shape.d_model
    atoms = normalize(torch.randn(FACTORS, width, generator=generator), dim=1)
    offset = 0.1 * torch.randn(width, generator=generator)
    about = About(name, model.shape.name, "", method, all_sites(model.shape.layers), FACTORS, width)
    if method is Method.CODING:
        return LoadedDictionary(about, Coder(atoms, offset, 0.05), atoms, offset)
    lengths = 0.5 + torch.rand(FACTORS, generator=generator)
    bias = 0.05 * torch.randn(FACTORS, generator=generator)
    k = 8 if method is Method.TOPK else None
    threshold = torch.full((FACTORS,), 0.05) if method is Method.JUMPRELU else None
    encoder = Autoencoder(method, 0.5 * atoms.T, bias, lengths, offset, threshold, k)
    return LoadedDictionary(about, encoder, atoms, offset)
