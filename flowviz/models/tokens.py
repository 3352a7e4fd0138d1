"""Tokens: text to ids, ids to readable text, and search in the vocabulary.

Text is tokenised by the model's own tokenizer and handed to the model as ids, so that what the
page shows is what the model read.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any

from flowviz.errors import RequestError

ID_FORM = re.compile(r"#(\d{1,9})")


class Vocabulary:
    """The tokens of one model.

    Args:
        tokenizer: a fast Hugging Face tokenizer.
        size: the width of the unembedding; ids beyond the tokenizer's own are padding rows.
    """

    def __init__(self, tokenizer: Any, size: int) -> None:
        self.tokenizer = tokenizer
        self.size = size

    def encode(self, prompt: str, context: int | None) -> list[int]:
        """The prompt's ids. Raises RequestError for none, or for more than the model takes."""
        ids = self.tokenizer(prompt)["input_ids"]
        if not ids:
            raise RequestError("The prompt has no tokens. Type some text, or pick an example.")
        if context and len(ids) > context:
            raise RequestError(
                f"The prompt has {len(ids):,} tokens; this model takes at most {context:,}. "
                "Shorten it."
            )
        return ids

    def text(self, token_id: int) -> str:
        """A token as it reads in running text, spaces kept; bytes that are no text as `<0xF0>`."""
        return self.texts[token_id]

    @cached_property
    def texts(self) -> list[str]:
        """The text of every id."""
        tokens = self.tokenizer.convert_ids_to_tokens(list(range(len(self.tokenizer))))
        special = set(self.tokenizer.all_special_tokens)
        texts = [
            token if token is None or token in special else self._readable(token)
            for token in tokens
        ]
        texts = [f"[{i}]" if text is None else text for i, text in enumerate(texts)]
        return texts[: self.size] + [f"[{i}]" for i in range(len(texts), self.size)]

    def _readable(self, token: str) -> str:
        if not self._is_byte_level:
            return token.replace("▁", " ")
        data = bytes(self._bytes.get(character, 0x3F) for character in token)
        return "".join(
            f"<0x{ord(character) - 0xDC00:02X}>" if "\udc80" <= character <= "\udcff" else character
            for character in data.decode("utf-8", "surrogateescape")
        )

    @cached_property
    def _is_byte_level(self) -> bool:
        return "ByteLevel" in str(self.tokenizer.backend_tokenizer.decoder)

    @cached_property
    def _bytes(self) -> dict[str, int]:
        """The byte behind each character of a byte-level token (Radford et al. 2019)."""
        printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
        hidden = [byte for byte in range(256) if byte not in printable]
        return {chr(byte): byte for byte in printable} | {
            chr(256 + place): byte for place, byte in enumerate(hidden)
        }

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {text: i for i, text in reversed(list(enumerate(self.texts)))}

    def resolve(self, token: str) -> int:
        """The id of one token, given as its text or as `#` and its id.

        A word without its leading space is taken with one where only that form is a token.

        Raises:
            RequestError: the text is not one token of this vocabulary.
        """
        by_id = ID_FORM.fullmatch(token)
        if by_id and int(by_id[1]) < self.size:
            return int(by_id[1])
        for text in (token, " " + token):
            if text in self._ids:
                return self._ids[text]
        pieces = self.tokenizer(token, add_special_tokens=False)["input_ids"]
        parts = ", ".join(repr(self.text(piece)) for piece in pieces[:8])
        raise RequestError(
            f"{token[:40]!r} is not one token of this model; it is {len(pieces)}: {parts}. "
            "Pick one of them, or another token."
        )

    def name(self, token_id: int) -> str:
        """The text that `resolve` reads back to this id: the token's own where it is unique."""
        text = self.texts[token_id]
        ambiguous = self._ids[text] != token_id or ID_FORM.fullmatch(text)
        return f"#{token_id}" if ambiguous or not text.isprintable() else text

    def find(self, text: str, limit: int) -> list[int]:
        """Ids of the tokens that match what was typed: the same, then by start, then within."""
        wanted = text.strip().casefold()
        if not wanted:
            return list(range(min(limit, self.size)))
        found = [
            (_closeness(folded, wanted), len(folded), i)
            for i, folded in enumerate(self._folded)
            if wanted in folded
        ]
        return [i for _, _, i in sorted(found)[:limit]]

    @cached_property
    def _folded(self) -> list[str]:
        return [text.strip().casefold() for text in self.texts]


def _closeness(token: str, wanted: str) -> int:
    return 0 if token == wanted else 1 if token.startswith(wanted) else 2
