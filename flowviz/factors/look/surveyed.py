"""A survey in memory: arrays over all factors and sites, and the sentences that they name.

A factor at a site is a *row*, `site * factors + factor`; the contexts of all rows stand one behind
the other, and `starts` says where those of each row begin.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from flowviz.contexts.kinds import Site
from flowviz.errors import RequestError
from flowviz.factors.look.ranks import bounds_of, ranks_of, starts_of
from flowviz.factors.look.reach import FEWEST, levels, reaches
from flowviz.factors.look.sentences import Kept
from flowviz.factors.look.types import SurveyInfo
from flowviz.factors.types import Dictionary


@dataclass(frozen=True, eq=False)
class Places:
    """Contexts of every row: where in the corpus a factor is active.

    Args:
        starts: [rows + 1].
        tag: of the strongest, the code of the word's form in `Survey.values`, 0 where the token is
            of no word; of those that were drawn, the band (`bands.py`).
    """

    starts: NDArray[np.int64]
    sentence: NDArray[np.integer]
    position: NDArray[np.integer]
    tag: NDArray[np.integer]

    def of(self, row: int) -> slice:
        """Which of them are a row's."""
        return slice(int(self.starts[row]), int(self.starts[row + 1]))


@dataclass(frozen=True, eq=False)
class Annotated:
    """How often each factor is active at words of each value, at the site where it is strongest.

    Args:
        starts: [factor + 1]; value: codes in `Survey.values`.
        words: at how many words it is active: [factor].
        base: how many words of the corpus have each value; total: how many words it has.
    """

    starts: NDArray[np.int64]
    value: NDArray[np.integer]
    count: NDArray[np.integer]
    words: NDArray[np.integer]
    base: NDArray[np.integer]
    total: int


@dataclass(frozen=True, eq=False)
class Reached:
    """How much of a factor's activation is left when only some tokens are left to see.

    Args:
        windows: how many tokens, the word itself as the first; the last stands for all.
        kept: [factor, window]; words: over how many contexts, 0 where it was not measured.
        site: where, as its place among the survey's sites: [factor].
    """

    windows: NDArray[np.integer]
    kept: NDArray[np.float32]
    words: NDArray[np.integer]
    site: NDArray[np.integer]


@dataclass(frozen=True, eq=False)
class Directions:
    """The tokens that each factor's direction raises and lowers most, the most first.

    Args:
        top, bottom: ids, [factor, k]; scores: logits for one unit of the direction.
        tokens: the text of each id that occurs.
    """

    top: NDArray[np.integer]
    top_scores: NDArray[np.float32]
    bottom: NDArray[np.integer]
    bottom_scores: NDArray[np.float32]
    tokens: dict[int, str]


@dataclass(frozen=True, eq=False)
class Survey:
    """A dictionary over a corpus; `survey.py` makes it, `files.py` keeps it.

    Args:
        atoms: a hash of the dictionary's directions; corpus: the fingerprint of the corpus.
        counts: at how many tokens each factor is active, [site, factor]; largest: its activation.
        edges: of the histogram's bins, [site, bin + 1]; histogram: [site, factor, bin].
        top: the strongest contexts; drawn: some of each band, at random.
        values: the column and the text of each code.
        reached, directions: None where they could not be found; `notes` say why.
    """

    info: SurveyInfo
    atoms: str
    corpus: str
    counts: NDArray[np.integer]
    largest: NDArray[np.float32]
    importance: NDArray[np.float32]
    edges: NDArray[np.float32]
    histogram: NDArray[np.integer]
    top: Places
    drawn: Places
    annotated: Annotated
    values: tuple[tuple[int, str], ...]
    sentences: dict[int, Kept]
    reached: Reached | None = None
    directions: Directions | None = None
    notes: tuple[str, ...] = ()

    @property
    def factors(self) -> int:
        """How many the dictionary has."""
        return self.counts.shape[1]

    @cached_property
    def density(self) -> NDArray[np.float64]:
        """The share of tokens at which each factor is active, [site, factor]."""
        return self.counts / max(self.info.tokens, 1)

    @cached_property
    def best(self) -> NDArray[np.int64]:
        """For each factor the place of the site where it is strongest, the first of equals."""
        return self.importance.argmax(0)

    @cached_property
    def words(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Of each row the commonest form among its strongest contexts, as a code, and its share.

        Of forms that are as common, the one with the stronger context.
        """
        rows = np.repeat(np.arange(len(self.top.starts) - 1), np.diff(self.top.starts))
        order = np.lexsort((np.arange(len(rows)), self.top.tag, rows))
        keys = rows[order] * len(self.values) + self.top.tag[order].astype(np.int64)
        starts = starts_of(keys)
        lengths, first = np.diff(starts, append=len(keys)), order[starts]
        of_row = rows[first]
        best = np.lexsort((first, -lengths, of_row))
        best = best[ranks_of(of_row[best]) == 0]
        sizes = np.diff(self.top.starts)
        forms, shares = np.zeros(len(sizes), np.int64), np.zeros(len(sizes))
        forms[of_row[best]] = self.top.tag[first[best]]
        shares[of_row[best]] = lengths[best] / sizes[of_row[best]]
        return forms, shares

    @cached_property
    def reach(self) -> NDArray[np.float64]:
        """How far back each factor looks; not a number where it was active too seldom to say."""
        if self.reached is None:
            return np.full(self.factors, np.nan)
        found = reaches(self.reached.kept.astype(np.float64), self.reached.windows)
        return np.where(self.reached.words >= FEWEST, found, np.nan)

    @cached_property
    def level(self) -> NDArray[np.int64]:
        """Each factor's place in `Level`; -1 for none."""
        return levels(self.reach)

    @cached_property
    def said(self) -> tuple[str, ...]:
        """Of each factor all words of its strongest contexts and all tokens that it raises."""
        rows = np.repeat(np.arange(len(self.top.starts) - 1), np.diff(self.top.starts))
        pairs = np.unique((rows % self.factors) * len(self.values) + self.top.tag.astype(np.int64))
        bounds = bounds_of(pairs // len(self.values), self.factors)
        words = [text.casefold() for _, text in self.values]
        codes = (pairs % len(self.values)).tolist()
        tokens = self._raised()
        return tuple(
            "\n".join([*(words[code] for code in codes[bounds[i] : bounds[i + 1]]), *tokens[i]])
            for i in range(self.factors)
        )

    def _raised(self) -> list[list[str]]:
        if self.directions is None:
            return [[]] * self.factors
        named = {i: text.casefold() for i, text in self.directions.tokens.items()}
        return [[named[i] for i in row] for row in self.directions.top.tolist()]

    def site_index(self, site: Site) -> int:
        """A site's place. Raises RequestError where the survey does not have it."""
        if site in self.info.sites:
            return self.info.sites.index(site)
        raise RequestError(
            f"The dictionary {self.info.dictionary} has no site {site}; it has "
            f"{', '.join(map(str, self.info.sites))}. Choose one."
        )

    def row(self, site: int, factor: int) -> int:
        """The row of a factor at a site."""
        return site * self.factors + factor


def hash_of(dictionary: Dictionary) -> str:
    """The same text for the same directions."""
    atoms = np.ascontiguousarray(dictionary.atoms, np.float32)
    return hashlib.blake2b(atoms.tobytes(), digest_size=16).hexdigest()
