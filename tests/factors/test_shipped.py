"""The dictionaries that ship: they are the demo model's, and as good as their cards say."""

from __future__ import annotations

import numpy as np
import pytest

from flowviz.contexts.corpus import demo_corpus
from flowviz.contexts.corpus.types import Sentence
from flowviz.contexts.encode import open_reader
from flowviz.demo.folder import FACTORS_FOLDER
from flowviz.encoders.loading import load_any
from flowviz.factors.dictionary.files import load_dictionary
from flowviz.factors.dictionary.loaded import LoadedDictionary
from flowviz.factors.kinds import Method
from flowviz.factors.learn.measuring import measure
from flowviz.factors.splice import splice
from flowviz.models.catalogue import find_model

NAMES = ("coding", "topk")


@pytest.fixture(scope="module", params=NAMES)
def shipped(request: pytest.FixtureRequest) -> LoadedDictionary:
    return load_dictionary(FACTORS_FOLDER / request.param)


def test_there_are_two_of_at_most_six_megabytes() -> None:
    files = [file for name in NAMES for file in (FACTORS_FOLDER / name).iterdir() if file.is_file()]
    assert sum(file.stat().st_size for file in files) < 6 * 10**6
    methods = [load_dictionary(FACTORS_FOLDER / name).about.method for name in NAMES]
    assert methods == [Method.CODING, Method.TOPK]


def test_a_card_says_how_it_was_made_and_how_good_it_is(shipped: LoadedDictionary) -> None:
    about = shipped.about
    readme = (FACTORS_FOLDER / about.name / "README.md").read_text()
    assert f"--out flowviz/demo/factors/{about.name}\n" in readme
    assert about.explained is not None
    assert about.recovered is not None
    for value in (f"{about.explained:.4f}", f"{about.l0:.1f}", f"{about.recovered:.4f}"):
        assert f"| {value} |" in readme
    assert about.explained > 0.88
    assert about.recovered > 0.95
    assert (about.dead or 0) < 0.05 * about.factors
    np.testing.assert_allclose(np.linalg.norm(shipped.atoms, axis=1), 1, atol=1e-5)


def test_the_figures_hold_on_the_demo_corpus_too(shipped: LoadedDictionary) -> None:
    """None of its sentences was learned from, and many of its words are in no such place there."""
    model, about = load_any(find_model("demo")), shipped.about
    reader = open_reader(model)
    assert reader.identity == about.identity
    sentences = [each for each, _ in demo_corpus().read() if isinstance(each, Sentence)][::25]
    texts = [reader.tokens(each.text) for each in sentences]
    vectors = reader.vectors([text.ids for text in texts], about.sites)
    found = measure(shipped, np.concatenate(list(vectors.values())))
    assert about.explained is not None
    assert about.l0 is not None
    assert about.recovered is not None
    assert found.explained == pytest.approx(about.explained, abs=0.04)
    assert found.l0 == pytest.approx(about.l0, rel=0.2)
    kept = splice(model, shipped, texts[::3]).recovered_in_all
    assert kept == pytest.approx(about.recovered, abs=0.05)
