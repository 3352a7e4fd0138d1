"""Other precisions: what the laws measure, against the tolerance that is stated for each."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from flowviz.checks import TOLERANCE, law_errors
from flowviz.flow import FlowTarget, flow_of
from flowviz.models.loading import load_model
from flowviz.trace import record
from tests.models import save_model

PROMPTS = [[(7 * i * i + 3 * i + seed) % 300 for i in range(40)] for seed in range(3)]
DEEP = {"layers": 12, "heads": 8, "d_head": 32, "neurons": 512}


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
@pytest.mark.parametrize(
    ("architecture", "sizes"),
    [("gpt2", {}), ("llama", DEEP), ("gemma2", DEEP), ("gpt_neox", {}), ("gpt_oss", {})],
)
def test_errors_stay_within_the_stated_tolerance(
    architecture: str, sizes: dict[str, int], dtype: torch.dtype, tmp_path: Path
) -> None:
    model = load_model(str(save_model(architecture, tmp_path, **sizes)), dtype=dtype)
    assert model.dtype == dtype
    worst = 0.0
    for prompt in PROMPTS:
        trace = record(model, prompt)
        assert trace.resid_final.dtype == torch.float32
        for target in (FlowTarget(39, int(trace.logits[39].argmax())), FlowTarget(30, 7, 9)):
            worst = max(worst, *vars(law_errors(flow_of(model, trace, target))).values())
    assert TOLERANCE[torch.float32] < worst < TOLERANCE[dtype]


@pytest.mark.parametrize("architecture", ["gpt2", "llama", "gemma2", "gpt_neox", "gpt_oss"])
def test_double_precision_is_exact(architecture: str, tmp_path: Path) -> None:
    sizes = DEEP if architecture in ("llama", "gemma2") else {}
    model = load_model(str(save_model(architecture, tmp_path, **sizes)), dtype=torch.float64)
    for prompt in PROMPTS:
        trace = record(model, prompt)
        assert trace.resid_final.dtype == torch.float64
        errors = law_errors(flow_of(model, trace, FlowTarget(30, 7, 9)))
        assert max(vars(errors).values()) < TOLERANCE[torch.float64]
