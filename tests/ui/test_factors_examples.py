"""What the examples of the page of factors say, held against the models and dictionaries that ship.

Which number a factor has is nobody's promise; that a word's senses are split is.
"""

from __future__ import annotations

import numpy as np
import pytest

from flowviz.causal.baselines import zero
from flowviz.contexts.kinds import Site
from flowviz.demo.folder import FACTORS_FOLDER
from flowviz.demo.lexicon.places import COUNTRIES
from flowviz.factors.dictionary.files import load_dictionary
from flowviz.factors.look.files import open_survey
from flowviz.factors.look.told import tell
from flowviz.factors.look.types import PromptFactors
from flowviz.factors.prompt import prompt_factors
from flowviz.factors.request import FactorsRequest
from flowviz.factors.use.split import splitting
from flowviz.interventions.apply import record_changed
from flowviz.interventions.types import parse_interventions
from flowviz.models.loading import load_model
from flowviz.trace import record
from flowviz.ui.factors.examples import EXAMPLES

ALONE = 0.25  # of the other sense's activation, at most, where a factor stands at one sense alone


@pytest.fixture(scope="module")
def prompt() -> PromptFactors:
    link = {name: text for name, text in EXAMPLES[0].link.items() if name != "layer"}
    request = FactorsRequest.from_mapping(link)
    dictionary = load_dictionary(FACTORS_FOLDER / request.dictionary)
    return prompt_factors(load_model(request.model), dictionary, request, most=200)


def senses(prompt: PromptFactors, site: str) -> tuple[np.ndarray, np.ndarray]:
    """The activations of all factors at the verb and at the tool."""
    verb, tool = (token.position for token in prompt.tokens if token.text.strip() == "saw")
    values = prompt.activations[:, prompt.sites.index(Site.parse(site)), :]
    return values[:, verb], values[:, tool]


def test_before_block_1_the_strongest_factors_are_the_same_at_both(prompt):
    verb, tool = senses(prompt, "resid_pre:1")
    strong = (verb > 0.5 * verb.max()) | (tool > 0.5 * tool.max())
    assert np.minimum(verb, tool)[strong].min() > 0
    assert np.dot(verb, tool) / np.linalg.norm(verb) / np.linalg.norm(tool) > 0.95


def test_before_block_4_factors_stand_at_one_sense_alone(prompt):
    verb, tool = senses(prompt, EXAMPLES[0].link["layer"])
    both = np.minimum(verb, tool) > 0.5 * max(verb.max(), tool.max())
    assert both.any()  # that of the word
    assert ((verb > 5) & (tool < ALONE * verb)).any()
    assert ((tool > 5) & (verb < ALONE * tool)).any()
    assert np.dot(verb, tool) / np.linalg.norm(verb) / np.linalg.norm(tool) < 0.7


def test_a_factor_of_languages_switched_on_makes_the_model_say_them():
    """The prompt's own country; and, as `docs/factors.md` counts, most of the others."""
    link = EXAMPLES[1].link
    model, folder = load_model(link["model"]), FACTORS_FOLDER / "coding"
    dictionary = load_dictionary(folder)
    found = open_survey(folder / "survey", dictionary)
    site, number = Site.parse(link["site"]), int(link["factor"])
    told = tell(found, dictionary, model, FactorsRequest(factor=number, site=site))
    languages = {country.language for country in COUNTRIES}
    assert sum(each.token.strip() in languages for each in told.promoted) >= 8

    said = []
    for country in (each for each in COUNTRIES if "-" not in (each.capital, each.language)):
        prompt = link["prompt"].replace("Japan", country.name)
        ids = model.vocabulary.encode(prompt, model.context)
        most = f"{told.top[0].activation:.3g}"
        clamp = f"factor:{site.kind}:{site.layer}:{len(ids) - 1}:{number}=clamp:{most}"
        split = splitting(model, lambda _: dictionary)
        clean = record(model, ids).logits[-1].argmax()
        changed = record_changed(model, ids, parse_interventions(clamp), lambda _: zero(model),
                                 split=split).logits[-1].argmax()  # fmt: skip
        words = [model.vocabulary.texts[int(each)].strip() for each in (clean, changed)]
        assert words[0] == country.capital
        said.append("language" if words[1] == country.language else words[1] == country.capital)
        assert country.name != "Japan" or said[-1] == "language"
    assert (said.count("language"), said.count(True), len(said)) == (44, 14, 58)
