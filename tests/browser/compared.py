"""The page that compares as its user sees it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from playwright.sync_api import Locator

from tests.browser.workbench import Workbench

CANVAS = "#compare-canvas"


class Compared(Workbench):
    """One opened page."""

    def visit(self, **query: str) -> Compared:
        """Opens a link and waits for the form."""
        self.page.goto(f"{self.address}/compare?{urlencode(query)}")
        self.page.wait_for_selector("#compare-prompt")
        return self

    @property
    def drawn(self) -> str | None:
        """Which picture is drawn."""
        return self.page.locator(CANVAS).get_attribute("data-drawn")

    def redraw(self, act: Callable[[], Any]) -> None:
        """Does something and waits until another picture is drawn."""
        before = self.drawn
        act()
        self.page.wait_for_function(
            f"old => document.querySelector('{CANVAS}').dataset.drawn !== old", arg=before
        )

    def run_second(self, prompt: str) -> None:
        """Types the second prompt and presses Enter."""
        self.page.fill("#compare-second", prompt)
        self.page.press("#compare-second", "Enter")

    @property
    def columns(self) -> list[str]:
        """What the columns of tokens say, and which differ."""
        return self.page.locator(".column").evaluate_all("all => all.map(e => e.ariaLabel)")

    @property
    def rows(self) -> Locator:
        """The rows of what changed most."""
        return self.page.locator("#compare-rows .ag-center-cols-container .ag-row")

    def changes(self) -> dict[str, float]:
        """For each drawn line, how much it changes, signed."""
        return self.page.evaluate(
            """() => Object.fromEntries(window.flowviz.cytoscape().edges().map(e =>
                [e.id(), e.data("sign") === "neg" ? -e.data("w") : e.data("w")]))"""
        )
