"""Passes in which some tokens are hidden from all others: nobody attends to them.

What a token is, and where it stands, stays as it is: the text is not cut, so that models with
positions of their own (GPT-2, BERT) are not led astray by a word that stands first. Whether a model
takes such a mask as it is meant is tried on a few tokens before anything is measured:

    with all tokens seen, every vector is that of the plain pass
    what the hidden tokens are changes no vector of those that see
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from flowviz.contexts.encode.encoder import EncoderReader
from flowviz.contexts.encode.gpt import GptReader
from flowviz.contexts.kinds import Site
from flowviz.encoders.loaded import LoadedEncoder
from flowviz.models.loaded import LoadedModel

FIRST, PROBED, HIDDEN = 5, 8, 3  # ids, behind those of special tokens
NEAR = 1e-3  # of the largest number: rounding, of half precision as well


def hiding_reader(model: LoadedModel | LoadedEncoder) -> GptReader | EncoderReader:
    """A reader whose `vectors` take `seen`."""
    return GptReader(model) if isinstance(model, LoadedModel) else EncoderReader(model)


def hides(reader: GptReader | EncoderReader, sites: Sequence[Site]) -> bool:
    """Whether tokens can be hidden from the others, as it is meant."""
    ids = [i % reader.shape.vocabulary for i in range(FIRST, FIRST + PROBED + HIDDEN)]
    one, other = ids[:PROBED], [*ids[PROBED:], *ids[HIDDEN:PROBED]]
    plain = reader.vectors([one], sites)
    whole = reader.vectors([one], sites, seen=[[True] * PROBED])
    seen = [[False] * HIDDEN + [True] * (PROBED - HIDDEN)]
    first, second = (reader.vectors([text], sites, seen=seen) for text in (one, other))
    for site in sites:
        size = float(np.abs(plain[site]).max())
        away = np.abs(whole[site] - plain[site]).max()
        leak = np.abs(first[site] - second[site])[HIDDEN:].max()
        if not (np.isfinite(leak) and max(away, leak) <= NEAR * size):
            return False
    return True
