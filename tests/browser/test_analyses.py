"""The analyses page in a real browser, on the demo model with a few prompts."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Page, expect

from flowviz.analyses.request import Analysis, AnalysisRequest
from flowviz.analyses.run import analyse
from flowviz.analyses.tables import tables
from flowviz.app import create_app
from flowviz.ui.analyses.numbers import OF_ONE_NORM
from flowviz.views.tokens import visible
from tests.browser.conftest import serving
from tests.browser.workbench import nameless
from tests.results import AnalysesSession
from tests.ui.conftest import EXAMPLES

ONE = "The capital of Japan is the city of\t Tokyo"
FEW = f"{ONE}\nWhen Mary and John went to the store, John gave a drink to\t Mary"
CHARTS = {
    Analysis.OVERLAP: 4,
    Analysis.TARGET: 2,
    Analysis.NORMS: 5,
    Analysis.NEURONS: 2,
    Analysis.SEARCH: 4,
}
TABLE = ".found .table:not(details) .ag-root"
PATIENCE = 60_000  # milliseconds: the tests' machine may be busy
THEME = "() => document.documentElement.dataset.mantineColorScheme"


@pytest.fixture(scope="module")
def model(demo):
    return demo


@pytest.fixture(scope="module")
def by_hand() -> AnalysesSession:
    return AnalysesSession()


@pytest.fixture(scope="module")
def by_hand_address(by_hand) -> Iterator[str]:
    """Where a session without a model is served: slow and failing at will."""
    with serving(create_app(by_hand, examples=EXAMPLES)) as address:
        yield address


def visit(page: Page, address: str, **query: str) -> None:
    """Opens a link and waits for the form."""
    page.goto(f"{address}/analyses?{urlencode(query)}")
    page.wait_for_selector("#analyses-run")


def shown(page: Page, charts: int) -> None:
    """Waits until a result with so many charts is drawn."""
    expect(page.locator(".found .js-plotly-plot")).to_have_count(charts, timeout=PATIENCE)
    expect(page.locator(TABLE).first).to_be_visible()


def asked_for(analysis: Analysis, text: str = ONE) -> dict[str, str]:
    """A link's query."""
    what = {"token": " Tokyo"} if analysis is Analysis.SEARCH else {"text": text}
    return {"analysis": str(analysis), "model": "demo", **what}


def query_of(page: Page) -> dict[str, str]:
    return {name: value[0] for name, value in parse_qs(urlsplit(page.url).query).items()}


def rows_of(page: Page, table: str) -> list[dict]:
    """What a table holds, as its grid has it."""
    name = json.dumps({"index": table, "type": "analyses-table"}, separators=(",", ":"))
    return page.evaluate(
        """name => {
            const rows = [];
            window.dash_ag_grid.getApi(JSON.parse(name)).forEachNode(node => rows.push(node.data));
            return rows;
        }""",
        name,
    )


def plotted(page: Page, chart: int) -> list[dict]:
    """The traces of a chart, as it was drawn."""
    return page.evaluate(
        """n => document.querySelectorAll(".found .js-plotly-plot")[n].data.map(
            trace => ({ name: trace.name, x: [...trace.x], y: [...trace.y] }))""",
        chart,
    )


@pytest.mark.parametrize("analysis", Analysis)
def test_every_analysis_runs_and_its_numbers_are_those_of_the_function(
    page, address, model, analysis
):
    visit(page, address, **asked_for(analysis))
    shown(page, CHARTS[analysis])
    result = analyse(model, AnalysisRequest.from_mapping(asked_for(analysis)))
    held = {table.name: table for table in tables(result)}
    compared = 0
    for section in page.locator(".found .table .numbers").all():
        table = held[json.loads(section.get_attribute("id"))["index"]]
        if table.name in OF_ONE_NORM:
            continue
        rows = rows_of(page, table.name)
        assert len(rows) == len(table.rows)
        for row, told in zip(rows, table.rows, strict=True):
            figures = {name: value for name, value in told.items() if isinstance(value, float)}
            assert {name: row[name] for name in figures} == pytest.approx(figures, rel=1e-4)
            compared += len(figures)
    assert compared > 10


def test_the_lines_of_the_charts_are_the_figures_of_the_function(page, address, model):
    visit(page, address, **asked_for(Analysis.OVERLAP, FEW))
    shown(page, 4)
    result = analyse(model, AnalysisRequest(Analysis.OVERLAP, text=FEW))
    panels = (result.by_layer, result.by_norm_rank, result.by_attention_rank, result.among)
    for number, panel in enumerate(panels):
        drawn = {trace["name"]: trace for trace in plotted(page, number)}
        for series in panel:
            assert drawn[series.title]["x"] == list(series.x)
            assert drawn[series.title]["y"] == pytest.approx(list(series.mean), rel=1e-4)


def test_prompts_are_typed_and_run_with_the_keyboard(page, address):
    visit(page, address)
    expect(page.locator(".nothing")).to_contain_text("Choose prompts and press Run.")
    page.locator("#analyses-analysis input[value=overlap]").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#analyses-question")).to_contain_text("Where in the model")
    page.locator("#analyses-source input[value=set]").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#analyses-text")).to_be_visible()
    page.locator("#analyses-text").focus()
    page.keyboard.type("The capital of Japan is the city of")
    expect(page.locator("#analyses-count")).to_have_text("1 prompt")
    page.get_by_role("button", name="Insert ⇥").click()
    page.keyboard.type(" Tokyo")
    expect(page.locator("#analyses-count")).to_have_text("1 prompt, each with its answer")
    page.keyboard.press("Control+Enter")
    shown(page, 2)
    expect(page.locator(".about-it")).to_contain_text("1 of 1 answered right")
    assert query_of(page) == {"analysis": "target", "model": "demo", "text": ONE}


def test_a_line_that_is_no_prompt_is_named_and_nothing_is_lost(page, address):
    visit(page, address, **asked_for(Analysis.TARGET))
    shown(page, 2)
    wrong = f"{FEW}\nfour\tcolumns\tare\ttoo many"
    page.fill("#analyses-text", wrong)
    expect(page.locator("#analyses-count")).to_contain_text("Line 3: It has more than three")
    page.click("#analyses-run")
    expect(page.locator("#shell-notice-box")).to_contain_text("Line 3:")
    expect(page.locator("#analyses-text")).to_have_value(wrong)
    shown(page, 2)
    page.fill("#analyses-text", FEW)
    page.click("#analyses-run")
    expect(page.locator(".about-it")).to_contain_text("2 prompts")
    expect(page.locator("#shell-notice-box")).to_be_hidden()


def test_a_link_reproduces_the_result_with_its_numbers_and_its_norm(page, address, context):
    visit(page, address, **asked_for(Analysis.NORMS), k="7")
    shown(page, 5)
    first = plotted(page, 3)
    page.locator("#analyses-norm").click()
    page.get_by_role("option", name="L3 ln2, before the MLP").click()
    wait_until(page, lambda: plotted(page, 3) != first)
    page.wait_for_function("() => location.search.includes('norm=3.ln2')")
    expect(page.locator(".tops ol").first.locator("li")).to_have_count(7)
    losers = plotted(page, 3)
    other = context.new_page()
    other.goto(page.url)
    shown(other, 5)
    expect(other.locator("#analyses-norm")).to_have_value("L3 ln2, before the MLP")
    expect(other.locator("#analyses-k")).to_have_value("7")
    assert plotted(other, 3) == losers
    assert other.url == page.url
    other.close()


def test_a_click_on_a_norm_in_a_chart_looks_at_it(page, address):
    visit(page, address, **asked_for(Analysis.NORMS))
    shown(page, 5)
    point = page.locator(".found .js-plotly-plot").first.locator(".points path").last
    box = point.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.locator("#analyses-norm")).to_have_value("final norm")
    page.wait_for_function("() => location.search.includes('norm=6.ln_final')")


def test_a_token_is_searched_as_soon_as_enter_takes_it(page, address):
    visit(page, address, analysis="search")
    box = page.locator("#analyses-token")
    box.press_sequentially(" Toky")
    box.press("Enter")
    shown(page, 4)
    expect(page.locator(".about-it")).to_contain_text("␣Tokyo")
    assert query_of(page)["token"] == " Tokyo"
    box.fill("Rom")
    page.get_by_role("option", name="␣Rome", exact=True).click()
    expect(page.locator(".about-it")).to_contain_text("␣Rome")
    page.fill("#analyses-open-in", "We went to")
    link = page.locator(".numbers a").first
    expect(link).to_have_attribute("href", re.compile(r"prompt=We\+went\+to&node=neuron"))
    link.click()
    page.wait_for_selector("[data-drawn]")
    expect(page.locator("#flow-prompt")).to_have_value("We went to")
    expect(page.locator(".inspector h2")).to_contain_text("at 2")


def test_tables_and_the_whole_are_saved(page, address, model):
    visit(page, address, **asked_for(Analysis.TARGET, FEW))
    shown(page, 2)
    result = analyse(model, AnalysisRequest(Analysis.TARGET, text=FEW))
    told = next(table for table in tables(result) if table.name == "prompts")
    rows = list(csv.DictReader(io.StringIO(saved(page, page.get_by_text("Save CSV").first))))
    assert [row["prompt"] for row in rows] == [row["prompt"] for row in told.rows]
    assert [float(row["probability"]) for row in rows] == pytest.approx(
        [row["probability"] for row in told.rows], rel=1e-4
    )
    held = json.loads(saved(page, page.locator("#analyses-save-json")))
    assert held["stages"] == list(result.stages)
    assert held["groups"][0]["rank"] == pytest.approx(list(result.groups[0].rank), rel=1e-4)


def saved(page: Page, button) -> str:
    with page.expect_download() as waiting:
        button.click()
    return Path(waiting.value.path()).read_text()


def test_prompts_come_from_a_file_opened_or_dropped(page, by_hand_address, tmp_path):
    visit(page, by_hand_address)
    page.locator("#analyses-source").get_by_text("My own").click()
    file = tmp_path / "prompts.txt"
    file.write_text(FEW)
    choose(page, file)
    expect(page.locator("#analyses-text")).to_have_value(FEW)
    expect(page.locator("#analyses-count")).to_have_text("2 prompts, each with its answer")
    drop(page, "a prompt that was dropped")
    expect(page.locator("#analyses-text")).to_have_value("a prompt that was dropped")
    file.write_bytes(b"\xff\xfe\x00")
    choose(page, file)
    expect(page.locator("#shell-notice-box")).to_contain_text("no text in UTF-8")
    file.write_text("x" * 200_001)
    choose(page, file)
    expect(page.locator("#shell-notice-box")).to_contain_text("200,001 characters")
    expect(page.locator("#analyses-text")).to_have_value("a prompt that was dropped")


def choose(page: Page, file: Path) -> None:
    with page.expect_file_chooser() as waiting:
        page.click("#analyses-file")
    waiting.value.set_files(file)


def drop(page: Page, text: str) -> None:
    page.evaluate(
        """text => {
            const dataTransfer = new DataTransfer();
            dataTransfer.items.add(new File([text], "dropped.txt", { type: "text/plain" }));
            const box = document.getElementById("analyses-text");
            for (const kind of ["dragover", "drop"]) {
                const options = { bubbles: true, cancelable: true, dataTransfer };
                box.dispatchEvent(new DragEvent(kind, options));
            }
        }""",
        text,
    )


def test_long_work_shows_its_stage_and_is_cancelled(page, by_hand, by_hand_address):
    visit(page, by_hand_address, **asked_for(Analysis.TARGET, "quick"))
    shown(page, 2)
    page.fill("#analyses-text", "a slow one")
    page.click("#analyses-run")
    expect(page.locator("#analyses-stage")).to_have_text("Prompt 1 of 2")
    expect(page.locator("#analyses-bar")).to_have_attribute("value", "0.25")
    page.click("#analyses-cancel")
    expect(page.locator("#analyses-progress")).to_be_hidden()
    expect(page.locator("#shell-notice-box")).to_contain_text("The run was stopped")
    shown(page, 2)
    page.click("#analyses-run")
    expect(page.locator("#analyses-progress")).to_be_visible()
    by_hand.released = True
    page.wait_for_function("() => location.search.includes('slow')")
    expect(page.locator("#analyses-progress")).to_be_hidden()
    by_hand.released = False
    page.fill("#analyses-text", "this will fail")
    page.click("#analyses-run")
    expect(page.locator("#shell-notice-box")).to_contain_text("Prompt 1 is too long. Shorten it.")


def test_a_result_that_had_to_make_room_is_run_again(page, by_hand, by_hand_address):
    visit(page, by_hand_address, **asked_for(Analysis.OVERLAP, "kept for a while"))
    shown(page, 4)
    by_hand.held.clear()
    before = len(by_hand.asked)
    page.click("#shell-theme-button")
    page.wait_for_function("() => document.querySelectorAll('.found .js-plotly-plot').length === 4")
    expect(page.locator("#shell-notice-box")).to_be_hidden()
    wait_until(page, lambda: len(by_hand.asked) == before + 1)


def wait_until(page: Page, holds) -> None:
    for _ in range(100):
        if holds():
            return
        page.wait_for_timeout(100)
    raise AssertionError("it did not come true in ten seconds")


def test_long_prompts_stay_out_of_the_link_and_the_page_says_so(page, by_hand_address):
    visit(page, by_hand_address)
    page.locator("#analyses-source").get_by_text("My own").click()
    page.fill("#analyses-text", "word " * 500)
    page.click("#analyses-run")
    shown(page, 4)
    expect(page.locator("#analyses-link-note")).to_contain_text("with 2,500 characters")
    assert query_of(page) == {"analysis": "overlap", "model": "demo", "left_out": "2500"}
    page.reload()
    expect(page.locator(".nothing")).to_contain_text("too long for it (2,500 characters)")
    page.locator("#analyses-source").get_by_text("My own").click()
    page.fill("#analyses-text", "語" * 1500)  # nine characters each in a link
    page.click("#analyses-run")
    page.wait_for_function("() => location.search.includes('left_out=1500')")


def test_a_set_is_looked_at_and_edited(page, by_hand_address):
    visit(page, by_hand_address)
    page.locator("#analyses-group").click()
    option = page.get_by_role("option").filter(has_text="capitals (")
    count = int(option.first.inner_text().split("(")[1].rstrip(")"))
    option.first.click()
    expect(page.locator("#analyses-count")).to_contain_text(f"{count} prompts")
    page.get_by_text("Look at them").click()
    expect(page.locator(".listed li")).to_have_count(count)
    page.click("#analyses-copy-set")
    expect(page.locator("#analyses-count")).to_contain_text(f"{count} prompts")
    page.wait_for_function(
        "count => document.getElementById('analyses-text').value.split('\\n').length === count + 1",
        arg=count,
    )


def test_the_flow_page_leads_to_the_analyses_of_its_prompt_and_back(bench):
    bench.open(prompt="# The capital\nof Japan is", token=" Tokyo")
    page = bench.page
    page.wait_for_function("() => document.getElementById('flow-analyse').href.includes('text=')")
    page.click("#flow-analyse")
    shown(page, 2)
    row = rows_of(page, "prompts")[0]
    assert row["prompt"] == "# The capital\nof Japan is"
    assert row["target"] == visible(" Tokyo")
    page.get_by_role("link", name="open").first.click()
    page.wait_for_selector("[data-drawn]")
    expect(page.locator("#flow-prompt")).to_have_value("# The capital\nof Japan is")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_width_in_the_systems_theme_and_names_for_all_that_can_be_used(
    page, by_hand_address, scheme
):
    page.emulate_media(color_scheme=scheme)
    for analysis in Analysis:
        visit(page, by_hand_address, **asked_for(analysis))
        expect(page.locator(TABLE).first).to_be_visible()
        assert page.evaluate(THEME) == scheme
        assert nameless(page) == []
        for width in (1440, 800, 390):
            page.set_viewport_size({"width": width, "height": 900})
            page.wait_for_function(
                "w => document.querySelector('.found .chart').clientWidth <= w", arg=width
            )
            assert page.evaluate("() => document.documentElement.scrollWidth") <= width
            assert page.locator(".found .chart").first.bounding_box()["width"] >= 280
            expect(page.locator("#analyses-run")).to_be_visible()


def test_charts_and_tables_follow_the_theme(page, by_hand_address):
    visit(page, by_hand_address, **asked_for(Analysis.OVERLAP))
    shown(page, 4)
    colour = "() => document.querySelector('.found .js-plotly-plot').layout.font.color"
    before = page.evaluate(colour)
    page.click("#shell-theme-button")
    page.wait_for_function(f"old => ({colour})() !== old", arg=before)
    assert page.evaluate(THEME) == "dark"
