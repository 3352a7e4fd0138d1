"""A session of hand-made attention: a GPT, an encoder with pairs and masks, an encoder-decoder."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from flowviz.attention.request import AttentionRequest, HeadsRequest
from flowviz.attention.types import AttentionMaps, Column, HeadsFound, Part, Weighting
from flowviz.errors import NotKept, RequestError
from flowviz.graph.types import ModelShape, Prediction, PromptToken
from flowviz.models.kind import ModelKind
from flowviz.session import Job, JobState, ModelChoice, TokenCount
from tests.attention_maps import looking_back, signed, with_model
from tests.fakes import MB, FakeSession, check, make_tokens

KINDS = {"demo": ModelKind.GPT, "bert": ModelKind.ENCODER, "t5": ModelKind.BOTH}
GUESSES = ("Tokyo", "Paris", "Rome", "the", "<b>", "a", "of", "is", "city", "capital")


class AttentionSession(FakeSession):
    """Answers with hand-made maps; a "slow" prompt runs until it is cancelled."""

    def models(self, *, gpt: bool = False) -> tuple[ModelChoice, ...]:
        choices = (
            ModelChoice(name, name.upper(), "Made by hand.", 64, True, 15 * MB, kind)
            for name, kind in KINDS.items()
        )
        return tuple(each for each in choices if not gpt or each.kind is ModelKind.GPT)

    def submit(self, request, visitor, *, to_inspect=False):
        if isinstance(request, AttentionRequest) and KINDS[request.model] is ModelKind.GPT:
            check(request.explained())
        elif isinstance(request, AttentionRequest) and request.weighting is Weighting.FLOW:
            raise RequestError("The flow is defined for GPTs alone.")
        elif getattr(request, "mask", None) and max(request.mask) > 40:
            raise RequestError("mask names a position that the text has not.")
        self.submitted.append(request)
        self.gone &= not to_inspect
        slow = "slow" in getattr(request, "prompt", "")
        state = JobState.RUNNING if slow else JobState.DONE
        job = Job(str(next(self.numbers)), state, "Reading the heads", 0.2 if slow else 1.0)
        self.jobs[job.id] = (visitor, request, job, time.monotonic())
        return job

    def answer(self, question):
        if self.gone:
            raise NotKept("This result is not kept any more. Run the prompt again.")
        if isinstance(question, HeadsRequest):
            maps = with_model(looking_back())
            return HeadsFound(maps.model, len(question.prompts()), maps.kinds + maps.kinds)
        kind = KINDS[question.model]
        if question.average:
            note = f"The mean over {len(question.prompts())} prompts by position."
            return replace(with_model(looking_back()), target=None, predictions=(), notes=(note,))
        if kind is ModelKind.GPT:
            maps = with_model(looking_back())
            return signed(maps) if question.weighting is Weighting.FLOW else maps
        return encoder_maps(question) if kind is ModelKind.ENCODER else both_maps(question)

    def count_tokens(self, model: str, text: str) -> TokenCount | None:
        return TokenCount(len(make_tokens(text)), 64)


def pair(first: str, second: str, mask: tuple[int, ...] = ()) -> Column:
    """Tokens as BERT has them: [CLS] first [SEP], and second [SEP] where there is one."""
    words = ["[CLS]", *first.split(), "[SEP]"]
    start = len(words) if second else None
    words += [*second.split(), "[SEP]"] if second else []
    tokens = tuple(PromptToken(i, 100 + i, word) for i, word in enumerate(words))
    special = tuple(i for i, word in enumerate(words) if word in ("[CLS]", "[SEP]"))
    return Column(tokens, special, start, mask)


def encoder_maps(request: AttentionRequest) -> AttentionMaps:
    """Head h gives 0.6 to h + 1 tokens on, 0.3 to [SEP], the rest to itself; less where masked."""
    column = pair(request.prompt, request.second, request.mask)
    count, last = len(column), len(column) - 1
    weights = np.zeros((3, 4, count, count), np.float32)
    for i in range(count):
        for head in range(4):
            part = 0.3 if i in column.masked else 0.6
            weights[:, head, i, min(last, i + head + 1)] += part
            weights[:, head, i, last] += 0.3
            weights[:, head, i, i] += 0.7 - part
    return _maps(weights, column, request, (Part.ENCODER,))


def both_maps(request: AttentionRequest) -> AttentionMaps:
    """Decoder tokens that look at the encoder's in the same order, and both with themselves."""
    read = pair(request.prompt, "")
    texts = (request.second or "Das ist gut").split()
    written = Column(tuple(PromptToken(i, 50 + i, word) for i, word in enumerate(texts)))
    parts = (Part.ENCODER, Part.DECODER, Part.CROSS)
    part = request.part or Part.ENCODER
    queries = read if part is Part.ENCODER else written
    sources = written if part is Part.DECODER else read
    weights = np.zeros((3, 4, len(queries), len(sources)), np.float32)
    for i in range(len(queries)):
        weights[:, :, i, min(i, len(sources) - 1)] += 0.75
        weights[:, :, i, 0] += 0.25
    maps = _maps(weights, queries, request, parts)
    crossing = sources if part is Part.CROSS else None
    return replace(maps, part=part, sources=crossing, readings=maps.readings if crossing else ())


def _maps(weights, column: Column, request: AttentionRequest, parts) -> AttentionMaps:
    square = np.eye(weights.shape[2], dtype=np.float32)[None, None].repeat(4, 1).repeat(3, 0)
    kinds = AttentionMaps.of(square, [token.text for token in column.tokens]).kinds
    totals = None
    if request.weighting is Weighting.NORM:
        totals = np.full(weights.shape[:3], 2.5, np.float32)
    return AttentionMaps(
        queries=column,
        weights=weights.astype(np.float16),
        kinds=kinds,
        weighting=request.weighting,
        totals=totals,
        model=ModelShape(request.model, "BertForMaskedLM", 3, 4, 8, 16, 100),
        part=parts[0],
        parts=parts,
        readings=readings(column),
    )


def readings(column: Column) -> tuple[tuple[Prediction, ...], ...]:
    """The token itself at 0.9, or second at 0.2 where it is masked."""
    rows = []
    for i, token in enumerate(column.tokens):
        others = [Prediction(900 + k, word, 0.05 / (k + 1), 1.0) for k, word in enumerate(GUESSES)]
        masked = i in column.masked
        own = Prediction(token.id, token.text, 0.2 if masked else 0.9, 5.0)
        guess = [Prediction(999, "Tokyo", 0.5, 6.0), own] if masked else [own]
        rows.append((*guess, *others)[:10])
    return tuple(rows)
