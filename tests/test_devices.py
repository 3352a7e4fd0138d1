"""Other devices, without one here: no tensor of the engine is born on the default device.

What is made beside a model's own tensors must be made where they are, or a GPU refuses to mix
them. So every factory that the engine calls must name a device.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.overrides import TorchFunctionMode

import flowviz
from flowviz.flow import flow_of
from flowviz.graph.build import build_graph
from flowviz.graph.inspect import inspect_node
from flowviz.graph.scored import Scored
from flowviz.request import GraphSettings, Score, Wiring
from flowviz.trace import record
from tests.flows import IDS, TARGET
from tests.models import random_model

ENGINE = str(Path(flowviz.__file__).parent)
FACTORIES = {
    torch.zeros, torch.ones, torch.empty, torch.full, torch.tensor, torch.arange, torch.eye,
    torch.rand, torch.randn,
}  # fmt: skip


class DeviceNamed(TorchFunctionMode):
    """Refuses a factory that the engine calls without a device."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        caller = sys._getframe(1).f_code.co_filename
        named = (kwargs or {}).get("device") is not None or "generator" in (kwargs or {})
        if func in FACTORIES and caller.startswith(ENGINE) and not named:
            raise AssertionError(f"{func.__name__} names no device in {caller}")
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("architecture", ["gpt2", "gemma2", "gpt_oss", "gpt_neox", "opt_350m"])
def test_the_engine_names_the_device_of_every_tensor_that_it_makes(architecture: str) -> None:
    model = random_model(architecture)
    with DeviceNamed():
        scored = Scored(flow_of(model, record(model, list(IDS)), TARGET))
        for wiring in Wiring:
            for score in Score:
                settings = GraphSettings(wiring=wiring, score=score, layers=(0, 1))
                graph = build_graph(scored, settings)
            for node in graph.nodes:
                inspect_node(scored, graph, settings, node.key)


def test_a_tensor_without_a_device_is_seen() -> None:
    from flowviz.models.parts import exact

    source = compile("zeros(2)", f"{ENGINE}/made_up.py", "eval")
    with DeviceNamed(), pytest.raises(AssertionError, match="names no device"):
        eval(source, {"zeros": torch.zeros})
    with DeviceNamed():
        exact(torch.zeros(2, device="cpu"))
