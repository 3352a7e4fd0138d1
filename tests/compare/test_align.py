"""Alignment: every token in one column, in order, the same whichever prompt is the first."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from flowviz.compare.align import align, alignment_words, pairs
from flowviz.compare.types import Column
from flowviz.graph.types import PromptToken

ids = st.lists(st.integers(0, 4), max_size=12)
prompts = st.lists(st.integers(0, 4), min_size=1, max_size=10)


def tokens(ids: list[int] | str) -> tuple[PromptToken, ...]:
    numbers = [ord(letter) for letter in ids] if isinstance(ids, str) else ids
    return tuple(PromptToken(at, number, f"t{number}") for at, number in enumerate(numbers))


def columns(first: str, second: str) -> tuple[Column, ...]:
    return align(tokens(first), tokens(second), len(first) - 1, len(second) - 1)


def drawn(first: str, second: str) -> str:
    """Both prompts as they stand above each other, a dash where one has no token."""
    found = columns(first, second)
    upper = "".join("-" if one.first is None else first[one.first] for one in found)
    return upper + "/" + "".join("-" if one.second is None else second[one.second] for one in found)


@given(ids, ids)
def test_every_place_is_in_one_pair_and_in_order(a: list[int], b: list[int]) -> None:
    found = pairs(a, b)
    assert [mine for mine, _ in found if mine is not None] == list(range(len(a)))
    assert [other for _, other in found if other is not None] == list(range(len(b)))
    assert (None, None) not in found


@given(ids, ids)
def test_swapping_the_two_swaps_every_pair(a: list[int], b: list[int]) -> None:
    assert [(other, mine) for mine, other in pairs(b, a)] == pairs(a, b)


@given(ids, st.integers(0, 12), ids)
def test_what_only_lacks_some_tokens_is_matched_whole(a: list[int], at: int, b: list[int]) -> None:
    whole = [*a[:at], *(token + 100 for token in b), *a[at:]]
    assert all(mine is None or other is not None for mine, other in pairs(a, whole))
    assert all(a[mine] == whole[other] for mine, other in pairs(a, whole)
               if mine is not None and other is not None)  # fmt: skip


@given(prompts, prompts, st.data())
def test_the_targets_stand_for_each_other(a: list[int], b: list[int], data: st.DataObject) -> None:
    at_a, at_b = (data.draw(st.integers(0, len(each) - 1)) for each in (a, b))
    found = align(tokens(a), tokens(b), at_a, at_b)
    assert [(c.first, c.second) for c in found].count((at_a, at_b)) == 1
    assert [c.first for c in found if c.first is not None] == list(range(len(a)))
    assert [c.second for c in found if c.second is not None] == list(range(len(b)))


def test_one_length_is_paired_in_order_whatever_stands_there() -> None:
    assert drawn("abcd", "bcde") == "abcd/bcde"


def test_what_both_share_is_matched_and_the_rest_paired_from_the_right() -> None:
    assert drawn("abcz", "abxyz") == "ab-cz/abxyz"
    assert (
        drawn("the nurse said.", "the old nurse said.") == "the ----nurse said./the old nurse said."
    )
    assert drawn("abz", "xabyz") == "-ab-z/xabyz"


def test_what_stands_behind_the_targets_is_aligned_too() -> None:
    found = align(tokens("abTcd"), tokens("aTcxd"), 2, 1)
    assert [(c.first, c.second) for c in found] == [
        (0, 0), (1, None), (2, 1), (3, 2), (None, 3), (4, 4),
    ]  # fmt: skip


def test_two_long_prompts_without_a_common_word_take_no_time() -> None:
    found = pairs(list(range(3000)), list(range(5000, 9000)))
    assert found[0] == (None, 0)
    assert found[-1] == (2999, 3999)
    assert len(found) == 4000


def test_the_words_say_how_it_was_aligned() -> None:
    assert alignment_words(columns("abc", "abc")) == (
        "Token by token: both have 3 tokens, and they are the same."
    )
    assert "1 of them differs" in alignment_words(columns("abc", "xbc"))
    assert "2 of them differ." in alignment_words(columns("abc", "xyc"))
    longer = alignment_words(columns("abcz", "abxyz"))
    assert longer.endswith("1 token of the second prompt has no partner: its column is marked.")
    shorter = alignment_words(columns("abxyz", "az"))
    assert "3 tokens of the first prompt have no partner: their columns are marked." in shorter
