"""The page as its user sees it: what tests do with it and wait for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from playwright.sync_api import Page, expect

CANVAS = "#flow-canvas"
CY = "window.flowviz.cytoscape()"


class Workbench:
    """One opened page."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.address = address

    def open(self, **query: str) -> Workbench:
        """Opens a link and waits for its picture."""
        self.visit(**query)
        self.page.wait_for_selector("[data-drawn]")
        return self

    def visit(self, **query: str) -> Workbench:
        """Opens a link and waits for the form."""
        self.page.goto(f"{self.address}/?{urlencode(query)}" if query else self.address)
        self.page.wait_for_selector("#flow-prompt")
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
        self.page.fill("#flow-prompt", prompt)
        self.page.press("#flow-prompt", "Enter")

    def type_anything(self, prompt: str) -> None:
        """Puts text into the prompt by script: a keyboard has no NUL, and a megabyte is long."""
        self.page.evaluate(
            """text => {
                const box = document.getElementById("flow-prompt");
                const own = Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value");
                own.set.call(box, text);
                box.dispatchEvent(new Event("input", { bubbles: true }));
            }""",
            prompt,
        )

    def elements(self, selector: str) -> list[str]:
        """The ids of drawn elements."""
        return self.page.evaluate(f"s => {CY}.elements(s).map(e => e.id())", selector)

    def click_element(self, element: str) -> None:
        """Brings an element into view and clicks it with the mouse."""
        self.page.evaluate(
            f"id => {{ const e = {CY}.getElementById(id); {CY}.zoom(1); {CY}.center(e); }}", element
        )
        x, y = self.place(element)
        self.page.mouse.click(x, y)

    def place(self, element: str) -> tuple[float, float]:
        """Where an element stands in the window.

        A pixel off the middle: the very middle of a diamond, Cytoscape holds to be outside.
        """
        return tuple(
            self.page.evaluate(
                f"""id => {{
                    const cy = {CY}, e = cy.getElementById(id);
                    const box = cy.container().getBoundingClientRect();
                    const at = e.isNode() ? e.renderedPosition() : e.renderedMidpoint();
                    const off = e.isNode() ? 1 : 0;
                    return [box.left + at.x + off, box.top + at.y + off];
                }}""",
                element,
            )
        )

    def select(self, node: str) -> None:
        """Selects a node and waits for the inspector."""
        self.page.evaluate("key => window.flowviz.select(key)", node)
        self.wait_selected(node)

    def wait_selected(self, node: str) -> None:
        """Waits until the address says that the node is selected, and the inspector shows it."""
        self.page.wait_for_function(
            "key => new URLSearchParams(location.search).get('node') === key", arg=node
        )
        expect(self.page.locator(".inspector .title .close")).to_be_visible()

    @property
    def query(self) -> dict[str, str]:
        """What the address says."""
        return {k: v[0] for k, v in parse_qs(urlsplit(self.page.url).query).items()}

    def wait_query(self, name: str, value: str | None) -> None:
        """Waits until the address says so."""
        self.page.wait_for_function(
            "([n, v]) => new URLSearchParams(location.search).get(n) === v", arg=[name, value]
        )

    def notice(self, words: str) -> None:
        """Waits for a notice with these words."""
        expect(self.page.locator("#shell-notice-box")).to_contain_text(words)


def nameless(page: Page) -> list[str]:
    """What can be used on a page and has no name for who does not see it."""
    return page.evaluate(
        """() => [...document.querySelectorAll("button, input, textarea, [role=slider]")]
            .filter(e => e.checkVisibility({ visibilityProperty: true }) &&
                !e.closest("[aria-hidden=true]") && !(
                e.textContent.trim() || e.ariaLabel || e.title || e.placeholder ||
                (e.labels && e.labels.length) || e.getAttribute("aria-labelledby")))
            .map(e => e.outerHTML.slice(0, 200))"""
    )
