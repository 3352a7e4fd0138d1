"""Edges: what one node reads of another is changed, and no other path (path patching).

A source u at position j wrote the vector v into the stream. For one reader alone, v' stands there
instead: it is computed again with the stream changed by v' - v at j, and what that makes of its
output is put in there. For the target, the final state is changed by v' - v.
Sources: path patching, Wang et al. 2023; Goldowsky-Dill et al. 2023.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from jaxtyping import Float
from torch import Tensor

from flowviz.attention.queries_keys import outputs_of, record_attention
from flowviz.causal.baselines import Baseline
from flowviz.causal.scores import standing_in
from flowviz.errors import RequestError
from flowviz.flow import Flow, FlowTarget, flow_of
from flowviz.graph import circuit
from flowviz.graph.types import NodeKey, NodeKind
from flowviz.graph.vectors import component_vectors
from flowviz.interventions.changes import Changes
from flowviz.interventions.places import Place
from flowviz.interventions.types import Instead
from flowviz.trace import Trace


def change_edges(
    changes: Changes,
    trace: Trace,
    reader: NodeKey,
    edges: Sequence[Place],
    known: Callable[[Instead], Baseline],
) -> None:
    """Changes what one node reads of others.

    Args:
        trace: the pass as it has come to the reader.
        known: what is put in, where something is.

    Raises:
        RequestError: the reader does not see a source, or cannot be computed again.
    """
    flow = flow_of(changes.model, trace, FlowTarget(changes.positions - 1, 0))
    state = _state(flow, reader).clone()
    for edge in edges:
        _check(flow, edge.key, reader)
        state[edge.key.position] += _change(flow, edge, known)
    at, layer, block = reader.position, reader.layer, changes.model.blocks
    if reader.kind is NodeKind.TARGET:
        change = changes.vector(NodeKind.RESID_FINAL, layer)
        change.put[at] += (state[at] - trace.resid_final[at]).to(change.put)
    elif reader.kind is NodeKind.HEAD:
        _check_remade(changes, trace, layer)
        part, (_, _, added) = trace.blocks[layer], changes.of_heads(layer)
        then, now = (
            outputs_of(changes.model, layer, part, pre, reader.index, at)
            for pre in (state, part.resid_pre)
        )
        added[at, reader.index] += (then - now).to(added)
    else:
        mlp, (_, added) = block[layer].mlp, changes.of_neurons(layer)
        now = trace.blocks[layer].mlp_state[at]
        then, now = (mlp.outputs_behind_norm(each)[reader.index] for each in (state[at], now))
        added[at, reader.index] += (then - now).to(added)


def _check_remade(changes: Changes, trace: Trace, layer: int) -> None:
    """Whether a block's heads can be computed again."""
    if not record_attention(changes.model, trace, [layer])[layer].exact:
        raise RequestError(
            f"What the heads of block {layer} would do with another input cannot be computed: "
            "their queries and keys could not be made again. Change the whole head instead."
        )


def _state(flow: Flow, reader: NodeKey) -> Float[Tensor, "pos d_model"]:
    """The stream that a node reads."""
    if reader.kind is NodeKind.TARGET:
        return flow.trace.resid_final
    part = flow.trace.blocks[reader.layer]
    return part.resid_pre if reader.kind is NodeKind.HEAD else part.mlp_state


def _check(flow: Flow, source: NodeKey, reader: NodeKey) -> None:
    wrote, saw = circuit.written(flow, source), circuit.reads(flow, reader)
    if wrote is None:
        raise RequestError(
            f"{source} is no end of an edge: those go from embeddings, heads, neurons and biases "
            "of outputs. What a head reads from a state is cut by head:3:7:1@4=0."
        )
    late = reader.kind is NodeKind.HEAD and source.position < reader.position
    if saw is None or wrote >= saw or not (late or source.position == reader.position):
        raise RequestError(f"{reader} does not read {source}: there is no edge to change.")


def _change(
    flow: Flow, edge: Place, known: Callable[[Instead], Baseline]
) -> Float[Tensor, " d_model"]:
    """How the stream that the reader sees differs when the source is changed for it alone."""
    key, how = edge.key, edge.how
    own = component_vectors(flow, [key])[0]
    if isinstance(how, Instead):
        values = known(how)
        values.row(values.embed, key.position)  # refused where the donor is shorter
        change = component_vectors(standing_in(flow, values), [key])[0] - own
    else:
        change = (edge.factor - 1) * own
    first, last = circuit.first_step(flow, key), 2 * (circuit.reads(flow, edge.reader or key) or 0)
    return circuit.sent_on(flow, change, key.position, first, last)
