"""What the page asks, as a link has it: which view, and the request that it needs.

A store of the page holds one flat mapping: the fields of the request, `view`, and for distances
over a set `over`, `set` and `group`. Everything that comes from the browser is checked here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flowviz.attention.decay_request import DecayRequest
from flowviz.attention.neuron_types import Decay, NeuronView
from flowviz.attention.why_request import NeuronRequest, WhyRequest
from flowviz.attention.why_types import WhyThere
from flowviz.checked import choice, plain
from flowviz.errors import FlowvizError
from flowviz.session import Session
from flowviz.ui.jobs import MAX_NAME, as_plain, failed
from flowviz.views.head.look import Over, View

Request = NeuronRequest | WhyRequest | DecayRequest
SET = "phenomena"
FIELDS = ("prompt", "model", "layer", "head", "query", "key", "n", "rank", "second", "mask", "part")


@dataclass(frozen=True)
class Question:
    """A view with its request.

    Args:
        flat: both as a link has them; what has its default value is left out.
    """

    view: View
    request: Request
    flat: dict[str, str]

    @classmethod
    def read(cls, flat: Mapping[str, Any]) -> Question:
        """Reads and checks text from outside. Raises RequestError on the first fault."""
        view = choice("view", flat.get("view"), View) or View.NEURONS
        kind = WhyRequest if view is View.WHY else NeuronRequest
        request = kind.from_mapping({name: flat.get(name) for name in FIELDS})
        found = {**request.to_mapping(), "view": str(view)}
        over = choice("over", flat.get("over"), Over) or Over.PROMPT
        if view is not View.DISTANCE or over is Over.PROMPT:
            return cls(view, request, found)
        group = plain(flat.get("group") or "")
        wide = DecayRequest.from_mapping({**found, "set": SET, "group": group})
        more = {"over": str(over), **({"group": group} if group else {})}
        return cls(view, wide, found | more)

    def answer(self, session: Session) -> WhyThere | NeuronView | Decay:
        """What is kept of it. Raises NotKept where it has had to make room."""
        return session.answer(self.request)


def submitted(
    flat: Mapping[str, Any],
    visitor: str,
    session: Session,
    unless: Mapping[str, Any] | None = None,
) -> dict[str, Any] | None:
    """A question read and submitted, as a job with its `request`; what is wrong reads as a failed
    job. None comes back where it is what the job `unless` asked."""
    try:
        question = Question.read(flat)
        if unless and unless.get("request") == question.flat:
            return None
        job = session.submit(question.request, visitor[:MAX_NAME])
    except FlowvizError as error:
        return failed(str(error))
    return {**as_plain(job), "request": question.flat}
