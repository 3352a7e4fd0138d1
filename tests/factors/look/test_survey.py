"""A survey against plain loops over every sentence, token and factor."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

from flowviz.contexts.corpus.words import words_of
from flowviz.contexts.encode import open_reader
from flowviz.contexts.kinds import Feature, Role, Site, SiteKind
from flowviz.errors import Cancelled, RequestError
from flowviz.factors.dictionary.loaded import LoadedDictionary
from flowviz.factors.kinds import Method
from flowviz.factors.look import gathered
from flowviz.factors.look import survey as surveying
from flowviz.factors.look.bands import BANDS
from flowviz.factors.look.gathered import BINS, Active, lots_of
from flowviz.factors.look.survey import Options, survey
from flowviz.factors.look.surveyed import Survey
from flowviz.factors.look.words import COUNTED
from tests.encoders.models import random_encoder
from tests.factors.look.made import TAGS, SmallCorpus, every_activation, made
from tests.models import random_model

SITES = (Site(SiteKind.RESID_PRE, 1), Site(SiteKind.MLP_OUT, 2))
OPTIONS = Options(strongest=5, contexts=4, drawn=2, levels=False)
CORPUS = SmallCorpus()


@lru_cache(maxsize=2)
def both(method: Method = Method.RELU) -> tuple[Survey, LoadedDictionary]:
    model = random_model("gpt2")
    dictionary = made(model, SITES, method)
    return survey(dictionary, model, CORPUS, OPTIONS), dictionary


@lru_cache(maxsize=4)
def plainly(index: int) -> dict[tuple[int, int], np.ndarray]:
    return every_activation(both()[1], random_model("gpt2"), CORPUS, SITES[index])


def of_factor(index: int, factor: int) -> list[tuple[float, int, int]]:
    """Its activations above zero with their places, the strongest first."""
    found = [(float(row[factor]), *place) for place, row in plainly(index).items()]
    return sorted((one for one in found if one[0] > 0), key=lambda one: (-one[0], one[1:]))


@pytest.mark.parametrize("index", [0, 1])
def test_amounts_are_those_of_every_token(index: int) -> None:
    found, _ = both()
    tokens = len(plainly(index))
    assert found.info.tokens == tokens
    assert found.info.sentences == len(CORPUS.texts)
    for factor in range(found.factors):
        values = [value for value, *_ in of_factor(index, factor)]
        assert found.counts[index, factor] == len(values)
        assert found.density[index, factor] == len(values) / tokens
        strongest = (values + [0.0] * 5)[:5]
        assert found.importance[index, factor] == pytest.approx(sum(strongest) / 5, rel=1e-4)
        assert found.largest[index, factor] == pytest.approx(max(values, default=0.0), rel=1e-4)
        counts = np.zeros(BINS, int)
        for value in values:
            counts[[edge <= value for edge in found.edges[index][1:-1]].count(True)] += 1
        assert found.histogram[index, factor].tolist() == counts.tolist()
    assert found.histogram.sum() > 100


@pytest.mark.parametrize("index", [0, 1])
def test_the_strongest_contexts_are_one_a_sentence(index: int) -> None:
    found, _ = both()
    for factor in range(found.factors):
        expected, seen = [], set()
        for value, sentence, position in of_factor(index, factor):
            if sentence not in seen and len(expected) < 4:
                expected.append((sentence, position, value))
                seen.add(sentence)
        own = found.top.of(found.row(index, factor))
        sentences = found.top.sentence[own].tolist()
        assert len(set(sentences)) == len(sentences)
        values = [each[2] for each in expected]
        places = zip(sentences, found.top.position[own].tolist(), strict=True)
        there = [plainly(index)[place][factor] for place in places]  # equals may change places
        np.testing.assert_allclose(there, values, rtol=1e-4)


@pytest.mark.parametrize("index", [0, 1])
def test_contexts_are_drawn_from_every_strength(index: int) -> None:
    found, _ = both()
    for factor in range(found.factors):
        own = found.drawn.of(found.row(index, factor))
        drawn = list(
            zip(
                found.drawn.sentence[own].tolist(), found.drawn.position[own].tolist(),
                found.drawn.tag[own].tolist(), strict=True,
            )
        )  # fmt: skip
        every = of_factor(index, factor)
        for band, (low, high) in enumerate(_bands(found.edges[index], every)):
            there = [each for each in every if low <= each[0] < high]
            lots = _lots(factor, there)
            expected = sorted(lots, key=lambda place: lots[place])[:2]
            assert [each[:2] for each in drawn if each[2] == band] == expected
        assert len(drawn) <= 2 * BANDS
    assert len(found.drawn.tag) > 100
    assert set(found.drawn.tag.tolist()) == set(range(BANDS))


def _bands(edges: np.ndarray, every: list[tuple[float, int, int]]) -> list[tuple[float, float]]:
    """Half-octaves from the one with the largest value down, two at a time; then all below."""
    if not every:
        return []
    halves = edges[::2].tolist()
    top = max(place for place, low in enumerate(halves[:-1]) if low <= every[0][0])
    steps = [halves[max(top + 1 - 2 * i, 0)] for i in range(5)]
    return list(zip([*steps[1:], 0.0], [np.inf, *steps[1:]], strict=True))


def _lots(factor: int, there: list[tuple[float, int, int]]) -> dict[tuple[int, int], int]:
    one = np.array([factor])
    return {
        (sentence, position): int(
            lots_of(
                0,
                Active(
                    one, np.ones(1, np.float32), np.array([sentence]), np.array([position]), one
                ),
            )[0]
        )
        for _, sentence, position in there
    }


def test_lots_are_spread_evenly() -> None:
    count = 20_000
    places = np.arange(count)
    lots = lots_of(
        1, Active(places % 7, np.ones(count, np.float32), places // 9, places % 9, places)
    )
    assert len(np.unique(lots)) > 0.3 * count
    unique = np.unique(lots) / 2.0**64
    assert abs(unique.mean() - 0.5) < 0.02
    assert abs(np.histogram(unique, 10, (0, 1))[0] / len(unique) - 0.1).max() < 0.02


def test_words_are_counted_once_where_a_factor_is_active() -> None:
    found, _ = both()
    reader = open_reader(random_model("gpt2"))
    for factor in range(found.factors):
        counts: dict[tuple[int, str], int] = {}
        words = 0
        active = {place[1:] for place in of_factor(int(found.best[factor]), factor)}
        for number, text in enumerate(CORPUS.texts):
            forms = words_of(text)
            of = found.sentences[number].read(reader).word_of
            own = {of[position] for sentence, position in active if sentence == number} - {-1}
            words += len(own)
            for word in own:
                for column, value in enumerate(_said(forms, word)):
                    counts[column, value] = counts.get((column, value), 0) + bool(value)
        one = found.annotated
        rows = slice(one.starts[factor], one.starts[factor + 1])
        pairs = zip(one.value[rows].tolist(), one.count[rows].tolist(), strict=True)
        assert {found.values[value]: count for value, count in pairs} == {
            pair: count for pair, count in counts.items() if count
        }
        assert one.words[factor] == words
    every = [form.form for text in CORPUS.texts for form in words_of(text)]
    base = dict(zip(found.values, found.annotated.base.tolist(), strict=True))
    assert base[0, "the"] == every.count("the")
    assert found.annotated.total == len(every)


def _said(forms: tuple, word: int) -> list[str]:
    behind = TAGS.get(forms[word + 1].form, "") if word + 1 < len(forms) else ""
    own = {Feature.FORM: forms[word].form, Feature.UPOS: TAGS.get(forms[word].form, "")}
    return [behind if role is Role.NEXT else own.get(feature, "") for role, feature in COUNTED]


def test_the_commonest_word_of_the_strongest_contexts() -> None:
    found, _ = both()
    forms, shares = found.words
    for row in range(len(forms)):
        own = [found.values[tag][1] for tag in found.top.tag[found.top.of(row)].tolist()]
        if own:
            most = max(own.count(form) for form in own)
            word = found.values[int(forms[row])][1]
            assert word == next(form for form in own if own.count(form) == most)
            assert shares[row] == most / len(own)
        else:
            assert shares[row] == 0


def test_how_a_corpus_is_cut_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    found, dictionary = both()
    monkeypatch.setattr(surveying, "SHARD_TOKENS", 10)
    monkeypatch.setattr(gathered, "MOST_PAIRS", 3)
    # the first shard says how large vectors are, and so where bins end: it is made to be the same
    whole = surveying._Gathering._begin

    def begin(self, vectors):
        whole(self, vectors)
        for amounts, drawn, edges in zip(self._amounts, self._drawn, found.edges, strict=True):
            amounts.edges = drawn._edges = edges

    monkeypatch.setattr(surveying._Gathering, "_begin", begin)
    again = survey(dictionary, random_model("gpt2"), CORPUS, OPTIONS)
    for name in ("counts", "largest", "importance", "histogram"):
        np.testing.assert_allclose(getattr(again, name), getattr(found, name), rtol=1e-5)
    for name in ("starts", "sentence", "position"):
        assert (getattr(again.drawn, name) == getattr(found.drawn, name)).all()
        assert (getattr(again.top, name) == getattr(found.top, name)).all()
    assert (again.drawn.tag == found.drawn.tag).all()
    assert _texts(again) == _texts(found)
    assert list(again.sentences) == list(found.sentences)


def _texts(found: Survey) -> list[object]:
    """What depends on the codes of values, as texts: the codes go by the order of reading."""
    one, values = found.annotated, found.values
    pairs = zip(one.value.tolist(), one.count.tolist(), strict=True)
    factors = np.repeat(np.arange(found.factors), np.diff(one.starts)).tolist()
    return [
        [values[tag] for tag in found.top.tag.tolist()],
        sorted((f, values[v], c) for f, (v, c) in zip(factors, pairs, strict=True)),
        sorted(zip(values, one.base.tolist(), strict=True)),
        one.words.tolist(),
    ]


def test_special_tokens_of_an_encoder_are_not_counted() -> None:
    model = random_encoder("bert")
    found = survey(made(model, (SITES[0],)), model, CORPUS, OPTIONS)
    words = sum(len(open_reader(model).tokens(text)) - 2 for text in CORPUS.texts)
    assert found.info.tokens == words
    assert found.top.position.min() >= 1
    assert found.directions is not None
    assert "last matrix" in found.notes[0]


def test_directions_are_read_through_the_unembedding() -> None:
    found, dictionary = both()
    model = random_model("gpt2")
    assert found.directions is not None
    atom = dictionary.directions[3].double()
    weight = model.ln_final.weight.double()
    logits = ((atom - atom.mean()) * weight) @ model.W_U.double()
    order = logits.argsort(descending=True)
    assert found.directions.top[3].tolist() == order[:10].tolist()
    assert found.directions.bottom[3].tolist() == order.flip(0)[:10].tolist()
    ratio = found.directions.top_scores[3] / logits[order[:10]].numpy()
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-3)


def test_another_models_dictionary_is_refused() -> None:
    _, dictionary = both()
    with pytest.raises(RequestError, match="was learned on"):
        survey(dictionary, random_model("gpt2", seed=1), CORPUS, OPTIONS)
    model = random_model("gpt2")
    other = made(model, (Site(SiteKind.NEURONS, 0),))
    wrong = made(model, SITES)
    wrong = LoadedDictionary(other.about, wrong.encoder, wrong.directions, wrong.base)
    assert survey(other, model, CORPUS, OPTIONS).directions is None
    about = replace(wrong.about, width=32)
    with pytest.raises(RequestError, match="32 numbers at neurons:0"):
        survey(replace(wrong, about=about), model, CORPUS, OPTIONS)


def test_an_empty_corpus_is_refused_and_progress_stops_the_work() -> None:
    _, dictionary = both()
    model = random_model("gpt2")
    with pytest.raises(RequestError, match="no sentence"):
        survey(dictionary, model, SmallCorpus(texts=()), OPTIONS)

    told = []
    survey(dictionary, model, CORPUS, Options(), lambda stage, fraction: told.append(fraction))
    assert told == sorted(told)
    assert 0 <= told[0] < told[-1] <= 1

    def stop(stage: str, fraction: float) -> None:
        raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        survey(dictionary, model, CORPUS, OPTIONS, stop)
