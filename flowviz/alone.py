"""Attention, or one head of it, as one HTML file: to keep, to send, to show in a notebook."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path

from flowviz.attention.neuron_types import Decay, NeuronView
from flowviz.attention.types import AttentionMaps
from flowviz.attention.why_types import WhyThere
from flowviz.errors import RequestError
from flowviz.views.alone import attention, head

HEIGHT = 680  # pixels of a notebook's cell


@dataclass(frozen=True)
class HtmlPage:
    """A page that works without a network and without flowviz. A notebook shows it as it is.

    Args:
        html: the text of the file.
    """

    html: str

    def save(self, path: str | Path) -> Path:
        """Writes the file, over one of that name. Raises RequestError where it cannot."""
        try:
            Path(path).write_text(self.html, encoding="utf-8")
        except (OSError, ValueError) as error:
            raise RequestError(
                f"{str(path)[:200]!r} cannot be written ({type(error).__name__}). Give "
                "another path."
            ) from error
        return Path(path)

    def _repr_html_(self) -> str:
        return (
            f'<iframe srcdoc="{escape(self.html)}" sandbox="allow-scripts" width="100%" '
            f'height="{HEIGHT}" style="border: 0" title="Attention"></iframe>'
        )


def attention_page(maps: AttentionMaps, title: str = "") -> HtmlPage:
    """Maps as a page: heads as lines between tokens, all heads as thumbnails, the finder.

    Args:
        maps: of a pass (`attention_maps`), or of arrays of your own (`AttentionMaps.of`).
        title: what the page is called; its tokens where it is empty.

    Raises:
        RequestError: the page would take more than 64 MB.

    Example:
        >>> attention_page(attention_maps("When Mary and John went")).save("attention.html")
        PosixPath('attention.html')
    """
    return HtmlPage(attention.attention_page(maps, title))


def head_page(found: WhyThere | NeuronView | Decay, title: str = "") -> HtmlPage:
    """One head as a page: its dimensions, their shares by distance, or why it looks there.

    Args:
        found: what `neuron_view`, `distance_decay` or `why` gave.
        title: what the page is called; its prompt's tokens where it is empty.

    Raises:
        RequestError: the page would take more than 64 MB.
    """
    return HtmlPage(head.head_page(found, title))
