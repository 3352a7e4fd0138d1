"""A flow with every score of its nodes: what graphs of any settings are built from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from flowviz.blend import blend_scores
from flowviz.checks import LawErrors, law_errors
from flowviz.flow import Flow
from flowviz.graph.before import larger
from flowviz.graph.select import ranking_by_score
from flowviz.influence import influence_of
from flowviz.interventions.types import Intervention
from flowviz.request import Score
from flowviz.scores import direct_scores, gradient_scores
from flowviz.values import NodeValues


@dataclass(frozen=True, eq=False)
class Scored:
    """A flow with all that graphs of any settings are built from, each computed once.

    Args:
        changed: where the pass was changed: by what, and the flow through the clean pass.
    """

    flow: Flow
    changed: Changed | None = None

    @cached_property
    def errors(self) -> LawErrors:
        """The laws, measured."""
        return law_errors(self.flow)

    @cached_property
    def influence(self) -> NodeValues:
        """The influence of every node."""
        return influence_of(self.flow)

    @cached_property
    def direct(self) -> NodeValues:
        """Direct logit attribution of every node."""
        return direct_scores(self.flow)

    @cached_property
    def gradient(self) -> NodeValues:
        """Attribution patching of every node; it takes a pass of its own."""
        return gradient_scores(self.flow)

    @cached_property
    def blend(self) -> NodeValues:
        """The blend of every node; it takes six passes of its own."""
        return blend_scores(self.flow)

    def by(self, score: Score) -> NodeValues:
        """What a score says of every node."""
        if score is Score.FLOW:
            return self.flow.values
        return getattr(self, score.value)

    def ranking(self, score: Score) -> NodeValues:
        """What nodes are chosen by; in a changed pass, also by what they were before."""
        own = self._ranking(score)
        return own if self.changed is None else larger(own, self.changed.clean.ranking(score))

    def _ranking(self, score: Score) -> NodeValues:
        if score is Score.FLOW:
            return self.influence
        return ranking_by_score(self.by(score), self.flow.model.shape.parallel)


@dataclass(frozen=True, eq=False)
class Changed:
    """What was changed in a pass.

    Args:
        clean: the flow of the same target through the pass without the interventions.
        donor: the prompt that values came from, where they came from one.
    """

    clean: Scored
    interventions: tuple[Intervention, ...]
    donor: str | None = None
