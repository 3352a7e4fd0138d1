"""The graph and its settings: every control, hover, zoom, keys, selection, links, files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

PROMPT = "The cat sat on the mat"
CY = "window.flowviz.cytoscape()"


def moved(page, slider: str, key: str, times: int = 1, thumb: int = 0) -> None:
    handle = page.locator(f"#{slider} [role=slider], #{slider}[role=slider]").nth(thumb)
    handle.focus()
    for _ in range(times):
        page.keyboard.press(key)


def test_both_wirings(bench):
    bench.open(prompt=PROMPT)
    assert bench.elements("node.resid_mid")
    bench.redraw(lambda: bench.page.get_by_text("Circuit", exact=True).click())
    assert bench.query["wiring"] == "circuit"
    assert not bench.elements("node.resid_mid")
    bench.redraw(lambda: bench.page.get_by_text("Stream", exact=True).click())
    assert "wiring" not in bench.query


@pytest.mark.parametrize(
    ("slider", "key", "name"),
    [
        ("flow-coverage", "ArrowLeft", "coverage"),
        ("flow-budget", "ArrowRight", "budget"),
        ("flow-layers", "ArrowRight", "layers"),
        ("flow-positions", "ArrowRight", "positions"),
    ],
)
def test_every_slider_redraws_at_once(bench, slider, key, name):
    bench.open(prompt=PROMPT)
    bench.redraw(lambda: moved(bench.page, slider, key))
    assert name in bench.query


def test_kinds_rest_and_the_other_settings(bench):
    bench.open(prompt=PROMPT)
    page = bench.page
    assert bench.elements("node.neuron")
    bench.redraw(lambda: page.get_by_label("Neurons", exact=True).click())
    assert not bench.elements("node.neuron")
    assert bench.elements("node.rest")
    bench.redraw(lambda: page.get_by_label("Draw the rest").click())
    assert not bench.elements("node.rest")
    assert bench.query["rest"] == "0"
    page.get_by_text("More", exact=True).click()
    bench.redraw(lambda: moved(page, "flow-edge-coverage", "ArrowLeft"))
    bench.redraw(lambda: page.fill("#flow-heads", "2"))
    assert bench.query["heads_per_layer"] == "2"
    page.click("#flow-score")
    bench.redraw(lambda: page.get_by_role("option", name="Direct").click())
    assert bench.query["score"] == "direct"
    bench.redraw(lambda: page.click("#flow-reset"))
    assert set(bench.query) == {"model", "prompt", "rest"}


def test_another_model_runs_the_same_prompt(bench):
    bench.open(prompt=PROMPT)
    bench.page.click("#flow-model")
    bench.redraw(lambda: bench.page.get_by_role("option", name="GPT-2 small").click())
    assert bench.query["model"] == "gpt2"


@pytest.mark.parametrize("kind", ["resid_final", "resid_mid", "resid_pre", "head", "neuron",
                                  "embed", "pos_embed", "bias", "rest", "target"])  # fmt: skip
def test_a_click_opens_the_inspector_for_every_kind(bench, kind):
    bench.open(prompt=PROMPT)
    node = bench.elements(f"node.{kind}")[0]
    bench.click_element(node)
    bench.wait_selected(node)
    expect(bench.page.locator(".inspector .figures")).to_contain_text("Influence")
    assert bench.elements("node.selected") == [node]


def test_a_click_on_a_line_opens_its_end_with_the_row_marked(bench):
    bench.open(prompt=PROMPT)
    edge = next(each for each in bench.elements("edge.residual") if each.startswith("resid_mid"))
    _, target = edge.split(">")
    bench.click_element(edge)
    bench.wait_selected(target)
    row = bench.page.locator("#flow-inflows .came-from")
    expect(row).to_have_attribute("row-id", edge.replace(">", " "))


def test_rows_of_the_tables_lead_through_the_graph_and_back(bench):
    bench.open(prompt=PROMPT)
    start = bench.elements("node.resid_final")[0]
    bench.select(start)
    row = bench.page.locator("#flow-inflows .ag-row[row-id*=' ']").first
    source = row.get_attribute("row-id").split(" ")[0]
    row.hover()
    bench.page.wait_for_function(f"() => {CY}.elements('edge.hover').length === 1")
    row.click()
    bench.wait_selected(source)
    came = bench.page.locator("#flow-outflows .came-from")
    expect(came).to_have_attribute("row-id", f"{source} {start}")


def test_tables_sort(bench):
    bench.open(prompt=PROMPT)
    bench.select(bench.elements("node.resid_final")[0])
    rows = bench.page.locator("#flow-inflows .ag-center-cols-container .ag-row")
    expect(rows.nth(1)).to_be_visible()
    header = bench.page.locator("#flow-inflows .ag-header-cell[col-id=flow]")
    header.click()
    expect(header).to_have_attribute("aria-sort", "descending")
    header.click()
    expect(header).to_have_attribute("aria-sort", "ascending")


def test_hover_lights_a_path_and_says_the_numbers(bench):
    bench.open(prompt=PROMPT)
    node = bench.elements("node.resid_final")[0]
    bench.page.mouse.move(*bench.place(node))
    expect(bench.page.locator(".tooltip.on")).to_contain_text("influence")
    bench.page.wait_for_function(f"() => {CY}.elements('.dim').length > 0")
    assert node in bench.elements("node.path")
    box = bench.page.locator("#flow-status").bounding_box()
    bench.page.mouse.move(box["x"] + 5, box["y"] + 5)
    bench.page.wait_for_function(f"() => {CY}.elements('.dim').length === 0")


def test_keys_walk_fit_clear_and_help(bench):
    bench.open(prompt=PROMPT)
    page = bench.page
    page.focus("#flow-canvas")
    page.keyboard.press("ArrowUp")
    target = bench.elements("node.target")[0]
    bench.wait_selected(target)
    page.keyboard.press("ArrowDown")
    page.wait_for_function(
        "old => new URLSearchParams(location.search).get('node') !== old", arg=target
    )
    assert bench.query["node"].startswith("resid_final")
    page.keyboard.press("Escape")
    bench.wait_query("node", None)
    zoom = page.evaluate(f"{CY}.zoom()")
    page.keyboard.press("+")
    assert page.evaluate(f"{CY}.zoom()") > zoom
    page.keyboard.press("f")
    box = page.evaluate(f"{CY}.elements().renderedBoundingBox()")
    assert box["x1"] > 0
    assert box["y1"] > 0
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("How to read the flow")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.keyboard.press("/")
    expect(page.locator("#flow-prompt")).to_be_focused()
    page.keyboard.type("f")
    expect(page.locator("#flow-prompt")).to_have_value(f"{PROMPT}f")


def test_the_settings_fold_away(bench):
    bench.open(prompt=PROMPT)
    bench.page.click("#flow-fold")
    expect(bench.page.locator(".controls")).to_be_hidden()
    bench.page.click("#flow-fold")
    expect(bench.page.locator(".controls")).to_be_visible()


def test_a_shared_link_reproduces_the_picture(bench, context):
    bench.open(prompt=PROMPT, token=" Rome", contrast=" cat", coverage="0.6", layers="1-3",
               positions="1-5", kinds="embed,head", wiring="circuit", rest="0")  # fmt: skip
    bench.select(bench.elements("node.head")[0])
    link, drawn, nodes = bench.page.url, bench.drawn, bench.elements("node")
    panel = bench.page.locator(".inspector h2").inner_text()
    other = context.new_page()
    other.goto(link)
    other.wait_for_selector(f"[data-drawn='{drawn}']")
    assert other.evaluate(f"{CY}.nodes().map(e => e.id())") == nodes
    expect(other.locator(".inspector h2")).to_have_text(panel)
    expect(other.locator("#flow-rest")).not_to_be_checked()
    assert other.url == link
    other.close()


@pytest.mark.parametrize(
    "query",
    [
        {"prompt": "a", "coverage": "seven"},
        {"prompt": "a", "model": "nobody/knows"},
        {"prompt": "a", "position": "99"},
        {"prompt": "a", "token": "no such token at all"},
        {"prompt": "a", "node": "<b>"},
        {"prompt": ""},
    ],
)
def test_a_broken_link_says_what_is_wrong(bench, query):
    bench.visit(**query)
    expect(bench.page.locator("#shell-notice-box")).to_be_visible()
    bench.redraw(lambda: bench.run("This works again")) if query.get("model") is None else None


def test_a_link_to_a_node_that_is_not_there_says_so_in_the_panel(bench):
    bench.open(prompt="a b", node="head:77:1:1")
    expect(bench.page.locator(".inspector")).to_contain_text("No such node here")


def test_the_link_is_copied(bench):
    bench.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    bench.open(prompt=PROMPT)
    bench.page.click("#flow-link")
    expect(bench.page.locator("#flow-link")).to_have_attribute("data-said", "Link copied")
    assert bench.page.evaluate("navigator.clipboard.readText()") == bench.page.url


@pytest.mark.parametrize("what", ["json", "nodes", "edges", "png", "svg"])
def test_every_file_can_be_downloaded(bench, what):
    bench.open(prompt=PROMPT)
    bench.page.get_by_role("button", name="Download").click()
    with bench.page.expect_download() as waiting:
        bench.page.click(f"#flow-save-{what}")
    path = Path(waiting.value.path())
    content = path.read_bytes()
    assert len(content) > 1000
    if what == "json":
        assert json.loads(content)["target"]
    if what == "png":
        assert content.startswith(b"\x89PNG")
    if what == "svg":
        assert b"<svg" in content


def test_a_thousand_elements_are_drawn_and_answer(bench):
    bench.open(prompt="large " + "x " * 24)
    assert len(bench.elements("node, edge")) > 1000
    node = bench.elements("node.resid_final")[0]
    bench.select(node)
    assert bench.elements("node.selected") == [node]
