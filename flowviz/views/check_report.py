"""What checks found, as a report to read."""

from __future__ import annotations

import math
from statistics import fmean
from textwrap import wrap

from flowviz.causal.types import Agreement, Curve, Kept, Recovery, Smallest, Verdict
from flowviz.graph.types import FlowGraph, NodeKind
from flowviz.views.words import percent, short_label, signed, visible

COMPONENTS = {NodeKind.EMBED, NodeKind.POS_EMBED, NodeKind.HEAD, NodeKind.NEURON}
MOST_EFFECTS = 10
MOST_NAMED = 40
COLUMNS = 100


def text(graph: FlowGraph, verdict: Verdict) -> str:
    """The whole report."""
    parts = [
        _recovery(graph, verdict.recovery),
        _curves(verdict.curves),
        _agreement(graph, verdict.agreement),
        *([_smallest(graph, verdict.smallest)] if verdict.smallest else []),
    ]
    return "\n\n".join("\n".join(part) for part in parts)


def _recovery(graph: FlowGraph, found: Recovery) -> list[str]:
    target = graph.target
    name = visible(target.token.token)
    if target.contrast is not None:
        name += f" against {visible(target.contrast.token)}"
    drawn = sum(node.key.kind in COMPONENTS for node in graph.nodes)
    return [
        f"Target        {name}: {found.whole:.3f}; with every component replaced by "
        f"{found.baseline} {found.nothing:.3f}",
        f"The graph     {drawn} components kept, the others replaced: "
        f"recovers {_share(found.kept)}",
        f"              {_also(found.kept)}",
        f"Random graphs {_band(found.controls)} ({len(found.controls)} of the same size and kinds)",
    ]


def _share(kept: Kept) -> str:
    return "–" if math.isnan(kept.recovered) else percent(kept.recovered)


def _also(kept: Kept) -> str:
    same = "the same" if kept.same_first else "another"
    return f"KL {kept.divergence:.2f} bits; the first token is {same}"


def _band(controls: tuple[Kept, ...]) -> str:
    shares = [kept.recovered for kept in controls]
    if not shares or any(map(math.isnan, shares)):
        return "–"
    ends = f"{percent(min(shares))} to {percent(max(shares))}"
    return f"recover {percent(fmean(shares))} on average, {ends}"


def _curves(curves: tuple[Curve, ...]) -> list[str]:
    total = curves[0].points[-1].size
    head = "".join(f"{percent(point.size / total):>8}" for point in curves[0].points)
    lines = [f"Recovered by share of components kept\n  {'':<10}{head}{'CPR':>8}{'CMD':>8}"]
    for curve in curves:
        cells = "".join(f"{_share(point):>8}" for point in curve.points)
        lines.append(f"  {curve.score:<10}{cells}{curve.cpr:>8.2f}{curve.cmd:>8.2f}")
    return lines


def _agreement(graph: FlowGraph, found: Agreement) -> list[str]:
    names = list(found.spearman)
    said = ", ".join(f"{name} {found.spearman[name]:.2f}" for name in names)
    lines = [
        f"Agreement with ablation one by one ({len(found.effects)} components, Spearman): {said}",
        "  " + f"{'component':<28}{'effect':>9}" + "".join(f"{name:>10}" for name in names),
    ]
    for row in found.effects[:MOST_EFFECTS]:
        scores = "".join(f"{signed(row.scores[name]):>10}" for name in names)
        lines.append(f"  {short_label(row.key, graph):<28}{signed(row.effect):>9}{scores}")
    return lines


def _smallest(graph: FlowGraph, small: Smallest) -> list[str]:
    lines = [
        f"A small graph that recovers {percent(small.share)}: {small.kept.size:,} components, "
        f"{_share(small.kept)}; {_also(small.kept)}"
    ]
    if small.weakest is not None and small.without_weakest is not None:
        less = _share(small.without_weakest)
        lines.append(f"  without its weakest, {short_label(small.weakest, graph)}: {less}")
    named = [short_label(key, graph) for key in small.nodes[:MOST_NAMED]]
    more = len(small.nodes) - len(named)
    words = ", ".join(named) + (f" and {more:,} more" if more else "")
    return [*lines, *wrap(words, COLUMNS, initial_indent="  ", subsequent_indent="  ")]
