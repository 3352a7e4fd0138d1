"""Prompt to graph JSON, as a ratio to the floor.

The floor is what nobody can do without: one forward and one backward pass of the same model on
the same prompt (to the embeddings; no weight's gradient), and one product of the drawn nodes'
vectors with the unembedding.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

from benchmarks.subject import gpt2_small, milliseconds, prompt_of, ratio, side_by_side
from flowviz.explanation import explain_request
from flowviz.flow import FlowTarget, flow_of
from flowviz.graph.build import build_graph
from flowviz.graph.scored import Scored
from flowviz.models.loaded import LoadedModel
from flowviz.request import ExplainRequest, GraphSettings, Wiring
from flowviz.trace import record

LENGTHS = (10, 64, 256, 1024)
FEW = 64  # tokens; from here on a round takes seconds, and fewer of them tell enough
MOST_LONG_ROUNDS = 2


def run(rounds: int) -> None:
    """Prints the ratio for both wirings, then where the time goes."""
    model = gpt2_small()
    print("Prompt -> graph JSON, GPT-2 small's shape, all layers and positions")
    print(f"{'tokens':>6}  {'wiring':8}{'floor ms':>10}{'graph ms':>10}{'ratio':>8}")
    for tokens in LENGTHS:
        for wiring in Wiring:
            _line(model, tokens, wiring, _rounds(tokens, rounds))
    print("\nWhere it goes (ms)")
    for tokens in LENGTHS:
        _stages(model, tokens, _rounds(tokens, rounds))


def _rounds(tokens: int, rounds: int) -> int:
    return rounds if tokens <= FEW else min(rounds, MOST_LONG_ROUNDS)


def _line(model: LoadedModel, tokens: int, wiring: Wiring, rounds: int) -> None:
    request = ExplainRequest(prompt_of(model, tokens), settings=GraphSettings(wiring=wiring))
    drawn = len(explain_request(model, request).graph.nodes)
    whole = side_by_side(
        rounds, floor(model, tokens, drawn), lambda: explain_request(model, request).to_json()
    )
    times = [milliseconds(part) for part in whole]
    share = ratio(whole[1], whole[0])
    print(f"{tokens:>6}  {wiring:8}{times[0]:>10.0f}{times[1]:>10.0f}{share:>8.2f}")


def floor(model: LoadedModel, tokens: int, drawn: int) -> Callable[[], object]:
    """One forward, one backward, one product."""
    ids = torch.tensor([model.vocabulary.encode(prompt_of(model, tokens), model.context)])
    hugging_face = model.bridge.original_model
    vectors = torch.randn(drawn, model.shape.d_model)

    def work() -> object:
        start = hugging_face.get_input_embeddings()(ids).detach().requires_grad_()
        logits = hugging_face(inputs_embeds=start).logits[0, -1]
        logits[logits.argmax()].backward()
        return vectors @ model.W_U

    return work


def _stages(model: LoadedModel, tokens: int, rounds: int) -> None:
    ids = model.vocabulary.encode(prompt_of(model, tokens), model.context)
    trace = record(model, ids)
    target = FlowTarget(len(ids) - 1, 0)
    flow = flow_of(model, trace, target)

    def fresh() -> Scored:
        return Scored(type(flow)(model, trace, target, flow.direction, flow.blocks))

    ready = fresh()
    build_graph(ready, GraphSettings())
    works: dict[str, Callable[[], object]] = {
        "record": lambda: record(model, ids),
        "flow": lambda: flow_of(model, trace, target),
        "laws": lambda: fresh().errors,
        "influence": lambda: fresh().influence,
        "direct": lambda: fresh().direct,
        "prune, edges, lens": lambda: build_graph(ready, GraphSettings()),
    }
    times = side_by_side(rounds, *works.values())
    parts = (f"{name} {milliseconds(t):.0f}" for name, t in zip(works, times, strict=True))
    print(f"{tokens:>6}  " + ", ".join(parts))
