"""Is this graph right? The line that comes by itself, and the panel behind it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

import flowviz
from flowviz.causal.types import Ablation
from flowviz.views.check.words import details, headline, smallest_words
from tests.browser.workbench import Workbench

PROMPT = "The capital of Japan is the city of"
OTHER = "The capital of Spain is the city of"
TOLD = ".check-row[data-state=told]"
FAILED = ".check-row[data-state=failed]"
LONG = 60_000  # milliseconds: the mean reads a set of prompts
PLACE = """key => {
    const plot = document.querySelector("#check-scatter .js-plotly-plot");
    const { xaxis, yaxis } = plot._fullLayout;
    for (const trace of plot.data) {
        const i = (trace.customdata || []).indexOf(key);
        if (i < 0) continue;
        const box = plot.getBoundingClientRect();
        return [box.left + xaxis._offset + xaxis.d2p(trace.x[i]),
                box.top + yaxis._offset + yaxis.d2p(trace.y[i])];
    }
}"""


@pytest.fixture(scope="session")
def explanation(demo):
    return flowviz.explain(PROMPT, demo)


@pytest.fixture(scope="session")
def verdict(explanation):
    """What the Python function says of the same graph."""
    return explanation.check(share=0.8)


@pytest.fixture(scope="session")
def graph(explanation):
    return explanation.graph


@pytest.fixture
def bench(page, checking_address) -> Workbench:
    return Workbench(page, checking_address)


def told(page, words: str = ""):
    """Waits for a verdict, and for these words in its line."""
    page.wait_for_selector(TOLD, timeout=LONG)
    expect(page.locator("#check-line")).to_contain_text(words, timeout=LONG)
    return page.locator("#check-line").inner_text()


def opened(bench, **query):
    """A page with its graph, its verdict and its panel."""
    bench.open(**{"prompt": PROMPT, "check": "1", **query})
    told(bench.page)
    bench.page.wait_for_selector("#check-scatter .point")
    return bench.page


def test_the_line_comes_without_a_click_and_the_panel_by_click_and_key_with_the_functions_numbers(
    bench, graph, verdict
):
    bench.open(prompt=PROMPT)
    page = bench.page
    expect(page.locator("#check-panel")).to_be_hidden()
    words = f"{headline(graph, verdict.recovery)} {details(verdict.recovery, Ablation.ZERO)}"
    assert told(page) == words
    tip = page.locator("#check-line span").get_attribute("title")
    assert "every other head, neuron and embedding is replaced by zero" in tip
    page.click("#check-toggle")
    expect(page.locator("#check-toggle")).to_have_attribute("aria-expanded", "true")
    spearman = verdict.agreement.spearman
    for name in ("flow", "blend", "gradient", "direct"):
        expect(page.locator("#check-panel")).to_contain_text(f"{name} {spearman[name]:.2f}")
    expect(page.locator("#check-curves .legendtext")).to_have_count(6)
    legend = page.locator("#check-curves .legendtext").all_text_contents()
    curve = verdict.curves[0]
    assert f"flow {curve.cpr:.2f}/{curve.cmd:.2f}" in legend
    assert "this graph" in legend
    bench.wait_query("check", "1")
    page.locator("#check-toggle").press("c")
    expect(page.locator("#check-panel")).to_be_hidden()
    bench.wait_query("check", None)


def test_another_graph_is_checked_again(bench):
    bench.open(prompt=PROMPT)
    before = told(bench.page)
    bench.redraw(lambda: bench.page.get_by_text("Circuit").click())
    told(bench.page)
    bench.redraw(lambda: bench.run("The capital of France is the city of"))
    after = told(bench.page, "␣Paris")
    assert after != before


def test_the_ablation_is_switched_and_named(bench):
    page = opened(bench)
    zero = page.locator("#check-line").inner_text()
    page.locator("#check-against").get_by_text("Mean").click()
    mean = told(page, "under mean ablation")
    bench.wait_query("against", "mean")
    expect(page.locator("#check-recovered")).to_contain_text("is replaced by the mean over")
    page.locator("#check-against").get_by_text("Zero").click()
    assert told(page, "under zero ablation") == zero != mean
    bench.wait_query("against", None)


def test_a_wrong_other_prompt_is_told_in_place_and_nothing_is_lost(bench):
    page = opened(bench)
    before = page.locator("#check-line").inner_text()
    page.locator("#check-against").get_by_text("Other prompt").click()
    box = page.get_by_label("The other prompt", exact=True)
    expect(box).to_be_focused()
    box.press("Enter")
    expect(page.locator("#check-other-field")).to_contain_text("Type the other prompt")
    assert page.locator("#check-line").inner_text() == before
    box.fill("The capital")
    box.press("Enter")
    page.wait_for_selector(FAILED)
    expect(page.locator("#check-other-field")).to_contain_text("at least as long")
    expect(page.locator("#check-fault")).to_contain_text("The other prompt has 2 tokens")
    expect(box).to_have_value("The capital")
    expect(page.locator("#check-scatter .point").first).to_be_visible()
    box.fill(OTHER)
    box.press("Enter")
    told(page, "with another prompt's values")
    bench.wait_query("other", OTHER)
    expect(page.locator("#check-other-field")).not_to_contain_text("at least as long")


def test_a_point_names_its_component_a_click_opens_it_and_another_score_is_plotted(bench, verdict):
    page = opened(bench)
    strongest = verdict.agreement.effects[0].key
    drawn = next(row.key for row in verdict.agreement.effects if bench.elements(f"#{row.key}"
                 .replace(":", "\\:")))  # fmt: skip
    for key in (strongest, drawn):
        page.locator("#check-plot").scroll_into_view_if_needed()
        x, y = page.evaluate(PLACE, str(key))
        page.mouse.move(x, y)
        expect(page.locator("#check-scatter .hoverlayer")).to_contain_text("effect")
        page.mouse.click(x, y)
        bench.wait_selected(str(key))
    assert bench.elements(".selected.node") == [str(drawn)]
    page.locator("#check-score").get_by_text("gradient").click()
    expect(page.locator("#check-scatter .xtitle")).to_have_text("What the gradient says")


def test_the_smallest_graph_is_found_listed_and_opened(bench, verdict):
    page = opened(bench)
    page.click("#check-smallest-run")
    panel = page.locator("#check-smallest")
    expect(panel).to_contain_text(smallest_words(verdict.smallest), timeout=LONG)
    expect(panel).to_contain_text("Its weakest is")
    bench.wait_query("smallest", "0.8")
    assert panel.locator(".steps .step").count() == len(verdict.smallest.nodes)
    panel.locator(".steps .step").last.click()
    bench.wait_selected(str(verdict.smallest.nodes[-1]))
    page.click("#check-smallest-run")  # the same once more
    told(page)
    bench.redraw(lambda: bench.run("The capital of France is the city of"))
    told(page, "␣Paris")
    bench.wait_query("smallest", None)


def test_a_link_reproduces_the_check(bench, context):
    page = opened(bench, against="resample", other=OTHER, smallest="0.3")
    expect(page.locator("#check-smallest")).to_contain_text("recover", timeout=LONG)
    line, link = page.locator("#check-line").inner_text(), page.url
    small = page.locator("#check-smallest").inner_text()
    other = context.new_page()
    other.goto(link)
    assert told(other) == line
    expect(other.locator("#check-smallest")).to_have_text(small, use_inner_text=True)
    expect(other.get_by_label("The other prompt", exact=True)).to_have_value(OTHER)
    assert other.url == link
    other.close()


def test_the_verdict_can_be_downloaded_as_json_and_in_two_tables(bench, verdict):
    page = opened(bench)
    share = json.loads(downloaded(page, "json"))["recovery"]["kept"]["recovered"]
    assert share == pytest.approx(verdict.recovery.kept.recovered, abs=1e-4)
    for what, rows in (("effects", len(verdict.agreement.effects)), ("curves", 50)):
        assert len(downloaded(page, what).splitlines()) == 1 + rows


def downloaded(page, what: str) -> str:
    with page.expect_download() as waiting:
        page.click(f"#check-save-{what}")
    return Path(waiting.value.path()).read_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_width_in_both_themes(bench, scheme):
    bench.page.emulate_media(color_scheme=scheme)
    page = opened(bench)
    ink = {"light": "rgb(26, 33, 43)", "dark": "rgb(232, 236, 241)"}[scheme]
    for width in (1440, 800, 390):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_function(
            "w => document.querySelector('#check-plot').getBoundingClientRect().right <= w",
            arg=width,
        )
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.locator("#flow-canvas").bounding_box()["height"] >= 250
        legend = page.locator("#check-curves .legendtext").first
        assert legend.evaluate("e => getComputedStyle(e).fill") == ink


def test_a_row_of_graphs_is_checked_once(fake_bench, fake_session):
    page = fake_bench.page
    fake_bench.open(prompt="one that slides")
    told(page)
    before = len(fake_session.checked)
    page.evaluate(
        """() => [0.5, 0.51, 0.52, 0.53, 0.54].forEach((coverage) => {
            window.dash_clientside.set_props("flow-shown", {
                data: { model: "demo", prompt: "one that slides", coverage: String(coverage) } });
        })"""
    )
    fake_bench.wait_query("coverage", "0.54")
    page.wait_for_selector(TOLD)
    checked = fake_session.checked[before:]
    assert [request.explained.settings.coverage for request in checked] == [0.54]


def test_a_check_is_cancelled_and_asked_for_again(fake_bench, fake_session):
    page = fake_bench.page
    fake_bench.open(prompt="a graph", check="1", against="resample", other="a slow one")
    expect(page.locator(".check-progress")).to_contain_text("Replacing everything")
    page.click("#check-cancel")
    expect(page.locator("#check-fault")).to_have_text("Not checked: It was stopped.")
    page.click("#check-retry")
    expect(page.locator(".check-progress")).to_be_visible()
    fake_session.released = True
    told(page, "Recovers 12%")
    fake_session.released = False
    assert page.locator("#flow-progress").is_hidden()


def test_a_verdict_that_made_room_is_asked_for_again(fake_bench, fake_session):
    page = fake_bench.page
    fake_bench.open(prompt="a graph whose verdict goes")
    told(page)
    fake_session.verdicts_gone = True
    page.click("#check-toggle")
    expect(page.locator("#check-recovered")).to_contain_text("50%")
    expect(page.locator("#shell-notice-box")).to_be_hidden()


def test_what_is_missed_is_run_again_and_only_where_that_goes_on_is_the_server_full(fake_bench):
    """Two callbacks may miss one result, and the second say so once it is there again."""
    page = fake_bench.page
    fake_bench.open(prompt="a graph that is missed")
    assert page.evaluate("flowviz.again.may('picture')")
    assert not page.evaluate("flowviz.again.may('picture')")  # it is on its way
    page.evaluate("flowviz.again.end()")
    assert page.evaluate("flowviz.again.may('picture')")
    page.evaluate("flowviz.again.end()")
    expect(page.locator("#shell-notice-box")).to_be_hidden()
    assert not page.evaluate("flowviz.again.may('picture')")
    fake_bench.notice("Run it again in a minute")


def test_where_a_law_failed_the_graph_is_checked_and_no_flow_is_told(fake_bench):
    page = fake_bench.page
    fake_bench.open(prompt="an unlawful run of it", check="1")
    told(page, "Recovers 50%")
    expect(page.locator("#check-score")).to_contain_text("gradient")
    expect(page.locator("#check-score")).not_to_contain_text("flow")
    expect(page.locator("#check-find")).to_be_hidden()
