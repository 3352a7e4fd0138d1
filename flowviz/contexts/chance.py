"""What chance gives: intervals of a share, and the tails of drawing without putting back.

Sources: Wilson 1927, "Probable inference, the law of succession, and statistical inference", J. Am.
Stat. Assoc. 22; Fisher 1935, "The logic of inductive inference", J. R. Stat. Soc. 98 (the exact
test: given how often a value stands in two samples together, its count in one of them is
hypergeometric where both are drawn alike).
"""

from __future__ import annotations

import math

Z = 1.959963984540054  # of 95%


def wilson(count: int, known: int) -> tuple[float, float]:
    """Wilson's interval of a share, 95%; 0 to 1 where nothing is known."""
    if not known:
        return 0.0, 1.0
    share, extra = count / known, Z * Z / known
    middle = share + extra / 2
    half = Z * math.sqrt(share * (1 - share) / known + extra / (4 * known))
    low, high = (middle - half) / (1 + extra), (middle + half) / (1 + extra)
    return (0.0 if count == 0 else max(low, 0.0)), (1.0 if count == known else min(high, 1.0))


def at_least(count: int, known: int, marked: int, total: int) -> float:
    """How likely `count` marked ones or more are among `known` that are drawn of `total`.

    Args:
        marked: how many of `total` are marked; drawn without putting back.
    """
    low = max(0, known - (total - marked))
    likely = range(max(count, low), min(known, marked) + 1)
    return min(math.fsum(_probability(each, known, marked, total) for each in likely), 1.0)


def at_most(count: int, known: int, marked: int, total: int) -> float:
    """How likely `count` or fewer are; as `at_least`."""
    low = max(0, known - (total - marked))
    likely = range(low, min(count, known, marked) + 1)
    return min(math.fsum(_probability(each, known, marked, total) for each in likely), 1.0)


def may_be_missing(known: int, marked: int, total: int, chance: float) -> bool:
    """Whether it may be as unlikely as `chance` that no marked one is drawn; quick, never wrong.

    Each of `known` draws misses with at least the probability of the last one.
    """
    left = total - known + 1
    return marked >= left or known * math.log1p(-marked / left) <= math.log(chance)


def _probability(count: int, known: int, marked: int, total: int) -> float:
    ways = _log_choices(marked, count) + _log_choices(total - marked, known - count)
    return math.exp(ways - _log_choices(total, known))


def _log_choices(of: int, some: int) -> float:
    return math.lgamma(of + 1) - math.lgamma(some + 1) - math.lgamma(of - some + 1)
