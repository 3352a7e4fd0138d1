"""The blend, on every kind of architecture: of what it is made, and what it keeps."""

from __future__ import annotations

import pytest
import torch

from flowviz.blend import ALONG, FLOW, GRADIENT, STEPS, blend_gradients, blend_scores, constants
from flowviz.flow import FlowTarget
from flowviz.graph.build import build_graph
from flowviz.graph.types import NodeKey, NodeKind
from flowviz.request import GraphSettings, Score
from flowviz.scores import gradient_scores, gradients_of
from flowviz.values import NodeValues
from tests.architectures import ARCHITECTURES
from tests.flows import TARGET, scored

SOME = ("gpt2", "opt_350m", "gemma2", "bloom", "gpt_neox", "mixtral", "llama")


@pytest.mark.parametrize("architecture", SOME)
def test_it_is_the_mean_of_flow_gradient_and_gradients_along_the_way(architecture: str) -> None:
    flow = scored(architecture).flow
    embed = flow.trace.embed[: flow.positions]
    wanted = FLOW * flow.values.heads + GRADIENT * gradient_scores(flow).heads
    for step in range(STEPS):
        moved = ((step + 0.5) / STEPS - 1) * (embed - embed.mean(0))
        there = gradients_of(flow, moved)
        for layer, (block, part) in enumerate(
            zip(flow.model.blocks, flow.trace.blocks, strict=True)
        ):
            pulled = block.attention.to_heads(there["attn_out", layer])
            heads = (part.z[: flow.positions] * pulled).sum(-1)
            wanted[layer, :, : heads.shape[1]] += ALONG / STEPS * heads
    torch.testing.assert_close(blend_scores(flow).heads, wanted, rtol=1e-3, atol=1e-4 * flow.scale)


@pytest.mark.parametrize("architecture", sorted(ARCHITECTURES))
def test_a_moved_pass_is_another_pass(architecture: str) -> None:
    flow = scored(architecture).flow
    here, nothing = gradients_of(flow), torch.zeros_like(flow.trace.embed[: flow.positions])
    for place, gradient in gradients_of(flow, nothing).items():
        torch.testing.assert_close(gradient, here[place], rtol=1e-4, atol=1e-5)
    away = gradients_of(flow, -0.5 * (flow.trace.embed[: flow.positions]))
    assert not torch.allclose(away["embed", -1], here["embed", -1], rtol=0.05)


def test_one_token_alone_has_no_way_to_go() -> None:
    flow = scored("gpt2", FlowTarget(0, 5)).flow
    here = gradients_of(flow)
    for place, gradient in blend_gradients(flow, here).items():
        torch.testing.assert_close(gradient, here[place], rtol=1e-4, atol=1e-6)


def test_the_flow_needs_no_constants_and_a_mean_has_the_mean_of_them() -> None:
    parts = scored("gpt2")
    flow, scale = parts.flow, parts.flow.scale
    assert constants(flow, flow.values) == pytest.approx(0.0, abs=1e-4 * scale)
    assert abs(constants(flow, parts.gradient)) > 0.1
    half = NodeValues(
        *((a + b) / 2 for a, b in zip(flow.values.parts(), parts.gradient.parts(), strict=True))
    )
    wanted = constants(flow, parts.gradient) / 2
    assert constants(flow, half) == pytest.approx(wanted, abs=1e-4 * scale)


def test_a_graph_is_ranked_by_it_and_its_edges_still_carry_flow() -> None:
    parts = scored("gpt2")
    graph = build_graph(parts, GraphSettings(score=Score.BLEND, budget=20))
    assert graph.checks.conservation_error < 1e-4
    assert graph.settings["score"] == "blend"
    drawn = {node.key for node in graph.nodes}
    sizes = parts.blend.each(torch.abs)
    strongest = max(
        (pair for kind in (NodeKind.HEAD, NodeKind.NEURON) for pair in sizes.strongest(kind, 1)),
        key=lambda pair: pair[0],
    )[1]
    assert strongest in drawn
    assert parts.by(Score.BLEND)[NodeKey(NodeKind.HEAD, 0, TARGET.position, 1)] == pytest.approx(
        float(parts.blend.heads[0, TARGET.position, 1])
    )
