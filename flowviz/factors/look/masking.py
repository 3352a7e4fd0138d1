"""Token attribution by masking: a linear model of the activation over which tokens are there.

Random sets of tokens are masked, the activation is read for each, and a ridge regression, in which
masks that leave more of the text weigh more, says what each token adds to it:

    a(z) ≈ b + Σ_t w_t z_t          z_t = 0 where token t is masked
    weight of a mask = sqrt(exp(-d² / σ²)),  d = 1 - sqrt(share of tokens left),  σ = 0.25

A masked token's embedding is the mean of those of many tokens; of an encoder it is the mask token.
The token that the factor is at can be masked as any other; those that stand for no text are not.

Sources: LIME, Ribeiro, Singh and Guestrin 2016 (weights, ridge with α = 1, how many are masked is
drawn first); as token attribution of factors, Yun et al. 2021. Unlike there, a mask may leave all:
of a text of two tokens nearly all masks would else leave one or the other, so that their weights
could not be told apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from flowviz.contexts.encode.encoder import EncoderReader
from flowviz.contexts.encode.gpt import GptReader
from flowviz.contexts.encode.types import Tokens
from flowviz.contexts.kinds import Site
from flowviz.encoders.loaded import LoadedEncoder
from flowviz.errors import RequestError
from flowviz.factors.look.told import values_of
from flowviz.factors.types import Dictionary
from flowviz.jobs import Progress
from flowviz.models.loaded import LoadedModel

MASKS, SEED = 500, 0
WIDTH, RIDGE = 0.25, 1.0
TOKENS_AT_ONCE = 2**12
EMBEDDINGS = 256  # of which the mean is taken
ReadMasked = Callable[[Sequence[int], NDArray[np.bool_], Site], NDArray[np.float32]]


@dataclass(frozen=True, eq=False)
class Masking:
    """What each token adds to an activation.

    Args:
        weights: of each token, 0 of those that are never masked.
        fit: the share of the variance that the linear model explains, 1 where there is none.
    """

    weights: NDArray[np.float64]
    fit: float


@dataclass(frozen=True, eq=False)
class Asked:
    """The activation that is attributed: of which factor, in which text, where."""

    dictionary: Dictionary
    site: Site
    factor: int
    tokens: Tokens
    at: int


def by_masking(
    model: LoadedModel | LoadedEncoder, asked: Asked, progress: Progress, masks: int = MASKS
) -> Masking:
    """The linear model of an activation. Raises RequestError where nothing can be masked."""
    both = isinstance(model, LoadedEncoder)
    most = len(asked.tokens) if both else asked.at + 1
    free = np.flatnonzero(~np.array(asked.tokens.special[:most]))
    weights = np.zeros(len(asked.tokens))
    if not len(free):
        return Masking(weights, 1.0)
    kept = drawn_masks(len(free), masks)
    there = np.ones((masks, most), bool)
    there[:, free] = kept
    values = np.concatenate(list(_values(model, asked, there, progress)))
    weights[free], fit = ridge(kept, values)
    return Masking(weights, fit)


def drawn_masks(tokens: int, masks: int) -> NDArray[np.bool_]:
    """Which tokens are left, [mask, token]; the first leaves all."""
    random = np.random.default_rng(SEED)
    most = random.integers(0, tokens + 1, masks)
    most[0] = 0
    ranks = random.random((masks, tokens)).argsort(axis=1).argsort(axis=1)
    return ranks >= most[:, None]


def ridge(
    kept: NDArray[np.bool_], values: NDArray[np.floating]
) -> tuple[NDArray[np.float64], float]:
    """The coefficients of the weighted ridge regression, and its share of explained variance."""
    away = 1 - np.sqrt(kept.mean(1))
    weight = np.sqrt(np.exp(-(away**2) / WIDTH**2))
    share = weight / weight.sum()
    there, aim = kept - share @ kept, values - share @ values
    product = (there * weight[:, None]).T @ there + RIDGE * np.eye(kept.shape[1])
    found = np.linalg.solve(product, (there * weight[:, None]).T @ aim)
    left, whole = weight @ (aim - there @ found) ** 2, weight @ aim**2
    return found, float(1 - left / whole) if whole > 1e-12 else 1.0


def _values(
    model: LoadedModel | LoadedEncoder, asked: Asked, there: NDArray[np.bool_], progress: Progress
) -> Iterator[NDArray[np.float32]]:
    """The activation with each mask."""
    masks, length = there.shape
    read = _gpt_reading(model) if isinstance(model, LoadedModel) else _encoder_reading(model)
    size = max(1, TOKENS_AT_ONCE // length)
    for first in range(0, masks, size):
        progress("Masking tokens", first / masks)
        some = there[first : first + size]
        vectors = read(asked.tokens.ids[:length], some, asked.site)
        own = vectors.reshape(len(some), length, -1)[:, asked.at]
        yield values_of(asked.dictionary, np.ascontiguousarray(own), asked.factor)


def _gpt_reading(model: LoadedModel) -> ReadMasked:
    reader = GptReader(model)
    size = model.shape.vocabulary
    few = min(EMBEDDINGS, reader.context or EMBEDDINGS, size)
    ids = np.random.default_rng(SEED).choice(size, few, replace=False).tolist()
    mean = reader.embeddings(ids).mean(0)

    def read(ids: Sequence[int], there: NDArray[np.bool_], site: Site) -> NDArray[np.float32]:
        left = torch.from_numpy(there).to(mean.device)

        def embedded(value: Tensor) -> Tensor:
            kept = left.view(*value.shape[:-1], 1)
            return torch.where(kept, value, mean.to(value))

        return reader.vectors([list(ids)] * len(there), [site], embedded=embedded)[site]

    return read


def _encoder_reading(model: LoadedEncoder) -> ReadMasked:
    reader, tokenizer = EncoderReader(model), model.vocabulary.tokenizer
    masked = tokenizer.mask_token_id
    masked = tokenizer.unk_token_id if masked is None else masked
    if masked is None:
        raise RequestError(
            f"{model.shape.name} has no token that stands for a hidden one, so that none can be "
            "masked."
        )

    def read(ids: Sequence[int], there: NDArray[np.bool_], site: Site) -> NDArray[np.float32]:
        texts = np.where(there, np.array(ids), masked).tolist()
        return reader.vectors(texts, [site])[site]

    return read
