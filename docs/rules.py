"""Which rule of propagation foresees what: measured on the demo model, printed as tables.

    python -m docs.rules [--prompts 5] [--write]

For every prompt of the set, under zero and mean ablation: how well each rule's score agrees with
ablations one by one, over all components that are ablated and kind by kind, and how much the sets
recover that it ranks first. `--write` puts the tables into `docs/causal.md`, between its marks.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import fmean

import torch

from docs.propagation import FROZEN, WHOLE, Carried, Gate, Rule, carry, integrate, mean
from flowviz.analyses.prompts import groups, shipped
from flowviz.analyses.types import Prompt
from flowviz.blend import ALONG, FLOW, GRADIENT
from flowviz.causal import baselines
from flowviz.causal.agreement import agreement, spearman
from flowviz.causal.baselines import Baseline
from flowviz.causal.recovered import Passes, curve
from flowviz.causal.scores import foreseen
from flowviz.causal.types import Effect
from flowviz.explanation import resolve_target
from flowviz.flow import Flow, flow_of
from flowviz.graph.scored import Scored
from flowviz.graph.types import NodeKind
from flowviz.models.loaded import LoadedModel
from flowviz.models.loading import load_model
from flowviz.request import TargetSpec
from flowviz.trace import record
from flowviz.values import NodeValues

PAGE = Path(__file__).parent / "causal.md"
MARKS = ("<!-- rules -->", "<!-- end of rules -->")
LEAST_SPAN = 1.0  # logits between the whole and nothing, or shares of it mean little
LEAST_RANKED = 5  # fewer say little about a rank correlation
REFERENCE = 200
NOTHING_FROZEN = "gradient: nothing frozen"
Figures = dict[str, float]
Choice = Rule | Callable[[Flow], Carried]

RULES: dict[str, Choice] = {
    "flow: all frozen": FROZEN,
    "gate by its derivative": Rule(gate=Gate.DERIVATIVE),
    "half the pattern": Rule(pattern=0.5),
    "half the pattern, half its values (AttnLRP)": Rule(pattern=0.5, values=0.5),
    "pattern": Rule(pattern=1.0),
    "half of every norm": Rule(norm=0.5),
    "norms": Rule(norm=1.0),
    "final norm alone": Rule(final=1.0),
    "pattern, gate, half of every norm": Rule(1.0, 1.0, 0.5, Gate.DERIVATIVE),
    "pattern, gate, final norm": Rule(1.0, 1.0, 0.0, Gate.DERIVATIVE, final=1.0),
    "pattern, gate, all norms but the final": Rule(1.0, 1.0, 1.0, Gate.DERIVATIVE, final=0.0),
    "half of everything": Rule(0.5, 1.0, 0.5, Gate.HALF),
    NOTHING_FROZEN: WHOLE,
    "gradient, 5 steps from the mean embedding": lambda flow: integrate(flow, WHOLE),
    "gradient, 5 steps over the last quarter": lambda flow: integrate(flow, WHOLE, lowest=0.75),
    "flow, 5 steps from the mean embedding": lambda flow: integrate(flow, FROZEN),
    "½ flow + ½ gradient": lambda flow: mean(
        [(0.5, carry(flow, FROZEN)), (0.5, carry(flow, WHOLE))]
    ),
    "¼ flow + ¾ gradient": lambda flow: mean(
        [(0.25, carry(flow, FROZEN)), (0.75, carry(flow, WHOLE))]
    ),
    "⅓ flow + ⅓ gradient + ⅓ gradient in steps": lambda flow: _blend(flow, 1 / 3, 1 / 3, 1 / 3),
    "blend": lambda flow: _blend(flow, FLOW, GRADIENT, ALONG),
}
SETS: dict[str, Callable[[Effect, int], bool]] = {
    "agreement": lambda _row, _last: True,
    "heads": lambda row, _last: row.key.kind is NodeKind.HEAD,
    "neurons": lambda row, _last: row.key.kind is NodeKind.NEURON,
    "embeddings": lambda row, _last: row.key.kind in (NodeKind.EMBED, NodeKind.POS_EMBED),
    "at the target": lambda row, last: row.key.position == last,
    "elsewhere": lambda row, last: row.key.position != last,
}
COLUMNS = (*SETS, "CPR", "CMD", "tokens")


def _blend(flow: Flow, frozen: float, whole: float, along: float) -> Carried:
    parts = (carry(flow, FROZEN), carry(flow, WHOLE), integrate(flow, WHOLE))
    return mean(list(zip((frozen, whole, along), parts, strict=True)))


def carried_by(flow: Flow, name: str) -> Carried:
    """The target of a flow carried back by one of `RULES`."""
    rule = RULES[name]
    return carry(flow, rule) if isinstance(rule, Rule) else rule(flow)


@torch.inference_mode()
def foreseen_by(flow: Flow, carried: Carried, baseline: Baseline) -> NodeValues:
    """What is said of every component's replacement: (v - b) · r."""
    trace, p = flow.trace, flow.positions
    values = NodeValues.of(flow.model.shape, p, trace.resid_final)
    values.embed[:] = ((trace.embed[:p] - baseline.embed) * carried.embed).sum(-1)
    if trace.pos_embed is not None:
        values.pos_embed[:] = ((trace.pos_embed[:p] - baseline.pos_embed) * carried.embed).sum(-1)
    for layer, part in enumerate(trace.blocks):
        values.heads[layer] = ((part.z[:p] - baseline.heads[layer]) * carried.heads[layer]).sum(-1)
        values.neurons[layer] = (part.post[:p] - baseline.neurons[layer]) * carried.neurons[layer]
    return values


def main() -> int:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description="Rules of propagation on the demo model.")
    parser.add_argument("--prompts", type=int, default=5, help="of each phenomenon")
    parser.add_argument("--write", action="store_true", help="put the tables into causal.md")
    chosen = parser.parse_args()
    model = load_model("demo")
    reference = [model.vocabulary.encode(p.text, model.context) for p in shipped("phenomena")]
    used = (baselines.zero(model), baselines.mean(model, reference[:REFERENCE]))
    prompts = [p for group in groups("phenomena") for p in _of(group)[: chosen.prompts]]
    text = "\n\n".join(
        _table(baseline.kind.value, _measured(model, baseline, prompts), len(prompts))
        for baseline in used
    )
    print(text)
    if chosen.write:
        before, rest = PAGE.read_text().split(MARKS[0])
        PAGE.write_text(f"{before}{MARKS[0]}\n{text}\n{MARKS[1]}{rest.split(MARKS[1])[1]}")
    return 0


def _of(group: str) -> list[Prompt]:
    return [prompt for prompt in shipped("phenomena") if prompt.group == group]


def _measured(
    model: LoadedModel, baseline: Baseline, prompts: Iterable[Prompt]
) -> dict[str, Figures]:
    """Every rule's figures, their means over the prompts where they are numbers."""
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for done, prompt in enumerate(prompts):
        for rule, figures in _prompt(model, baseline, prompt).items():
            for name, value in figures.items():
                found[rule][name].append(value)
        print(f"{baseline.kind}: {done + 1}", end="\r", file=sys.stderr)
    return {
        rule: {name: _mean(values) for name, values in figures.items()}
        for rule, figures in found.items()
    }


def _mean(values: list[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return fmean(known) if known else math.nan


def _prompt(model: LoadedModel, baseline: Baseline, prompt: Prompt) -> dict[str, Figures]:
    trace = record(model, model.vocabulary.encode(prompt.text, model.context))
    scored = Scored(flow_of(model, trace, resolve_target(model, trace, TargetSpec(prompt.answer))))
    flow, passes = scored.flow, Passes(scored.flow, baseline)
    shipped_scores = foreseen(scored, baseline)
    effects = agreement(passes, shipped_scores).effects
    values = {name: foreseen_by(flow, carried_by(flow, name), baseline) for name in RULES}
    values["direct"] = shipped_scores["direct"]
    return {name: _figures(passes, ranked, effects) for name, ranked in values.items()}


def _figures(passes: Passes, values: NodeValues, effects: tuple[Effect, ...]) -> Figures:
    last = passes.flow.positions - 1
    found = {
        name: _agreement(values, [row for row in effects if chosen(row, last)])
        for name, chosen in SETS.items()
    }
    span = passes.whole - passes.nothing
    if abs(span) < LEAST_SPAN:
        return found | dict.fromkeys(("CPR", "CMD", "tokens"), math.nan)
    kept = curve(passes, "", values)
    tokens = float(values.embed.sum() + values.pos_embed.sum()) / span
    return found | {"CPR": kept.cpr, "CMD": kept.cmd, "tokens": tokens}


def _agreement(values: NodeValues, rows: list[Effect]) -> float:
    if len(rows) < LEAST_RANKED:
        return math.nan
    said = torch.tensor([values[row.key] for row in rows], dtype=torch.float64)
    return spearman(said, torch.tensor([row.effect for row in rows], dtype=torch.float64))


def _table(baseline: str, rules: dict[str, Figures], prompts: int) -> str:
    lines = [
        f"**{baseline.title()} ablation**, means over {prompts} prompts",
        "",
        f"| what is let through | {' | '.join(COLUMNS)} |",
        "|---|" + "---|" * len(COLUMNS),
    ]
    for name, figures in rules.items():
        cells = (f"{figures[column]:.2f}".replace("nan", "–") for column in COLUMNS)
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
