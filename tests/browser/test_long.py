"""Long prompts: a thousand tokens on the strip, a part of them drawn, and the way back."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

MANY = 1000
PROMPT = " ".join(f"w{number}" for number in range(MANY))
SHORT = "The capital of Japan is the city of"
LONG_TASKS = """
window.longTasks = [];
new PerformanceObserver(list => window.longTasks.push(...list.getEntries().map(e => e.duration)))
    .observe({ entryTypes: ["longtask"] });
"""


@pytest.fixture
def long_bench(fake_bench):
    return fake_bench.open(prompt=PROMPT, model="gpt2")


def chip(bench, position: int):
    return bench.page.locator(f"#flow-tokens [data-position='{position}']")


def test_a_thousand_tokens_stand_on_the_strip_with_the_targets_in_sight(long_bench):
    expect(long_bench.page.locator("#flow-tokens button")).to_have_count(MANY)
    expect(chip(long_bench, MANY - 1)).to_be_in_viewport()
    expect(chip(long_bench, MANY - 1)).to_have_class("chip token chosen drawn")
    height = long_bench.page.locator("#flow-tokens").bounding_box()["height"]
    assert height < 100


def test_the_strip_never_freezes_the_page(page, fake_address):
    page.add_init_script(LONG_TASKS)
    page.goto(fake_address)
    page.wait_for_selector("[data-drawn]")
    page.evaluate("window.longTasks = []")
    page.evaluate(
        "strip => window.dash_clientside.flowviz.tokens(strip)",
        {
            "tokens": PROMPT.split(),
            "ids": list(range(MANY)),
            "target": 5,
            "drawn": [1, 5],
            "span": None,
        },
    )
    page.keyboard.press("/")
    page.keyboard.type("quick brown fox")
    expect(page.locator("#flow-prompt")).to_have_value("The capital of France isquick brown fox")
    assert max(page.evaluate("window.longTasks"), default=0) < 500


def test_a_token_is_found_by_its_text_or_its_number(long_bench):
    find = long_bench.page.get_by_role("searchbox", name="Find a token")
    find.fill("700")
    expect(chip(long_bench, 700)).to_have_class("chip token hit")
    expect(chip(long_bench, 700)).to_be_in_viewport()
    find.fill("w99")
    said = long_bench.page.locator("#flow-tokens .found")
    expect(said).to_have_text("1 of 11")
    expect(chip(long_bench, 99)).to_be_in_viewport()
    find.press("Enter")
    expect(said).to_have_text("2 of 11")
    expect(chip(long_bench, 990)).to_have_class("chip token hit")
    find.press("Shift+Enter")
    expect(said).to_have_text("1 of 11")
    find.fill("nothing like it")
    expect(said).to_have_text("not there")
    find.fill("5000")
    expect(said).to_have_text("the last is 999")


def test_arrows_walk_the_strip_and_enter_asks(bench):
    bench.open(prompt=SHORT)
    chip(bench, 7).focus()
    bench.page.keyboard.press("ArrowLeft")
    expect(chip(bench, 6)).to_be_focused()
    bench.page.keyboard.press("Home")
    expect(chip(bench, 0)).to_be_focused()
    bench.page.keyboard.press("ArrowRight")
    bench.redraw(lambda: bench.page.keyboard.press("Enter"))
    assert bench.query["position"] == "1"


def test_dragging_over_tokens_draws_only_those_and_one_click_leads_back(bench):
    bench.open(prompt=SHORT)
    page = bench.page
    start, end = (chip(bench, at).bounding_box() for at in (3, 7))
    page.mouse.move(start["x"] + 5, start["y"] + 5)
    page.mouse.down()
    page.mouse.move(end["x"] + 5, end["y"] + 5, steps=12)
    expect(page.locator(".in-range")).to_have_count(5)
    bench.redraw(page.mouse.up)
    bench.wait_query("positions", "3-7")
    assert "position" not in bench.query
    expect(page.locator("#flow-part")).to_contain_text("Drawn: only tokens 3 to 7 of 8")
    expect(page.get_by_label("First token drawn")).to_have_value("3")
    expect(page.locator("#flow-tokens .outside")).to_have_count(3)
    drawn = {int(node.split(":")[-1]) for node in bench.elements("node.resid_pre")}
    assert drawn <= set(range(3, 8))
    bench.redraw(page.get_by_role("button", name="Draw all tokens").click)
    bench.wait_query("positions", None)
    expect(page.locator("#flow-part")).to_be_hidden()


def test_the_targets_column_is_one_click_and_numbers_do_what_the_slider_does(bench):
    bench.open(prompt=SHORT)
    page = bench.page
    bench.redraw(page.get_by_role("button", name="Target", exact=True).click)
    assert bench.query["positions"] == "7-7"
    expect(page.locator("#flow-part")).to_contain_text("Drawn: only token 7 (␣of)")
    assert {node.split(":")[2] for node in bench.elements("node.head, node.neuron")} <= {"7"}
    first = page.get_by_label("First token drawn")
    bench.redraw(lambda: (first.fill("4"), first.press("Tab")))
    bench.wait_query("positions", "4-7")
    bench.redraw(page.get_by_role("button", name="All", exact=True).click)
    expect(page.get_by_label("Last token drawn")).to_have_value("7")


def test_numbers_that_are_no_range_are_told_and_nothing_is_lost(bench):
    bench.open(prompt=SHORT)
    page, drawn = bench.page, bench.drawn
    page.get_by_label("Last token drawn").fill("99")
    bench.notice("the last token is 7")
    assert bench.drawn == drawn
    bench.redraw(lambda: page.get_by_label("Last token drawn").fill("5"))
    drawn = bench.drawn
    page.get_by_label("First token drawn").fill("6")
    bench.notice("6 comes after 5")
    assert bench.query["positions"] == "0-5"
    assert bench.drawn == drawn
    expect(page.get_by_label("First token drawn")).to_have_value("6")


def test_a_link_to_positions_that_are_not_there_says_so_and_keeps_the_prompt(bench):
    bench.visit(prompt=SHORT, positions="200-300")
    bench.notice("positions is 200-300")
    expect(bench.page.locator("#flow-prompt")).to_have_value(SHORT)
