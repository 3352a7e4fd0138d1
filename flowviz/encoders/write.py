"""What a decoder writes by itself: always its likeliest token, until the text ends.

1. The encoder reads the text once.
2. The decoder starts with the token that the model starts with, and a language's own behind it
   where the checkpoint forces one (mBART, M2M).
3. The likeliest token that the checkpoint does not forbid is written, until it is the end of text,
   or so many are written.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from flowviz.encoders.loaded import LoadedEncoder
from flowviz.encoders.read import Text, end_tokens, generation, inputs, start_token, written_column

MOST_WRITTEN = 64


def with_written(model: LoadedEncoder, text: Text) -> Text:
    """The text with what the decoder has written, which it writes now where nothing is given."""
    if text.written is not None:
        return text
    with model.lock, torch.inference_mode():
        ids = tuple(_written(model, text))
    return replace(text, written=ids, written_column=written_column(model, ids))


def _written(model: LoadedEncoder, text: Text) -> list[int]:
    weights = model.weights
    given = inputs(model, text)
    encoded = weights.get_encoder()(
        input_ids=given["input_ids"], attention_mask=given["attention_mask"], return_dict=True
    )
    ids, ends = list(_first_tokens(weights)), end_tokens(weights)
    most = min(MOST_WRITTEN + len(ids), model.decoder_context or MOST_WRITTEN + len(ids))
    forbidden = list(_forbidden(weights))
    while len(ids) < most:
        logits = _next(weights, encoded, given["attention_mask"], ids)
        logits[[i for i in forbidden if i < len(logits)]] = -torch.inf
        token = int(logits.argmax())
        if token in ends:
            break
        ids.append(token)
    return ids


def _next(weights: Any, encoded: Any, mask: Tensor, ids: list[int]) -> Tensor:
    output = weights(
        encoder_outputs=encoded,
        attention_mask=mask,
        decoder_input_ids=torch.tensor([ids], device=mask.device),
        use_cache=False,
    )
    return output.logits[0, -1].float()


def _first_tokens(weights: Any) -> Iterator[int]:
    yield start_token(weights)
    forced = generation(weights, "forced_bos_token_id")
    if isinstance(forced, int):
        yield forced


def _forbidden(weights: Any) -> Iterator[int]:
    """Tokens that the checkpoint never writes (Marian its padding)."""
    words = generation(weights, "bad_words_ids")
    for word in words if isinstance(words, list) else ():
        if isinstance(word, list) and len(word) == 1 and isinstance(word[0], int):
            yield word[0]
