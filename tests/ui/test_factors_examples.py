"""What the examples of the page of factors say, held against the models and dictionaries that ship.

Which number a factor has is nobody's promise; that a word's senses are split is.
"""

from __future__ import annotations

import numpy as np
import pytest

from flowviz.contexts.kinds import Site
from flowviz.demo.folder import FACTORS_FOLDER
from flowviz.factors.dictionary.files import load_dictionary
from flowviz.factors.look.types import PromptFactors
from flowviz.factors.prompt import prompt_factors
from flowviz.factors.request import FactorsRequest
from flowviz.models.loading import load_model
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
