"""A node opened into factors on the page: drawn, listed, linked, changed, and closed again."""

from __future__ import annotations

from urllib.parse import urlencode

from playwright.sync_api import expect

from flowviz.ui.factors.examples import EXAMPLES
from tests.browser.workbench import Workbench

PROMPT = "The capital of Japan is the city of"
STATE = "resid_mid:2:7"
PLACE = "resid_mid:2@7"


def test_a_state_opens_into_factors_one_is_switched_off_and_it_closes(bench: Workbench) -> None:
    bench.open(prompt=PROMPT, node=STATE)
    page = bench.page
    expect(page.locator(".opened h3")).to_have_text("Factors")
    bench.redraw(lambda: page.click(".opened [data-open]"))
    bench.wait_query("opened", PLACE)
    expect(page.locator("#open-bar")).to_contain_text("explained")
    expect(page.locator(".inspector .opened")).to_contain_text("nats a token")
    assert bench.elements("node.opened") == [STATE]
    factors = bench.elements("node.factor")
    assert factors
    assert bench.elements("node.error") == [f"error:{STATE}"]
    assert bench.elements("node.offset") == [f"offset:{STATE}"]
    expect(page.locator(".legend .factor")).to_be_visible()
    assert "Exact" in page.locator("#flow-status").inner_text()

    # a factor: its numbers, the way to the page of factors, and off with it
    bench.open(prompt=PROMPT, opened=PLACE, node=factors[0])
    expect(page.locator(".inspector")).to_contain_text("Activation")
    number = factors[0].split(":")[-1]
    link = page.get_by_role("link", name=f"Factor {number} in the corpus")
    assert f"factor={number}" in str(link.get_attribute("href"))
    bench.redraw(lambda: page.click(".change [data-how='0']"))
    bench.wait_query("interventions", f"{factors[0]}=0")
    expect(page.locator("#change-bar")).to_contain_text("off")
    assert bench.elements("node.changed") == [factors[0]]
    expect(page.locator("#flow-value")).to_contain_text("before")

    # the link gives the same picture, in the other wiring too
    there = page.url
    page.goto(there)
    page.wait_for_selector("[data-drawn]")
    bench.wait_query("interventions", f"{factors[0]}=0")
    bench.redraw(lambda: page.click("text=Circuit"))
    assert bench.elements("node.opened") == [STATE]

    # and closed again
    bench.redraw(lambda: page.click("#open-bar [data-close='all']"))
    assert bench.elements("node.factor") == []
    expect(page.locator("#open-bar")).to_be_hidden()


def test_a_factor_is_set_to_an_activation_that_is_typed(bench: Workbench) -> None:
    bench.open(prompt=PROMPT, opened=PLACE, node=STATE)
    factor = bench.elements("node.factor")[0]
    bench.open(prompt=PROMPT, opened=PLACE, node=factor)
    page = bench.page
    box = page.locator(".change .clamp input")
    shown = page.locator(".figures").inner_text()
    assert f"+{box.input_value()}" in shown  # what it is, before it is changed
    box.fill("eight")
    box.press("Enter")
    bench.notice("'clamp:eight' is no change")
    assert box.input_value() == "eight"
    assert "interventions" not in bench.query

    box.fill("8")
    bench.redraw(lambda: box.press("Enter"))
    bench.wait_query("interventions", f"{factor}=clamp:8")
    expect(page.locator("#shell-notice-box")).to_be_hidden()
    expect(page.locator("#change-bar")).to_contain_text("set to 8")
    expect(page.locator(".change-now")).to_contain_text("set to 8")
    assert bench.elements("node.changed") == [factor]
    expect(page.locator(".figures")).to_contain_text("+8")

    # at every position, from the list
    page.select_option(".change .scope", factor.replace(":7:", ":*:"))
    bench.redraw(lambda: page.locator(".change .clamp button").click())
    bench.wait_query("interventions", f"{factor}=clamp:8;{factor.replace(':7:', ':*:')}=clamp:8")
    page.click(".change-chip summary >> nth=0")
    listed = page.locator(".change-chip .clamp input >> nth=0")
    expect(listed).to_have_value("8")
    listed.fill("−2")
    bench.redraw(lambda: listed.press("Enter"))
    bench.wait_query("interventions", f"{factor}=clamp:-2;{factor.replace(':7:', ':*:')}=clamp:8")


def test_the_page_of_factors_switches_one_on_in_the_flow(bench: Workbench) -> None:
    page, asked = bench.page, EXAMPLES[1].link
    page.goto(f"{bench.address}/factors?{urlencode(asked)}")
    link = page.get_by_role("link", name="Switch on in the prompt")
    link.hover()
    expect(page.locator(".tooltip.on")).to_contain_text("at the last token")
    link.click()
    page.wait_for_selector("#flow-canvas[data-drawn]")
    factor = "factor:resid_pre:5:7:390"
    assert bench.query["interventions"].startswith(f"{factor}=clamp:")
    assert bench.query["opened"] == "resid_pre:5@7"
    assert bench.elements("node.changed") == [factor]
    bench.wait_selected(factor)
    expect(page.locator("#flow-predictions")).to_contain_text("Japanese")
    expect(page.locator("#flow-predictions button").first).to_contain_text("Japanese")
