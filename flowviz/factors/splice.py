"""The model run with a site's vectors replaced by what a dictionary makes of them, and its loss.

1. The vectors of every site are read in a clean pass.
2. They are reconstructed, x' = offset + Σ_f a_f d_f, or set to their mean over a reference.
3. The model runs again with the difference x' - x added at the site, one site at a time, so that
   all that follows answers to it and nothing before it changes.

    recovered = (ablated - spliced) / (ablated - clean)

is the share of the loss that reconstructions keep: 1 where they are perfect, 0 where they do no
better than the mean. Losses are in nats, over what `passes/runs.py` says is predicted. The vectors
of special tokens ([CLS], <s>) stay as they are: no dictionary learns them. Where every vector is
its own reconstruction the loss is the clean one.

Source: "loss recovered" of Bricken et al. 2023, "Towards monosemanticity", and Rajamanoharan et
al. 2024, "Improving dictionary learning with gated sparse autoencoders"; they ablate to zero, which
no state of a model is near, and we to the mean.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import embedding_bag

from flowviz.contexts.encode.types import Tokens
from flowviz.contexts.kinds import Site, SiteKind
from flowviz.errors import RequestError
from flowviz.factors.passes.instead import Vectors, losses_instead, means_of
from flowviz.factors.passes.losses import Model, losses_of
from flowviz.factors.passes.runs import Run, runs_of
from flowviz.factors.types import Dictionary, Sparse
from flowviz.jobs import Progress
from flowviz.models.loaded import LoadedModel

TEXTS_AT_ONCE = 16
WHOLE = (SiteKind.RESID_PRE, SiteKind.RESID_MID, SiteKind.RESID_FINAL, SiteKind.ATTN_OUT,
         SiteKind.MLP_OUT)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Losses:
    """Mean losses of some runs in nats.

    Args:
        predicted: how many tokens each run predicts; clean: its loss, both [run].
        spliced, ablated: with each site on its own replaced, [site, run].
    """

    sites: tuple[Site, ...]
    predicted: NDArray[np.int64]
    clean: NDArray[np.float64]
    spliced: NDArray[np.float64]
    ablated: NDArray[np.float64]

    @property
    def recovered(self) -> tuple[float | None, ...]:
        """Of each site; None where the ablation does no harm, so that there is nothing to keep.

        Where it does little harm, the share of it says little.
        """
        clean, spliced, ablated = self._means()
        return tuple(
            float((bad - ours) / (bad - clean)) if bad > clean else None
            for bad, ours in zip(ablated, spliced, strict=True)
        )

    @property
    def recovered_in_all(self) -> float | None:
        """Of all sites together: the sum of what is kept over the sum of what ablations cost."""
        clean, spliced, ablated = self._means()
        cost = float((ablated - clean).sum())
        return float((ablated - spliced).sum()) / cost if cost > 0 else None

    def _means(self) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
        """The mean losses of a prediction: clean, and of each site spliced and ablated."""
        weights = self.predicted / self.predicted.sum()
        return float(self.clean @ weights), self.spliced @ weights, self.ablated @ weights


def splice(
    model: Model,
    dictionary: Dictionary,
    texts: Sequence[Tokens],
    *,
    sites: Sequence[Site] | None = None,
    means: Mapping[Site, Vectors] | None = None,
    progress: Progress = lambda _stage, _fraction: None,
) -> Losses:
    """Losses over many texts, clean, spliced and ablated, one run of each text.

    Args:
        texts: as the reader of the model gives them; those of which nothing can be predicted are
            passed over. Of an encoder the k-th text is read as its k-th copy (`runs_of`).
        sites: some of the dictionary's; None for all.
        means: of each site's vectors, [width], for the ablation; None for those of these texts.
        progress: told what is done; may raise to stop.

    Raises:
        RequestError: the model has no such site, or none whose vectors can be replaced; or nothing
            is predicted; or the dictionary is of another width.
    """
    sites = check_spliced(model, dictionary, sites)
    runs = [run for number, text in enumerate(texts) for run in _run(model, text, number)]
    if not runs:
        raise RequestError("None of the texts has a token to predict. Give longer ones.")
    pieces = [runs[i : i + TEXTS_AT_ONCE] for i in range(0, len(runs), TEXTS_AT_ONCE)]
    steps = len(pieces) * (1 if means else 2)
    known = means or means_of(model, pieces, sites, lambda k: progress("Taking means", k / steps))

    def set_to_mean(site: Site, vectors: Vectors) -> Vectors:
        return np.broadcast_to(known[site], vectors.shape)

    ways, clean, found = (partial(_rebuilt_at, dictionary), set_to_mean), [], []
    for number, piece in enumerate(pieces, steps - len(pieces)):
        progress("Running on reconstructions", number / steps)
        clean.append(losses_of(model, [(run, None) for run in piece]))
        found.append(losses_instead(model, piece, sites, ways))
    spliced, ablated = np.concatenate(found, axis=-1)
    predicted = np.array([len(run.asked) for run in runs])
    return Losses(sites, predicted, np.concatenate(clean), spliced, ablated)


def splice_prompt(
    model: Model,
    dictionary: Dictionary,
    ids: Sequence[int],
    special: Sequence[int],
    types: Sequence[int] | None = None,
    known: Mapping[Site, Vectors] | None = None,
    chosen: Sequence[Site] | None = None,
    progress: Callable[[float], None] = lambda _share: None,
) -> tuple[float, tuple[float, ...]]:
    """The loss of one text, clean and with each site of the dictionary spliced, in nats.

    Args:
        chosen: some of the dictionary's sites; None for all.
        known: the reconstructions of all of its tokens, where they are at hand. Those of a GPT are
            not made again; an encoder's, in which tokens are hidden, are others.
        progress: told which share is done; may raise to stop.

    Raises:
        RequestError: as `splice`.
    """
    sites = check_spliced(model, dictionary, chosen)
    runs = runs_of(model, ids, special, types)
    if not runs:
        raise RequestError("The prompt has no token to predict. Make it longer.")

    def instead(site: Site, vectors: Vectors) -> Vectors:
        if known is not None and isinstance(model, LoadedModel):
            return known[site][runs[0].text]
        return rebuilt(dictionary, vectors)

    clean = losses_of(model, [(run, None) for run in runs])
    (spliced,) = losses_instead(model, runs, sites, (instead,), progress)
    predicted = [len(run.asked) for run in runs]
    each = np.average(spliced, axis=1, weights=predicted)
    return float(np.average(clean, weights=predicted)), tuple(map(float, each))


def check_spliced(
    model: Model, dictionary: Dictionary, sites: Sequence[Site] | None
) -> tuple[Site, ...]:
    """The sites whose vectors are to be replaced. Raises RequestError where one cannot be."""
    chosen = dictionary.about.sites if sites is None else tuple(sites)
    wrong = next((site for site in chosen if site.kind not in WHOLE), None)
    if wrong is not None:
        raise RequestError(
            f"What is at {wrong} cannot be replaced in a pass. Choose a site of the kinds "
            f"{', '.join(WHOLE)}."
        )
    return chosen


def rebuilt(dictionary: Dictionary, vectors: Vectors) -> Vectors:
    """What a dictionary makes of vectors: offset + Σ_f a_f d_f, [row, width]."""
    return summed(dictionary, dictionary.encode(vectors))


def summed(dictionary: Dictionary, sparse: Sparse) -> Vectors:
    """The sums that active factors stand for, with the offset: [row, width]."""
    if not sparse.rows:
        return np.empty((0, dictionary.about.width), np.float32)
    parts = embedding_bag(
        torch.from_numpy(sparse.factors).long(),
        torch.from_numpy(dictionary.atoms),
        torch.from_numpy(sparse.starts),
        mode="sum",
        per_sample_weights=torch.from_numpy(sparse.activations),
        include_last_offset=True,
    )
    return parts.numpy() + dictionary.offset


def _rebuilt_at(dictionary: Dictionary, _site: Site, vectors: Vectors) -> Vectors:
    return rebuilt(dictionary, vectors)


def _run(model: Model, text: Tokens, number: int) -> tuple[Run, ...]:
    special = [place for place, is_special in enumerate(text.special) if is_special]
    return runs_of(model, text.ids, special, copy=number)
