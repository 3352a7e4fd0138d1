"""The score of a head at a pair of positions, split exactly into what wrote the query and the key.

With norms frozen, query and key are sums of parts (`flowviz/attention/ends.py`), and the product

    scale * q_i · k_j = Σ_a Σ_b scale * q_a · k_b        a: parts at i        b: parts at j

so that a part of the query has the share Σ_b, over all that the key holds, and one of the key Σ_a.
Shares of all components, thousands of neurons among them, come from the stream backwards; the pairs
of the strongest from their parts forwards. The two ways must meet: `WhyThere.error` is what they
differ by on this run. A soft cap and a bias by position are no products and stand beside.

Sources: the QK circuit and its split by the paths into either end, Elhage et al. 2021; the same
with trained dictionaries in place of components, Wynroe and Sharkey 2024, Kamath et al. 2025.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from flowviz.attention.ends import End
from flowviz.attention.head import Head, check_gpt, head_of
from flowviz.attention.queries_keys import AttentionTrace
from flowviz.attention.why_request import Rank, WhyRequest, check_order
from flowviz.attention.why_types import Inside, KindSum, ScorePart, WhyThere
from flowviz.checks import TOLERANCE
from flowviz.errors import RequestError
from flowviz.graph.select import COMPONENTS
from flowviz.graph.types import NodeKey, NodeKind
from flowviz.models.loaded import LoadedModel
from flowviz.trace import Trace
from flowviz.values import NodeValues

KINDS = tuple(kind for kind in NodeKind if kind in COMPONENTS)
Vector = Float[Tensor, " d_head"]


@dataclass(frozen=True, eq=False)
class EndShares:
    """What every part of one end gives to the score.

    Args:
        end: the query, or the key.
        shares: of each component at the position of the end, which is held as position 0.
        beyond: the same less its mean over all sources.
        biases: share and beyond of those inside.
    """

    end: End
    shares: NodeValues
    beyond: NodeValues
    biases: dict[Inside, tuple[float, float]]

    @classmethod
    def of_query(cls, end: End, key: Vector, mean: Vector) -> EndShares:
        """Against a key, and the mean of all that the query sees; both times the scale."""
        shares, beyond = (
            end.shares(other).at_one(lambda values: values[end.at]) for other in (key, key - mean)
        )
        biases = {
            what: (float(part @ key), float(part @ (key - mean)))
            for what, part in end.biases.items()
        }
        return cls(end, shares, beyond, biases)

    @classmethod
    def of_key(cls, end: End, query: Vector, seen: Int[Tensor, " source"]) -> EndShares:
        """Against a query, times the scale, which sees some sources."""
        every, at = end.shares(query, seen), end.at
        shares = every.at_one(lambda values: values[at])
        beyond = every.at_one(lambda values: values[at] - values[seen].mean(0))
        products = {what: parts @ query for what, parts in end.biases_at(seen).items()}
        own = int((seen == at).nonzero())
        biases = {
            what: (float(values[own]), float(values[own] - values.mean()))
            for what, values in products.items()
        }
        return cls(end, shares, beyond, biases)

    def strongest(self, n: int, rank: Rank) -> list[NodeKey]:
        """The strongest components, either way; ties go by key."""
        sizes = (self.beyond if rank is Rank.BEYOND else self.shares).each(torch.abs)
        found = [pair for kind in KINDS for pair in sizes.strongest(kind, n)]
        ranked = sorted(found, key=lambda pair: (-pair[0], pair[1]))[:n]
        return [replace(key, position=self.end.at) for _, key in ranked]

    def named(self, keys: Sequence[NodeKey]) -> tuple[ScorePart, ...]:
        """Some components, all others, and the biases inside."""
        own = [self._part(key) for key in keys]
        others = ScorePart(
            Inside.OTHERS,
            self.shares.total(KINDS) - math.fsum(part.share for part in own),
            self.beyond.total(KINDS) - math.fsum(part.beyond for part in own),
        )
        return (*own, others, *(ScorePart(what, *both) for what, both in self.biases.items()))

    def _part(self, key: NodeKey) -> ScorePart:
        held = replace(key, position=0)
        return ScorePart(key, self.shares[held], self.beyond[held])

    def parts(self, keys: list[NodeKey]) -> Float[Tensor, "part d_head"]:
        """The vectors behind `named`, in its order."""
        biases = [part[None] for part in self.end.biases.values()]
        return torch.cat([self.end.parts(keys), *biases])

    def sums(self) -> tuple[KindSum, ...]:
        """The shares by kind and block; what has none is left out."""
        found = [each for kind in KINDS for each in self._by_layer(kind)]
        if self.biases:
            shares, beyond = zip(*self.biases.values(), strict=True)
            layer, count = self.end.head.layer, len(self.biases)
            found.append(KindSum(None, layer, sum(shares), sum(beyond), count))
        return tuple(found)

    def _by_layer(self, kind: NodeKind) -> list[KindSum]:
        shares, beyond = (
            values.of_kind(kind).double().flatten(1) for values in (self.shares, self.beyond)
        )
        rows = zip(
            shares.sum(1).tolist(), beyond.sum(1).tolist(), shares.count_nonzero(1).tolist(),
            strict=True,
        )  # fmt: skip
        return [KindSum(kind, layer, *row) for layer, row in enumerate(rows) if row[2]]


def why(
    model: LoadedModel,
    trace: Trace,
    request: WhyRequest,
    attention: AttentionTrace | None = None,
) -> WhyThere:
    """Why one head looks from one position at another.

    Args:
        attention: queries and keys of the block, where they are at hand.

    Raises:
        RequestError: there is no such head, position or pair, the head does not see so far, or its
            queries and keys cannot be read exactly.
    """
    check_gpt(model.shape.name, request.mask, request.part)
    with torch.inference_mode():
        head = head_of(model, trace, request.layer, request.head, attention)
        query = head.place("query", request.query)
        most = int(head.weights(query).argmax())
        key = most if request.key is None else head.place("key", request.key)
        _check_seen(head, query, key)
        return _split(head, query, key, request)


def _check_seen(head: Head, query: int, key: int) -> None:
    check_order(query, key)
    if not head.seen(query)[key]:
        window = head.scoring.window or 0
        raise RequestError(
            f"Head {head.head} of block {head.layer} looks back {window} positions, its own "
            f"included: from {query} it does not see {key}. Choose a key from "
            f"{query - window + 1} to {query}."
        )


def _split(head: Head, query: int, key: int, request: WhyRequest) -> WhyThere:
    asks, found = End.query(head, query), End.key(head, key, query)
    scale, seen = head.scoring.scale, head.seen(query).nonzero().flatten()
    mean = head.keys[seen].mean(0)
    one = EndShares.of_query(asks, found.whole * scale, mean * scale)
    other = EndShares.of_key(found, asks.whole * scale, seen)
    rows, columns = (each.strongest(request.n, request.rank) for each in (one, other))
    pairs = one.parts(rows).double() @ other.parts(columns).double().T * scale
    product, mean_product = (
        float(asks.whole.double() @ vector.double()) * scale for vector in (found.whole, mean)
    )
    query_parts, key_parts = one.named(rows), other.named(columns)
    return WhyThere(
        **_about(head, query, key, product),
        mean_product=mean_product,
        query_parts=query_parts,
        key_parts=key_parts,
        pairs=pairs.cpu().numpy(),
        query_sums=one.sums(),
        key_sums=other.sums(),
        error=max(
            sums_error(product, mean_product, pairs.sum(1), query_parts),
            sums_error(product, mean_product, pairs.sum(0), key_parts),
        ),
    )


def _about(head: Head, query: int, key: int, product: float) -> dict[str, Any]:
    """All that a split says beside the shares."""
    weights, seen = head.weights(query), head.seen(query)
    terms = head.terms(product, key)
    return {
        "model": head.model.shape,
        "tokens": head.tokens,
        "layer": head.layer,
        "head": head.head,
        "query": query,
        "key": key,
        "scale": head.scoring.scale,
        "product": product,
        "terms": terms,
        "score": sum(value for _, value in terms),
        "weight": float(weights[key]),
        "rank": int((weights[seen] > weights[key]).sum()) + 1,
        "seen": int(seen.sum()),
        "window": head.scoring.window,
        "sink": head.sink(query),
        "tolerance": TOLERANCE[head.model.dtype],
        "pattern_error": head.attention.pattern_error,
        "pattern": weights.float().cpu().numpy(),
    }


def sums_error(product: float, mean: float, sums: Tensor, parts: tuple[ScorePart, ...]) -> float:
    """How far the pairs' sums, the shares and the product are apart at most."""
    away = [found - part.share for found, part in zip(sums.tolist(), parts, strict=True)]
    away.append(math.fsum(part.share for part in parts) - product)
    away.append(math.fsum(part.beyond for part in parts) - (product - mean))
    return max(map(abs, away)) / max(1.0, abs(product))
