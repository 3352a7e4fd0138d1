"""Makes the README's pictures from the program itself, on the demo model.

Run it from the repository's root: `python -m docs.screenshots`. It needs Playwright and Chromium.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlencode

from playwright.sync_api import Browser, Page, sync_playwright
from werkzeug.serving import make_server

from flowviz.app import create_app
from flowviz.models.catalogue import Catalogue
from flowviz.session import Session

IMAGES = Path(__file__).parent / "images"
CHROMIUM = Path("/usr/bin/chromium")
CY = "window.flowviz.cytoscape()"
NAMES = {"prompt": "When Mary and John went to the store, John gave a drink to",
         "token": " Mary", "contrast": " John"}  # fmt: skip
CAPITAL = {"prompt": "The capital of Japan is the city of", "token": " Tokyo"}
BIAS = {"prompt": "The nurse said that", "b_prompt": "The plumber said that", "token": " she",
        "contrast": " he", "wiring": "circuit", "budget": "40"}  # fmt: skip
CHANGED = {**CAPITAL, "interventions": "head:3:*:3=0", "node": "head:3:7:3"}
MASKED = {"model": "demo-bert", "prompt": "We met the nurse at the market.", "mask": "10",
          "second": "She was very happy.", "layer": "3", "heads": "1,3,5",
          "at": "query:10"}  # fmt: skip
WHY = {"prompt": CAPITAL["prompt"], "layer": "3", "head": "3", "view": "why"}
VERB = {"model": "demo-bert", "prompt": "The nurse walks to the market.", "position": "3",
        "mask": "3"}  # fmt: skip
SENSES = {"prompt": "Mary saw the saw in the box.", "layer": "resid_pre:4", "dictionary": "topk",
          "factor": "195"}  # fmt: skip
OPENED = {**CAPITAL, "opened": "resid_mid:2@7", "node": "resid_mid:2:7"}
NORMS = {"analysis": "norms", "set": "phenomena", "group": "capitals"}


@dataclass(frozen=True)
class Picture:
    """A link in a window of some size.

    Args:
        kind: the kind of node to select; None for none.
        wait: what stands there when the page is ready.
    """

    name: str
    query: dict[str, str]
    path: str = "/"
    kind: str | None = None
    size: tuple[int, int] = (1440, 900)
    theme: Literal["light", "dark"] = "light"
    wait: tuple[str, ...] = ("[data-drawn]", ".components")


PICTURES = (
    Picture("workbench", NAMES),
    Picture("head", NAMES, kind="head"),
    Picture("circuit", {**CAPITAL, "wiring": "circuit", "budget": "40"}, kind="neuron",
            theme="dark"),
    Picture("lens", CAPITAL, kind="resid_final", theme="dark"),
    Picture("phone", CAPITAL, size=(390, 844)),
    Picture("changed", CHANGED, wait=("[data-drawn]", "#flow-inflows .ag-row")),
    Picture("block", {**CAPITAL, "layers": "4-4"}, "/inside", wait=("[data-drawn]",)),
    Picture("compare", BIAS, "/compare", size=(1440, 1080),
            wait=("[data-drawn]", ".side-by-side", "#compare-rows .ag-row")),
    Picture("attention", MASKED, "/attention", wait=("[data-drawn]", ".pinned")),
    Picture("why", WHY, "/head", theme="dark", wait=("[data-drawn]",)),
    Picture("contexts", VERB, "/contexts", wait=("#contexts-results[data-drawn]", ".count-bar")),
    Picture("factors", SENSES, "/factors",
            wait=("#factors-heat[data-drawn]", "#factors-charts[data-drawn]")),
    Picture("opened", OPENED, wait=("[data-drawn]", "#flow-inflows .ag-row")),
    Picture("norms", NORMS, "/analyses", wait=(".js-plotly-plot .main-svg",)),
)  # fmt: skip


def main() -> None:
    """Serves the program, takes each picture, stops."""
    session = Session(Catalogue.of(["demo", "demo-bert"]))
    session.preload()
    server = make_server("127.0.0.1", 0, create_app(session).server, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    IMAGES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        path = str(CHROMIUM) if CHROMIUM.exists() else None
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        for picture in PICTURES:
            take(browser, f"http://127.0.0.1:{server.server_port}", picture)
        browser.close()
    server.shutdown()


def take(browser: Browser, address: str, picture: Picture) -> None:
    """One picture: a link, a node selected, a window of that size."""
    width, height = picture.size
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=picture.theme,
        device_scale_factor=2 if width < 600 else 1,
    )
    page = context.new_page()
    page.goto(f"{address}{picture.path}?{urlencode(picture.query)}")
    for there in picture.wait:
        page.wait_for_selector(there)
    if picture.kind:
        select(page, picture.kind)
    settle(page)
    page.screenshot(path=IMAGES / f"{picture.name}.png")
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


def settle(page: Page) -> None:
    """Waits until what was just changed is painted."""
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done, 500)))")


if __name__ == "__main__":
    main()
