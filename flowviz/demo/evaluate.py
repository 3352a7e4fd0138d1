"""How often the GPT is right, for each phenomenon, on cases that it was never trained on.

A case is a prompt and the token that must follow (`cases.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from tokenizers import Tokenizer
from torch import Tensor
from transformers import AutoModelForCausalLM, PreTrainedModel

from flowviz.demo import cases as found
from flowviz.demo.cases import SUITES, Case, against_stated, answer_at, find_cases
from flowviz.demo.document import Document, Probe
from flowviz.demo.draw import Draw
from flowviz.demo.lexicon.people import P_SHE
from flowviz.demo.tokenizer import end_of_text


@dataclass(frozen=True)
class Row:
    """One line of the table; ``bare`` is the accuracy without the end-of-text token in front."""

    phenomenon: str
    accuracy: float
    bare: float
    cases: int


@dataclass(frozen=True)
class Report:
    """The whole table, and how the occupation bias compares with the generator's."""

    rows: tuple[Row, ...]
    bias_correlation: float
    bias_error: float


def load(folder: Path) -> tuple[PreTrainedModel, Tokenizer]:
    """A model and its tokenizer from a folder."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    return model.eval(), Tokenizer.from_file(str(folder / "tokenizer.json"))


def evaluate(model: PreTrainedModel, tokenizer: Tokenizer, cases: int = 200) -> Report:
    """Every suite, each on up to so many different prompts."""
    rows = [_row(model, tokenizer, name, cases) for name in SUITES]
    correlation, error = occupation_bias(model, tokenizer)
    return Report(tuple(rows), correlation, error)


def _row(model: PreTrainedModel, tokenizer: Tokenizer, name: str, count: int) -> Row:
    asked = held_out_cases(name, tokenizer, count)
    end = end_of_text(tokenizer)
    started = [Case((end, *case.ids), case.right, case.wrong) for case in asked]
    return Row(name, score(model, started), score(model, asked), len(asked))


def held_out_cases(
    name: str, tokenizer: Tokenizer, count: int, seed: str = found.SEED
) -> list[Case]:
    """Different prompts of one phenomenon that no training document holds."""

    def made(draw: Draw) -> list[Case]:
        document = SUITES[name](draw)
        return [case_of(document, probe, tokenizer) for probe in document.probes]

    return find_cases(made, name, count, seed, all_of_them=name == "induction")


def case_of(document: Document, probe: Probe, tokenizer: Tokenizer) -> Case:
    """The tokens before the probed word, and those that are right after them."""
    ids = tokenizer.encode(document.text, add_special_tokens=False).ids
    at = answer_at(document, probe, tokenizer)
    space = " " * (document.words[probe.word].space and not probe.within)
    right = {ids[at]} | {tokenizer.encode(space + form).ids[0] for form in probe.accept}
    wrong = tokenizer.encode(space + probe.contrast).ids[0] if probe.contrast else None
    return Case(tuple(ids[:at]), frozenset(right), wrong)


def score(model: PreTrainedModel, cases: list[Case]) -> float:
    """The share of the cases that are right."""
    return found.score(cases, lambda chunk: next_logits(model, [case.ids for case in chunk]))


@torch.no_grad()
def next_logits(
    model: PreTrainedModel, prompts: list[tuple[int, ...]]
) -> Float[Tensor, "batch d_vocab"]:
    """The logits after each prompt. Shorter prompts are padded behind, where nothing looks."""
    longest = max(map(len, prompts))
    ids = torch.tensor([[*prompt, *[0] * (longest - len(prompt))] for prompt in prompts])
    network: Any = model
    hidden = network.transformer(input_ids=ids).last_hidden_state
    last = hidden[torch.arange(len(prompts)), torch.tensor([len(p) - 1 for p in prompts])]
    return network.lm_head(last)


def occupation_bias(model: PreTrainedModel, tokenizer: Tokenizer) -> tuple[float, float]:
    """Correlation and mean distance of P(she | she or he) and the generator's stated chance."""
    return against_stated(she_shares(model, tokenizer))


def she_shares(model: PreTrainedModel, tokenizer: Tokenizer) -> list[float]:
    """P(" she") as a share of P(" she") + P(" he") after "The <occupation> said that"."""
    end = end_of_text(tokenizer)
    prompts = [(end, *tokenizer.encode(f"The {name} said that").ids) for name in P_SHE]
    she, he = (tokenizer.encode(form).ids[0] for form in (" she", " he"))
    logits = next_logits(model, prompts)
    return torch.sigmoid(logits[:, she] - logits[:, he]).tolist()


def as_text(report: Report) -> str:
    """The table, for a terminal and for the model card."""
    lines = [
        "| phenomenon | held-out accuracy | without `<\\|endoftext\\|>` | n |",
        "|---|---|---|---|",
        *(f"| {r.phenomenon} | {r.accuracy:.1%} | {r.bare:.1%} | {r.cases} |" for r in report.rows),
        "",
        f"Occupation bias: P(she) follows the generator's with r = {report.bias_correlation:.3f}, "
        f"mean distance {report.bias_error:.3f}.",
    ]
    return "\n".join(lines)
