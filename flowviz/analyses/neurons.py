"""Always-active neurons: those that are among the most active of their layer on many prompts.

For every prompt, at its last position, the n neurons of each layer with the largest |activation|
(`post`: behind the activation function, and in a gated MLP behind the gate; in a mixture of
experts, all experts' neurons together, times the router's weight) count as active. A neuron that
is silent there is not active, however few there are. Then

    share(neuron) = prompts on which it is active / prompts

and a neuron whose share reaches the threshold is *always active*. If all neurons of a layer were
active alike, its share would be n / d_mlp.

Its value (row of W_out) is read as tokens with the sign of its mean activation, with its own scale
in the final norm's linear part: p = softmax(W_U · w * v / rms(v)). So the entropy speaks of the
direction that it writes and not of its length, which `norm` tells. Both are held against all
neurons of the layer; where these are more than `MOST_READ`, their entropy is that of a sample.

Sources: Katz and Belinkov 2023 (VISIT), neurons that are active on most prompts; Geva et al. 2022,
FF values as tokens.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch
from jaxtyping import Int
from torch import Tensor

from flowviz.analyses.activity import Activity
from flowviz.analyses.neuron_values import value_entropies, value_norms, value_projections
from flowviz.analyses.passes import Asked, passes, read_all, silent
from flowviz.analyses.types import (
    MOST_NEURONS,
    ActiveNeuron,
    ActiveNeurons,
    LayerOfNeurons,
    Prompt,
)
from flowviz.jobs import Progress
from flowviz.models.loaded import LoadedModel

STEP = 5  # percent, between the shares that are counted
MOST_READ = 4096
SEED = 0
OF_PASSES = 0.8  # of the work


@torch.inference_mode()
def active_neurons(
    model: LoadedModel,
    prompts: Iterable[Prompt | str],
    n: int = 100,
    threshold: float = 0.85,
    progress: Progress = silent,
) -> ActiveNeurons:
    """The neurons that are active on most prompts; see the head of this module.

    Args:
        n: how many neurons of a layer count as active on a prompt.
        threshold: the share of prompts from which on a neuron is listed.
        progress: told once a prompt and once a layer; what it raises ends the work.

    Raises:
        RequestError: a prompt cannot be read.

    Example:
        >>> model = flowviz.load_model("demo")
        >>> active_neurons(model, flowviz.analyses.shipped("phenomena")).found
    """
    asked = read_all(model, prompts)
    layers = [Activity(block.mlp.neurons, n) for block in model.blocks]
    for one, trace in passes(model, asked, progress, OF_PASSES):
        for activity, part in zip(layers, trace.blocks, strict=True):
            activity.take(part.post[one.last], one.number)
    found = _found(layers, threshold)
    return ActiveNeurons(
        model=model.shape.name,
        prompts=len(asked),
        n=n,
        threshold=threshold,
        neurons=_described(model, layers, found[:MOST_NEURONS], asked),
        layers=tuple(_layers(model, layers, progress)),
        found=len(found),
    )


def _found(layers: list[Activity], threshold: float) -> list[tuple[int, int]]:
    """Layer and index of those that reach the threshold, the largest share first."""
    reached = [
        (-float(activity.share[index]), -abs(float(activity.mean[index])), layer, index)
        for layer, activity in enumerate(layers)
        for index in activity.always(threshold).tolist()
    ]
    return [(layer, index) for *_, layer, index in sorted(reached)]


def _described(
    model: LoadedModel,
    layers: list[Activity],
    found: list[tuple[int, int]],
    asked: tuple[Asked, ...],
) -> tuple[ActiveNeuron, ...]:
    """The neurons in the order in which they were found; those of a layer are read together."""
    read = {
        (neuron.layer, neuron.index): neuron
        for layer, activity in enumerate(layers)
        for neuron in _of_layer(
            model, layer, activity, [i for at, i in found if at == layer], asked
        )
    }
    return tuple(read[place] for place in found)


def _of_layer(
    model: LoadedModel,
    layer: int,
    activity: Activity,
    indices: list[int],
    asked: tuple[Asked, ...],
) -> Iterator[ActiveNeuron]:
    if not indices:
        return
    neurons = torch.tensor(indices, device="cpu")
    means, examples = activity.mean[neurons], activity.example[neurons].tolist()
    signs = torch.where(means < 0, -1.0, 1.0)
    norms = value_norms(model, layer, neurons).tolist()
    shares = activity.share[neurons].tolist()
    projections = value_projections(model, layer, neurons, signs)
    rows = zip(indices, shares, means.tolist(), norms, projections, examples, strict=True)
    for index, share, mean, norm, projection, example in rows:
        shown = asked[example - 1]
        yield ActiveNeuron(
            layer=layer,
            index=index,
            share=share,
            activation=mean,
            norm=norm,
            entropy=projection.entropy,
            projection=projection,
            example=shown.prompt.text,
            position=shown.last,
        )


def _layers(
    model: LoadedModel, layers: list[Activity], progress: Progress
) -> Iterator[LayerOfNeurons]:
    for layer, activity in enumerate(layers):
        done = OF_PASSES + (1 - OF_PASSES) * layer / len(layers)
        progress(f"Values of layer {layer}", done)
        yield _layer(model, layer, activity)


def _layer(model: LoadedModel, layer: int, activity: Activity) -> LayerOfNeurons:
    total = len(activity.count)
    everyone = torch.arange(total, device="cpu")
    sample = _sample(total)
    norms = torch.cat([value_norms(model, layer, some) for some in everyone.split(MOST_READ)])
    entropies = value_entropies(model, layer, sample, activity.sign[sample])
    return LayerOfNeurons(
        layer=layer,
        neurons=total,
        norm=float(norms.mean()),
        norm_deviation=float(norms.std(correction=0)),
        entropy=float(entropies.mean()),
        entropy_deviation=float(entropies.std(correction=0)),
        shares=tuple(int(activity.reaching(at / 100).sum()) for at in range(0, 101, STEP)),
        expected=activity.n / total,
        read=len(sample),
    )


def _sample(total: int) -> Int[Tensor, " n"]:
    """Which neurons of a layer have their entropy read: all, or so many by a fixed seed."""
    random = torch.Generator(device="cpu").manual_seed(SEED)
    return torch.randperm(total, generator=random, device="cpu")[:MOST_READ].sort().values
