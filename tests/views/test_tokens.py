"""Token texts: nothing invisible stays so, nothing turns the line, cuts fit."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowviz.views.tokens import ISOLATE, ISOLATE_END, clip, clip_ems, ems, visible, width


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("cat", "cat"),
        (" gave", "␣gave"),
        ("a b", "a␣b"),
        ("\n\n", "↵↵"),
        ("\t", "⇥"),
        ("\r\n", "␍↵"),
        ("", "⟨empty⟩"),
        ("\x00\x1b", "<0x00><0x1B>"),
        ("\x7f\x85", "␡⟨U+0085⟩"),
        ("\xa0", "⍽"),
        ("\u200b", "⟨U+200B⟩"),
        ("\u202eabc", "⟨U+202E⟩abc"),
        ("\ufeff", "⟨U+FEFF⟩"),
        ("\u3000", "⟨U+3000⟩"),
        ("\u2028", "⟨U+2028⟩"),
        ("\u2800", "⟨U+2800⟩"),
        ("\ue000", "⟨U+E000⟩"),
        ("\ud800", "⟨U+D800⟩"),
        ("\ufffd", "⟨byte⟩"),
        ("\u0301", "◌\u0301"),
        ("é", "é"),
        ("日本", "日本"),
        ("🙂", "🙂"),
        ("<b>", "<b>"),
        (" שלום", f"{ISOLATE}␣שלום{ISOLATE_END}"),
        ("سلام", f"{ISOLATE}سلام{ISOLATE_END}"),
    ],
)
def test_visible(text: str, shown: str) -> None:
    assert visible(text) == shown


@settings(deadline=None)
@given(st.text(alphabet=st.characters(codec=None)))
def test_nothing_invisible_is_left(text: str) -> None:
    shown = visible(text)
    inner = shown[1:-1] if shown.startswith(ISOLATE) else shown
    assert inner
    assert [c for c in inner if unicodedata.category(c)[0] in "CZ"] == []
    assert shown.count(ISOLATE) == shown.count(ISOLATE_END) <= 1


@settings(deadline=None)
@given(st.text(), st.integers(2, 30))
def test_clip_fits_and_closes_what_it_opens(text: str, columns: int) -> None:
    cut = clip(visible(text), columns)
    assert width(cut) <= columns
    assert cut.count(ISOLATE) == cut.count(ISOLATE_END)


def test_clip_counts_wide_characters_twice() -> None:
    assert clip("日本語日本語", 6) == "日本…"
    assert clip("abcdef", 6) == "abcdef"
    assert clip("abcdefg", 6) == "abcde…"


@settings(deadline=None)
@given(st.text(), st.floats(2, 30))
def test_clip_by_ems_fits_and_closes_what_it_opens(text: str, room: float) -> None:
    cut = clip_ems(visible(text), room)
    assert ems(cut) <= room
    assert cut.count(ISOLATE) == cut.count(ISOLATE_END)


def test_wide_letters_take_more_room_than_narrow_ones() -> None:
    assert clip_ems("iiiiiiiiiiii", 5.0) == "iiiiiiiiiiii"
    assert clip_ems("mmmmmmmmmmmm", 5.0) == "mmmm…"
    assert clip_ems("日本語日本語", 5.0) == "日本語日…"
