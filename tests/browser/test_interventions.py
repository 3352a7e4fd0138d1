"""Changing the pass on the page: each change is drawn, listed, linked, and undone by one click."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.workbench import CY, Workbench

PROMPT = "When Mary and John went to the store, John gave a drink to"
DONOR = "When Anna and John went to the store, John gave a drink to"
OTHER = "The capital of Japan is the city of"
HEAD = "head:3:11:3"


@pytest.fixture
def opened(bench: Workbench) -> Workbench:
    """The names, with the strongest head in the inspector."""
    bench.open(prompt=PROMPT, token=" Mary", contrast=" John", node=HEAD)
    expect(bench.page.locator(".change h3")).to_have_text("Change this")
    return bench


def chips(page: Page) -> list[str]:
    return page.locator(".change-chip > .pop > summary").all_inner_texts()


def shift_click(bench: Workbench, node: str) -> None:
    bench.page.evaluate(f"id => {{ {CY}.center({CY}.getElementById(id)); }}", node)
    x, y = bench.place(node)
    bench.page.keyboard.down("Shift")
    bench.page.mouse.click(x, y)
    bench.page.keyboard.up("Shift")


def test_a_head_is_switched_off_scaled_patched_and_left_alone_again(opened, context) -> None:
    page = opened.page
    value = page.locator("#flow-value")
    clean = value.inner_text()
    opened.redraw(lambda: page.click(".change [data-how='0']"))
    opened.wait_query("interventions", f"{HEAD}=0")
    expect(page.locator("#change-bar")).to_contain_text("L3 H3 at ␣a (11)off")
    expect(page.locator(".change-now")).to_contain_text("switched off")
    expect(value).to_contain_text("before")
    expect(page.locator(".figures")).to_contain_text("Before")
    assert opened.elements("node.changed") == [HEAD]
    expect(page.locator(".legend .changed")).to_be_visible()

    # by the keyboard on the slider, which waits until it rests
    slider = page.locator(".change .scale input")
    slider.focus()
    slider.press("ArrowRight")
    expect(page.locator(".change .scale output")).to_have_text("× 0.25")
    opened.redraw(lambda: slider.press("ArrowRight"))
    opened.wait_query("interventions", f"{HEAD}=0.5")

    # at every position, by a mark of the slider
    page.select_option(".change .scope", "head:3:*:3")
    opened.redraw(lambda: page.click(".change .marks [data-how='5']"))
    opened.wait_query("interventions", f"{HEAD}=0.5;head:3:*:3=5")
    assert len(opened.elements("node.changed")) > 1

    # in the list: another factor for one, undo for the other, Escape closes
    page.click(".change-chip summary >> nth=0")
    expect(page.locator(".change-chip .scale >> nth=0")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".change-chip .scale >> nth=0")).to_be_hidden()
    opened.redraw(lambda: page.get_by_role("button", name="Undo: L3 H3 at every").click())
    opened.wait_query("interventions", f"{HEAD}=0.5")

    # the other prompt, with Enter
    page.click(".change .change-acts .pop summary")
    page.fill(".change textarea", DONOR)
    opened.redraw(lambda: page.press(".change textarea", "Enter"))
    opened.wait_query("interventions", f"{HEAD}=donor")
    opened.wait_query("donor", DONOR)
    assert opened.elements("node.put-in")
    link, drawn, listed = page.url, opened.drawn, chips(page)
    assert len(listed) == 2

    other = context.new_page()
    other.goto(link)
    other.wait_for_selector(f"[data-drawn='{drawn}']")
    expect(other.locator("#change-bar")).to_contain_text("Other prompt: When␣Anna")
    assert chips(other) == listed
    assert other.url == link
    other.close()

    compare = page.locator("#change-bar .compare").get_attribute("href")
    assert compare.startswith("/compare?")
    assert "b_interventions=" in compare
    opened.redraw(lambda: page.click("#change-bar [data-undo=all]"))
    opened.wait_query("interventions", None)
    expect(page.locator("#change-bar")).to_be_empty()
    expect(value).to_have_text(clean)
    expect(page.locator(".legend .changed")).to_be_hidden()


def test_picked_nodes_are_changed_together_and_edges_are_cut(opened) -> None:
    page = opened.page
    bar = page.locator("#change-parts")
    expect(bar).to_be_hidden()
    others = [key for key in opened.elements("node.head") if key != HEAD][:2]
    for key in others:
        shift_click(opened, key)
    expect(page.locator("#change-parts-count")).to_have_text("2 nodes picked")
    assert opened.query["node"] == HEAD  # a pick is no selection
    page.focus("#flow-canvas")
    page.keyboard.press("Shift+Enter")
    expect(page.locator("#change-parts-count")).to_have_text("3 nodes picked")
    assert sorted(opened.elements("node.picked")) == sorted([HEAD, *others])
    page.keyboard.press("Escape")
    expect(bar).to_be_hidden()
    assert opened.elements("node.picked") == []
    for key in others:
        shift_click(opened, key)
    opened.redraw(lambda: page.click("#change-parts [data-how='-5']"))
    opened.wait_query("interventions", f"{','.join(others)}=-5")
    expect(page.locator("#change-bar")).to_contain_text("2 parts× −5")
    expect(bar).to_be_hidden()
    opened.redraw(lambda: page.click("#change-bar [data-undo='1']"))

    # an edge of the circuit, from the table
    opened.redraw(lambda: page.get_by_text("Circuit", exact=True).click())
    target = opened.elements("node.target")[0]
    opened.select(target)
    row = page.locator("#flow-inflows .ag-row:has(.cut)").first
    edge = row.get_attribute("row-id").replace(" ", ">")
    opened.redraw(lambda: row.locator(".cut").click())
    opened.wait_query("interventions", f"{edge}=0")
    assert opened.query["node"] == target  # the button does not open the row
    assert opened.elements("edge.changed") == [edge]
    undo = page.locator("#flow-inflows .cut[aria-pressed=true]")
    expect(page.locator("#flow-inflows")).to_contain_text("Before")
    opened.redraw(lambda: undo.click())
    opened.wait_query("interventions", None)


def test_another_prompt_and_what_cannot_be_done(bench) -> None:
    page = bench.page
    bench.open(prompt=PROMPT, interventions=f"{HEAD}=0;head:2:*:1=0")
    bench.redraw(lambda: bench.run(OTHER))
    bench.wait_query("interventions", "head:2:*:1=0")
    expect(page.locator("#change-bar")).to_contain_text("1 change was put aside")
    picture = bench.drawn
    page.click("#change-bar [data-aside=back]")
    bench.notice("positions 0 to")
    expect(page.locator(".change-chip")).to_have_count(2)  # nothing is lost
    assert bench.drawn == picture
    page.get_by_role("button", name="Undo: head:3:11").or_(
        page.get_by_role("button", name="Undo: L3 H3")
    ).click()
    expect(page.locator("#shell-notice-box")).to_be_hidden()
    expect(page.locator(".change-chip")).to_have_count(1)

    # the same number of tokens keeps everything
    bench.redraw(lambda: bench.run(OTHER.replace("Japan", "Spain")))
    bench.wait_query("interventions", "head:2:*:1=0")
    expect(page.locator(".aside")).to_have_count(0)

    # the other prompt is missing
    bench.select(bench.elements("node.head")[0])
    page.click(".change .change-acts .pop summary")
    page.click(".change [data-how=donor]")
    bench.notice("Type the other prompt")
    expect(page.locator(".change-chip")).to_have_count(1)


def test_a_link_with_a_change_that_is_none_says_what_is_wrong(bench) -> None:
    bench.visit(prompt=PROMPT, interventions="head:3=0")
    bench.notice("names no node")
    expect(bench.page.locator("#flow-prompt")).to_have_value(PROMPT)
