"""Factors made by hand, and a session that answers with them, for tests of the page."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from flowviz.contexts.kinds import ANNOTATIONS, DEMO, Feature, Role, Site, SiteKind
from flowviz.contexts.shelf import CorpusChoice
from flowviz.contexts.types import Summary
from flowviz.errors import NotKept, RequestError
from flowviz.factors.kinds import Level, Method, Order
from flowviz.factors.look.types import (
    Attributed,
    Band,
    FactorContext,
    FactorRow,
    FactorsFound,
    FactorsListed,
    FactorTold,
    Near,
    PromptFactors,
    Reach,
    Reading,
    SurveyInfo,
)
from flowviz.factors.request import PAGE, FactorsRequest
from flowviz.factors.types import About
from flowviz.graph.types import PromptToken
from flowviz.models.kind import ModelKind
from flowviz.session import Job, JobState, ModelChoice
from tests.contexts_found import bars
from tests.fakes import MB, FakeSession, make_tokens

SITES = (*(Site(SiteKind.RESID_PRE, layer) for layer in range(4)), Site(SiteKind.RESID_FINAL))
ABOUT = About("coding", "demo", "x", Method.CODING, SITES, 120, 8, "demo", 9000, 500, 0,
              0.912, 14.2, 3, 0.97)  # fmt: skip
TOPK = replace(ABOUT, name="topk", method=Method.TOPK, explained=None, notes=("By hand.",))
SURVEY = SurveyInfo("coding", "demo", "x", SITES, 300, 9000, ANNOTATIONS, 50)
TOKENS = ("The", " nurse", " saw", " the", " <b>saw", "\n", ".")
LEVELS = (Level.WORD, Level.PATTERN, Level.LONG, None)


def row(factor: int, site: Site | None = None) -> FactorRow:
    """A factor: its number says all of it."""
    level = LEVELS[factor % 4]
    return FactorRow(
        factor, site or SITES[factor % 5], 5.0 - 0.04 * factor, 0.001 * (factor + 1),
        "saw" if factor % 2 else "the", 0.5, (" saw", "\n", " sees"), level,
        None if level is None else float(factor % 4 + 1),
    )  # fmt: skip


def context(number: int, strength: float = 4.0) -> FactorContext:
    """The verb "saw", with less and less activation behind it."""
    at = 2 + 12 * (number % 2)
    values = (0.0, 0.5 * strength, strength, 0.25 * strength, 0.0, -0.1, 0.0)
    return FactorContext(
        number, "tales", f"sentence {number}", TOKENS, 2, at, values, number % 2 == 1, True,
        "saw", strength, strength / 4.0,
    )  # fmt: skip


def told(request: FactorsRequest, factor: int) -> FactorTold:
    """One factor; number 7 was active too seldom for a level."""
    reach = Reach((1, 2, 4, 9), (0.2, 0.5, 1.0, 1.0), Level.PATTERN, 2.5, 40)
    every = "all 9,000 tokens of the corpus"
    verbs = bars(("VERB", 40, 0.12, 1), ("NOUN", 10, 0.25, -1), known=50)
    return FactorTold(
        request=request, about=ABOUT, survey=SURVEY, factor=factor,
        site=request.site or SITES[factor % 5],
        importance=(0.0, 1.0, 4.0, 2.0, 0.5), density=(0.0, 0.01, 0.02, 0.015, 0.001),
        edges=np.linspace(0, 4, 9).astype(np.float32),
        counts=np.array([100, 50, 20, 10, 5, 2, 0, 1]),
        top=tuple(context(i, 4.0 - 0.1 * i) for i in range(12)),
        bands=(Band(3.0, 4.0, 12, (context(0),)), Band(0.0, 1.0, 1, (context(20, 0.5),))),
        summaries=(Summary(Role.MATCHED, Feature.UPOS, 50, 0, verbs, 0, every),),
        promoted=(Reading(" saw", 17, 2.0), Reading("<b>", 18, 1.0)),
        suppressed=(Reading("\n", 19, -1.5),),
        near=(Near((factor + 1) % 120, 0.42, "sees"), Near((factor + 2) % 120, 0.21, "")),
        reach=None if factor == 7 else reach,
        notes=("A note.",),
    )  # fmt: skip


def listed(request: FactorsRequest) -> FactorsListed:
    """Sixty factors by importance; the search looks at the word and the number."""
    rows = [row(factor, request.site) for factor in range(60)]
    rows = [each for each in rows if request.text in (each.word, str(each.factor), "")]
    rows = [each for each in rows if request.level in (None, each.level)]
    if request.order is Order.NUMBER:
        rows.sort(key=lambda each: -each.factor)
    start = PAGE * request.page
    about = TOPK if request.dictionary == "topk" else ABOUT
    return FactorsListed(request, about, SURVEY, tuple(rows[start : start + PAGE]), len(rows), 3)


def of_prompt(request: FactorsRequest) -> PromptFactors:
    """Three factors: the first everywhere, the others at the first and the last token."""
    tokens = make_tokens(request.prompt)
    values = np.zeros((3, 5, len(tokens)), np.float32)
    values[0, :, :] = np.linspace(1, 2, len(tokens))
    values[1, :, 0] = 4.0
    values[2, 1:, -1] = 3.0
    explained = np.full((5, len(tokens)), 0.9, np.float32)
    others = np.ones((5, len(tokens)), np.int32)
    return PromptFactors(
        request, tokens, SITES, (3, 8, 7), ("saw", "the", ""), values, others, explained,
        2.0, (2.5, 2.1, 2.05, 2.0, 1.9),
    )  # fmt: skip


def attributed(request: FactorsRequest) -> Attributed:
    """The activation comes from the verb and from the noun; the full stop speaks against."""
    tokens = tuple(PromptToken(i, 100 + i, text) for i, text in enumerate(TOKENS))
    masking = (0.0, 0.5, 3.0, 0.0, 0.0, 0.0, 0.0)
    flow = (0.25, 1.0, 2.5, 0.0, 0.0, 0.0, -0.25)
    return Attributed(request, tokens, 2, 4.0, masking, 0.95, flow, 0.4, 0.1)


def found(request: FactorsRequest) -> FactorsFound:
    """All that is asked for; the model "gpt2" has no dictionary."""
    if request.model == "gpt2":
        return FactorsFound(request, ())
    page = listed(request)
    factor = request.factor
    if factor is None and page.rows:
        factor = 3 if request.prompt else page.rows[0].factor
    split = request.sentence is not None and request.position is not None
    return FactorsFound(
        request, (ABOUT, TOPK), page,
        None if factor is None else told(request, factor),
        of_prompt(request) if request.prompt else None,
        attributed(request) if split else None,
    )  # fmt: skip


class FactorSession(FakeSession):
    """Answers with factors made by hand; a "slow" prompt runs until it is cancelled."""

    def models(self, *, gpt: bool = False) -> tuple[ModelChoice, ...]:
        kinds = {"demo": ModelKind.GPT, "gpt2": ModelKind.GPT}
        return tuple(
            ModelChoice(name, name.title(), "A model.", 64, True, 15 * MB, kind)
            for name, kind in kinds.items()
        )

    def corpora(self) -> tuple[CorpusChoice, ...]:
        own = CorpusChoice("own", "Own texts", 300, (), ANNOTATIONS, ("demo",), SITES)
        return CorpusChoice(DEMO, "Demo corpus", None, (), ANNOTATIONS), own

    def submit(self, request, visitor, *, to_inspect=False):
        assert isinstance(request, FactorsRequest)
        if request.factor is not None and request.factor >= ABOUT.factors:
            raise RequestError(f"The dictionary has {ABOUT.factors} factors, numbered from 0.")
        self.submitted.append(request)
        self.gone &= not to_inspect
        number = str(next(self.numbers))
        state = JobState.RUNNING if "slow" in request.prompt else JobState.DONE
        stage = "Surveying the corpus" if state is JobState.RUNNING else "Done"
        job = Job(number, state, stage, 0.2 if state is JobState.RUNNING else 1.0)
        self.jobs[number] = (visitor, request, job, 0.0)
        return job

    def answer(self, question):
        assert isinstance(question, FactorsRequest)
        if self.gone:
            raise NotKept("This result is not kept any more. Run the prompt again.")
        return found(question)
