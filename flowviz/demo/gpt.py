"""The demo GPT as it is trained: a small GPT-2 that says the next token.

6 layers of width 192 with 8 heads, tied embeddings, tanh GELU, no dropout. The loss is
cross-entropy; a token that answers a probe counts `ANSWER_WEIGHT` times, since the rest of a
generated text is mostly free choice from which nothing can be learned.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedModel

from flowviz.demo.batches import Marker, batch
from flowviz.demo.mixture import STAGES, Stage
from flowviz.demo.tokenizer import CONTEXT, end_of_text, train_tokenizer
from flowviz.demo.train import ANSWER_WEIGHT, Outcome


class GptRecipe:
    """How the GPT is trained; `compiled` needs a C++ compiler."""

    def __init__(self, compiled: bool = True, stages: Sequence[Stage] = STAGES) -> None:
        self.marker = Marker(train_tokenizer())
        self.stages = stages
        self._loss = torch.compile(_loss, dynamic=False) if compiled else _loss

    @property
    def names(self) -> Sequence[str]:
        """The phenomena, by number."""
        return self.marker.names

    def new_model(self, seed: int) -> PreTrainedModel:
        """The untrained network."""
        end = end_of_text(self.marker.tokenizer)
        torch.manual_seed(seed)
        return GPT2LMHeadModel(
            GPT2Config(
                vocab_size=self.marker.tokenizer.get_vocab_size(),
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

    def outcome(self, model: Any, stage: int, step: int, seed: int) -> Outcome:
        """The loss of one step's batch."""
        data = batch(self.stages[stage], step, self.marker, seed)
        answers = data.answers[:, 1:]
        weights = torch.where(torch.from_numpy(answers) > 0, ANSWER_WEIGHT, 1.0)
        loss, hits = self._loss(model, torch.from_numpy(data.ids), weights)
        return Outcome(loss, hits.numpy(), answers)


def _loss(model: Any, ids: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    with torch.autocast("cpu", torch.bfloat16):
        logits = model(input_ids=ids).logits[:, :-1]
    logits, wanted = logits.float(), ids[:, 1:]
    each = torch.nn.functional.cross_entropy(
        logits.flatten(0, 1), wanted.flatten(), reduction="none"
    ).view_as(wanted)
    return (each * weights).sum() / weights.sum(), logits.argmax(-1) == wanted
