"""The Python way to a prompt's factors: names, folders, tables, JSON."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import flowviz
from flowviz.contexts.corpus import open_corpus
from flowviz.errors import RequestError
from flowviz.factored import loss_recovered, open_dictionary, prompt_factors
from flowviz.factors.asking import words_of
from flowviz.factors.dictionary.files import save_dictionary
from flowviz.factors.look.files import save_survey
from flowviz.factors.look.survey import Options, survey
from flowviz.factors.request import FactorsRequest
from tests.contexts.small import write_corpus
from tests.factors.identity import both_ways
from tests.factors.test_prompt import SITES
from tests.models import random_model

PROMPT = "the cat sat on a mat"


@pytest.fixture(scope="module")
def made():
    model = random_model("gpt2")
    return prompt_factors(PROMPT, model, both_ways(model.shape.d_model, SITES, threshold=0.4))


def test_the_table_has_a_row_for_each_active_factor(made) -> None:
    table = made.table()
    assert len(table) == int((made.found.activations > 0).sum())
    first = table.iloc[0]
    place = made.found.sites.index(SITES[[str(s) for s in SITES].index(first["site"])])
    shown = made.found.activations[made.found.factors.index(first["factor"])]
    assert shown[place, first["position"]] == pytest.approx(first["activation"])


def test_places_count_all_factors_and_sites_have_their_losses(made) -> None:
    places, losses = made.places(), made.losses()
    assert len(places) == 2 * len(made.found.tokens)
    vectors = len(places)
    assert places["active"].sum() == (made.found.activations > 0).sum() + made.found.others.sum()
    np.testing.assert_allclose(places["explained"], made.found.explained.reshape(vectors))
    assert losses["site"].tolist() == [str(site) for site in SITES]
    assert losses["clean"].tolist() == [made.found.loss] * 2
    assert losses["spliced"].tolist() == list(made.found.spliced)


def test_json_holds_what_was_found(made) -> None:
    said = json.loads(made.to_json())
    assert said["version"] == 1
    assert FactorsRequest.from_mapping(said["request"]).prompt == PROMPT
    assert said["dictionary"]["name"] == "both-ways"
    assert said["dictionary"]["sites"] == [str(site) for site in SITES]
    prompt = said["prompt"]
    assert prompt["factors"] == list(made.found.factors)
    np.testing.assert_allclose(prompt["activations"], made.found.activations, rtol=1e-6)
    assert prompt["loss"] == pytest.approx(made.found.loss)


def test_dictionaries_are_opened_by_name_or_folder(tmp_path: Path) -> None:
    assert open_dictionary("topk").about.name == "topk"
    save_dictionary(both_ways(8, SITES), tmp_path / "own")
    assert open_dictionary(tmp_path / "own").about.factors == 16
    assert open_dictionary(str(tmp_path / "own")).about.factors == 16
    with pytest.raises(RequestError, match="no dictionary"):
        open_dictionary("nothing")


def test_what_ships_is_the_demo_models_own() -> None:
    found = flowviz.prompt_factors("The king lives in the castle.", dictionary="topk").found
    assert found.loss is not None
    assert max(found.spliced) > found.loss > 0
    assert np.median(found.explained) > 0.5
    assert found.notes == flowviz.open_dictionary("topk").about.notes
    with pytest.raises(RequestError, match="not one of"):
        prompt_factors(PROMPT, random_model("gpt2"), "topk")


def test_a_perfect_dictionary_recovers_all() -> None:
    model = random_model("gpt2")
    perfect = both_ways(model.shape.d_model, SITES)
    losses = loss_recovered([PROMPT, "She said that"], model, perfect, sites=["resid_pre:1"])
    assert losses.sites == SITES[:1]
    np.testing.assert_allclose(losses.spliced[0], losses.clean, atol=1e-5)


def test_words_are_those_of_the_survey_beside_it(tmp_path: Path) -> None:
    model = random_model("gpt2")
    own = both_ways(model.shape.d_model, SITES, threshold=0.4)
    save_dictionary(own, tmp_path / "own")
    assert set(prompt_factors(PROMPT, model, tmp_path / "own").found.words) == {""}
    write_corpus(tmp_path)
    corpus = open_corpus(next(tmp_path.glob("*.conllu")))
    surveyed = survey(own, model, corpus, Options(levels=False))
    save_survey(surveyed, tmp_path / "own" / "survey")
    found = prompt_factors(PROMPT, model, tmp_path / "own").found
    assert found.words == tuple(words_of(surveyed, found.factors))
    assert any(found.words)


@pytest.mark.parametrize(("prompt", "most"), [("", 40), (PROMPT, 0), (PROMPT, 10**6)])
def test_what_cannot_be_asked_is_refused(prompt: str, most: int) -> None:
    with pytest.raises(RequestError):
        prompt_factors(prompt, random_model("gpt2"), "topk", most=most)
