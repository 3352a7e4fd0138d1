"""How often the model is right, for each phenomenon, on cases that it was never trained on.

A case is a prompt and the token that must follow. A case counts as right when that token (or, for
greater years, any token of a greater year) is the most probable of the whole vocabulary; for
agreement, when the right form of the verb is more probable than the wrong one. Held-out means: for
facts and word forms, a (template, entity) pair; for indirect objects, a pair of names; for few-shot
mappings, a (mapping, word) pair; for years, an (event, year) pair; for series, a (series, start,
length) triple. Induction is asked at every word after the first pass of a random list, on lists
that were made with other seeds than training's.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from tokenizers import Tokenizer
from torch import Tensor
from transformers import AutoModelForCausalLM, PreTrainedModel

from flowviz.demo.document import Document, Probe
from flowviz.demo.draw import Draw
from flowviz.demo.lexicon.people import P_SHE
from flowviz.demo.mixture import MAKERS, Maker
from flowviz.demo.phenomena import copying, knowledge
from flowviz.demo.tokenizer import align, end_of_text

SUITES: dict[str, Maker] = {
    "indirect objects": copying.indirect_objects,
    "indirect objects, off-template": copying.unseen_indirect_objects,
    "induction": copying.repeats,
    **{name: knowledge.maker(name) for name in knowledge.RELATIONS},
    "capitals, off-template": knowledge.unseen_capitals,
    "antonyms": MAKERS["antonyms"],
    "plurals": MAKERS["plurals"],
    "past tense": MAKERS["past tense"],
    "agreement": MAKERS["agreement"],
    "gendered pronouns": MAKERS["pronouns"],
    "successors": MAKERS["successors"],
    "greater years": MAKERS["greater years"],
    "closing brackets": MAKERS["brackets"],
    "closing quotes": MAKERS["quotes"],
    "few-shot mappings": MAKERS["few-shot mappings"],
}
_BATCH = 64
_TRIES = 40
_SEED = "evaluation"


@dataclass(frozen=True)
class Case:
    """A prompt as token ids, and what is right after it."""

    ids: tuple[int, ...]
    right: frozenset[int]
    wrong: int | None = None


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


def held_out_cases(name: str, tokenizer: Tokenizer, count: int, seed: str = _SEED) -> list[Case]:
    """Different prompts of one phenomenon that no training document holds."""
    draw = Draw(f"{seed}/{name}", held=True)
    found: dict[tuple[int, ...], Case] = {}
    for _ in range(count * _TRIES):
        document = SUITES[name](draw)
        for probe in document.probes:
            case = case_of(document, probe, tokenizer)
            found.setdefault(case.ids, case)
        if len(found) >= count:
            break
    return list(found.values())[:count] if name != "induction" else list(found.values())


def case_of(document: Document, probe: Probe, tokenizer: Tokenizer) -> Case:
    """The tokens before the probed word, and those that are right after them."""
    encoding = tokenizer.encode(document.text, add_special_tokens=False)
    word = document.words[probe.word]
    start = list(document.spans())[probe.word][0] + probe.within
    owners = align(document, tokenizer)
    at = next(
        i
        for i, (owner, (_, end)) in enumerate(zip(owners, encoding.offsets, strict=True))
        if owner == probe.word and end > start
    )
    space = " " * (word.space and not probe.within)
    right = {encoding.ids[at]} | {tokenizer.encode(space + form).ids[0] for form in probe.accept}
    wrong = tokenizer.encode(space + probe.contrast).ids[0] if probe.contrast else None
    return Case(tuple(encoding.ids[:at]), frozenset(right), wrong)


def score(model: PreTrainedModel, cases: list[Case]) -> float:
    """The share of the cases that are right."""
    cases = sorted(cases, key=lambda case: len(case.ids))
    right = 0
    for begin in range(0, len(cases), _BATCH):
        chunk = cases[begin : begin + _BATCH]
        logits = next_logits(model, [case.ids for case in chunk])
        right += sum(_is_right(case, row) for case, row in zip(chunk, logits, strict=True))
    return right / len(cases)


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


def _is_right(case: Case, logits: Float[Tensor, " d_vocab"]) -> bool:
    if case.wrong is None:
        return int(logits.argmax()) in case.right
    return bool(max(logits[token] for token in case.right) > logits[case.wrong])


def occupation_bias(model: PreTrainedModel, tokenizer: Tokenizer) -> tuple[float, float]:
    """Correlation and mean distance of P(she | she or he) and the generator's stated chance."""
    measured = she_shares(model, tokenizer)
    stated = list(P_SHE.values())
    distance = np.abs(np.array(measured) - np.array(stated)).mean()
    return float(np.corrcoef(measured, stated)[0, 1]), float(distance)


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
