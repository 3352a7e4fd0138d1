"""How Cytoscape draws the elements: shape by kind, colour by sign, strength by size and width.

Classes that scripts set on the page: `dim` and `path` (what is off or on the strongest paths of
the node under the pointer), `hover`, `selected`, `picked` (to be changed together), `hidden`.
Mappers stand only behind selectors for the data that they read.
"""

from __future__ import annotations

from typing import Any

from flowviz.graph.layout import SIZES
from flowviz.graph.types import STATES, NodeKind
from flowviz.views.palette import Palette, palette

FONT = 'system-ui, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", sans-serif'
SHAPES = {
    NodeKind.EMBED: "rectangle",
    NodeKind.POS_EMBED: "rectangle",
    NodeKind.RESID_PRE: "round-rectangle",
    NodeKind.RESID_MID: "round-rectangle",
    NodeKind.RESID_FINAL: "round-rectangle",
    NodeKind.HEAD: "ellipse",
    NodeKind.ATTN_OUT: "barrel",
    NodeKind.NEURON: "hexagon",
    NodeKind.MLP_OUT: "barrel",
    NodeKind.BIAS: "tag",
    NodeKind.FACTOR: "cut-rectangle",
    NodeKind.OFFSET: "cut-rectangle",
    NodeKind.ERROR: "cut-rectangle",
    NodeKind.REST: "diamond",
    NodeKind.TARGET: "round-rectangle",
}
SMALLEST = 0.74  # a node without influence, as a share of its box; its text shrinks with it
NARROWEST = 0.84  # the same for the width of a box whose text runs from side to side
BOXES = frozenset({NodeKind.EMBED, *STATES})
Rule = dict[str, Any]


def stylesheet(theme: str) -> list[Rule]:
    """All rules for "light" or "dark"; later ones win."""
    colours = palette(theme)
    return [
        *_ground(colours),
        *_nodes(colours),
        *(_shape(kind) for kind in SHAPES if kind is not NodeKind.REST),
        *_special(colours),
        *_edges(colours),
        *_changed(colours),
        *states(colours),
    ]


def rule(selector: str, **style: Any) -> Rule:
    """One rule; names are written with underscores."""
    return {
        "selector": selector,
        "style": {name.replace("_", "-"): value for name, value in style.items()},
    }


def _ground(c: Palette) -> list[Rule]:
    return [
        rule(
            "node.band",
            shape="rectangle",
            width="data(width)",
            height="data(height)",
            background_color=c.band,
            border_width=0,
            label="data(label)",
            color=c.muted,
            font_family=FONT,
            font_size=16,
            text_halign="left",
            text_margin_x=-8,
            text_valign="center",
            events="no",
            z_index_compare="manual",
            z_index=0,
        ),
        rule("node.band.alternate", background_color=c.stripe),
        rule(
            "node.heading",
            shape="rectangle",
            width=1,
            height=1,
            background_opacity=0,
            border_width=0,
            label="data(label)",
            color=c.text,
            font_family=FONT,
            font_size=16,
            text_valign="center",
            text_halign="center",
            events="no",
            z_index_compare="manual",
            z_index=1,
        ),
        rule("node.heading.empty", color=c.muted, font_size=13),
    ]


def _nodes(c: Palette) -> list[Rule]:
    return [
        rule(
            "node.node",
            label="data(text)",
            color=c.text,
            font_family=FONT,
            font_size=15,
            line_height=1.15,
            text_wrap="wrap",
            text_max_width=400,
            text_valign="center",
            text_halign="center",
            background_color=c.surface,
            border_width=1.5,
            border_color=c.line,
            z_index_compare="manual",
            z_index=20,
        ),
        rule("node.node.unsigned", border_color=c.muted),
        _signed("node.node.pos[size]", c.positive, c.surface, c.positive_fill),
        _signed("node.node.neg[size]", c.negative, c.surface, c.negative_fill),
        rule("node.node[size]", font_size=_by_size(13.0, 15.5)),
        rule(
            "node.head[size], node.neuron[size], node.factor[size]",
            font_size=_by_size(10.5, 13.0),
            line_height=1.1,
        ),
    ]


def _by_size(low: float, high: float) -> str:
    return f"mapData(size, 0, 1, {low:g}, {high:g})"


def _signed(selector: str, border: str, low: str, high: str) -> Rule:
    return rule(
        selector, border_color=border, background_color=f"mapData(size, 0, 1, {low}, {high})"
    )


def _shape(kind: NodeKind) -> Rule:
    width, height = SIZES[kind]
    narrow = NARROWEST if kind in BOXES else SMALLEST
    return rule(
        f"node.{kind.value}[size]",
        shape=SHAPES[kind],
        width=_by_size(narrow * width, width),
        height=_by_size(SMALLEST * height, height),
    )


def _special(c: Palette) -> list[Rule]:
    side = SIZES[NodeKind.REST][0]
    by_size = _by_size(side / 2, side)
    return [
        rule("node.embed, node.pos_embed", border_width=1),
        rule("node.bias", text_margin_x=-6, font_size=13, color=c.text),
        rule('node.bias[label *= "ln"]', font_size=11),  # the longer names
        rule(
            "node.rest[size]",
            shape="diamond",
            width=by_size,
            height=by_size,
            label="",
            background_color=c.surface,
            border_width=1.5,
            border_color=c.muted,
            z_index=15,
        ),
        rule("node.offset, node.error", font_size=12),
        rule("node.error", border_style="dashed", border_width=2),
        rule("node.opened", border_style="double", border_width=4),
        rule("node.target", font_size=18, font_weight="bold", border_width=3, z_index=25),
    ]


def _edges(c: Palette) -> list[Rule]:
    return [
        rule(
            "edge",
            curve_style="straight",
            line_color=c.line,
            line_cap="round",
            width=1,
            opacity=0.6,
            source_endpoint="0 -50%",
            target_endpoint="0 50%",
            z_index_compare="manual",
            z_index=5,
        ),
        rule("edge[w]", width="data(w)", opacity="mapData(w, 1, 9, 0.28, 0.85)"),
        rule("edge.dense[w]", opacity="mapData(w, 1, 9, 0.08, 0.85)"),
        rule("edge.pos", line_color=c.positive),
        rule("edge.neg", line_color=c.negative),
        rule(
            "edge.bent[cw]",
            curve_style="unbundled-bezier",
            control_point_weights="data(cw)",
            control_point_distances="data(cd)",
            edge_distances="node-position",
        ),
        rule("edge.residual", line_cap="butt"),
        rule("edge.part", line_style="dashed", line_dash_pattern=[7, 4], line_cap="butt"),
        rule(
            "edge.rest",
            curve_style="straight",
            line_color=c.muted,
            line_style="dotted",
            width=1.5,
            source_endpoint="outside-to-node",
            target_endpoint="outside-to-node",
        ),
    ]


def _changed(c: Palette) -> list[Rule]:
    """What an intervention changed has a dashed ring, what it put in a shape of its own."""
    return [
        rule(
            "node.changed",
            outline_width=3,
            outline_style="dashed",
            outline_color=c.changed,
            outline_offset=4,
        ),
        rule("node.put-in", shape="octagon", border_color=c.changed, border_width=2.5, font_size=11,
             text_margin_x=0),
        rule("edge.changed", line_style="dashed", line_color=c.changed),
    ]  # fmt: skip


def states(c: Palette) -> list[Rule]:
    """What is off or on a path, under the pointer, selected, hidden."""
    return [
        rule("node.node.dim", opacity=0.25),
        rule("edge.dim", opacity=0.07),
        rule("node.path", opacity=1, border_width=2.5),
        rule("edge.path", opacity=0.95, z_index=10),
        rule("node.node.hover", opacity=1, border_width=3.5, z_index=30),
        rule("edge.hover", opacity=1, z_index=11),
        rule("node.node.selected", opacity=1, border_width=4, border_color=c.accent, z_index=30),
        rule("edge.selected", opacity=1, z_index=11),
        rule(
            "node.node.picked",
            opacity=1,
            underlay_color=c.accent,
            underlay_opacity=0.45,
            underlay_padding=9,
            underlay_shape="round-rectangle",
        ),
        rule(".hidden", display="none"),
    ]
