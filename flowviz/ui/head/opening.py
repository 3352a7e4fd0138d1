"""What the page shows first: what its link asks for, or the first example."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flowviz.attention.request import MOST_PLACE, mask_text
from flowviz.attention.why_request import NeuronRequest, Rank, WhyRequest
from flowviz.checked import choice, plain, whole
from flowviz.errors import FlowvizError
from flowviz.ui.head.examples import first_link
from flowviz.ui.head.question import Question
from flowviz.ui.notice import notice
from flowviz.ui.opening import check_model, kept_prompt
from flowviz.views.head.look import Look, Over


@dataclass(frozen=True)
class Opening:
    """The first state of the page.

    Args:
        request: the head, and from where it looks.
        key: what it looks at, for *Why there*; None for the most attended.
        rank: by what the strongest components are chosen.
        over, group: what distances are read over.
        run: whether to run it at once.
        fault: what is wrong with the link, as a notice.
    """

    request: NeuronRequest
    key: int | None = None
    rank: Rank = WhyRequest.rank
    look: Look = field(default_factory=Look)
    over: Over = Over.PROMPT
    group: str = ""
    run: bool = True
    fault: dict[str, str] | None = None

    @property
    def passed(self) -> dict[str, str]:
        """What other pages ask beside the prompt and this page only passes on."""
        mask = mask_text(self.request.mask)
        return {"second": self.request.second, "mask": mask}

    @property
    def part(self) -> str | None:
        """The part of the model; None where the link does not say."""
        return None if self.request.part is None else str(self.request.part)


def open_page(query: Mapping[str, object], models: Sequence[str]) -> Opening:
    """Reads a link's query; whatever is wrong with it becomes a notice, never an exception.

    Args:
        query: what stands in the link.
        models: the names of the models that are offered, the default first.
    """
    try:
        check_model(query, models)
        return _opened(_completed(query, models))
    except FlowvizError as error:
        fault = {**notice(error), "title": "This link cannot be drawn"}
        return Opening(NeuronRequest(kept_prompt(query), models[0]), run=False, fault=fault)


def _completed(query: Mapping[str, object], models: Sequence[str]) -> dict[str, Any]:
    """The query with a model, and with the first example where it has no prompt."""
    whole = {"model": models[0], **query}
    return whole if "prompt" in query else {**first_link(models, whole["model"]), **whole}


def _opened(flat: Mapping[str, Any]) -> Opening:
    group = plain(flat.get("group") or "")
    more: dict[str, Any] = {
        "look": Look.from_mapping(flat),
        "key": whole("key", flat.get("key"), 0, MOST_PLACE),
        "rank": choice("rank", flat.get("rank"), Rank) or WhyRequest.rank,
        "over": choice("over", flat.get("over"), Over) or Over.PROMPT,
        "group": group,
    }
    if "prompt" not in flat:
        return Opening(NeuronRequest("", str(flat["model"])), **more, run=False)
    Question.read(flat)
    return Opening(NeuronRequest.from_mapping(flat), **more)
