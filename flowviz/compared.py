"""Two passes from Python: both walked, then held against each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from flowviz.compare.build import compare
from flowviz.compare.json import comparison_json
from flowviz.compare.request import CompareRequest, explaining
from flowviz.compare.types import Comparison
from flowviz.errors import RequestError
from flowviz.explanation import Explanation, scored_request
from flowviz.flow import flow_of
from flowviz.graph.scored import Scored
from flowviz.graph.types import FlowGraph
from flowviz.models.catalogue import ModelEntry
from flowviz.models.loaded import LoadedModel
from flowviz.models.loading import load_model

if TYPE_CHECKING:
    import pandas as pd

Model = LoadedModel | ModelEntry | str


@dataclass(frozen=True, eq=False)
class ComparedPasses:
    """Two passes and what they differ by: everywhere the second minus the first."""

    request: CompareRequest
    comparison: Comparison

    @property
    def graph(self) -> FlowGraph:
        """The graph of differences; its positions are columns (docs/compare.md)."""
        return self.comparison.graph

    def changes(self) -> pd.DataFrame:
        """What changed most, a node a row, with its flow on both sides."""
        import pandas as pd

        from flowviz.views.compare.tables import CHANGE_COLUMNS, change_rows

        return pd.DataFrame(change_rows(self.comparison), columns=list(CHANGE_COLUMNS))

    def edges(self) -> pd.DataFrame:
        """The drawn edges, with their flow on both sides."""
        import pandas as pd

        from flowviz.views.compare.tables import EDGE_COLUMNS, edge_rows

        return pd.DataFrame(edge_rows(self.comparison), columns=list(EDGE_COLUMNS))

    def predictions(self) -> pd.DataFrame:
        """What either side predicts, side by side."""
        import pandas as pd

        from flowviz.views.compare.tables import PREDICTION_COLUMNS, prediction_rows

        return pd.DataFrame(prediction_rows(self.comparison), columns=list(PREDICTION_COLUMNS))

    def to_json(self) -> str:
        """The comparison as versioned JSON (docs/compare-json.md)."""
        return comparison_json(self.comparison)


def compare_passes(
    prompt: str,
    b_prompt: str | None = None,
    model: Model = "demo",
    b_model: Model | None = None,
    *,
    reference: Sequence[str] = (),
    **choices: object,
) -> ComparedPasses:
    """Compares two passes: everywhere a difference is the second minus the first.

    Args:
        prompt: the first prompt.
        b_prompt: the second; None for the same.
        model: the model, loaded or what `load_model` takes.
        b_model: the second's model; None for the same.
        reference: the prompts that means are over, where an intervention puts one in.
        choices: any field of `TargetSpec` and `GraphSettings`, `interventions` and `donor`; behind
            `b_`, what is other for the second: `b_token`, `b_contrast`, `b_position`,
            `b_interventions`, `b_donor`. `target` may be said for `token`.

    Raises:
        RequestError: the prompts, a target or a setting cannot be compared as asked, or the models
            have not the same parts.
        ModelError: a model cannot be loaded.

    Example:
        >>> pair = "The nurse said that", "The plumber said that"
        >>> compare_passes(*pair, target=" she", contrast=" he").graph.target.value < 0
        True
    """
    flat = asked(prompt, b_prompt, None if b_model is None else _name(b_model), choices)
    CompareRequest.from_mapping(flat)  # refused before anything is loaded
    first = _loaded(model)
    second = first if b_model is None or b_model == model else _loaded(b_model)
    names = {"model": first.shape.name, "b_model": second.shape.name}
    if b_model is None:
        del names["b_model"]
    request = CompareRequest.from_mapping({**flat, **names})
    return compare_request(first, second, request, reference)


def asked(
    prompt: str, b_prompt: str | None, b_model: str | None, choices: dict[str, object]
) -> dict[str, object]:
    """What was given, as a mapping. Raises RequestError for a choice that is none."""
    for short, long in (("target", "token"), ("b_target", "b_token")):
        if short in choices:
            choices[long] = choices.pop(short)
    unknown = sorted(set(choices) - CompareRequest.fields())
    if unknown:
        known = ", ".join(sorted(CompareRequest.fields()))
        raise RequestError(f"compare_passes takes no {unknown[0]!r}; it takes {known}.")
    others = {"b_prompt": b_prompt, "b_model": b_model}
    given = {name: value for name, value in others.items() if value is not None}
    return {**choices, "prompt": prompt, **given}


def _loaded(model: Model) -> LoadedModel:
    return model if isinstance(model, LoadedModel) else load_model(model)


def _name(model: Model) -> str:
    if isinstance(model, LoadedModel):
        return model.shape.name
    return model if isinstance(model, str) else model.name


def compare_request(
    first: LoadedModel,
    second: LoadedModel,
    request: CompareRequest,
    reference: Sequence[str] = (),
) -> ComparedPasses:
    """Walks the whole path for one request on loaded models."""
    one = scored_request(first, request.first, reference)
    token = one.flow.target.token
    wanted = explaining(request.second, token)
    if first is second and wanted == explaining(request.first, token):
        return ComparedPasses(request, compare(one, one, request))
    other = scored_request(second, wanted, reference)
    return ComparedPasses(request, compare(one, other, request))


def compare_explained(first: Explanation, second: Explanation) -> ComparedPasses:
    """Two passes that are explained already, drawn with the first's settings.

    A second that left its token to the model explains the first's number: no pass is run again.
    """
    one, other = first.scored, second.scored
    asked = replace(second.request, settings=first.request.settings)
    if asked.target.token is None:
        target, same = one.flow.target, asked.target.contrast is None
        contrast = target.contrast if same else other.flow.target.contrast
        wanted = replace(other.flow.target, token=target.token, contrast=contrast)
        if wanted != other.flow.target:
            other = Scored(flow_of(other.flow.model, other.flow.trace, wanted))
        spec = replace(
            asked.target,
            token=f"#{wanted.token}",
            contrast=None if contrast is None else f"#{contrast}",
        )
        asked = replace(asked, target=spec)
    request = CompareRequest(first.request, asked)
    return ComparedPasses(request, compare(one, other, request))
