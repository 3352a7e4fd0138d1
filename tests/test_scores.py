"""The two scores beside the flow, against what changes when a part is made a little smaller."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from flowviz.flow import Flow, flow_of
from flowviz.models.loading import load_model
from flowviz.scores import direct_scores, gradient_scores
from flowviz.trace import record
from tests.flows import IDS, TARGET
from tests.models import save_model

# Norms and softmaxes are in float32 whatever the weights are: the slope through many steps is less
# noisy than one difference (the largest error is a tenth of the tolerance)
STEPS = np.linspace(0.01, 0.04, 12)
ARCHITECTURES = ("gpt2", "gpt_neo", "gpt_neox", "opt_350m", "gemma2", "granite", "bloom", "gpt_oss")


@cache
def flow(architecture: str) -> Flow:
    folder = save_model(architecture, Path(mkdtemp()))
    model = load_model(str(folder))
    return flow_of(model, record(model, list(IDS)), TARGET)


def change(architecture: str, hook: str, place: tuple[Any, ...]) -> float:
    """How fast the target falls as what a hook shows at one place is made smaller, by its share."""

    def shrunk(share: float) -> float:
        def smaller(value: Tensor, hook: Any = None) -> Tensor:
            value = value.clone()
            value[(0, *place)] *= 1 - share
            return value

        at = flow(architecture)
        bridge, ids = at.model.bridge, torch.tensor([IDS])
        kept: dict[str, Tensor] = {}

        def keep(value: Tensor, hook: Any = None) -> Tensor:
            kept["logits"] = value[0, TARGET.position] * at.model.logit_scale
            return value

        with torch.inference_mode():
            hooks = [(hook, smaller), ("unembed.hook_out", keep)]
            bridge.run_with_hooks(ids, fwd_hooks=hooks, prepend_bos=False)
        return float(kept["logits"][TARGET.token] - kept["logits"][TARGET.contrast])

    falls = np.array([(shrunk(-step) - shrunk(step)) / 2 for step in STEPS])
    return float(falls @ STEPS / (STEPS @ STEPS))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_gradient_of_a_head_is_what_changes(architecture: str) -> None:
    scores = gradient_scores(flow(architecture))
    for layer, position, head in ((0, 5, 1), (1, 14, 0), (2, 14, 3)):
        seen = change(architecture, f"blocks.{layer}.attn.hook_z", (position, head))
        assert float(scores.heads[layer, position, head]) == pytest.approx(seen, rel=0.01, abs=2e-5)


@pytest.mark.parametrize("architecture", sorted(set(ARCHITECTURES) - {"gpt_oss"}))
def test_gradient_of_a_neuron_is_what_changes(architecture: str) -> None:
    scores = gradient_scores(flow(architecture))
    for layer, position, neuron in ((0, 5, 1), (1, 14, 20), (2, 14, 33)):
        seen = change(architecture, f"blocks.{layer}.mlp.hook_post", (position, neuron))
        got = float(scores.neurons[layer, position, neuron])
        assert got == pytest.approx(seen, rel=0.01, abs=2e-5)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_gradient_of_an_embedding_is_what_changes(architecture: str) -> None:
    name = next(n for n, (part, _) in flow(architecture).model.hooks.items() if part == "embed")
    if flow(architecture).model.embed_bias is not None:
        pytest.skip("its hook shows the bias of the norm behind it, too")
    seen = change(architecture, name, (3,))
    got = float(gradient_scores(flow(architecture)).embed[3])
    assert got == pytest.approx(seen, rel=0.01, abs=2e-5)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_gradient_of_the_last_state_and_its_biases_is_the_frozen_norms_without_its_scale(
    architecture: str,
) -> None:
    """Scaling the whole last state changes nothing behind a norm."""
    at = flow(architecture)
    score = float(gradient_scores(at).resid_final[-1])
    if at.model.ln_final.eps is None:
        assert score == pytest.approx(float(at.values.resid_final[-1]), rel=1e-4)
    else:
        assert abs(score) < 1e-3 * at.scale


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_direct_scores_stand_at_the_targets_position_alone(architecture: str) -> None:
    scores = direct_scores(flow(architecture))
    assert not scores.heads[:, :-1].any()
    assert not scores.neurons[:, :-1].any()
    assert scores.heads[:, -1].any()
