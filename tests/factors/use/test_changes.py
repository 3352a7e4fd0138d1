"""Factors switched off, scaled or clamped: the pass is that of a plain hook, and splits exactly."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

import pytest
import torch

from flowviz.causal.baselines import zero
from flowviz.errors import RequestError
from flowviz.factors.kinds import Method
from flowviz.factors.types import Dictionary
from flowviz.factors.use.places import OpenAt
from flowviz.factors.use.split import open_nodes, split_of, splitting
from flowviz.flow import flow_of
from flowviz.graph.build import build_graph
from flowviz.graph.opened import node_vector
from flowviz.graph.scored import Changed, Scored
from flowviz.graph.types import NodeKey, NodeKind
from flowviz.interventions.apply import Values, record_changed
from flowviz.interventions.types import Intervention, Site, parse_interventions
from flowviz.request import ExplainRequest, GraphSettings, Wiring
from flowviz.trace import record
from tests.factors.use.small import random_dictionary
from tests.factors.use.test_laws import check_conserved
from tests.flows import IDS, TARGET, scored

K = NodeKind
AT = 9
SEQUENTIAL = ("gpt2", "llama", "mixtral", "granite")


@lru_cache(maxsize=8)
def dictionary(architecture: str) -> Dictionary:
    return random_dictionary(scored(architecture).flow.model, Method.TOPK)


def strongest(architecture: str, kind: NodeKind, layer: int = 1) -> NodeKey:
    """The strongest factor of a vector in the clean pass."""
    vector = node_vector(scored(architecture).flow, NodeKey(kind, layer, AT))
    index = split_of(dictionary(architecture), vector).factors[0]
    return NodeKey(K.FACTOR, layer, AT, int(index), part_of=kind)


def none(_instead: object) -> Any:
    raise AssertionError("nothing is put in")


def changed(architecture: str, text: str, values: Values = none) -> Scored:
    flow = scored(architecture).flow
    interventions = parse_interventions(text)
    split = splitting(flow.model, lambda _: dictionary(architecture))
    trace = record_changed(flow.model, list(IDS), interventions, values, split=split)
    return Scored(flow_of(flow.model, trace, TARGET), Changed(scored(architecture), interventions))


def by_hook(architecture: str, key: NodeKey, how: float) -> torch.Tensor:
    """The same change by one plain hook: encoded at that moment, added where it is passed on."""
    model, found = scored(architecture).flow.model, dictionary(architecture)
    assert key.part_of is not None
    whole = key.whole()
    where = "attn_out" if whole.kind is K.RESID_MID else str(whole.kind.value)
    names = {place: name for name, place in model.hooks.items()}
    kept: dict[str, torch.Tensor] = {}

    def change(value: torch.Tensor, hook: Any = None) -> torch.Tensor:
        rows = value if value.dim() == 2 else value[0]
        state = rows[AT] + kept["pre"][AT] if whole.kind is K.RESID_MID else rows[AT]
        split = split_of(found, state)
        atoms = torch.from_numpy(found.atoms)
        error = state - torch.from_numpy(split.offset)
        for index, amount in zip(split.factors, split.activations, strict=True):
            error = error - amount * atoms[index]
        own = dict(zip(split.factors, split.activations, strict=True))
        part = error if key.kind is K.ERROR else own.get(key.index, 0.0) * atoms[key.index]
        rows[AT] += (how - 1) * part
        return value

    def see(value: torch.Tensor, hook: Any = None) -> torch.Tensor:
        kept["pre"] = (value[0] if value.dim() == 3 else value).clone()
        return value

    hooks = [(names["resid_pre", whole.layer], see)] if whole.kind is K.RESID_MID else []
    hooks.append((names[where, whole.layer], change))
    tokens = torch.tensor([list(IDS)])
    with torch.inference_mode():
        logits = model.bridge.run_with_hooks(tokens, fwd_hooks=hooks, prepend_bos=False)
    return logits[0].float()


@pytest.mark.parametrize("how", [0.0, 2.5, -1.0])
@pytest.mark.parametrize("kind", [K.RESID_PRE, K.RESID_MID, K.ATTN_OUT, K.MLP_OUT])
@pytest.mark.parametrize("architecture", ["gpt2", "llama"])
def test_the_changed_pass_is_that_of_a_plain_hook(architecture, kind, how):
    key = strongest(architecture, kind)
    ours = changed(architecture, f"{key}={how}").flow.trace.logits
    plain = by_hook(architecture, key, how)
    clean = scored(architecture).flow.trace.logits
    assert torch.allclose(ours, plain, atol=1e-4 * float(plain.abs().max()))
    assert not torch.allclose(ours, clean, atol=1e-3 * float(plain.abs().max()))


@pytest.mark.parametrize("architecture", ["gpt2", "llama"])
def test_without_its_error_a_state_is_offset_and_factors(architecture):
    key = NodeKey(K.ERROR, 1, AT, part_of=K.RESID_PRE)
    ours = changed(architecture, f"{key}=0")
    assert torch.allclose(ours.flow.trace.logits, by_hook(architecture, key, 0.0), atol=1e-3)
    (split,) = dictionary(architecture).split(
        node_vector(scored(architecture).flow, key.whole()).numpy()[None]
    )
    made = torch.from_numpy(split.offset)
    for index, amount in zip(split.factors, split.activations, strict=True):
        made = made + amount * torch.from_numpy(dictionary(architecture).atoms[index])
    assert torch.allclose(node_vector(ours.flow, key.whole()), made, atol=1e-5)


@pytest.mark.parametrize("wiring", list(Wiring))
@pytest.mark.parametrize("kind", [K.RESID_PRE, K.RESID_MID])
@pytest.mark.parametrize("architecture", [*SEQUENTIAL, "opt_350m"])
def test_the_changed_pass_is_split_exactly_and_shows_the_factor(architecture, kind, wiring):
    key = strongest(architecture, kind)
    now = changed(architecture, f"{key}=0")
    place = OpenAt.of(key.whole(), "coding")
    opened = open_nodes(now, [place], lambda _: dictionary(architecture))
    assert max(vars(now.errors).values()) < 1e-4
    (node,), (was,) = opened.nodes, opened.before
    assert node.activations[node.keys.index(key)] == 0.0
    assert was.activations[was.keys.index(key)] > 0.0
    assert float((node.vectors.sum(0) - node.vector).norm()) <= 1e-5 * float(node.vector.norm())
    graph = build_graph(now, GraphSettings(wiring=wiring), opened)
    check_conserved(graph, now.flow.scale)
    drawn = graph.node(key)
    assert drawn is not None
    assert drawn.flow == 0.0
    assert drawn.before == pytest.approx(opened.flow_before(key))


def test_several_factors_of_one_vector_are_changed_from_one_split_of_it():
    flow = scored("gpt2").flow
    whole = NodeKey(K.RESID_PRE, 1, AT)
    split = split_of(dictionary("gpt2"), node_vector(flow, whole))
    first, second = (f"factor:resid_pre:1:{AT}:{index}" for index in split.factors[:2])
    now = changed("gpt2", f"{first}=0;{second}=3")
    atoms, (a, b) = dictionary("gpt2").atoms, split.activations[:2]
    wanted = node_vector(flow, whole) - a * torch.from_numpy(atoms[split.factors[0]])
    wanted = wanted + 2 * b * torch.from_numpy(atoms[split.factors[1]])
    assert torch.allclose(node_vector(now.flow, whole), wanted, atol=1e-5)


@pytest.mark.parametrize("kind", [K.RESID_PRE, K.RESID_MID, K.ATTN_OUT, K.MLP_OUT])
@pytest.mark.parametrize("architecture", ["gpt2", "llama"])
def test_a_clamped_factor_has_that_activation_whatever_it_was(architecture, kind):
    """One that is active is moved by the difference, one that is not by all of it."""
    key = strongest(architecture, kind)
    vector = node_vector(scored(architecture).flow, key.whole())
    split = split_of(dictionary(architecture), vector)
    own = float(split.activations[0])
    same = changed(architecture, f"{key}=clamp:{1.5 * own}").flow.trace.logits
    scaled = changed(architecture, f"{key}=1.5").flow.trace.logits
    assert torch.allclose(same, scaled, atol=1e-5 * float(scaled.abs().max()))
    idle = min(set(range(len(dictionary(architecture).atoms))) - set(map(int, split.factors)))
    now = changed(architecture, f"{replace(key, index=idle)}=clamp:-2.5").flow
    if kind in (K.RESID_PRE, K.RESID_MID):
        wanted = vector - 2.5 * torch.from_numpy(dictionary(architecture).atoms[idle])
        assert torch.allclose(node_vector(now, key.whole()), wanted, atol=1e-5)
    assert not torch.allclose(now.trace.logits, scored(architecture).flow.trace.logits, atol=1e-3)


def test_a_factor_is_clamped_everywhere_and_each_position_shows_it():
    model = scored("gpt2").flow.model
    idle = next(
        index
        for index in range(40)
        if all(
            index not in split_of(dictionary("gpt2"), row).factors
            for row in scored("gpt2").flow.trace.blocks[1].resid_pre
        )
    )
    now = changed("gpt2", f"factor:resid_pre:1:*:{idle}=clamp:3")
    clean = scored("gpt2").flow.trace.blocks[1].resid_pre
    wanted = clean + 3 * torch.from_numpy(dictionary("gpt2").atoms[idle])
    assert torch.allclose(now.flow.trace.blocks[1].resid_pre, wanted, atol=1e-5)
    place = OpenAt.of(NodeKey(K.RESID_PRE, 1, AT), "coding")
    opened = open_nodes(now, [place], lambda _: dictionary("gpt2"))
    key = NodeKey(K.FACTOR, 1, AT, idle, part_of=K.RESID_PRE)
    (node,) = opened.nodes
    assert node.activations[node.keys.index(key)] == 3.0
    graph = build_graph(now, GraphSettings(), opened)
    check_conserved(graph, now.flow.scale)
    assert graph.node(key) is not None
    assert len(model.blocks) > 1


def test_left_as_it_is_the_pass_is_the_clean_one():
    key = strongest("gpt2", K.RESID_MID)
    same = changed("gpt2", f"{key}=1").flow.trace.logits
    assert torch.allclose(same, record(scored("gpt2").flow.model, list(IDS)).logits, atol=1e-5)


@pytest.mark.parametrize(
    "text",
    ["factor:resid_mid:3:7:412=0", "factor:mlp_out:3:*:9~my own=2", "error:resid_final:6:7=0",
     "factor:resid_pre:2:*:5=clamp:-4.5", "factor:resid_pre:2:1:5=clamp:0"],
)  # fmt: skip
def test_the_text_form_reads_back(text):
    (one,) = parse_interventions(text)
    assert str(one) == text
    assert one.sites[0].dictionary == ("my own" if "~" in text else "coding")
    request = ExplainRequest("a", interventions=(one,))
    assert request.needs_dictionary
    assert ExplainRequest.from_query(request.to_query()) == request


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("offset:resid_mid:3:7=0", "cannot be changed"),
        ("head:3:7:1~mine=0", "a factor's dictionary"),
        ("factor:resid_mid:3:7:1~a/b=0", "a factor's dictionary"),
        ("factor:resid_mid:3:7:1>target:6:7=0", "no edge"),
        ("factor:resid_mid:3:7:1=clamp:", "is no change"),
        ("factor:resid_mid:3:7:1=clamp:nan", "is no change"),
        ("factor:resid_mid:3:7:1=clamp:-1e6", "is no change"),
    ],
)
def test_other_text_is_refused(text, said):
    with pytest.raises(RequestError, match=said):
        Intervention.parse(text)


@pytest.mark.parametrize(
    ("architecture", "text", "said"),
    [
        ("gpt2", "factor:resid_mid:1:9:4000=0", "factors 0 to 39"),
        ("gpt2", "factor:resid_mid:7:9:4=0", "no such part"),
        ("gpt_j", "factor:attn_out:1:9:4=mean", "no value from elsewhere"),
        ("gpt2", "error:resid_mid:1:9=clamp:2", "no activation"),
        ("gpt2", "head:1:9:1=clamp:2", "no activation"),
        ("gpt2", "factor:resid_mid:1:9:4000=clamp:2", "factors 0 to 39"),
        ("gpt_j", "factor:resid_mid:1:9:4=0", "same state"),
        ("opt_350m", "factor:attn_out:1:9:4=0", "norm on the stream"),
    ],
)
def test_what_the_pass_has_not_is_refused(architecture, text, said):
    with pytest.raises(RequestError, match=said):
        changed(architecture, text, lambda _: zero(scored(architecture).flow.model))


def test_without_a_dictionary_nothing_is_changed():
    flow = scored("gpt2").flow
    asked = (Intervention((Site.parse("factor:resid_mid:1:9:4"),), 0.0),)
    with pytest.raises(RequestError, match="no dictionary is known"):
        record_changed(flow.model, list(IDS), asked, none)
