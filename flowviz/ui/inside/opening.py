"""What the page shows first: what its link asks for, or a block of the first example."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from flowviz.errors import FlowvizError, RequestError
from flowviz.inside.request import InsideRequest, InsideSettings
from flowviz.inside.types import PartKey
from flowviz.request import TargetSpec
from flowviz.ui.ask_panel import Asked
from flowviz.ui.examples import DEMO
from flowviz.ui.notice import notice
from flowviz.ui.opening import check_model, kept_prompt
from flowviz.ui.server import Example
from flowviz.views.inside.looks import Look


@dataclass(frozen=True)
class Opening:
    """The first state of the page.

    Args:
        run: whether to run it at once.
        part: the part that the link selects.
        fault: what is wrong with the link, as a notice.
    """

    prompt: str
    model: str
    target: TargetSpec = field(default_factory=TargetSpec)
    layers: tuple[int, int] = (0, 0)
    at: int | None = None
    settings: InsideSettings = field(default_factory=InsideSettings)
    look: Look = field(default_factory=Look)
    run: bool = True
    part: str | None = None
    fault: dict[str, str] | None = None

    @property
    def asked(self) -> Asked:
        """What stands in the panel above the graph."""
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
        return _opened(_completed(query, examples, models[0]), query)
    except FlowvizError as error:
        fault = {**notice(error), "title": "This link cannot be drawn"}
        return Opening(kept_prompt(query), models[0], run=False, fault=fault)


def _completed(
    query: Mapping[str, object], examples: Sequence[Example], model: str
) -> dict[str, object]:
    """The query with a model, and with the first example where it has no prompt."""
    whole = {"model": model, **query}
    if "prompt" in query or not examples or whole["model"] != model:
        return whole
    first = examples[0]
    target = {"token": first.target, "contrast": first.contrast} if model == DEMO else {}
    return {**whole, "prompt": first.prompt, **target}


def _opened(flat: Mapping[str, object], query: Mapping[str, object]) -> Opening:
    look, part = Look.from_mapping(query), _part(query.get("node"))
    if "prompt" not in flat:
        return Opening("", str(flat["model"]), look=look, run=False)
    asked = InsideRequest.from_mapping(flat)
    return Opening(
        asked.prompt,
        asked.model,
        asked.target,
        asked.layers,
        asked.at,
        asked.settings,
        look,
        part=part,
    )


def _part(text: object) -> str | None:
    if text is None or text == "":
        return None
    if not isinstance(text, str):
        raise RequestError("The link names more than one part. Keep one.")
    return str(PartKey.parse(text))
