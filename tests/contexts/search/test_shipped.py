"""The whole way on the shipped models and the demo corpus: reader, store, search, summaries."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest

from flowviz.attended import loaded_model
from flowviz.contexts.again import most_attended, resting
from flowviz.contexts.corpus import demo_corpus
from flowviz.contexts.corpus.types import Fault, Sentence
from flowviz.contexts.encode import open_reader
from flowviz.contexts.encode.types import Reader
from flowviz.contexts.find import find_contexts
from flowviz.contexts.json import read_contexts, to_json
from flowviz.contexts.kinds import Feature, Metric, Role, Site
from flowviz.contexts.request import ContextRequest
from flowviz.contexts.search import nearest
from flowviz.contexts.store import build
from flowviz.contexts.store.types import Store
from flowviz.contexts.types import ContextsFound, Hit

SITES = ("resid_pre:2", "heads:1", "neurons:1", "mlp_out:1", "resid_final")
PROMPT = "The teacher gave the book to the child."
FOLDER = TemporaryDirectory()
QUESTIONS: tuple[dict[str, Any], ...] = (
    {"site": "resid_pre:2"},
    {"site": "resid_pre:2", "metric": "inner"},
    {"site": "heads:1"},
    {"site": "heads:1", "chosen": "1,3"},
    {"site": "heads:1", "chosen": "2", "metric": "inner"},
    {"site": "neurons:1", "chosen": "40"},
    {"site": "mlp_out:1", "other_word": "1", "filters": ["matched.upos=VERB"]},
    {"site": "resid_final", "one_each": "0"},
)


class Fewer:
    """Every sixth sentence of the demo corpus."""

    name = "demo"
    whole = demo_corpus()
    bytes = whole.bytes
    annotations, notes = whole.annotations, whole.notes

    def fingerprint(self) -> str:
        return f"a sixth of {self.whole.fingerprint()}"

    def read(self) -> Iterator[tuple[Sentence | Fault, int]]:
        return islice(self.whole.read(), 0, None, 6)


@cache
def of(model: str) -> tuple[Reader, Store]:
    reader = open_reader(loaded_model(model))
    folder, sites = Path(FOLDER.name) / model, [Site.parse(site) for site in SITES]
    return reader, build(Fewer(), reader, folder, sites, progress=lambda *_: None)


def ask(model: str, prompt: str = PROMPT, **choices: Any) -> ContextsFound:
    request = ContextRequest.from_mapping({"prompt": prompt, "model": model, **choices})
    return find_contexts(*of(model), request, lambda *_: None)


def alone(reader: Reader, hit: Hit, site: Site) -> np.ndarray:
    """A hit's vector from a pass of its sentence alone."""
    ids = [token.id for token in hit.tokens.tokens]
    return reader.vectors([ids], [site])[site][hit.position].astype(np.float64)


@pytest.mark.parametrize("model", ["demo", "demo-bert"])
@pytest.mark.parametrize("choices", QUESTIONS, ids=str)
def test_scores_are_computed_again_by_hand(model: str, choices: dict[str, Any]) -> None:
    reader, store = of(model)
    found = ask(model, position=3, count=8, **choices)
    site = found.request.site
    assert site is not None
    asked = reader.ask(PROMPT)
    own = reader.vectors([asked.ids], [site], [asked.types])[site][3].astype(np.float64)
    width = reader.head_width(1) if str(site) == "heads:1" else len(own)
    chosen = found.request.chosen if str(site) != "neurons:1" else ()
    assert len(found.hits) == 8
    for hit in found.hits:
        other, parts = alone(reader, hit, site), []
        for part in chosen or range(len(own) // width):
            a, b = own[part * width :][:width], other[part * width :][:width]
            lengths = np.linalg.norm(a) * np.linalg.norm(b)
            parts.append(a @ b / (lengths if found.request.metric is Metric.COSINE else 1))
        by_hand = np.mean(parts) if found.request.metric is Metric.COSINE else np.sum(parts)
        if str(site) == "neurons:1":
            by_hand = other[40]
        assert hit.score == pytest.approx(by_hand, abs=1e-4, rel=1e-4)
        _check_words(store, hit)
        ids = [token.id for token in hit.tokens.tokens]
        [pattern] = reader.attention([ids], found.heads)
        np.testing.assert_allclose(hit.attention, pattern, atol=1e-3)
        special = np.isin(np.arange(len(ids)), hit.tokens.special)
        assert hit.attended == most_attended(
            pattern[hit.position], resting(special.tolist(), False)
        )
        assert hit.position not in hit.tokens.special


def _check_words(store: Store, hit: Hit) -> None:
    """What the store says of a row is what its sentence says."""
    assert (store.sentence_of[hit.row], store.position_of[hit.row]) == (hit.sentence, hit.position)
    assert store.info.parts[store.part_of[hit.row]] == hit.part
    for role in (Role.MATCHED, Role.NEXT):
        for feature in (Feature.UPOS, Feature.DEPREL, Feature.ENTITY, Feature.FORM, Feature.LEMMA):
            codes, word = store.codes(role, feature), hit.word(role)
            expected = "" if word is None else word.value(feature)
            assert codes.values[codes.codes[hit.row]] == expected
    word = hit.word(Role.MATCHED)
    assert word is not None
    token = hit.tokens.tokens[hit.position].text.strip().removeprefix("##").lower()
    assert token in word.form.lower()
    assert hit.text[word.start : word.end] == word.form


@pytest.mark.parametrize("model", ["demo", "demo-bert"])
def test_by_an_index_the_same_is_found(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for choices in QUESTIONS:
        scanned = ask(model, position=3, **choices)
        with monkeypatch.context() as patch:
            patch.setattr(nearest, "SCANNED", 0)
            patch.setattr(nearest, "TAKEN", 0)
            indexed = ask(model, position=3, **choices)
        assert [hit.row for hit in indexed.hits] == [hit.row for hit in scanned.hits]
        assert indexed.exact
    assert list((Path(FOLDER.name) / model / "index").glob("*.faiss"))
    monkeypatch.setattr(nearest, "INDEXES", nearest.Indexes())
    assert build_again(model).info.rows == of(model)[1].info.rows  # the index disturbs no store


def build_again(model: str) -> Store:
    reader = of(model)[0]
    sites = [Site.parse(site) for site in SITES]
    folder = Path(FOLDER.name) / model
    return build(Fewer(), reader, folder, sites, progress=lambda *_: None)


def test_a_masked_verb_is_found_among_verbs() -> None:
    found = ask("demo-bert", mask="3", position=3, site="resid_pre:2", count=20)
    [upos] = [s for s in found.summaries if (s.role, s.feature) == (Role.MATCHED, Feature.UPOS)]
    assert (upos.bars[0].value, upos.bars[0].over) == ("VERB", 1)
    assert upos.bars[0].low > 4 * upos.bars[0].base


def test_the_whole_answer_reads_back() -> None:
    found = ask("demo-bert", filters=["attended.upos=DET"], count=20, position=3)
    back = read_contexts(to_json(found))
    assert back.summaries == found.summaries
    assert [hit.words for hit in back.hits] == [hit.words for hit in found.hits]
    looked_at = [hit.word(Role.ATTENDED) for hit in back.hits]
    assert {word and word.upos for word in looked_at} == {"DET"}
