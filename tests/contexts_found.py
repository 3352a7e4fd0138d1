"""Contexts made by hand, and a session that answers with them, for tests of the page."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from flowviz.attention.types import Column
from flowviz.contexts.corpus.types import ROOT, Word
from flowviz.contexts.kinds import ANNOTATIONS, Feature, Role, Site, SiteKind
from flowviz.contexts.request import ContextRequest
from flowviz.contexts.shelf import CorpusChoice
from flowviz.contexts.store.types import StoreInfo
from flowviz.contexts.types import Bar, ContextsFound, Hit, Summary
from flowviz.errors import NotKept, RequestError
from flowviz.graph.types import ModelShape, PromptToken
from flowviz.models.kind import ModelKind
from flowviz.session import Job, JobState, ModelChoice
from tests.fakes import MB, FakeSession, make_tokens

SENTENCE = (
    ("The", "DET", "det", ""),
    ("nurse", "NOUN", "nsubj", ""),
    ("saw", "VERB", "root", ""),
    ("Mary", "PROPN", "obj", "PERSON"),
    ("in", "ADP", "case", ""),
    ("Rome", "PROPN", "obl", "PLACE"),
    (".", "PUNCT", "punct", ""),
)
OTHER = (
    ("A", "DET", "det", ""),
    ("<b>cat", "NOUN", "nsubj", ""),
    ("\u202esaw", "VERB", "root", ""),
    ("שלום", "PROPN", "obj", ""),
)
VERB = 2  # the word that is matched
SIZES = ModelShape("demo", "GPT2LMHeadModel", 3, 4, 8, 16, 100)
PARTS = ("news", "tales")


def words(sentence: tuple[tuple[str, ...], ...]) -> tuple[str, tuple[Word, ...]]:
    """A sentence's text and its words; a point stands at the word before it."""
    text, made = "", []
    for i, (form, upos, deprel, entity) in enumerate(sentence):
        text += "" if not text or form == "." else " "
        head = ROOT if deprel == "root" else VERB
        start = len(text)
        text += form
        made.append(Word(form, start, len(text), form.lower(), upos, "", "", deprel, head, entity))
        assert i == len(made) - 1
    return text, tuple(made)


def hit(number: int, sentence: tuple[tuple[str, ...], ...] = SENTENCE, repeat: int = 1) -> Hit:
    """A hit on the verb; each word is a token, but the first noun, which is two.

    Token i looks at itself with 0.25 and at the one before with 0.75; the first at itself alone.
    """
    text, made = words(sentence * repeat)
    texts, word_of = [], []
    for i, word in enumerate(made):
        pieces = [word.form[:2], word.form[2:]] if i == 1 else [word.form]
        for j, piece in enumerate(pieces):
            texts.append(piece if j or not i or word.form == "." else f" {piece}")
            word_of.append(i)
    count = len(texts)
    attention = np.zeros((count, count), np.float16)
    for i in range(count):
        attention[i, i] += 0.25
        attention[i, max(0, i - 1)] += 0.75
    at = word_of.index(VERB)
    tokens = tuple(PromptToken(i, 100 + i, each) for i, each in enumerate(texts))
    return Hit(
        row=1000 + number, sentence=number, part=PARTS[number % 2], place=f"sentence {number}",
        text=text, tokens=Column(tokens), words=made, word_of=tuple(word_of), position=at,
        score=0.99 - 0.001 * number, attended=at - 1, attention=attention,
    )  # fmt: skip


def bars(*given: tuple[str, int, float, int], known: int) -> tuple[Bar, ...]:
    """Bars of (value, count, base, over)."""
    return tuple(
        Bar(value, count, count / known, max(0.0, count / known - 0.1),
            min(1.0, count / known + 0.1), base,
            count / known / base if base else float("inf"), over)
        for value, count, base, over in given
    )  # fmt: skip


def summaries(known: int, annotated: bool = True) -> tuple[Summary, ...]:
    """Summaries of verbs behind nouns, which are over-represented, the point as usual."""
    every = "all 9,000 tokens of the corpus"
    verbs = bars(("VERB", known, 0.12, 1), known=known)
    nouns = bars(("NOUN", known - 1, 0.25, 1), ("DET", 1, 0.2, -1), known=known)
    forms = bars(("saw", known - 1, 0.001, 1), ("\u202esaw", 1, 0.0, 0), known=known)
    places = bars(("-1", known - 1, 0.3, 1), ("-2", 1, 0.1, 0), known=known)
    rows = [
        (Role.MATCHED, Feature.UPOS, verbs),
        (Role.MATCHED, Feature.FORM, forms),
        (Role.NEXT, Feature.UPOS, bars(("PROPN", known, 0.1, 1), known=known)),
        (Role.NEXT, Feature.FORM, bars(("Mary", known, 0.01, 1), known=known)),
        (Role.ATTENDED, Feature.UPOS, nouns),
        (Role.ATTENDED, Feature.OFFSET, places),
    ]
    shown = [each for each in rows if annotated or each[1] not in ANNOTATIONS]
    return tuple(Summary(role, what, known, 0, made, 0, every) for role, what, made in shown)


def found(request: ContextRequest) -> ContextsFound:
    """What the prompt asks for: "many" finds 120 hits, "plain" is without annotations."""
    annotated = "plain" not in request.prompt
    tokens = make_tokens(request.prompt)
    kept = 120 if "many" in request.prompt else 12
    hits = [hit(i, OTHER if i == 1 else SENTENCE, 20 if i == 2 else 1) for i in range(kept)]
    hits = hits[: request.count]
    fewer = ""
    if any(each.value == "X" for each in request.filters):
        hits, fewer = [], "No token of the corpus passes the filter matched.upos=X."
    count = len(tokens)
    site = request.site or Site(SiteKind.RESID_PRE, 1)
    layer = min(max(site.layer, 0), 2)
    heads = request.heads or tuple((layer, head) for head in request.chosen or range(4))
    at = count - 1 if request.position is None else request.position
    kept_heads = heads if site.kind is not SiteKind.NEURONS else tuple((layer, h) for h in range(4))
    return ContextsFound(
        request=request,
        model=replace(SIZES, name=request.model),
        store=StoreInfo("Made by hand", request.model, "x", 300, 9000, PARTS,
                        ANNOTATIONS if annotated else (), (site,), 0, (), 10**6),
        query=Column(tokens, (), None, request.mask),
        position=at,
        attention=np.eye(count, dtype=np.float16),
        attended=max(0, at - 1),
        heads=kept_heads,
        hits=tuple(hits),
        summaries=summaries(len(hits), annotated) if hits else (),
        searched=9000,
        exact=True,
        fewer=fewer,
    )  # fmt: skip


class ContextSession(FakeSession):
    """Answers with contexts made by hand; a "slow" prompt runs until it is cancelled."""

    def models(self, *, gpt: bool = False) -> tuple[ModelChoice, ...]:
        kinds = {"demo": ModelKind.GPT, "bert": ModelKind.ENCODER}
        return tuple(
            ModelChoice(name, name.upper(), "Made by hand.", 64, True, 15 * MB, kind)
            for name, kind in kinds.items()
        )

    def corpora(self) -> tuple[CorpusChoice, ...]:
        own = CorpusChoice(
            "own", "Own texts", 300, PARTS, (), ("demo",), (Site(SiteKind.RESID_PRE, 1),)
        )
        return CorpusChoice("demo", "Demo corpus", None, (), ANNOTATIONS), own

    def submit(self, request, visitor, *, to_inspect=False):
        assert isinstance(request, ContextRequest)
        if request.site and request.site.layer > 2:
            raise RequestError("demo has resid_pre in blocks 0 to 2, and none in block 9.")
        if (request.position or 0) >= len(make_tokens(request.prompt)):
            raise RequestError(f"position is {request.position}; the prompt is shorter.")
        self.submitted.append(request)
        self.gone = False
        slow = "slow" in request.prompt
        state = JobState.RUNNING if slow else JobState.DONE
        job = Job(str(next(self.numbers)), state, "Reading the corpus", 0.2 if slow else 1.0)
        self.jobs[job.id] = (visitor, request, job, time.monotonic())
        return job

    def answer(self, question):
        if self.gone:
            raise NotKept("This result is not kept any more. Run the prompt again.")
        return found(question)
