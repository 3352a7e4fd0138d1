"""What can be seen of factors in a corpus: plain frozen values, for pages, files and notebooks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flowviz.contexts.kinds import Feature, Site
from flowviz.contexts.types import Summary
from flowviz.factors.kinds import Level
from flowviz.factors.request import FactorsRequest
from flowviz.factors.types import About
from flowviz.graph.types import PromptToken

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class SurveyInfo:
    """What was surveyed: a dictionary over a corpus.

    Args:
        sites: at which vectors were encoded: those of the dictionary.
        tokens: of the corpus, those that stand for text.
        strongest: over how many of the strongest activations importance is a mean.
    """

    dictionary: str
    corpus: str
    identity: str
    sites: tuple[Site, ...]
    sentences: int
    tokens: int
    annotations: tuple[Feature, ...]
    strongest: int


@dataclass(frozen=True)
class FactorRow:
    """One factor in the list.

    Args:
        importance: the mean of its strongest activations at `site`, where that is largest (or the
            site that was asked for).
        density: the share of tokens at which it is active there.
        word: the commonest word among its strongest contexts; `words`, in how many shares of them.
        promoted: the tokens that its direction raises most, through the lens.
        level: None where it was active too seldom to say; `reach`, the measure behind it.
    """

    factor: int
    site: Site
    importance: float
    density: float
    word: str
    words: float
    promoted: tuple[str, ...]
    level: Level | None
    reach: float | None


@dataclass(frozen=True, eq=False)
class FactorsListed:
    """A page of the list.

    Args:
        total: factors that fit the search, over all pages.
        dead: factors of the dictionary that are active nowhere in the corpus.
    """

    request: FactorsRequest
    about: About
    survey: SurveyInfo
    rows: tuple[FactorRow, ...]
    total: int
    dead: int


@dataclass(frozen=True)
class FactorContext:
    """A word at which a factor is active, with what stands around it.

    Args:
        tokens: at most ten before it and ten behind; `position`, its place among them.
        at: its token's place in the whole sentence, as `FactorsRequest.position` names it.
        activations: the factor's, at every one of them.
        before, behind: whether the sentence goes on beyond what is shown.
        word: as the corpus has it, empty where the token is of none.
        activation: at the word; `share`, of the strongest that the factor has anywhere at the site.
    """

    sentence: int
    part: str
    place: str
    tokens: tuple[str, ...]
    position: int
    at: int
    activations: tuple[float, ...]
    before: bool
    behind: bool
    word: str
    activation: float
    share: float


@dataclass(frozen=True)
class Band:
    """Contexts of one range of activations, drawn at random from all that lie in it.

    Args:
        low, high: the range, the lower end with it.
        count: how many tokens of the corpus lie in it.
    """

    low: float
    high: float
    count: int
    contexts: tuple[FactorContext, ...]


@dataclass(frozen=True)
class Reading:
    """A token that a direction raises or lowers.

    Args:
        score: its logit for one unit of the direction, through the lens.
    """

    token: str
    id: int
    score: float


@dataclass(frozen=True)
class Near:
    """Another factor of the dictionary, by the cosine of their directions."""

    factor: int
    cosine: float
    word: str


@dataclass(frozen=True)
class Reach:
    """How far back the activation of a factor depends on the context (`levels.py`).

    Args:
        windows: how many tokens were left to see, the word itself first: 1, 2, 4, …; all last.
        kept: the mean share of the activation that is left with each window.
        words: over how many of its strongest contexts.
    """

    windows: tuple[int, ...]
    kept: tuple[float, ...]
    level: Level
    reach: float
    words: int


@dataclass(frozen=True, eq=False)
class FactorTold:
    """All that is shown of one factor at one site.

    Args:
        site: at which contexts, bands and histogram are; `request.site`, or where it is strongest.
        importance, density: for each site of the survey, in order.
        edges, counts: the histogram of its activations above zero, at the site.
        top: its strongest contexts, one a sentence.
        bands: from the strongest range to the weakest.
        summaries: annotations of the words at which it is active, against base rates.
        promoted, suppressed: the tokens of its direction.
        reach: None where it was active too seldom to say.
    """

    request: FactorsRequest
    about: About
    survey: SurveyInfo
    factor: int
    site: Site
    importance: tuple[float, ...]
    density: tuple[float, ...]
    edges: NDArray[np.float32]
    counts: NDArray[np.int64]
    top: tuple[FactorContext, ...]
    bands: tuple[Band, ...]
    summaries: tuple[Summary, ...]
    promoted: tuple[Reading, ...]
    suppressed: tuple[Reading, ...]
    near: tuple[Near, ...]
    reach: Reach | None
    notes: tuple[str, ...] = ()
    version: int = SCHEMA_VERSION


@dataclass(frozen=True, eq=False)
class Attributed:
    """Which tokens of a context an activation comes from, by two measures (`attributed.py`).

    Args:
        tokens: the whole sentence; `position`, where the factor is.
        activation: what is split.
        masking: the weights of a linear model that foretells the activation from which tokens were
            masked (Ribeiro et al. 2016; Yun et al. 2021); `fit`, the share of variance that it
            explains.
        flow: the exact split: how much of the activation comes from each token's embedding, with
            patterns and norms frozen; with `biases` and `rest` (what positions give) it sums to
            the activation. Empty where there is none, which a note says.
    """

    request: FactorsRequest
    tokens: tuple[PromptToken, ...]
    position: int
    activation: float
    masking: tuple[float, ...]
    fit: float
    flow: tuple[float, ...]
    biases: float
    rest: float
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class PromptFactors:
    """A prompt's factors, over its positions and the dictionary's sites (`prompt.py`).

    Args:
        sites: of the dictionary.
        factors: those that are shown, by their summed activation, the strongest first.
        activations: [factor, site, position]; of those shown.
        others: [site, position], how many more are active there.
        explained: [site, position], the share of the vector, less the offset, that factors hold.
        loss, spliced: the prompt's mean loss in nats, clean, and with each site on its own replaced
            by its reconstruction, site by site; None and empty where the model has no loss on it,
            which a note says.
    """

    request: FactorsRequest
    tokens: tuple[PromptToken, ...]
    sites: tuple[Site, ...]
    factors: tuple[int, ...]
    words: tuple[str, ...]
    activations: NDArray[np.float32]
    others: NDArray[np.int32]
    explained: NDArray[np.float32]
    loss: float | None
    spliced: tuple[float, ...]
    notes: tuple[str, ...] = ()
    version: int = SCHEMA_VERSION


@dataclass(frozen=True, eq=False)
class FactorsFound:
    """The answer to a `FactorsRequest`: all that its page shows.

    Args:
        offered: the dictionaries that there are for the model; none where it has none, and then
            there is nothing else.
        listed: the list's page.
        told: the factor that was asked for; where none was, the prompt's strongest, or without a
            prompt the first of the list.
        prompt: of the request's prompt; None without one.
        attributed: of the context that was asked for; None without one.
    """

    request: FactorsRequest
    offered: tuple[About, ...]
    listed: FactorsListed | None = None
    told: FactorTold | None = None
    prompt: PromptFactors | None = None
    attributed: Attributed | None = None
    version: int = SCHEMA_VERSION
