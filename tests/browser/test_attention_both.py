"""Models that read both ways in a browser: pairs, masks, parts, predictions per token, sets."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from flowviz.app import create_app
from flowviz.models.catalogue import Catalogue
from flowviz.session import Session
from tests.attention_sessions import AttentionSession
from tests.browser.conftest import serving
from tests.browser.workbench import Workbench, nameless
from tests.ui.conftest import EXAMPLES

HEADS = "#attention-head-view"
PAIR = {"model": "bert", "prompt": "The cat sat", "second": "It was here"}  # [SEP] at 4 and 8


@pytest.fixture(scope="module")
def both_address() -> Iterator[str]:
    with serving(create_app(AttentionSession(), examples=EXAMPLES)) as address:
        yield address


@pytest.fixture
def bench(page: Page, both_address: str) -> Workbench:
    return Workbench(page, both_address)


def visit(bench: Workbench, **query: str) -> Page:
    bench.page.goto(f"{bench.address}/attention?{urlencode(query)}")
    bench.page.wait_for_selector(f"{HEADS}[data-drawn]")
    return bench.page


def token(side: str, place: int) -> str:
    return f'{HEADS} .token[data-side="{side}"][data-place="{place}"]'


def lines(page: Page) -> list[list[int]]:
    """Which queries and sources have lines."""
    found = page.evaluate(
        "() => flowviz.attention.drawnHeads().found.lines.map(({ i, j }) => [i, j])"
    )
    return sorted({tuple(pair) for pair in found})


def test_lines_go_from_text_to_text(bench):
    page = visit(bench, **PAIR)
    expect(page.locator(f"{HEADS} .text-mark")).to_have_count(18)
    assert page.locator(f"{token('query', 4)} .text-mark").text_content() == "A"
    assert page.locator(f"{token('query', 5)} .text-mark").text_content() == "B"
    page.locator(".of-pairs").get_by_text("B→A", exact=True).click()
    bench.wait_query("pairs", "ba")
    page.wait_for_selector(f"{HEADS}[data-drawn*=-ba-]")
    assert lines(page) == []  # hand-made heads look ahead
    page.focus(HEADS)
    page.keyboard.press("b")
    bench.wait_query("pairs", "bb")
    page.wait_for_selector(f"{HEADS}[data-drawn*=-bb-]")
    assert {i for i, _ in lines(page)} == {5, 6, 7, 8}
    page.keyboard.press("b")
    bench.wait_query("pairs", None)
    visit(bench, **PAIR, pairs="ab")
    assert all(i < 5 <= j for i, j in lines(page))
    assert (3, 5) in lines(page)
    expect(page.locator("#attention-hidden")).to_contain_text("% of what these heads read is hid")
    page.hover(token("query", 3))  # what is left is not scaled up
    expect(page.locator(".tooltip.on")).to_contain_text("L0 H1  B 5 It  60%")
    assert nameless(page) == []


def test_special_tokens_can_be_hidden(bench):
    page = visit(bench, **PAIR)
    assert any(j == 8 for _, j in lines(page))
    page.get_by_role("switch", name="Hide special tokens").click(force=True)
    bench.wait_query("textonly", "1")
    page.wait_for_selector(f"{HEADS}[data-drawn*=text]")
    assert not {0, 4, 8} & {place for pair in lines(page) for place in pair}
    visit(bench, prompt="In France the")
    expect(page.get_by_role("switch", name="Hide special tokens")).to_be_hidden()
    expect(page.locator(".of-pairs")).to_be_hidden()
    expect(page.locator("#attention-target")).to_be_visible()


def test_tokens_are_masked_by_mouse_key_and_button(bench):
    page = visit(bench, **PAIR)
    strip = page.locator("#attention-reading")
    expect(strip).to_contain_text("Click a token to see what the model predicts there")
    expect(page.locator("#attention-target")).to_be_hidden()
    page.dblclick(token("query", 2))
    bench.wait_query("mask", "2")
    expect(page.locator(f"{HEADS} .token.masked")).to_have_count(2)
    expect(page.locator(token("source", 2))).to_contain_text("cat")  # the word stays readable
    expect(strip).to_contain_text("At 2 cat, masked")
    expect(strip).to_contain_text("itself: rank 2, 20%")
    page.hover(token("source", 2))
    expect(page.locator(".tooltip.on")).to_contain_text("A 2 cat (masked)")
    page.focus(HEADS)
    page.keyboard.press("ArrowDown")
    bench.wait_query("at", "query:3")
    page.keyboard.press("m")
    bench.wait_query("mask", "2,3")
    expect(strip).to_contain_text("At 3 sat, masked")
    chip = page.locator(".chip.token").nth(2)
    expect(chip).to_have_class("chip token masked")
    page.get_by_role("button", name="Unmask 3 sat").click()
    bench.wait_query("mask", "2")
    chip.dblclick()
    bench.wait_query("mask", None)
    page.locator(".chip.token").nth(4).dblclick()  # [SEP] stands for no text
    chip.dblclick()
    bench.wait_query("mask", "2")
    page.get_by_role("button", name="Unmask all").click()
    bench.wait_query("mask", None)


def test_predictions_stand_beside_each_token(bench):
    page = visit(bench, **PAIR, mask="1")
    rows = page.locator("#attention-readings .reading-row")
    expect(rows).to_have_count(9)
    expect(rows.nth(2)).to_contain_text("cat")
    expect(rows.nth(2)).to_contain_text("90%")
    expect(rows.nth(1).locator(".guess.own")).to_have_text("The20%")
    rows.nth(6).click()
    bench.wait_query("at", "query:6")
    expect(rows.nth(6)).to_have_class("reading-row now")
    expect(page.locator("#attention-reading")).to_contain_text("itself: rank 1, 90%")
    assert page.locator("#attention-readings b").count() == 0  # a token's text is no markup
    assert page.get_by_text("<b>", exact=True).count() > 0


def test_an_encoder_decoder_has_three_attentions(bench):
    page = visit(bench, model="t5", prompt="Today it rains", second="Heute regnet es")
    expect(page.locator("#attention-parts button")).to_have_text(["Encoder", "Decoder", "Cross"])
    page.get_by_role("button", name="Cross").click()
    bench.wait_query("part", "cross")
    expect(page.locator(f'{HEADS} .token[data-side="query"]')).to_have_count(3)
    expect(page.locator(f'{HEADS} .token[data-side="source"]')).to_have_count(5)
    page.hover(token("query", 1))
    expect(page.locator(".tooltip.on")).to_contain_text("1 regnet reads")
    expect(page.locator(".tooltip.on")).to_contain_text("1 Today  75%")
    expect(page.locator("#attention-second-words")).to_contain_text("what the decoder has written")
    page.locator(".controls").get_by_text("Model", exact=True).click()
    page.wait_for_selector("#attention-model-view[data-drawn]")
    page.mouse.move(500, 400)
    expect(page.locator("#attention-status")).to_contain_text("3 tokens look at 5")


def test_all_heads_as_one_line(bench):
    page = visit(bench, **PAIR, merge="mean", heads="0,1")
    tip = page.locator(".tooltip.on")
    page.hover(token("query", 1))
    expect(tip).to_contain_text("mean of 2 heads  A 2 cat  30%")
    page.locator(".controls").get_by_text("Sum", exact=True).click()
    bench.wait_query("merge", "sum")
    page.wait_for_selector(f"{HEADS}[data-drawn*=-sum-]")
    page.hover(token("query", 2))
    expect(tip).to_contain_text("sum of 2 heads  A 3 sat  0.60 (30% of it all)")
    page.click(token("query", 2))
    page.hover(token("source", 3))  # each head's share is still said
    expect(tip).to_contain_text("L0 H0  60%")


def test_norms_are_said_with_their_totals(bench):
    page = visit(bench, **PAIR, weighting="norm", at="query:1")
    page.hover(token("source", 2))
    expect(page.locator(".tooltip.on")).to_contain_text("L0 H0  60%  total ‖·‖ 2.50")
    page.hover(token("query", 1))
    expect(page.locator(".tooltip.on")).to_contain_text("total ‖·‖: H0 2.50, H1 2.50")


def test_two_texts_are_typed_and_swapped(bench):
    page = visit(bench, model="bert", prompt="The cat sat", layer="1", heads="2")
    page.fill("#attention-second", "It was")
    page.press("#attention-second", "Enter")
    bench.wait_query("second", "It was")
    page.get_by_role("button", name="Swap the two texts").click()
    bench.wait_query("second", "The cat sat")
    assert (bench.query["prompt"], bench.query["layer"], bench.query["heads"]) == (
        "It was", "1", "2",
    )  # fmt: skip
    expect(page.locator("#attention-prompt")).to_have_value("It was")


def test_heads_are_found_over_a_set(bench):
    page = visit(bench, prompt="In France the", over="phenomena/induction")
    expect(page.locator("#attention-kind-words")).to_contain_text("of 15 prompts")
    page.get_by_role("switch", name="Draw the mean over this set").click(force=True)
    bench.wait_query("average", "phenomena/induction")
    expect(page.locator("#attention-banner")).to_contain_text("The mean over 15 prompts")
    page.get_by_role("textbox", name="Over which prompts").click()
    page.get_by_role("option", name="This prompt").click()
    bench.wait_query("average", None)
    bench.wait_query("over", None)
    expect(page.get_by_role("switch", name="Draw the mean over this set")).to_be_hidden()
    expect(page.locator("#attention-kind-words")).not_to_contain_text("prompts")


def test_what_a_link_asks_for_and_is_not_there_is_said(bench):
    page = visit(bench, **PAIR, layer="9", heads="1,30", at="query:70")
    banner = page.locator("#attention-banner")
    for words in ("no layer 9", "no head 30", "no token 70"):
        expect(banner).to_contain_text(words)
    expect(page.locator("#attention-layer-words")).to_have_text("2 of 0 to 2")
    expect(page.locator("#attention-squares [aria-pressed=true]")).to_have_text(["1"])


def test_a_model_that_has_no_flow_is_asked_for_patterns(bench):
    page = visit(bench, model="bert", prompt="The cat sat", weighting="flow")
    expect(page.locator("#attention-weighting-words")).to_contain_text("this model is no GPT")
    bench.wait_query("weighting", None)
    expect(page.get_by_role("radio", name="Flow")).to_have_count(0)


def test_a_link_whose_mask_does_not_fit_can_be_run_without_it(bench):
    page = bench.page
    page.goto(f"{bench.address}/attention?{urlencode({**PAIR, 'mask': '77'})}")
    bench.notice("mask names a position that the text has not")
    page.get_by_role("button", name="Run").click()
    page.wait_for_selector(f"{HEADS}[data-drawn]")
    bench.wait_query("mask", None)


def test_a_pinned_token_is_brought_into_sight(bench):
    page = visit(bench, model="bert", prompt=" ".join(["word"] * 55), at="query:56")
    expect(page.locator(f"{HEADS} .pinned")).to_be_in_viewport()
    page.set_viewport_size({"width": 1440, "height": 700})  # as a notice above it would
    expect(page.locator(f"{HEADS} .pinned")).to_be_in_viewport(ratio=1)
    page.set_viewport_size({"width": 1440, "height": 900})
    page.focus(HEADS)
    page.keyboard.press("Escape")
    bench.wait_query("at", None)
    page.keyboard.press("ArrowDown")  # from the first token
    expect(page.locator(f"{HEADS} .pinned")).to_have_attribute("data-place", "0")
    expect(page.locator(f"{HEADS} .pinned")).to_be_in_viewport()


@pytest.fixture(scope="module")
def bert_address() -> Iterator[str]:
    """Where the masked model that ships is served."""
    session = Session(Catalogue.of(["demo-bert"]))
    session.preload()
    with serving(create_app(session, examples=EXAMPLES)) as address:
        yield address


def test_a_mask_changes_what_the_shipped_model_says_and_where_it_looks(page, bert_address):
    bench = Workbench(page, bert_address)
    visit(bench)  # the first example of the model
    strip = page.locator("#attention-reading")
    expect(strip).to_contain_text("At 1 ␣Tokyo, masked")
    expect(strip).to_contain_text("itself: rank 1")
    expect(page.locator("#attention-look-for")).to_contain_text("What a GPT cannot see")
    page.hover(token("query", 1))
    expect(page.locator(".tooltip.on")).to_contain_text("6 ␣Japan")
    page.dblclick(token("source", 6))
    bench.wait_query("mask", "1,6")
    page.locator("#attention-readings .reading-row").nth(1).click()
    expect(strip).to_contain_text("itself: not among")
    link = page.get_by_role("link", name="neurons of L3 H3 at 1")
    link.click()
    page.wait_for_url("**/head?**")
    assert bench.query["mask"] == "1,6"
