"""The page of an opened block as its user sees it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from tests.browser.workbench import Workbench

CANVAS = "#inside-canvas"


class OpenedBlock(Workbench):
    """One opened page."""

    def visit(self, **query: str) -> OpenedBlock:
        """Opens a link and waits for the form."""
        self.page.goto(f"{self.address}/inside?{urlencode(query)}")
        self.page.wait_for_selector("#inside-prompt")
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

    def run(self, prompt: str) -> None:
        """Types a prompt and presses Enter."""
        self.page.fill("#inside-prompt", prompt)
        self.page.press("#inside-prompt", "Enter")

    def choose(self, control: str, words: str) -> None:
        """Chooses a segment of a control."""
        self.page.locator(f"#inside-{control}").get_by_text(words, exact=True).click()
