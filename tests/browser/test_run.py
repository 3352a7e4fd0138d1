"""Asking: prompts, examples, targets, progress, cancel, and prompts that nobody should type."""

from __future__ import annotations

from playwright.sync_api import expect

from flowviz.demo import EXAMPLES

ODD_PROMPTS = (
    "   ",
    "one",
    "שלום עולם",
    "🙂🙃 emoji 👩‍👩‍👧",
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    "tab\tand\nline",
    "{{7*7}} ${x} %s \\u0000",
    "\u202eright to left\u202c",
)
REFUSED = {
    "": "The prompt is empty",
    "nul\0nul": "NUL",
    "word " * 900: "tokens",
    "x" * 1_000_000: "1,000,000 characters",
}


def test_the_first_example_is_drawn_and_other_prompts_run(bench):
    bench.open()
    page, first = bench.page, EXAMPLES[0]
    expect(page.locator("#flow-status")).to_contain_text("Exact to")
    expect(page.locator("#flow-look-for")).to_contain_text(first.look_for)
    assert bench.query["prompt"] == first.prompt
    bench.redraw(lambda: bench.run("The cat"))
    expect(page.locator("#flow-tokens button")).to_have_count(2)
    page.press("#flow-prompt", "Shift+Enter")
    expect(page.locator("#flow-prompt")).to_have_value("The cat\n")
    page.fill("#flow-prompt", "The capital of Japan is")
    bench.redraw(lambda: page.dblclick("#flow-run"))
    bench.wait_query("prompt", "The capital of Japan is")


def test_every_example_is_drawn_with_its_own_question(bench):
    bench.open()
    for example in EXAMPLES[1:3]:
        bench.page.get_by_role("button", name="Examples").click()
        bench.redraw(lambda: bench.page.get_by_text(example.look_for).click())  # noqa: B023
        expect(bench.page.locator("#flow-prompt")).to_have_value(example.prompt)
        assert bench.query["token"] == example.target
        assert bench.query.get("contrast") == example.contrast


def test_target_contrast_and_position_are_chosen_by_click_and_by_search(bench):
    bench.open(prompt="The capital of Japan is")
    page, chips = bench.page, bench.page.locator("#flow-predictions")
    second = chips.locator("[data-token]").nth(1)
    token = second.get_attribute("data-token")
    bench.redraw(second.click)
    assert bench.query["token"] == token
    third = chips.locator("[data-token]").nth(2)
    against = third.get_attribute("data-token")
    bench.redraw(lambda: third.click(modifiers=["Shift"]))
    assert bench.query["contrast"] == against
    bench.redraw(chips.locator("[data-contrast]").nth(3).click)
    assert bench.query["contrast"] != against
    expect(page.locator("#flow-value")).to_contain_text("logit difference")
    page.locator("#flow-target").fill("Lond")
    bench.redraw(page.get_by_role("option", name="␣London", exact=True).click)
    assert bench.query["token"] == " London"
    bench.redraw(page.locator("[data-position='1']").click)
    assert bench.query["position"] == "1"
    expect(page.locator("#flow-tokens .chosen")).to_have_text("␣capital")
    bench.redraw(lambda: bench.run("The capital of"))
    assert "position" not in bench.query


def test_odd_prompts_are_drawn_as_the_text_that_they_are(bench):
    dialogs = []
    bench.page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    bench.open()
    for prompt in ODD_PROMPTS:
        bench.type_anything(prompt)
        bench.redraw(lambda: bench.page.click("#flow-run"))
        bench.wait_query("prompt", prompt)
    assert dialogs == []
    assert bench.page.locator("#flow-tokens img, #flow-tokens script").count() == 0


def test_a_prompt_that_cannot_be_run_says_why(bench):
    bench.open()
    drawn = bench.drawn
    for prompt, words in REFUSED.items():
        bench.type_anything(prompt)
        bench.page.click("#flow-run")
        bench.notice(words)
    assert bench.drawn == drawn


def test_long_work_shows_progress_and_is_cancelled_or_drawn(fake_bench, fake_session):
    bench, page = fake_bench, fake_bench.page
    bench.open()
    bench.run("a slow one")
    expect(page.locator("#flow-stage")).to_have_text("Loading the model")
    expect(page.locator("#flow-bar")).to_have_attribute("value", "0.2")
    page.click("#flow-cancel")
    expect(page.locator("#flow-progress")).to_be_hidden()
    bench.notice("The run was stopped")
    bench.run("another slow one")
    expect(page.locator("#flow-progress")).to_be_visible()
    fake_session.released = True
    bench.wait_query("prompt", "another slow one")
    expect(page.locator("#flow-progress")).to_be_hidden()
    fake_session.released = False


def test_a_failure_says_the_way_out_and_the_next_run_clears_it(fake_bench):
    fake_bench.open()
    fake_bench.run("this will fail")
    fake_bench.notice("Pick another.")
    fake_bench.redraw(lambda: fake_bench.run("this will do"))
    expect(fake_bench.page.locator("#shell-notice-box")).to_be_hidden()
    fake_bench.run("please crash")
    fake_bench.notice("Something went wrong")
