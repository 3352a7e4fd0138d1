"""Why a head of a model that reads both ways looks there: its score, split exactly.

As for GPTs (`flowviz/attention/split.py`), and with the same answer; what differs is how the parts
of a query and of a key are found (`frozen.py`): an encoder's norms may stand on the stream itself,
as in BERT, and a query sees every key. What its biases add is told in sums: those of all norms
before together, those of the sublayers block by block. In a decoder all that its cross attentions
wrote before is one part; across, the query's parts are the decoder's and the key's the encoder's.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from flowviz.attention.kinds import Part
from flowviz.attention.split import sums_error
from flowviz.attention.why_request import Rank, WhyRequest, check_order
from flowviz.attention.why_types import Inside, KindSum, ScorePart, Term, WhyThere
from flowviz.checks import TOLERANCE
from flowviz.encoders.ends import End, Parts
from flowviz.encoders.frozen import frozen_pass
from flowviz.encoders.loaded import LoadedEncoder
from flowviz.encoders.maps import check_part, columns
from flowviz.encoders.read import Text, read_text
from flowviz.encoders.record import Call
from flowviz.encoders.write import with_written
from flowviz.errors import RequestError
from flowviz.graph.types import NodeKind
from flowviz.models.kind import ModelKind
from flowviz.models.parts import exact

MISSING = 1e-3  # what the parts may leave over: rounding alone


@dataclass(frozen=True, eq=False)
class _Side:
    """One end with what each of its parts gives to the score."""

    parts: Parts
    shares: Tensor
    beyond: Tensor
    insides: dict[Inside, tuple[float, float]]

    def strongest(self, n: int, rank: Rank) -> list[int]:
        """Which parts are the strongest, either way; ties in their order."""
        sizes = (self.beyond if rank is Rank.BEYOND else self.shares).abs()
        return sizes.argsort(descending=True, stable=True)[:n].tolist()

    def named(self, rows: list[int]) -> tuple[ScorePart, ...]:
        """Some components, all others, and what is inside."""
        own = [
            ScorePart(self.parts.keys[row], float(self.shares[row]), float(self.beyond[row]))
            for row in rows
        ]
        others = ScorePart(
            Inside.OTHERS,
            float(self.shares.double().sum()) - math.fsum(part.share for part in own),
            float(self.beyond.double().sum()) - math.fsum(part.beyond for part in own),
        )
        return (*own, others, *(ScorePart(what, *both) for what, both in self.insides.items()))

    def vectors(self, rows: list[int]) -> Tensor:
        """The vectors behind `named`, in its order."""
        own = self.parts.vectors[rows].double()
        others = self.parts.vectors.double().sum(0) - own.sum(0)
        insides = [self.parts.insides[what].double() for what in self.insides]
        return torch.stack([*own, others, *insides])

    def sums(self, layer: int) -> tuple[KindSum, ...]:
        """The shares by kind and block."""
        found: dict[tuple[NodeKind, int], list[int]] = defaultdict(list)
        for row, key in enumerate(self.parts.keys):
            found[key.kind, key.layer].append(row)
        rows = [_kind_sum(kind, at, self, found[kind, at]) for kind, at in found]
        share, beyond = (math.fsum(both[one] for both in self.insides.values()) for one in (0, 1))
        rows.append(KindSum(None, layer, share, beyond, len(self.insides)))
        return tuple(row for row in rows if row.count)


def _kind_sum(kind: NodeKind, layer: int, side: _Side, rows: list[int]) -> KindSum:
    shares, beyond = side.shares[rows].double(), side.beyond[rows].double()
    return KindSum(
        kind, layer, float(shares.sum()), float(beyond.sum()), int(shares.count_nonzero())
    )


def encoder_why(model: LoadedEncoder, request: WhyRequest) -> WhyThere:
    """Why one head looks from one position at another.

    Raises:
        RequestError: there is no such head or position, or its queries and keys cannot be read
            exactly.
    """
    part = check_part(model, request.part)
    if not model.recorded:
        raise RequestError(
            f"Scores can be taken apart where queries and keys are recorded; of {model.shape.name} "
            "these cannot. Look at its attention."
        )
    _check("block", request.layer, model.shape_of(part).layers)
    _check("head", request.head, model.shape_of(part).heads)
    text = _text(model, request, part)
    with torch.inference_mode(False), torch.enable_grad():  # whoever asks may have both off
        return _asked(model, request, part, text)


def _text(model: LoadedEncoder, request: WhyRequest, part: Part) -> Text:
    """What is read; what a decoder has written is not before its encoder."""
    alone = model.kind is ModelKind.BOTH and part is Part.ENCODER
    text = read_text(model, request.prompt, "" if alone else request.second, request.mask)
    return with_written(model, text) if model.kind is ModelKind.BOTH and not alone else text


def _asked(model: LoadedEncoder, request: WhyRequest, part: Part, text: Text) -> WhyThere:
    queries, sources = columns(text, part)
    query = len(queries) - 1 if request.query is None else request.query
    _check("position", query, len(queries))
    seen = query + 1 if part is Part.DECODER else len(sources or queries)
    frozen = frozen_pass(model, text, part, request.layer)
    assert frozen.call is not None
    weights = exact(frozen.call.pattern[request.head, query, :seen].detach())
    key = int(weights.argmax()) if request.key is None else request.key
    if part is Part.DECODER:
        check_order(query, key)
    _check("position", key, seen)
    below = Part.ENCODER if part is Part.CROSS else part
    heads = model.shape_of(Part.DECODER if part is Part.CROSS else part), model.shape_of(below)
    compared = frozen.call.q[request.head], frozen.call.k[request.head]
    ends = [End(frozen, one, shape.heads, seen) for one, shape in zip(compared, heads, strict=True)]
    found = _split(model, request, frozen.call, ends, (query, key), weights)
    keys = None if sources is None else sources.tokens
    return replace(found, tokens=queries.tokens, keys=keys, part=part, model=heads[0])


def _check(name: str, value: int, count: int) -> None:
    if not 0 <= value < count:
        raise RequestError(f"There is no {name} {value}; choose one from 0 to {count - 1}.")


def _split(
    model: LoadedEncoder,
    request: WhyRequest,
    call: Call,
    ends: list[End],
    at: tuple[int, int],
    weights: Tensor,
) -> WhyThere:
    asks, found = ends
    query, key = at
    q, k = asks.whole[query], found.whole[key]
    mean = found.whole[: found.seen].mean(0)
    one = _query_side(asks.parts(query), k * call.scale, mean * call.scale)
    other = _key_side(found, found.parts(key), q * call.scale)
    for side in (one, other):
        _check_whole(model, request.layer, side.parts)
    rows, columns = (side.strongest(request.n, request.rank) for side in (one, other))
    pairs = one.vectors(rows) @ other.vectors(columns).T * call.scale
    product, mean_product = (float(q.double() @ v.double()) * call.scale for v in (k, mean))
    query_parts, key_parts = one.named(rows), other.named(columns)
    return WhyThere(
        **_about(model, request, call, at, product, weights),
        tokens=(),
        mean_product=mean_product,
        query_parts=query_parts,
        key_parts=key_parts,
        pairs=pairs.cpu().numpy(),
        query_sums=one.sums(request.layer),
        key_sums=other.sums(request.layer),
        error=max(
            sums_error(product, mean_product, pairs.sum(1), query_parts),
            sums_error(product, mean_product, pairs.sum(0), key_parts),
        ),
    )


def _query_side(parts: Parts, key: Tensor, mean: Tensor) -> _Side:
    insides = {
        what: (float(part @ key), float(part @ (key - mean)))
        for what, part in parts.insides.items()
    }
    return _Side(parts, parts.vectors @ key, parts.vectors @ (key - mean), insides)


def _key_side(end: End, parts: Parts, query: Tensor) -> _Side:
    shares, means = parts.vectors @ query, end.inside_shares(query)
    insides = {}
    for what, part in parts.insides.items():
        share = float(part @ query)
        insides[what] = (share, share - means[what])
    return _Side(parts, shares, shares - end.shares(query), insides)


def _check_whole(model: LoadedEncoder, layer: int, parts: Parts) -> None:
    if parts.missing > MISSING:
        raise RequestError(
            f"The queries and keys of block {layer} of {model.shape.name} cannot be read exactly "
            f"(what is known to be written there leaves {parts.missing:.2g} of them over), so that "
            "its scores are not taken apart. The attention itself is the model's own and "
            "can be looked at."
        )


def _about(
    model: LoadedEncoder,
    request: WhyRequest,
    call: Call,
    at: tuple[int, int],
    product: float,
    weights: Tensor,
) -> dict[str, Any]:
    """All that a split says beside the shares."""
    query, key = at
    terms, scores = _terms(call, request.head, query, key, product), _scores(call, request.head)
    patterns = exact(call.pattern[request.head].detach())
    return {
        "model": model.shape,
        "layer": request.layer,
        "head": request.head,
        "query": query,
        "key": key,
        "scale": call.scale,
        "product": product,
        "terms": terms,
        "score": math.fsum(value for _, value in terms),
        "weight": float(weights[key]),
        "rank": int((weights > weights[key]).sum()) + 1,
        "seen": len(weights),
        "window": None,
        "sink": None,
        "tolerance": TOLERANCE[model.dtype],
        "pattern_error": float((scores.softmax(-1) - patterns).abs().max()),
        "pattern": weights.float().cpu().numpy(),
    }


def _terms(
    call: Call, head: int, query: int, key: int, product: float
) -> tuple[tuple[Term, float], ...]:
    terms = [(Term.PRODUCT, product)]
    if call.cap is not None:
        terms.append((Term.CAP, call.cap * math.tanh(product / call.cap) - product))
    bias = _bias(call, head)
    if bias is not None and bool(bias.any()):
        terms.append((Term.POSITION, float(bias[query if len(bias) > 1 else 0, key])))
    return tuple(terms)


def _scores(call: Call, head: int) -> Tensor:
    scores = exact(call.q[head].detach()) @ exact(call.k[head].detach()).T * call.scale
    if call.cap is not None:
        scores = torch.tanh(scores / call.cap) * call.cap
    bias = _bias(call, head)
    return scores if bias is None else scores + bias


def _bias(call: Call, head: int) -> Tensor | None:
    """What is added to one head's scores by position, [query or 1, key]."""
    if call.bias is None:
        return None
    return exact(call.bias[head if len(call.bias) > 1 else 0].detach())
