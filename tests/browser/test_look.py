"""Light and dark, wide and narrow: nothing is cut off, nothing runs over the edge."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.workbench import nameless

CY = "window.flowviz.cytoscape()"
PROMPT = "The capital of Japan is"
THEME = "document.documentElement.dataset.mantineColorScheme"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_width_in_the_systems_theme(bench, scheme):
    page = bench.page
    page.emulate_media(color_scheme=scheme)
    bench.open(prompt=PROMPT)
    bench.select(bench.elements("node.head")[0])
    page.wait_for_function(f"scheme => {THEME} === scheme", arg=scheme)
    for width in (1440, 800, 390):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_function(f"w => {CY}.width() > 300 && {CY}.width() <= w", arg=width)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        canvas = page.locator("#flow-canvas").bounding_box()
        assert canvas["height"] >= 300
        assert canvas["width"] >= min(width, 640)
        for part in ("#flow-run", "#flow-status", ".inspector h2", "#flow-predictions"):
            expect(page.locator(part)).to_be_visible()


def test_all_that_can_be_used_has_a_name_and_the_theme_is_switched_and_remembered(bench):
    bench.open(prompt=PROMPT)
    page = bench.page
    assert nameless(page) == []
    label = f"() => {CY}.nodes('.node').first().style('color')"
    before = page.evaluate(label)
    page.click("#shell-theme-button")
    page.wait_for_function(f"old => ({label})() !== old", arg=before)
    assert page.evaluate(THEME) == "dark"
    page.reload()
    page.wait_for_selector("[data-drawn]")
    assert page.evaluate(THEME) == "dark"
