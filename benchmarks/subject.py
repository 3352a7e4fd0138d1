"""What is measured: a model of GPT-2 small's shape with random weights, and prompts of a length."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from flowviz.demo import MODEL_FOLDER
from flowviz.models.loaded import LoadedModel
from flowviz.models.loading import load_model


@lru_cache(maxsize=1)
def gpt2_small() -> LoadedModel:
    """12 layers, 12 heads, d_model 768, 50,257 tokens; the demo model's tokenizer."""
    from transformers import AutoTokenizer

    with TemporaryDirectory() as folder:
        plain_gpt2_small().save_pretrained(folder)
        AutoTokenizer.from_pretrained(MODEL_FOLDER).save_pretrained(folder)
        return load_model(str(Path(folder)))


def plain_gpt2_small() -> Any:
    """The same weights as transformers' own model, made anew; nothing has wrapped it."""
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    return GPT2LMHeadModel(GPT2Config(architectures=["GPT2LMHeadModel"])).eval()


def prompt_of(model: LoadedModel, tokens: int) -> str:
    """A prompt of so many tokens."""
    return " the" * tokens


_clock = time.perf_counter


def on_a_busy_machine() -> None:
    """From now on one thread, and its processor's time: what others run does not count then."""
    import torch

    global _clock
    torch.set_num_threads(1)
    _clock = time.process_time


def seconds(work: Callable[[], object]) -> float:
    """How long one call takes."""
    start = _clock()
    work()
    return _clock() - start


def side_by_side(rounds: int, *works: Callable[[], object]) -> list[list[float]]:
    """Times several works in turn, round after round, so that noise meets them all alike."""
    for work in works:
        work()
    turns = [[seconds(work) for work in works] for _ in range(rounds)]
    return [list(times) for times in zip(*turns, strict=True)]


def ratio(times: list[float], floor: list[float]) -> float:
    """The median of the ratios, round by round."""
    return statistics.median(a / b for a, b in zip(times, floor, strict=True))


def milliseconds(times: list[float]) -> float:
    """The median, in milliseconds."""
    return 1000 * statistics.median(times)
