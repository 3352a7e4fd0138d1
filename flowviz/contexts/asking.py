"""A request, held against the model and the store that it is about."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flowviz.checked import shown
from flowviz.contexts.encode.types import Asked, Reader
from flowviz.contexts.kinds import ANNOTATIONS, Feature, Role, Site, SiteKind
from flowviz.contexts.request import ContextRequest, Filter
from flowviz.contexts.search.types import Wanted
from flowviz.contexts.sites import asked_site
from flowviz.contexts.store.types import Store
from flowviz.errors import RequestError


@dataclass(frozen=True, eq=False)
class Question:
    """A request whose every part is known.

    Args:
        position: of the prompt's token that is asked about; `word`, the word that it belongs to.
        heads: whose attention is shown, (layer, head).
        before: filters that a row passes or not; `after`: those on the most attended word.
    """

    request: ContextRequest
    asked: Asked
    site: Site
    position: int
    word: str
    heads: tuple[tuple[int, int], ...]
    before: tuple[Filter, ...]
    after: tuple[Filter, ...]

    @property
    def special(self) -> list[bool]:
        """For each token of the prompt whether it stands for no text."""
        column = self.asked.column
        return [place in column.special for place in range(len(column))]


def understand(reader: Reader, store: Store, request: ContextRequest) -> Question:
    """The question, checked. Raises RequestError with what there is instead."""
    if store.info.identity != reader.identity:
        raise RequestError(
            f"{store.info.name} was read by {store.info.model}, and what is asked is another model "
            f"({reader.shape.name}) or another version of it, so that their vectors cannot be "
            "compared. Choose that model, or build the store again with this one."
        )
    site = _site(reader, store, request)
    _check_chosen(reader, request, site)
    for each in request.filters:
        _check_filter(store, each)
    if request.part and request.part not in store.info.parts:
        raise RequestError(
            f"{store.info.name} has no part {shown(request.part)}; it has "
            f"{_some(store.info.parts)}. Choose one, or none for all."
        )
    asked = reader.ask(request.prompt, request.second, request.mask)
    position = _position(asked, request.position)
    after = tuple(each for each in request.filters if each.role is Role.ATTENDED)
    return Question(
        request, asked, site, position, _word(reader, request, asked, position),
        _heads(reader, request, site),
        tuple(each for each in request.filters if each not in after), after,
    )  # fmt: skip


def _site(reader: Reader, store: Store, request: ContextRequest) -> Site:
    """The site that is asked about; where nobody says, the store's nearest to the usual one."""
    site = asked_site(reader, request)
    has = store.info.sites
    if request.site is None and site not in has:
        same = sorted((each for each in has if each.kind is site.kind), key=lambda each: each.layer)
        return min([*same, *has], key=lambda each: _far(each, site), default=site)
    return site


def _far(site: Site, wanted: Site) -> tuple[bool, int]:
    return site.kind is not wanted.kind, abs(site.layer - wanted.layer)


def _check_chosen(reader: Reader, request: ContextRequest, site: Site) -> None:
    if site.kind is SiteKind.NEURONS:
        if not request.chosen:
            raise RequestError("The site neurons takes one neuron. Name it with chosen, as in 17.")
        most, what = reader.sites[site], "neurons"
    else:
        most = reader.sites[site] // reader.head_width(site.layer) if _is_heads(site) else 0
        what = "heads"
    beyond = [number for number in request.chosen if number >= most]
    if beyond:
        raise RequestError(
            f"{reader.shape.name} has {most:,} {what} at {site}, numbered from 0; there is no "
            f"number {beyond[0]:,}. Choose another."
        )


def _is_heads(site: Site) -> bool:
    return site.kind is SiteKind.HEADS


def _check_filter(store: Store, wanted: Filter) -> None:
    has = store.info.annotations
    if wanted.feature in ANNOTATIONS and wanted.feature not in has:
        says = f"only {', '.join(has)}" if has else "no annotation at all"
        raise RequestError(
            f"{store.info.name} says nothing of {wanted.feature}; it has {says}, and the words "
            f"themselves (form). Leave out the filter {wanted}."
        )


def _position(asked: Asked, position: int | None) -> int:
    """The token that is asked about: the last one that stands for text, where nobody says."""
    tokens, special = len(asked.column), set(asked.column.special)
    if position is None:
        return max((at for at in range(tokens) if at not in special), default=tokens - 1)
    if position >= tokens:
        raise RequestError(
            f"The prompt has {tokens:,} tokens, numbered from 0; there is no token {position:,}. "
            "Choose one of them."
        )
    return position


def _heads(reader: Reader, request: ContextRequest, site: Site) -> tuple[tuple[int, int], ...]:
    shape = reader.shape
    layer = shape.layers - 1 if site.kind is SiteKind.RESID_FINAL else site.layer
    own = request.chosen if _is_heads(site) and request.chosen else range(shape.heads)
    heads = request.heads or tuple((layer, head) for head in own)
    for layer, head in heads:
        if layer >= shape.layers or head >= shape.heads:
            raise RequestError(
                f"{shape.name} has {shape.layers} layers of {shape.heads} heads, both numbered "
                f"from 0; there is no head {layer}.{head}. Choose another."
            )
    return heads


def _word(reader: Reader, request: ContextRequest, asked: Asked, position: int) -> str:
    """The word that a token of the prompt belongs to: letters and digits in a row; or its text."""
    start = asked.column.second
    text, place = request.prompt, position
    if start is not None and position >= start:
        text, place = request.second, position - start
    tokens = reader.tokens(text)
    if start is not None and position >= start and tokens.special[:1] == (True,):
        place += 1  # the second text has no token in front of its own
    if not 0 <= place < len(tokens) or tokens.special[place]:
        return asked.column.tokens[position].text.strip()
    first, end = tokens.spans[place]
    around = (found for found in re.finditer(r"\w+", text) if found.start() < end)
    word = next((found[0] for found in around if found.end() > first), "")
    return word or text[first:end].strip()


def passing(store: Store, question: Question) -> NDArray[np.bool_] | None:
    """For each row whether it passes the filters; None where there is none."""
    request, mask = question.request, None
    for each in question.before:
        codes = store.codes(each.role, each.feature)
        code = codes.code(each.value)
        has = np.zeros(len(codes.codes), bool) if code is None else codes.codes == code
        mask = _and(mask, ~has if each.unlike else has)
    if request.part:
        mask = _and(mask, store.part_of == store.info.parts.index(request.part))
    if request.other_word and question.word:
        forms = store.codes(Role.MATCHED, Feature.FORM)
        same = [value.casefold() == question.word.casefold() for value in forms.values]
        mask = _and(mask, ~np.asarray(same)[forms.codes])
    return mask


def _and(mask: NDArray[np.bool_] | None, other: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return other if mask is None else mask & other


def wanted_of(
    reader: Reader,
    question: Question,
    vector: NDArray[np.float32],
    mask: NDArray[np.bool_] | None,
    count: int,
    one_each: bool,
    slack: float,
) -> Wanted:
    """What the search is asked.

    Args:
        slack: how far below the least score one may be that is computed again, relative.
    """
    request, site = question.request, question.site
    least = request.least
    parts = len(vector) // reader.head_width(site.layer) if _is_heads(site) else 1
    return Wanted(
        vector=vector,
        metric=request.metric,
        parts=parts,
        chosen=request.chosen if _is_heads(site) else (),
        neuron=request.chosen[0] if site.kind is SiteKind.NEURONS else None,
        count=count,
        mask=mask,
        one_each=one_each,
        least=None if least is None else least - slack * (1.0 + abs(least)),
    )


def _some(names: tuple[str, ...], most: int = 8) -> str:
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
