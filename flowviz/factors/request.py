"""What a person asks about factors, as a frozen value: the way in for links and commands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flowviz.checked import check_prompt, choice, model_name, plain, whole
from flowviz.contexts.kinds import Site
from flowviz.contexts.request import corpus_name, short
from flowviz.factors.kinds import DEFAULT, Level, Order

__all__ = ["DEFAULT", "FactorsRequest"]

PAGE = 50
"""How many factors a page of the list has."""
MOST_FACTOR = 10**7
MOST_PAGE = 10**6
MOST_PLACE = 10**6


@dataclass(frozen=True)
class FactorsRequest:
    """A look at a dictionary. `from_mapping` is the way in from outside.

    Args:
        prompt: whose factors are shown; empty for none.
        dictionary: the name of one that the server offers for the model.
        corpus: over which it was surveyed.
        site: one of the dictionary's; None for wherever a factor is most important.
        order: of the list; `text`, what is searched: a factor's number, or a part of a word or
            token of its contexts or its direction.
        level: only factors of this one.
        page: of the list, from 0.
        factor: the one that is told whole; None for none.
        sentence, position: of the corpus, the context whose activation is attributed to tokens.
    """

    model: str = "demo"
    prompt: str = ""
    dictionary: str = DEFAULT
    corpus: str = "demo"
    site: Site | None = None
    order: Order = Order.IMPORTANCE
    text: str = ""
    level: Level | None = None
    page: int = 0
    factor: int | None = None
    sentence: int | None = None
    position: int | None = None

    def to_mapping(self) -> dict[str, str]:
        """Flat text form; what has its default value is left out, save the model."""
        more: dict[str, object] = {
            "prompt": self.prompt,
            "dictionary": "" if self.dictionary == DEFAULT else self.dictionary,
            "corpus": "" if self.corpus == "demo" else self.corpus,
            "site": self.site,
            "order": "" if self.order is Order.IMPORTANCE else self.order.value,
            "text": self.text,
            "level": self.level.value if self.level else "",
            "page": self.page or "",
            "factor": self.factor,
            "sentence": self.sentence,
            "position": self.position,
        }
        return {"model": self.model} | {
            name: str(value) for name, value in more.items() if value not in ("", None)
        }

    def to_query(self) -> str:
        """The query of a link, without the question mark."""
        return urlencode(self.to_mapping())

    @classmethod
    def from_query(cls, query: str) -> FactorsRequest:
        """Reads a link's query; unknown keys are left to others."""
        return cls.from_mapping(dict(parse_qsl(query.lstrip("?"), keep_blank_values=True)))

    @classmethod
    def from_mapping(cls, flat: Mapping[str, Any]) -> FactorsRequest:
        """Reads and checks text from outside. Raises RequestError on the first fault."""
        prompt = plain(flat.get("prompt") or "")
        return cls(
            model=model_name(flat.get("model") or "demo"),
            prompt=check_prompt(prompt) if prompt else "",
            dictionary=short("dictionary", flat.get("dictionary")) or DEFAULT,
            corpus=corpus_name(flat.get("corpus") or "demo"),
            site=Site.parse(flat["site"]) if flat.get("site") else None,
            order=choice("order", flat.get("order"), Order) or Order.IMPORTANCE,
            text=short("text", flat.get("text")),
            level=choice("level", flat.get("level"), Level),
            page=whole("page", flat.get("page"), 0, MOST_PAGE) or 0,
            factor=whole("factor", flat.get("factor"), 0, MOST_FACTOR),
            sentence=whole("sentence", flat.get("sentence"), 0, MOST_PLACE),
            position=whole("position", flat.get("position"), 0, MOST_PLACE),
        )
