"""Several models on one server, with its real session: loading, cancel, failure, counting, room."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from flowviz.app import create_app
from flowviz.errors import ModelError
from flowviz.jobs import Progress
from flowviz.models.catalogue import Catalogue, ModelEntry
from flowviz.models.loaded import LoadedModel
from flowviz.models.loading import load_model
from flowviz.session import Session
from tests.browser.conftest import CheckedByHand, serving
from tests.browser.workbench import Workbench
from tests.models import save_model

LONG = 60.0
PROMPT = "The capital of Japan is"


class Gate:
    """Loads models; the second stops on its way until it is let, the broken one fails."""

    def __init__(self) -> None:
        self.begun, self.let = threading.Event(), threading.Event()

    def load(self, entry: ModelEntry, progress: Progress) -> LoadedModel:
        if entry.name == "broken":
            raise ModelError("broken lacks 3 of its weights. Save the whole model.")
        if entry.name == "second":
            progress("Loading the weights of second", 0.2)
            self.begun.set()
            assert self.let.wait(LONG)
        return load_model(entry, progress=progress)


@pytest.fixture
def gate() -> Iterator[Gate]:
    made = Gate()
    yield made
    made.let.set()


@pytest.fixture
def session(gate: Gate, tmp_path: Path) -> Session:
    for name in ("second", "broken"):
        save_model("gpt2", tmp_path / name)
    own = [f"{name}={tmp_path / name}" for name in ("second", "broken")]
    session = CheckedByHand(Catalogue.of(["demo", *own]), cache_bytes=2**28, load=gate.load)
    session.preload()
    return session


@pytest.fixture
def bench(page, session: Session) -> Iterator[Workbench]:
    with serving(create_app(session)) as address:
        yield Workbench(page, address)
        page.goto("about:blank")  # it asks nothing more of a server that stops


def choose(bench: Workbench, model: str) -> None:
    """By the keyboard alone."""
    box = bench.page.locator("#flow-model")
    box.focus()
    box.press("ArrowDown")
    option = bench.page.get_by_role("option", name=model)
    expect(option).to_be_visible()
    while option.get_attribute("data-combobox-selected") != "true":
        box.press("ArrowDown")
    box.press("Enter")


def test_a_load_shows_its_progress_is_cancelled_and_begun_again(bench, gate, context):
    bench.open(prompt=PROMPT)
    page, drawn = bench.page, bench.drawn
    choose(bench, "second")
    assert gate.begun.wait(LONG)
    expect(page.locator("#flow-stage")).to_have_text("Loading the weights of second")
    expect(page.locator("#flow-bar")).to_have_attribute("value", "0.1")
    other = Workbench(context.new_page(), bench.address)  # another visitor does not wait for it
    other.open(prompt="The cat")
    other.page.close()
    page.click("#flow-cancel")
    expect(page.locator("#flow-progress")).to_be_hidden()
    bench.notice("The run was stopped")
    assert bench.drawn == drawn
    gate.let.set()
    bench.redraw(lambda: page.click("#flow-run"))
    bench.wait_query("model", "second")


def test_two_visitors_watch_one_load(bench, gate, context):
    bench.open(prompt=PROMPT)
    choose(bench, "second")
    assert gate.begun.wait(LONG)
    other = Workbench(context.new_page(), bench.address)
    other.visit(prompt=PROMPT, model="second")
    expect(other.page.locator("#flow-stage")).to_have_text("Loading the weights of second")
    gate.let.set()
    other.page.wait_for_selector("[data-drawn]")
    other.page.close()
    bench.wait_query("model", "second")


def test_a_load_that_fails_leaves_prompt_settings_and_picture(bench):
    bench.open(prompt=PROMPT, coverage="0.5")
    page, drawn, query = bench.page, bench.drawn, bench.query
    choose(bench, "broken")
    bench.notice("broken lacks 3 of its weights")
    expect(page.locator("#flow-progress")).to_be_hidden()
    expect(page.locator("#flow-prompt")).to_have_value(PROMPT)
    assert (bench.drawn, bench.query) == (drawn, query)
    choose(bench, "Demo")
    bench.redraw(lambda: bench.run("The cat"))
    assert bench.query == {**query, "prompt": "The cat"}
    expect(page.locator("#shell-notice-box")).to_be_hidden()


def test_the_box_says_which_models_are_in_memory(bench, gate):
    gate.let.set()
    bench.open(prompt=PROMPT)
    page = bench.page
    page.click("#flow-model")
    second = page.get_by_role("option", name="second")
    expect(page.get_by_role("option", name="Demo")).to_contain_text("in memory, 14 MB")
    expect(second).to_contain_text("will be loaded, about 1 MB")
    bench.redraw(second.click)
    page.click("#flow-model")
    expect(second).to_contain_text("in memory, 1 MB")


def test_a_link_to_an_unknown_model_opens_the_default_one(bench):
    bench.visit(prompt=PROMPT, model="nobody/knows")
    bench.notice("No model 'nobody/knows' is offered here. Choose one of: demo, second, broken.")
    expect(bench.page.locator("#flow-model")).to_have_value("Demo")
    expect(bench.page.locator("#flow-prompt")).to_have_value(PROMPT)
    bench.page.click("#flow-run")
    bench.wait_query("model", "demo")


def test_tokens_are_counted_while_typing(bench):
    bench.open(prompt=PROMPT)
    page, count = bench.page, bench.page.locator("#flow-count")
    expect(count).to_have_text("5 of 256 tokens")
    page.fill("#flow-prompt", "The cat")
    expect(count).to_have_text("2 of 256 tokens")
    page.fill("#flow-prompt", "word " * 300)
    expect(count).to_contain_text("too many")
    expect(page.locator("#flow-prompt")).to_have_attribute("aria-invalid", "true")
    bench.type_anything("x" * 30_000)
    expect(count).to_have_text("30,000 of 20,000 characters")
    page.fill("#flow-prompt", "The")
    expect(count).to_have_text("1 of 256 tokens")
    expect(page.locator("#flow-prompt")).not_to_have_attribute("aria-invalid", "true")


def test_a_picture_that_made_room_is_run_again_where_it_is_looked_at(bench, session):
    bench.open(prompt=PROMPT)
    node = bench.elements("node.head")[0]
    session._results._answers.clear()
    session._results.forget("demo")
    bench.select(node)
    expect(bench.page.locator("#flow-inflows")).to_be_visible()
    expect(bench.page.locator("#shell-notice-box")).to_be_hidden()


def test_where_nothing_can_be_kept_the_page_says_so_once(bench, session, monkeypatch):
    bench.open(prompt=PROMPT)
    node = bench.elements("node.head")[0]
    monkeypatch.setattr(session._results, "scored", lambda _request: None)
    bench.page.evaluate("key => window.flowviz.select(key)", node)
    bench.notice("Run it again in a minute")
