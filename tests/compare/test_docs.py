"""What docs/compare.md says of the demo model is what the demo model does."""

from __future__ import annotations

import re
import shlex
from functools import cache
from pathlib import Path

import pytest

import flowviz
from flowviz.__main__ import parser
from flowviz.compare.types import Comparison
from flowviz.compared import compare_passes
from flowviz.graph.types import NodeKey
from flowviz.models.loaded import LoadedModel

DOC = (Path(__file__).parents[2] / "docs" / "compare.md").read_text()
MARY = "When Mary and John went to the store, {} gave a drink to"
COUNTRY = "The capital of {} is the city of"
EXAMPLES = {
    "The bias of an occupation": (
        ("The nurse said that", "The plumber said that"), (" she", " he"),
        ("head:4:3:4,head:4:3:6", "−1.89"),
    ),
    "Who gets the drink": (
        (MARY.format("John"), MARY.format("Mary")), (" Mary", " John"), None,
    ),
    "One fact against another": (
        (COUNTRY.format("Japan"), COUNTRY.format("France")), (" Tokyo", " Paris"),
        ("head:3:7:3,head:2:7:2", "−11.07"),
    ),
}  # fmt: skip


@cache
def model() -> LoadedModel:
    return flowviz.load_model("demo")


def compared(title: str, put_in: str | None = None) -> Comparison:
    (first, second), (token, contrast), _ = EXAMPLES[title]
    named = {"token": token, "contrast": contrast}
    if put_in is None:
        return compare_passes(first, second, model(), **named).comparison
    changed = {"b_interventions": f"{put_in}=donor", "b_donor": second}
    return compare_passes(first, None, model(), **named, **changed).comparison


def section(title: str) -> str:
    return DOC.split(f"### {title}\n", 1)[1].split("\n#", 1)[0]


def written(value: float, sign: str = "+") -> str:
    return f"{value:{sign}.2f}".replace("-", "−")


@pytest.mark.parametrize("title", EXAMPLES)
def test_every_number_of_an_example_is_measured(title: str) -> None:
    found, text = compared(title), section(title)
    first, second = found.first.target.value, found.second.target.value
    said = (
        f"{written(first, '')} against {written(second, '')}, a change of {written(second - first)}"
    )
    assert said in " ".join(text.split())
    rows = re.findall(r"^\| .* \| `(\S+)` \| (\S+) \| (\S+) \| (\S+) \| (\S+) \|$", text, re.M)
    assert len(rows) >= 3
    for name, *numbers in rows:
        change = found.change(NodeKey.parse(name))
        assert change is not None, name
        alone = compared(title, name).graph.target.value
        values = (change.first_flow, change.second_flow, change.difference, alone)
        assert numbers == [written(value) for value in values], name


@pytest.mark.parametrize("title", [title for title, told in EXAMPLES.items() if told[2]])
def test_several_put_in_together_do_what_is_said(title: str) -> None:
    told = EXAMPLES[title][2]
    assert told is not None
    assert f"the number is {told[1]}" in " ".join(section(title).split())
    assert written(compared(title, told[0]).second.target.value) == told[1]


def test_the_words_around_the_tables_hold() -> None:
    bias = compared("The bias of an occupation")
    nurse = bias.change(NodeKey.parse("embed:0:1"))
    assert nurse is not None
    assert f"{nurse.difference / bias.graph.target.value:.0%} of the change" in DOC
    both = compared("The bias of an occupation", "head:4:3:4,head:4:3:6")
    assert both.predictions[0].second.probability < 0.5 < both.predictions[0].first.probability
    fact = compared("One fact against another").change(NodeKey.parse("head:2:7:2"))
    assert fact is not None
    assert fact.second is not None
    assert fact.second.projection is not None
    assert fact.second.projection.top[0].text == " French"
    assert "reads as *French*" in " ".join(DOC.split())


def test_the_last_word_fetches_what_was_settled_before() -> None:
    edge = compared("Who gets the drink").edge("resid_pre:4:11>head:4:13:6")
    assert edge is not None
    assert min(edge.first_weight or 0, edge.second_weight or 0) > 0.99


def test_the_commands_that_are_shown_are_commands() -> None:
    shown = re.findall(r"^python -m flowviz (.*)$", DOC.replace("\\\n", " "), re.M)
    assert len(shown) == 3
    for command in shown:
        assert parser().parse_args(shlex.split(command)).run
