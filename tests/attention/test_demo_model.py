"""The worked example of docs/attention.md, number by number, on the demo model that ships."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from flowviz import attention_maps, find_heads, load_model, read_attention
from flowviz.analyses.prompts import prompts_from
from flowviz.attention.types import HeadsFound
from flowviz.models.loaded import LoadedModel

TEXT = (Path(__file__).parents[2] / "docs" / "attention.md").read_text()
WORDS = " ".join(TEXT.split())
TABLE = re.findall(
    r"^\| `(\w+)` \| (L\d H\d) \| ([\d.]+) \| ([\d.]+) \| (L\d H\d) \| ([\d.]+) \| ([\d.]+) \|$",
    TEXT,
    re.M,
)


@cache
def model() -> LoadedModel:
    return load_model("demo")


def texts(group: str = "") -> list[str]:
    return [prompt.text for prompt in prompts_from("phenomena", "", group)]


@cache
def found(group: str = "") -> HeadsFound:
    return find_heads(texts(group), model())


def close(said: str, score: float) -> bool:
    return abs(float(said) - score) <= 0.002  # processors differ in the last digits


def test_the_table_names_the_strongest_head_of_each_kind() -> None:
    assert [row[0] for row in TABLE] == ["previous", "first", "same", "duplicate", "induction"]
    assert (found().prompts, found("induction").prompts) == (345, 15)
    for kind, *cells in TABLE:
        for over, (name, score, chance) in ((found(), cells[:3]), (found("induction"), cells[3:])):
            best = over.kinds.strongest(kind, 1)[0]
            assert f"L{best.layer} H{best.head}" == name, kind
            assert close(score, best.score), kind
            assert close(chance, over.kinds.chance(kind)), kind


def test_two_layers_make_induction() -> None:
    kinds = found("induction").kinds
    named = re.findall(r"L3 H(\d) \((0\.\d+)\)", WORDS[WORDS.index("Two layers") :])[:3]
    best = kinds.strongest("induction", 4)
    assert [(one.layer, one.head) for one in best[:3]] == [(3, int(head)) for head, _ in named]
    assert all(close(said, one.score) for (_, said), one in zip(named, best, strict=False))
    assert "the next head has 0.178" in WORDS
    assert close("0.178", best[3].score)
    before = kinds.strongest("previous", 2)
    assert [(one.layer, one.head) for one in before] == [(2, 7), (2, 5)]
    assert "L2 H7 (0.679) and L2 H5 (0.597)" in WORDS
    assert close("0.597", before[1].score)


def test_induction_heads_carry_the_prediction() -> None:
    maps = attention_maps(texts("induction")[0], model(), weighting="flow")
    assert maps.target is not None
    assert maps.target.token.token == " cup"
    assert "a logit of 12.57" in WORDS
    assert maps.target.value == pytest.approx(12.57, abs=0.02)
    cells = np.argsort(-maps.weights, axis=None)[:3]
    places = list(zip(*np.unravel_index(cells, maps.weights.shape), strict=True))
    last = maps.positions - 1
    assert [tuple(map(int, place)) for place in places] == [
        (3, 3, last, 2), (3, 4, last, 2), (3, 0, last, 2),
    ]  # fmt: skip
    assert maps.tokens[2].text == " cup"
    gives = [float(maps.weights[place]) * maps.unit for place in places]
    said = re.search(r"L3 H3 gives (\d\.\d+), L3 H4 (\d\.\d+) and L3 H0 (\d\.\d+)", WORDS)
    assert said is not None
    assert gives == pytest.approx([float(number) for number in said.groups()], abs=0.02)


def test_a_head_that_waits_at_the_first_token_is_an_induction_head() -> None:
    assert "(0.712 over all prompts)" in WORDS
    assert close("0.712", found().kinds.scores("first")[3, 0])
    assert "(0.966 on repeated words)" in WORDS
    assert close("0.966", found("induction").kinds.scores("induction")[3, 0])


def test_the_python_example_runs() -> None:
    code = re.search(r"```python\n(.*?)```", TEXT, re.S)
    assert code is not None
    scope: dict = {}
    exec(code[1], scope)
    assert scope["maps"].weights.shape == (6, 8, 8, 8)


def test_the_example_with_arrays_of_ones_own_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = re.search(r"```py\n(.*?)```", TEXT, re.S)
    assert code is not None
    monkeypatch.chdir(tmp_path)
    scope: dict = {}
    exec(code[1], scope)
    back = read_attention(Path("own.json").read_text())
    np.testing.assert_array_equal(back.weights, scope["own"].weights)
    assert back.kinds.scores("previous")[0, 0] == pytest.approx((1 / 2 + 1 / 3) / 2)
