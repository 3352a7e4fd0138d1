"""The demo BERT as it is trained: a small BERT that says hidden words and whether a text follows.

4 layers of width 144 with 6 heads, norms behind the sublayers as in BERT, GELU, embeddings tied to
the output, no dropout (nothing is read twice). The loss is the cross-entropy at hidden words, where
an answer counts `ANSWER_WEIGHT` times, plus half of that of the pairs (Devlin et al. 2019).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import cross_entropy
from transformers import BertConfig, BertForPreTraining, PreTrainedModel

from flowviz.demo.batches import Marker
from flowviz.demo.masked.batches import NEXT, MaskedBatch, masked_batch
from flowviz.demo.masked.stages import MASKED_STAGES, MaskedStage
from flowviz.demo.masked.tokenizer import CONTEXT, PAD, build_tokenizer
from flowviz.demo.train import ANSWER_WEIGHT, Outcome

PAIR_WEIGHT = 0.5
FOLLOWS, RANDOM = 0, 1
"""The two classes of the head for pairs, in Hugging Face's order."""


class MaskedRecipe:
    """How the masked model is trained."""

    def __init__(self, stages: Sequence[MaskedStage] = MASKED_STAGES) -> None:
        self.marker = Marker(build_tokenizer())
        self.stages = stages

    @property
    def names(self) -> Sequence[str]:
        """The phenomena, by number."""
        return self.marker.names

    def new_model(self, seed: int) -> PreTrainedModel:
        """The untrained network."""
        tokenizer = self.marker.tokenizer
        torch.manual_seed(seed)
        return BertForPreTraining(
            BertConfig(
                vocab_size=tokenizer.get_vocab_size(),
                hidden_size=144,
                num_hidden_layers=4,
                num_attention_heads=6,
                intermediate_size=4 * 144,
                max_position_embeddings=CONTEXT,
                type_vocab_size=2,
                hidden_act="gelu",
                hidden_dropout_prob=0.0,
                attention_probs_dropout_prob=0.0,
                pad_token_id=tokenizer.token_to_id(PAD),
            )
        )

    def outcome(self, model: PreTrainedModel, stage: int, step: int, seed: int) -> Outcome:
        """The loss of one step's batch."""
        data = masked_batch(self.stages[stage], step, self.marker, seed)
        hidden = packed_states(model, data)
        said, hits = _words(model, hidden, data)
        paired, pair_hits = _pairs(model, hidden, data)
        number = self.marker.number(NEXT)
        answers = [data.answers[data.wanted >= 0], np.full(len(pair_hits), number)]
        return Outcome(
            said + PAIR_WEIGHT * paired,
            np.concatenate([hits.numpy(), pair_hits.numpy()]),
            np.concatenate(answers),
        )


def packed_states(model: Any, data: MaskedBatch) -> Float[Tensor, "rows tokens d_model"]:
    """The last layer's states; a token sees those of its own text alone."""
    texts = torch.from_numpy(data.texts)
    return model.bert(
        input_ids=torch.from_numpy(data.ids),
        token_type_ids=torch.from_numpy(data.types),
        position_ids=torch.from_numpy(data.positions),
        attention_mask=(texts[:, :, None] == texts[:, None, :])[:, None],
    ).last_hidden_state


def _words(model: Any, hidden: Tensor, data: MaskedBatch) -> tuple[Tensor, Tensor]:
    """The loss at hidden words, and which of them are right."""
    asked = torch.from_numpy(data.wanted) >= 0
    wanted = torch.from_numpy(data.wanted)[asked]
    weights = torch.where(torch.from_numpy(data.answers)[asked] > 0, ANSWER_WEIGHT, 1.0)
    logits = model.cls.predictions(hidden[asked])
    each = cross_entropy(logits, wanted, reduction="none")
    return (each * weights).sum() / weights.sum(), logits.argmax(-1) == wanted


def _pairs(model: Any, hidden: Tensor, data: MaskedBatch) -> tuple[Tensor, Tensor]:
    """The loss of the pairs (0 where there are none), and which of them are right."""
    follows = torch.from_numpy(data.follows)
    asked = follows >= 0
    wanted = torch.where(follows[asked] == 1, FOLLOWS, RANDOM)
    logits = model.cls.seq_relationship(model.bert.pooler(hidden[asked][:, None]))
    loss = cross_entropy(logits, wanted, reduction="sum") / max(1, len(wanted))
    return loss, logits.argmax(-1) == wanted
