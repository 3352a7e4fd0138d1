"""Drawing attention in Chromium: all heads as thumbnails, a layer's heads as lines, one head's
queries and keys.

The clock runs in the page, from packed numbers to what is drawn: unpacking, drawing, and the
layout (lines) or the first pixel read back (thumbnails, one head). The weights are random.
"""

from __future__ import annotations

import shutil
import statistics
from typing import Any

import numpy as np

from benchmarks.drawing import demo_session, served
from flowviz.attention.neuron_types import NeuronView
from flowviz.attention.types import AttentionMaps
from flowviz.graph.types import ModelShape, PromptToken
from flowviz.views.attention.packed import layer_packed, model_packed
from flowviz.views.head.look import Order
from flowviz.views.head.packed import neurons_packed

MODELS = ((12, 12, 32), (48, 25, 32))  # layers, heads, tokens
LAYERS = ((12, 64, False), (25, 64, False), (12, 64, True))  # heads, tokens, both ways
NEURONS = ((64, 64), (64, 128))  # sources, dimensions
DRAW_MODEL = """packed => {
  const box = document.getElementById("attention-model-view");
  const start = performance.now();
  const model = flowviz.attention.unpackModel(packed);
  const { name, scores } = model.kinds[0];
  flowviz.attention.drawModel(box, model, { name, values: scores, strongest: [[0, 0]] });
  box.querySelector("canvas").getContext("2d").getImageData(0, 0, 1, 1);
  return performance.now() - start;
}"""
DRAW_HEADS = """packed => {
  const box = document.getElementById("attention-head-view");
  const start = performance.now();
  const layer = flowviz.attention.unpack(packed);
  const settings = { mass: 0.9, hide: false, token: null };
  flowviz.attention.drawHeads(box, layer, [...Array(layer.heads).keys()], settings);
  box.getBoundingClientRect();
  return performance.now() - start;
}"""

DRAW_NEURONS = """packed => {
  const start = performance.now();
  const canvas = flowviz.head.draw(packed, "deciding");
  canvas.getContext("2d").getImageData(0, 0, 1, 1);
  return performance.now() - start;
}"""


def run(rounds: int) -> None:
    """Prints milliseconds from packed numbers to picture."""
    from playwright.sync_api import sync_playwright

    print("\nPacked attention -> picture in Chromium")
    with served(demo_session()) as address, sync_playwright() as playwright:
        path = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        _open(page, f"{address}attention?prompt=In+France&view=model", "model")
        for layers, heads, tokens in MODELS:
            spent = _median(page, DRAW_MODEL, model_packed(_maps(layers, heads, tokens)), rounds)
            print(f"{layers:>4} × {heads} heads, {tokens} tokens, thumbnails {spent:>8.0f} ms")
        _open(page, f"{address}attention?prompt=In+France", "head")
        for heads, tokens, ahead in LAYERS:
            packed = layer_packed(_maps(1, heads, tokens, ahead), 0, None)
            spent = _median(page, DRAW_HEADS, packed, rounds)
            ways = ", both ways" if ahead else ""
            print(f"{heads:>4} heads, {tokens} tokens{ways}, lines {spent:>8.0f} ms")
        page.goto(f"{address}head?prompt=In+France")
        page.wait_for_selector("#head-picture[data-drawn]", timeout=60_000)
        for sources, dims in NEURONS:
            packed = neurons_packed(_neurons(sources, dims), Order.POSITION, None)
            spent = _median(page, DRAW_NEURONS, packed, rounds)
            print(f"{sources:>4} sources × {dims} dimensions, one head {spent:>8.0f} ms")
        browser.close()


def _open(page: Any, address: str, view: str) -> None:
    page.goto(address)
    page.wait_for_selector(f"#attention-{view}-view[data-drawn]", timeout=60_000)


def _median(page: Any, draw: str, packed: dict[str, Any], rounds: int) -> float:
    return statistics.median(page.evaluate(draw, packed) for _ in range(rounds))


def _maps(layers: int, heads: int, tokens: int, ahead: bool = False) -> AttentionMaps:
    """Random attention, sharp in some rows and wide in others; `ahead`: to what follows, too."""
    random = np.random.default_rng(0).random((layers, heads, tokens, tokens))
    weights = (random if ahead else np.tril(random)) ** 4
    weights /= weights.sum(-1, keepdims=True)
    return AttentionMaps.of(weights, [f" w{i % 17}" for i in range(tokens)])


def _neurons(sources: int, dims: int) -> NeuronView:
    """Random queries and keys of one head."""
    random = np.random.default_rng(0)
    q, k = (random.normal(size=size).astype(np.float32) for size in (dims, (sources, dims)))
    product, scale = q * k, dims**-0.5
    score = product.sum(1) * np.float32(scale)
    pattern = np.exp(score - score.max())
    pattern /= pattern.sum()
    tokens = tuple(PromptToken(i, i, f" w{i % 17}") for i in range(sources))
    deciding = (pattern @ product - product.mean(0)) * np.float32(scale)
    return NeuronView(
        ModelShape("random", "none", 1, 1, dims, 1, 17), tokens, 0, 0, sources - 1, scale, q, k,
        product, score, pattern, deciding, cap=None, window=None, rotary=False, sink=None,
        decay=None, pattern_error=0.0,
    )  # fmt: skip
