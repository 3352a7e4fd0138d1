"""A server in a thread, Chromium, and a page that remembers what went wrong in it."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from dash import Dash
from playwright.sync_api import BrowserContext, Page, expect, sync_playwright
from werkzeug.serving import WSGIRequestHandler, make_server

from flowviz.analyses.prompts import shipped
from flowviz.app import create_app
from flowviz.causal.request import CheckRequest
from flowviz.models.loaded import LoadedModel
from flowviz.models.loading import load_model
from flowviz.session import Job, Question, Session
from tests.browser.workbench import Workbench
from tests.fakes import FakeSession
from tests.ui.conftest import EXAMPLES
from tests.verdicts import make_verdict

CHROMIUM = "/usr/bin/chromium"
PATIENCE = 20_000  # milliseconds: what is waited for comes sooner or later; a machine may be busy
expect.set_options(timeout=PATIENCE)
# Cytoscape writes this to every console; it is no fault of the page
EXPECTED = ("custom wheel sensitivity",)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "browser" in Path(item.fspath).parts:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def demo() -> LoadedModel:
    """The one that all servers of these tests share."""
    return load_model("demo")


@pytest.fixture(scope="session")
def address(demo: LoadedModel) -> Iterator[str]:
    """Where the program itself is served, with its demo model; verdicts are written by hand."""
    with serving(create_app(preloaded(CheckedByHand, demo))) as address:
        yield address


@pytest.fixture(scope="session")
def checking_address(demo: LoadedModel) -> Iterator[str]:
    """Where checks really run; the mean is over nine prompts, not hundreds."""
    few = [prompt for number, prompt in enumerate(shipped("phenomena")) if number % 40 == 0]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("flowviz.explanation.shipped", lambda _name: few)
        with serving(create_app(preloaded(Session, demo))) as address:
            yield address


def preloaded(kind: type[Session], model: LoadedModel) -> Session:
    """A session that holds the model already."""
    session = kind(load=lambda _entry, _progress: model)
    session.preload()
    return session


class CheckedByHand(Session):
    """Answers checks at once, which else take a second of a processor beside every graph."""

    def submit(self, question: Question, visitor: str, *, to_inspect: bool = False) -> Job:
        if isinstance(question, CheckRequest):
            verdict = make_verdict(self.graph(question.explained), question)
            self._results.keep(question, verdict)
        return super().submit(question, visitor, to_inspect=to_inspect)


@pytest.fixture(scope="session")
def fake_session() -> FakeSession:
    return FakeSession()


@pytest.fixture(scope="session")
def fake_address(fake_session: FakeSession) -> Iterator[str]:
    """Where a session without a model is served: slow, failing and huge at will."""
    with serving(create_app(fake_session, examples=EXAMPLES)) as address:
        yield address


class Handler(WSGIRequestHandler):
    """Keeps connections open, as servers do in earnest, and says nothing of each request."""

    protocol_version = "HTTP/1.1"

    def log_request(self, *_what: object) -> None: ...


@contextmanager
def serving(app: Dash) -> Iterator[str]:
    """Serves an app from a thread."""
    server = make_server("127.0.0.1", 0, app.server, threaded=True, request_handler=Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def context(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    """One for all tests, with a profile on disk: only there Chromium keeps compiled scripts."""
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            tmp_path_factory.mktemp("profile"),
            executable_path=CHROMIUM if Path(CHROMIUM).exists() else None,
            args=["--no-sandbox"],
            viewport={"width": 1440, "height": 900},
            accept_downloads=True,
        )
        yield context
        context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page that fails the test for any error in its console or request to another host."""
    with watched(context) as page:
        yield page


# Answers come late and in another order, as over a bad line: how races are looked for, by
# FLOWVIZ_SLOW_ANSWERS=400 python -m pytest -m browser (milliseconds, at most)
SLOW_ANSWERS = """(() => {
    const real = window.fetch;
    const wait = () => new Promise(go => setTimeout(go, Math.max(0, Math.random() - 0.5) * 2 * MS));
    window.fetch = async (...what) => {
        await wait();
        const answer = await real(...what);
        await wait();
        return answer;
    };
})()"""


@contextmanager
def watched(context: BrowserContext) -> Iterator[Page]:
    """Such a page, for as long as it is wanted."""
    page = context.new_page()
    if slow := int(os.environ.get("FLOWVIZ_SLOW_ANSWERS", "0")):
        page.add_init_script(SLOW_ANSWERS.replace("MS", str(slow)))
    page.set_default_timeout(PATIENCE)
    faults: list[str] = []
    watch(page, faults)
    yield page
    forget(page)
    page.close()
    assert faults == []


def forget(page: Page) -> None:
    """Empties what the page's browser remembers: the profile is one for all tests."""
    there = urlsplit(page.url)
    page.context.new_cdp_session(page).send(
        "Storage.clearDataForOrigin",
        {"origin": f"{there.scheme}://{there.netloc}", "storageTypes": "local_storage"},
    )


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
