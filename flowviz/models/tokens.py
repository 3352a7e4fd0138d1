"""Tokens: text to ids, ids to readable text, and search in the vocabulary.

Text is tokenised by the model's own tokenizer and handed to the model as ids, so that what the
page shows is what the model read. For every id, `resolve(name(id)) == id`.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any

from flowviz.errors import RequestError

ID_FORM = re.compile(r"#(\d{1,9})", re.ASCII)
BYTE_FORM = re.compile(r"<0x([0-9A-F]{2})>")
LONGEST_NAME = 100


class Vocabulary:
    """The tokens of one model. Safe to read from many threads.

    Args:
        tokenizer: a Hugging Face tokenizer; a fast one where texts are to be located in it.
        size: the width of the unembedding; ids beyond the tokenizer's own are padding rows.
    """

    def __init__(self, tokenizer: Any, size: int) -> None:
        self.tokenizer = tokenizer
        self.size = size
        # Saved with some tokenizers: it would cut prompts silently, and be reset in a race.
        if tokenizer.is_fast:
            tokenizer.backend_tokenizer.no_truncation()
            tokenizer.backend_tokenizer.no_padding()

    def encode(self, prompt: str, context: int | None) -> list[int]:
        """The prompt's ids. Raises RequestError for none, or for more than the model takes.

        A first token stands there where the tokenizer puts one, and only there. An end that it
        would put behind the prompt is left out: the prompt is to be continued.
        """
        ids = self.tokenizer(prompt, verbose=False)["input_ids"]
        ids = ids[: len(ids) - self.ending]
        if not ids:
            raise RequestError("The prompt has no tokens. Type some text, or pick an example.")
        if context and len(ids) > context:
            raise RequestError(
                f"The prompt has {len(ids):,} tokens; this model takes at most {context:,}. "
                "Shorten it."
            )
        if max(ids) >= self.size:
            token = self.tokenizer.convert_ids_to_tokens(max(ids))
            raise RequestError(
                f"The prompt holds the token {token!r} with id {max(ids):,}, but the model has "
                f"only {self.size:,} tokens. Leave it out, or resize the model's embeddings."
            )
        return ids

    def start_of(self, first: str, second: str) -> int | None:
        """Where the second of two joined texts begins: its first token's position.

        A token that holds the end of the first and the beginning of the second belongs to the
        second. None where the second has no token.
        """
        read = self.tokenizer(first + second, return_offsets_mapping=True, verbose=False)
        ends = (end for _, end in read["offset_mapping"])
        return next((place for place, end in enumerate(ends) if end > len(first)), None)

    @cached_property
    def ending(self) -> int:
        """How many tokens the tokenizer puts behind every text (T5's and XLNet's kinds do)."""
        whole = self.tokenizer("a", verbose=False)["input_ids"]
        inner = self.tokenizer("a", add_special_tokens=False, verbose=False)["input_ids"]
        starts = range(len(whole) - len(inner) + 1)
        start = next((i for i in starts if whole[i : i + len(inner)] == inner), len(whole))
        return max(len(whole) - start - len(inner), 0) if inner else 0

    @cached_property
    def special(self) -> frozenset[int]:
        """The ids that stand for no text: a beginning, an end, what separates or fills up.

        What stands for a text that is unknown, or hidden, is none of them.
        """
        tokenizer = self.tokenizer
        names = ("bos_token_id", "eos_token_id", "cls_token_id", "sep_token_id", "pad_token_id")
        named = {getattr(tokenizer, name) for name in names} - {None}
        for_text = {tokenizer.unk_token_id, tokenizer.mask_token_id}
        return frozenset(named | (set(tokenizer.all_special_ids) - for_text))

    def text(self, token_id: int) -> str:
        """A token as it reads in running text, spaces kept; bytes that are no text as `<0xF0>`."""
        return self.texts[token_id]

    @cached_property
    def texts(self) -> list[str]:
        """The text of every id."""
        top = max(self.tokenizer.get_vocab().values(), default=-1) + 1  # ids may have gaps
        tokens = self.tokenizer.convert_ids_to_tokens(list(range(min(top, self.size))))
        plain = {*self.tokenizer.all_special_tokens, *self.tokenizer.get_added_vocab()}
        texts = [None if token is None else self._readable(token, plain) for token in tokens]
        texts = [f"[{i}]" if text is None else text for i, text in enumerate(texts)]
        return texts + [f"[{i}]" for i in range(len(texts), self.size)]

    def _readable(self, token: str, plain: set[str]) -> str:
        if token in plain:  # as it was added; Gemma adds runs of spaces as runs of ▁
            return token if token.strip("▁") or self._is_byte_level else token.replace("▁", " ")
        if self._is_byte_level:
            return _decoded(bytes(self._bytes.get(character, 0x3F) for character in token))
        byte = BYTE_FORM.fullmatch(token)
        if byte:
            return _decoded(bytes([int(byte[1], 16)]))
        before, after = self._affixes
        if before:  # WordPiece marks what continues a word, not what begins one
            return token.removeprefix(before) if token.startswith(before) else f" {token}"
        if after and token.endswith(after):
            return f"{token.removesuffix(after)} "
        return token.replace("▁", " ")

    @cached_property
    def _affixes(self) -> tuple[str, str]:
        """What stands before a piece that continues a word (##), and behind one that ends it."""
        model = self.tokenizer.backend_tokenizer.model if self.tokenizer.is_fast else None
        behind = str(getattr(model, "end_of_word_suffix", None) or "")
        before = str(getattr(model, "continuing_subword_prefix", None) or "")
        return before, behind

    @cached_property
    def _is_byte_level(self) -> bool:
        if not self.tokenizer.is_fast:
            return False
        backend = self.tokenizer.backend_tokenizer
        return "ByteLevel" in f"{backend.decoder} {backend.pre_tokenizer}"

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
        """The id of each text: of several the first, and a piece before a fallback byte."""
        texts = list(enumerate(self.texts))
        texts.sort(key=lambda pair: (pair[0] in self._fallback_bytes, pair[0]), reverse=True)
        return {text: i for i, text in texts}

    @cached_property
    def _fallback_bytes(self) -> set[int]:
        """Ids of the single bytes that SentencePiece falls back to."""
        tokens = [] if self._is_byte_level else self.tokenizer.get_vocab().items()
        return {i for token, i in tokens if BYTE_FORM.fullmatch(token)}

    def resolve(self, token: str) -> int:
        """The id of one token, given as its text or as `#` and its id.

        A word without its space, before or behind it, is taken with it where only that form is a
        token.

        Raises:
            RequestError: the text is not one token of this vocabulary.
        """
        by_id = ID_FORM.fullmatch(token)
        if by_id and int(by_id[1]) < self.size:
            return int(by_id[1])
        for text in (token, " " + token, token + " "):
            if text in self._ids:
                return self._ids[text]
        raise RequestError(f"{token[:40]!r} is not one token of this model{self._pieces(token)}")

    def _pieces(self, token: str) -> str:
        """What a text is instead, where the model can read it at all."""
        if ID_FORM.fullmatch(token):
            return f": it has ids 0 to {self.size - 1:,}. Pick a token."
        ids = self.tokenizer(token, add_special_tokens=False, verbose=False)["input_ids"]
        if not ids or self.tokenizer.unk_token_id in ids or max(ids) >= self.size:
            return ". Pick a token of its vocabulary."
        parts = ", ".join(repr(self.name(i)) for i in ids[:8])
        return f"; it reads it as {parts}. Pick one of them, or another token."

    def name(self, token_id: int) -> str:
        """The text that `resolve` reads back to this id: the token's own where it is unique."""
        text = self.texts[token_id]
        plain = text.isprintable() and 0 < len(text) <= LONGEST_NAME
        ambiguous = self._ids[text] != token_id or ID_FORM.fullmatch(text)
        return text if plain and not ambiguous else f"#{token_id}"

    def find(self, text: str, limit: int) -> list[int]:
        """Ids of the tokens that match what was typed: the same, then by start, then within.

        `#` and an id finds that token first.
        """
        wanted = text.strip().casefold()
        limit = max(limit, 0)
        if not wanted:
            return list(range(min(limit, self.size)))
        by_id = ID_FORM.fullmatch(wanted)
        first = [int(by_id[1])] if by_id and int(by_id[1]) < self.size else []
        found = [
            (_closeness(folded, wanted), len(folded), i)
            for i, folded in enumerate(self._folded)
            if wanted in folded and i not in first
        ]
        return (first + [i for _, _, i in sorted(found)])[:limit]

    @cached_property
    def _folded(self) -> list[str]:
        return [text.strip().casefold() for text in self.texts]


def _decoded(data: bytes) -> str:
    """UTF-8, with bytes that are no text written as `<0xF0>`."""
    return "".join(
        f"<0x{ord(character) - 0xDC00:02X}>" if "\udc80" <= character <= "\udcff" else character
        for character in data.decode("utf-8", "surrogateescape")
    )


def _closeness(token: str, wanted: str) -> int:
    return 0 if token == wanted else 1 if token.startswith(wanted) else 2
