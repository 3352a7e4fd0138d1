"""Results as tables and JSON: every figure is there, under its own name."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, replace

import pytest

from flowviz.analyses import Analysis, AnalysisRequest, analyse
from flowviz.analyses.tables import NAMES, TABLES, result_json, tables
from flowviz.analyses.types import Result, Series
from flowviz.views.analyses.report import text
from tests.models import random_model

PROMPTS = "the cat sat on a mat\nMary and John went to\t the\n"


@pytest.fixture(scope="module", params=list(Analysis))
def found(request: pytest.FixtureRequest) -> tuple[Analysis, Result]:
    searched = request.param is Analysis.SEARCH
    asked = AnalysisRequest(
        request.param,
        text="" if searched else PROMPTS,
        token=" the" if searched else None,
        k=5,
        n=9,
    )
    return request.param, analyse(random_model("gpt2"), asked)


def test_every_analysis_has_the_tables_that_are_named(found) -> None:
    analysis, result = found
    made = tables(result)
    assert tuple(table.name for table in made) == TABLES[analysis]
    assert NAMES[type(result)] == analysis
    for table in made:
        assert all(tuple(row) == table.columns for row in table.rows)
        values = {type(value) for row in table.rows for value in row.values()}
        assert values <= {str, int, float, bool, type(None)}


def test_json_holds_the_whole_result(found) -> None:
    analysis, result = found
    read = json.loads(result_json(result))
    assert (read.pop("version"), read.pop("analysis")) == (1, analysis)
    assert read == json.loads(json.dumps(asdict(result)))


def test_the_report_fits_a_terminal_and_names_the_model(found) -> None:
    _, result = found
    lines = text(result).splitlines()
    assert result.model in lines[0]
    assert max(map(len, lines)) <= 100


def test_tables_hold_the_figures_of_the_result() -> None:
    model = random_model("gpt2")
    result = analyse(model, AnalysisRequest(Analysis.OVERLAP, text=PROMPTS, k=5))
    rows = tables(result)[0].rows
    assert len(rows) == sum(len(series.x) for series in result.by_layer)
    assert rows[1] == {
        "series": result.by_layer[0].name,
        "title": result.by_layer[0].title,
        "layer": 1,
        "mean": result.by_layer[0].mean[1],
        "deviation": result.by_layer[0].deviation[1],
        "count": 8,
    }


def test_what_is_not_a_number_is_nothing() -> None:
    model = random_model("gpt2")
    result = analyse(model, AnalysisRequest(Analysis.OVERLAP, text=PROMPTS, k=5))
    odd = Series("a", "A", (0, 1), (math.nan, 1.0), (math.inf, 0.0), (0, 1))
    broken = replace(result, among=(odd,))
    assert tables(broken)[-1].rows[0]["mean"] is None
    assert json.loads(result_json(broken))["among"][0]["mean"] == [None, 1.0]
