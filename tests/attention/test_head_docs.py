"""The two sections of docs/attention.md on single heads, number by number, and their commands."""

from __future__ import annotations

import re
import shlex
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from flowviz import distance_decay, load_model, neuron_view, why
from flowviz.__main__ import parser
from flowviz.attention.neuron_types import Decay
from flowviz.attention.why_types import KindSum, WhyThere
from flowviz.demo.examples import EXAMPLES
from flowviz.graph.types import NodeKind
from flowviz.models.loaded import LoadedModel
from flowviz.ui.head.examples import DRINK
from flowviz.ui.head.examples import EXAMPLES as ON_PAGE

TEXT = (Path(__file__).parents[2] / "docs" / "attention.md").read_text()
WORDS = " ".join(TEXT[TEXT.index("## Why does it look there?") :].split())
JAPAN = "The capital of Japan is the city of"


@cache
def model() -> LoadedModel:
    return load_model("demo")


@cache
def there(rank: str = "beyond") -> WhyThere:
    return why(JAPAN, 3, 3, model(), rank=rank)


@cache
def far(layer: int, head: int) -> Decay:
    return distance_decay(layer, head, model(), prompts=[each.prompt for each in EXAMPLES])


def said(words: str, value: float, digits: int = 2) -> None:
    """The text says it, and it is so; processors differ in the last digit."""
    assert words in WORDS
    number = re.findall(r"−?\d+\.\d+", words)[-1].replace("−", "-")
    assert value == pytest.approx(float(number), abs=1.5 * 10**-digits)


def beyond(sums: tuple[KindSum, ...], kind: NodeKind, layer: int) -> float:
    return next(each.beyond for each in sums if (each.kind, each.layer) == (kind, layer))


def test_the_score_alone_says_little() -> None:
    found = there()
    assert (found.tokens[found.query].text, found.tokens[found.key].text) == (" of", " Japan")
    assert "Japan` 0.996 of its attention" in WORDS
    assert found.weight == pytest.approx(0.996, abs=1e-3)
    said("a score of only 0.01", found.score)
    said("The mean over the eight keys is −7.66", found.mean_product)
    said("what has to be explained is 7.67", found.product - found.mean_product)
    assert found.seen == 8


def test_early_neurons_do_most_of_it() -> None:
    found = there()
    for side, words in ((found.query_sums, "5.34"), (found.key_sums, "4.64")):
        early = beyond(side, NodeKind.NEURON, 0)
        assert max(side, key=lambda each: each.beyond).kind is NodeKind.NEURON
        assert words in WORDS
        assert early == pytest.approx(float(words), abs=0.015)
    assert str(found.key_parts[0].what) == "head:2:3:0"
    said("L2 H0 with 1.10", found.key_parts[0].beyond)
    said(["of 1.71", " all heads of block 2"][0], beyond(found.key_sums, NodeKind.HEAD, 2))


def test_a_large_share_may_say_nothing() -> None:
    first = there("share").query_parts[0]
    assert str(first.what) == "head:1:7:7"
    said("L1 H7 leads the query with 8.49", first.share)
    said("`beyond` it has −0.22", first.beyond)


def test_large_is_not_deciding() -> None:
    view = neuron_view(JAPAN, 3, 3, model())
    shares = view.product * view.scale
    assert int(np.abs(shares[3]).argmax()) == 19
    said("dimension 19 with 7.99", float(shares[3, 19]))
    said("every other word has at least 6.25", float(np.delete(shares[:, 19], 3).min()))
    said("so that it decides 1.30", float(view.deciding[19]))
    assert view.strongest[:4] == (9, 13, 18, 19)
    assert (
        "Dimensions 9, 13 and 18, with much smaller products, decide 1.75, 1.57 and 1.47." in WORDS
    )
    assert view.deciding[[9, 13, 18]] == pytest.approx([1.75, 1.57, 1.47], abs=0.015)
    said("These four make 6.09", float(view.deciding[list(view.strongest[:4])].sum()))
    said("of the 7.64", float(view.deciding.sum()))


def test_few_dimensions_make_a_head_look_nearby() -> None:
    decay = far(2, 7)
    assert "16 example prompts of the flow page (496 pairs)" in WORDS
    assert (decay.prompts, decay.pairs) == (16, 496)
    said("changes by −0.763", decay.slope, 3)
    assert "Dimensions 22, 9, 6 and 4 make −0.217, −0.213, −0.151 and −0.113 of it" in WORDS
    assert decay.strongest[:4] == (22, 9, 6, 4)
    four = list(decay.strongest[:4])
    assert decay.slopes[four] == pytest.approx([-0.217, -0.213, -0.151, -0.113], abs=2e-3)
    assert "together 91%, each with a correlation beyond −0.9" in WORDS
    assert decay.slopes[four].sum() / decay.slope == pytest.approx(0.91, abs=0.01)
    assert (decay.correlations[four] < -0.9).all()


def test_others_lean_the_other_way() -> None:
    decay = far(2, 2)
    said("L2 H2 gains 1.255", decay.slope, 3)
    assert decay.strongest[0] == 10
    said("its strongest dimension, 10, makes 0.283", float(decay.slopes[10]), 3)


def test_what_the_pages_examples_say() -> None:
    neurons, reason, near, away = (each.look_for for each in ON_PAGE)
    assert "four dimensions on the left" in neurons
    assert "Japan's score is about 0, but that of the other words is about −9" in reason
    scores = neuron_view(JAPAN, 3, 3, model()).score
    assert float(np.delete(scores, 3).mean()) == pytest.approx(-8.77, abs=0.1)
    assert "four of its 24 dimensions (9, 22, 6 and 3) together fall as much" in near
    decay = neuron_view(DRINK, 2, 7, model()).decay
    assert decay is not None
    assert set(decay.strongest[:4]) == {9, 22, 6, 3}
    assert decay.slopes[list(decay.strongest[:4])].sum() == pytest.approx(decay.slope, rel=0.05)
    assert "grows with distance, a little over this prompt" in away
    other = neuron_view(DRINK, 2, 2, model()).decay
    assert other is not None
    assert 0 < other.slope < 0.3


@pytest.mark.parametrize("line", re.findall(r"-m flowviz ((?:why|neurons) .*)", TEXT))
def test_the_commands_parse(line: str) -> None:
    parser().parse_args(shlex.split(line))
