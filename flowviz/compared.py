"""Two passes from Python: both walked, then held against each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flowviz.compare.build import compare
from flowviz.compare.request import CompareRequest, explaining
from flowviz.compare.types import Comparison
from flowviz.errors import RequestError
from flowviz.explanation import Explanation, explain_request
from flowviz.graph.types import FlowGraph
from flowviz.models.catalogue import ModelEntry
from flowviz.models.loaded import LoadedModel
from flowviz.models.loading import load_model

if TYPE_CHECKING:
    pass


@dataclass(frozen=True, eq=False)
class ComparedPasses:
    """Two passes and what they differ by."""

    request: CompareRequest
    comparison: Comparison

    @property
    def graph(self) -> FlowGraph:
        """The graph of differences: second minus first, its positions columns."""
        return self.comparison.graph


def compare_passes(
    prompt: str,
    b_prompt: str | None = None,
    model: LoadedModel | ModelEntry | str = "demo",
    b_model: LoadedModel | ModelEntry | str | None = None,
    **choices: object,
) -> ComparedPasses:
    """Compares two passes: everywhere a difference is the second minus the first.

    Args:
        prompt: the first prompt.
        b_prompt: the second; None for the same.
        model: the model, loaded or what `load_model` takes.
        b_model: the second's model; None for the same.
        choices: any field of `TargetSpec` and `GraphSettings`, `interventions` and `donor`; behind
            `b_`, what is other for the second: `b_token`, `b_contrast`, `b_position`,
            `b_interventions`, `b_donor`. `target` may be said for `token`.

    Raises:
        RequestError: the prompts, a target or a setting cannot be compared as asked.
        ModelError: a model cannot be loaded.

    Example:
        >>> pair = "The nurse said that", "The plumber said that"
        >>> compare_passes(*pair, token=" she", contrast=" he").graph.target.value < 0
        True
    """
    for short, long in (("target", "token"), ("b_target", "b_token")):
        if short in choices:
            choices[long] = choices.pop(short)
    unknown = sorted(set(choices) - CompareRequest.fields())
    if unknown:
        known = ", ".join(sorted(CompareRequest.fields()))
        raise RequestError(f"compare_passes takes no {unknown[0]!r}; it takes {known}.")
    flat = {**choices, "prompt": prompt}
    flat |= {"b_prompt": b_prompt} if b_prompt is not None else {}
    named = flat if b_model is None else {**flat, "b_model": _name(b_model)}
    CompareRequest.from_mapping(named)  # refused before anything is loaded
    first = _loaded(model)
    second = first if b_model is None or b_model == model else _loaded(b_model)
    names = {"model": first.shape.name, "b_model": second.shape.name}
    return compare_request(first, second, CompareRequest.from_mapping({**flat, **names}))


def _loaded(model: LoadedModel | ModelEntry | str) -> LoadedModel:
    return model if isinstance(model, LoadedModel) else load_model(model)


def _name(model: LoadedModel | ModelEntry | str) -> str:
    if isinstance(model, LoadedModel):
        return model.shape.name
    return model if isinstance(model, str) else model.name


def compare_request(
    first: LoadedModel, second: LoadedModel, request: CompareRequest
) -> ComparedPasses:
    """Walks the whole path for one request on loaded models."""
    return compare_explanations(explain_request(first, request.first), second, request)


def compare_explanations(
    first: Explanation, second: LoadedModel, request: CompareRequest
) -> ComparedPasses:
    """Holds the second pass of a request against one that is explained already."""
    asked = explaining(request.second, first.scored.flow.target.token)
    same = asked == explaining(request.first, first.scored.flow.target.token)
    if same and second is first.scored.flow.model:
        scored = first.scored
    else:
        scored = explain_request(second, asked).scored
    return ComparedPasses(request, compare(first.scored, scored, request))
