"""A server in a thread, Chromium, and a page that remembers what went wrong in it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from dash import Dash
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright
from werkzeug.serving import make_server

from flowviz.app import create_app
from flowviz.session import Session
from tests.browser.workbench import Workbench
from tests.fakes import FakeSession
from tests.ui.conftest import EXAMPLES

CHROMIUM = "/usr/bin/chromium"
# Cytoscape writes this to every console; it is no fault of the page
EXPECTED = ("custom wheel sensitivity",)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "browser" in Path(item.fspath).parts:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        yield from _launched(playwright)


def _launched(playwright: Playwright) -> Iterator[Browser]:
    path = CHROMIUM if Path(CHROMIUM).exists() else None
    chromium = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
    yield chromium
    chromium.close()


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """Where the program itself is served, with its demo model."""
    session = Session()
    session.preload()
    with serving(create_app(session)) as address:
        yield address


@pytest.fixture(scope="session")
def fake_session() -> FakeSession:
    return FakeSession()


@pytest.fixture(scope="session")
def fake_address(fake_session: FakeSession) -> Iterator[str]:
    """Where a session without a model is served: slow, failing and huge at will."""
    with serving(create_app(fake_session, examples=EXAMPLES)) as address:
        yield address


@contextmanager
def serving(app: Dash) -> Iterator[str]:
    """Serves an app from a thread."""
    server = make_server("127.0.0.1", 0, app.server, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def context(browser: Browser) -> Iterator[BrowserContext]:
    """One for all tests, so that scripts come from its cache."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, accept_downloads=True)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page that fails the test for any error in its console or request to another host."""
    page = context.new_page()
    page.set_default_timeout(20_000)
    faults: list[str] = []
    watch(page, faults)
    yield page
    page.close()
    assert faults == []


def watch(page: Page, faults: list[str]) -> None:
    """Notes every console error and warning, exception, bad answer and request elsewhere."""

    def on_console(message) -> None:
        text = message.text
        if message.type in ("error", "warning") and not any(word in text for word in EXPECTED):
            faults.append(f"{message.type}: {text}")

    def on_request(request) -> None:
        there = urlsplit(request.url)
        if there.scheme not in ("data", "blob") and there.hostname != "127.0.0.1":
            faults.append(f"request to {request.url}")

    page.on("console", on_console)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", on_request)
    page.on(
        "response",
        lambda answer: (
            faults.append(f"{answer.status} {answer.url}") if answer.status >= 400 else None
        ),
    )


@pytest.fixture
def bench(page: Page, address: str) -> Workbench:
    return Workbench(page, address)


@pytest.fixture
def fake_bench(page: Page, fake_address: str) -> Workbench:
    return Workbench(page, fake_address)
