"""What leaves the page: links and files; and what a broken link does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

PROMPT = "The capital of Japan is the city of"
CY = "window.flowviz.cytoscape()"
FILES = ("json", "nodes", "edges", "png", "svg")


def test_a_shared_link_reproduces_the_picture(bench, context):
    bench.open(prompt=PROMPT, token=" London", contrast=" Tokyo", coverage="0.6", layers="1-5",
               positions="1-7", kinds="embed,head", wiring="circuit", rest="0")  # fmt: skip
    bench.select(bench.elements("node.head")[0])
    link, drawn, nodes = bench.page.url, bench.drawn, bench.elements("node")
    panel = bench.page.locator(".inspector h2").inner_text()
    other = context.new_page()
    other.goto(link)
    other.wait_for_selector(f"[data-drawn='{drawn}']")
    assert other.evaluate(f"{CY}.nodes().map(e => e.id())") == nodes
    expect(other.locator(".inspector h2")).to_have_text(panel)
    expect(other.locator("#flow-rest")).not_to_be_checked()
    assert other.url == link
    other.close()


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"prompt": "a", "coverage": "seven"}, "coverage"),
        ({"prompt": "a", "model": "nobody/knows"}, "nobody/knows"),
        ({"prompt": "a", "position": "99"}, "position"),
        ({"prompt": "a", "token": "no such token at all"}, "no such token"),
        ({"prompt": "a", "node": "<b>"}, "names no node"),
    ],
)
def test_a_broken_link_says_what_is_wrong_and_what_to_do(bench, query, words):
    bench.visit(**query)
    bench.notice(words)


def test_a_broken_link_leaves_a_page_that_works(bench):
    bench.visit(prompt="")
    bench.notice("The prompt is empty")
    bench.redraw(lambda: bench.run("This works"))
    expect(bench.page.locator("#shell-notice-box")).to_be_hidden()


def test_a_link_to_a_node_that_is_not_there_says_so_in_the_panel(bench):
    bench.open(prompt="The cat", node="head:77:1:1")
    expect(bench.page.locator(".inspector")).to_contain_text("No such node here")


def test_the_link_is_copied_and_every_file_can_be_downloaded(bench):
    page = bench.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    bench.open(prompt=PROMPT)
    page.click("#flow-link")
    expect(page.locator("#flow-link")).to_have_attribute("data-said", "Link copied")
    assert page.evaluate("navigator.clipboard.readText()") == page.url
    content = {what: downloaded(page, what) for what in FILES}
    assert json.loads(content["json"])["target"]
    assert content["nodes"].startswith(b"id,kind")
    assert content["edges"].startswith(b"id,source")
    assert content["png"].startswith(b"\x89PNG")
    assert b"<svg" in content["svg"]


def downloaded(page, what: str) -> bytes:
    page.get_by_role("button", name="Download").click()
    with page.expect_download() as waiting:
        page.click(f"#flow-save-{what}")
    content = Path(waiting.value.path()).read_bytes()
    assert len(content) > 1000
    return content
