"""The page of one head in a browser: bands, lines, the heat map, keys, files, the address."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlencode
from xml.etree import ElementTree

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from flowviz.views.head.look import Order
from flowviz.views.head.packed import decay_packed, neurons_packed, why_packed
from tests.browser.workbench import Workbench, nameless
from tests.head_answers import decay, there, view

JAPAN = "The capital of Japan is the city of"
LONG = " ".join(["Mary went to the store and John gave a drink to Ann ."] * 15)
PICTURE, DETAIL = "#head-picture", "#head-detail"
HEAD = {"prompt": JAPAN, "layer": "3", "head": "3"}


@pytest.fixture
def bench(page: Page, address: str) -> Workbench:
    return Workbench(page, address)


def visit(bench: Workbench, **query: str) -> Page:
    """Opens a link of this page and waits for its picture."""
    bench.page.goto(f"{bench.address}/head?{urlencode(query)}")
    bench.page.wait_for_selector(f"{PICTURE}[data-drawn^={query.get('view', 'neurons')}]")
    return bench.page


def segment(page: Page, name: str) -> None:
    page.locator(".controls").get_by_text(name, exact=True).click()


def drawn(page: Page, start: str) -> None:
    page.wait_for_selector(f'{PICTURE}[data-drawn^="{start}"]')


def place(page: Page, what: str) -> tuple[float, float]:
    """Where something is drawn, in the window: `what` is a target of the view that is open."""
    page.wait_for_function("flowviz.head.settled()")
    x, y = page.evaluate(
        """what => {
            const edge = document.querySelector('#head-picture canvas').getBoundingClientRect();
            const is = (x, y) => {
                const found = flowviz.head.targetAt(x, y);
                return found && Object.entries(what).every(([k, v]) => found[k] === v);
            };
            for (let y = 3; y < edge.height; y += 2) for (let x = 3; x < edge.width; x += 2) {
                const inside = is(x - 2, y - 2) && is(x + 2, y + 2); // not at its very edge
                if (inside) return [edge.left + x, edge.top + y];
            }
            return [-1, -1];
        }""",
        what,
    )
    assert x > 0, what
    return x, y


def test_neurons_answer_to_pointer_and_keys(bench):
    page = visit(bench, **HEAD)
    tip = page.locator(".tooltip.on")
    expect(page.locator(f"{DETAIL} h2")).to_have_text("L3 H3 at 7 ␣of")
    expect(page.locator("#head-status")).to_contain_text("24 dimensions, 8 sources")
    page.mouse.move(*place(page, {"row": 3, "dim": 19, "block": "products"}))
    expect(tip).to_contain_text("dimension 19 at 3 ␣Japan")
    expect(tip).to_contain_text("share of the score +7.99")
    page.mouse.move(*place(page, {"row": -1, "dim": 9, "block": "keys"}))
    expect(tip).to_contain_text("number 1 of 24")
    page.mouse.move(*place(page, {"row": 3, "dim": None}))
    expect(tip).to_contain_text("attention 99.6%, the most")
    page.mouse.click(*place(page, {"row": 5, "dim": None}))
    bench.wait_query("key", "5")
    expect(page.locator(f"{DETAIL} .figures")).to_contain_text("5 ␣the")
    page.get_by_role("button", name="dimension 13").click()
    bench.wait_query("dim", "13")
    page.focus(PICTURE)
    page.keyboard.press("Shift+ArrowUp")
    bench.wait_query("key", "4")
    page.keyboard.press("ArrowUp")
    bench.wait_query("query", "6")
    expect(page.locator(f"{DETAIL} h2")).to_have_text("L3 H3 at 6 ␣city")
    page.keyboard.press("]")
    bench.wait_query("layer", "4")
    page.keyboard.press(".")
    bench.wait_query("head", "4")
    page.keyboard.press("Escape")
    bench.wait_query("dim", None)
    bench.wait_query("key", None)
    segment(page, "Deciding")
    bench.wait_query("dims", "deciding")
    page.locator("#head-squares").get_by_text("0", exact=True).click()
    bench.wait_query("head", None)
    page.locator(".chip.token").nth(2).click()
    bench.wait_query("query", "2")
    assert nameless(page) == []


def test_why_is_split_and_leads_into_the_flow(bench):
    page = visit(bench, **HEAD, view="why")
    expect(page.locator(DETAIL)).to_contain_text("looks at 3 ␣Japan: 99.6% of its attention")
    expect(page.locator("#head-status")).to_contain_text("All parts sum to 0.00")
    tip = page.locator(".tooltip.on")
    page.mouse.move(*place(page, {"row": 0, "column": 0}))
    expect(tip).to_contain_text("of the score")
    expect(tip).to_contain_text("query: L1 H4 at 7 ␣of")
    expect(tip).to_contain_text("key: L2 H0 at 3 ␣Japan")
    page.locator('[data-key="0"]').click()
    bench.wait_query("key", "0")
    expect(page.locator(f"{DETAIL} h2")).to_have_text("L3 H3: why 0 The?")
    page.focus(PICTURE)
    page.keyboard.press("Shift+ArrowDown")
    bench.wait_query("key", "1")
    segment(page, "Share")
    bench.wait_query("rank", "share")
    expect(page.locator(f"{DETAIL} table").first).to_contain_text("L1 H7")
    page.locator(".chip.token").nth(0).click()  # the key stood behind it: it is let go
    bench.wait_query("query", "0")
    bench.wait_query("key", None)
    expect(page.locator(f"{DETAIL} h2")).to_have_text("L3 H3: why 0 The?")
    visit(bench, **HEAD, view="why")
    page.mouse.click(*place(page, {"row": None, "column": 0}))
    page.wait_for_selector("#flow-canvas[data-drawn]")
    assert (bench.query["node"], bench.query["prompt"]) == ("head:2:3:0", JAPAN)


def test_distances_over_the_prompt_and_over_a_set(bench):
    page = visit(bench, **HEAD | {"layer": "2", "head": "7"}, view="distance")
    expect(page.locator(DETAIL)).to_contain_text("of tokens of this prompt")
    page.mouse.move(*place(page, {"distance": 2}))
    expect(page.locator(".tooltip.on")).to_contain_text("distance 2, 5 pairs")
    page.locator(f"{DETAIL} [data-dim]").nth(9).click()  # a line of its own
    bench.wait_query("dim", page.locator(f"{DETAIL} [data-dim]").nth(9).get_attribute("data-dim"))
    page.get_by_role("textbox", name="Prompts of the set").wait_for(state="hidden")
    visit(bench, **HEAD | {"layer": "2", "head": "7"}, view="distance", over="set",
          group="induction")  # fmt: skip
    expect(page.locator(DETAIL)).to_contain_text("of tokens of 15 prompts")
    expect(page.get_by_role("textbox", name="Prompts of the set")).to_be_visible()
    segment(page, "This prompt")
    bench.wait_query("over", None)
    expect(page.locator(DETAIL)).to_contain_text("of tokens of this prompt")
    segment(page, "Why there")
    drawn(page, "why-L2 H7")


def test_every_view_can_be_downloaded(bench):
    page = visit(bench, **HEAD)
    for name, words, tables in (
        ("Neurons", "␣Japan", ("dimension", "position")),
        ("Distance", "mean score of L3 H3", ("dimension", "distance")),
        ("Why there", "what wrote the key", ("end", "query_component")),
    ):
        segment(page, name)
        drawn(page, name.split()[0].lower())
        svg = ElementTree.fromstring(saved(page, "svg"))
        assert words in "".join(svg.itertext())
        assert saved(page, "png").startswith(b"\x89PNG")
        assert json.loads(saved(page, "json"))["version"] == 1
        assert b"default-src 'none'" in saved(page, "html")
        for button, column in zip(("first", "second"), tables, strict=True):
            assert saved(page, button).decode().split(",")[0] == column


def saved(page: Page, what: str) -> bytes:
    page.get_by_role("button", name="Download").click()
    with page.expect_download() as waiting:
        page.click(f"#head-save-{what}")
    return Path(waiting.value.path()).read_bytes()


def test_a_long_prompt_is_looked_at_through_a_window(bench):
    page = visit(bench, **HEAD | {"prompt": LONG})
    words = page.locator("#head-window-words")
    expect(words).to_contain_text("of the attention")
    first = words.inner_text()
    page.get_by_role("button", name="Before").click()
    expect(words).not_to_have_text(first)
    segment(page, "Attention")
    expect(words).to_contain_text("Sources 1 to 64 of")
    bench.wait_query("order", "attention")


def test_examples_links_and_faults(bench):
    page = bench.page
    page.goto(f"{bench.address}/head?prompt=a&head=x")
    bench.notice("head is 'x'; it takes a whole number")
    expect(page.locator(".empty h2")).to_have_text("Look into one head")
    page.get_by_role("button", name="Examples").click()
    page.get_by_text("What makes a head look nearby?").click()
    drawn(page, "distance-L2 H7")
    expect(page.locator("#head-look-for")).to_contain_text("What makes a head look nearby?")
    visit(bench, **HEAD, second=" Tokyo and of")
    expect(page.locator(".chip.token")).to_have_count(11)
    expect(page.locator("#head-second")).to_have_text(" Tokyo and of")
    page.get_by_role("button", name="Leave it out").click()
    expect(page.locator(".chip.token")).to_have_count(8)
    bench.wait_query("second", None)
    page.goto(f"{bench.address}/head?{urlencode({**HEAD, 'layer': '9'})}")
    bench.notice("There is no block 9; choose one from 0 to 5.")


def test_the_picture_follows_the_theme_and_the_header_keeps_the_prompt(bench):
    page = visit(bench, **HEAD)
    ground = """() => String(document.querySelector('#head-picture canvas').getContext('2d')
                .getImageData(2, 2, 1, 1).data)"""
    light = page.evaluate(ground)
    switch = page.get_by_role("button", name="Switch between light and dark")
    switch.click()
    page.wait_for_function(f"light => ({ground})() !== light", arg=light)
    switch.click()
    page.wait_for_function(f"light => ({ground})() === light", arg=light)
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Attention").click()
    page.wait_for_selector("#attention-head-view[data-drawn]")
    assert bench.query["prompt"] == JAPAN
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="One head").click()
    page.wait_for_selector(f"{PICTURE}[data-drawn]")
    assert bench.query["prompt"] == JAPAN


def test_what_scripts_unpack_is_what_was_packed(bench):
    page = visit(bench, **HEAD)
    made = view()
    packed = neurons_packed(made, Order.POSITION, None)
    keys = page.evaluate("each => [...flowviz.head.views.neurons.unpack(each).k]", packed)
    np.testing.assert_array_equal(keys, made.k.ravel())
    far = decay_packed(decay())
    offs = page.evaluate(
        "each => { const data = flowviz.head.views.distance.unpack(each);"
        " return data.distances.map(d => [data.scores.get(d), data.off(d, 0)]); }",
        far,
    )
    middle = float((decay().sums[:, 0]).sum() / decay().pairs)
    np.testing.assert_allclose(offs, [[4, 4 - middle], [3, 2 - middle], [2, -middle]], rtol=1e-6)
    cells = page.evaluate(
        "each => [...flowviz.head.views.why.unpack(each).pairs]", why_packed(there())
    )
    assert cells == [2, 0.5, 1, -0.5]
