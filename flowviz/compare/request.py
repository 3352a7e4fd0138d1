"""What a person asks two passes for, as one frozen value: the way in for links and commands.

The text form is that of the first request, and of the second only what differs, behind `b_`:

    prompt=The nurse said that&b_prompt=The plumber said that&contrast=…       two prompts
    prompt=…&b_model=checkpoint-2                                              two checkpoints
    prompt=…&b_interventions=head:3:7:1=0                                      before and after

An empty `b_contrast`, `b_position`, `b_interventions` or `b_donor` says that the second has none;
an empty `b_prompt`, `b_model` or `b_token`, that it is the first's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flowviz.errors import RequestError
from flowviz.request import ExplainRequest, GraphSettings

PREFIX = "b_"
OF_A_SIDE = ("prompt", "model", "token", "contrast", "position", "interventions", "donor")
SAME_WHERE_EMPTY = ("prompt", "model", "token")
SETTINGS = frozenset(item.name for item in fields(GraphSettings))
WAY_OUT = (
    "Give a second prompt (b_prompt), a second model (b_model), or what is changed in the second "
    "pass (b_interventions)."
)


@dataclass(frozen=True)
class CompareRequest:
    """Two requests. `from_mapping` is the way in for anything that was not made by us.

    A second request without a token explains the first's: where neither says one, both explain
    the first's top prediction. Both share one value of graph settings.

    Raises:
        RequestError: the two are to be drawn with different settings.
    """

    first: ExplainRequest
    second: ExplainRequest

    def __post_init__(self) -> None:
        if self.first.settings != self.second.settings:
            raise RequestError(
                "The two are to be drawn with different settings. One graph shows both: give both "
                "the same wiring, budget, coverage and so on."
            )
        target = self.second.target
        if target.token is None and self.first.target.token is not None:
            same = replace(target, token=self.first.target.token)
            object.__setattr__(self, "second", replace(self.second, target=same))

    @property
    def model(self) -> str:
        """The first's model."""
        return self.first.model

    @property
    def models(self) -> tuple[str, ...]:
        """The models that are asked: one, or two."""
        return tuple(dict.fromkeys((self.first.model, self.second.model)))

    def swapped(self, token: int | None = None) -> CompareRequest:
        """The same two the other way round.

        Args:
            token: the id of what was explained, where the request left that to the model: else
                the top prediction of the other side would be explained, another number.
        """
        return CompareRequest(explaining(self.second, token), explaining(self.first, token))

    def to_mapping(self) -> dict[str, str]:
        """Flat text form; of the second what differs, and its prompt where nothing does."""
        flat, other = self.first.to_mapping(), self.second.to_mapping()
        differs = {
            PREFIX + name: other.get(name, "")
            for name in OF_A_SIDE
            if flat.get(name, "") != other.get(name, "")
        }
        return flat | (differs or {PREFIX + "prompt": other["prompt"]})

    def to_query(self) -> str:
        """The query of a link, without the question mark."""
        return urlencode(self.to_mapping())

    @staticmethod
    def fields() -> frozenset[str]:
        """The names of all choices beside the first's model and prompt."""
        return ExplainRequest.fields() | {PREFIX + name for name in OF_A_SIDE}

    @classmethod
    def from_query(cls, query: str) -> CompareRequest:
        """Reads a link's query; unknown keys are left to others."""
        return cls.from_mapping(dict(parse_qsl(query.lstrip("?"), keep_blank_values=True)))

    @classmethod
    def from_mapping(cls, flat: Mapping[str, Any]) -> CompareRequest:
        """Reads and checks text from outside. Raises RequestError on the first fault."""
        for name in sorted(SETTINGS):
            if not _is_empty(flat.get(PREFIX + name)):
                raise RequestError(
                    f"{PREFIX}{name} is given, but both sides are drawn in one graph. "
                    f"Give {name} for both."
                )
        given = {name: flat[PREFIX + name] for name in OF_A_SIDE if PREFIX + name in flat}
        said = {
            name: value
            for name, value in given.items()
            if not _is_empty(value)
            or (name not in SAME_WHERE_EMPTY and not _is_empty(flat.get(name)))
        }
        if not said:
            raise RequestError(f"There is nothing to compare with. {WAY_OUT}")
        first = ExplainRequest.from_mapping(flat)
        try:
            second = ExplainRequest.from_mapping({**flat, **said})
        except RequestError as error:
            raise RequestError(f"Of the second: {error}") from None
        return cls(first, second)


def explaining(request: ExplainRequest, token: int | None) -> ExplainRequest:
    """The request with the token of that id, where it says none of its own."""
    target = request.target
    if target.token is not None or token is None:
        return request
    return replace(request, target=replace(target, token=f"#{token}"))


def _is_empty(value: object) -> bool:
    return value is None or value == "" or value == () or value == []
