"""Which score to trust: measured on the demo model's phenomena, printed as tables.

    python -m docs.agreement [--prompts 5] [--write]

For every prompt of the set: the curves of recovered against size, and the agreement of each score
with ablations one by one, under zero and mean ablation. `--write` puts the tables into
`docs/causal.md`, between its two marks.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections import defaultdict
from pathlib import Path
from statistics import fmean

from flowviz.analyses.prompts import groups, shipped
from flowviz.analyses.types import Prompt
from flowviz.causal import baselines
from flowviz.causal.agreement import agreement
from flowviz.causal.baselines import Baseline
from flowviz.causal.recovered import Passes, curve
from flowviz.causal.scores import foreseen
from flowviz.explanation import resolve_target
from flowviz.flow import flow_of
from flowviz.graph.scored import Scored
from flowviz.models.loaded import LoadedModel
from flowviz.models.loading import load_model
from flowviz.request import TargetSpec
from flowviz.trace import record

PAGE = Path(__file__).parent / "causal.md"
MARKS = ("<!-- measured -->", "<!-- end of measured -->")
SCORES = ("flow", "blend", "gradient", "direct")
LEAST_SPAN = 1.0  # logits between the whole and nothing, or shares of it mean little
REFERENCE = 200
Row = dict[tuple[str, str], float]


def main() -> int:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description="Which score to trust on the demo model.")
    parser.add_argument("--prompts", type=int, default=5, help="of each phenomenon")
    parser.add_argument("--write", action="store_true", help="put the tables into causal.md")
    chosen = parser.parse_args()
    model = load_model("demo")
    reference = [model.vocabulary.encode(p.text, model.context) for p in shipped("phenomena")]
    used = (baselines.zero(model), baselines.mean(model, reference[:REFERENCE]))
    found = {
        baseline.kind.value: {
            group: _group(model, baseline, group, chosen.prompts) for group in groups("phenomena")
        }
        for baseline in used
    }
    text = "\n\n".join(_table(name, rows, chosen.prompts) for name, rows in found.items())
    print(text)
    if chosen.write:
        page = PAGE.read_text()
        before, rest = page.split(MARKS[0])
        PAGE.write_text(f"{before}{MARKS[0]}\n{text}\n{MARKS[1]}{rest.split(MARKS[1])[1]}")
    return 0


def _group(model: LoadedModel, baseline: Baseline, group: str, most: int) -> Row:
    prompts = [prompt for prompt in shipped("phenomena") if prompt.group == group][:most]
    figures: dict[tuple[str, str], list[float]] = defaultdict(list)
    for prompt in prompts:
        for name, value in _prompt(model, baseline, prompt).items():
            figures[name].append(value)
        print(f"{baseline.kind}: {group}", end="\r", file=sys.stderr)
    return {
        name: fmean(known) if (known := [v for v in values if not math.isnan(v)]) else math.nan
        for name, values in figures.items()
    }


def _prompt(model: LoadedModel, baseline: Baseline, prompt: Prompt) -> Row:
    trace = record(model, model.vocabulary.encode(prompt.text, model.context))
    target = resolve_target(model, trace, TargetSpec(prompt.answer))
    scored = Scored(flow_of(model, trace, target))
    passes, values = Passes(scored.flow, baseline), foreseen(scored, baseline)
    row: Row = {}
    for name, correlation in agreement(passes, values).spearman.items():
        row[name, "agreement"] = correlation
    spans = abs(passes.whole - passes.nothing) >= LEAST_SPAN
    for name, ranked in values.items():
        found = curve(passes, name, ranked)
        row[name, "CPR"] = found.cpr if spans else math.nan
        row[name, "CMD"] = found.cmd if spans else math.nan
    return row


def _table(baseline: str, rows: dict[str, Row], prompts: int) -> str:
    columns = [(score, figure) for figure in ("agreement", "CPR", "CMD") for score in SCORES]
    head = " | ".join(f"{figure}, {score}" for score, figure in columns)
    lines = [
        f"**{baseline.title()} ablation**, means over {prompts} prompts of each phenomenon",
        "",
        f"| phenomenon | {head} |",
        "|---|" + "---|" * len(columns),
    ]
    means = {column: fmean(row[column] for row in rows.values() if not math.isnan(row[column]))
             for column in columns}  # fmt: skip
    for name, row in {**rows, "**all**": means}.items():
        lines.append(f"| {name} | " + " | ".join(f"{row[column]:.2f}" for column in columns) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
