"""What scripts and style sheets repeat of the Python side."""

from __future__ import annotations

import re

import pytest

from flowviz.app import ROOT
from flowviz.ui.analyses.ids import Analyses
from flowviz.ui.attention.ids import Attention, Finder
from flowviz.ui.check.ids import Check
from flowviz.ui.compare.ids import Compare
from flowviz.ui.contexts.ids import Contexts
from flowviz.ui.factors.ids import Factors
from flowviz.ui.flow.ids import Flow
from flowviz.ui.head.ids import Head
from flowviz.ui.ids import Shell
from flowviz.ui.inside.ids import Inside
from flowviz.ui.interventions.ids import Change
from flowviz.ui.opened.ids import Open
from flowviz.views.palette import DARK, LIGHT

ASSETS = ROOT / "assets"


@pytest.mark.parametrize(
    "page",
    [
        Shell,
        Flow,
        Inside,
        Compare,
        Attention,
        Finder,
        Head,
        Contexts,
        Factors,
        Analyses,
        Check,
        Change,
        Open,
    ],
)
def test_scripts_use_the_ids_of_each_page(page):
    script = (ASSETS / "names.js").read_text()
    block = re.search(rf"const {page.__name__.lower()} = \{{(.*?)\}};", script, re.S)[1]
    names = dict(re.findall(r"(\w+): \"([\w-]+)\"", block))
    assert names
    assert names == {name: str(page.__members__[name]) for name in names}


def test_style_sheets_use_the_colours_of_the_graph():
    sheet = (ASSETS / "10-theme.css").read_text()
    light, dark = re.findall(r'\[data-mantine-color-scheme="\w+"\] \{\n(.*?)\n\}', sheet, re.S)[:2]
    for block, palette in ((light, LIGHT), (dark, DARK)):
        assert f"--for: {palette.positive};" in block
        assert f"--against: {palette.negative};" in block
        assert f"--paper: {palette.ground};" in block


def test_every_asset_is_our_own_and_asks_no_other_host():
    for path in ASSETS.iterdir():
        text = path.read_text().replace("http://www.w3.org/2000/svg", "")
        assert "http" not in text.replace("https.", "").replace("without https", ""), path
