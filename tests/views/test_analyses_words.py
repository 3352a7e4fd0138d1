"""The analyses in words, and the addresses that lead from them into the flow."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from flowviz.analyses.request import Analysis
from flowviz.request import ExplainRequest
from flowviz.views.analyses.links import (
    LONGEST,
    Place,
    match_link,
    neuron_link,
    outcome_link,
)
from flowviz.views.analyses.words import ABOUT, notes, summary
from tests.results import NEURONS, NORMS, OVERLAP, SEARCH, TARGET

SUMMARIES = {
    "demo · 2 prompts · first 50 tokens": OVERLAP,
    "demo · 3 prompts · 2 of 3 answered right (67%)": TARGET,
    "demo · 2 prompts · first 2 tokens": NORMS,
    "demo · 4 prompts · 2 neurons among the 4 most active of their layer on at least 85% of the "
    "prompts": NEURONS,
    "demo · ␣Paris (token 7)": SEARCH,
}


@pytest.mark.parametrize("words", SUMMARIES)
def test_a_result_in_one_line(words):
    assert summary(SUMMARIES[words]) == words


def test_where_nobody_says_the_answer_the_line_says_so():
    own = tuple(replace(outcome, right=None) for outcome in TARGET.outcomes)
    words = summary(replace(TARGET, outcomes=own))
    assert words == "demo · 3 prompts · each target is the model's own prediction"


def test_a_list_that_was_cut_says_how_many_there_are():
    words = summary(replace(NEURONS, found=1500))
    assert "1,500 neurons (the first 2 are listed) among the 4 most active" in words


def test_every_analysis_is_explained():
    assert set(ABOUT) == set(Analysis)
    assert all(about.question.endswith("?") for about in ABOUT.values())


def test_a_result_tells_its_own_notes():
    assert notes(OVERLAP) == ("The keys of this model are shared.",)
    assert notes(TARGET) == ()


def asked(link):
    there = urlsplit(link)
    assert there.path == "/"
    flat = {name: value[0] for name, value in parse_qs(there.query).items()}
    return ExplainRequest.from_mapping(flat), flat.get("node")


def test_a_prompt_opens_with_its_target_against_what_was_said_instead():
    right, wrong, _ = (outcome_link("demo", outcome) for outcome in TARGET.outcomes)
    request, _ = asked(right)
    assert (request.prompt, request.target.token) == ("The capital of Japan is", " Tokyo")
    assert request.target.contrast is None
    request, _ = asked(wrong)
    assert (request.target.token, request.target.contrast) == (" Paris", " Rome")


def test_a_token_without_a_text_of_its_own_goes_by_its_id():
    odd = replace(TARGET.outcomes[0], target="�", prediction="#")
    assert asked(outcome_link("demo", odd))[0].target.token == "#7"


def test_a_neuron_opens_in_its_example():
    request, node = asked(neuron_link("gpt2", NEURONS.neurons[1]))
    assert (request.model, request.prompt) == ("gpt2", "The cat sat")
    assert node == "neuron:1:2:7"


def test_what_was_found_without_a_prompt_opens_in_the_one_that_is_given():
    place = Place("In Paris", 1)
    assert asked(match_link("demo", SEARCH.promoting_neurons[0], place))[1] == "neuron:1:1:7"
    assert asked(match_link("demo", SEARCH.promoting_heads[0], place))[1] == "head:1:1:3"
    assert match_link("demo", SEARCH.promoting_heads[0], None) is None


def test_what_is_too_long_for_an_address_has_none():
    long = replace(NEURONS.neurons[0], example="x" * LONGEST)
    assert neuron_link("demo", long) is None
