"""The page as its user sees it: what tests do with it and wait for."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs, urlencode

from playwright.sync_api import Page, Route, TimeoutError, expect

SETTLED = 3_000  # milliseconds
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
        x, y = self.bring(element)
        self.page.mouse.click(x, y)

    def bring(self, element: str) -> tuple[float, float]:
        """Brings an element into the middle, as a user who zooms; where it stands once it rests."""
        self.page.evaluate(
            f"""id => new Promise(done => {{
                const cy = {CY}, element = cy.getElementById(id);
                let still = 0, before = "";
                const look = () => {{
                    const now = JSON.stringify([cy.pan(), cy.zoom(), cy.width(), cy.height()]);
                    still = now === before && !cy.animated() ? still + 1 : 0;
                    if (still === 3) return done();
                    if (!still) {{
                        cy.stop().zoom(1).center(element).emit("scrollzoom");
                    }}
                    before = JSON.stringify([cy.pan(), cy.zoom(), cy.width(), cy.height()]);
                    requestAnimationFrame(look);
                }};
                look();
            }})""",
            element,
        )
        return self.place(element)

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
        """What the address says, once no answer is on its way that could change it.

        The picture and the address are two answers to one question; either may be the first.
        """
        with suppress(TimeoutError):  # one that a test holds back
            idle = "() => !window.store.getState().isLoading"
            self.page.wait_for_function(idle, timeout=SETTLED)
        search = self.page.evaluate("location.search").removeprefix("?")
        return {name: values[0] for name, values in parse_qs(search).items()}

    def wait_query(self, name: str, value: str | None) -> None:
        """Waits until the address says so."""
        self.page.wait_for_function(
            "([n, v]) => new URLSearchParams(location.search).get(n) === v", arg=[name, value]
        )

    def notice(self, words: str) -> None:
        """Waits for a notice with these words."""
        expect(self.page.locator("#shell-notice-box")).to_contain_text(words)


class Late:
    """Keeps back what a page asks the server for, until it is released.

    Args:
        page: the page.
        outputs: "id.property" of what is kept back.
    """

    def __init__(self, page: Page, *outputs: str) -> None:
        self.page = page
        self._kept: dict[str, list[Route]] = {output: [] for output in outputs}
        page.route("**/_dash-update-component*", self._keep)

    def _keep(self, route: Route) -> None:
        written = (route.request.post_data_json or {}).get("output", "")
        output = next((each for each in self._kept if each in written), None)
        if output:
            self._kept[output].append(route)
        else:
            route.continue_()

    def kept(self, output: str) -> int:
        """How many requests of it are kept back."""
        return len(self._kept[output])

    def wait(self, output: str) -> None:
        """Waits until something of it is kept back; for 20 seconds at most."""
        for _ in range(1000):
            if self._kept[output]:
                return
            self.page.wait_for_timeout(20)
        raise AssertionError(f"nothing asked for {output}")

    def release(self, output: str) -> None:
        """Waits for it, and lets what was asked for so far go on."""
        self.wait(output)
        kept, self._kept[output] = self._kept[output], []
        for route in kept:
            route.continue_()

    def end(self) -> None:
        """Lets everything go on, and keeps nothing back any more."""
        kept, self._kept = self._kept, {}
        for route in itertools.chain.from_iterable(kept.values()):
            route.continue_()


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
