"""What is run and what is predicted in it, of both kinds of models.

A GPT predicts each token from those before it. Of an encoder `FOLDS` copies of a text are read; in
the k-th every `FOLDS`-th of its word pieces, from the k-th on, is hidden by the mask token and
predicted: about 15 % at once, as these models learned it (Devlin et al. 2019), and each one once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flowviz.contexts.kinds import Site
from flowviz.encoders.loaded import LoadedEncoder
from flowviz.errors import RequestError
from flowviz.models.kind import ModelKind
from flowviz.models.loaded import LoadedModel

FOLDS = 7


@dataclass(frozen=True)
class Run:
    """One text as the model reads it.

    Args:
        asked: at which positions a token is predicted, and its id.
        special: positions that stand for no text ([CLS], <s>): their vectors stay as they are.
        types: to which of two texts each token belongs, where the model takes that.
    """

    ids: tuple[int, ...]
    asked: tuple[tuple[int, int], ...]
    special: tuple[int, ...] = ()
    types: tuple[int, ...] | None = None

    @property
    def text(self) -> NDArray[np.int64]:
        """The positions that stand for text."""
        return np.setdiff1d(np.arange(len(self.ids)), self.special)


@dataclass(frozen=True, eq=False)
class Change:
    """What is added to the vectors of a site in one run: [pos, width]."""

    site: Site
    added: NDArray[np.float32]


Row = tuple[Run, Change | None]


def runs_of(
    model: LoadedModel | LoadedEncoder,
    ids: Sequence[int],
    special: Sequence[int],
    types: Sequence[int] | None = None,
    copy: int | None = None,
) -> tuple[Run, ...]:
    """The runs of a text: of a GPT one; of an encoder all copies, or the one of that number.

    A text of which nothing can be predicted has none.

    Raises:
        RequestError: the model predicts no tokens of the text that it reads.
    """
    if isinstance(model, LoadedModel):
        asked = tuple(zip(range(len(ids)), ids[1:], strict=False))
        return (Run(tuple(ids), asked, tuple(special)),) if asked else ()
    mask = mask_of(model)
    text = [i for i in range(len(ids)) if i not in set(special) and ids[i] != mask]
    folds = range(FOLDS) if copy is None else (copy % min(FOLDS, max(1, len(text))),)
    kinds = None if types is None else tuple(types)
    return tuple(
        Run(_hidden(ids, hidden, mask), tuple((i, ids[i]) for i in hidden), tuple(special), kinds)
        for hidden in (text[fold::FOLDS] for fold in folds)
        if hidden
    )


def _hidden(ids: Sequence[int], hidden: Sequence[int], mask: int) -> tuple[int, ...]:
    places = set(hidden)
    return tuple(mask if place in places else token for place, token in enumerate(ids))


def mask_of(model: LoadedEncoder) -> int:
    """The mask token's id. Raises RequestError where the model cannot fill in what is hidden."""
    token = model.vocabulary.tokenizer.mask_token_id
    if model.kind is ModelKind.ENCODER and model.predicts and token is not None:
        return int(token)
    reason = (
        "writes with a decoder" if model.kind is ModelKind.BOTH
        else "has no mask token" if model.predicts else "has no head that predicts tokens"
    )  # fmt: skip
    raise RequestError(
        f"{model.shape.name} {reason}, so that it has no loss on the text that it reads. Choose a "
        "GPT, or an encoder that fills in masked tokens, such as BERT."
    )
