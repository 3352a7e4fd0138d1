"""What the browser is given of attention maps, read back as it reads it."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import replace

import numpy as np
import pytest

from flowviz.attention.request import AttentionRequest
from flowviz.attention.types import Part, Weighting
from flowviz.views.attention.packed import layer_packed, model_packed, thumbnail_cells
from flowviz.views.attention.readings import readings_packed
from flowviz.views.attention.window import BEHIND, BETWEEN, MOST_TOKENS, Frame, Window
from flowviz.views.attention.words import (
    beyond_words,
    kind_name,
    status_words,
    strongest,
    window_words,
)
from tests.attention_maps import looking_back, signed
from tests.attention_sessions import both_maps, encoder_maps

LONG = tuple(f" w{i}" for i in range(200))


def halves(text: str, shape: tuple[int, ...]) -> np.ndarray:
    return np.frombuffer(b64decode(text), "<f2").reshape(shape)


def test_a_layer_comes_back_as_it_was():
    maps = looking_back()
    packed = layer_packed(maps, 1, None)
    assert (packed["layer"], packed["layers"], packed["heads"]) == (1, 2, 3)
    assert packed["queries"] == packed["sources"] == [0, 1, 2, 3, 4, 5]
    assert packed["tokens"] == ["In", "␣France", "␣the", "<b>", "↵", "\u2068␣שלום\u2069"]
    np.testing.assert_array_equal(halves(packed["data"], (3, 6, 6)), maps.layer(1))


def test_a_layer_that_is_not_there_is_the_last():
    assert layer_packed(looking_back(), 99, None)["layer"] == 1


def test_a_signed_layer_keeps_its_signs_and_its_unit():
    packed = layer_packed(signed(looking_back()), 0, None)
    assert (packed["signed"], packed["unit"], packed["weighting"]) == (True, 0.5, "flow")
    values = halves(packed["data"], (3, 6, 6))
    assert (values[0, 1, 0], values[0, 2, 1]) == (1, -1)


@pytest.mark.parametrize(
    ("positions", "start", "expected"),
    [(6, None, (0, 6)), (6, 99, (0, 6)), (200, None, (136, 200)), (200, 0, (0, 64)),
     (200, 50, (50, 114)), (200, 10**6, (136, 200))],
)  # fmt: skip
def test_a_window_stays_within_the_prompt(positions, start, expected):
    window = Window.at(positions, start)
    assert (window.start, window.end) == expected
    assert window.end - window.start == min(positions, MOST_TOKENS)
    assert window.whole == (positions <= MOST_TOKENS)


@pytest.mark.parametrize("start", [0, 1, 2, 50, None])
@pytest.mark.parametrize("ahead", [False, True])
def test_a_window_drops_nothing_that_its_tokens_read(start, ahead):
    rng = np.random.default_rng(0)
    weights = rng.random((1, 2, 200, 200)) / 200
    weights = (weights if ahead else np.tril(weights)).astype(np.float16)
    maps = replace(looking_back(LONG, 1, 2), weights=weights)
    if ahead:
        column = replace(maps.queries, special=(0, 20, 199))
        maps = replace(maps, queries=column, part=Part.ENCODER, parts=(Part.ENCODER,))
    frame = Frame.of(maps, start)
    cut = frame.cut(maps.layer(0))
    assert cut.shape == (2, MOST_TOKENS, len(frame.sources.rows))
    window = frame.queries
    whole = maps.layer(0)[:, window.start : window.end].astype(np.float64).sum(-1)
    np.testing.assert_allclose(cut.astype(np.float64).sum(-1), whole, rtol=2e-3)


def test_what_lies_before_a_window_is_its_first_token_and_one_sum():
    maps = looking_back(LONG, back=100)
    packed = layer_packed(maps, 0, 120)
    assert packed["sources"][:3] == [0, BETWEEN, 120]
    row = halves(packed["data"], (3, MOST_TOKENS, 66))[0, 0]
    assert list(row[:3]) == [0, 1, 0]  # token 120 reads token 20, one of those between
    assert packed["between"] == "sum of 1–119"
    assert (packed["start"], packed["last"]) == (120, 136)
    words = "Tokens 120 to 183 of 200; what they read elsewhere stands in rows of its own"
    assert window_words(maps, 120) == words
    assert window_words(maps, 0) == "Tokens 0 to 63 of 200"
    assert window_words(looking_back(), None) == ""


def test_an_encoders_window_keeps_special_tokens_and_sums_what_lies_behind():
    maps = encoder_maps(AttentionRequest(" ".join(["w"] * 110), "bert", second="x " * 60))
    packed = layer_packed(maps, 0, 40)
    assert packed["sources"][:3] == [0, BETWEEN, 40]
    assert packed["sources"][-4:] == [103, BEHIND, 111, 172]  # both [SEP] keep their rows
    assert (packed["between"], packed["behind"]) == ("sum of 1–39", "rest of 104–171")
    assert packed["sums"]["-2"][6:9] == [110, 112, 113]
    assert packed["columns"]["query"]["second"] == 112


def test_two_columns_of_cross_attention_are_sent_with_their_own_tokens():
    maps = both_maps(AttentionRequest("Today it rains a lot", "t5", part=Part.CROSS))
    packed = layer_packed(maps, 1, None)
    assert (packed["tokens"], len(packed["keys"])) == (["Das", "ist", "gut"], 7)
    assert (packed["queries"], packed["sources"]) == ([0, 1, 2], [0, 1, 2, 3, 4, 5, 6])
    assert halves(packed["data"], (4, 3, 7))[0, 1].tolist() == [0.25, 0.75, 0, 0, 0, 0, 0]
    assert status_words(maps) == "3 layers × 4 heads, 3 tokens look at 7"
    small = model_packed(maps)
    assert small["size"] == 7
    levels = np.frombuffer(b64decode(small["data"]), np.uint8).reshape(3, 4, 7, 7)
    assert levels[0, 0, :, 2].tolist() == [0, 0, 0, 0, 0, 191, 191]  # the last query, twice


def test_norms_come_with_what_their_rows_were_divided_by():
    maps = encoder_maps(AttentionRequest("a b", "bert", weighting=Weighting.NORM))
    packed = layer_packed(maps, 0, None)
    totals = np.frombuffer(b64decode(packed["totals"]), "<f4").reshape(4, 4)
    assert (totals == 2.5).all()


def test_predictions_come_with_the_rank_of_what_is_there():
    maps = encoder_maps(AttentionRequest("a b", "bert", mask=(1,)))
    packed = readings_packed(maps, None)
    assert (packed["next"], packed["masked"]) == (False, [1])
    row = packed["rows"][1]
    assert (row["at"], row["text"], row["own"], row["rank"]) == (1, "a", "a", 2)
    assert row["found"][:2] == [["Tokyo", 0.5], ["a", 0.2]]
    crossing = both_maps(AttentionRequest("a b", "t5", part=Part.CROSS))
    rows = readings_packed(crossing, None)["rows"]
    assert [row["own"] for row in rows] == ["ist", "gut", None]  # what follows is asked about
    assert readings_packed(looking_back(), None) is None


def test_what_is_not_there_is_said():
    maps = looking_back()
    assert beyond_words(maps, 1, (0, 2), 5) == beyond_words(maps, None, None, None) == ""
    assert beyond_words(maps, 9, (1, 7), 6) == (
        "There is no layer 9: layers go from 0 to 1, and the last is shown. There is no head 7: "
        "heads go from 0 to 2, and the others are shown. There is no token 6: they go from 0 to "
        "5, and none is pinned."
    )
    said = beyond_words(maps, 0, (7, 8), None)
    assert said == "There are no heads 7, 8: heads go from 0 to 2, and all are shown."


def test_kinds_of_heads_have_names():
    assert [kind_name(kind) for kind in ("previous", "offset:4", "offset:-2", "special")] == [
        "Previous token", "Offset 4", "Offset −2 (ahead)", "Special tokens",
    ]  # fmt: skip


def test_thumbnails_of_a_short_prompt_have_a_cell_for_each_weight():
    maps = looking_back()
    packed = model_packed(maps)
    levels = np.frombuffer(b64decode(packed["data"]), np.uint8).reshape(2, 3, 6, 6)
    expected = np.rint(255 * maps.weights.astype(np.float64))
    np.testing.assert_array_equal(levels, expected)
    assert packed["size"] == 6
    names = [kind["name"] for kind in packed["kinds"]]
    assert names[0] == "previous"
    assert {"first", "same", "duplicate", "induction"} < set(names)
    scores = halves(packed["kinds"][0]["data"], (2, 3))
    assert (scores[0, 0], scores[1, 0]) == (1, 0.75)


def test_thumbnails_of_a_long_prompt_show_the_strongest_weight_of_each_block():
    maps = looking_back(LONG)
    packed = model_packed(maps)
    size = packed["size"]
    assert size == thumbnail_cells(maps) == 64
    levels = np.frombuffer(b64decode(packed["data"]), np.uint8).reshape(2, 3, size, size)
    assert (np.diagonal(levels[0, 0]) == 255).all()  # the token before lies in the same block
    assert "each shows its strongest weight" in status_words(maps)


def test_signed_thumbnails_are_around_128():
    packed = model_packed(signed(looking_back(LONG)))
    levels = np.frombuffer(b64decode(packed["data"]), np.uint8)
    assert set(np.unique(levels[: 64 * 64])) == {1, 128, 255}


def test_forty_eight_layers_of_twenty_five_heads_stay_below_two_megabytes():
    maps = looking_back(LONG[:40], layers=48, heads=25)
    packed = model_packed(maps)
    assert len(b64decode(packed["data"])) == 48 * 25 * packed["size"] ** 2 <= 1_500_000
    assert packed["size"] >= 32


def test_the_strongest_heads_do_it_more_than_chance():
    found = strongest(looking_back(), "previous")
    assert [(each.layer, each.head) for each in found] == [(0, 0), (1, 0)]
    assert found[1].score == 0.75
    assert strongest(looking_back(), "induction") == ()
