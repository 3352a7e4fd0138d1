"""The two passes, and how their own positions and the columns belong together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from flowviz.compare.align import align
from flowviz.compare.types import Column, PredictionPair, Side
from flowviz.compare.values import difference
from flowviz.errors import RequestError
from flowviz.flow import Flow
from flowviz.graph.describe import law_checks, prediction_of, prompt_tokens, target_of
from flowviz.graph.scored import Scored
from flowviz.graph.types import ModelShape, NodeKey
from flowviz.models.loaded import LoadedModel
from flowviz.request import ExplainRequest, Score
from flowviz.values import NodeValues

PREDICTIONS = 10  # of each side


@dataclass(frozen=True, eq=False)
class Sides:
    """Two flows with their columns."""

    first: Scored
    second: Scored

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """The two prompts, aligned."""
        one, other = self.first.flow, self.second.flow
        ends = one.target.position, other.target.position
        return align(prompt_tokens(one), prompt_tokens(other), *ends)

    @cached_property
    def count(self) -> int:
        """How many columns there are up to the target's, which is the last of them."""
        at = self.first.flow.target.position
        return next(place for place, column in enumerate(self.columns) if column.first == at) + 1

    @cached_property
    def places(self) -> tuple[list[int], list[int]]:
        """For each position of the first and of the second up to the target, its column."""
        numbered = list(enumerate(self.columns[: self.count]))
        return (
            [place for place, column in numbered if column.first is not None],
            [place for place, column in numbered if column.second is not None],
        )

    @property
    def scale(self) -> float:
        """What errors of a difference are relative to."""
        return max(self.first.flow.scale, self.second.flow.scale)

    def difference(self, score: Score) -> NodeValues:
        """Second minus first of a score, by column."""
        return difference(self.first.by(score), self.second.by(score), self.places, self.count)

    def own(self, key: NodeKey) -> tuple[NodeKey | None, NodeKey | None]:
        """A column's node as each pass names it; None where a prompt has no token there."""
        column = self.columns[key.position]
        first, second = (
            None if position is None else replace(key, position=position)
            for position in (column.first, column.second)
        )
        return first, second


def side(scored: Scored, request: ExplainRequest) -> Side:
    """One pass, described."""
    flow = scored.flow
    return Side(
        model=flow.model.shape,
        prompt=request.prompt,
        tokens=prompt_tokens(flow),
        target=target_of(flow),
        checks=law_checks(scored, 0.0),
        interventions=tuple(map(str, request.interventions)),
        donor=request.donor,
    )


def prediction_pairs(first: Flow, second: Flow) -> tuple[PredictionPair, ...]:
    """What either side predicts, by token; the likeliest on any side first, ties by id."""
    ids: set[int] = set()
    for flow in (first, second):
        logits = flow.trace.logits[flow.target.position]
        most = min(PREDICTIONS, flow.model.shape.vocabulary)
        ids.update(logits.topk(most).indices.tolist())
    found = [_pair(first, second, token) for token in ids]
    return tuple(
        sorted(
            found,
            key=lambda pair: (-max(pair.first.probability, pair.second.probability), pair.id),
        )
    )


def _pair(first: Flow, second: Flow, token: int) -> PredictionPair:
    one, other = (prediction_of(flow, flow.target.position, token) for flow in (first, second))
    return PredictionPair(token, one.token, one, other)


def check_comparable(first: LoadedModel, second: LoadedModel) -> None:
    """Refuses two models whose parts do not stand for each other.

    Raises:
        RequestError: they differ in blocks, heads, neurons or tokens.
    """
    if first is second:
        return
    one, other = _sizes(first.shape), _sizes(second.shape)
    if one != other:
        raise RequestError(
            f"The two models differ in shape, so that their parts do not stand for each other: "
            f"{first.shape.name} has {_words(first.shape)}, {second.shape.name} has "
            f"{_words(second.shape)}. Choose two checkpoints of one model."
        )
    if first.vocabulary.texts != second.vocabulary.texts:
        raise RequestError(
            f"{first.shape.name} and {second.shape.name} have different tokens under the same "
            "ids, so that no token of one stands for one of the other. Choose two checkpoints "
            "with one tokenizer."
        )


def _sizes(shape: ModelShape) -> tuple[object, ...]:
    return (
        shape.architecture, shape.layers, shape.heads, shape.neurons, shape.vocabulary,
        shape.parallel, shape.expert_neurons,
    )  # fmt: skip


def _words(shape: ModelShape) -> str:
    experts = " in experts" if shape.expert_neurons else ""
    return (
        f"{shape.layers} blocks of {shape.heads} heads and {shape.neurons:,} neurons{experts}, "
        f"{shape.vocabulary:,} tokens ({shape.architecture})"
    )
