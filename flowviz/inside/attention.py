"""Draws attention: values, heads, all heads together, rows of W_O, and what attention puts out.

    states, ln1's bias, b_V ─▶ values ─▶ heads ─▶ all heads ─▶ rows of W_O ─▶ output ◀─ b_O

What is not drawn goes through a rest node, and what feeds it (the norm, the biases) has an edge
there, so that for each of them all that flows out is seen. Vectors are what each part becomes in
the residual stream, through the norm behind attention where there is one.
"""

from __future__ import annotations

import torch
from torch import Tensor

from flowviz.flow import written_biases
from flowviz.graph.types import BIAS_NAMES
from flowviz.graph.vectors import written_bias
from flowviz.inside.choose import Chosen
from flowviz.inside.heads import HeadsAt
from flowviz.inside.place import Place
from flowviz.inside.sketch import Sketch
from flowviz.inside.types import PartEdgeKind, PartKey, PartKind

INNER = ("ln1", "b_V")


def draw_attention(sketch: Sketch, heads: HeadsAt, chosen: Chosen, reader: PartKey) -> PartKey:
    """Draws all of it.

    Args:
        reader: what attention reads at its own position: the norm, or the state itself.

    Returns:
        What goes into the stream: the output, or the norm behind it.
    """
    place = heads.place
    biases = _inner_biases(sketch, heads)
    _draw_values(sketch, heads, chosen, reader, biases)
    _draw_heads(sketch, heads, chosen, reader, biases)
    concat = _draw_concat(sketch, heads, chosen, reader, biases)
    output = _draw_rows(sketch, heads, chosen, concat)
    return draw_post(sketch, place, output, PartKind.LN1_POST)


def _inner_biases(sketch: Sketch, heads: HeadsAt) -> dict[int, PartKey]:
    """The biases inside the values, by their place in `HeadsAt.constants`."""
    place = heads.place
    there = (heads.attention.norm.bias is not None, heads.attention.b_V is not None)
    vectors = place.attention_onto_stream(heads.constant_vectors)
    flows = heads.constants @ heads.weights.sum(1)
    return {
        which: sketch.part(place.bias(name), float(flows[which]), vectors[which])
        for which, name in enumerate(INNER)
        if there[which]
    }


def _draw_values(
    sketch: Sketch,
    heads: HeadsAt,
    chosen: Chosen,
    reader: PartKey,
    biases: dict[int, PartKey],
) -> None:
    place = heads.place
    if not chosen.values:
        return
    index = torch.tensor(chosen.values, device=heads.z.device).T
    vectors = place.attention_onto_stream(heads.value_vectors(index[0], index[1]))
    lengths = vectors[1:].norm(dim=-1).tolist()  # of what either bias and the state give
    flows = heads.value_flows[index[0], index[1]].tolist()
    from_states = heads.from_states[index[0], index[1]].tolist()
    weights = heads.weights[index[0], index[1]].tolist()
    for row, (head, source) in enumerate(chosen.values):
        value, weight = place.key(PartKind.VALUE, head, source), weights[row]
        sketch.part(value, flows[row], vectors[0, row], activation=weight)
        state = reader if source == place.at else memory(sketch, heads, chosen, source)
        sketch.join(state, value, PartEdgeKind.READ, from_states[row], lengths[-1][row])
        for which, bias in biases.items():
            given = float(heads.constants[which, head]) * weight
            sketch.join(bias, value, PartEdgeKind.BIAS, given, lengths[which][row])


def memory(sketch: Sketch, heads: HeadsAt, chosen: Chosen, source: int) -> PartKey:
    """The state of another position; its flow here is what it gives to the drawn values."""
    readers = [head for head, place in chosen.values if place == source]
    given = float(heads.from_states[readers, source].sum())
    key = heads.place.key(PartKind.MEMORY, source=source)
    return sketch.part(key, given, heads.place.trace.resid_pre[source])


def _draw_heads(
    sketch: Sketch,
    heads: HeadsAt,
    chosen: Chosen,
    reader: PartKey,
    biases: dict[int, PartKey],
) -> None:
    place = heads.place
    written = place.attention_onto_stream(heads.written)
    for head, sources in zip(chosen.heads, chosen.sources, strict=True):
        key = sketch.part(place.key(PartKind.HEAD, head), float(heads.flows[head]), written[head])
        drawn = [place.key(PartKind.VALUE, head, source) for source in sources]
        for value in drawn:
            sketch.join(value, key, PartEdgeKind.WRITE, sketch.parts[value].flow,
                        weight=sketch.parts[value].activation)  # fmt: skip
        hidden = _without(heads.weights[head], sources).sum()
        feeds = [(reader, float(_without(heads.from_states[head], sources)[place.at]))]
        feeds += [(bias, float(heads.constants[n, head] * hidden)) for n, bias in biases.items()]
        flow = float(_without(heads.value_flows[head], sources).sum())
        sketch.rest(key, flow, _less(sketch, written[head], drawn), feeds)


def _draw_concat(
    sketch: Sketch,
    heads: HeadsAt,
    chosen: Chosen,
    reader: PartKey,
    biases: dict[int, PartKey],
) -> PartKey:
    place = heads.place
    whole = heads.written.sum(0)
    flow, vector = (
        float(whole @ place.gradient.attention[place.at]),
        place.attention_onto_stream(whole),
    )
    concat = sketch.part(place.key(PartKind.CONCAT), flow, vector)
    drawn = [place.key(PartKind.HEAD, head) for head in chosen.heads]
    for head in drawn:
        sketch.join(head, concat, PartEdgeKind.WRITE, sketch.parts[head].flow)
    own = _without(heads.from_states[:, place.at], chosen.heads).sum()
    by_head = heads.constants * heads.weights.sum(1)
    feeds = [(reader, float(own))]
    feeds += [(bias, float(_without(by_head[n], chosen.heads).sum())) for n, bias in biases.items()]
    rest = float(_without(heads.flows, chosen.heads).sum())
    sketch.rest(concat, rest, _less(sketch, vector, drawn), feeds)
    return concat


def _draw_rows(sketch: Sketch, heads: HeadsAt, chosen: Chosen, concat: PartKey) -> PartKey:
    """The rows of W_O, and what attention puts out."""
    place = heads.place
    drawn: list[PartKey] = []
    for head, row in chosen.rows:
        entry, key = float(heads.z[head, row]), place.key(PartKind.ROW, head, row)
        strength = abs(entry) * float(heads.row_lengths[head, row])
        vector = place.attention_onto_stream(heads.z[head, row] * heads.output[head, row])
        drawn.append(sketch.part(key, float(heads.row_flows[head, row]), vector, entry, strength))
        flow, norm = sketch.parts[key].flow, float(vector.norm())
        sketch.join(concat, key, PartEdgeKind.READ, flow, norm, strength)
    output = _draw_output(sketch, place, sketch.parts[concat].vector, heads)
    for key in drawn:
        part = sketch.parts[key]
        sketch.join(key, output, PartEdgeKind.WRITE, part.flow, strength=part.strength)
    mask = heads.row_flows.clone()
    for head, row in chosen.rows:
        mask[head, row] = 0
    vector = _less(sketch, sketch.parts[concat].vector, drawn)
    sketch.rest(output, float(mask.sum()), vector, [(concat, float(mask.sum()))])
    return output


def _draw_output(sketch: Sketch, place: Place, concat: Tensor | None, heads: HeadsAt) -> PartKey:
    whole, b_O = heads.written.sum(0), heads.attention.b_O
    if b_O is not None:
        whole = whole + b_O.to(whole)
    flow = float(whole @ place.gradient.attention[place.at])
    output = place.key(PartKind.ATTENTION)
    sketch.part(output, flow, place.attention_onto_stream(whole))
    draw_written_bias(sketch, place, "b_O", output)
    return output


def draw_written_bias(sketch: Sketch, place: Place, name: str, into: PartKey) -> None:
    """A bias that is added to a sum, where the block has it."""
    for found, bias, gradient in written_biases(place.flow, place.layer):
        if found == name:
            row = bias[place.at] if len(bias) > 1 else bias[0]
            flow = float(row @ gradient[place.at])
            vector = written_bias(place.flow, place.layer, name)[place.at]
            key = sketch.part(place.bias(name), flow, vector)
            sketch.join(key, into, PartEdgeKind.BIAS, flow)


def draw_post(sketch: Sketch, place: Place, output: PartKey, kind: PartKind) -> PartKey:
    """The norm behind a sublayer, where there is one that is not on the stream itself."""
    sublayer = place.block.attention if kind is PartKind.LN1_POST else place.block.mlp
    if sublayer.post.eps is None or place.block.norms_stream:
        return output
    before, key = sketch.parts[output], place.key(kind)
    bias = place.bias(str(kind))
    draw_written_bias(sketch, place, BIAS_NAMES[bias.index], key)
    added = sketch.parts.get(bias)
    vector, flow = before.vector, before.flow or 0.0
    if added is not None and vector is not None and added.vector is not None:
        vector, flow = vector + added.vector, flow + (added.flow or 0.0)
    sketch.part(key, flow, vector)
    sketch.join(output, key, PartEdgeKind.NORM, before.flow)
    return key


def _without(values: Tensor, drawn: tuple[int, ...]) -> Tensor:
    left = values.clone()
    left[list(drawn)] = 0
    return left


def _less(sketch: Sketch, whole: Tensor | None, drawn: list[PartKey]) -> Tensor | None:
    for key in drawn:
        vector = sketch.parts[key].vector
        if whole is not None and vector is not None:
            whole = whole - vector
    return whole
