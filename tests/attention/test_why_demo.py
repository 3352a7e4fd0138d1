"""Why heads of the shipped model look where they do: the numbers that docs/attention.md tells."""

from __future__ import annotations

import pytest

from flowviz.attention.neurons import decay
from flowviz.attention.split import why
from flowviz.attention.why_request import Rank, WhyRequest
from flowviz.attention.why_types import KindSum, WhyThere
from flowviz.demo.examples import EXAMPLES
from flowviz.errors import RequestError
from flowviz.explanation import explain
from flowviz.graph.types import NodeKind
from flowviz.models.loaded import LoadedModel
from flowviz.models.loading import load_model
from flowviz.trace import Trace, record

JAPAN = "The capital of Japan is the city of"


@pytest.fixture(scope="module")
def demo() -> LoadedModel:
    return load_model("demo")


def passed(demo: LoadedModel, prompt: str) -> Trace:
    return record(demo, demo.vocabulary.encode(prompt, demo.context))


def beyond(sums: tuple[KindSum, ...], kind: NodeKind, layer: int) -> float:
    return next(each.beyond for each in sums if (each.kind, each.layer) == (kind, layer))


def share_of(found: WhyThere, name: str) -> tuple[float, float]:
    parts = (*found.query_parts, *found.key_parts)
    return next((p.share, p.beyond) for p in parts if str(p.what) == name)


def test_what_lets_a_head_look_at_the_country(demo: LoadedModel) -> None:
    found = why(demo, passed(demo, JAPAN), WhyRequest(JAPAN, "demo", 3, 3, n=12))
    assert (found.tokens[found.query].text, found.tokens[found.key].text) == (" of", " Japan")
    assert found.weight == pytest.approx(0.996, abs=1e-3)
    assert found.score == pytest.approx(0.01, abs=0.01)
    assert found.mean_product == pytest.approx(-7.66, abs=0.01)
    asks, is_asked = found.query_sums, found.key_sums
    assert beyond(asks, NodeKind.NEURON, 0) == pytest.approx(5.34, abs=0.01)
    assert beyond(is_asked, NodeKind.NEURON, 0) == pytest.approx(4.64, abs=0.01)
    assert beyond(is_asked, NodeKind.HEAD, 2) == pytest.approx(1.71, abs=0.01)
    assert share_of(found, "head:2:3:0")[1] == pytest.approx(1.10, abs=0.01)


def test_a_large_share_may_say_nothing(demo: LoadedModel) -> None:
    request = WhyRequest(JAPAN, "demo", 3, 3, n=12, rank=Rank.SHARE)
    found = why(demo, passed(demo, JAPAN), request)
    assert str(found.query_parts[0].what) == "head:1:7:7"
    assert share_of(found, "head:1:7:7") == pytest.approx((8.49, -0.22), abs=0.01)


def test_which_dimensions_make_a_head_look_nearby(demo: LoadedModel) -> None:
    traces = [passed(demo, example.prompt) for example in EXAMPLES]
    near, far = decay(demo, traces, 2, 7), decay(demo, traces, 2, 2)
    assert (near.prompts, near.pairs) == (16, 496)
    assert near.slope == pytest.approx(-0.763, abs=2e-3)
    assert near.strongest[:4] == (22, 9, 6, 4)
    four = list(near.strongest[:4])
    assert near.slopes[four].tolist() == pytest.approx([-0.217, -0.213, -0.151, -0.113], abs=2e-3)
    assert (near.correlations[four] < -0.9).all()
    assert near.slopes[four].sum() / near.slope == pytest.approx(0.91, abs=0.01)
    assert far.slope == pytest.approx(1.255, abs=2e-3)


def test_an_explanation_says_why_and_refuses_where_its_attention_was_changed() -> None:
    prompt = "The capital of Japan is the city of"
    found = explain(prompt).why(3, 3)
    assert (found.query, found.key, found.exact) == (7, 3, True)
    with pytest.raises(RequestError, match="cannot be read exactly"):
        explain(prompt, interventions="head:3:*:2=0").why(3, 3)
