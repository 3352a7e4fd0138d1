"""What is said of a search, and how its link says how it is looked at."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flowviz.contexts.kinds import Feature, Role, Site, SiteKind
from flowviz.contexts.request import ContextRequest
from flowviz.errors import RequestError
from flowviz.views.contexts.look import NEAR, Look
from flowviz.views.contexts.words import (
    asked_site,
    asked_words,
    looks_words,
    question_words,
    ratio_words,
    status_words,
)
from tests.contexts_found import found

ASKED = ContextRequest("The nurse saw")


@pytest.mark.parametrize(
    ("site", "chosen", "said"),
    [
        (Site(SiteKind.RESID_PRE, 3), (), "is the hidden state before block 3 as at 1 a?"),
        (Site(SiteKind.RESID_FINAL), (), "is the hidden state behind all blocks as at 1 a?"),
        (Site(SiteKind.HEADS, 2), (), "do all heads of block 2 write what they write at 1 a?"),
        (Site(SiteKind.HEADS, 2), (4,), "does head 4 of block 2 write what it writes at 1 a?"),
        (
            Site(SiteKind.HEADS, 2),
            (1, 3, 5),
            "do heads 1, 3 and 5 of block 2 write what they write at 1 a?",
        ),
        (Site(SiteKind.MLP_OUT, 0), (), "does the MLP of block 0 write what it writes at 1 a?"),
    ],
)
def test_a_question_in_words(site, chosen, said):
    assert asked_words(site, chosen, "1 a") == f"Where else {said}"


def test_of_a_neuron_the_strongest_places_are_asked_for():
    asked = asked_words(Site(SiteKind.NEURONS, 0), (17,), "1 a")
    assert asked == "Where is neuron 17 of block 0 strongest, with the sign that it has at 1 a?"


def test_every_site_has_words():
    for kind in SiteKind:
        site = Site(kind) if kind is SiteKind.RESID_FINAL else Site(kind, 1)
        assert asked_words(site, (0,), "1 a").endswith("at 1 a?")


def test_the_site_that_no_link_names_is_the_middle_one():
    assert asked_site(found(ASKED)) == Site(SiteKind.RESID_PRE, 1)
    assert question_words(found(ASKED)) == (
        "Where else is the hidden state before block 1 as at 2 ␣saw?"
    )


def test_the_status_says_how_exact_it_is():
    answer = found(ASKED)
    assert status_words(answer) == (
        "12 hits of 9,000 tokens compared; scores 0.990 to 0.979; exact; "
        "Made by hand: 300 sentences, 9,000 tokens."
    )
    near = status_words(replace(answer, exact=False, recall=0.96))
    assert "approximate, finds 96% of the ten nearest" in near
    assert status_words(replace(answer, hits=())).startswith("0 hits of")


def test_a_look_is_read_from_a_link():
    assert Look.from_mapping({}) == Look()
    assert Look().offsets == NEAR
    read = Look.from_mapping({"colour": "none", "offsets": "none", "role": "next"})
    assert read == Look(None, (), Role.NEXT)
    assert Look.from_mapping({"colour": "deprel"}).colour is Feature.DEPREL


@pytest.mark.parametrize("flat", [{"colour": "lemma"}, {"offsets": "5"}, {"offsets": [1]},
                                  {"role": "x"}, {"offsets": "1,"}])  # fmt: skip
def test_a_look_that_is_none_is_refused(flat):
    with pytest.raises(RequestError):
        Look.from_mapping(flat)


@pytest.mark.parametrize(
    ("heads", "said"),
    [
        (((3, 3),), "L3 H3 looks at"),
        (((3, 1), (3, 2)), "L3 H1, H2 look, in the mean, at"),
        (tuple((1, head) for head in range(4)), "All heads of block 1 look, in the mean, at"),
        (((0, 1), (2, 0)), "L0 H1; L2 H0 look, in the mean, at"),
        (tuple((layer, 0) for layer in range(6)), "L0 H0; L1 H0; L2 H0; L3 H0; … look, in the "
         "mean, at"),
    ],
)  # fmt: skip
def test_who_looks(heads, said):
    assert looks_words(heads, 4) == said


def test_how_many_times_as_often():
    words = [ratio_words(ratio) for ratio in (0.0, 0.05, 0.4, 3.66, 12.4, float("inf"))]
    assert words == ["×0", "×<0.1", "×0.4", "×3.7", "×12", ""]
