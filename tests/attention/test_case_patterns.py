"""The patterns of the demo BERT's heads, as docs/attention.md tells of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flowviz import find_heads, load_encoder
from flowviz.attention.types import HeadsFound

WORDS = " ".join((Path(__file__).parents[2] / "docs" / "attention.md").read_text().split())
SAID = WORDS[WORDS.index("The demo BERT has other habits") :].split("(Clark")[0]


@pytest.fixture(scope="module")
def found() -> HeadsFound:
    return find_heads(model=load_encoder("demo-bert"))


@pytest.mark.parametrize(
    ("kind", "head", "score"),
    [
        ("previous", "L1 H4", 0.170),
        ("next", "L3 H1", 0.161),
        ("induction", "L0 H0", 0.127),
        ("duplicate", "L0 H1", 0.435),
        ("special", "L0 H5", 0.330),
    ],
)
def test_the_strongest_head_of_each_kind(
    found: HeadsFound, kind: str, head: str, score: float
) -> None:
    best = found.kinds.strongest(kind, 1)[0]
    assert f"L{best.layer} H{best.head}" == head
    assert best.score == pytest.approx(score, abs=0.002)
    assert f"{score:.3f}" in SAID
    assert head in SAID


def test_chance_and_the_number_of_prompts_are_as_told(found: HeadsFound) -> None:
    told = [float(number) for number in re.findall(r"by chance ([\d.]+)", SAID)]
    kinds = ("previous", "induction", "duplicate", "special")
    assert told == pytest.approx([found.kinds.chance(kind) for kind in kinds], abs=0.002)
    assert f"the same {found.prompts} prompts" in SAID
