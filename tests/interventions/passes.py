"""Passes with interventions on random models, for the tests of this room."""

from __future__ import annotations

from flowviz.causal.baselines import Baseline, mean, resample
from flowviz.flow import Flow, FlowTarget, flow_of
from flowviz.graph.types import BIAS_NAMES
from flowviz.interventions.apply import record_changed
from flowviz.interventions.types import Instead, parse_interventions
from flowviz.models.loaded import LoadedModel
from flowviz.trace import Trace, record

IDS = (5, 9, 20, 33, 7, 41)
DONOR = (8, 3, 99, 100, 55, 12, 7)
TARGET = FlowTarget(5, 17, 3)


def values(model: LoadedModel, instead: Instead) -> Baseline:
    """What is put in: the donor's values, or the mean over two prompts."""
    if instead is Instead.MEAN:
        return mean(model, [list(DONOR), list(IDS)])
    return resample(record(model, list(DONOR)), len(DONOR), "another prompt")


def changed(model: LoadedModel, text: str) -> Trace:
    """The pass with these interventions."""
    found = parse_interventions(text)
    return record_changed(model, list(IDS), found, lambda instead: values(model, instead))


def changed_flow(model: LoadedModel, text: str, target: FlowTarget = TARGET) -> Flow:
    """The flow through the pass with these interventions."""
    return flow_of(model, changed(model, text), target)


def bias(name: str, layer: int, position: int) -> str:
    """The text form of a bias."""
    return f"bias:{layer}:{position}:{BIAS_NAMES.index(name)}"


def every_kind(model: LoadedModel) -> list[str]:
    """Interventions on all kinds of parts that the model has, in all ways."""
    layers, block = len(model.blocks), model.blocks[0]
    found = [
        "embed:0:2=0.5", "embed:0:3=donor", "resid_pre:0:1=0.3", "resid_pre:0:4=donor",
        "head:0:5:1=0", "head:0:*:0=2", "head:1:4:1=donor", "head:1:3:1=mean",
        "head:1:5:0@2=0", "head:1:5:0@3=-2", "head:1:*:1@0=0",
        "resid_pre:1:2=mean", "resid_pre:1:3=1.5", f"resid_final:{layers}:5=1.5",
        "neuron:0:5:3=0", "neuron:0:5:4=3", "neuron:1:5:5=donor", "neuron:1:4:6=mean",
        "embed:0:2>head:1:5:1=0", "neuron:0:3:2>head:1:5:1=3", "head:0:5:1>neuron:1:5:7=donor",
        "head:0:5:0>neuron:1:5:7=2", f"head:0:5:0>target:{layers}:5=0",
    ]  # fmt: skip
    if not block.parallel:
        found += ["resid_mid:0:5=0.5", "resid_mid:0:2=donor", "resid_mid:1:5=mean"]
    biases = {
        "b_V": block.attention.b_V,
        "b_O": block.attention.b_O,
        "ln1_post": block.attention.post.bias,
        "b_in": None if block.mlp.router else block.mlp.b_in,
        "b_out": block.mlp.b_out,
        "ln2_post": block.mlp.post.bias,
        "ln_embed": model.embed_bias,
    }
    return found + [f"{bias(name, 0, 5)}=0.5" for name, held in biases.items() if held is not None]
