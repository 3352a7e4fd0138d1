"""The mean loss of many runs, each with its own change at one site, batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cross_entropy

from flowviz.contexts.encode.batch import Batch
from flowviz.contexts.kinds import Site
from flowviz.contexts.together import together
from flowviz.encoders.loaded import LoadedEncoder
from flowviz.factors.passes import encoder, gpt
from flowviz.factors.passes.runs import Row
from flowviz.models.loaded import LoadedModel

Model = LoadedModel | LoadedEncoder
AT_ONCE = 2**25  # numbers of the logits of a batch
TOKENS_AT_ONCE = 4096


@torch.inference_mode()
def losses_of(
    model: Model,
    rows: Sequence[Row],
    progress: Callable[[int], None] = lambda _done: None,
) -> NDArray[np.float64]:
    """The mean of -log p over what each row predicts, in nats: [row].

    Args:
        rows: each a run and what is changed in it. They are run in batches of similar lengths.
        progress: told how many rows are done; may raise to stop.
    """
    found, done = np.zeros(len(rows)), 0
    for numbers in _batches(model, rows):
        found[numbers] = _losses(model, [rows[number] for number in numbers])
        done += len(numbers)
        progress(done)
    return found


def _batches(model: Model, rows: Sequence[Row]) -> Iterator[list[int]]:
    alone = not (isinstance(model, LoadedModel) or encoder.layout_of(model).together)
    most = min(TOKENS_AT_ONCE, AT_ONCE // model.shape.vocabulary)
    return together([len(run.ids) for run, _ in rows], most, 1 if alone else None)


def _losses(model: Model, rows: Sequence[Row]) -> NDArray[np.float64]:
    runs = [run for run, _ in rows]
    texts = [run.ids for run in runs]
    if isinstance(model, LoadedModel):
        batch = Batch.of(texts, 0, model.device)
        logits = gpt.logits_of(model, batch, _added(rows, batch))
    else:
        batch = Batch.of(texts, encoder.padding_of(model), model.device)
        types = [run.types for run in runs]
        logits = encoder.logits_of(model, batch, types, _added(rows, batch))
    row = [number for number, run in enumerate(runs) for _ in run.asked]
    place, wanted = zip(*(each for run in runs for each in run.asked), strict=True)
    chosen = logits[row, list(place)].double()
    target = torch.tensor(wanted, device=chosen.device)
    each = cross_entropy(chosen, target, reduction="none").cpu().numpy()
    return np.bincount(row, each, len(rows)) / np.bincount(row, minlength=len(rows))


def _added(rows: Sequence[Row], batch: Batch) -> dict[Site, Tensor]:
    """What is added at each site that is changed in some row; zero in the others and in padding."""
    found: dict[Site, Tensor] = {}
    for number, (run, change) in enumerate(rows):
        if change is not None:
            if change.site not in found:
                size = (*batch.ids.shape, change.added.shape[1])
                found[change.site] = torch.zeros(size)
            found[change.site][number, : len(run.ids)] = torch.from_numpy(change.added)
    return {site: values.to(batch.ids.device) for site, values in found.items()}
