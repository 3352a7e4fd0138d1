"""What hits have in common: how often each value stands among them, and how often it would anyway.

For each role and feature the values of the hits are counted, and held against a base rate
(`base.py`). A value is called over- or under-represented where its count is further in a tail than
chance alone would bring it, tested exactly:

- Where the base is all rows that were searched, n hits of which the feature is known, drawn from N
  rows of which K have the value, have k of it with the hypergeometric probability.
- Where the base is a sample, hits and sample together are the N and K: Fisher's exact test, which
  holds the uncertainty of the base as well as that of the hits.

Both tails are held against 0.025 / m (Bonferroni), m being the number of different values that hits
and base have, so that of all values of one feature none is called so in 95% of searches that find
what chance gives. An interval such as Wilson's would not do here: of the many rare words that have
one hit each, it would call most over-represented. Tests of different features are not corrected for
each other, and hits that stand in one sentence are no independent draws (`one_each` avoids that).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from flowviz.contexts.base import Base
from flowviz.contexts.chance import at_least, at_most, may_be_missing, wilson
from flowviz.contexts.kinds import Feature, Role
from flowviz.contexts.types import Bar, Summary

MOST_BARS = 20
LEVEL = 0.05


def summarise(role: Role, feature: Feature, values: Sequence[str], base: Base) -> Summary:
    """One feature of one role.

    Args:
        values: of each hit; "" where nothing is said.

    Returns:
        Bars of the most frequent values, and of every other that is called over- or
        under-represented, among which some may have no hit at all.
    """
    counts = Counter(value for value in values if value)
    known = counts.total()
    if not known:
        return Summary(role, feature, 0, len(values), (), 0, base.of)
    most = LEVEL / 2 / len({*counts, *base.counts})
    every = sorted({*counts, *_missing(counts, base, most)}, key=lambda one: (-counts[one], one))
    verdicts = {value: _verdict(value, counts, base, most) for value in every}
    drawn = [
        value
        for place, value in enumerate(every)
        if verdicts[value] or (place < MOST_BARS and counts[value])
    ]
    bars = tuple(_bar(value, counts[value], known, base, verdicts[value]) for value in drawn)
    others = known - sum(bar.count for bar in bars)
    return Summary(role, feature, known, len(values) - known, bars, others, base.of)


def _missing(counts: Counter[str], base: Base, most: float) -> list[str]:
    """Values without a hit for which that may be no chance."""
    known = counts.total()
    total = base.total + (known if base.sampled else 0)
    return [
        value
        for value, marked in base.counts.items()
        if value not in counts and may_be_missing(known, marked, total, most)
    ]


def _verdict(value: str, counts: Counter[str], base: Base, most: float) -> int:
    """1 and -1 for over- and under-represented, 0 for within what chance gives."""
    count, known, marked, total = (
        counts[value],
        counts.total(),
        base.counts.get(value, 0),
        base.total,
    )
    if base.sampled:
        marked, total = marked + count, total + known
    if total < known or marked < count:  # the hits are not among these rows
        return 0
    above = count * total > marked * known
    chance = (at_least if above else at_most)(count, known, marked, total)
    return 0 if chance > most else 1 if above else -1


def _bar(value: str, count: int, known: int, base: Base, verdict: int) -> Bar:
    share, low_high = count / known, wilson(count, known)
    rate = base.counts.get(value, 0) / base.total if base.total else 0.0
    return Bar(value, count, share, *low_high, rate, share / rate if rate else math.inf, verdict)
