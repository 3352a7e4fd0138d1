"""The finder on patterns made by hand: scores as exact fractions."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from flowviz.attention.finder import find_kinds
from flowviz.attention.kinds import Part
from flowviz.attention.types import KIND_WORDS, OFFSETS, HeadScore, check_kind
from flowviz.errors import RequestError

A, B, C, D = range(4)
IDS = (A, B, C, A, B, D)
"""Queries 3 and 4 have an earlier occurrence of their token, and a token behind it: 3 finds A at 0
and B behind it at 1, 4 finds B at 1 and C behind it at 2."""
ALL = ("previous", "first", "same", "duplicate", "induction")


def uniform(n: int) -> np.ndarray:
    return np.tril(np.ones((n, n))) / np.arange(1, n + 1)[:, None]


def at(places: dict[int, dict[int, float]], n: int = len(IDS)) -> np.ndarray:
    """A pattern with these weights; the other rows look at themselves."""
    pattern = np.eye(n)
    for query, row in places.items():
        pattern[query] = 0
        for source, weight in row.items():
            pattern[query, source] = weight
    return pattern


def scores(pattern: np.ndarray, ids: tuple[int, ...] = IDS) -> dict[str, float]:
    found = find_kinds([pattern[None]], ids)
    return {kind: float(found.scores(kind)[0, 0]) for kind in KIND_WORDS}


def test_a_head_that_attends_alike_to_all_has_the_score_of_chance() -> None:
    found = find_kinds([uniform(6)[None]], IDS)
    over = [Fraction(1, 2), Fraction(1, 3), Fraction(1, 4), Fraction(1, 5), Fraction(1, 6)]
    expected = {
        "first": sum(over) / 5,
        "previous": sum(over) / 5,
        "same": sum(over) / 5,
        "duplicate": (over[2] + over[3]) / 2,
        "induction": (over[2] + over[3]) / 2,
        "offset:2": sum(over[1:]) / 4,
        "offset:5": over[4],
    }
    for kind, score in expected.items():
        assert found.chance(kind) == pytest.approx(float(score))
        assert found.scores(kind)[0, 0] == pytest.approx(float(score))
    counts = {kind: found.queries_of(kind) for kind in (*ALL, "offset:5", "offset:6")}
    assert counts == {"previous": 5, "first": 5, "same": 5, "duplicate": 2, "induction": 2,
                      "offset:5": 1, "offset:6": 0}  # fmt: skip


def test_a_previous_token_head() -> None:
    found = scores(at({i: {i - 1: 0.75, i: 0.25} for i in range(1, 6)}))
    assert found["previous"] == found["offset:1"] == 0.75
    assert found["same"] == found["offset:0"] == 0.25
    assert found["first"] == 0.75 / 5
    assert (found["duplicate"], found["induction"], found["offset:2"]) == (0, 0, 0)


def test_a_first_token_head_leaves_out_the_query_that_has_no_choice() -> None:
    found = scores(at({i: {0: 1.0} for i in range(6)}))
    assert found["first"] == 1
    assert found["same"] == 0
    assert found["duplicate"] == 0.5  # query 3 finds A at 0, query 4 looks away from B
    assert found["offset:5"] == 1


def test_an_induction_head_looks_behind_the_earlier_occurrence() -> None:
    found = scores(at({3: {1: 0.5, 0: 0.25, 3: 0.25}, 4: {2: 1.0}}))
    assert found["induction"] == 0.75
    assert found["duplicate"] == 0.125
    assert found["offset:2"] == (0.5 + 1.0) / 4
    assert found["same"] == (1 + 1 + 0.25 + 0 + 1) / 5


def test_all_earlier_occurrences_count_and_never_the_query_itself() -> None:
    same = (A, A, A, A)
    found = find_kinds([uniform(4)[None]], same)
    assert found.scores("duplicate")[0, 0] == pytest.approx((1 / 2 + 2 / 3 + 3 / 4) / 3)
    assert found.scores("induction")[0, 0] == pytest.approx((1 / 3 + 2 / 4) / 2)
    assert found.queries_of("induction") == 2  # behind query 1's earlier occurrence stands itself
    assert scores(np.eye(4), same)["induction"] == scores(np.eye(4), same)["duplicate"] == 0


def test_an_encoder_looks_both_ways_and_all_its_queries_count() -> None:
    found = find_kinds([np.full((1, 4, 4), 0.25)], (A, B, A, B), part=Part.ENCODER)
    for kind in ("previous", "next", "duplicate", "first", "same", "offset:-3"):
        assert found.chance(kind) == found.scores(kind)[0, 0] == 0.25
    assert found.scores("induction")[0, 0] == pytest.approx(1 / 4)  # 0→3, 1→2 (behind 3 is none)
    counts = {kind: found.queries_of(kind) for kind in ("previous", "next", "first", "offset:-3")}
    assert counts == {"previous": 3, "next": 3, "first": 4, "offset:-3": 1}
    assert np.isnan(found.scores("special")).all()


def test_special_tokens_are_a_kind_of_their_own_and_duplicate_nothing() -> None:
    cls, sep = 8, 9
    ids, pattern = (cls, A, sep, A, sep), np.zeros((5, 5))
    pattern[:, 2], pattern[:, 4] = 0.5, 0.25
    found = find_kinds([pattern[None]], ids, part=Part.ENCODER, special=(0, 2, 4))
    assert found.scores("special")[0, 0] == 0.75
    assert found.chance("special") == pytest.approx(3 / 5)
    assert found.queries_of("duplicate") == 2  # the two A's; not the two [SEP]
    assert found.queries_of("induction") == 2  # behind the other A, whatever stands there
    assert found.scores("induction")[0, 0] == pytest.approx((0.25 + 0.5) / 2)


def test_a_decoder_never_looks_ahead_at_what_is_special() -> None:
    found = find_kinds([uniform(4)[None]], (A, B, C, D), special=(0, 3))
    assert found.queries_of("special") == 3
    assert found.scores("special")[0, 0] == pytest.approx((1 / 2 + 1 / 3 + 2 / 4) / 3)
    assert found.queries_of("next") == 0


def test_across_two_texts_places_are_those_of_the_other() -> None:
    written, read = (D, A, B), (A, B, C, D, A)
    pattern = np.zeros((3, 5))
    pattern[0, 3] = pattern[1, 0] = pattern[2, 2] = 0.5
    found = find_kinds([pattern[None]], written, part=Part.CROSS, sources=read, special=(4,))
    assert found.scores("duplicate")[0, 0] == pytest.approx((0.5 + 0.5 + 0) / 3)
    assert found.chance("duplicate") == pytest.approx(1 / 5)
    assert found.queries_of("induction") == 3
    assert found.scores("induction")[0, 0] == pytest.approx(0.5 / 3)  # B was read, then C
    assert found.queries_of("offset:-3") == 2  # queries 0 and 1 have a token three further on
    assert found.scores("offset:-3")[0, 0] == 0.25
    assert found.scores("same")[0, 0] == pytest.approx(0.5 / 3)
    assert found.chance("same") == pytest.approx(1 / 5)


def test_where_no_query_has_such_a_place_there_is_no_score() -> None:
    found = find_kinds([uniform(3)[None]], (A, B, C))
    assert np.isnan(found.scores("induction")).all()
    assert np.isnan(found.chance("duplicate"))
    assert np.isnan(found.scores("offset:3")).all()
    assert found.strongest("induction") == ()
    alone = find_kinds([uniform(1)[None]], (A,))
    assert all(alone.queries_of(kind) == 0 for kind in KIND_WORDS)


def test_the_strongest_come_first_and_ties_by_place() -> None:
    heads = np.stack([uniform(6), at({i: {i - 1: 1.0} for i in range(1, 6)}), uniform(6)])
    found = find_kinds([heads[[0, 2]], heads[[1, 0]]], IDS)
    best, *others = found.strongest("previous")
    assert best == HeadScore(1, 0, 1.0)
    assert [(one.layer, one.head) for one in others] == [(0, 0), (0, 1), (1, 1)]
    assert found.strongest("previous", 1) == (best,)


def test_scores_over_two_prompts_are_means_over_all_their_queries() -> None:
    previous = find_kinds([at({i: {i - 1: 1.0} for i in range(1, 6)})[None]], IDS)
    itself = find_kinds([np.eye(3)[None]], (A, B, C))
    both = previous + itself
    assert both.scores("previous")[0, 0] == 5 / 7
    assert both.scores("same")[0, 0] == 2 / 7
    assert both.scores("induction")[0, 0] == 0
    assert both.queries_of("induction") == 2


def test_kinds_are_named_and_numbers_are_offsets() -> None:
    assert [check_kind(kind) for kind in KIND_WORDS] == list(KIND_WORDS)
    assert check_kind(3) == check_kind("3") == "offset:3"
    assert check_kind(-3) == check_kind("-3") == "offset:-3"
    hostile = ["", "offset", "offset:17", "offset:-17", "17", -17, "--1", "-", "offset:-0",
               3.0, True, None, [], "x" * 9000, "１", "offset: 1", "Induction"]  # fmt: skip
    for text in hostile:
        with pytest.raises(
            RequestError, match=f"an offset from {1 - OFFSETS} to {OFFSETS - 1}"
        ) as error:
            check_kind(text)
        assert len(str(error.value)) < 250
