"""A node opened into factors on the page: drawn, listed, linked, changed, and closed again."""

from __future__ import annotations

from playwright.sync_api import expect

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
