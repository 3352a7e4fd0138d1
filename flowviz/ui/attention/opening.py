"""What the page shows first: what its link asks for, or the first example."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from flowviz.attention.request import AttentionRequest
from flowviz.attention.types import Part, Weighting
from flowviz.errors import FlowvizError
from flowviz.request import TargetSpec
from flowviz.ui.ask_panel import Asked
from flowviz.ui.attention.examples import first_of
from flowviz.ui.notice import notice
from flowviz.ui.opening import check_model, kept_prompt
from flowviz.ui.server import Example
from flowviz.views.attention.look import Look


@dataclass(frozen=True)
class Opening:
    """The first state of the page.

    Args:
        second, mask, part, average: as an `AttentionRequest` has them.
        run: whether to run it at once.
        fault: what is wrong with the link, as a notice.
    """

    prompt: str
    model: str
    target: TargetSpec = field(default_factory=TargetSpec)
    weighting: Weighting = Weighting.PATTERN
    second: str = ""
    mask: tuple[int, ...] = ()
    part: Part | None = None
    average: str = ""
    look: Look = field(default_factory=Look)
    run: bool = True
    fault: dict[str, str] | None = None

    @property
    def asked(self) -> Asked:
        """What stands in the panel above the picture."""
        return Asked(self.prompt, self.model, self.target)


def open_page(
    query: Mapping[str, object], examples: Sequence[Example], models: Sequence[str]
) -> Opening:
    """Reads a link's query; whatever is wrong with it becomes a notice, never an exception.

    Args:
        query: what stands in the link.
        examples: the example prompts; the first is shown where the link has no prompt.
        models: the names of the models that are offered, the default first.
    """
    try:
        check_model(query, models)
        whole = _completed(query, examples, models)
        return _opened(whole, Look.from_mapping(whole))
    except FlowvizError as error:
        fault = {**notice(error), "title": "This link cannot be drawn"}
        return Opening(kept_prompt(query), models[0], run=False, fault=fault)


def _completed(
    query: Mapping[str, object], examples: Sequence[Example], models: Sequence[str]
) -> dict[str, object]:
    """The query with a model, and with its first example where it has no prompt."""
    whole = {"model": models[0], **query}
    return whole if "prompt" in query else {**first_of(examples, models, whole["model"]), **whole}


def _opened(flat: Mapping[str, object], look: Look) -> Opening:
    if "prompt" not in flat:
        return Opening("", str(flat["model"]), look=look, run=False)
    asked = AttentionRequest.from_mapping(flat)
    return Opening(
        asked.prompt,
        asked.model,
        asked.target,
        asked.weighting,
        asked.second,
        asked.mask,
        asked.part,
        asked.average,
        replace(look, over=asked.average or look.over),
    )
