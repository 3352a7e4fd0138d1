"""Attention as one HTML file: whole in itself, with tokens as data, and bounded."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from flowviz.attention.types import KIND_WORDS, AttentionMaps
from flowviz.errors import RequestError
from flowviz.views.alone.attention import attention_page
from flowviz.views.attention.packed import layer_packed, model_packed
from tests.attention_maps import looking_back

NASTY = "</script><img src=x onerror=alert(1)>"


def data_of(page: str) -> dict:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)
    assert found
    return json.loads(found.group(1))


def test_nothing_is_fetched() -> None:
    page = attention_page(looking_back())
    assert re.findall(r"<(?:link|iframe|object|embed|base)\b", page) == []
    assert re.findall(r"<(?:script|img)[^>]*\bsrc=", page) == []
    assert re.findall(r"@import|url\(", page) == []
    assert set(re.findall(r"https?://[^\"'\s]+", page)) == {"http://www.w3.org/2000/svg"}  # a name
    assert "default-src 'none'" in page


def test_a_window_is_what_the_page_draws_and_what_all_share_stands_once() -> None:
    maps = looking_back()
    data = data_of(attention_page(maps))
    for layer, windows in enumerate(data["layers"]):
        assert [{**data["shared"], **each} for each in windows] == [layer_packed(maps, layer, None)]
        assert "tokens" not in windows[0]
    assert data["model"] == model_packed(maps)
    assert data["shared"]["tokens"] == layer_packed(maps, 0, None)["tokens"]


def test_windows_hold_every_token_of_a_long_prompt() -> None:
    maps = looking_back([f" {word}" for word in range(150)])
    data = data_of(attention_page(maps))
    queries = [{**data["shared"], **each}["queries"] for each in data["layers"][0]]
    assert sorted({place for window in queries for place in window}) == list(range(150))
    assert [window[0] for window in queries] == [0, 48, 86]


def test_the_finder_names_what_these_tokens_have_a_place_for() -> None:
    data = data_of(attention_page(looking_back()))
    named = {kind["name"]: kind for kind in data["kinds"]}
    assert len(named) < len(KIND_WORDS)
    assert "Duplicate token" not in named  # no token occurs twice
    best = named["Previous token"]["strongest"][0]
    assert best == [0, 0, 1.0]


@pytest.mark.parametrize("where", ["token", "title", "note"])
def test_what_comes_from_outside_stands_as_text(where: str) -> None:
    maps = looking_back([NASTY, " b"]) if where == "token" else looking_back()
    maps = replace(maps, notes=(NASTY,)) if where == "note" else maps
    page = attention_page(maps, NASTY if where == "title" else "")
    assert "<img" not in page
    assert page.count("</script>") == 2
    if where == "token":
        assert NASTY.replace(" ", "␣") in data_of(page)["shared"]["tokens"]


def test_a_file_that_no_browser_opens_is_refused() -> None:
    weights = np.broadcast_to(np.float16(0), (48, 25, 400, 400))
    maps = replace(looking_back(), weights=weights)
    with pytest.raises(RequestError, match=r"400 tokens in 48 x 25 heads takes \d+ MB"):
        attention_page(maps)


def test_arrays_of_ones_own_are_a_page_too() -> None:
    maps = AttentionMaps.of(
        np.tri(3)[None, None] / np.arange(1, 4)[:, None], ["my", "own", "words"]
    )
    page = attention_page(maps, "Mine & theirs")
    assert "<title>Mine &amp; theirs · flowviz</title>" in page
    assert "Pattern · 1 layers × 1 heads, 3 tokens" in page
