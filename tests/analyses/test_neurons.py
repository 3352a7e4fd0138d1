"""Always-active neurons: counts against counts that are made by hand."""

from __future__ import annotations

import math

import pytest
import torch

from flowviz.analyses import Prompt, active_neurons, neurons
from flowviz.analyses.activity import Activity
from flowviz.errors import Cancelled
from tests.analyses.by_hand import OTHER, PROMPT, traced
from tests.models import random_model

PROMPTS = [PROMPT, OTHER, "She said that the cat"]


@pytest.fixture(scope="module")
def gpt2():
    return random_model("gpt2")


def test_activity_is_counted_prompt_by_prompt() -> None:
    activity = Activity(neurons=4, n=2)
    activity.take(torch.tensor([3.0, -4.0, 1.0, 0.0]), number=1)  # 0 and 1
    activity.take(torch.tensor([0.0, -6.0, 0.0, 0.0]), number=2)  # 1 alone: the others are silent
    activity.take(torch.tensor([-5.0, 2.0, 1.0, 9.0]), number=3)  # 3 and 0
    assert activity.count.tolist() == [2, 2, 0, 1]
    assert activity.share.tolist() == pytest.approx([2 / 3, 2 / 3, 0, 1 / 3])
    assert activity.mean.tolist() == [-1.0, -5.0, 0.0, 9.0]
    assert activity.sign.tolist() == [-1.0, -1.0, 1.0, 1.0]
    assert activity.example.tolist() == [3, 2, 0, 3]
    assert activity.always(2 / 3).tolist() == [0, 1]
    assert activity.always(0.67).tolist() == []
    assert activity.reaching(0.0).all()


def test_the_most_active_of_three_prompts_are_those_counted_by_hand(gpt2) -> None:
    n = 7
    found = active_neurons(gpt2, PROMPTS, n=n, threshold=2 / 3)
    traces = [traced(gpt2, prompt) for prompt in PROMPTS]
    for layer, told in enumerate(found.layers):
        posts = [trace.blocks[layer].post[-1].tolist() for trace in traces]
        counts = [0] * 48
        for post in posts:
            for index in sorted(range(48), key=lambda i: -abs(post[i]))[:n]:
                counts[index] += 1
        mine = {neuron.index: neuron for neuron in found.neurons if neuron.layer == layer}
        assert set(mine) == {index for index, count in enumerate(counts) if count >= 2}
        for index, neuron in mine.items():
            active = [
                post[index]
                for post in posts
                if sorted(map(abs, post), reverse=True)[n - 1] <= abs(post[index])
            ]
            assert neuron.share == pytest.approx(counts[index] / 3)
            assert neuron.activation == pytest.approx(sum(active) / len(active), rel=1e-5)
            strongest = max(range(3), key=lambda prompt: abs(posts[prompt][index]))
            assert neuron.example == PROMPTS[strongest]
            assert neuron.position == len(traces[strongest].ids) - 1
        wanted = [sum(count >= at * 3 / 20 - 1e-9 for count in counts) for at in range(21)]
        assert told.shares == tuple(wanted)
        assert told.expected == pytest.approx(n / 48)
    order = [(-neuron.share, -abs(neuron.activation)) for neuron in found.neurons]
    assert order == sorted(order)
    assert found.found == len(found.neurons)


def test_a_value_is_read_with_its_sign_and_its_own_scale(gpt2) -> None:
    found = active_neurons(gpt2, [PROMPT], n=40)
    assert {neuron.activation < 0 for neuron in found.neurons} == {True, False}
    for neuron in found.neurons:
        value = gpt2.blocks[neuron.layer].mlp.W_out[0, neuron.index]
        signed = value * math.copysign(1, neuron.activation)
        centred = signed - signed.mean()
        normed = centred / (centred.pow(2).mean() + 1e-5).sqrt() * gpt2.ln_final.weight
        chances = torch.softmax(normed @ gpt2.W_U, -1)
        assert neuron.norm == pytest.approx(float(value.norm()), rel=1e-5)
        bits = -sum(p * math.log2(p) for p in chances.tolist() if p > 0)
        assert neuron.entropy == pytest.approx(bits, rel=1e-4)
        order = chances.argsort(descending=True).tolist()
        assert [token.id for token in neuron.projection.top] == order[:10]
        assert [token.id for token in neuron.projection.bottom] == order[::-1][:10]
        assert neuron.projection.target_rank == 1
        assert neuron.projection.target_probability == pytest.approx(float(chances.max()), rel=1e-4)


def test_a_layer_is_the_mean_of_all_its_neurons(gpt2, monkeypatch) -> None:
    every = active_neurons(gpt2, [PROMPT, OTHER], n=48, threshold=1.0)
    assert every.found == 3 * 48
    for layer in every.layers:
        mine = [neuron for neuron in every.neurons if neuron.layer == layer.layer]
        assert layer.read == layer.neurons == len(mine)
        for name in ("norm", "entropy"):
            figures = [getattr(neuron, name) for neuron in mine]
            mean = sum(figures) / len(figures)
            assert getattr(layer, name) == pytest.approx(mean, rel=1e-4)
            deviation = math.sqrt(sum((x - mean) ** 2 for x in figures) / len(figures))
            assert getattr(layer, f"{name}_deviation") == pytest.approx(deviation, rel=1e-3)
    monkeypatch.setattr(neurons, "MOST_READ", 10)
    monkeypatch.setattr(neurons, "MOST_NEURONS", 4)
    sampled = active_neurons(gpt2, [PROMPT, OTHER], n=48, threshold=1.0)
    assert [layer.read for layer in sampled.layers] == [10, 10, 10]
    assert sampled.found == 3 * 48
    first = [(neuron.layer, neuron.index) for neuron in every.neurons[:4]]
    assert [(neuron.layer, neuron.index) for neuron in sampled.neurons] == first
    assert sampled.layers[0].norm == pytest.approx(every.layers[0].norm)


@pytest.mark.parametrize("architecture", ["mixtral", "qwen3_moe", "gpt_oss"])
def test_neurons_of_experts_that_were_not_chosen_are_silent(architecture) -> None:
    model = random_model(architecture)
    found = active_neurons(model, [PROMPT], n=10_000, threshold=1.0)
    trace = traced(model, PROMPT)
    active = sum(int((part.post[-1] != 0).sum()) for part in trace.blocks)
    assert found.found == active < sum(layer.neurons for layer in found.layers)


def test_it_ends_when_the_user_gives_up(gpt2) -> None:
    def progress(stage: str, _fraction: float) -> None:
        if stage.startswith("Values"):
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        active_neurons(gpt2, [Prompt(PROMPT)], progress=progress)
