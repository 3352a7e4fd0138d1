"""Draws the MLP: FF1's keys and gates, FF2's values, and what the MLP puts out.

norm, ln2's bias, b_in ─▶ keys ─▶ neurons ─▶ output ◀─ b_out
norm ┄▶ gates ┄▶ neurons                                (gated MLPs; frozen: without flow)
"""

from __future__ import annotations

import torch
from torch import Tensor

from flowviz.graph.vectors import read_directions
from flowviz.inside.attention import draw_post, draw_written_bias
from flowviz.inside.choose import Chosen
from flowviz.inside.neurons import NeuronsAt
from flowviz.inside.sketch import Sketch
from flowviz.inside.types import PartEdgeKind, PartKey, PartKind

INNER = ("ln2", "b_in")
_OF_A_NEURON = (PartKind.NEURON, PartKind.NEURON_KEY, PartKind.GATE)


def draw_mlp(sketch: Sketch, neurons: NeuronsAt, chosen: Chosen, reader: PartKey) -> PartKey:
    """Draws all of it; see `draw_attention`."""
    biases = _inner_biases(sketch, neurons)
    if chosen.neurons:
        index = torch.tensor(chosen.neurons, device=neurons.post.device)
        _draw_keys(sketch, neurons, index, reader, biases)
        if neurons.mlp.gate is not None:
            _draw_gates(sketch, neurons, index, reader)
        _draw_values(sketch, neurons, index)
    output = _draw_output(sketch, neurons, chosen, reader, biases)
    return draw_post(sketch, neurons.place, output, PartKind.LN2_POST)


def _inner_biases(sketch: Sketch, neurons: NeuronsAt) -> dict[int, PartKey]:
    """The biases inside the neurons, by their place in `NeuronsAt.constants`."""
    place, mlp = neurons.place, neurons.mlp
    there = (mlp.norm.bias is not None, mlp.b_in is not None)
    found: dict[int, PartKey] = {}
    for which, name in enumerate(INNER):
        if there[which]:
            written = neurons.write(neurons.gate * neurons.biases[which])
            flow = float(neurons.constants[which].sum())
            found[which] = sketch.part(place.bias(name), flow, place.mlp_onto_stream(written))
    return found


def _draw_keys(
    sketch: Sketch, neurons: NeuronsAt, index: Tensor, reader: PartKey, biases: dict[int, PartKey]
) -> None:
    place = neurons.place
    directions = read_directions(place.flow, place.layer, index)
    lengths = neurons.mlp.reads(index).norm(dim=-1).tolist()
    inputs, flows = neurons.inputs[index].tolist(), neurons.flows[index].tolist()
    signal, given = neurons.signal[index].abs().tolist(), neurons.from_state[index].tolist()
    for row, neuron in enumerate(index.tolist()):
        key, strength = place.key(PartKind.NEURON_KEY, neuron), abs(inputs[row]) * lengths[row]
        sketch.part(key, flows[row], directions[row], inputs[row], strength)
        read = signal[row], signal[row] * lengths[row]
        sketch.join(reader, key, PartEdgeKind.READ, given[row], *read)
        for which, bias in biases.items():
            flow, added = (
                float(part[which, neuron]) for part in (neurons.constants, neurons.biases)
            )
            sketch.join(bias, key, PartEdgeKind.BIAS, flow, abs(added), abs(added) * lengths[row])


def _draw_gates(sketch: Sketch, neurons: NeuronsAt, index: Tensor, reader: PartKey) -> None:
    place = neurons.place
    weights = neurons.mlp.opens(index).to(neurons.post.device)
    directions = neurons.mlp.norm.pull(weights)
    lengths, inputs = weights.norm(dim=-1).tolist(), neurons.gates(index).tolist()
    for row, neuron in enumerate(index.tolist()):
        gate, strength = place.key(PartKind.GATE, neuron), abs(inputs[row]) * lengths[row]
        sketch.part(gate, None, directions[row], inputs[row], strength)
        sketch.join(reader, gate, PartEdgeKind.READ, None, abs(inputs[row]), strength)


def _draw_values(sketch: Sketch, neurons: NeuronsAt, index: Tensor) -> None:
    place = neurons.place
    outputs = neurons.post[index]
    written = outputs[:, None] * neurons.mlp.writes(index).to(outputs.device)
    vectors, flows = place.mlp_onto_stream(written), neurons.flows[index].tolist()
    lengths, strengths = vectors.norm(dim=-1).tolist(), written.norm(dim=-1).tolist()
    for row, neuron in enumerate(index.tolist()):
        value, key, gate = (place.key(kind, neuron) for kind in _OF_A_NEURON)
        sketch.part(value, flows[row], vectors[row], float(outputs[row]), strengths[row])
        sketch.join(key, value, PartEdgeKind.WRITE, flows[row], lengths[row], strengths[row])
        if gate in sketch.parts:
            sketch.join(gate, value, PartEdgeKind.WRITE, None, lengths[row], strengths[row])


def _draw_output(
    sketch: Sketch,
    neurons: NeuronsAt,
    chosen: Chosen,
    reader: PartKey,
    biases: dict[int, PartKey],
) -> PartKey:
    place, output = neurons.place, neurons.place.key(PartKind.MLP)
    bias = neurons.mlp.written_bias(place.trace.router)
    whole = neurons.written
    if bias is not None:
        whole = whole + (bias[place.at] if len(bias) > 1 else bias[0]).to(whole)
    flow = float(whole @ place.gradient.mlp[place.at])
    sketch.part(output, flow, place.mlp_onto_stream(whole))
    rest = place.mlp_onto_stream(neurons.written)
    for neuron in chosen.neurons:
        part = sketch.parts[place.key(PartKind.NEURON, neuron)]
        sketch.join(part.key, output, PartEdgeKind.WRITE, part.flow, strength=part.strength)
        rest = rest if part.vector is None else rest - part.vector
    feeds = [(reader, _hidden(neurons.from_state, chosen))]
    feeds += [(bias, _hidden(neurons.constants[n], chosen)) for n, bias in biases.items()]
    sketch.rest(output, _hidden(neurons.flows, chosen), rest, feeds)
    draw_written_bias(sketch, place, "b_out", output)
    return output


def _hidden(flows: Tensor, chosen: Chosen) -> float:
    """The sum over all neurons that are not drawn."""
    left = flows.clone()
    left[list(chosen.neurons)] = 0
    return float(left.sum())
