"""A prompt's factors: what is shown and what is counted, held against the split of each vector."""

from __future__ import annotations

import numpy as np
import pytest

from flowviz.contexts.encode import open_reader
from flowviz.contexts.kinds import Site, SiteKind
from flowviz.errors import RequestError
from flowviz.factors.fits import UNSURE
from flowviz.factors.prompt import prompt_factors
from flowviz.factors.request import FactorsRequest
from flowviz.factors.splice import splice_prompt
from tests.encoders.models import random_encoder
from tests.factors.identity import both_ways
from tests.models import random_model

SITES = (Site(SiteKind.RESID_PRE, 1), Site(SiteKind.MLP_OUT, 2))
ASKED = FactorsRequest(prompt="the cat sat on a mat")
MODELS = {"gpt2": random_model, "bert": random_encoder}
models = pytest.mark.parametrize("name", MODELS)


@models
def test_each_place_has_the_factors_of_its_vector(name: str) -> None:
    model = MODELS[name](name)
    width = model.shape.d_model
    dictionary = both_ways(width, SITES, threshold=0.4, offset=0.1)
    found = prompt_factors(model, dictionary, ASKED, most=2 * width)
    reader = open_reader(model)
    asked = reader.ask(ASKED.prompt)
    vectors = reader.vectors([asked.ids], SITES)
    assert found.tokens == asked.column.tokens
    assert found.activations.shape == (len(found.factors), 2, len(asked.ids))
    for row, site in enumerate(SITES):
        for position, split in enumerate(dictionary.split(vectors[site])):
            of_place = dict(zip(split.factors, split.activations, strict=True))
            for number, factor in enumerate(found.factors):
                shown = float(found.activations[number, row, position])
                assert shown == pytest.approx(of_place.get(factor, 0.0), abs=1e-6)
            hidden = set(split.factors) - set(found.factors)
            assert found.others[row, position] == len(hidden)
            assert found.explained[row, position] == pytest.approx(split.explained, abs=1e-5)


@models
def test_the_strongest_in_sum_are_shown_first(name: str) -> None:
    model = MODELS[name](name)
    dictionary = both_ways(model.shape.d_model, SITES, threshold=0.4)
    few = prompt_factors(
        model, dictionary, ASKED, most=5, words=lambda some: [f"w{f}" for f in some]
    )
    whole = prompt_factors(model, dictionary, ASKED, most=10_000)
    assert few.factors == whole.factors[:5]
    assert few.words == tuple(f"w{factor}" for factor in few.factors)
    special = list(open_reader(model).ask(ASKED.prompt).column.special)
    text = np.delete(whole.activations, special, axis=2)
    sums = text.sum((1, 2)).tolist()
    assert sums == pytest.approx(sorted(sums, reverse=True))
    assert min(sums) > 0
    more = (whole.activations[5:] > 0).sum(0)
    np.testing.assert_array_equal(few.others, more + whole.others)


@models
def test_its_losses_are_those_of_a_splice(name: str) -> None:
    model = MODELS[name](name)
    dictionary = both_ways(model.shape.d_model, SITES, threshold=0.4)
    asked = open_reader(model).ask(ASKED.prompt)
    found = prompt_factors(model, dictionary, ASKED)
    loss, spliced = splice_prompt(model, dictionary, asked.ids, asked.column.special, asked.types)
    assert found.loss == pytest.approx(loss, abs=1e-6)
    assert found.spliced == pytest.approx(spliced, abs=1e-5)
    assert max(abs(each - loss) for each in found.spliced) > 1e-3


def test_without_a_loss_a_note_says_why() -> None:
    model = random_encoder("t5")
    sites = (Site(SiteKind.RESID_PRE, 1),)
    found = prompt_factors(model, both_ways(model.shape.d_model, sites), ASKED)
    assert (found.loss, found.spliced) == (None, ())
    assert "decoder" in found.notes[-1]
    assert len(found.factors) == 40


def test_a_vector_without_factors_is_counted_as_such() -> None:
    model = random_model("gpt2")
    silent = both_ways(model.shape.d_model, SITES, threshold=1e9)
    found = prompt_factors(model, silent, ASKED)
    assert found.factors == ()
    assert found.activations.shape == (0, 2, len(found.tokens))
    assert not found.others.any()
    np.testing.assert_allclose(found.explained, 0, atol=1e-6)


def test_where_nobody_says_of_which_model_it_is_a_note_does() -> None:
    model = random_model("gpt2")
    own = both_ways(model.shape.d_model, SITES, identity=open_reader(model).identity)
    assert prompt_factors(model, own, ASKED).notes == ()
    assert prompt_factors(model, both_ways(model.shape.d_model, SITES), ASKED).notes == (UNSURE,)


@pytest.mark.parametrize(
    ("width", "sites", "identity", "words"),
    [
        (8, SITES, "", "8 numbers"),
        (32, (Site(SiteKind.RESID_PRE, 77),), "", "resid_pre:77"),
        (32, SITES, "f" * 32, "another version"),
    ],
)
def test_another_models_is_refused(
    width: int, sites: tuple[Site, ...], identity: str, words: str
) -> None:
    with pytest.raises(RequestError, match=words):
        prompt_factors(random_model("gpt2"), both_ways(width, sites, identity=identity), ASKED)
