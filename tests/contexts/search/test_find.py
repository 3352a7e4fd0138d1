"""A question about contexts, answered on a small corpus in memory: hits, filters, words, faults."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from flowviz.contexts.corpus.types import Word
from flowviz.contexts.find import find_contexts
from flowviz.contexts.kinds import Feature, Role
from flowviz.contexts.request import ContextRequest
from flowviz.contexts.types import ContextsFound, Hit
from flowviz.errors import Cancelled, RequestError
from tests.contexts.in_memory import SITES, WordReader, WordStore, corpus


@cache
def both() -> tuple[WordReader, WordStore]:
    reader = WordReader()
    return reader, WordStore(reader, corpus())


def found(prompt: str = "the dog sees", **choices: Any) -> ContextsFound:
    request = ContextRequest.from_mapping({"prompt": prompt, **choices})
    return find_contexts(*both(), request, lambda _stage, _fraction: None)


def word(hit: Hit, role: Role) -> Word:
    found = hit.word(role)
    assert found is not None
    return found


def test_the_same_context_is_first_and_scores_are_of_a_fresh_pass() -> None:
    answer = found(position=2)
    assert answer.query.tokens[answer.position].text == "dog"
    best = answer.hits[0]
    assert (best.text[:7], best.score) == ("the dog", pytest.approx(1.0, abs=1e-6))
    reader, site = both()[0], answer.request.site or next(iter(both()[1].info.sites))
    asked = reader.ask("the dog sees").ids
    for hit in answer.hits:
        ids = [token.id for token in hit.tokens.tokens]
        for site in SITES:
            if str(site) == "resid_pre:1":
                a = reader.vectors([asked], [site])[site][2].astype(float)
                b = reader.vectors([ids], [site])[site][hit.position].astype(float)
                by_hand = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
                assert hit.score == pytest.approx(by_hand, abs=1e-4)
    scores = [hit.score for hit in answer.hits]
    assert scores == sorted(scores, reverse=True)
    assert len({hit.sentence for hit in answer.hits}) == len(answer.hits) == 40


def test_a_hit_is_whole() -> None:
    hit = found("the dog sees", site="resid_pre:0", count=1).hits[0]
    assert hit.text == "the dog sees a cat ."
    assert [token.text for token in hit.tokens.tokens] == ["<s>", *hit.text.split()]
    assert (hit.tokens.special, hit.word_of) == ((0,), (-1, 0, 1, 2, 3, 4, 5))
    assert hit.position == 3
    assert hit.attended == 2
    assert [word(hit, role).form for role in Role] == ["sees", "a", "dog"]
    assert hit.attention.shape == (7, 7)
    assert hit.attention.dtype == np.float16


def test_filters_before_and_after_the_search() -> None:
    assert {hit.part for hit in found(part="two").hits} == {"two"}
    nouns = found(filters=["matched.upos=NOUN", "next.form!=."])
    assert {word(hit, Role.MATCHED).upos for hit in nouns.hits} == {"NOUN"}
    assert "." not in {word(hit, Role.NEXT).form for hit in nouns.hits}
    assert nouns.searched == 40
    seen = found(filters=["attended.form=dog", "attended.offset=-1"])
    assert {word(hit, Role.ATTENDED).form for hit in seen.hits} == {"dog"}
    assert len(seen.hits) == 16
    assert seen.fewer == (
        "16 of the 50 that were asked for: whether the most attended word passes was looked up for "
        "the 240 nearest; only the best hit of each sentence is shown."
    )
    other = found(other_word=True)
    assert "sees" not in {word(hit, Role.MATCHED).form for hit in other.hits}
    assert found(filters=["matched.upos=NOUN"], other_word=True, position=2).searched == 80 - 16


def test_what_is_left_out_is_told() -> None:
    none = found(filters=["matched.upos=verb"])
    assert none.hits == ()
    assert none.summaries == ()
    assert none.fewer == "No matched word has the upos 'verb'; there are DET, NOUN, PUNCT, VERB."
    assert found(count=40).fewer == ""
    high = found(least=0.999)
    assert 0 < len(high.hits) < 40
    assert all(hit.score >= 0.999 for hit in high.hits)
    assert "only scores of at least 0.999 count" in high.fewer
    assert "only the best hit of each sentence" in high.fewer
    many = found(one_each="0", count=100)
    assert len(many.hits) == 100
    assert many.fewer == ""


def test_summaries_are_counted_by_hand() -> None:
    answer = found(position=2, filters=["matched.upos=NOUN", "matched.form!=dog"], count=500)
    by = {(each.role, each.feature): each for each in answer.summaries}
    assert len(by) == 3 * 5 + 1
    upos = by[Role.MATCHED, Feature.UPOS]
    assert [(bar.value, bar.count, bar.share, bar.base, bar.over) for bar in upos.bars] == [
        ("NOUN", 40, 1.0, 1.0, 0)
    ]
    assert upos.base_of == "all 64 tokens that were searched"
    form = by[Role.MATCHED, Feature.FORM]
    assert sum(bar.count for bar in form.bars) == form.known == 40
    assert {bar.value: bar.base for bar in form.bars} == dict.fromkeys(
        ("bird", "cat", "fish", "horse"), 0.25
    )
    offset = by[Role.ATTENDED, Feature.OFFSET]
    assert [(bar.value, bar.count, bar.over) for bar in offset.bars] == [("-1", 40, 0)]
    assert "random sample of 24" in offset.base_of


def test_a_search_of_verbs_finds_them_over_represented() -> None:
    answer = found(position=3, count=30)
    [upos] = [s for s in answer.summaries if (s.role, s.feature) == (Role.MATCHED, Feature.UPOS)]
    bars = {bar.value: bar for bar in upos.bars}
    assert bars["VERB"].over == 1
    assert bars["VERB"].ratio == pytest.approx(bars["VERB"].share * 6)
    assert bars["NOUN"].over == -1  # of those that are not among the hits, too
    assert bars["NOUN"].count == 0


def test_heads_and_neurons() -> None:
    one = found(site="heads:1", chosen="2", count=10)
    assert one.heads == ((1, 2),)
    all_heads = found(site="heads:1", count=10)
    assert all_heads.heads == ((1, 0), (1, 1), (1, 2))
    assert one.hits[0].score == pytest.approx(1.0, abs=1e-6)
    reader, store = both()
    neuron = found(site="neurons:0", chosen="5", count=10)
    [site] = [each for each in SITES if str(each) == "neurons:0"]
    value = reader.vectors([reader.ask("the dog sees").ids], [site])[site][3, 5]
    scores = [hit.score * np.sign(value) for hit in neuron.hits]
    assert scores == sorted(scores, reverse=True)
    best = (store.arrays[site][:, 5] * np.sign(value)).max()
    assert scores[0] == pytest.approx(best, rel=1e-2)


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        ({"site": "resid_mid:0"}, "no site resid_mid"),
        ({"site": "resid_pre:7"}, "none in block 7"),
        ({"site": "heads:0", "chosen": "3"}, "3 heads at heads:0, numbered from 0"),
        ({"site": "neurons:0", "chosen": "8"}, "8 neurons at neurons:0"),
        ({"heads": "0.3"}, "no head 0.3"),
        ({"heads": "2.0"}, "no head 2.0"),
        ({"position": 4}, "numbered from 0; there is no token 4"),
        ({"part": "three"}, "it has two, one"),
    ],
)
def test_what_is_not_there_is_said_with_what_is(choices: dict[str, Any], words: str) -> None:
    with pytest.raises(RequestError, match=words):
        found(**choices)


def test_a_store_of_another_model_or_without_annotations_is_refused() -> None:
    reader, store = both()
    request = ContextRequest("the dog sees")
    with pytest.raises(RequestError, match="another model"):
        find_contexts(WordReader("words 2"), store, request, lambda *_: None)
    plain = WordStore(reader, corpus()[:2])
    plain.says()
    tagged = replace(request, filters=ContextRequest.from_mapping(
        {"prompt": "a", "filters": ["matched.upos=NOUN"]}).filters)  # fmt: skip
    with pytest.raises(RequestError, match="no annotation at all"):
        find_contexts(reader, plain, tagged, lambda *_: None)
    answer = find_contexts(reader, plain, request, lambda *_: None)
    assert {each.feature for each in answer.summaries} == {Feature.FORM, Feature.OFFSET}


def test_progress_goes_up_and_stops_the_work() -> None:
    told: list[float] = []

    def stop(_stage: str, fraction: float) -> None:
        told.append(fraction)
        if len(told) == 3:
            raise Cancelled("stop")

    request = ContextRequest("the dog sees")
    with pytest.raises(Cancelled):
        find_contexts(*both(), request, stop)
    told.clear()
    find_contexts(*both(), request, lambda _stage, fraction: told.append(fraction))
    assert told == sorted(told)
    assert (told[0], told[-1]) == (0.0, 1.0)


def test_the_word_that_is_asked_about() -> None:
    pair = found("the dog", second="a cat eats", other_word=True)
    assert pair.query.tokens[pair.position].text == "eats"
    assert "eats" not in {word(hit, Role.MATCHED).form for hit in pair.hits}
    begin = found(position=0)
    assert begin.notes[0].startswith("The token that is asked about stands for no text")
    assert begin.attended is None
