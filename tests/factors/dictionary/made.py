"""Small dictionaries of every method, of random weights."""

from __future__ import annotations

import torch
from torch.nn.functional import normalize

from flowviz.contexts.kinds import Site, SiteKind
from flowviz.factors.dictionary.encoders import Autoencoder, Coder
from flowviz.factors.dictionary.loaded import LoadedDictionary
from flowviz.factors.kinds import Method
from flowviz.factors.types import About

SITE = Site(SiteKind.RESID_PRE, 2)
FACTORS, WIDTH = 40, 16


def made(method: Method, seed: int = 0, k: int = 5) -> LoadedDictionary:
    random = torch.Generator().manual_seed(seed)
    decoder = 0.5 + 2 * torch.rand(FACTORS, 1, generator=random)
    decoder = decoder * normalize(torch.randn(FACTORS, WIDTH, generator=random), dim=1)
    lengths = decoder.norm(dim=1)
    atoms, offset = decoder / lengths[:, None], torch.randn(WIDTH, generator=random)
    if method is Method.CODING:
        encoder: Coder | Autoencoder = Coder(atoms, offset, 0.2)
    else:
        encoder = Autoencoder(
            method,
            atoms.T.contiguous(),
            0.1 * torch.randn(FACTORS, generator=random),
            lengths,
            offset,
            threshold=torch.full((FACTORS,), 0.7) if method is Method.JUMPRELU else None,
            k=k if method is Method.TOPK else None,
        )
    about = About(f"made-{method}", "tiny", "", method, (SITE,), FACTORS, WIDTH)
    return LoadedDictionary(about, encoder, atoms, offset)
