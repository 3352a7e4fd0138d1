"""The tokens of a text, each with its characters in it.

A fast tokenizer says where in the text each token comes from. White space at the ends of a span is
left out of it (some tokenizers count the space before a word, others do not), unless the token is
nothing else. A character that several tokens share, as a byte-level tokenizer cuts one that is
rare, is in the span of each.

Of a tokenizer that does not say (a slow one), each token's text is looked for in what follows the
token before it, upper and lower case alike; one that is not found there (an unknown word, a letter
that was rewritten) gets an empty span where the last one ended.
"""

from __future__ import annotations

from typing import Any

from flowviz.contexts.encode.types import Tokens
from flowviz.errors import RequestError
from flowviz.models.tokens import Vocabulary

AHEAD = 24  # characters in which a token is looked for


def tokens_of(vocabulary: Vocabulary, text: str, *, ending: bool) -> Tokens:
    """A text of any length, with the special tokens that the tokenizer puts around it.

    Args:
        ending: whether those behind it are kept.

    Raises:
        RequestError: a token that the tokenizer knows and the model does not.
    """
    tokenizer = vocabulary.tokenizer
    if tokenizer.is_fast:
        read = tokenizer(text, return_offsets_mapping=True, verbose=False)
        ids, spans = read["input_ids"], [tuple(span) for span in read["offset_mapping"]]
        spans = [_trimmed(text, start, end) for start, end in spans]
    else:
        ids = tokenizer(text, verbose=False)["input_ids"]
        spans = _found(vocabulary, text, ids)
    most = len(ids) if ending else len(ids) - vocabulary.ending
    _check(vocabulary, ids)
    special = vocabulary.special
    return Tokens(
        ids=tuple(ids[:most]),
        texts=tuple(vocabulary.text(i) for i in ids[:most]),
        spans=tuple(spans[:most]),
        special=tuple(i in special for i in ids[:most]),
    )


def _check(vocabulary: Vocabulary, ids: list[int]) -> None:
    if max(ids, default=0) >= vocabulary.size:
        token = vocabulary.tokenizer.convert_ids_to_tokens(max(ids))
        raise RequestError(
            f"A text holds the token {token!r} with id {max(ids):,}, but the model has only "
            f"{vocabulary.size:,} tokens. Leave it out, or resize the model's embeddings."
        )


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """A span without white space at its ends; as it is where there is nothing else."""
    piece = text[start:end]
    inner = piece.strip()
    if not inner or len(inner) == len(piece):
        return start, end
    start += len(piece) - len(piece.lstrip())
    return start, start + len(inner)


def _found(vocabulary: Vocabulary, text: str, ids: list[int]) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    last, folded = 0, text.lower()
    exact: Any = folded if len(folded) == len(text) else text  # some letters have two in lower case
    for i in ids:
        piece = vocabulary.text(i).strip()
        piece = piece.lower() if exact is folded else piece
        at = exact.find(piece, last, last + AHEAD + len(piece)) if piece else -1
        if at < 0 or i in vocabulary.special:
            spans.append((last, last))
            continue
        last = at + len(piece)
        spans.append((at, last))
    return spans
