"""Attention maps as files to download: JSON, and a page that works by itself."""

from __future__ import annotations

from typing import Any

from dash import dcc

from flowviz.attention.json import attention_json
from flowviz.attention.types import AttentionMaps
from flowviz.views.alone.attention import attention_page


def download(maps: AttentionMaps) -> dict[str, Any]:
    """The maps as JSON, for the browser to save."""
    return dcc.send_string(attention_json(maps), "attention.json")


def download_page(maps: AttentionMaps) -> dict[str, Any]:
    """The maps as one HTML file, for the browser to save."""
    return dcc.send_string(attention_page(maps), "attention.html")
