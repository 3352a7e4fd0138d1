"""Click to inspector payload: how long the server takes to answer, for each kind of node."""

from __future__ import annotations

from functools import partial

from benchmarks.subject import gpt2_small, milliseconds, prompt_of, side_by_side
from flowviz.explanation import Explanation, explain_request
from flowviz.graph.types import NodeKey, NodeKind
from flowviz.request import ExplainRequest, GraphSettings, Wiring


def run(rounds: int) -> None:
    """Prints milliseconds a click, by kind of node."""
    model = gpt2_small()
    print("\nClick -> inspector payload, GPT-2 small's shape (ms)")
    for tokens in (10, 64):
        for wiring in Wiring:
            request = ExplainRequest(
                prompt_of(model, tokens), settings=GraphSettings(wiring=wiring)
            )
            _line(explain_request(model, request), _keys(tokens, wiring), rounds)


def _line(explanation: Explanation, keys: list[NodeKey], rounds: int) -> None:
    times = side_by_side(rounds, *(partial(explanation.inspect, key) for key in keys))
    parts = (f"{key.kind} {milliseconds(t):.0f}" for key, t in zip(keys, times, strict=True))
    settings = explanation.request.settings
    print(f"{len(explanation.graph.tokens):>6}  {settings.wiring:8}" + ", ".join(parts))


def _keys(tokens: int, wiring: Wiring) -> list[NodeKey]:
    at = tokens - 1
    keys = [
        NodeKey(NodeKind.EMBED, 0, at),
        NodeKey(NodeKind.HEAD, 6, at, 3),
        NodeKey(NodeKind.NEURON, 6, at, 1000),
        NodeKey(NodeKind.TARGET, 12, at),
    ]
    state = NodeKey(NodeKind.RESID_MID, 6, at)
    return [state, *keys] if wiring is Wiring.STREAM else keys
