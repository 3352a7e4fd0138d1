"""A run that broke a law; labels that fit into their shapes."""

from __future__ import annotations

from playwright.sync_api import expect

CY = "window.flowviz.cytoscape()"
WIDE = "<|endoftext|> wwwwwwwwwwww WWWWWWWWW mmmmmmmm information 日本語日本語日本 iiiiiiiiiiii"
OVERFLOW = f"""() => {CY}.nodes(".embed").filter(node => {{
    const label = node.boundingBox({{ includeNodes: false, includeOverlays: false }});
    return label.w > node.width();
}}).map(node => node.data("text"))"""


def test_a_broken_law_is_told_over_a_picture_without_lines(fake_bench):
    fake_bench.open(prompt="an unlawful run of it")
    page = fake_bench.page
    expect(page.get_by_role("alert").filter(has_text="broke a law")).to_be_visible()
    assert fake_bench.elements("edge") == []
    assert fake_bench.elements("node.rest") == []
    head = fake_bench.elements("node.head")[0]
    fake_bench.select(head)
    expect(page.locator(".inspector")).to_contain_text("Attention over the prompt")
    assert fake_bench.elements(".dim") == []
    fake_bench.redraw(lambda: fake_bench.run("a lawful one"))
    expect(page.locator("#flow-banner")).to_be_hidden()


def test_labels_fit_into_their_boxes(fake_bench):
    fake_bench.open(prompt=WIDE, wiring="stream")
    fake_bench.redraw(lambda: fake_bench.run(f"large {WIDE}"))
    assert fake_bench.elements("node.embed")
    assert fake_bench.page.evaluate(OVERFLOW) == []
