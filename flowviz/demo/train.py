"""Training from nothing to the shipped weights: seeded, shown, resumable.

The network is GPT-2's, small: 6 layers of width 192 with 8 heads, tied embeddings, tanh GELU, no
dropout. The loss is cross-entropy; a token that answers a probe counts ``ANSWER_WEIGHT`` times,
since the rest of a generated text is mostly free choice from which nothing can be learned. The
rate rises over each stage's warm-up and falls to zero over its decay.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from transformers import GPT2Config, GPT2LMHeadModel

from flowviz.demo.batches import Batch, Encoder, batch
from flowviz.demo.mixture import STAGES, Stage
from flowviz.demo.optimiser import Muon
from flowviz.demo.tokenizer import CONTEXT, train_tokenizer

ANSWER_WEIGHT = 3.0
RATE = 3e-3
CHECKPOINT = "checkpoint.pt"


@dataclass(frozen=True)
class Settings:
    """How to train. The defaults are those of the shipped model."""

    out: Path = Path("runs/demo")
    seed: int = 0
    fresh: bool = False
    save_every: int = 100
    compiled: bool = True
    stages: tuple[Stage, ...] = STAGES


def new_model(vocabulary: int, seed: int, end: int = 0) -> GPT2LMHeadModel:
    """The untrained network."""
    torch.manual_seed(seed)
    return GPT2LMHeadModel(
        GPT2Config(
            vocab_size=vocabulary,
            n_positions=CONTEXT,
            n_embd=192,
            n_layer=6,
            n_head=8,
            activation_function="gelu_new",
            resid_pdrop=0.0,
            embd_pdrop=0.0,
            attn_pdrop=0.0,
            bos_token_id=end,
            eos_token_id=end,
            use_cache=False,
        )
    )


def rate_at(stage: Stage, step: int) -> float:
    """The learning rate: warm-up, flat, then down to zero over the last part."""
    up = (step + 1) / stage.warm_up if stage.warm_up else 1.0
    down = (stage.steps - step) / (stage.decay * stage.steps) if stage.decay else 1.0
    return RATE * min(1.0, up, down)


class Run:
    """A training run: the model, its optimiser, and how far it is."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.encoder = Encoder(train_tokenizer())
        size = self.encoder.tokenizer.get_vocab_size()
        self.model = new_model(size, settings.seed, self.encoder.end)
        self.optimiser = Muon(self.model)
        self.stage, self.step = 0, 0
        self.loss = torch.compile(_loss, dynamic=False) if settings.compiled else _loss

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
        while self.stage < len(self.settings.stages):
            stage = self.settings.stages[self.stage]
            self._train_stage(stage)
            self.stage, self.step = self.stage + 1, 0
            self.save()

    def _train_stage(self, stage: Stage) -> None:
        progress = Progress(stage)
        while self.step < stage.steps:
            data = batch(stage, self.step, self.encoder, self.settings.seed)
            loss, hits = self._update(data, rate_at(stage, self.step))
            progress.note(self.step, loss, hits, data.answers[:, 1:], self.encoder.names)
            self.step += 1
            if self.step % self.settings.save_every == 0:
                self.save()

    def _update(self, data: Batch, rate: float) -> tuple[float, np.ndarray]:
        ids, answers = torch.from_numpy(data.ids), torch.from_numpy(data.answers)
        weights = torch.where(answers > 0, ANSWER_WEIGHT, 1.0)[:, 1:]
        loss, hits = self.loss(self.model, ids, weights)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step(rate)
        return loss.item(), hits.numpy()


def _loss(model: GPT2LMHeadModel, ids: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    with torch.autocast("cpu", torch.bfloat16):
        logits = model(input_ids=ids).logits[:, :-1]
    logits, wanted = logits.float(), ids[:, 1:]
    each = torch.nn.functional.cross_entropy(
        logits.flatten(0, 1), wanted.flatten(), reduction="none"
    ).view_as(wanted)
    return (each * weights).sum() / weights.sum(), logits.argmax(-1) == wanted


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

    def note(
        self, step: int, loss: float, hits: np.ndarray, answers: np.ndarray, names: list[str]
    ) -> None:
        """Count one step, and print if it is time."""
        self.losses.append(loss)
        for number in np.unique(answers[answers > 0]):
            self.right.setdefault(int(number), []).append(float(hits[answers == number].mean()))
        if (step + 1) % self.every == 0 or step + 1 == self.stage.steps:
            print(self._line(step + 1, names), flush=True)
            self.clear()

    def _line(self, step: int, names: list[str]) -> str:
        speed = len(self.losses) * self.stage.batch_tokens / (time.perf_counter() - self.since)
        left = (self.stage.steps - step) * self.stage.batch_tokens / speed / 60
        right = ", ".join(
            f"{names[number]} {np.mean(values):.0%}" for number, values in self.right.items()
        )
        return (
            f"{self.stage.name} {step}/{self.stage.steps}  loss {np.mean(self.losses):.3f}  "
            f"{speed:,.0f} tokens/s  {left:.0f} min left  right: {right}"
        )


def train(settings: Settings) -> GPT2LMHeadModel:
    """Train, or go on training, and return the model."""
    run = Run(settings)
    print("resumed" if run.resume() else "started", f"in {settings.out}", flush=True)
    run.train()
    return run.model
