"""The graph and its settings: every control, hover, zoom, keys, selection."""

from __future__ import annotations

from urllib.parse import urlsplit

from playwright.sync_api import expect

from tests.browser.workbench import Late

PROMPT = "The capital of Japan is the city of"
CY = "window.flowviz.cytoscape()"
KINDS = ("resid_final", "resid_mid", "resid_pre", "head", "neuron", "embed", "rest", "target")
SLIDERS = {
    "flow-coverage": ("ArrowLeft", "coverage"),
    "flow-budget": ("ArrowRight", "budget"),
    "flow-layers": ("ArrowRight", "layers"),
    "flow-positions": ("ArrowRight", "positions"),
}


def moved(page, slider: str, key: str) -> None:
    page.locator(f"#{slider} [role=slider]").first.focus()
    page.keyboard.press(key)


def test_every_control_redraws_and_reset_goes_back(bench):
    bench.open(prompt=PROMPT)
    page = bench.page
    assert bench.elements("node.resid_mid")
    bench.redraw(page.get_by_text("Circuit", exact=True).click)
    assert not bench.elements("node.resid_mid")
    assert bench.query["wiring"] == "circuit"
    for slider, (key, name) in SLIDERS.items():
        bench.redraw(lambda: moved(page, slider, key))  # noqa: B023
        assert name in bench.query
    bench.redraw(page.get_by_label("Neurons", exact=True).click)
    assert not bench.elements("node.neuron")
    assert bench.elements("node.rest")
    bench.redraw(page.get_by_label("Draw the rest").click)
    assert not bench.elements("node.rest")
    assert bench.query["rest"] == "0"
    page.get_by_text("More", exact=True).click()
    bench.redraw(lambda: moved(page, "flow-edge-coverage", "ArrowLeft"))
    for box, name in (("heads", "heads_per_layer"), ("positive", "positive_neurons")):
        page.fill(f"#flow-{box}", "2")
        bench.wait_query(name, "2")
    page.click("#flow-score")
    page.get_by_role("option", name="Direct").click()
    bench.wait_query("score", "direct")  # what was typed above may be drawn only now
    page.click("#flow-reset")
    page.wait_for_function("() => [...new URLSearchParams(location.search).keys()].length === 2")
    assert set(bench.query) == {"model", "prompt"}
    page.wait_for_function("() => window.flowviz.cytoscape().nodes('.rest').length > 0")


def test_a_slider_that_was_moved_stays_when_an_earlier_picture_comes_late(bench):
    bench.open(prompt=PROMPT)
    page, late = bench.page, Late(bench.page, "flow-drawn.data", "flow-job.data")
    page.get_by_text("Circuit", exact=True).click()
    late.release("flow-job.data")
    late.wait("flow-drawn.data")
    moved(page, "flow-positions", "ArrowRight")
    late.wait("flow-job.data")
    bench.redraw(lambda: late.release("flow-drawn.data"))
    page.wait_for_timeout(1000)  # for what is not to happen
    assert late.kept("flow-job.data") == 1
    late.end()
    bench.wait_query("positions", "1-7")
    first = page.locator("#flow-positions").get_by_role("slider").first
    expect(first).to_have_attribute("aria-valuenow", "1")


def test_a_click_opens_the_inspector_for_every_kind(bench):
    bench.open(prompt=PROMPT)
    for kind in KINDS:
        node = bench.elements(f"node.{kind}")[-1]
        bench.click_element(node)
        bench.wait_selected(node)
        expect(bench.page.locator(".inspector .figures")).to_contain_text("Influence")
        assert bench.elements("node.selected") == [node]


def test_two_quick_clicks_on_two_nodes_are_no_double_click(bench):
    bench.open(prompt=PROMPT)
    one, other = "resid_pre:5:7", "resid_mid:5:7"
    places = [bench.bring(one), bench.place(one), bench.place(other)]
    assert places[0] == places[1]
    for x, y in places[1:]:
        bench.page.mouse.click(x, y)
    bench.wait_selected(other)
    assert urlsplit(bench.page.url).path == "/"
    bench.page.mouse.dblclick(*bench.bring(other))
    bench.page.wait_for_url("**/inside?**")


def test_lines_and_tables_lead_through_the_graph(bench):
    bench.open(prompt=PROMPT)
    page = bench.page
    final = bench.elements("node.resid_final")[0]
    edge = next(each for each in bench.elements("edge") if each.endswith(f">{final}"))
    bench.select(final)
    rows = page.locator("#flow-inflows .ag-center-cols-container .ag-row")
    expect(rows.nth(1)).to_be_visible()
    header = page.locator("#flow-inflows .ag-header-cell[col-id=flow]")
    header.click()
    expect(header).to_have_attribute("aria-sort", "descending")
    source = rows.first.get_attribute("row-id").split(" ")[0]
    rows.first.hover()
    page.wait_for_function(f"() => {CY}.elements('edge.hover').length === 1")
    rows.first.click()
    bench.wait_selected(source)
    came = page.locator("#flow-outflows .came-from")
    expect(came).to_have_attribute("row-id", f"{source} {final}")
    page.keyboard.press("Escape")
    bench.wait_query("node", None)
    edge = next(each for each in bench.elements("edge.residual") if each.endswith(f">{final}"))
    bench.click_element(edge)
    bench.wait_selected(final)
    came = page.locator("#flow-inflows .came-from")
    expect(came).to_have_attribute("row-id", edge.replace(">", " "))


def test_hover_lights_a_path_with_its_numbers_and_the_strongest_components_are_listed(bench):
    bench.open(prompt=PROMPT)
    page = bench.page
    node = bench.elements("node.resid_final")[0]
    page.mouse.move(*bench.place(node))
    expect(page.locator(".tooltip.on")).to_contain_text("influence")
    page.wait_for_function(f"() => {CY}.elements('.dim').length > 0")
    assert node in bench.elements("node.path")
    box = page.locator("#flow-status").bounding_box()
    page.mouse.move(box["x"] + 5, box["y"] + 5)
    page.wait_for_function(f"() => {CY}.elements('.dim').length === 0")
    first = page.locator(".components button").first
    node = first.get_attribute("data-node")
    first.click()
    bench.wait_selected(node)
    page.locator(".inspector .close").click()
    expect(first).to_be_visible()


def test_keys_walk_fit_clear_and_help(bench):
    bench.open(prompt=PROMPT)
    page = bench.page
    page.focus("#flow-canvas")
    page.keyboard.press("ArrowUp")
    target = bench.elements("node.target")[0]
    bench.wait_selected(target)
    page.keyboard.press("ArrowDown")
    bench.wait_selected(bench.elements("node.resid_final")[0])
    page.keyboard.press("Escape")
    bench.wait_query("node", None)
    zoom = page.evaluate(f"{CY}.zoom()")
    page.keyboard.press("+")
    assert page.evaluate(f"{CY}.zoom()") > zoom
    page.keyboard.press("f")
    box = page.evaluate(f"{CY}.elements().renderedBoundingBox()")
    assert box["x1"] > 0
    assert box["y1"] > 0
    page.keyboard.press("[")
    expect(page.locator(".controls")).to_be_hidden()
    page.click("#flow-fold")
    expect(page.locator(".controls")).to_be_visible()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("How to read the flow")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.keyboard.press("/")
    expect(page.locator("#flow-prompt")).to_be_focused()
    page.keyboard.type("f")
    expect(page.locator("#flow-prompt")).to_have_value(f"{PROMPT}f")


def test_a_thousand_elements_are_drawn_and_answer(fake_bench):
    fake_bench.open(prompt="large " + "x " * 24)
    assert len(fake_bench.elements("node, edge")) > 1000
    node = fake_bench.elements("node.resid_final")[0]
    fake_bench.select(node)
    assert fake_bench.elements("node.selected") == [node]


def test_another_model_runs_the_same_prompt(fake_bench):
    fake_bench.open(prompt=PROMPT)
    fake_bench.page.click("#flow-model")
    fake_bench.redraw(fake_bench.page.get_by_role("option", name="GPT-2 small").click)
    assert fake_bench.query["model"] == "gpt2"
