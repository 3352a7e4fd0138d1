"""How Cytoscape draws an opened block: shape by kind, colour and width as the look asks.

A node's colour goes from the ground's to its full tone by `tone`; its size is its element's own.
"""

from __future__ import annotations

from typing import Any

from flowviz.inside.types import PartKind
from flowviz.views.inside.labels import FONT_SIZE
from flowviz.views.palette import Palette, palette
from flowviz.views.stylesheet import FONT, Rule, rule, states

K = PartKind
SHAPES = {
    K.STATE: "round-rectangle",
    K.MID: "round-rectangle",
    K.MEMORY: "round-rectangle",
    K.QUERY: "round-rectangle",
    K.HEAD_QUERY: "round-rectangle",
    K.KEY: "rectangle",
    K.VALUE: "rectangle",
    K.HEAD: "ellipse",
    K.ROW: "barrel",
    K.GATE: "cut-rectangle",
    K.NEURON_KEY: "rectangle",
    K.NEURON: "hexagon",
    K.BIAS: "tag",
    K.REST: "diamond",
    K.ELSEWHERE: "triangle",
}


def stylesheet(theme: str) -> list[Rule]:
    """All rules for "light" or "dark"; later ones win."""
    colours = palette(theme)
    return [
        *_ground(colours),
        *_nodes(colours),
        *(_shape(kind) for kind in SHAPES),
        *_tones(colours),
        *_special(colours),
        *_edges(colours),
        *states(colours),
    ]


def styles() -> dict[str, list[dict[str, Any]]]:
    """One stylesheet a theme, for the browser to choose from."""
    return {theme: stylesheet(theme) for theme in ("light", "dark")}


def _ground(c: Palette) -> list[Rule]:
    flat: dict[str, Any] = {
        "border_width": 0,
        "color": c.muted,
        "font_family": FONT,
        "events": "no",
        "z_index_compare": "manual",
    }
    return [
        rule(
            "node.panel",
            shape="round-rectangle",
            width="data(width)",
            height="data(height)",
            background_color=c.stripe,
            z_index=0,
            **flat,
        ),
        rule(
            "node.band",
            shape="rectangle",
            width="data(width)",
            height="data(height)",
            background_opacity=0,
            label="data(label)",
            font_size=16,
            text_halign="left",
            text_margin_x=-8,
            text_valign="center",
            z_index=1,
            **flat,
        ),
        rule(
            "node.name, node.note",
            width=1,
            height=1,
            background_opacity=0,
            label="data(label)",
            font_size=11.5,
            text_valign="center",
            text_halign="center",
            text_background_color=c.stripe,
            text_background_opacity=0.85,
            z_index=16,
            **flat,
        ),
    ]


def _nodes(c: Palette) -> list[Rule]:
    return [
        rule(
            "node.node",
            width="data(width)",
            height="data(height)",
            label="data(text)",
            color=c.text,
            font_family=FONT,
            font_size=FONT_SIZE,
            text_valign="center",
            text_halign="center",
            background_color=c.surface,
            border_width=1.5,
            border_color=c.muted,
            z_index_compare="manual",
            z_index=20,
        ),
        rule("node.bar", shape="round-rectangle"),
    ]


def _shape(kind: PartKind) -> Rule:
    return rule(f"node.{kind.value}", shape=SHAPES[kind])


def _tones(c: Palette) -> list[Rule]:
    """A tone shows in the ground, and in the border from neutral to its colour."""
    tones = (
        ("rank", c.rank, c.rank_fill),
        ("entropy", c.sharp, c.sharp_fill),
        ("pos", c.positive, c.positive_fill),
        ("neg", c.negative, c.negative_fill),
    )
    return [
        rule(
            f"node.{name}[tone]",
            background_color=f"mapData(tone, 0, 1, {c.surface}, {fill})",
            border_color=border
            if name in ("pos", "neg")
            else (f"mapData(tone, 0, 1, {c.muted}, {border})"),
        )
        for name, border, fill in tones
    ]


def _special(c: Palette) -> list[Rule]:
    return [
        rule("node.state, node.mid", border_width=2.5, font_size=15),
        rule("node.memory", border_width=1),
        rule("node.bias", text_margin_x=-5, font_size=12.5),
        rule('node.bias[text *= "ln"]', font_size=11),
        rule("node.frozen", border_style="dashed", border_width=1.2),
        rule("node.rest, node.elsewhere", label="", border_width=1.5, z_index=15),
    ]


def _edges(c: Palette) -> list[Rule]:
    return [
        rule(
            "edge",
            curve_style="straight",
            line_color=c.muted,
            line_cap="butt",
            width="data(w)",
            opacity="mapData(w, 1, 9, 0.42, 0.85)",
            source_endpoint="data(se)",
            target_endpoint="data(te)",
            z_index_compare="manual",
            z_index=5,
        ),
        rule("edge.pos", line_color=c.positive),
        rule("edge.neg", line_color=c.negative),
        rule(
            "edge[cw]",
            curve_style="unbundled-bezier",
            control_point_weights="data(cw)",
            control_point_distances="data(cd)",
            edge_distances="node-position",
        ),
        rule("edge.feed", opacity="mapData(w, 1, 9, 0.05, 0.8)", z_index=3),
        rule("edge.silent", line_color=c.line, opacity=0.6, z_index=2),
        rule("edge.attend", line_style="dashed", line_dash_pattern=[6, 4], line_color=c.muted),
        rule("edge.attend", opacity="mapData(w, 1, 9, 0.5, 0.7)"),
        rule("edge.rest", line_style="dotted"),
    ]
