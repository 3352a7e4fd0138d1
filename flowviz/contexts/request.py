"""What a person asks about contexts, as a frozen value: the way in for links and commands."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flowviz.attention.request import mask_text, read_mask, read_second
from flowviz.checked import check_prompt, choice, model_name, plain, shown, whole
from flowviz.contexts.kinds import Feature, Metric, Role, Site, SiteKind
from flowviz.errors import RequestError

MOST_HITS = 500
MOST_HEADS = 256
MOST_FILTERS = 20
MOST_VALUE = 100
MOST_PLACE = 10**6
TRUE = ("1", "true", "yes", "on")


@dataclass(frozen=True, order=True)
class Filter:
    """Only hits whose word in a role has a value, as in `matched.upos=VERB`.

    With `unlike` only those that do not, as in `matched.upos!=VERB`. Filters on the matched and on
    the next word are applied before the search; those on the most attended one, and on its offset,
    to what was found.
    """

    role: Role
    feature: Feature
    value: str
    unlike: bool = False

    def __str__(self) -> str:
        sign = "!=" if self.unlike else "="
        return f"{self.role.value}.{self.feature.value}{sign}{self.value}"

    @classmethod
    def parse(cls, text: str) -> Filter:
        """Reads the text form. Raises RequestError."""
        found = re.fullmatch(r"([a-z]{1,10})\.([a-z]{1,10})(!?=)(.{1,100})", text, re.DOTALL)
        if not found:
            raise RequestError(
                f"A filter is {shown(text)}; it reads role.feature=value, as in matched.upos=VERB."
            )
        role, feature = choice("role", found[1], Role), choice("feature", found[2], Feature)
        assert role is not None
        assert feature is not None
        if feature is Feature.OFFSET and role is not Role.ATTENDED:
            raise RequestError(f"The filter {shown(text)} is none: only attended.offset is one.")
        return cls(role, feature, found[4], found[3] == "!=")


@dataclass(frozen=True)
class ContextRequest:
    """The most similar contexts of one token. `from_mapping` is the way in from outside.

    Args:
        corpus: the name of one that the server offers.
        position: the token that is asked about; None for the last that stands for text.
        second, mask: as in `AttentionRequest`, for encoders.
        site: which vector of it; None for the residual stream before the model's middle block.
        chosen: with the heads' site which heads (none: all of the layer), with neurons which one.
        metric: how vectors are compared; heads are each brought to length 1 first with COSINE, so
            that the score is the mean of their cosines.
        count: how many hits at most.
        part: only this part of the corpus; empty for all.
        filters: all must hold.
        least: only hits with at least this score.
        other_word: only other words than the one that is asked about, upper and lower case alike.
        one_each: only the best hit of each sentence.
        first: whether the first token of a sentence counts as attended, of a model that puts none
            of its own around it (GPT-2): heads rest there when they look for nothing, an attention
            sink (Xiao et al. 2023).
        heads: whose attention marks the most attended token, (layer, head); none for the heads of
            the site where it is theirs, else all heads of the site's layer.
    """

    prompt: str
    model: str = "demo"
    corpus: str = "demo"
    position: int | None = None
    second: str = ""
    mask: tuple[int, ...] = ()
    site: Site | None = None
    chosen: tuple[int, ...] = ()
    metric: Metric = Metric.COSINE
    count: int = 50
    part: str = ""
    filters: tuple[Filter, ...] = field(default=())
    least: float | None = None
    other_word: bool = False
    one_each: bool = True
    first: bool = False
    heads: tuple[tuple[int, int], ...] = ()

    def to_mapping(self) -> dict[str, str]:
        """Flat text form; what has its default value is left out, save model and prompt."""
        flat = {"model": self.model, "prompt": self.prompt}
        more: dict[str, object] = {
            "corpus": "" if self.corpus == "demo" else self.corpus,
            "position": self.position,
            "second": self.second,
            "mask": mask_text(self.mask),
            "site": self.site,
            "chosen": ",".join(map(str, self.chosen)),
            "metric": "" if self.metric is Metric.COSINE else self.metric,
            "count": "" if self.count == 50 else self.count,
            "part": self.part,
            "filters": "\n".join(map(str, self.filters)),
            "least": self.least,
            "other_word": "1" if self.other_word else "",
            "one_each": "" if self.one_each else "0",
            "first": "1" if self.first else "",
            "heads": ",".join(f"{layer}.{head}" for layer, head in self.heads),
        }
        return flat | {name: str(value) for name, value in more.items() if value not in ("", None)}

    def to_query(self) -> str:
        """The query of a link, without the question mark."""
        return urlencode(self.to_mapping())

    @classmethod
    def from_query(cls, query: str) -> ContextRequest:
        """Reads a link's query; unknown keys are left to others."""
        return cls.from_mapping(dict(parse_qsl(query.lstrip("?"), keep_blank_values=True)))

    @classmethod
    def from_mapping(cls, flat: Mapping[str, Any]) -> ContextRequest:
        """Reads and checks text from outside. Raises RequestError on the first fault."""
        site = Site.parse(flat["site"]) if flat.get("site") else None
        return cls(
            prompt=check_prompt(flat.get("prompt", "")),
            model=model_name(flat.get("model") or "demo"),
            corpus=corpus_name(flat.get("corpus") or "demo"),
            position=whole("position", flat.get("position"), 0, MOST_PLACE),
            second=read_second(flat.get("second")),
            mask=read_mask(flat.get("mask")),
            site=site,
            chosen=read_chosen(flat.get("chosen"), site),
            metric=choice("metric", flat.get("metric"), Metric) or Metric.COSINE,
            count=whole("count", flat.get("count"), 1, MOST_HITS) or cls.count,
            part=short("part", flat.get("part")),
            filters=read_filters(flat.get("filters")),
            least=read_least(flat.get("least")),
            other_word=truth(flat.get("other_word"), False),
            one_each=truth(flat.get("one_each"), True),
            first=truth(flat.get("first"), False),
            heads=read_heads(flat.get("heads")),
        )


def corpus_name(value: object) -> str:
    """A corpus's name, or RequestError."""
    if not isinstance(value, str) or len(value) > MOST_VALUE or not value.isprintable():
        raise RequestError("The corpus's name is not one. Choose a corpus from the list.")
    return value


def short(name: str, value: object) -> str:
    """A short text without line ends; empty for none. Raises RequestError."""
    text = "" if value is None else plain(value)
    if len(text) > MOST_VALUE or (text and not text.isprintable()):
        raise RequestError(f"{name} is {shown(value)}; it takes at most {MOST_VALUE} characters.")
    return text


def truth(value: object, default: bool) -> bool:
    """Yes or no from a link or a switch."""
    return default if value in (None, "") else plain(value).lower() in TRUE


def read_chosen(value: object, site: Site | None) -> tuple[int, ...]:
    """Heads as `1,5` or a neuron as `17`, in order, each once. Raises RequestError."""
    numbers = _listed("chosen", value)
    kind = site.kind if site else None
    found = {whole("chosen", number, 0, MOST_PLACE) for number in numbers}
    chosen = tuple(sorted(number for number in found if number is not None))
    if chosen and kind not in (SiteKind.HEADS, SiteKind.NEURONS):
        raise RequestError("chosen is for the sites heads and neurons. Leave it out for others.")
    if kind is SiteKind.NEURONS and len(chosen) != 1:
        raise RequestError("The site neurons takes one neuron. Name it with chosen, as in 17.")
    return chosen


def read_heads(value: object) -> tuple[tuple[int, int], ...]:
    """Heads as `3.1,4.0`: layer and head. Raises RequestError."""
    found = set[tuple[int, int]]()
    for each in _listed("heads", value):
        layer, _, head = plain(each).partition(".")
        pair = whole("a layer of heads", layer, 0, MOST_PLACE), whole("heads", head, 0, MOST_PLACE)
        if pair[0] is None or pair[1] is None:
            raise RequestError(f"heads has {shown(each)}; it reads layer.head, as in 3.1,4.0.")
        found.add((pair[0], pair[1]))
    return tuple(sorted(found))


def read_filters(value: object) -> tuple[Filter, ...]:
    """Filters, one a line or a list of texts, sorted, each once. Raises RequestError."""
    lines = value.split("\n") if isinstance(value, str) else value or []
    if not isinstance(lines, list | tuple) or len(lines) > MOST_FILTERS:
        raise RequestError(f"There are too many filters; at most {MOST_FILTERS} are taken.")
    return tuple(sorted({Filter.parse(plain(line)) for line in lines if line}))


def read_least(value: object) -> float | None:
    """The smallest score that counts; None for any. Raises RequestError."""
    if value is None or value == "":
        return None
    text = plain(value)
    try:
        number = float(text) if len(text) <= 40 else math.nan
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise RequestError(f"least is {shown(value)}; it takes a score, as in 0.5.")
    return number


def _listed(name: str, value: object) -> list[object]:
    parts = value.split(",") if isinstance(value, str) else value
    if parts is None or parts == [""]:
        return []
    if not isinstance(parts, list | tuple) or len(parts) > MOST_HEADS:
        raise RequestError(f"{name} is {shown(value)}; it takes at most {MOST_HEADS} numbers.")
    return list(parts)
