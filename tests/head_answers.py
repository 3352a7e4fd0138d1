"""Hand-made answers about one head, for tests of what is drawn of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from flowviz.attention.neuron_types import Decay, NeuronView
from flowviz.attention.why_types import Inside, ScorePart, Term, WhyThere
from flowviz.graph.types import ModelShape, NodeKey, NodeKind, PromptToken

WORDS = ("In", " France", " the", "<b>")
MODEL = ModelShape("demo", "GPT2LMHeadModel", 2, 3, 8, 16, 100)
TOKENS = tuple(PromptToken(i, 10 + i, word) for i, word in enumerate(WORDS))
HEAD = NodeKey(NodeKind.HEAD, 0, 3, 1)
NEURON = NodeKey(NodeKind.NEURON, 0, 1, 5)


def view() -> NeuronView:
    """Two dimensions, four sources: the first dimension alone decides for the second source."""
    q = np.array([2, 1], np.float32)
    k = np.array([[0, 1], [2, 1], [0, 1], [-1, 1]], np.float32)
    product = q * k
    score = (product.sum(1) * 0.5).astype(np.float32)
    pattern = np.array([0.1, 0.75, 0.1, 0.05], np.float32)
    deciding = (pattern @ product - product.mean(0)) * 0.5
    return NeuronView(
        MODEL, TOKENS, 1, 2, 3, 0.5, q, k, product, score, pattern, deciding.astype(np.float32),
        cap=None, window=None, rotary=False, sink=None, decay=decay(), pattern_error=0.0,
    )  # fmt: skip


def of_many(sources: int) -> NeuronView:
    """The same with many sources; the one in their middle is attended most."""
    tokens = tuple(PromptToken(i, i, f" w{i}") for i in range(sources))
    k = np.ones((sources, 2), np.float32)
    pattern = np.full(sources, 0.5 / (sources - 1), np.float32)
    pattern[sources // 2] = 0.5
    made = view()
    return replace(
        made, tokens=tokens, query=sources - 1, k=k, product=made.q * k, pattern=pattern,
        score=np.ones(sources, np.float32),
    )  # fmt: skip


def decay(prompts: int = 1) -> Decay:
    """The first dimension falls by 2 a token, the second rises by 1."""
    counts = np.array([3, 2, 1])
    sums = counts[:, None] * np.array([[4.0, 0.0], [2.0, 1.0], [0.0, 2.0]])
    return Decay(1, 2, counts, sums, rotary=False, prompts=prompts, model=MODEL)


def there() -> WhyThere:
    """A score of 3, of which a head and a neuron wrote most."""
    pairs = np.array([[2.0, 0.5], [1.0, -0.5]])
    return WhyThere(
        model=MODEL, tokens=TOKENS, layer=1, head=2, query=3, key=1, scale=0.5, product=3.0,
        terms=((Term.PRODUCT, 3.0),), score=3.0, mean_product=1.0, weight=0.75, rank=1, seen=4,
        window=None, sink=None,
        query_parts=(ScorePart(HEAD, 2.5, 1.5), ScorePart(Inside.OTHERS, 0.5, 0.5)),
        key_parts=(ScorePart(NEURON, 3.0, 2.0), ScorePart(Inside.PROJECTION, 0.0, 0.0)),
        pairs=pairs, query_sums=(), key_sums=(), error=1e-7, tolerance=1e-4, pattern_error=0.0,
        pattern=np.array([0.1, 0.75, 0.1, 0.05], np.float32),
    )  # fmt: skip
