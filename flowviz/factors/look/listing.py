"""Factors in a list: sorted, searched, a page at a time; of a survey alone, without the model."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flowviz.factors.kinds import Level, Order
from flowviz.factors.look.surveyed import Survey
from flowviz.factors.look.types import FactorRow, FactorsListed
from flowviz.factors.request import PAGE, FactorsRequest
from flowviz.factors.types import Dictionary

PROMOTED = 5  # tokens of a row


def list_factors(survey: Survey, dictionary: Dictionary, request: FactorsRequest) -> FactorsListed:
    """A page of the list.

    Raises:
        RequestError: the survey does not have the site.
    """
    factors = np.arange(survey.factors)
    sites = survey.best
    if request.site is not None:
        sites = np.full_like(sites, survey.site_index(request.site))
    fitting = np.flatnonzero(_fits(survey, request))
    ordered = fitting[_order(survey, request.order, sites)[fitting].argsort(kind="stable")]
    page = ordered[request.page * PAGE : (request.page + 1) * PAGE]
    dead = int((survey.counts[:, factors] == 0).all(0).sum())
    rows = tuple(_row(survey, int(factor), int(sites[factor])) for factor in page)
    return FactorsListed(request, dictionary.about, survey.info, rows, len(fitting), dead)


def _fits(survey: Survey, request: FactorsRequest) -> NDArray[np.bool_]:
    fits = np.ones(survey.factors, bool)
    if request.level is not None:
        wanted = list(Level).index(request.level)
        fits &= survey.level == wanted
    text = request.text.strip().casefold()
    if not text:
        return fits
    if text.lstrip("#").isascii() and text.lstrip("#").isdigit():
        named = np.arange(survey.factors) == int(text.lstrip("#")[:9])
        return fits & (named | _holds(survey, text))
    return fits & _holds(survey, text)


def _holds(survey: Survey, text: str) -> NDArray[np.bool_]:
    return np.array([text in said for said in survey.said], bool)


def _order(survey: Survey, order: Order, sites: NDArray[np.int64]) -> NDArray[np.float64]:
    """What is sorted by, the smallest first; equals by their number."""
    factors = np.arange(survey.factors)
    match order:
        case Order.IMPORTANCE:
            return -survey.importance[sites, factors].astype(np.float64)
        case Order.DENSITY:
            return -survey.density[sites, factors]
        case Order.LEVEL:
            reach = survey.reach
            return np.where(np.isnan(reach), np.inf, -reach)
        case Order.NUMBER:
            return factors.astype(np.float64)


def _row(survey: Survey, factor: int, site: int) -> FactorRow:
    forms, shares = survey.words
    row = survey.row(site, factor)
    level, reach = int(survey.level[factor]), float(survey.reach[factor])
    promoted = ()
    if survey.directions is not None:
        tops = survey.directions.top[factor, :PROMOTED].tolist()
        promoted = tuple(survey.directions.tokens[i] for i in tops)
    return FactorRow(
        factor=factor,
        site=survey.info.sites[site],
        importance=float(survey.importance[site, factor]),
        density=float(survey.density[site, factor]),
        word=survey.values[int(forms[row])][1],
        words=float(shares[row]),
        promoted=promoted,
        level=None if level < 0 else list(Level)[level],
        reach=None if level < 0 else reach,
    )
