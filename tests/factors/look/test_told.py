"""One factor told: its contexts, bands, histogram, annotations and neighbours."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache

import numpy as np
import pytest

from flowviz.contexts.corpus.words import words_of
from flowviz.contexts.encode import open_reader
from flowviz.contexts.kinds import Feature, Role, Site, SiteKind
from flowviz.errors import RequestError
from flowviz.factors.dictionary.loaded import LoadedDictionary
from flowviz.factors.look.bands import BANDS
from flowviz.factors.look.survey import Options, survey
from flowviz.factors.look.surveyed import Survey
from flowviz.factors.look.told import tell
from flowviz.factors.look.types import FactorTold
from flowviz.factors.request import FactorsRequest
from tests.factors.look.made import TAGS, SmallCorpus, every_activation, made
from tests.models import random_model

SITES = (Site(SiteKind.RESID_PRE, 1), Site(SiteKind.MLP_OUT, 2))
CORPUS = SmallCorpus()
FACTORS = (0, 3, 11, 29)


@lru_cache(maxsize=1)
def both() -> tuple[Survey, LoadedDictionary]:
    model = random_model("gpt2")
    dictionary = made(model, SITES)
    return survey(dictionary, model, CORPUS, Options(contexts=6, drawn=4)), dictionary


@lru_cache(maxsize=8)
def told(factor: int, site: Site | None = None) -> FactorTold:
    request = FactorsRequest(factor=factor, site=site)
    return tell(*both(), random_model("gpt2"), request)


@lru_cache(maxsize=2)
def plainly(site: Site) -> dict[tuple[int, int], np.ndarray]:
    return every_activation(both()[1], random_model("gpt2"), CORPUS, site)


@pytest.mark.parametrize("factor", FACTORS)
def test_contexts_are_shown_with_the_activation_at_every_token(factor: int) -> None:
    found, reader = told(factor), open_reader(random_model("gpt2"))
    plain = plainly(found.site)
    assert found.top
    for context in [*found.top, *(one for band in found.bands for one in band.contexts)]:
        tokens = reader.tokens(CORPUS.texts[context.sentence])
        first = context.at - context.position
        last = first + len(context.tokens)
        assert context.tokens == tokens.texts[first:last]
        assert (first, last) == (max(0, context.at - 10), min(len(tokens), context.at + 11))
        assert (context.before, context.behind) == (first > 0, last < len(tokens))
        expected = [plain[context.sentence, place][factor] for place in range(first, last)]
        np.testing.assert_allclose(context.activations, expected, atol=1e-4)
        assert context.activation == context.activations[context.position]
        largest = max(row[factor] for row in plain.values())
        assert context.share == pytest.approx(context.activation / largest, rel=1e-3)
        middle = tokens.spans[context.at][0] + len(tokens.texts[context.at].strip()) // 2
        word = next((w.form for w in words_of(CORPUS.texts[context.sentence])
                     if w.start <= middle < w.end), "")  # fmt: skip
        assert context.word == word
    strengths = [context.activation for context in found.top]
    assert strengths == sorted(strengths, reverse=True)
    assert len({context.sentence for context in found.top}) == len(found.top)


@pytest.mark.parametrize("factor", FACTORS)
def test_bands_and_histogram_hold_every_activation_once(factor: int) -> None:
    found = told(factor)
    values = np.array([row[factor] for row in plainly(found.site).values()])
    values = values[values > 0]
    assert found.counts.sum() == sum(band.count for band in found.bands) == len(values)
    assert len(found.edges) == len(found.counts) + 1
    assert (np.diff(found.edges) > 0).all()
    assert found.edges[-1] >= values.max() * (1 - 1e-5)
    assert 1 <= len(found.bands) <= BANDS
    assert found.bands[0].high == pytest.approx(values.max(), rel=1e-4)
    for band in found.bands:
        inside = (values >= band.low) & (values < band.high)
        inside |= (band is found.bands[0]) & (values >= band.low)
        assert band.count == inside.sum()
        assert len(band.contexts) == min(4, band.count)
        for context in band.contexts:
            slack = 1e-4 * band.high
            assert band.low - slack <= context.activation <= band.high + slack
    lows = [band.low for band in found.bands]
    assert lows == sorted(lows, reverse=True)


def test_the_curve_is_over_all_sites() -> None:
    found, survey_ = told(3), both()[0]
    assert found.importance == tuple(survey_.importance[:, 3].tolist())
    assert found.site == SITES[int(survey_.importance[:, 3].argmax())]
    assert told(3, SITES[1]).site == SITES[1]


@pytest.mark.parametrize("factor", FACTORS)
def test_annotations_stand_against_all_words_of_the_corpus(factor: int) -> None:
    found, survey_ = told(factor), both()[0]
    site = SITES[int(survey_.best[factor])]
    reader = open_reader(random_model("gpt2"))
    active, every = Counter[str](), Counter[str]()
    for number, text in enumerate(CORPUS.texts):
        read = survey_.sentences[number].read(reader)
        forms = [word.form for word in words_of(text)]
        every.update(TAGS.get(form, "") for form in forms)
        places = (p for (s, p), row in plainly(site).items() if s == number and row[factor] > 0)
        of = {read.word_of[place] for place in places} - {-1}
        active.update(TAGS.get(forms[word], "") for word in of)
    summary = next(
        one for one in found.summaries if (one.role, one.feature) == (Role.MATCHED, Feature.UPOS)
    )
    assert summary.known == active.total() - active[""]
    assert summary.unknown == active[""]
    assert {bar.value: bar.count for bar in summary.bars} == {
        value: count for value, count in active.items() if value
    }
    known = every.total() - every[""]
    for bar in summary.bars:
        assert bar.base == pytest.approx(every[bar.value] / known)
    assert str(site) in summary.base_of
    assert {(one.role, one.feature) for one in found.summaries} == {
        (Role.MATCHED, Feature.FORM), (Role.MATCHED, Feature.UPOS), (Role.NEXT, Feature.UPOS),
    }  # fmt: skip


def test_nearest_factors_are_those_of_the_largest_cosine() -> None:
    found, atoms = told(11), both()[1].atoms
    cosines = [float(atoms[11] @ atom) for atom in atoms]
    expected = sorted((i for i in range(30) if i != 11), key=lambda i: -cosines[i])[:10]
    assert [near.factor for near in found.near] == expected
    for near in found.near:
        assert near.cosine == pytest.approx(cosines[near.factor], abs=1e-5)


def test_tokens_of_its_direction_and_its_reach() -> None:
    found, survey_ = told(11), both()[0]
    assert survey_.directions is not None
    assert [one.id for one in found.promoted] == survey_.directions.top[11].tolist()
    assert [one.id for one in found.suppressed] == survey_.directions.bottom[11].tolist()
    assert found.promoted[0].score > found.promoted[-1].score > found.suppressed[0].score
    assert found.reach is not None
    assert found.reach.kept[-1] == 1.0
    assert len(found.reach.windows) == len(found.reach.kept)


def test_where_nobody_names_a_factor_the_first_is_told() -> None:
    found, dictionary = both()
    model = random_model("gpt2")
    assert (
        tell(found, dictionary, model, FactorsRequest()).factor == found.importance.max(0).argmax()
    )
    with pytest.raises(RequestError, match="No factor fits"):
        tell(found, dictionary, model, FactorsRequest(text="nowhere at all"))
    with pytest.raises(RequestError, match="no factor 30; made has 30, from 0 to 29"):
        tell(found, dictionary, model, FactorsRequest(factor=30))


def test_a_factor_that_is_active_nowhere_says_so() -> None:
    model = random_model("gpt2")
    dictionary = made(model, SITES, bias=-1e6)
    found = survey(dictionary, model, CORPUS, Options())
    told = tell(found, dictionary, model, FactorsRequest(factor=2))
    assert (told.top, told.bands, told.reach) == ((), (), None)
    assert told.counts.sum() == 0
    assert "active nowhere" in told.notes[-1]
