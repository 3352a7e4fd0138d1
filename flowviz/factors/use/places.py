"""Which nodes of a flow are opened, as plain frozen values with a text form for links and commands.

resid_mid:3@7             the hidden state in block 3 at position 7, by the usual dictionary
mlp_out:2@5=layer-two     what the MLP of block 2 adds at position 5, by the one of that name
resid_pre:1@3;resid_final@7
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from flowviz.checked import shown
from flowviz.contexts.kinds import WHOLE, Site, SiteKind
from flowviz.errors import RequestError
from flowviz.factors.kinds import DEFAULT
from flowviz.graph.types import NodeKey, NodeKind

MOST = 4  # nodes of one picture that are opened
NAME = re.compile(r"[\w. -]{1,80}")
KINDS = {
    SiteKind.RESID_PRE: NodeKind.RESID_PRE,
    SiteKind.RESID_MID: NodeKind.RESID_MID,
    SiteKind.RESID_FINAL: NodeKind.RESID_FINAL,
    SiteKind.ATTN_OUT: NodeKind.ATTN_OUT,
    SiteKind.MLP_OUT: NodeKind.MLP_OUT,
}
SITES = {node: site for site, node in KINDS.items()}
FORM = (
    f"What is opened is written as SITE@POSITION or SITE@POSITION=DICTIONARY, as in "
    f"resid_mid:3@7; a site is one of {', '.join(KINDS)}."
)


@dataclass(frozen=True, order=True)
class OpenAt:
    """A node that is opened, and by which dictionary."""

    site: Site
    position: int
    dictionary: str = DEFAULT

    def __str__(self) -> str:
        named = "" if self.dictionary == DEFAULT else f"={self.dictionary}"
        return f"{self.site}@{self.position}{named}"

    @classmethod
    def parse(cls, text: str, dictionary: str = DEFAULT) -> OpenAt:
        """Reads the text form back.

        Args:
            dictionary: where the text names none.

        Raises:
            RequestError: it is none.
        """
        place, _, name = text.partition("=")
        site, at, position = place.partition("@")
        if not (at and position.isascii() and position.isdigit() and len(position) < 10):
            raise RequestError(f"{shown(text)} opens no node. {FORM}")
        found = Site.parse(site)
        if found.kind not in KINDS:
            raise RequestError(f"{found} is no node that can be opened. {FORM}")
        return cls(found, int(position), dictionary_name(name or dictionary))

    @classmethod
    def of(cls, key: NodeKey, dictionary: str) -> OpenAt:
        """The opening of a node of the flow."""
        kind = SITES[key.kind]
        layer = WHOLE if kind is SiteKind.RESID_FINAL else key.layer
        return cls(Site(kind, layer), key.position, dictionary)

    def key(self, layers: int) -> NodeKey:
        """The node, in a model with so many blocks."""
        layer = layers if self.site.layer == WHOLE else self.site.layer
        return NodeKey(KINDS[self.site.kind], layer, self.position)


def dictionary_name(text: str) -> str:
    """A dictionary's name. Raises RequestError for what is none."""
    if not NAME.fullmatch(text):
        raise RequestError(
            f"{shown(text)} is no dictionary's name: those are letters, digits, dots, hyphens, "
            "underscores and spaces."
        )
    return text


def parse_opened(value: object, dictionary: object = None) -> tuple[OpenAt, ...]:
    """Reads what is opened from outside: its text, or a sequence of texts; each node once.

    Args:
        dictionary: where a text names none; the usual one where it is None.

    Raises:
        RequestError: one is none, or there are too many.
    """
    usual = dictionary_name(str(dictionary)[:100]) if dictionary else DEFAULT
    if value is None or value == "" or value == ():
        return ()
    texts = list(value) if isinstance(value, list | tuple) else str(value)[:2000].split(";")
    read = (each if isinstance(each, OpenAt) else OpenAt.parse(str(each), usual) for each in texts)
    found = {(one.site, one.position): one for one in read}
    if len(found) > MOST:
        raise RequestError(
            f"{len(found)} nodes are to be opened; at most {MOST} are, so that the picture stays "
            "readable. Close some."
        )
    return tuple(found.values())


def write_opened(opened: tuple[OpenAt, ...]) -> str:
    """The text form of all of them."""
    return ";".join(map(str, opened))
