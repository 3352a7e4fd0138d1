"""Addresses that lead from what an analysis found to the flow of a prompt."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from flowviz.analyses.types import ActiveNeuron, HeadMatch, NeuronMatch, PromptOutcome
from flowviz.graph.types import NodeKey, NodeKind

LONGEST = 3900  # characters of an address; gunicorn refuses a request line of more than 4,094


@dataclass(frozen=True)
class Place:
    """Where in a prompt something is opened that was found without one."""

    prompt: str
    position: int


def outcome_link(model: str, outcome: PromptOutcome) -> str | None:
    """The flow of one prompt's target, against what the model said where that is another token."""
    target = _token(outcome.target, outcome.target_id)
    more = {"token": target} if target else {}
    prediction = _token(outcome.prediction, outcome.prediction_id)
    if outcome.right is False and target and prediction:
        more["contrast"] = prediction
    return _address(model, outcome.prompt.text, more)


def neuron_link(model: str, neuron: ActiveNeuron) -> str | None:
    """The neuron in the flow of the prompt that stands as its example."""
    key = NodeKey(NodeKind.NEURON, neuron.layer, neuron.position, neuron.index)
    return _address(model, neuron.example, {"node": str(key)})


def match_link(model: str, match: NeuronMatch | HeadMatch, place: Place | None) -> str | None:
    """The neuron or head in the flow of a prompt that somebody gave."""
    if place is None:
        return None
    kind = NodeKind.NEURON if isinstance(match, NeuronMatch) else NodeKind.HEAD
    key = NodeKey(kind, match.layer, place.position, match.index)
    return _address(model, place.prompt, {"node": str(key)})


def _token(text: str, token_id: int) -> str:
    """A token as a link names it: its text, or its id where the text may not be its own."""
    own = text and "�" not in text and not text.startswith("#") and "\0" not in text
    return text if own or token_id < 0 else f"#{token_id}"


def _address(model: str, prompt: str, more: dict[str, str]) -> str | None:
    if not prompt:
        return None
    address = "/?" + urlencode({"model": model, "prompt": prompt, **more})
    return address if len(address) <= LONGEST else None
