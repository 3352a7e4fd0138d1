"""The page of factors in a browser: the list, one factor, a prompt's table, keys, the address."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Page, expect

from flowviz.app import create_app
from tests.browser.conftest import serving
from tests.browser.workbench import Workbench, nameless
from tests.factors.views.made import FactorSession
from tests.ui.conftest import EXAMPLES

ROWS, FACTOR, CHARTS, HEAT = "#factors-rows", "#factors-factor", "#factors-charts", "#factors-heat"
PROMPT = "The nurse saw the saw"


@pytest.fixture(scope="module")
def by_hand() -> Iterator[str]:
    with serving(create_app(FactorSession(), examples=EXAMPLES)) as address:
        yield address


@pytest.fixture
def bench(page: Page, by_hand: str) -> Workbench:
    return Workbench(page, by_hand)


def visit(bench: Workbench, **query: str) -> Page:
    """Opens a link of this page and waits for its factor."""
    bench.page.goto(f"{bench.address}/factors?{urlencode(query)}")
    for part in (ROWS, FACTOR, CHARTS, *([HEAT] if "prompt" in query else [])):
        bench.page.wait_for_selector(f"{part}[data-drawn]")
    return bench.page


def opened(page: Page, factor: int) -> None:
    """Waits until that factor is told."""
    expect(page.locator(f"{FACTOR} h2")).to_contain_text(f"Factor {factor} ")
    expect(page.locator(f"{ROWS} [aria-selected=true]")).to_have_attribute(
        "data-factor", str(factor)
    )


def test_factors_are_listed_and_opened_by_pointer_and_keys(bench):
    page = visit(bench)
    rows = page.locator(f"{ROWS} .factor-row")
    expect(rows).to_have_count(50)
    opened(page, 0)
    rows.nth(1).hover()
    expect(page.locator(".tooltip.on")).to_contain_text("strongest before block 1")
    rows.nth(4).click()
    opened(page, 4)
    bench.wait_query("factor", "4")
    page.locator(ROWS).focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    opened(page, 6)
    page.get_by_role("button", name="The next page").click()
    expect(rows).to_have_count(10)
    bench.wait_query("page", "1")
    expect(page.locator(f"{FACTOR} h2")).to_contain_text("Factor 6 ")
    assert nameless(page) == []


def test_the_list_is_searched_sorted_and_filtered(bench):
    page = visit(bench, page="1")
    rows = page.locator(f"{ROWS} .factor-row")
    page.fill("#factors-text", "saw")
    expect(rows).to_have_count(30)
    bench.wait_query("text", "saw")
    bench.wait_query("page", None)
    page.locator("#factors-order").click()
    page.get_by_role("option", name="Number").click()
    expect(rows.first).to_have_attribute("data-factor", "59")
    page.locator("#factors-level").click()
    page.get_by_role("option", name="word", exact=True).click()
    expect(page.locator(ROWS)).to_contain_text("No factor has “saw”")
    bench.wait_query("level", "word")
    page.reload()
    expect(page.locator("#factors-text")).to_have_value("saw")
    expect(page.locator(ROWS)).to_contain_text("No factor has “saw”")


def test_one_factor_is_told_with_numbers(bench):
    page = visit(bench, factor="9")
    contexts = page.locator(f"{FACTOR} .factor-context")
    expect(contexts).to_have_count(12)
    first = contexts.first
    expect(first.locator(".matched")).to_have_text("saw")
    expect(first.locator(".hit-text")).to_contain_text("The nurse saw the <b>saw ↵")
    first.locator(".matched").hover()
    expect(page.locator(".tooltip.on")).to_contain_text("activation 4.000")
    page.get_by_role("tab", name="All strengths").click()
    expect(page.locator(f"{FACTOR} .band")).to_have_count(2)
    bench.wait_query("contexts", "bands")
    bar = page.locator(f"{CHARTS} .count-bar").first
    bar.hover()
    expect(page.locator(".tooltip.on")).to_contain_text("VERB: 40 of 50")
    page.locator(f"{CHARTS} .near-factors button").first.click()
    opened(page, 10)
    point = page.get_by_role("button", name="Before block 1;")
    point.focus()
    page.keyboard.press("Enter")
    bench.wait_query("site", "resid_pre:1")
    expect(page.locator(f"{FACTOR} h2")).to_contain_text("before block 1")


def test_an_activation_is_split_over_tokens(bench):
    page = visit(bench, factor="5")
    page.get_by_role("button", name="Why here?").first.click()
    split = page.locator(".split")
    expect(split.locator(".split-line")).to_have_count(2)
    expect(split).to_contain_text("Exactly 3.500 of 4.000 comes from the tokens")
    split.locator(".painted", has_text=".").last.hover()
    expect(page.locator(".tooltip.on")).to_contain_text("flow −0.250")
    bench.wait_query("sentence", "0")
    page.get_by_role("button", name="Close the split").click()
    expect(split).to_have_count(0)
    bench.wait_query("sentence", None)


def test_a_prompts_factors_are_a_table_over_layers(bench):
    page = visit(bench, prompt=PROMPT)
    opened(page, 3)
    cells = page.locator(f"{HEAT} .heat-cell")
    expect(cells).to_have_count(7)
    painted = page.locator(f"{HEAT} .prompt-words small")
    expect(painted).to_have_text("5 of 5 tokens before block 2")
    page.locator(f'{HEAT} .heat-cell[data-factor="7"]').hover()
    expect(page.locator(".tooltip.on")).to_contain_text("3.000 at 4 saw, before block 2")
    page.get_by_role("button", name="Before block 0; factors").click()
    expect(cells).to_have_count(6)
    bench.wait_query("layer", "resid_pre:0")
    expect(page.locator(HEAT)).to_contain_text("1 of the prompt's 3 strongest factors")
    page.locator(f'{HEAT} .heat-cell[data-factor="8"]').click()
    opened(page, 8)
    expect(painted).to_have_text("1 of 5 tokens before block 0")
    page.locator(f"{HEAT} .heat").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#factors-spoken")).to_contain_text("1.250 at 1 nurse")
    page.keyboard.press("Enter")
    opened(page, 3)
    way = page.locator(f"{HEAT} a.heat-token").nth(2).get_attribute("href")
    asked = {name: value[0] for name, value in parse_qs(urlsplit(way).query).items()}
    assert asked == {
        "model": "demo", "prompt": PROMPT, "opened": "resid_pre:0@2", "node": "resid_pre:0:2",
    }  # fmt: skip
    assert nameless(page) == []


def test_a_typed_prompt_is_run_and_left_again(bench):
    page = visit(bench)
    page.fill("#factors-prompt", PROMPT)
    page.press("#factors-prompt", "Enter")
    page.wait_for_selector(f"{HEAT}[data-drawn]")
    bench.wait_query("prompt", PROMPT)
    page.fill("#factors-prompt", "")
    page.press("#factors-prompt", "Enter")
    expect(page.locator(HEAT)).to_be_hidden()
    bench.wait_query("prompt", None)


def test_long_work_can_be_cancelled_and_the_input_stays(bench):
    page = visit(bench, factor="2")
    page.fill("#factors-prompt", "a slow prompt")
    page.press("#factors-prompt", "Enter")
    expect(page.locator("#factors-stage")).to_have_text("Surveying the corpus")
    page.locator("#factors-cancel").click()
    bench.notice("The run was stopped")
    expect(page.locator("#factors-prompt")).to_have_value("a slow prompt")
    opened(page, 2)


def test_a_model_without_a_dictionary_says_how_to_learn_one(bench):
    page = visit(bench)
    page.locator("#factors-model").click()
    page.get_by_role("option", name="Gpt2").click()
    empty = page.locator(".factor-picture .empty")
    expect(empty).to_contain_text("python -m flowviz factors train")
    expect(empty).to_be_visible()
    expect(page.locator(CHARTS)).to_have_text("What is known of a factor stands here.")
    bench.wait_query("model", "gpt2")


def test_another_dictionary_is_chosen(bench):
    page = visit(bench, factor="3", level="word")
    page.locator("#factors-dictionary").click()
    page.get_by_role("option", name="topk: 120, TopK autoencoder").click()
    expect(page.locator("#factors-card")).to_contain_text("TopK autoencoder")
    bench.wait_query("dictionary", "topk")
    bench.wait_query("factor", None)
    expect(page.locator("#factors-level")).to_have_value("all levels")


def test_what_is_shown_is_saved(bench, tmp_path):
    page = visit(bench, prompt=PROMPT, factor="8")
    page.get_by_role("button", name="Download").click()
    with page.expect_download() as waited:
        page.get_by_role("menuitem", name="Prompt's factors").click()
    file = tmp_path / "saved.csv"
    waited.value.save_as(file)
    found = list(csv.DictReader(io.StringIO(file.read_text("utf-8"))))
    assert {row["factor"] for row in found} == {"3", "8", "7"}


@pytest.mark.parametrize("width", [800, 420])
def test_narrow_windows_show_all_of_it(bench, width):
    bench.page.set_viewport_size({"width": width, "height": 900})
    page = visit(bench, prompt=PROMPT)
    for part in (ROWS, FACTOR, CHARTS, HEAT):
        expect(page.locator(part)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
