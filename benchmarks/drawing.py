"""Graph to picture: the server's share, and Chromium's, for about 100, 300 and 1,000 elements.

The server's clock runs while a graph is laid out and written as elements. Chromium's starts when
the response that holds them has arrived, and stops when cytoscape.js has painted them.
"""

from __future__ import annotations

import logging
import shutil
import statistics
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

from benchmarks.subject import milliseconds, seconds
from flowviz.app import create_app
from flowviz.models.catalogue import Catalogue
from flowviz.request import ExplainRequest, GraphSettings
from flowviz.session import Session
from flowviz.ui.flow.ids import Flow
from flowviz.views.elements import elements

PROMPT = "When Mary and John went to the store, John gave a drink to"
BUDGETS = (22, 60, 170)
WATCH = """
window.flowvizTimes = {};
const ask = window.fetch;
window.fetch = async (...what) => {
  const answer = await ask(...what);
  if (String(what[0].url || what[0]).includes('_dash-update-component')) {
    answer.clone().text().then(text => {
      if (text.includes('"elements"')) window.flowvizTimes.answered = performance.now();
    });
  }
  return answer;
};
const look = () => {
  const cy = document.getElementById('GRAPH')?._cyreg?.cy;
  const waiting = !cy || !cy.edges().length || !window.flowvizTimes.answered;
  if (waiting) return requestAnimationFrame(look);
  cy.one('render', () => requestAnimationFrame(() => {
    window.flowvizTimes.drawn = performance.now();
    window.flowvizTimes.elements = cy.elements().length;
  }));
  cy.forceRender();
};
requestAnimationFrame(look);
""".replace("GRAPH", Flow.GRAPH)


def run(rounds: int) -> None:
    """Prints milliseconds from response to picture."""
    from playwright.sync_api import sync_playwright

    print("\nGraph -> elements on the server, page response -> drawn graph in Chromium")
    session = demo_session()
    with served(session) as address, sync_playwright() as playwright:
        path = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        for budget in BUDGETS:
            times = [_once(browser, address, budget) for _ in range(min(rounds, 5))]
            spent = statistics.median(time["drawn"] - time["answered"] for time in times)
            graph = session.graph(_request(budget))
            written = [seconds(lambda graph=graph: elements(graph)) for _ in range(rounds)]
            print(
                f"{times[0]['elements']:>6} elements {milliseconds(written):>8.1f} ms"
                f"{spent:>8.0f} ms"
            )
        browser.close()


def _request(budget: int) -> ExplainRequest:
    settings = GraphSettings(coverage=1, budget=budget, edge_coverage=1)
    return ExplainRequest(PROMPT, settings=settings)


def _once(browser: Any, address: str, budget: int) -> dict[str, float]:
    page = browser.new_page(viewport={"width": 1440, "height": 900}, bypass_csp=True)
    page.add_init_script(WATCH)
    page.goto(f"{address}?{urlencode(_request(budget).to_mapping())}")
    page.wait_for_function("window.flowvizTimes.drawn", timeout=60_000)
    times = page.evaluate("window.flowvizTimes")
    page.close()
    return times


def demo_session() -> Session:
    """A session that holds the demo model."""
    session = Session(Catalogue.of(["demo"]))
    session.preload()
    return session


@contextmanager
def served(session: Session) -> Iterator[str]:
    """The program, from a thread."""
    from werkzeug.serving import make_server

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, create_app(session).server, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
