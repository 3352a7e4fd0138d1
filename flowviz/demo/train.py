"""Training from nothing to the shipped weights: seeded, shown, resumable.

What is trained is a :class:`Recipe`'s: the GPT (`gpt.py`) or the masked model (`masked/recipe.py`).
The rate rises over each stage's warm-up and falls to zero over its decay.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedModel

from flowviz.demo.mixture import Stage
from flowviz.demo.optimiser import Muon

ANSWER_WEIGHT = 3.0
RATE = 3e-3
CHECKPOINT = "checkpoint.pt"


@dataclass(frozen=True)
class Settings:
    """How to train. The defaults are those of the shipped models."""

    out: Path = Path("runs/demo")
    seed: int = 0
    fresh: bool = False
    save_every: int = 100


@dataclass(frozen=True)
class Outcome:
    """What one step gave: its loss, and for each thing it was asked, whether it was right and
    the number of the phenomenon that it answers (0: none)."""

    loss: Tensor
    hits: np.ndarray
    answers: np.ndarray


@runtime_checkable
class Recipe(Protocol):
    """A network, and what it learns in each step.

    `names` are those of the phenomena, by number.
    """

    @property
    def stages(self) -> Sequence[Stage]:
        """The spans of training."""
        ...

    @property
    def names(self) -> Sequence[str]:
        """The phenomena, by number; the first is none."""
        ...

    def new_model(self, seed: int) -> PreTrainedModel:
        """The untrained network."""
        ...

    def outcome(self, model: PreTrainedModel, stage: int, step: int, seed: int) -> Outcome:
        """The loss of one step's batch."""
        ...


def rate_at(stage: Stage, step: int) -> float:
    """The learning rate: warm-up, flat, then down to zero over the last part."""
    up = (step + 1) / stage.warm_up if stage.warm_up else 1.0
    down = (stage.steps - step) / (stage.decay * stage.steps) if stage.decay else 1.0
    return RATE * min(1.0, up, down)


class Run:
    """A training run: the model, its optimiser, and how far it is."""

    def __init__(self, recipe: Recipe, settings: Settings) -> None:
        self.recipe, self.settings = recipe, settings
        self.model = recipe.new_model(settings.seed)
        self.optimiser = Muon(self.model)
        self.stage, self.step = 0, 0

    def resume(self) -> bool:
        """Take up the last checkpoint, if there is one."""
        path = self.settings.out / CHECKPOINT
        if self.settings.fresh or not path.exists():
            return False
        state = torch.load(path, weights_only=True)
        self.model.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.stage, self.step = state["stage"], state["step"]
        return True

    def save(self) -> None:
        """Write the checkpoint, whole or not at all."""
        path = self.settings.out / CHECKPOINT
        path.parent.mkdir(parents=True, exist_ok=True)
        state = {
            "model": self.model.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "stage": self.stage,
            "step": self.step,
        }
        torch.save(state, path.with_suffix(".new"))
        path.with_suffix(".new").replace(path)

    def train(self) -> None:
        """All stages that are still to do."""
        self.model.train()
        while self.stage < len(self.recipe.stages):
            self._train_stage(self.recipe.stages[self.stage])
            self.stage, self.step = self.stage + 1, 0
            self.save()

    def _train_stage(self, stage: Stage) -> None:
        progress = Progress(stage)
        while self.step < stage.steps:
            outcome = self.recipe.outcome(self.model, self.stage, self.step, self.settings.seed)
            self._update(outcome.loss, rate_at(stage, self.step))
            progress.note(self.step, outcome, self.recipe.names)
            self.step += 1
            if self.step % self.settings.save_every == 0:
                self.save()

    def _update(self, loss: Tensor, rate: float) -> None:
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step(rate)


class Progress:
    """Prints, every so often, the loss and how many answers were right while training."""

    def __init__(self, stage: Stage, every: int = 25) -> None:
        self.stage, self.every = stage, every
        self.clear()

    def clear(self) -> None:
        """Begin a new count."""
        self.losses: list[float] = []
        self.right: dict[int, list[float]] = {}
        self.since = time.perf_counter()

    def note(self, step: int, outcome: Outcome, names: Sequence[str]) -> None:
        """Count one step, and print if it is time."""
        hits, answers = outcome.hits, outcome.answers
        self.losses.append(outcome.loss.item())
        for number in np.unique(answers[answers > 0]):
            self.right.setdefault(int(number), []).append(float(hits[answers == number].mean()))
        if (step + 1) % self.every == 0 or step + 1 == self.stage.steps:
            print(self._line(step + 1, names), flush=True)
            self.clear()

    def _line(self, step: int, names: Sequence[str]) -> str:
        speed = len(self.losses) * self.stage.batch_tokens / (time.perf_counter() - self.since)
        left = (self.stage.steps - step) * self.stage.batch_tokens / speed / 60
        right = ", ".join(
            f"{names[number]} {np.mean(values):.0%}" for number, values in self.right.items()
        )
        return (
            f"{self.stage.name} {step}/{self.stage.steps}  loss {np.mean(self.losses):.3f}  "
            f"{speed:,.0f} tokens/s  {left:.0f} min left  right: {right}"
        )


def train(recipe: Recipe, settings: Settings) -> PreTrainedModel:
    """Train, or go on training, and return the model."""
    run = Run(recipe, settings)
    print("resumed" if run.resume() else "started", f"in {settings.out}", flush=True)
    run.train()
    return run.model
