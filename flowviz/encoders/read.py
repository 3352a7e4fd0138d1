"""What a model reads of a question: its texts as tokens, pairs, masks, and what a decoder wrote.

Texts are tokenised by the model's own tokenizer, with the special tokens that it puts around them.
A second text is, of an encoder, the other sentence of a pair; of an encoder-decoder, what the
decoder has written so far, led by the token that the model starts with. A masked token is hidden
by the tokenizer's own mask token in its place.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from flowviz.attention.types import Column
from flowviz.encoders.loaded import LoadedEncoder
from flowviz.errors import RequestError
from flowviz.graph.types import PromptToken
from flowviz.models.kind import ModelKind


@dataclass(frozen=True)
class Text:
    """What one pass reads.

    Args:
        ids: the tokens as the model reads them, the mask token where one is hidden.
        column: the tokens as they were written.
        types: to which sentence each belongs, where the model takes that.
        written: what the decoder reads; None for a model without one.
        written_column: the same with its texts.
    """

    ids: tuple[int, ...]
    column: Column
    types: tuple[int, ...] | None = None
    written: tuple[int, ...] | None = None
    written_column: Column | None = None


def read_text(model: LoadedEncoder, prompt: str, second: str, mask: Sequence[int]) -> Text:
    """The tokens that the model reads. What the decoder writes by itself is not in it.

    Args:
        second: of an encoder the other sentence, of an encoder-decoder what was written; empty
            for none.
        mask: positions to hide.

    Raises:
        RequestError: there is nothing to read, too much, or a token that cannot be hidden.
    """
    both = model.kind is ModelKind.BOTH
    with model.lock:  # some tokenizers hold the language that they write in
        encoding = _encode(model, prompt, None if both else second or None)
        written = _written(model, second) if both and second else None
    ids = list(encoding["input_ids"])
    _check(model, ids, model.context, "The prompt and its second text have" if second and not both
           else "The prompt has")  # fmt: skip
    start = None if both or not second else _start_of_second(model, encoding, second)
    column = _column(model, ids, start, tuple(mask))
    types = encoding.get("token_type_ids")
    return Text(
        ids=_masked(model, ids, column),
        column=column,
        types=tuple(types) if types is not None and _takes_types(model.weights) else None,
        written=written,
        written_column=None if written is None else written_column(model, written),
    )


def _encode(model: LoadedEncoder, text: str, second: str | None) -> Any:
    return model.vocabulary.tokenizer(text, second, verbose=False)


def _check(model: LoadedEncoder, ids: Sequence[int], most: int | None, words: str) -> None:
    if not ids:
        raise RequestError("The prompt has no tokens. Type some text, or pick an example.")
    if most and len(ids) > most:
        raise RequestError(
            f"{words} {len(ids):,} tokens; this model takes at most {most:,}. Shorten it."
        )
    rows = model.weights.get_input_embeddings().weight.shape[0]
    if max(ids) >= rows:
        token = model.vocabulary.tokenizer.convert_ids_to_tokens(max(ids))
        raise RequestError(
            f"The prompt holds the token {token!r} with id {max(ids):,}, but the model has only "
            f"{rows:,} tokens. Leave it out, or resize the model's embeddings."
        )


def _column(
    model: LoadedEncoder, ids: Sequence[int], second: int | None, mask: tuple[int, ...]
) -> Column:
    special = model.vocabulary.special
    return Column(
        tokens=_tokens(model, ids),
        special=tuple(place for place, i in enumerate(ids) if i in special),
        second=second,
        masked=mask,
    )


def _tokens(model: LoadedEncoder, ids: Sequence[int]) -> tuple[PromptToken, ...]:
    text = model.vocabulary.text
    return tuple(PromptToken(place, i, text(i)) for place, i in enumerate(ids))


def _start_of_second(model: LoadedEncoder, encoding: Any, second: str) -> int | None:
    """Where the first token of the second text stands; None where it has none."""
    if encoding.is_fast:
        texts = encoding.sequence_ids(0)
        return texts.index(1) if 1 in texts else None
    inner = model.vocabulary.tokenizer(second, add_special_tokens=False, verbose=False)["input_ids"]
    ids = list(encoding["input_ids"])
    starts = range(len(ids) - len(inner), 0, -1)
    return next((i for i in starts if inner and ids[i : i + len(inner)] == inner), None)


def _takes_types(weights: Any) -> bool:
    named = "token_type_ids" in inspect.signature(weights.forward).parameters
    return named and getattr(weights.config, "type_vocab_size", 0) > 1


def _masked(model: LoadedEncoder, ids: Sequence[int], column: Column) -> tuple[int, ...]:
    """The ids with the mask token where a token is hidden."""
    hidden, token = column.masked, model.vocabulary.tokenizer.mask_token_id
    if not hidden:
        return tuple(ids)
    if token is None:
        raise RequestError(
            f"{model.shape.name} has no mask token, so that none of its tokens can be hidden. "
            "Leave out the mask."
        )
    beyond = [place for place in hidden if place >= len(ids)]
    if beyond:
        raise RequestError(
            f"mask names the position {beyond[0]}; the text has positions 0 to {len(ids) - 1}."
        )
    special = [place for place in hidden if place in column.special]
    if special:
        raise RequestError(
            f"mask names the position {special[0]}, where {column.tokens[special[0]].text!r} "
            "stands: a special token cannot be hidden. Choose a word's."
        )
    return tuple(token if place in hidden else i for place, i in enumerate(ids))


def _written(model: LoadedEncoder, text: str) -> tuple[int, ...]:
    """What the decoder reads where it has written a text: the model's own convention."""
    tokenizer, weights = model.vocabulary.tokenizer, model.weights
    labels = tokenizer(text_target=text, verbose=False)["input_ids"]
    _check(model, labels, None, "")
    ids = _shifted(weights, torch.tensor([labels], device=model.device))
    if ids is None:
        ids = [start_token(weights), *(labels[:-1] if labels[-1] in _ends(model) else labels)]
    _check(model, ids, model.decoder_context, "What the decoder has written has")
    return tuple(ids)


def _shifted(weights: Any, labels: Tensor) -> list[int] | None:
    """What the decoder reads of labels, by the family's own rule; None where it has none."""
    prepare = getattr(weights, "prepare_decoder_input_ids_from_labels", None)
    if prepare is not None:
        return prepare(labels=labels)[0].tolist()
    shift = getattr(sys.modules[type(weights).__module__], "shift_tokens_right", None)
    if shift is None:
        return None
    given = (labels, weights.config.pad_token_id, start_token(weights))
    return shift(*given[: len(inspect.signature(shift).parameters)])[0].tolist()


def _ends(model: LoadedEncoder) -> set[int]:
    """The tokens that end a text."""
    tokenizer = model.vocabulary.tokenizer
    return {tokenizer.eos_token_id, tokenizer.sep_token_id, *end_tokens(model.weights)}


def end_tokens(weights: Any) -> set[int]:
    """The tokens that end what a decoder writes."""
    said = generation(weights, "eos_token_id")
    return {i for i in (said if isinstance(said, list | tuple) else [said]) if isinstance(i, int)}


def generation(weights: Any, name: str) -> Any:
    """What a checkpoint says of how its decoder writes."""
    found = getattr(getattr(weights, "generation_config", None), name, None)
    return getattr(weights.config, name, None) if found is None else found


def written_column(model: LoadedEncoder, ids: Sequence[int]) -> Column:
    """What the decoder reads, as a column; the token that it starts with is special."""
    column = _column(model, ids, None, ())
    return Column(column.tokens, tuple(sorted({0, *column.special})))


def start_token(weights: Any) -> int:
    """The token that a decoder starts with."""
    for config in (weights.config, getattr(weights, "generation_config", None)):
        for name in ("decoder_start_token_id", "bos_token_id", "pad_token_id"):
            found = getattr(config, name, None)
            if isinstance(found, int):
                return found
    return 0


def inputs(model: LoadedEncoder, text: Text) -> dict[str, Tensor]:
    """The tensors that the model takes."""

    def row(ids: Sequence[int]) -> Tensor:
        return torch.tensor([list(ids)], device=model.device)

    given = {"input_ids": row(text.ids), "attention_mask": row([1] * len(text.ids))}
    if text.types is not None:
        given["token_type_ids"] = row(text.types)
    if text.written is not None:
        given["decoder_input_ids"] = row(text.written)
    return given
