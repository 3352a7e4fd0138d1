"""An opened block in a browser: the ways in and back, what it draws, and every way to change it."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.opened_block import OpenedBlock
from tests.browser.test_links import FILES
from tests.browser.workbench import CY, nameless

PROMPT = "The capital of Japan is the city of"
COLOURS = f"() => {CY}.nodes('.neuron').map(e => e.style('background-color')).join()"


@pytest.fixture
def block(page, address) -> OpenedBlock:
    return OpenedBlock(page, address)


def test_a_node_of_the_flow_opens_its_block_and_the_way_back_keeps_the_question(bench):
    bench.open(prompt=PROMPT, token=" London", contrast=" Tokyo")
    page = bench.page
    head = bench.elements("node.head")[0]
    _, layer, position, index = head.split(":")
    bench.select(head)
    page.get_by_role("link", name=f"Open block {layer} here").click()
    page.wait_for_selector("#inside-canvas[data-drawn]")
    bench.wait_query("layers", f"{layer}-{layer}")
    assert bench.query["at"] == position
    assert (bench.query["token"], bench.query["contrast"]) == (" London", " Tokyo")
    expect(page.locator(".inspector h2")).to_have_text(f"L{layer} H{index}")
    page.get_by_role("link", name="See it in the flow").click()
    page.wait_for_selector("#flow-canvas[data-drawn]")
    bench.wait_selected(head)
    page.go_back()
    page.wait_for_selector("#inside-canvas[data-drawn]")
    page.get_by_role("link", name="Back to the flow").click()
    page.wait_for_selector("#flow-canvas[data-drawn]")
    assert (bench.query["prompt"], bench.query["token"]) == (PROMPT, " London")


def test_a_double_click_on_a_state_or_a_layer_opens_its_block(bench):
    bench.open(prompt=PROMPT)
    page = bench.page
    state = bench.elements("node.resid_mid")[-1]
    _, layer, position = state.split(":")
    bench.click_element(state)
    page.mouse.dblclick(*bench.place(state))
    page.wait_for_selector("#inside-canvas[data-drawn]")
    assert (bench.query["layers"], bench.query["at"]) == (f"{layer}-{layer}", position)
    assert bench.query["node"] == f"mid:{layer}:0:0"
    page.go_back()
    page.wait_for_selector("#flow-canvas[data-drawn]")
    label = page.locator(".axis.up span:not([hidden])").filter(has_text="layer").first
    layer = label.inner_text().split()[1]
    label.dblclick()
    page.wait_for_selector("#inside-canvas[data-drawn]")
    bench.wait_query("layers", f"{layer}-{layer}")


def test_the_headers_links_keep_the_question(bench):
    bench.open(prompt=PROMPT, token=" London", budget="20")
    pages = bench.page.get_by_role("navigation", name="Pages")
    pages.get_by_role("link", name="Block").click()
    bench.page.wait_for_selector("#inside-canvas[data-drawn]")
    assert (bench.query["prompt"], bench.query["token"]) == (PROMPT, " London")
    pages.get_by_role("link", name="Flow").click()
    bench.page.wait_for_selector("#flow-canvas[data-drawn]")
    assert (bench.query["prompt"], bench.query["token"]) == (PROMPT, " London")
    pages.get_by_role("link", name="Analyses").click()
    bench.page.wait_for_url("**/analyses*")
    assert "prompt" not in bench.query


def test_it_draws_every_part_and_a_click_opens_the_inspector(block):
    block.open(prompt=PROMPT, layers="3-3")
    assert len(block.elements("node.state")) == 2
    assert len(block.elements("node.neuron")) == 25
    for kind in ("mid", "head", "value", "key", "row", "neuron", "bias", "concat"):
        node = block.elements(f"node.{kind}")[0]
        block.click_element(node)
        block.wait_selected(node)
        expect(block.page.locator(".inspector .figures")).to_contain_text("Norm")
        assert block.elements("node.selected") == [node]


def test_tables_lead_from_part_to_part(block):
    block.open(prompt=PROMPT, layers="3-3", node="attention:3:0:0")
    rows = block.page.locator("#inside-inflows .ag-center-cols-container .ag-row")
    source = rows.first.get_attribute("row-id").split(" ")[0]
    rows.first.click()
    block.wait_selected(source)
    came = block.page.locator("#inside-outflows .came-from")
    expect(came).to_have_attribute("row-id", f"{source} attention:3:0:0")


def test_another_colour_or_width_changes_picture_legend_and_address(block):
    block.open(prompt=PROMPT, layers="3-3")
    page, keys = block.page, block.page.locator("#inside-keys")
    expect(keys).to_contain_text("rank of ␣Tokyo")
    before = page.evaluate(COLOURS)
    for words, colour, said in (("Sign", "sign", "speaks for"), ("Entropy", "entropy", "entropy")):
        block.redraw(lambda: block.choose("colour", words))  # noqa: B023
        expect(keys).to_contain_text(said)
        assert block.query["colour"] == colour
        after = page.evaluate(COLOURS)
        assert after != before
        before = after
    widths = f"() => {CY}.edges('.write').map(e => e.data('w')).join()"
    before = page.evaluate(widths)
    block.redraw(lambda: block.choose("width", "Norm"))
    expect(keys).to_contain_text("width: norm")
    assert page.evaluate(widths) != before
    assert block.query["width"] == "norm"


def test_numbers_and_rank_draw_anew_and_the_defaults_come_back(block):
    block.open(prompt=PROMPT, layers="3-3")
    block.redraw(lambda: block.page.fill("#inside-heads", "3"))
    assert len(block.elements("node.head")) == 3
    block.redraw(lambda: block.choose("rank", "Flow"))
    assert (block.query["heads"], block.query["rank"]) == ("3", "flow")
    block.redraw(lambda: block.page.click("#inside-reset"))
    assert set(block.query) == {"model", "prompt", "layers"}


def test_steps_keys_and_numbers_choose_the_block_and_a_token_the_position(block):
    block.open(prompt=PROMPT, layers="4-4")
    page = block.page
    block.redraw(lambda: page.click("#inside-up"))
    block.wait_query("layers", "5-5")
    expect(page.locator("#inside-up")).to_be_disabled()
    page.focus("#inside-canvas")
    block.redraw(lambda: page.keyboard.press("PageDown"))
    block.wait_query("layers", "4-4")
    block.redraw(lambda: page.fill("#inside-first", "3"))
    block.wait_query("layers", "3-4")
    assert len(block.elements("node.state")) == 3
    page.fill("#inside-last", "9")
    block.notice("There is no block 9: the last is 5")
    block.redraw(lambda: page.locator("#inside-tokens [data-position='3']").click())
    block.wait_query("at", "3")
    expect(page.locator("#inside-where")).to_contain_text("␣Japan at 3")
    expect(page.locator("#inside-tokens .chosen")).to_have_text("␣Japan")
    page.locator("#inside-tokens [data-position='5']").click(modifiers=["Shift"])
    block.wait_query("position", "5")


def test_a_shared_link_reproduces_the_picture(block, context):
    block.open(prompt=PROMPT, layers="2-3", at="6", colour="sign", width="norm", heads="4",
               rank="flow", node="head:2:2:0")  # fmt: skip
    link, drawn, nodes = block.page.url, block.drawn, block.elements("node")
    other = context.new_page()
    other.goto(link)
    other.wait_for_selector(f"[data-drawn='{drawn}']")
    assert other.evaluate(f"{CY}.nodes().map(e => e.id())") == nodes
    assert other.url == link
    other.close()


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"layers": "99-99"}, "Block 99 was asked for"),
        ({"layers": "seven"}, "layers is"),
        ({"at": "99"}, "osition 99"),
        ({"colour": "<b>"}, "it takes one of rank, sign, entropy"),
        ({"node": "<script>"}, "names no part of a block"),
        ({"model": "nobody/knows"}, "nobody/knows"),
    ],
)
def test_a_broken_link_says_what_is_wrong_and_leaves_a_page_that_works(block, query, words):
    block.visit(prompt=PROMPT, **query)
    block.notice(words)


def test_keys_walk_fit_and_clear(block):
    block.open(prompt=PROMPT, layers="3-3")
    page = block.page
    page.focus("#inside-canvas")
    page.keyboard.press("ArrowUp")
    block.wait_selected("state:4:0:0")
    page.keyboard.press("ArrowDown")
    page.wait_for_function("() => window.flowviz.selected() !== 'state:4:0:0'")
    page.keyboard.press("Escape")
    block.wait_query("node", None)
    zoom = page.evaluate(f"{CY}.zoom()")
    page.keyboard.press("+")
    assert page.evaluate(f"{CY}.zoom()") > zoom
    page.keyboard.press("f")
    assert page.evaluate(f"{CY}.zoom()") == pytest.approx(zoom)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_width_in_the_systems_theme(block, scheme):
    page = block.page
    page.emulate_media(color_scheme=scheme)
    block.open(prompt=PROMPT, layers="3-3", node="head:3:1:0")
    assert page.evaluate("document.documentElement.dataset.mantineColorScheme") == scheme
    text = page.evaluate(f"{CY}.nodes('.node').first().style('color')")
    assert text == {"light": "rgb(26,33,43)", "dark": "rgb(232,236,241)"}[scheme]
    for width in (1440, 800, 390):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_function(f"w => {CY}.width() > 300 && {CY}.width() <= w", arg=width)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        for part in ("#inside-run", "#inside-status", "#inside-up", "#inside-back"):
            expect(page.locator(part)).to_be_visible()


def test_the_default_picture_fits_the_window_has_names_and_says_its_numbers(block):
    block.open(prompt=PROMPT, layers="3-3")
    box = block.page.evaluate(f"{CY}.elements('.node').renderedBoundingBox()")
    canvas = block.page.locator("#inside-canvas").bounding_box()
    assert box["x1"] >= 0
    assert box["y1"] >= 0
    assert box["x2"] <= canvas["width"]
    assert box["y2"] <= canvas["height"]
    assert block.page.evaluate(f"{CY}.zoom()") * 14 > 7.5
    assert nameless(block.page) == []
    block.page.mouse.move(*block.place(block.elements("node.head")[0]))
    tip = block.page.locator(".tooltip.on")
    for words in ("flow", "of the target", "norm", "promotes", "entropy"):
        expect(tip).to_contain_text(words)
    block.page.wait_for_function(f"() => {CY}.elements('.dim').length > 0")


def test_the_link_is_copied_and_every_file_can_be_downloaded(block):
    page = block.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    block.open(prompt=PROMPT, layers="3-3")
    page.click("#inside-link")
    expect(page.locator("#inside-link")).to_have_attribute("data-said", "Link copied")
    assert page.evaluate("navigator.clipboard.readText()") == page.url
    for what in FILES:
        page.get_by_role("button", name="Download").click()
        with page.expect_download() as waiting:
            page.click(f"#inside-save-{what}")
        assert waiting.value.suggested_filename.startswith("block")


def test_without_a_link_the_page_opens_a_block_of_an_example(block):
    block.open()
    assert block.query["layers"] == "0-0"
