"""The list: what is in a row, what is searched, how it is sorted and paged."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

from flowviz.contexts.kinds import Site, SiteKind
from flowviz.errors import RequestError
from flowviz.factors.dictionary.loaded import LoadedDictionary
from flowviz.factors.kinds import Level, Order
from flowviz.factors.look.listing import list_factors
from flowviz.factors.look.survey import Options, survey
from flowviz.factors.look.surveyed import Survey
from flowviz.factors.request import PAGE, FactorsRequest
from tests.factors.look.made import SmallCorpus, made
from tests.models import random_model

SITES = (Site(SiteKind.RESID_PRE, 1), Site(SiteKind.RESID_PRE, 2))


@lru_cache(maxsize=1)
def both() -> tuple[Survey, LoadedDictionary]:
    model = random_model("gpt2")
    dictionary = made(model, SITES, factors=70)
    return survey(dictionary, model, SmallCorpus(), Options(contexts=3)), dictionary


def listed(**asked: object) -> list:
    found = list_factors(*both(), FactorsRequest(**asked))  # type: ignore[arg-type]
    rows = list(found.rows)
    for page in range(1, -(-found.total // PAGE)):
        rows += list_factors(*both(), FactorsRequest(page=page, **asked)).rows  # type: ignore[arg-type]
    assert len(rows) == found.total
    return rows


def test_a_row_says_what_the_survey_has() -> None:
    found, _ = both()
    rows = listed()
    assert sorted(row.factor for row in rows) == list(range(70))
    for row in rows:
        site = found.info.sites.index(row.site)
        assert row.importance == max(found.importance[:, row.factor])
        assert row.importance == found.importance[site, row.factor]
        assert row.density == found.density[site, row.factor]
        own = found.top.tag[found.top.of(site * 70 + row.factor)].tolist()
        forms = [found.values[tag][1] for tag in own]
        assert row.word in forms or not forms
        assert row.words == (forms.count(row.word) / len(forms) if forms else 0)
        assert found.directions is not None
        assert row.promoted == tuple(
            found.directions.tokens[i] for i in found.directions.top[row.factor][:5].tolist()
        )
        assert (row.level is None) == (row.reach is None)


@pytest.mark.parametrize("order", list(Order))
def test_rows_are_sorted(order: Order) -> None:
    values = {
        Order.IMPORTANCE: lambda row: -row.importance,
        Order.DENSITY: lambda row: -row.density,
        Order.LEVEL: lambda row: np.inf if row.reach is None else -row.reach,
        Order.NUMBER: lambda row: row.factor,
    }[order]
    keys = [(values(row), row.factor) for row in listed(order=order)]
    assert keys == sorted(keys)


def test_a_site_that_is_asked_for_counts() -> None:
    found, _ = both()
    for row in listed(site=SITES[1]):
        assert row.site == SITES[1]
        assert row.importance == found.importance[1, row.factor]
    with pytest.raises(RequestError, match="no site resid_mid:0"):
        listed(site=Site(SiteKind.RESID_MID, 0))


def test_words_numbers_and_tokens_are_searched() -> None:
    found, _ = both()
    for text in ("japan", "CAT", "a", "7", "nowhere at all"):
        expected = set()
        for factor in range(70):
            rows = [found.top.of(site * 70 + factor) for site in (0, 1)]
            said = [found.values[tag][1] for row in rows for tag in found.top.tag[row].tolist()]
            assert found.directions is not None
            said += [found.directions.tokens[i] for i in found.directions.top[factor].tolist()]
            if any(text.lower() in one.lower() for one in said) or text == str(factor):
                expected.add(factor)
        assert {row.factor for row in listed(text=text)} == expected
    assert {row.factor for row in listed(text="#7")} == {7}
    assert listed(text="nowhere at all") == []


def test_levels_are_filtered() -> None:
    every = [row for level in Level for row in listed(level=level)]
    assert {row.factor for row in every} == {row.factor for row in listed() if row.level}
    assert all(row.level is Level.LONG for row in listed(level=Level.LONG))


def test_dead_factors_are_counted() -> None:
    found, dictionary = both()
    counts, importance = found.counts.copy(), found.importance.copy()
    counts[:, :3] = 0
    importance[:, :3] = 0
    silent = replace(found, counts=counts, importance=importance)
    before = list_factors(found, dictionary, FactorsRequest()).dead
    assert list_factors(silent, dictionary, FactorsRequest()).dead == before + 3


def test_a_page_behind_the_last_is_empty() -> None:
    found = list_factors(*both(), FactorsRequest(page=10**6))
    assert (found.rows, found.total) == ((), 70)
