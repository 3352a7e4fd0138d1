"""Rules of propagation: at both ends they are the flow and the gradient, between they conserve."""

from __future__ import annotations

import pytest
import torch

from docs.propagation import FROZEN, WHOLE, Gate, Rule, carry, integrate, mean
from docs.rules import RULES, carried_by, foreseen_by
from flowviz.blend import blend_scores
from flowviz.causal import baselines
from flowviz.flow import Flow
from flowviz.scores import gradient_scores
from flowviz.values import NodeValues
from tests.flows import scored

KINDS = ("embed", "pos_embed", "heads", "neurons")


def flow() -> Flow:
    return scored("gpt2").flow


def by(name: str) -> NodeValues:
    return foreseen_by(flow(), carried_by(flow(), name), baselines.zero(flow().model))


def assert_same(got: NodeValues, wanted: NodeValues) -> None:
    for kind in KINDS:
        torch.testing.assert_close(getattr(got, kind), getattr(wanted, kind), rtol=1e-3, atol=1e-4)


def test_all_frozen_is_the_flow() -> None:
    assert_same(by("flow: all frozen"), flow().values)


def test_all_let_through_is_the_gradient() -> None:
    assert_same(by("gradient: nothing frozen"), gradient_scores(flow()))


def test_the_blend_is_the_products_own() -> None:
    assert_same(by("blend"), blend_scores(flow()))


@pytest.mark.parametrize(
    "rule",
    [
        FROZEN,
        WHOLE,
        Rule(pattern=0.5, values=0.5),
        Rule(norm=0.5, gate=Gate.HALF),
        Rule(pattern=1.0, gate=Gate.DERIVATIVE, final=1.0),
    ],
)
def test_every_rule_keeps_the_sum_with_its_constants(rule: Rule) -> None:
    carried, trace, p = carry(flow(), rule), flow().trace, flow().positions
    assert trace.pos_embed is not None
    held = ((trace.embed[:p] + trace.pos_embed[:p]) * carried.embed).sum()
    assert float(held) + carried.constants == pytest.approx(flow().value, abs=1e-4 * flow().scale)


def test_a_mean_keeps_what_its_parts_keep() -> None:
    one, other = carry(flow(), FROZEN), carry(flow(), WHOLE)
    both = mean([(0.25, one), (0.75, other)])
    torch.testing.assert_close(both.heads, 0.25 * one.heads + 0.75 * other.heads)
    assert both.constants == pytest.approx(0.25 * one.constants + 0.75 * other.constants)


def test_a_way_that_begins_at_its_end_is_the_gradient() -> None:
    torch.testing.assert_close(
        integrate(flow(), WHOLE, lowest=1.0).embed, carry(flow(), WHOLE).embed
    )


def test_no_two_rules_are_the_same() -> None:
    found = [by(name).heads for name in RULES]
    for place, one in enumerate(found):
        assert not any(torch.equal(one, other) for other in found[:place])
