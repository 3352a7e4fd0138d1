"""The surveys that ship: of the dictionaries, the model and the corpus that ship with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowviz.contexts.corpus import demo_corpus
from flowviz.contexts.encode import open_reader
from flowviz.demo.folder import FACTORS_FOLDER
from flowviz.factors.dictionary.files import load_dictionary
from flowviz.factors.look.files import open_survey
from flowviz.factors.look.listing import list_factors
from flowviz.factors.look.told import tell
from flowviz.factors.request import FactorsRequest
from flowviz.models.loading import load_model

SHIPPED = sorted(each.parent.parent.name for each in FACTORS_FOLDER.glob("*/survey/survey.json"))
MOST_BYTES = 6 * 10**6  # of dictionaries and surveys in all


def test_each_dictionary_has_its_survey() -> None:
    assert SHIPPED == ["coding", "topk"]
    files = [each for each in FACTORS_FOLDER.rglob("*") if each.is_file()]
    assert sum(each.stat().st_size for each in files) <= MOST_BYTES


@pytest.mark.parametrize("name", SHIPPED)
def test_a_survey_that_ships_is_of_what_ships_with_it(name: str) -> None:
    folder: Path = FACTORS_FOLDER / name
    model, dictionary = load_model("demo"), load_dictionary(folder)
    found = open_survey(folder / "survey", dictionary, open_reader(model))
    assert found.corpus == demo_corpus().fingerprint()
    assert (found.level >= 0).mean() > 0.8
    assert set(found.level.tolist()) >= {0, 1, 2}
    request = FactorsRequest(dictionary=name)
    assert list_factors(found, dictionary, request).total == dictionary.about.factors
    told = tell(found, dictionary, model, request)
    strengths = [context.activation for context in told.top]
    assert len(strengths) >= 10
    assert strengths == sorted(strengths, reverse=True)
    assert told.top[0].share == pytest.approx(1.0, rel=1e-3)
    assert sum(band.count for band in told.bands) == told.counts.sum()
