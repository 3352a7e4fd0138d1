"""What a person asks about attention, as frozen values: the way in for links and commands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flowviz.analyses.prompts import prompts_from
from flowviz.analyses.types import Prompt
from flowviz.attention.kinds import Part, Weighting
from flowviz.checked import check_prompt, choice, model_name, plain, shown, whole
from flowviz.errors import RequestError
from flowviz.request import ExplainRequest, TargetSpec, write

NO_MEAN = (
    "The flow is the share of one prompt's target, and has no mean over prompts. Choose pattern or "
    "norm."
)
MOST_MASKED = 100
MOST_PLACE = 10**6


@dataclass(frozen=True)
class AttentionRequest:
    """The attention of all heads on one prompt. `from_mapping` is the way in from outside.

    Which layer, heads and tokens are looked at is no part of it: one answer holds them all.

    Args:
        target: what the weighting by flow is about; the others do not depend on it.
        second: a second text: of an encoder the other sentence of a pair, of an encoder-decoder
            what the decoder has written (empty: what it writes by itself), of a GPT what follows
            the prompt, joined to it as it is. Empty for none.
        mask: positions of tokens to hide from an encoder, in order.
        part: which of a model's attentions; None for its first.
        average: a set of prompts that ships, as in `phenomena`, or a group of one, as in
            `phenomena/induction`: the mean over its prompts is asked for, in place of `prompt`.
    """

    prompt: str
    model: str = "demo"
    target: TargetSpec = field(default_factory=TargetSpec)
    weighting: Weighting = Weighting.PATTERN
    second: str = ""
    mask: tuple[int, ...] = ()
    part: Part | None = None
    average: str = ""

    def to_mapping(self) -> dict[str, str]:
        """Flat text form; what has its default value is left out, save model and prompt."""
        flat = {"model": self.model, "prompt": self.prompt}
        for item in fields(self.target):
            value = getattr(self.target, item.name)
            if value is not None:
                flat[item.name] = write(value)
        if self.weighting is not Weighting.PATTERN:
            flat["weighting"] = str(self.weighting)
        more = {"second": self.second, "mask": mask_text(self.mask), "part": self.part}
        more["average"] = self.average
        return flat | {name: str(value) for name, value in more.items() if value}

    def to_query(self) -> str:
        """The query of a link, without the question mark."""
        return urlencode(self.to_mapping())

    @staticmethod
    def fields() -> frozenset[str]:
        """The names of all choices beside model and prompt."""
        own = {"weighting", "second", "mask", "part", "average"}
        return frozenset({*own, *(item.name for item in fields(TargetSpec))})

    @classmethod
    def from_query(cls, query: str) -> AttentionRequest:
        """Reads a link's query; unknown keys are left to others."""
        return cls.from_mapping(dict(parse_qsl(query.lstrip("?"), keep_blank_values=True)))

    @classmethod
    def from_mapping(cls, flat: Mapping[str, Any]) -> AttentionRequest:
        """Reads and checks text from outside. Raises RequestError on the first fault."""
        average = read_set(flat.get("average"))
        request = cls(
            prompt=check_prompt(flat.get("prompt", "")),
            model=model_name(flat.get("model") or "demo"),
            target=TargetSpec.from_mapping(flat),
            weighting=choice("weighting", flat.get("weighting"), Weighting) or Weighting.PATTERN,
            second=read_second(flat.get("second")),
            mask=read_mask(flat.get("mask")),
            part=choice("part", flat.get("part"), Part),
            average=average,
        )
        if average and request.weighting is Weighting.FLOW:
            raise RequestError(NO_MEAN)
        return request

    def prompts(self) -> tuple[Prompt, ...]:
        """The prompts to average over, where `average` names a set."""
        name, _, group = self.average.partition("/")
        return prompts_from(name, "", group)

    @property
    def text(self) -> str:
        """What a GPT reads: both texts, one behind the other."""
        return self.prompt + self.second

    def explained(self) -> ExplainRequest:
        """The request for the flow of the same pass."""
        return ExplainRequest(check_prompt(self.text), self.model, self.target)


def read_second(value: object) -> str:
    """A second text, which may be empty. Raises RequestError as for a prompt."""
    return check_prompt(value) if value else ""


def read_set(value: object) -> str:
    """A set of prompts that ships, as `average` names it; empty for none. Raises RequestError."""
    text = plain(value) if value else ""
    name, _, group = text.partition("/")
    if text:
        prompts_from(name, "", group)
    return text


def mask_text(mask: tuple[int, ...]) -> str:
    """Positions as `read_mask` reads them."""
    return ",".join(map(str, mask))


def read_mask(value: object) -> tuple[int, ...]:
    """Positions as `3,5` or as a list of numbers, sorted, each once. Raises RequestError."""
    places = value.split(",") if isinstance(value, str) else value
    if places is None or places == [""]:
        return ()
    if not isinstance(places, list | tuple) or len(places) > MOST_MASKED:
        raise RequestError(
            f"mask is {shown(value)}; it takes at most {MOST_MASKED} positions, as in 3,5."
        )
    found = {whole("mask", place, 0, MOST_PLACE) for place in places}
    return tuple(sorted(place for place in found if place is not None))


@dataclass(frozen=True)
class HeadsRequest:
    """What the finder says of all heads over a set of prompts.

    Args:
        set: the name of a set that ships, or empty where `text` holds the prompts.
        text: prompts, one a line (`analyses/prompts.py` says how); empty where a set is named.
        group: only the set's prompts of this group; empty for all.
        part: which of a model's attentions; None for its first.
    """

    model: str = "demo"
    set: str = "phenomena"
    text: str = ""
    group: str = ""
    part: Part | None = None

    def prompts(self) -> tuple[Prompt, ...]:
        """The prompts that it is about. Raises RequestError where there are none."""
        return prompts_from(self.set, self.text, self.group)

    def to_mapping(self) -> dict[str, str]:
        """Flat text form; what is empty is left out."""
        every = {item.name: getattr(self, item.name) for item in fields(self)}
        return {name: str(value) for name, value in every.items() if value not in ("", None)}

    @classmethod
    def from_mapping(cls, flat: Mapping[str, Any]) -> HeadsRequest:
        """Reads and checks text from outside. Raises RequestError on the first fault."""
        text = flat.get("text") or ""
        if not isinstance(text, str):
            raise RequestError("The prompts are no text. Give one prompt a line.")
        request = cls(
            model=model_name(flat.get("model") or "demo"),
            set=plain(flat.get("set") or ("" if text else cls.set)),
            text=text,
            group=plain(flat.get("group") or ""),
            part=choice("part", flat.get("part"), Part),
        )
        request.prompts()
        return request
