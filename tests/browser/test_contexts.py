"""The page of contexts in a browser: marks, keys, bars, filters, files, the address."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Page, expect

from flowviz.app import create_app
from flowviz.contexts.json import read_contexts
from flowviz.ui.contexts.ids import Contexts
from tests.browser.conftest import serving
from tests.browser.workbench import Workbench, nameless
from tests.contexts_found import ContextSession
from tests.ui.conftest import EXAMPLES

MANY = {"model": "demo", "prompt": "The many nurses saw Mary"}
BERT = {"model": "bert", "prompt": "The nurse saw Mary", "position": "2"}
HITS, BARS, CHIPS = "#contexts-results", "#contexts-charts", "#contexts-filters"


@pytest.fixture(scope="module")
def session() -> ContextSession:
    return ContextSession()


@pytest.fixture(scope="module")
def by_hand(session: ContextSession) -> Iterator[str]:
    with serving(create_app(session, examples=EXAMPLES)) as address:
        yield address


@pytest.fixture
def bench(page: Page, by_hand: str) -> Workbench:
    return Workbench(page, by_hand)


def visit(bench: Workbench, **query: str) -> Page:
    """Opens a link of this page and waits for what it finds."""
    bench.page.goto(f"{bench.address}/contexts?{urlencode(query)}")
    bench.page.wait_for_selector(f"{HITS}[data-drawn]")
    bench.page.wait_for_selector(f"{BARS}[data-drawn]")
    expect(bench.page.locator("#contexts-grid button").first).to_be_visible()
    return bench.page


def hit(page: Page, number: int):
    return page.locator(f'{HITS} [data-hit="{number}"]')


def piece(page: Page, number: int, text: str):
    return hit(page, number).locator(".piece").get_by_text(text, exact=True)


def test_contexts_are_listed_with_their_marks(bench):
    page = visit(bench, **MANY, position="2")
    expect(page.locator(f"{HITS} .hit")).to_have_count(50)
    first = hit(page, 0)
    expect(first.locator(".matched")).to_have_text("saw")
    expect(first.locator(".attended")).to_have_text("rse")
    expect(first.locator(".hit-text")).to_have_text("The nurse saw Mary in Rome.")
    expect(first.locator(".hit-score")).to_have_text("0.990")
    expect(first.locator(".place-words")).to_have_text("news · sentence 0")
    expect(hit(page, 1).locator(".hit-text")).to_contain_text("<b>cat ⟨U+202E⟩saw")
    expect(page.locator("#contexts-question")).to_have_text(
        "Where else is the hidden state before block 1 as at 2 ␣nurses?"
    )
    expect(page.locator("#contexts-status")).to_contain_text("50 hits of 9,000 tokens")
    assert nameless(page) == []


def test_more_hits_are_listed_on_demand(bench):
    page = visit(bench, **MANY, count="120")
    page.get_by_role("button", name="Show 50 more of 70").click()
    expect(page.locator(f"{HITS} .hit")).to_have_count(100)
    page.get_by_role("button", name="Show 20 more of 20").click()
    expect(page.locator(f"{HITS} .hit")).to_have_count(120)
    expect(page.locator(".more-hits")).to_have_count(0)


def test_five_hundred_hits_are_drawn_at_once(bench):
    page = visit(bench, **MANY)
    page.evaluate(
        """() => {
            const one = window.flowviz.contexts.listed();
            const hits = Array.from({ length: 500 }, (_, i) => one.hits[i % one.hits.length]);
            dash_clientside.set_props("contexts-data", { data: { ...one, hits, total: 500 } });
        }"""
    )
    page.wait_for_selector(f"{HITS}[data-drawn^='500-']")
    assert float(page.locator(HITS).get_attribute("data-took")) < 2000  # on a busy machine


def test_words_are_coloured_at_the_chosen_offsets(bench):
    page = visit(bench, **MANY)
    coloured = hit(page, 0).locator(".piece[class*=class-]")
    expect(coloured).to_have_count(6)  # two before, two behind, the matched one: one is in pieces
    expect(page.locator("#contexts-legend")).to_contain_text("NOUN")
    page.locator("#contexts-offsets, .offset-chips").get_by_text("+2", exact=True).click()
    expect(coloured).to_have_count(5)
    bench.wait_query("offsets", "-2,-1,0,1")
    page.locator("#contexts-colour").click()
    page.get_by_role("option", name="Entity").click()
    expect(coloured).to_have_count(1)
    expect(page.locator("#contexts-legend")).to_contain_text("PERSON")
    bench.wait_query("colour", "entity")
    page.locator("#contexts-colour").click()
    page.get_by_role("option", name="Nothing").click()
    expect(coloured).to_have_count(0)


def test_attention_shows_where_one_points(bench):
    page = visit(bench, **MANY)
    tip = page.locator(".tooltip.on")
    piece(page, 0, "Mary").hover()
    expect(tip).to_contain_text("PROPN, obj, entity PERSON, lemma mary, governed by saw")
    expect(tip).to_contain_text("All heads of block 1 look, in the mean, at")
    expect(tip).to_contain_text("75%  saw")
    expect(tip).to_contain_text("25%  Mary")
    row = hit(page, 0)
    assert "attending" in row.get_attribute("class")
    weight = piece(page, 0, "saw").evaluate("e => Number(e.style.getPropertyValue('--w'))")
    assert weight == pytest.approx(0.75**0.5, abs=1e-3)
    piece(page, 0, "rse").hover()
    expect(tip).to_contain_text("rse in nurse")
    page.locator("#contexts-question").hover()
    expect(tip).to_have_count(0)
    assert "attending" not in row.get_attribute("class")


def test_keys_walk_through_the_contexts(bench):
    page = visit(bench, **MANY)
    page.locator("#contexts-link").focus()
    page.keyboard.press("Tab")  # downloads
    page.keyboard.press("Tab")  # the list
    expect(page.locator(HITS)).to_be_focused()
    expect(page.locator("#contexts-spoken")).to_contain_text("1 of 50, score 0.990: saw")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.locator(f"{HITS} .now")).to_have_attribute("data-hit", "2")
    page.keyboard.press("ArrowUp")
    expect(page.locator("#contexts-spoken")).to_contain_text("2 of 50, score 0.989: ⟨U+202E⟩saw")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".tooltip.on")).to_contain_text("Mary")
    page.keyboard.press("Enter")
    expect(hit(page, 0).locator("a").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(HITS)).to_be_focused()


def test_a_bar_filters_and_its_chip_drops_the_filter(bench):
    page = visit(bench, **MANY)
    bar = page.locator(f'{BARS} [data-filter="matched.upos=VERB"]')
    bar.hover()
    tip = page.locator(".tooltip.on")
    expect(tip).to_contain_text("VERB: 50 of 50 hits")
    expect(tip).to_contain_text("base 12% of all 9,000 tokens of the corpus")
    bar.click()
    bench.wait_query("filters", "matched.upos=VERB")
    expect(bar).to_have_attribute("aria-pressed", "true")
    chip = page.get_by_role("button", name="Matched part of speech is VERB")
    expect(chip).to_be_visible()
    page.locator(f'{BARS} [data-tab="attended"]').click()
    bench.wait_query("role", "attended")
    page.locator(f'{BARS} [data-filter="attended.offset=-1"]').click(modifiers=["Shift"])
    bench.wait_query("filters", "attended.offset!=-1\nmatched.upos=VERB")
    chip.click()
    bench.wait_query("filters", "attended.offset!=-1")
    expect(page.locator(f"{CHIPS} button")).to_have_count(1)


def test_a_filter_is_typed(bench):
    page = visit(bench, **MANY)
    page.fill("#contexts-value", "VERB")
    page.get_by_role("button", name="Add", exact=True).click()
    bench.wait_query("filters", "matched.upos=VERB")
    expect(page.locator("#contexts-value")).to_have_value("")


def test_what_left_nothing_can_be_dropped(bench):
    page = visit(bench, **MANY, filters="matched.upos=X")
    empty = page.locator(".no-hits")
    expect(empty).to_contain_text("No token of the corpus passes the filter matched.upos=X")
    expect(page.locator(BARS)).to_contain_text("Nothing was found, so nothing is counted")
    empty.get_by_role("button", name="Matched part of speech is X").click()
    expect(page.locator(f"{HITS} .hit")).to_have_count(50)
    bench.wait_query("filters", None)


def test_a_corpus_without_annotations_says_so(bench):
    page = visit(bench, model="demo", prompt="plain words")
    expect(page.locator(BARS)).to_contain_text("This corpus is not annotated")
    expect(page.locator("#contexts-legend")).to_contain_text("no such annotation")
    expect(page.locator(f"{BARS} h3").first).to_contain_text("Word")


def test_every_choice_asks_at_once_and_stands_in_the_link(bench, session):
    page = visit(bench, **MANY)
    page.locator(".chip.token").nth(2).click()
    bench.wait_query("position", "2")
    page.locator("#contexts-kind").click()
    page.get_by_role("option", name="What heads write").click()
    bench.wait_query("site", "heads:1")
    page.get_by_role("button", name="Head 3", exact=True).click()
    bench.wait_query("chosen", "3")
    expect(page.locator("#contexts-question")).to_contain_text("does head 3 of block 1 write")
    page.locator('#contexts-grid [data-head="2.0"]').click()
    bench.wait_query("heads", "2.0")
    page.get_by_role("button", name="The compared ones").click()
    bench.wait_query("heads", None)
    page.locator(".controls").get_by_text("Inner product").click()
    bench.wait_query("metric", "inner")
    page.get_by_role("switch", name="Not the same word").click()
    bench.wait_query("other_word", "1")
    page.fill("#contexts-least", "0.5")
    bench.wait_query("least", "0.5")
    page.fill("#contexts-most", "20")
    bench.wait_query("count", "20")
    expect(page.locator(f"{HITS} .hit")).to_have_count(20)
    page.keyboard.press("Escape")
    page.locator("#contexts-question").click()
    asked = len(session.submitted)
    here = dict(bench.query)
    page.goto(page.url)  # the link opens the same again
    page.wait_for_selector(f"{HITS}[data-drawn]")
    expect(page.get_by_role("button", name="Head 3", exact=True)).to_have_attribute(
        "aria-pressed", "true"
    )
    expect(page.locator("#contexts-most")).to_have_value("20")
    expect(page.locator("#contexts-least")).to_have_value("0.5")
    expect(page.locator(f"{CHIPS} button")).to_have_count(2)
    assert bench.query == here
    assert len(session.submitted) == asked + 1  # setting the controls asks nothing


def test_heads_are_chosen_by_keys(bench):
    page = visit(bench, **MANY)
    grid = page.locator("#contexts-grid")
    grid.locator('[data-head="1.0"]').focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    expect(grid.locator('[data-head="2.1"]')).to_be_focused()
    page.keyboard.press("Enter")
    bench.wait_query("heads", "2.1")
    expect(grid.locator('[data-head="2.1"]')).to_be_focused()
    expect(grid.locator('[aria-pressed="true"]')).to_have_count(1)
    page.keyboard.press("]")
    bench.wait_query("site", "resid_pre:2")
    page.keyboard.press("[")
    bench.wait_query("site", None)  # what is meant anyway is not said


def test_what_is_chosen_while_an_answer_arrives_stays_chosen(bench):
    """Both in one round of Dash, whose scripts are handed what was there before it."""
    page = visit(bench, **MANY)
    page.evaluate(
        """ids => {
            window.dash_clientside.set_props(ids.LAYER, { value: 2 });
            const again = { ...flowviz.contexts.sizes() };
            window.dash_clientside.set_props(ids.FITTED, { data: again });
        }""",
        {"LAYER": Contexts.LAYER, "FITTED": Contexts.FITTED},
    )
    bench.wait_query("site", "resid_pre:2")
    expect(page.get_by_role("slider", name="Block")).to_have_attribute("aria-valuenow", "2")


def test_the_header_takes_the_prompt_along(bench):
    page = visit(bench, **MANY, position="2")
    page.locator(".pages").get_by_text("Attention").click()
    page.wait_for_url("**/attention?**")
    assert (bench.query["prompt"], bench.query["position"]) == (MANY["prompt"], "2")


def test_masks_of_an_encoder(bench):
    page = visit(bench, **BERT)
    page.get_by_role("button", name="Mask it").click()
    bench.wait_query("mask", "2")
    expect(page.locator(".chip.token.masked")).to_have_text("␣saw")
    page.locator(".chip.token").nth(1).dblclick()
    bench.wait_query("mask", "1,2")
    page.get_by_role("button", name="Show it to the model").wait_for()
    page.locator(".chip.token").nth(1).focus()
    page.keyboard.press("m")
    bench.wait_query("mask", "2")
    expect(hit(page, 0).get_by_role("link")).to_have_count(2)  # no flow of an encoder


def test_what_is_wrong_keeps_the_picture(bench):
    page = visit(bench, **MANY)
    page.fill("#contexts-value", "1")
    page.locator("#contexts-feature").click()
    page.get_by_role("option", name="Offset").click()
    page.get_by_role("button", name="Add", exact=True).click()
    bench.notice("only attended.offset is one")
    expect(page.locator(f"{HITS} .hit")).to_have_count(50)
    page.get_by_role("button", name="Matched offset is 1").click()
    expect(page.locator("#shell-notice-box")).to_be_hidden()
    page.fill("#contexts-prompt", "")
    page.press("#contexts-prompt", "Enter")
    bench.notice("The prompt is empty")
    expect(page.locator(f"{HITS} .hit")).to_have_count(50)


def test_a_slow_search_shows_its_progress_and_is_cancelled(bench):
    page = visit(bench, **MANY)
    page.fill("#contexts-prompt", "a slow one")
    page.press("#contexts-prompt", "Enter")
    expect(page.locator("#contexts-stage")).to_have_text("Reading the corpus")
    page.get_by_role("button", name="Cancel").click()
    bench.notice("the last picture stands")
    expect(page.locator(f"{HITS} .hit")).to_have_count(50)


def test_another_model_begins_anew(bench):
    page = visit(bench, **MANY, corpus="own", site="resid_pre:1", position="2")
    page.locator("#contexts-model").click()
    page.get_by_role("option", name="BERT").click()
    bench.wait_query("model", "bert")
    bench.wait_query("corpus", None)  # bert did not read the other one
    bench.wait_query("position", None)
    expect(page.locator("#contexts-corpus")).to_have_value("Demo corpus")


def test_hits_lead_to_the_other_pages(bench):
    page = visit(bench, **MANY, site="heads:2", chosen="1,3")
    links = hit(page, 0).get_by_role("link")
    hrefs = [urlsplit(links.nth(i).get_attribute("href")) for i in range(3)]
    assert [link.path for link in hrefs] == ["/attention", "/", "/contexts"]
    assert parse_qs(hrefs[0].query)["heads"] == ["1,3"]
    links.nth(2).click()
    bench.wait_query("prompt", "The nurse saw Mary in Rome.")
    bench.wait_query("position", "3")


def test_the_example_puts_its_question(bench):
    page = visit(bench, **MANY, metric="inner", filters="matched.upos=VERB")
    page.get_by_role("button", name="Examples").click()
    page.locator(".example").first.click()
    bench.wait_query("metric", None)
    bench.wait_query("filters", None)
    expect(page.locator("#contexts-look-for")).not_to_be_empty()
    expect(page.locator("#contexts-prompt")).to_have_value(bench.query["prompt"])


def saved(page: Page, item: str) -> tuple[str, str]:
    """The name and the text of a file of the download menu."""
    page.get_by_role("button", name="Download").click()
    with page.expect_download() as waited:
        page.locator(f"#contexts-save-{item}").click()
    path = Path(waited.value.path())
    return waited.value.suggested_filename, path.read_text(encoding="utf-8-sig")


def test_hits_and_summaries_are_saved(bench):
    page = visit(bench, **MANY)
    name, text = saved(page, "hits")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert (name, len(rows)) == ("contexts-hits.csv", 50)
    assert (rows[0]["matched_upos"], rows[0]["attended_form"]) == ("VERB", "nurse")
    name, text = saved(page, "summary")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert (name, rows[0]["role"], rows[0]["count"]) == ("contexts-summaries.csv", "matched", "50")
    name, text = saved(page, "json")
    assert name == "contexts.json"
    assert len(read_contexts(text).hits) == 50


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_marks_can_be_read_in_light_and_dark(bench, scheme):
    bench.page.emulate_media(color_scheme=scheme)
    page = visit(bench, **MANY)
    page.wait_for_function(
        "s => document.documentElement.dataset.mantineColorScheme === s", arg=scheme
    )
    for selector in (".hit .matched", ".piece.class-0", ".count-bar.over .bar-label"):
        assert contrast(page, selector) >= 4.5, selector


def contrast(page: Page, selector: str) -> float:
    """Of a text against what lies behind it (WCAG 2)."""
    return page.evaluate(
        """selector => {
            const canvas = document.createElement("canvas");
            const probe = canvas.getContext("2d", { willReadFrequently: true });
            const paint = (...colours) => {
                probe.clearRect(0, 0, 1, 1);
                colours.forEach(c => { probe.fillStyle = c; probe.fillRect(0, 0, 1, 1); });
                return [...probe.getImageData(0, 0, 1, 1).data].slice(0, 3);
            };
            const light = rgb => rgb.map(v => v / 255)
                .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
                .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
            const one = document.querySelector(selector);
            const behind = [];
            for (let e = one; e; e = e.parentElement) {
                behind.unshift(getComputedStyle(e).backgroundColor);
            }
            const back = light(paint(...behind));
            const text = light(paint(...behind, getComputedStyle(one).color));
            return (Math.max(back, text) + 0.05) / (Math.min(back, text) + 0.05);
        }""",
        selector,
    )


@pytest.mark.parametrize("width", [800, 390])
def test_nothing_is_cut_off_in_a_narrow_window(bench, width):
    bench.page.set_viewport_size({"width": width, "height": 844})
    page = visit(bench, **MANY, filters="matched.upos=VERB")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    bar = page.locator(f'{BARS} [data-filter="matched.upos=VERB"]')
    bar.scroll_into_view_if_needed()
    expect(bar).to_be_visible()


def test_the_program_itself_answers(page, address):
    """With its own model and corpus: the search runs, and each part of the page is filled."""
    bench = Workbench(page, address)
    page.goto(f"{bench.address}/contexts")
    page.wait_for_selector(f"{HITS}[data-drawn]", timeout=120_000)
    expect(page.locator("#contexts-look-for")).to_contain_text("One word, two kinds")
    expect(hit(page, 0).locator(".matched")).to_have_text("kind")
    adjectives = page.locator(f'{BARS} [data-filter="matched.upos=ADJ"]')
    expect(adjectives).to_contain_text("43")
    adjectives.click()
    bench.wait_query("filters", "matched.upos=ADJ")
    expect(adjectives).to_contain_text("50")
