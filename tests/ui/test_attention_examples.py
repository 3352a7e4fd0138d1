"""What the attention page says of its own examples, held on the model that ships."""

from __future__ import annotations

import pytest

from flowviz.attended import attention_maps
from flowviz.attention.request import AttentionRequest
from flowviz.encoders.loading import load_any
from flowviz.models.catalogue import find_model
from flowviz.ui.attention.examples import OWN, asked_by, first_of, look_for, offered
from tests.ui.conftest import EXAMPLES

WORD, PAIR, PRONOUN = OWN


@pytest.fixture(scope="module")
def bert():
    return load_any(find_model("demo-bert"), lambda _stage, _fraction: None)


def seen(example, model, **other):
    maps = attention_maps(
        other.get("prompt", example.prompt),
        model,
        second=example.second,
        mask=",".join(map(str, other.get("mask", example.mask))),
    )
    return maps, [token.text.strip() for token in maps.tokens]


def top(maps, place):
    best = maps.readings[place][0]
    return best.token.strip(), best.probability


def least(maps, example, query, source):
    """The weight of the head that looks least there, of those that the example names."""
    return min(maps.row(example.layer, head, query)[source] for head in example.heads)


def test_a_masked_first_word_is_told_by_what_follows(bert):
    maps, words = seen(WORD, bert)
    assert (words[1], words[6]) == ("Tokyo", "Japan")
    assert top(maps, 1)[0] == "Tokyo"
    assert top(maps, 1)[1] > 0.8
    assert least(maps, WORD, 1, 6) > 0.8
    both, _ = seen(WORD, bert, mask=(1, 6))
    assert top(both, 1)[1] < 0.2


def test_the_second_sentence_reads_the_country_of_the_first(bert):
    maps, words = seen(PAIR, bert)
    assert (words[1], words[6], words[12]) == ("Tokyo", "Japan", "Japanese")
    assert top(maps, 12)[0] == "Japanese"
    assert least(maps, PAIR, 12, 6) > 0.7
    both, _ = seen(PAIR, bert, mask=(6, 12))
    assert top(both, 12)[0] == "Japanese"
    assert least(both, PAIR, 12, 1) > 0.7


def test_a_pronoun_follows_the_occupation(bert):
    maps, words = seen(PRONOUN, bert)
    assert (words[4], words[10]) == ("nurse", "She")
    assert top(maps, 10)[0] == "She"
    assert least(maps, PRONOUN, 10, 4) > 0.7
    other, _ = seen(PRONOUN, bert, prompt=PRONOUN.prompt.replace("nurse", "plumber"))
    assert top(other, 10)[0] == "He"


def test_examples_are_offered_with_their_models():
    assert offered(EXAMPLES, ["demo"]) == EXAMPLES
    all_of_them = offered(EXAMPLES, ["demo", "demo-bert"])
    assert all_of_them == (*EXAMPLES, *OWN)
    asked = asked_by(all_of_them, ["demo", "demo-bert"])
    assert [each["model"] for each in asked] == ["demo", "demo", *["demo-bert"] * 3]
    assert (asked[0]["target"], asked[3]["second"]) == (" Paris", PAIR.second)
    assert first_of(all_of_them, ["demo", "demo-bert"], "demo-bert")["mask"] == [1]
    assert first_of(all_of_them, ["demo", "demo-bert"], "x") == {}
    assert first_of(all_of_them, ["demo-bert"], "demo-bert")["prompt"] == WORD.prompt
    names = ["demo", "demo-bert"]
    request = AttentionRequest(PAIR.prompt, "demo-bert", second=PAIR.second)
    assert PAIR.look_for in look_for(request, all_of_them, names)
    assert look_for(AttentionRequest(PAIR.prompt, "demo"), all_of_them, names) == []
