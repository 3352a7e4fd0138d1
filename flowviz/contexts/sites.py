"""Which site a question is about, held against those that the model has."""

from __future__ import annotations

from flowviz.contexts.encode.types import Reader
from flowviz.contexts.kinds import Site, SiteKind
from flowviz.contexts.request import ContextRequest
from flowviz.errors import RequestError


def asked_site(reader: Reader, request: ContextRequest) -> Site:
    """The site that is asked about; where none is named, the stream before the middle block.

    Raises:
        RequestError: the model has no such site.
    """
    site = request.site or Site(SiteKind.RESID_PRE, reader.shape.layers // 2)
    if site in reader.sites:
        return site
    layers = sorted(each.layer for each in reader.sites if each.kind is site.kind)
    if layers:
        raise RequestError(
            f"{reader.shape.name} has {site.kind.value} in blocks {layers[0]} to {layers[-1]}, and "
            f"none in block {site.layer}. Choose one of them."
        )
    kinds = dict.fromkeys(each.kind.value for each in reader.sites)
    raise RequestError(
        f"{reader.shape.name} has no site {site.kind.value}; it has {', '.join(kinds)}. Choose one."
    )
