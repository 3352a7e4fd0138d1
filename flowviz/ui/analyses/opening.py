"""What the page shows first: what its link asks for, or an empty form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from flowviz.analyses.prompts import MOST_CHARACTERS, shipped_sets
from flowviz.analyses.request import Analysis, AnalysisRequest
from flowviz.checked import check_prompt, choice, share, whole
from flowviz.errors import FlowvizError, RequestError
from flowviz.ui.notice import notice
from flowviz.ui.server import Example

SET, OWN = "set", "own"
MOST_K = 1000
MOST_N = 100_000


@dataclass(frozen=True)
class Opening:
    """The first state of the page.

    Args:
        request: what stands in the form.
        source: "set" or "own": where the prompts come from.
        run: whether to run it at once.
        open_in: the prompt in which what a search finds is opened.
        norm: the norm that the link looks at.
        left_out: how many characters of prompts the link left out.
        fault: what is wrong with the link, as a notice.
    """

    request: AnalysisRequest
    source: str
    run: bool
    open_in: str = ""
    norm: str | None = None
    left_out: int = 0
    fault: dict[str, str] | None = None


def open_page(
    query: Mapping[str, object], models: Sequence[str], examples: Sequence[Example]
) -> Opening:
    """Reads a link's query; whatever is wrong with it becomes a notice, never an exception.

    Args:
        query: what stands in the link.
        models: the names of the models that are offered, the default first.
        examples: the first one's prompt is that in which a search opens what it finds.
    """
    prompt = examples[0].prompt if examples else ""
    try:
        model = _model(query, models)
        return _from_link({**query, "model": model}, prompt)
    except FlowvizError as error:
        return _refused(query, models[0], prompt, error)


def _model(query: Mapping[str, object], models: Sequence[str]) -> str:
    name = query.get("model") or models[0]
    if isinstance(name, str) and name in models:
        return name
    raise RequestError(
        f"No model {str(name)[:60]!r} is offered here. Choose one of: {', '.join(models)}."
    )


def _from_link(query: Mapping[str, object], prompt: str) -> Opening:
    request = _empty(query)
    if request.analysis is Analysis.SEARCH:
        run = bool(query.get("token"))
        asked = {**query, "set": "", "text": "", "group": ""}
    else:
        run = bool(query.get("set") or query.get("text"))
        asked = {**query, "token": ""}
    if run:
        request = AnalysisRequest.from_mapping(asked)
    return Opening(
        request,
        _source(request),
        run,
        open_in=_open_in(query, request, prompt),
        norm=str(query["norm"])[:40] if query.get("norm") else None,
        left_out=0 if run else whole("left_out", query.get("left_out"), 0, 10**8) or 0,
    )


def _empty(query: Mapping[str, object]) -> AnalysisRequest:
    """The form of a link that names nothing to run: its analysis, its numbers, the first set."""
    base = AnalysisRequest(choice("analysis", query.get("analysis"), Analysis) or Analysis.OVERLAP)
    return replace(
        base,
        model=str(query["model"]),
        set=next(iter(shipped_sets()), ""),
        k=whole("k", query.get("k"), 1, MOST_K) or base.k,
        n=whole("n", query.get("n"), 1, MOST_N) or base.n,
        threshold=share("threshold", query.get("threshold"), base.threshold),
    )


def _source(request: AnalysisRequest) -> str:
    return OWN if request.text or not shipped_sets() else SET


def _open_in(query: Mapping[str, object], request: AnalysisRequest, prompt: str) -> str:
    if query.get("prompt"):
        return check_prompt(query["prompt"])
    if request.text:
        return request.prompts()[0].text
    return prompt


def _refused(query: Mapping[str, object], model: str, prompt: str, error: FlowvizError) -> Opening:
    text = query.get("text")
    kept = text if isinstance(text, str) and len(text) <= MOST_CHARACTERS else ""
    analysis = query.get("analysis") if query.get("analysis") in list(Analysis) else None
    form = _empty({"model": model, "analysis": analysis})
    request = replace(form, text=kept.replace("\0", ""))
    return Opening(
        request,
        _source(request),
        run=False,
        open_in=prompt,
        fault={**notice(error), "title": "This link cannot be run"},
    )
