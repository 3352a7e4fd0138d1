"""Colours that can be told apart and read, and rules that Cytoscape can follow without a word."""

from __future__ import annotations

import re
from dataclasses import astuple

import pytest

from flowviz.graph.types import NodeKind
from flowviz.views.elements import elements
from flowviz.views.palette import PALETTES, contrast, palette
from flowviz.views.stylesheet import SHAPES, stylesheet
from tests.graphs import grid

THEMES = sorted(PALETTES)


def test_contrast_as_wcag_has_it() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert contrast("#0072b2", "#0072b2") == 1


@pytest.mark.parametrize("theme", THEMES)
def test_text_can_be_read_on_everything_it_stands_on(theme: str) -> None:
    c = palette(theme)
    for behind in (c.ground, c.band, c.stripe, c.surface, c.positive_fill, c.negative_fill):
        assert contrast(c.text, behind) >= 4.5
    for behind in (c.ground, c.band, c.stripe, c.surface):
        assert contrast(c.muted, behind) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
def test_signs_and_selection_stand_out_from_what_is_behind(theme: str) -> None:
    c = palette(theme)
    for behind in (c.ground, c.band, c.stripe, c.surface):
        for colour in (c.positive, c.negative, c.accent):
            assert contrast(colour, behind) >= 3


# Viénot, Brettel and Mollon 1999: linear RGB as a dichromat sees it
PROTAN = ((0.11238, 0.88762, 0.0), (0.11238, 0.88762, 0.0), (0.00401, -0.00401, 1.0))
DEUTAN = ((0.29275, 0.70725, 0.0), (0.29275, 0.70725, 0.0), (-0.02234, 0.02234, 1.0))


def seen(colour: str, by: tuple[tuple[float, ...], ...]) -> list[float]:
    linear = [(int(colour[i : i + 2], 16) / 255) ** 2.2 for i in (1, 3, 5)]
    mixed = [sum(a * b for a, b in zip(row, linear, strict=True)) for row in by]
    return [min(max(part, 0.0), 1.0) ** (1 / 2.2) for part in mixed]


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("by", [PROTAN, DEUTAN], ids=["protan", "deutan"])
def test_signs_stay_apart_for_the_colour_blind(
    theme: str, by: tuple[tuple[float, ...], ...]
) -> None:
    c = palette(theme)
    a, b = seen(c.positive, by), seen(c.negative, by)
    assert sum((x - y) ** 2 for x, y in zip(a, b, strict=True)) ** 0.5 > 0.4


def test_every_colour_is_written_in_full() -> None:
    for theme in PALETTES.values():
        assert all(re.fullmatch("#[0-9a-f]{6}", colour) for colour in astuple(theme))


def test_every_kind_has_its_shape() -> None:
    assert set(SHAPES) == set(NodeKind)
    selectors = " ".join(rule["selector"] for rule in stylesheet("light"))
    for kind in NodeKind:
        assert f"node.{kind.value}" in selectors


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("wiring", ["stream", "circuit"])
def test_what_a_rule_reads_every_element_that_it_catches_has(theme: str, wiring: str) -> None:
    made = elements(grid(3, 4, 2, 2, wiring=wiring))
    for rule in stylesheet(theme):
        read = set(re.findall(r"(?:data|mapData)\((\w+)", str(rule["style"])))
        for each in caught(rule["selector"], made):
            assert read <= set(each["data"]), rule["selector"]


def caught(selector: str, made: list[dict]) -> list[dict]:
    """The elements that one of our plain selectors catches: group, classes, present data."""
    found = []
    for part in selector.split(","):
        group = re.match(r"\s*(node|edge)?", part)[1]
        classes = set(re.findall(r"\.([\w-]+)", part))
        present = set(re.findall(r"\[(\w+)\]", part))
        found += [
            each
            for each in made
            if (not group or each["group"] == f"{group}s")
            and classes <= set(each["classes"].split())
            and present <= set(each["data"])
        ]
    return found


def test_bands_and_headings_take_no_events() -> None:
    rules = {rule["selector"]: rule["style"] for rule in stylesheet("dark")}
    assert rules["node.band"]["events"] == "no"
    assert rules["node.heading"]["events"] == "no"


def test_the_classes_that_scripts_set_have_rules() -> None:
    selectors = " ".join(rule["selector"] for rule in stylesheet("light"))
    for name in ("dim", "path", "selected", "hover", "hidden"):
        assert f".{name}" in selectors


def test_an_unknown_theme_is_light() -> None:
    assert stylesheet("beige") == stylesheet("light") != stylesheet("dark")
