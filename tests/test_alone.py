"""Attention as a file and in a notebook."""

from __future__ import annotations

from html import unescape
from pathlib import Path

import pytest

import flowviz
from flowviz.errors import RequestError
from tests.attention_maps import looking_back


def test_a_page_is_saved_as_it_is(tmp_path: Path) -> None:
    page = flowviz.attention_page(looking_back(), "Wörter")
    file = page.save(tmp_path / "attention.html")
    assert file.read_text(encoding="utf-8") == page.html
    assert "<title>Wörter · flowviz</title>" in page.html


def test_a_notebook_shows_it_apart_from_itself() -> None:
    page = flowviz.attention_page(looking_back(['" onload="alert(1)', " b"]))
    shown = page._repr_html_()
    assert shown.count('"') == 12  # six attributes, none ended by what stands inside
    assert 'sandbox="allow-scripts"' in shown
    assert unescape(shown.split('srcdoc="')[1].split('"')[0]) == page.html


def test_where_nothing_can_be_written_it_is_said(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="cannot be written"):
        flowviz.attention_page(looking_back()).save(tmp_path / "no" / "such" / "folder.html")
