"""What checks found, as a report to read."""

from __future__ import annotations

from textwrap import wrap

from flowviz.causal.types import Agreement, Curve, Recovery, Smallest, Verdict
from flowviz.graph.types import FlowGraph
from flowviz.views.check.words import (
    also_words,
    average_words,
    share_words,
    smallest_words,
    too_large_words,
    weakest_words,
)
from flowviz.views.files import changes_lines
from flowviz.views.words import percent, short_label, signed, target_name

MOST_EFFECTS = 10
MOST_NAMED = 40
COLUMNS = 100
PARTS = "factors and errors of opened nodes"


def text(graph: FlowGraph, verdict: Verdict) -> str:
    """The whole report."""
    parts = [
        _recovery(graph, verdict.recovery),
        _curves(verdict.curves),
        _agreement(graph, verdict.agreement),
        *([_agreement(graph, verdict.parts, PARTS)] if verdict.parts else []),
        *([_smallest(graph, verdict.smallest)] if verdict.smallest else []),
    ]
    changed = ["\n".join(changes_lines(graph))] if graph.interventions else []
    return "\n\n".join([*changed, *("\n".join(part) for part in parts)])


def _recovery(graph: FlowGraph, found: Recovery) -> list[str]:
    return [
        f"Target        {target_name(graph)}: {found.whole:.3f}; with every component replaced by "
        f"{found.baseline} {found.nothing:.3f}",
        f"The graph     {found.kept.size:,} components kept, the others replaced: "
        f"recovers {share_words(found.kept)}",
        f"              {also_words(found.kept)}",
        f"Random graphs {average_words(found.controls)} "
        f"({len(found.controls)} of the same size and kinds)",
    ]


def _curves(curves: tuple[Curve, ...]) -> list[str]:
    total = curves[0].points[-1].size
    head = "".join(f"{percent(point.size / total):>8}" for point in curves[0].points)
    lines = [f"Recovered by share of components kept\n  {'':<10}{head}{'CPR':>8}{'CMD':>8}"]
    for curve in curves:
        cells = "".join(f"{share_words(point):>8}" for point in curve.points)
        lines.append(f"  {curve.score:<10}{cells}{curve.cpr:>8.2f}{curve.cmd:>8.2f}")
    return lines


def _agreement(graph: FlowGraph, found: Agreement, what: str = "components") -> list[str]:
    names = list(found.spearman)
    said = ", ".join(f"{name} {found.spearman[name]:.2f}" for name in names)
    lines = [
        f"Agreement with ablation one by one ({len(found.effects)} {what}, Spearman): {said}",
        "  " + f"{'component':<28}{'effect':>9}" + "".join(f"{name:>10}" for name in names),
    ]
    for row in found.effects[:MOST_EFFECTS]:
        scores = "".join(f"{signed(row.scores[name]):>10}" for name in names)
        lines.append(f"  {short_label(row.key, graph):<28}{signed(row.effect):>9}{scores}")
    return lines


def _smallest(graph: FlowGraph, small: Smallest) -> list[str]:
    weakest, too_large = weakest_words(small, graph), too_large_words(small)
    lines = [f"A small graph that recovers {percent(small.share)}: {smallest_words(small)}"]
    if weakest is not None:
        lines.append(f"  Its weakest is {weakest[1]}: {weakest[2]}.")
    if too_large is not None:
        return [*lines, f"  {too_large}"]
    named = [short_label(key, graph) for key in small.nodes[:MOST_NAMED]]
    more = len(small.nodes) - len(named)
    words = ", ".join(named) + (f" and {more:,} more" if more else "")
    return [*lines, *wrap(words, COLUMNS, initial_indent="  ", subsequent_indent="  ")]
