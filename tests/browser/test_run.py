"""Asking: prompts, examples, targets, progress, cancel, and prompts that nobody should type."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect


def test_the_first_example_is_drawn_at_once(bench):
    bench.open()
    expect(bench.page.locator("#flow-status")).to_contain_text("Exact to 3e-6")
    expect(bench.page.locator("#flow-look-for")).to_contain_text("Look late.")
    expect(bench.page.locator("#flow-tokens button")).to_have_count(5)
    assert bench.query["prompt"] == "The capital of France is"


def test_enter_runs_and_shift_enter_breaks_the_line(bench):
    bench.open()
    bench.redraw(lambda: bench.run("Two words here"))
    expect(bench.page.locator("#flow-tokens button")).to_have_count(3)
    bench.page.press("#flow-prompt", "Shift+Enter")
    expect(bench.page.locator("#flow-prompt")).to_have_value("Two words here\n")


def test_the_run_button_runs_and_a_double_click_does_no_harm(bench):
    bench.open()
    bench.page.fill("#flow-prompt", "Another prompt")
    bench.redraw(lambda: bench.page.dblclick("#flow-run"))
    bench.wait_query("prompt", "Another prompt")


def test_an_example_brings_its_prompt_target_and_contrast(bench):
    bench.open()
    bench.page.get_by_role("button", name="Examples").click()
    bench.redraw(lambda: bench.page.get_by_text("Look up.").click())
    expect(bench.page.locator("#flow-prompt")).to_have_value("Mary and John went and John saw")
    assert (bench.query["token"], bench.query["contrast"]) == (" Mary", " John")


def test_predictions_become_target_and_contrast(bench):
    bench.open(prompt="The cat sat")
    chips = bench.page.locator("#flow-predictions")
    bench.redraw(lambda: chips.locator("[data-token]").nth(2).click())
    assert bench.query["token"] == " the"
    bench.redraw(lambda: chips.locator("[data-token]").nth(0).click(modifiers=["Shift"]))
    assert bench.query["contrast"] == " Paris"
    bench.redraw(lambda: chips.locator("[data-contrast]").nth(1).click())
    assert bench.query["contrast"] == " Rome"
    expect(bench.page.locator("#flow-value")).to_contain_text("logit difference")


def test_a_token_of_the_prompt_becomes_the_position(bench):
    bench.open(prompt="The cat sat")
    bench.redraw(lambda: bench.page.locator("[data-position='1']").click())
    assert bench.query["position"] == "1"
    expect(bench.page.locator("#flow-tokens .chosen")).to_have_text("␣cat")
    bench.redraw(lambda: bench.run("A new one"))
    assert "position" not in bench.query


def test_the_target_can_be_searched_for(bench):
    bench.open(prompt="The cat sat")
    box = bench.page.locator("#flow-target")
    box.click()
    box.fill("Franc")
    bench.redraw(lambda: bench.page.get_by_role("option", name="␣France").click())
    assert bench.query["token"] == " France"


def test_long_work_shows_progress_and_can_be_cancelled(bench):
    bench.open()
    bench.run("a slow one")
    expect(bench.page.locator("#flow-stage")).to_have_text("Loading the model")
    assert bench.page.locator("#flow-bar").get_attribute("value") == "0.2"
    bench.page.click("#flow-cancel")
    expect(bench.page.locator("#flow-progress")).to_be_hidden()
    bench.notice("The run was stopped")


def test_long_work_is_drawn_when_it_is_done(bench, fake_session):
    bench.open()
    bench.run("another slow one")
    expect(bench.page.locator("#flow-progress")).to_be_visible()
    fake_session.released = True
    try:
        bench.wait_query("prompt", "another slow one")
        expect(bench.page.locator("#flow-progress")).to_be_hidden()
    finally:
        fake_session.released = False


def test_a_failed_run_says_the_way_out_and_the_next_one_clears_it(bench):
    bench.open()
    bench.run("this will fail")
    bench.notice("Pick another.")
    bench.redraw(lambda: bench.run("this will do"))
    expect(bench.page.locator("#shell-notice-box")).to_be_hidden()


def test_a_bug_on_the_server_is_told_on_the_page(bench):
    bench.open()
    bench.run("please crash")
    bench.notice("Something went wrong")


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("", "The prompt is empty"),
        ("nul\0nul", "NUL"),
        ("word " * 200, "tokens; demo takes at most"),
        ("x" * 1_000_000, "1,000,000 characters"),
    ],
    ids=["empty", "nul", "longer than the context", "a megabyte"],
)
def test_a_prompt_that_cannot_be_run_says_why(bench, prompt, words):
    bench.open()
    # typed by script: filling a megabyte key by key is the browser's time, not the page's
    bench.page.evaluate(
        """text => {
            const box = document.getElementById("flow-prompt");
            const set = Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value").set;
            set.call(box, text);
            box.dispatchEvent(new Event("input", { bubbles: true }));
        }""",
        prompt,
    )
    bench.page.click("#flow-run")
    bench.notice(words)


@pytest.mark.parametrize(
    "prompt",
    ["   ", "one", "שלום עולם", "🙂🙃 emoji 👩‍👩‍👧", "<img src=x onerror=alert(1)>",
     "</script><script>alert(1)</script>", "tab\tand\nline", "{{7*7}} ${x} %s \\u0000",
     "\u202eright to left\u202c"],
)  # fmt: skip
def test_odd_prompts_are_drawn_as_the_text_that_they_are(bench, prompt):
    dialogs = []
    bench.page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    bench.open(prompt=prompt)
    bench.wait_query("prompt", prompt)
    assert dialogs == []
    assert bench.page.locator("#flow-tokens img, #flow-tokens script").count() == 0
