"""The prompt's box: long prompts scroll in it, and the graph stays where it is."""

from __future__ import annotations

PROMPT = " ".join(f"w{number}" for number in range(300))


def test_a_long_prompt_scrolls_in_its_box_and_moves_nothing(fake_bench):
    fake_bench.open(prompt=PROMPT, model="gpt2")
    page = fake_bench.page
    before = page.locator("#flow-canvas").bounding_box()
    page.focus("#flow-prompt")
    page.keyboard.press("Control+End")
    page.keyboard.type(" and more")
    assert page.locator("#flow-canvas").bounding_box() == before
    box = page.locator("#flow-prompt")
    assert box.bounding_box()["height"] < 80
    assert box.evaluate("box => box.scrollTop + box.clientHeight > box.scrollHeight - 30")
