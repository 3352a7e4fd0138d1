"""docs/factors-json.md names every field of the answer, and no other."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from flowviz.factors.json import ONCE
from flowviz.factors.look.types import (
    Attributed,
    FactorContext,
    FactorRow,
    FactorsListed,
    FactorTold,
    PromptFactors,
    SurveyInfo,
)
from flowviz.factors.types import About

DOC = Path(__file__).parents[2] / "docs" / "factors-json.md"
ROWS, CONTEXT = "Each of the `rows`", "Each context"
PARTS = {
    "## `dictionary`": About,
    "## `survey`": SurveyInfo,
    "## `listed`": FactorsListed,
    ROWS: FactorRow,
    "## `told`": FactorTold,
    CONTEXT: FactorContext,
    "## `prompt`": PromptFactors,
    "## `attributed`": Attributed,
}


@pytest.mark.parametrize("title", PARTS)
def test_every_field_is_told(title: str) -> None:
    text = DOC.read_text()
    part = re.split(rf"\n(?:## |{ROWS}|{CONTEXT})", text[text.index(title) + len(title) :])[0]
    rows = re.findall(r"^\| (.+?) \| (.+) \|$", part, re.MULTILINE)
    told = {name for first, _ in rows for name in re.findall(r"`(\w+)`", first)}
    told |= {name for _, words in rows for name in re.findall(r"; `(\w+)`, in the whole", words)}
    own = {each.name for each in fields(PARTS[title])}
    left_out = set() if PARTS[title] in (About, SurveyInfo) else set(ONCE)
    assert told == own - left_out
