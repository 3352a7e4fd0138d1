"""Two passes compared in a browser: ways in, what it draws, and every way to change it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from flowviz.app import create_app
from flowviz.views.compare.words import SAME
from tests.browser.compared import Compared
from tests.browser.conftest import serving
from tests.browser.workbench import CY, nameless
from tests.ui.test_compare import CompareSession

NURSE, PLUMBER = "The nurse said that", "The plumber said that"
PAIR = {"prompt": NURSE, "b_prompt": PLUMBER, "token": " she", "contrast": " he"}
FILES = ("json", "changes", "edges", "predictions", "png", "svg")


@pytest.fixture
def compared(page, address) -> Compared:
    return Compared(page, address)


@pytest.fixture(scope="module")
def slow_address() -> Iterator[str]:
    """Where a second prompt that is "slow" runs until it is cancelled."""
    with serving(create_app(CompareSession())) as address:
        yield address


def test_both_sides_are_drawn_and_every_way_leads_to_a_node(compared):
    compared.open(**PAIR)
    page, panel = compared.page, compared.page.locator(".inspector")
    assert compared.columns == ["The", "␣nurse | ␣plumber, differs", "␣said", "␣that"]
    expect(page.locator(".strip-head")).to_contain_text("4 columns, 1 differs")
    expect(page.locator("#compare-legend")).to_contain_text("more in second")
    expect(page.locator("#compare-value")).to_contain_text("logit difference")
    expect(panel.locator(".side-by-side tbody tr").first).to_contain_text("%")
    head = compared.elements("node.head")[0]
    compared.click_element(head)
    compared.wait_selected(head)
    for words in ("First", "Second", "Change", "In the first it reads as", "What flows in"):
        expect(panel).to_contain_text(words)
    assert compared.elements("node.selected") == [head]
    row = compared.rows.nth(1)
    other = row.get_attribute("row-id")
    row.hover()
    page.wait_for_function(f"id => {CY}.getElementById(id).hasClass('hover')", arg=other)
    row.click()
    compared.wait_selected(other)
    inflow = page.locator("#compare-inflows .ag-center-cols-container .ag-row").first
    source = inflow.get_attribute("row-id").split(" ")[0]
    inflow.click()
    compared.wait_selected(source)
    page.locator("#compare-canvas").focus()
    page.keyboard.press("ArrowUp")
    page.wait_for_function("old => window.flowviz.selected() !== old", arg=source)
    page.keyboard.press("Escape")
    compared.wait_query("node", None)
    expect(panel.locator(".side-by-side")).to_be_visible()


def test_swapping_turns_every_sign_and_equal_sides_draw_nothing(compared):
    compared.open(**PAIR)
    page = compared.page
    before = compared.changes()
    compared.redraw(lambda: page.get_by_role("button", name="Swap the two sides").click())
    assert (compared.query["prompt"], compared.query["b_prompt"]) == (PLUMBER, NURSE)
    expect(page.locator("#compare-second")).to_have_value(NURSE)
    assert compared.changes() == pytest.approx({name: -w for name, w in before.items()})
    page.locator("body").click(position={"x": 5, "y": 5})
    compared.redraw(lambda: page.keyboard.press("x"))
    assert compared.changes() == pytest.approx(before)
    compared.redraw(lambda: compared.run_second(NURSE))
    expect(page.locator("#compare-same")).to_contain_text(SAME)
    assert compared.elements("*") == []
    expect(page.locator(".changed-most")).to_be_hidden()
    compared.redraw(lambda: compared.run_second("The very old plumber said that"))
    expect(page.locator("#compare-same")).to_be_hidden()
    expect(page.locator(".strip-head")).to_contain_text("6 columns, 3 differ")
    expect(page.locator("#compare-alignment")).to_contain_text("no partner")


def test_controls_draw_anew_and_a_link_reproduces_the_page(compared, context):
    compared.open(**PAIR)
    page = compared.page
    compared.redraw(page.locator("#compare-wiring").get_by_text("Circuit").click)
    compared.redraw(page.get_by_label("Neurons").click)
    compared.redraw(lambda: page.click("#compare-rest"))
    compared.wait_query("rest", "0")
    page.click("#compare-states")
    compared.wait_query("states", "1")
    assert compared.query["wiring"] == "circuit"
    assert "neuron" not in compared.query["kinds"]
    assert compared.elements("node.neuron, node.rest, node.resid_pre") == []
    compared.select(compared.elements("node.head")[0])
    link, drawn, nodes = page.url, compared.drawn, compared.elements("node")
    panel = page.locator(".inspector h2").inner_text()
    other = context.new_page()
    other.goto(link)
    other.wait_for_selector(f"[data-drawn='{drawn}']")
    assert sorted(other.evaluate(f"{CY}.nodes().map(e => e.id())")) == sorted(nodes)
    expect(other.locator(".inspector h2")).to_have_text(panel)
    expect(other.locator("#compare-rest")).not_to_be_checked()
    assert other.url == link
    other.get_by_role("link", name="Second in the flow").first.click()
    other.wait_for_selector("#flow-canvas[data-drawn]")
    expect(other.locator("#flow-prompt")).to_have_value(PLUMBER)
    other.close()
    compared.redraw(page.get_by_role("button", name="Back to the defaults").click)
    compared.wait_query("wiring", None)


def test_from_the_flow_the_first_is_filled_in_and_the_second_asked_for(bench, address):
    bench.open(prompt=NURSE, token=" she")
    page = bench.page
    pages = page.get_by_role("navigation", name="Pages")
    pages.get_by_role("link", name="Compare").click()
    second = page.locator("#compare-second")
    expect(second).to_be_focused()
    expect(page.locator("#compare-prompt")).to_have_value(NURSE)
    expect(page.locator(".empty")).to_contain_text("Type the second prompt")
    second.press("Enter")
    bench.notice("Type the second prompt")
    compared = Compared(page, address)
    compared.run_second(PLUMBER)
    page.wait_for_selector("#compare-canvas[data-drawn]")
    expect(page.locator("#shell-notice-box")).to_be_hidden()
    assert compared.query["token"] == " she"
    pages.get_by_role("link", name="Flow").click()
    page.wait_for_selector("#flow-canvas[data-drawn]")
    assert (bench.query["prompt"], bench.query["token"]) == (NURSE, " she")


def test_examples_targets_positions_and_predictions(compared):
    compared.open(**PAIR)
    page = compared.page

    def pick(title: str) -> None:
        page.get_by_role("button", name="Examples").click()
        compared.redraw(lambda: page.get_by_role("menuitem", name=title).click())

    pick("two heads are switched off")
    expect(page.locator("#compare-second-changes")).to_have_value("head:4:*:4,head:4:*:6=0")
    assert compared.query["b_interventions"] == "head:4:*:4,head:4:*:6=0"
    expect(page.locator("#compare-look-for")).to_contain_text("runs without heads 4 and 6")
    assert all(", differs" not in column for column in compared.columns)
    compared.redraw(lambda: page.locator(".column").nth(2).click())
    compared.wait_query("position", "2")
    expect(page.locator(".column.chosen")).to_have_text("␣said")
    pick("One fact against another")
    compared.wait_query("position", None)
    assert "b_interventions" not in compared.query
    page.click("#compare-own")
    box = page.get_by_label("Target token of the second")
    box.fill("Madrid")
    compared.redraw(lambda: page.get_by_role("option", name="␣Madrid").first.click())
    compared.wait_query("b_token", " Madrid")
    expect(page.locator("#compare-note")).to_contain_text("The first explains")
    token = page.locator(".side-by-side tbody button").nth(2)
    named = token.get_attribute("data-token")
    compared.redraw(token.click)
    compared.wait_query("token", named)


def test_what_was_found_can_be_saved_and_the_link_copied(compared):
    compared.open(**PAIR)
    page = compared.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.click("#compare-link")
    expect(page.locator("#compare-link")).to_have_attribute("data-said", "Link copied")
    content = {what: downloaded(page, what) for what in FILES}
    assert json.loads(content["json"])["second"]["prompt"] == PLUMBER
    assert content["changes"].startswith(b"rank,id,kind")
    assert content["edges"].startswith(b"id,source")
    assert content["predictions"].startswith(b"id,token")
    assert content["png"].startswith(b"\x89PNG")
    assert b"<svg" in content["svg"]
    with page.expect_download() as waiting:
        page.click("#compare-save-table")
    assert waiting.value.suggested_filename == "compare-changes.csv"


def downloaded(page, what: str) -> bytes:
    page.get_by_role("button", name="Download").click()
    with page.expect_download() as waiting:
        page.click(f"#compare-save-{what}")
    assert waiting.value.suggested_filename.startswith("compare")
    return Path(waiting.value.path()).read_bytes()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_width_in_the_systems_theme(compared, scheme):
    page = compared.page
    page.emulate_media(color_scheme=scheme)
    compared.open(**PAIR)
    compared.select(compared.elements("node.head")[0])
    for width in (1440, 800, 390):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_function(f"w => {CY}.width() > 300 && {CY}.width() <= w", arg=width)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.locator("#compare-canvas").bounding_box()["height"] >= 300
        for part in ("#compare-run", "#compare-status", ".inspector h2", "#compare-rows"):
            expect(page.locator(part)).to_be_visible()
    assert nameless(page) == []


def test_what_is_wrong_is_told_and_the_page_goes_on(compared):
    compared.visit(prompt=NURSE, b_interventions="head")
    compared.notice("is no intervention")
    compared.run_second(PLUMBER)
    compared.page.wait_for_selector("[data-drawn]")
    expect(compared.page.locator("#shell-notice-box")).to_be_hidden()
    drawn = compared.drawn
    compared.run_second("word " * 400)
    compared.notice("Shorten it")
    assert compared.drawn == drawn
    expect(compared.page.locator("#compare-second-count")).to_contain_text("too many")


def test_another_checkpoint_is_chosen_and_swapped_and_a_long_run_cancelled(page, slow_address):
    compared = Compared(page, slow_address).open(**PAIR)
    page.get_by_text("Another checkpoint, or a change").click()
    page.get_by_label("Model of the second").click()
    compared.redraw(page.get_by_role("option", name="GPT-2 small").click)
    compared.wait_query("b_model", "gpt2")
    compared.redraw(lambda: page.click("#compare-swap"))
    compared.wait_query("model", "gpt2")
    assert (compared.query["b_model"], compared.query["b_prompt"]) == ("demo", NURSE)
    compared.redraw(lambda: page.click("#compare-swap"))
    compared.wait_query("model", "demo")
    compared.run_second("a slow one")
    expect(page.locator("#compare-stage")).to_have_text("Running both")
    page.click("#compare-cancel")
    compared.notice("the last picture stands")
    assert compared.query["b_prompt"] == PLUMBER
