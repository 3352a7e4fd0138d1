"""Hits and summaries as scripts draw them."""

from __future__ import annotations

import base64
from dataclasses import replace

import numpy as np

from flowviz.contexts.kinds import Metric, Site, SiteKind
from flowviz.contexts.request import ContextRequest
from flowviz.contexts.types import Hit
from flowviz.views.contexts.packed import AFTER, BEFORE, hits_packed, summaries_packed
from tests.contexts_found import OTHER, SENTENCE, found, hit

ASKED = ContextRequest("The nurse saw")


def packed(one: Hit, **request: object) -> dict:
    answer = replace(found(replace(ASKED, **request)), hits=(one,))
    return hits_packed(answer, 1, lambda _hit: [])["hits"][0]


def test_a_sentence_reads_as_it_is_written():
    one = packed(hit(0))
    text = "".join((" " if gap else "") + text for text, gap, _, _ in one["pieces"])
    assert text == "The nurse saw Mary in Rome."
    assert [piece[2] for piece in one["pieces"]] == [0, 1, 1, 2, 3, 4, 5, 6]
    assert (one["at"], one["attended"]) == (3, 2)
    assert one["words"]["3"] == {
        "form": "Mary", "lemma": "mary", "upos": "PROPN", "deprel": "obj", "entity": "PERSON",
        "governor": "saw",
    }  # fmt: skip
    assert one["place"] == "news · sentence 0"
    assert packed(replace(hit(0), place="news 3, line 7"))["place"] == "news 3, line 7"
    assert packed(replace(hit(0), part=""))["place"] == "sentence 0"


def test_spaces_of_a_tokenizer_that_are_not_in_the_text_are_left_out():
    one = hit(0, (("The", "DET", "det", ""), ("nurse", "NOUN", "nsubj", ""),
                  ("saw", "VERB", "root", ""), (".", "PUNCT", "punct", "")))  # fmt: skip
    spaced = [replace(token, text=f" {token.text.strip()}") for token in one.tokens.tokens]
    spaced[2] = replace(spaced[2], text="rse")
    tokens = replace(one.tokens, tokens=tuple(spaced))
    pieces = packed(replace(one, tokens=tokens))["pieces"]
    assert "".join(" " * gap + text for text, gap, _, _ in pieces) == "The nurse saw."


def test_special_tokens_stand_apart():
    one = hit(0)
    tokens = replace(one.tokens, special=(0,))
    pieces = packed(replace(one, tokens=tokens, word_of=(-1, *one.word_of[1:])))["pieces"]
    assert pieces[0] == ["The", 0, -1, 1]
    assert pieces[1][1] == 1  # a space behind it


def test_what_would_not_show_or_would_turn_the_line_shows():
    one = packed(hit(0, OTHER))
    texts = [piece[0] for piece in one["pieces"]]
    assert texts[1:3] == ["<b", ">cat"]
    assert texts[3] == "⟨U+202E⟩saw"
    assert texts[4] == "⁨שלום⁩"
    assert one["words"]["2"]["form"] == "⟨U+202E⟩saw"


def test_a_sentence_of_bytes_is_shown_as_it_was_written_too():
    one = hit(0, OTHER)
    assert packed(one)["plain"] == ""
    tokens = [*one.tokens.tokens[:-1], replace(one.tokens.tokens[-1], text="<0xD7>")]
    broken = replace(one, tokens=replace(one.tokens, tokens=tuple(tokens)))
    assert packed(broken)["plain"] == "\u2068A <b>cat ⟨U+202E⟩saw שלום\u2069"
    assert len(packed(replace(broken, text="a" * 500))["plain"]) == 400


def test_attention_is_sent_as_it_is():
    one = packed(hit(0))
    weights = np.frombuffer(base64.b64decode(one["attention"]), "<f2").reshape(8, 8)
    assert np.array_equal(weights, hit(0).attention)


def test_of_a_long_sentence_a_part_is_shown():
    long = hit(0, SENTENCE, 30)
    last = len(long.tokens) - 1
    moved = replace(long, position=last - 100, attended=0)
    one = packed(moved)
    assert len(one["pieces"]) == BEFORE + AFTER
    assert one["before"] == last - 100 - BEFORE
    assert one["before"] + BEFORE + AFTER + one["after"] == len(long.tokens)
    assert (one["at"], one["attended"]) == (BEFORE, None)
    weights = np.frombuffer(base64.b64decode(one["attention"]), "<f2")
    first = one["before"]
    size = BEFORE + AFTER
    assert np.array_equal(
        weights.reshape(size, size), long.attention[first : first + size, first : first + size]
    )


def test_the_bar_of_a_score_is_of_one_or_of_the_highest():
    assert packed(hit(0))["bar"] == 0.99
    assert packed(replace(hit(0), score=-0.5))["bar"] == 0.0
    assert packed(replace(hit(0), score=37.25), metric=Metric.INNER)["bar"] == 1.0
    neuron = {"site": Site(SiteKind.NEURONS, 1), "chosen": (7,)}
    low = [replace(hit(number), score=score) for number, score in enumerate((-0.2, -0.1))]
    answer = replace(found(replace(ASKED, **neuron)), hits=tuple(low))
    assert [each["bar"] for each in hits_packed(answer, 2, lambda _: [])["hits"]] == [1.0, 0.5]
    assert packed(replace(hit(0), score=-0.25))["score"] == "−0.250"


def test_only_so_many_hits_are_sent():
    answer = found(ContextRequest("many"))
    sent = hits_packed(answer, 20, lambda each: [{"words": str(each.row)}])
    assert (len(sent["hits"]), sent["total"]) == (20, 50)
    assert sent["hits"][0]["links"] == [{"words": "1000"}]


def test_bars_are_scaled_to_the_widest_and_say_their_numbers():
    roles = summaries_packed(found(ASKED))["roles"]
    assert [each["stand_out"] for each in roles] == [2, 2, 2]
    attended = roles[2]["charts"][0]
    noun, det = attended["bars"]
    assert noun["filter"] == "attended.upos=NOUN"
    assert (noun["share"], noun["high"], noun["over"]) == (round(11 / 12, 4), 1.0, 1)
    assert (det["over"], det["ratio"]) == (-1, "×0.4")
    assert noun["tip"] == [
        "NOUN: 11 of 12 hits",
        "share 92%, 95% interval 82% to 100%",
        "base 25% of all 9,000 tokens of the corpus",
        "×3.7 as often as there",
        "More often than chance gives, for all values here together",
    ]
    hidden = roles[0]["charts"][1]["bars"][1]
    assert hidden["label"] == "⟨U+202E⟩saw"
    assert hidden["filter"] == "matched.form=\u202esaw"
    assert "nowhere else" in hidden["tip"]
    assert [each["title"] for each in roles[0]["charts"]] == ["Part of speech", "Word"]
    assert [bar["label"] for bar in roles[2]["charts"][1]["bars"]] == ["−1", "−2"]


def test_a_value_too_long_for_a_filter_has_none():
    answer = found(ASKED)
    summary = answer.summaries[0]
    long = replace(summary.bars[0], value="x" * 101)
    sent = summaries_packed(replace(answer, summaries=(replace(summary, bars=(long,)),)))
    assert sent["roles"][0]["charts"][0]["bars"][0]["filter"] is None
