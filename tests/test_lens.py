"""The lens against the model's own last step."""

from __future__ import annotations

import pytest
import torch

from flowviz.graph.types import NodeKey, NodeKind
from flowviz.graph.vectors import component_vectors
from flowviz.lens import normed_components, normed_states, projections, read, to_logits
from tests.flows import TARGET, scored

ARCHITECTURES = ("gpt2", "llama")


def _states(n: int) -> torch.Tensor:
    return torch.ones(n, dtype=torch.bool)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_final_state_reads_as_the_models_logits(architecture):
    flow = scored(architecture).flow
    logits = to_logits(
        flow.model, normed_states(flow.model, flow.trace.resid_final), _states(len(flow.trace.ids))
    )
    torch.testing.assert_close(logits, flow.trace.logits, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_what_a_block_wrote_reads_as_the_difference_of_its_states(architecture):
    """Heads and b_O, read with the frozen scale, sum to mid minus pre read the same way."""
    flow, at, layer = scored(architecture).flow, 10, 1
    model, scale = flow.model, flow.trace.final_scale[10:11]
    keys = [NodeKey(NodeKind.HEAD, layer, at, head) for head in range(model.shape.heads)]
    keys.append(NodeKey(NodeKind.BIAS, layer, at, 2))
    parts = to_logits(
        model,
        normed_components(model, component_vectors(flow, keys), scale.expand(len(keys), 1)),
        ~_states(len(keys)),
    )
    block = flow.trace.blocks[layer]
    change = (block.resid_mid - block.resid_pre)[at : at + 1]
    whole = to_logits(model, normed_components(model, change, scale), ~_states(1))
    torch.testing.assert_close(parts.sum(0), whole[0], rtol=1e-3, atol=1e-4)


def test_reading_gives_ranks_probabilities_and_entropy_exactly():
    model = scored("gpt2").flow.model
    logits = torch.tensor([[0.0, 1.0, 3.0, 2.0], [0.0, 0.0, 0.0, 0.0]])
    first, second = projections(model, read(logits, target=3, k=2))
    assert [token.id for token in first.top] == [2, 3]
    assert [token.id for token in first.bottom] == [0, 1]
    assert first.target_rank == 2
    assert first.target_logit == 2.0
    softmax = torch.softmax(logits[0], 0)
    assert first.target_probability == pytest.approx(float(softmax[3]))
    assert first.top[0].probability == pytest.approx(float(softmax[2]))
    assert second.entropy == pytest.approx(2.0)  # four equal tokens: two bits
    assert second.target_rank == 1


def test_the_target_is_read_in_every_projection():
    flow = scored("gpt2").flow
    key = NodeKey(NodeKind.RESID_FINAL, flow.model.shape.layers, TARGET.position)
    logits = to_logits(
        flow.model, normed_states(flow.model, component_vectors(flow, [key])), _states(1)
    )
    (projection,) = projections(flow.model, read(logits, TARGET.token))
    wanted = flow.trace.logits[TARGET.position, TARGET.token]
    assert projection.target_logit == pytest.approx(float(wanted), rel=1e-4)
