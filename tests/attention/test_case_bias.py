"""The worked example on a pronoun and its occupation in docs/attention.md, number by number."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from flowviz import explain
from tests.attention import bias

TEXT = (Path(__file__).parents[2] / "docs" / "attention.md").read_text()
SECTION = TEXT[TEXT.index("## A pronoun and its occupation") :].split("\n## ")[0]
HEAD = re.compile(r"L(\d) H(\d) \(([−\d.]+)\)")


def bullet(start: str) -> str:
    """One point of the section, on one line."""
    points = [" ".join(point.split()) for point in re.split(r"\n+- |\n\n", SECTION)]
    return next(point for point in points if point.startswith(f"*{start}"))


def said(text: str) -> list[tuple[int, int, float]]:
    """The heads that a text names, with their numbers."""
    return [(int(a), int(b), number(c)) for a, b, c in HEAD.findall(text)]


def number(text: str) -> float:
    return float(text.replace("−", "-"))


def hold(claims: list[tuple[int, int, float]], found: NDArray[np.floating], how: float) -> None:
    """Each head has its number, and no head that is not named has more than the least."""
    rest = np.abs(found).copy()
    for layer, head, value in claims:
        assert found[layer, head] == pytest.approx(value, abs=how), (layer, head)
        rest[layer, head] = 0
    assert rest.max() <= min(abs(value) for *_, value in claims) + how


def test_the_table_of_shares() -> None:
    rows = re.findall(
        r"^\| (\w+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|$", SECTION, re.M
    )
    shares = bias.all_shares()
    assert len(rows) >= 5
    for name, *cells in rows:
        place = bias.OCCUPATIONS.index(name)
        for cell, column in zip(cells, ("stated", "gpt", "bert", "pair"), strict=True):
            assert float(cell) == pytest.approx(shares[column][place], abs=0.015), (name, column)
    [correlations] = re.findall(
        r"^\| r, all 26 \| *\| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|$", SECTION, re.M
    )
    for cell, column in zip(correlations, ("gpt", "bert", "pair"), strict=True):
        measured = np.corrcoef(shares[column], bias.STATED)[0, 1]
        assert float(cell) == pytest.approx(measured, abs=0.004), column


def test_heads_that_go_from_the_mask_to_the_occupation() -> None:
    one, gpt = bullet("Few heads").split("demo GPT")
    single, pair = one.split("second text")
    hold(said(single), bias.from_the_mask().mean(0), 0.01)
    hold(said(pair), bias.from_the_second_text().mean(0), 0.01)
    hold(said(gpt), bias.gpt_from_the_end().mean(0), 0.01)


def test_a_word_that_stands_there_asks_nothing() -> None:
    text = bullet("A mask asks")
    (layer, head, masked), *_ = said(text)
    assert masked == pytest.approx(bias.from_the_mask().mean(0)[layer, head], abs=0.01)
    shown = [float(value) for value in re.findall(r"(0\.\d+) where", text)]
    assert len(shown) == 2
    for pronoun, value in zip(("she", "he"), shown, strict=True):
        assert value == pytest.approx(bias.from_the_pronoun(pronoun).mean(0)[layer, head], abs=0.01)


def test_the_same_heads_write_either_pronoun() -> None:
    text = bullet("The same heads")
    halves = dict(zip(("nurse", "plumber"), text.split('"plumber"'), strict=True))
    for name, half in halves.items():
        flows = bias.gpt_looks(
            f"The {name} said that", name, weighting="flow", target=" she", contrast=" he"
        )
        hold(said(half), flows, 0.02)


def test_switching_them_off() -> None:
    text = bullet("Switch them off")
    [changed] = re.findall(r"`([^`]*head:[^`]*)`", text)
    numbers = re.findall(r"from ([−\d.]+) to ([−\d.]+) after", text)
    assert len(numbers) == 2
    for name, pair in zip(("nurse", "plumber"), numbers, strict=True):
        target = explain(
            f"The {name} said that",
            bias.gpt(),
            target=" she",
            contrast=" he",
            interventions=changed,
        ).graph.target
        assert (target.before, target.value) == pytest.approx(tuple(map(number, pair)), abs=0.02)


def test_a_name_beats_the_occupation() -> None:
    text = bullet("A name beats")
    second = "[MASK] sold the lamp to a friend."
    assert second in text
    asked = re.findall(r"“(\w+ is a \w+\.)”.*?P\((\w+)\) is (0\.\d+)", text)
    assert [prompt for prompt, *_ in asked] == ["Mary is a plumber.", "John is a nurse."]
    for prompt, pronoun, chance in asked:
        assert float(chance) == pytest.approx(bias.at_the_mask(prompt, second)[pronoun], abs=0.015)
    hold(said(text), bias.looks(asked[0][0], "[MASK]", "Mary", second), 0.01)
    taken = bias.looks(asked[0][0], "[MASK]", "plumber", second).max()
    [most] = re.findall(r"more than (0\.\d+) from the occupation", text)
    assert float(most) == pytest.approx(taken, abs=0.01)


def test_two_people() -> None:
    text = bullet("Two people")
    gpt, bert = text.split("The demo BERT")
    first, second = bias.gpt_to_two()
    (one, two) = said(gpt)
    assert one[2] == pytest.approx(first.mean(0)[one[0], one[1]], abs=0.01)
    assert one[:2] == divmod(int(first.mean(0).argmax()), first.shape[2])
    assert two[2] == pytest.approx(second.mean(0)[two[0], two[1]], abs=0.01)
    assert two[:2] == divmod(int(second.mean(0).argmax()), second.shape[2])
    masked = [each.mean(0) for each in bias.to_two()]
    for (layer, head, value), found in zip(said(bert), masked, strict=True):
        assert value == pytest.approx(found[layer, head], abs=0.01)
        assert (layer, head) == divmod(int(found.argmax()), found.shape[1])
    stated = bias.stated_of_two()
    for half, shares in ((gpt, bias.gpt_shares_of_two()), (bert, bias.shares_of_two())):
        [r] = re.findall(r"r = (0\.\d+)", half)
        assert float(r) == pytest.approx(np.corrcoef(shares, stated)[0, 1], abs=0.01)
