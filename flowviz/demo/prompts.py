"""A set of prompts with their answers, from the generator's held-out cases, for analyses.

Of every phenomenon that has one right token so many prompts that no training document holds, as
they come: what the model gets wrong is not left out. Greater years have many right tokens, and a
verb has two (" is", " was"), where the phenomenon is agreement alone: these two are left out.
"""

from __future__ import annotations

from collections.abc import Iterator

from tokenizers import Tokenizer

from flowviz.analyses.prompts import write_prompts
from flowviz.analyses.types import Prompt
from flowviz.demo.cases import SUITES, Case
from flowviz.demo.evaluate import held_out_cases

SEED = "prompts"
CASES = 15
HEAD = """\
# Held-out prompts of the demo model's phenomena: prompt, answer, group, with tabs between.
# Made by: python -m flowviz demo prompts --cases {cases} --seed {seed}
"""


def as_text(tokenizer: Tokenizer, cases: int = CASES, seed: str = SEED) -> str:
    """The set as the text of a file (flowviz/analyses/prompts.py)."""
    found = (prompt for name in SUITES for prompt in _prompts(name, tokenizer, cases, seed))
    return HEAD.format(cases=cases, seed=seed) + write_prompts(found)


def _prompts(name: str, tokenizer: Tokenizer, cases: int, seed: str) -> Iterator[Prompt]:
    for case in held_out_cases(name, tokenizer, cases, seed)[:cases]:
        text = tokenizer.decode(case.ids, skip_special_tokens=False)
        if _one_answer(case) and _reads_back(tokenizer, text, case):
            (answer,) = case.right
            yield Prompt(text, tokenizer.decode([answer]), name)


def _one_answer(case: Case) -> bool:
    return len(case.right) == 1 and case.wrong is None


def _reads_back(tokenizer: Tokenizer, text: str, case: Case) -> bool:
    """Whether the text is read as the tokens of the case, not split elsewhere."""
    return tuple(tokenizer.encode(text, add_special_tokens=False).ids) == case.ids
