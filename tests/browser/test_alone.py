"""Pictures as one file, opened in a browser where nothing else can be fetched."""

from __future__ import annotations

from dataclasses import replace

from playwright.sync_api import Page, expect

from flowviz import neuron_view, why
from flowviz.models.loaded import LoadedModel
from flowviz.views.alone.attention import attention_page
from flowviz.views.alone.head import head_page
from tests.attention_maps import looking_back

ADDRESS = "http://127.0.0.1:1/attention.html"
HEADS, MODEL = "#head-view", "#model-view"


def opened(page: Page, text: str, there: str = f"{HEADS} .token") -> Page:
    """A page of that text, where every other request fails the test (`watch`)."""
    page.route(ADDRESS, lambda route: route.fulfill(body=text, content_type="text/html"))
    page.goto(ADDRESS)
    page.wait_for_selector(there)
    return page


def test_heads_answer_to_pointer_and_squares(page: Page) -> None:
    opened(page, attention_page(looking_back()))
    squares, lines = page.locator("#squares button"), page.locator(f"{HEADS} .lines path")
    expect(squares).to_have_count(3)
    every = lines.count()
    squares.nth(1).dblclick()
    expect(page.locator("#squares [aria-pressed=true]")).to_have_text(["1"])
    assert 0 < lines.count() < every
    page.hover('.token[data-side="query"][data-place="3"]')
    expect(page.locator(".tooltip.on")).to_contain_text("L0 H1  1 ␣France  100%")
    page.click('.token[data-side="query"][data-place="3"]')
    expect(page.locator(".token.pinned")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator(".token.pinned")).to_have_count(0)


def test_a_thumbnail_opens_its_head_and_keys_change_the_layer(page: Page) -> None:
    opened(page, attention_page(looking_back(layers=3)))
    page.click("[data-view=model]")
    canvas = page.locator(f"{MODEL} canvas")
    expect(canvas).to_be_visible()
    expect(page.locator(HEADS)).to_be_hidden()
    page.locator(MODEL).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator(HEADS)).to_be_visible()
    expect(page.locator("#layer")).to_have_value("2")
    expect(page.locator("#squares [aria-pressed=true]")).to_have_text(["0"])
    page.locator(HEADS).focus()
    page.keyboard.press("[")
    expect(page.locator("#layer")).to_have_value("1")


def test_the_finder_lists_heads_that_open(page: Page) -> None:
    opened(page, attention_page(looking_back()))
    page.select_option("#kind", label="Offset 2")
    row = page.locator("#found button").first
    expect(row).to_have_text("L0 H1")
    row.click()
    expect(page.locator("#squares [aria-pressed=true]")).to_have_text(["1"])


def test_pairs_and_special_tokens_are_offered_where_there_are_any(page: Page) -> None:
    maps = looking_back(["[CLS]", "a", "[SEP]", "b", "[SEP]"])
    pair = replace(maps, queries=replace(maps.queries, special=(0, 2, 4), second=3))
    opened(page, attention_page(pair))
    lines = page.locator(f"{HEADS} .lines path")
    every = lines.count()
    page.select_option("#pairs", "ba")
    assert 0 < lines.count() < every
    page.select_option("#pairs", "all")
    page.check("#text-only")
    assert 0 < lines.count() < every
    page.uncheck("#text-only")
    page.select_option("#merge", "mean")
    assert 0 < lines.count() < every


def test_what_these_tokens_do_not_have_is_not_offered(page: Page) -> None:
    opened(page, attention_page(looking_back()))
    expect(page.locator("#of-pairs")).to_be_hidden()
    expect(page.locator("#of-special")).to_be_hidden()
    expect(page.locator("#windows")).to_be_hidden()


def test_a_long_prompt_is_turned_over_window_by_window(page: Page) -> None:
    opened(page, attention_page(looking_back([f" {word}" for word in range(150)])))
    words = page.locator("#window-words")
    expect(words).to_have_text("Tokens 0 to 63 of 150")
    page.click("[data-step='1']")
    expect(words).to_have_text("Tokens 48 to 111 of 150")


def test_the_file_is_dark_where_the_reader_is(page: Page) -> None:
    page.emulate_media(color_scheme="dark")
    opened(page, attention_page(looking_back()))
    expect(page.locator("body")).to_have_css("background-color", "rgb(20, 23, 28)")
    page.emulate_media(color_scheme="light")
    expect(page.locator("body")).to_have_css("background-color", "rgb(255, 255, 255)")


JAPAN = "The capital of Japan is the city of"


def test_dimensions_of_a_head_answer_to_the_pointer(page: Page, demo: LoadedModel) -> None:
    opened(page, head_page(neuron_view(JAPAN, 3, 3, demo)), "#picture canvas")
    expect(page.locator("#rows tr")).to_have_count(24)
    page.hover("#picture canvas", position={"x": 200, "y": 150})
    expect(page.locator(".tooltip.on")).to_contain_text("dimension")
    expect(page.locator(".head-frame")).to_be_visible()
    page.select_option("#dims", "deciding")
    page.hover("#picture canvas", position={"x": 130, "y": 150})
    expect(page.locator(".tooltip.on")).to_contain_text("decides")


def test_long_lists_of_sources_are_turned_over(page: Page, demo: LoadedModel) -> None:
    long = neuron_view("The king of Spain and the queen of France met. " * 12, 3, 3, demo)
    opened(page, head_page(long), "#picture canvas")
    words = page.locator("#window-words")
    before = words.inner_text()
    page.click("[data-step='-1']")
    page.click("[data-step='-1']")
    expect(words).to_have_text("Sources 1 to 64 of 133")
    assert before.endswith("of 133")


def test_why_a_head_looks_there_says_its_numbers(page: Page, demo: LoadedModel) -> None:
    opened(page, head_page(why(JAPAN, 3, 3, demo)), "#picture canvas")
    expect(page.locator("header p")).to_contain_text("All parts sum to 0.0073")
    page.hover("#picture canvas", position={"x": 120, "y": 200})
    expect(page.locator(".tooltip.on")).to_contain_text("of the score")
    expect(page.locator("#of-dims")).to_be_hidden()
