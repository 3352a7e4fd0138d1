"""Which tokens an activation comes from, by two measures side by side.

By masking (`masking.py`) it is asked what would be there without a token. By flow (`state_flow.py`)
it is asked where what is there came from: with patterns, gates, norms and the set of active factors
frozen, the activation is affine in the token embeddings (`affine.py`), and

    activation = Σ flow of tokens + biases + rest

`biases` are those of the model and the encoder's own constant; `rest` is what comes from the
embeddings of positions, and what the encoder leaves between its answer and the exact one. Of models
that read both ways only masking is to be had.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from flowviz.contexts.encode import open_reader
from flowviz.contexts.kinds import Site
from flowviz.encoders.loaded import LoadedEncoder
from flowviz.errors import RequestError
from flowviz.factors.look.affine import affine_of
from flowviz.factors.look.masking import Asked, by_masking
from flowviz.factors.look.sentences import Read, sentence_of
from flowviz.factors.look.state_flow import SPLIT, state_flow
from flowviz.factors.look.surveyed import Survey
from flowviz.factors.look.told import chosen_factor, silent
from flowviz.factors.look.types import Attributed
from flowviz.factors.request import FactorsRequest
from flowviz.factors.types import Dictionary
from flowviz.graph.types import PromptToken
from flowviz.jobs import Progress
from flowviz.models.loaded import LoadedModel
from flowviz.trace import record


def attribute(
    survey: Survey,
    dictionary: Dictionary,
    model: LoadedModel | LoadedEncoder,
    request: FactorsRequest,
    progress: Progress = silent,
) -> Attributed:
    """The activation of a factor at a token of a sentence, over the sentence's tokens.

    Raises:
        RequestError: no context is named, there is no such one, or the factor is not active there.
    """
    factor = chosen_factor(survey, dictionary, request)
    site = survey.info.sites[int(survey.best[factor])] if request.site is None else request.site
    survey.site_index(site)
    read, at = _context(survey, model, request)
    progress("Reading the context", 0.0)
    asked = Asked(dictionary, site, factor, read.tokens, at)
    split = _Split.of(model, asked)
    masking = by_masking(model, asked, lambda stage, done: progress(stage, 0.1 + 0.9 * done))
    named = zip(read.tokens.ids, read.tokens.texts, strict=True)
    return Attributed(
        request=request,
        tokens=tuple(PromptToken(place, i, text) for place, (i, text) in enumerate(named)),
        position=at,
        activation=split.activation,
        masking=tuple(masking.weights.tolist()),
        fit=masking.fit,
        flow=split.tokens,
        biases=split.biases,
        rest=split.rest,
        notes=split.notes,
    )


def _context(
    survey: Survey, model: LoadedModel | LoadedEncoder, request: FactorsRequest
) -> tuple[Read, int]:
    if request.sentence is None or request.position is None:
        raise RequestError("No context is named. Choose one of the factor's contexts.")
    read = sentence_of(survey.sentences, request.sentence).read(open_reader(model))
    if request.position >= len(read.tokens):
        raise RequestError(
            f"There is no token {request.position:,} in sentence {request.sentence:,}; it has "
            f"{len(read.tokens):,}. Choose one of the factor's contexts."
        )
    return read, request.position


@dataclass(frozen=True)
class _Split:
    """The split by flow; without one, no tokens and all of it as the rest."""

    activation: float
    tokens: tuple[float, ...]
    biases: float
    rest: float
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, model: LoadedModel | LoadedEncoder, asked: Asked) -> _Split:
        ids = list(asked.tokens.ids)
        vector = open_reader(model).vectors([ids], [asked.site])[asked.site][asked.at]
        direction, constant = affine_of(asked.dictionary, vector, asked.factor)
        active, values = asked.dictionary.encode(vector[None]).row(0)
        activation = float(values[active.tolist().index(asked.factor)])
        note = _why_not(model, asked.site)
        if note or isinstance(model, LoadedEncoder):
            return cls(activation, (), 0.0, activation, (note,))
        trace = record(model, ids[: asked.at + 1])
        like = trace.resid_final
        w = torch.from_numpy(direction).to(like)
        found = state_flow(model, trace, asked.site, asked.at, w)
        tokens = (*found.tokens.tolist(), *(0.0 for _ in ids[asked.at + 1 :]))
        biases = found.biases + constant
        return cls(activation, tokens, biases, activation - sum(tokens) - biases)


def _why_not(model: LoadedModel | LoadedEncoder, site: Site) -> str:
    """Why there is no split by flow, in words; "" where there is one."""
    if isinstance(model, LoadedEncoder):
        return (
            f"{model.shape.name} reads both ways, and its flow is not defined here: what each "
            "token gives is measured by masking alone."
        )
    if site.kind not in SPLIT:
        return f"At {site} there is no split by flow: what is read there is no part of the stream."
    return ""
