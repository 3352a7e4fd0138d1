"""The attention page in a browser: lines, thumbnails, finding heads, files, the address."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlencode
from xml.etree import ElementTree

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from flowviz.views.attention.packed import layer_packed, model_packed
from tests.attention_maps import looking_back
from tests.browser.workbench import Workbench, nameless

PROMPT = "When Mary and John went to the store, John gave a drink to"
LONG = " ".join(["Mary went to the store and John gave a drink to Ann ."] * 12)
HEADS, MODEL = "#attention-head-view", "#attention-model-view"
LAST = '.token[data-side="query"][data-place="13"]'
MARY = '.token[data-side="source"][data-place="1"]'


@pytest.fixture
def bench(page: Page, address: str) -> Workbench:
    return Workbench(page, address)


def visit(bench: Workbench, box: str = HEADS, **query: str) -> Page:
    """Opens a link of this page and waits for its picture."""
    bench.page.goto(f"{bench.address}/attention?{urlencode(query)}")
    bench.page.wait_for_selector(f"{box}[data-drawn]")
    return bench.page


def segment(page: Page, name: str) -> None:
    page.locator(".controls").get_by_text(name, exact=True).click()


def test_heads_are_lines_that_answer_to_pointer_and_keys(bench):
    page = visit(bench, prompt=PROMPT, layer="2")
    lines, tip = page.locator(f"{HEADS} .lines > g"), page.locator(".tooltip.on")
    expect(lines).to_have_count(14)
    over = page.locator(f"{HEADS} .over path")
    expect(over).to_have_count(0)
    page.hover(LAST)
    assert over.count() > 0
    assert page.locator(f"{HEADS} .over rect").count() > 0
    expect(tip).to_contain_text("13 ␣to reads")
    page.click(LAST)
    bench.wait_query("at", "query:13")
    page.hover(MARY)  # the pinned token's lines stay, the tooltip says every head's share
    expect(tip).to_contain_text("13 ␣to reads 1 ␣Mary")
    expect(tip.locator("div").nth(1)).to_have_text("L2 H2  100%")
    assert over.count() > 0
    link = page.get_by_role("link", name="flow of L2 H2 at 13")
    expect(link).to_be_visible()
    page.focus(HEADS)
    page.keyboard.press("ArrowUp")
    bench.wait_query("at", "query:12")
    page.keyboard.press("ArrowRight")
    bench.wait_query("at", "source:12")
    expect(page.locator("#attention-spoken")).to_contain_text("is read by")
    page.keyboard.press("Escape")
    bench.wait_query("at", None)
    page.keyboard.press("]")
    bench.wait_query("layer", "3")
    expect(page.locator("#attention-layer-words")).to_have_text("3 of 0 to 5")
    page.keyboard.press("[")
    bench.wait_query("layer", "2")


def test_heads_are_chosen_and_lines_thinned(bench):
    page = visit(bench, prompt=PROMPT, layer="2")
    paths = page.locator(f"{HEADS} .lines path")
    squares = page.locator("#attention-squares button")
    expect(squares).to_have_count(8)
    every = paths.count()
    squares.nth(2).click()
    bench.wait_query("heads", "0,1,3,4,5,6,7")
    squares.nth(2).dblclick(delay=80)  # as slow as a hand: each click has been answered by then
    bench.wait_query("heads", "2")
    assert paths.count() < every
    squares.nth(5).focus()
    page.keyboard.press("Shift+Enter")
    bench.wait_query("heads", "5")
    page.get_by_role("button", name="All", exact=True).click()
    bench.wait_query("heads", None)
    page.get_by_role("button", name="All", exact=True).click()
    bench.wait_query("heads", "none")
    expect(paths).to_have_count(0)
    page.get_by_role("button", name="All", exact=True).click()
    bench.wait_query("heads", None)
    page.get_by_role("switch", name="Hide the first token").click(force=True)
    said = "% of what these heads read is hidden"
    expect(page.locator("#attention-hidden")).to_contain_text(said)
    bench.wait_query("hide", "1")
    before = paths.count()
    page.get_by_role("slider", name="Share of each row").press("Home")
    bench.wait_query("mass", "0.1")
    assert paths.count() < before
    segment(page, "Flow")
    bench.wait_query("weighting", "flow")
    page.wait_for_selector(f"{HEADS}[data-drawn*=flow]")
    colours = page.evaluate(
        f"() => [...new Set([...document.querySelectorAll('{HEADS} .lines path')]"
        ".map(each => each.getAttribute('stroke')))].sort()"
    )
    assert colours == ["#0072b2", "#d55e00"]
    assert nameless(page) == []


def test_thumbnails_enlarge_find_and_open_heads(bench):
    page = visit(bench, MODEL, prompt=PROMPT, view="model", kind="induction")
    place = page.evaluate(f"() => document.querySelector('{MODEL} canvas').clientWidth")
    assert place > 200
    page.mouse.move(*middle(page, 3, 4))
    lens = page.locator("#attention-lens")
    expect(lens).to_contain_text("L3 H4")
    expect(lens).to_contain_text("induction")
    page.mouse.click(*middle(page, 3, 4))
    for name, value in (("view", None), ("layer", "3"), ("heads", "4")):
        bench.wait_query(name, value)
    segment(page, "Model")
    page.focus(MODEL)
    page.keyboard.press("ArrowUp")
    expect(lens).to_contain_text("L4 H4")
    page.keyboard.press("Enter")
    bench.wait_query("layer", "4")
    row = page.locator("#attention-found tbody tr").first
    name = row.locator("button").inner_text()
    row.locator("button").press("Enter")
    bench.wait_query("heads", name.split("H")[1])
    assert f"L{bench.query['layer']}" == name.split()[0]


def middle(page: Page, layer: int, head: int) -> list[float]:
    """Where a thumbnail stands in the window: six layers that rise, eight heads."""
    return page.evaluate(
        f"""([layer, head]) => {{
            const edge = document.querySelector('{MODEL} canvas').getBoundingClientRect();
            const step = (edge.width - 34) / 8;
            return [edge.left + 34 + step * (head + 0.5), edge.top + 20 + step * (5 - layer + 0.5)];
        }}""",
        [layer, head],
    )


def test_both_views_can_be_downloaded(bench):
    page = visit(bench, prompt=PROMPT, layer="2", heads="2", at="query:13")
    svg = ElementTree.fromstring(saved(page, "svg"))
    assert "␣Mary" in "".join(svg.itertext())
    assert saved(page, "png").startswith(b"\x89PNG")
    maps = json.loads(saved(page, "json"))
    assert maps["queries"]["tokens"][1]["text"] == " Mary"
    alone = saved(page, "html").decode()
    assert "<title>When Mary and John" in alone
    assert "default-src 'none'" in alone
    segment(page, "Model")
    page.wait_for_selector(f"{MODEL}[data-drawn]")
    assert saved(page, "png").startswith(b"\x89PNG")
    assert b"data:image/png;base64," in saved(page, "svg")


def saved(page: Page, what: str) -> bytes:
    page.get_by_role("button", name="Download").click()
    with page.expect_download() as waiting:
        page.click(f"#attention-save-{what}")
    return Path(waiting.value.path()).read_bytes()


def test_a_long_prompt_is_looked_at_through_a_window(bench):
    page = visit(bench, prompt=LONG)
    words = page.locator("#attention-window-words")
    expect(words).to_contain_text("what they read elsewhere stands in rows of its own")
    expect(page.locator(f"{HEADS} .lines > g")).to_have_count(64)
    expect(page.locator(f"{HEADS} .token")).to_have_count(64 + 66)
    first = words.inner_text()
    page.get_by_role("button", name="Earlier").click()
    expect(words).not_to_have_text(first)
    page.locator(".chip.token").nth(2).click()  # a token before the window brings it there
    bench.wait_query("at", "query:2")
    bench.wait_query("start", "0")
    expect(page.locator(f'{HEADS} .pinned[data-side="query"]')).to_have_attribute("data-place", "2")


def test_a_broken_link_says_why_and_the_frame_follows_the_theme(bench):
    page = bench.page
    page.goto(f"{bench.address}/attention?prompt=a&heads=x")
    bench.notice("heads is 'x'; it takes a whole number")
    expect(page.locator(".empty h2")).to_have_text("See where the heads look")
    visit(bench, prompt=PROMPT, layer="2", heads="2")
    stroke = page.locator(f"{HEADS} .lines path").first
    light = stroke.get_attribute("stroke")
    page.get_by_role("button", name="Switch between light and dark").click()
    expect(stroke).not_to_have_attribute("stroke", light or "")
    page.get_by_role("button", name="Switch between light and dark").click()
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Flow").click()
    page.wait_for_selector("#flow-canvas[data-drawn]")
    assert bench.query["prompt"] == PROMPT


def test_what_scripts_unpack_is_what_was_packed(bench):
    """Numbers of every size, through base64 and half precision."""
    page = visit(bench, prompt=PROMPT)
    maps = looking_back()
    rng = np.random.default_rng(0)
    maps.weights[:] = rng.random(maps.weights.shape) ** 20  # down to subnormal numbers
    packed, small = layer_packed(maps, 1, None), model_packed(maps)
    values = page.evaluate("each => [...flowviz.attention.unpack(each).values]", packed)
    np.testing.assert_array_equal(values, maps.layer(1).astype(np.float64).ravel())
    scores = page.evaluate(
        "each => [...flowviz.attention.unpackModel(each).kinds[0].scores]", small
    )
    expected = maps.kinds.scores("previous").astype(np.float16).astype(np.float64)
    assert scores == [*expected.ravel()]
    kept = page.evaluate(
        "each => flowviz.attention.lines(flowviz.attention.unpack(each), [0],"
        " { mass: 0.9, hidden: { queries: [], sources: [] } }).lines.map(line => [line.i, line.j])",
        layer_packed(looking_back(), 1, None),
    )
    assert kept == [[0, 0], *([i, j] for i in range(1, 6) for j in (i - 1, i))]
    before = page.evaluate(
        "each => flowviz.attention.lines(flowviz.attention.unpack(each), [0],"
        " { mass: 0.5, hidden: { queries: [], sources: [true] } }).lines"
        ".filter(line => line.i === 0).map(line => [line.j, line.value])",
        layer_packed(looking_back([f" w{i}" for i in range(200)], back=100), 1, 120),
    )
    assert before == [[1, 0.75], [2, 0.25]]  # the sum of what lies before, and the token itself
