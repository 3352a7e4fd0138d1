"""Summaries against counts by hand; and that what chance gives is called nothing else."""

from __future__ import annotations

import math
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from flowviz.contexts import base as base_room
from flowviz.contexts.again import most_attended, resting
from flowviz.contexts.base import Base, read_sample, sampled_base, searched_base
from flowviz.contexts.chance import at_least, at_most, may_be_missing, wilson
from flowviz.contexts.kinds import Feature, Role
from flowviz.contexts.summary import summarise
from tests.contexts.in_memory import WordReader, WordStore, corpus

UPOS = Role.MATCHED, Feature.UPOS


def searched(**counts: int) -> Base:
    return Base(counts, False, "all")


def test_wilsons_interval_as_in_the_tables() -> None:
    assert wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert wilson(0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)
    assert wilson(10, 10) == pytest.approx((0.7225, 1.0), abs=1e-4)
    assert wilson(0, 0) == (0.0, 1.0)


@given(st.data())
def test_tails_are_those_of_counting_all_draws(data: st.DataObject) -> None:
    total = data.draw(st.integers(1, 60))
    marked, known = data.draw(st.integers(0, total)), data.draw(st.integers(0, total))
    count = data.draw(st.integers(0, known))
    ways = {
        k: math.comb(marked, k) * math.comb(total - marked, known - k) for k in range(known + 1)
    }
    every = math.comb(total, known)
    above = Fraction(sum(way for k, way in ways.items() if k >= count), every)
    below = Fraction(sum(way for k, way in ways.items() if k <= count), every)
    assert at_least(count, known, marked, total) == pytest.approx(float(above), rel=1e-9)
    assert at_most(count, known, marked, total) == pytest.approx(float(below), rel=1e-9)
    none = at_most(0, known, marked, total)
    assert none > 0.01 or may_be_missing(known, marked, total, 0.01)


def test_counts_shares_and_bases_by_hand() -> None:
    values = ["VERB", "VERB", "NOUN", "", "VERB", "ADJ"]
    found = summarise(*UPOS, values, searched(VERB=20, NOUN=60, ADJ=10, DET=10))
    assert (found.known, found.unknown, found.others, found.base_of) == (5, 1, 0, "all")
    assert [(bar.value, bar.count, bar.share, bar.base, bar.ratio) for bar in found.bars] == [
        ("VERB", 3, 0.6, 0.2, pytest.approx(3.0)),
        ("ADJ", 1, 0.2, 0.1, 2.0),
        ("NOUN", 1, 0.2, 0.6, pytest.approx(1 / 3)),
    ]
    assert [bar.over for bar in found.bars] == [0, 0, 0]  # three of five may be chance
    assert (found.bars[0].low, found.bars[0].high) == wilson(3, 5)


def test_what_chance_does_not_give_is_called_so() -> None:
    found = summarise(*UPOS, ["VERB"] * 30, searched(VERB=100, NOUN=800, ADJ=100))
    assert [(bar.value, bar.count, bar.over) for bar in found.bars] == [
        ("VERB", 30, 1),
        ("NOUN", 0, -1),  # it has no hit, and that is a finding; ADJ might have none by chance
    ]
    nothing = summarise(*UPOS, ["", ""], searched(VERB=1))
    assert (nothing.known, nothing.unknown, nothing.bars) == (0, 2, ())
    fresh = summarise(*UPOS, ["VERB"], Base({"NOUN": 4}, True, "a sample"))
    assert fresh.bars[0].ratio == math.inf
    assert summarise(*UPOS, ["VERB"], Base({}, True, "an empty sample")).bars[0].over == 0


def test_a_small_sample_proves_less_than_the_whole_corpus() -> None:
    values = ["VERB"] * 12 + ["NOUN"] * 8
    whole = summarise(*UPOS, values, searched(VERB=2000, NOUN=8000))
    sample = summarise(*UPOS, values, Base({"VERB": 2, "NOUN": 8}, True, "ten"))
    assert whole.bars[0].over == 1
    assert sample.bars[0].over == 0
    assert whole.bars[0].base == sample.bars[0].base


def test_many_values_have_few_bars_and_the_rest_is_counted() -> None:
    values = [f"w{number}" for number in range(50)] + ["w0"] * 10
    found = summarise(
        Role.MATCHED, Feature.FORM, values, searched(**{f"w{number}": 1000 for number in range(50)})
    )
    assert found.bars[0].value == "w0"
    assert found.bars[0].over == 1
    assert len(found.bars) == 20
    assert found.others == 30
    assert [bar.value for bar in found.bars[1:4]] == ["w1", "w10", "w11"]


def population(random: np.random.Generator) -> NDArray[np.int64]:
    """3,000 words by Zipf's law, many of which occur once: where too simple a test fails."""
    often = 1.0 / np.arange(1, 801)
    return random.choice(800, 3000, p=often / often.sum())


@pytest.mark.parametrize("sampled", [False, True])
@pytest.mark.parametrize("hits", [10, 50, 200])
def test_random_hits_have_nothing_in_common(sampled: bool, hits: int) -> None:
    random = np.random.default_rng(hits)
    called, trials = 0, 150
    for _ in range(trials):
        words = random.permutation(population(random)).astype(str)
        counts = dict(Counter(words[hits : hits + 400] if sampled else words))
        base = Base(counts, sampled, "")
        found = summarise(Role.MATCHED, Feature.FORM, words[:hits].tolist(), base)
        called += any(bar.over for bar in found.bars)
    assert called / trials <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / trials)


def test_the_base_is_counted_on_what_was_searched() -> None:
    store = WordStore(WordReader(), corpus())
    mask = np.arange(store.info.rows) < 12  # two sentences: the dog sees/eats a cat .
    whole = searched_base(store, *UPOS, None)
    assert whole.counts == {"DET": 80, "NOUN": 80, "VERB": 40, "PUNCT": 40}
    some = searched_base(store, Role.NEXT, Feature.FORM, mask)
    assert some.counts == {".": 2, "a": 2, "cat": 2, "dog": 2, "eats": 1, "sees": 1}
    assert some.total == 10  # behind the last word of a sentence there is none
    assert "12 tokens" in some.of


def test_the_sample_is_read_once_and_is_always_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base_room, "SAMPLE", 30)
    reader = WordReader("words of this test")
    store = WordStore(reader, corpus())
    calls = list[int]()
    original = reader.attention

    def counted(*args: object) -> list[NDArray[np.float32]]:
        calls.append(1)
        return original(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(reader, "attention", counted)
    heads = ((0, 1),)
    first = read_sample(reader, store, heads, None, lambda *_: None)
    assert len(first) == len({one.row for one in first}) == 30
    passes = len(calls)
    assert read_sample(reader, store, heads, None, lambda *_: None) is first
    assert len(calls) == passes
    other = read_sample(reader, store, heads, np.arange(240) < 20, lambda *_: None)
    assert sorted(one.row for one in other) == list(range(20))
    counts = sampled_base(first, Role.ATTENDED, Feature.OFFSET, False).counts
    begins = sum(store.position_of[one.row] == 1 for one in first)
    assert counts == {"-1": 30 - begins}  # a first word sees the begin alone, which is no word


def test_special_tokens_are_never_the_most_attended() -> None:
    weights = np.array([0.7, 0.1, 0.2, 0.0])
    assert most_attended(weights, resting([False] * 4, True)) == 0
    assert most_attended(weights, resting([False] * 4, False)) == 2
    assert most_attended(weights, resting([True, False, False, False], False)) == 2
    assert most_attended(weights, resting([False, False, False, True], False)) == 0
    assert most_attended(np.array([0.9, 0.05, 0.05]), resting([True, False, False], False)) == 1
    assert most_attended(np.array([1.0, 0.0]), resting([False, False], False)) is None
