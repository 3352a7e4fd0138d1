"""Makes the README's pictures from the program itself, on the demo model.

Run it from the repository's root: `python -m docs.screenshots`. It needs Playwright and Chromium.
"""

from __future__ import annotations

import threading
from pathlib import Path
from urllib.parse import urlencode

from playwright.sync_api import Browser, Page, sync_playwright
from werkzeug.serving import make_server

from flowviz.app import create_app
from flowviz.session import Session

IMAGES = Path(__file__).parent / "images"
CHROMIUM = Path("/usr/bin/chromium")
CY = "window.flowviz.cytoscape()"
NAMES = {"prompt": "When Mary and John went to the store, John gave a drink to",
         "token": " Mary", "contrast": " John"}  # fmt: skip
CAPITAL = {"prompt": "The capital of Japan is the city of", "token": " Tokyo"}
# name, query, the kind of node to select, width, height, theme
PICTURES = (
    ("workbench", NAMES, None, 1440, 900, "light"),
    ("head", NAMES, "head", 1440, 900, "light"),
    ("circuit", {**CAPITAL, "wiring": "circuit", "budget": "40"}, "neuron", 1440, 900, "dark"),
    ("lens", CAPITAL, "resid_final", 1440, 900, "dark"),
    ("phone", CAPITAL, None, 390, 844, "light"),
)


def main() -> None:
    """Serves the program, takes each picture, stops."""
    session = Session()
    session.preload()
    server = make_server("127.0.0.1", 0, create_app(session).server, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    IMAGES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        path = str(CHROMIUM) if CHROMIUM.exists() else None
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        for picture in PICTURES:
            take(browser, f"http://127.0.0.1:{server.server_port}", *picture)
        browser.close()
    server.shutdown()


def take(
    browser: Browser,
    address: str,
    name: str,
    query: dict[str, str],
    kind: str | None,
    width: int,
    height: int,
    theme: str,
) -> None:
    """One picture: a link, a node selected, a window of that size."""
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if theme == "dark" else "light",
        device_scale_factor=2 if width < 600 else 1,
    )
    page = context.new_page()
    page.goto(f"{address}/?{urlencode(query)}")
    page.wait_for_selector("[data-drawn]")
    page.wait_for_selector(".components")
    if kind:
        select(page, kind)
    page.screenshot(path=IMAGES / f"{name}.png")
    context.close()


def select(page: Page, kind: str) -> None:
    """Selects the most influential node of a kind and waits for its tables."""
    page.evaluate(
        f"""kind => window.flowviz.select(
            {CY}.nodes("." + kind).max(node => node.data("size")).ele.id())""",
        kind,
    )
    page.wait_for_selector("#flow-inflows .ag-row")
    page.wait_for_function(f"() => !{CY}.animated()")
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done, 300)))")


if __name__ == "__main__":
    main()
