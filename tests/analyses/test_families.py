"""Every kind of block: all analyses run, and say what their architecture has."""

from __future__ import annotations

import pytest

from flowviz.analyses import (
    Prompt,
    active_neurons,
    norm_filters,
    overlap,
    search_token,
    target_course,
)
from tests.models import random_model
from tests.test_devices import DeviceNamed

PROMPTS = ["the cat sat on a mat", Prompt("Mary and John went to", " the")]


@pytest.mark.parametrize(
    "architecture",
    ["gpt2", "llama", "gpt_j", "gpt_neox", "gemma2", "opt_350m", "olmo2", "gpt_oss", "qwen3_moe"],
)
def test_every_analysis_runs_on_every_kind_of_block(architecture: str) -> None:
    model = random_model(architecture)
    with DeviceNamed():
        overlaps = overlap(model, PROMPTS, k=10)
        course = target_course(model, PROMPTS)
        filters = norm_filters(model, PROMPTS, k=10)
        active = active_neurons(model, PROMPTS, n=5, threshold=0.5)
        found = search_token(model, " the", most=5)
    assert [series.x for series in overlaps.by_layer] == [(0, 1, 2)] * 6
    assert {series.count for series in overlaps.among} == {(8, 8, 8)}
    values = overlaps.by_attention_rank[0].mean
    assert values[0] > 5 * overlaps.chance  # a part of a sum says some of what the sum says
    assert overlaps.notes == filters.notes == ()
    assert len(course.stages) == (4 if model.shape.parallel else 7)
    assert len(filters.norms) >= 4
    assert active.found >= 15
    assert {neuron.layer for neuron in active.neurons} == {0, 1, 2}
    for matches in (found.promoting_neurons, found.suppressing_neurons):
        assert len(matches) == 5
    for heads in (found.promoting_heads, found.suppressing_heads):
        assert len(heads) == 5
