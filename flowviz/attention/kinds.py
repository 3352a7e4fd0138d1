"""How attention is weighed, and the kinds of heads that there are: words that need no arrays."""

from __future__ import annotations

from enum import StrEnum

from flowviz.errors import RequestError

OFFSETS = 17  # i - j from -16 to 16


class Weighting(StrEnum):
    """What a cell of a map measures; see the head of `types.py`."""

    PATTERN = "pattern"
    NORM = "norm"
    FLOW = "flow"


class Part(StrEnum):
    """Which of a model's attentions is meant."""

    DECODER = "decoder"  # a token and what stands before it; all that a GPT has
    ENCODER = "encoder"  # every token and every other
    CROSS = "cross"  # a decoder's tokens, which look at the encoder's


KIND_WORDS = {
    "previous": "looks at the token before",
    "next": "looks at the token behind",
    "first": 'looks at the first token ("null" attention)',
    "special": "looks at special tokens, such as [SEP]",
    "same": "looks at the token itself",
    "duplicate": "looks at other occurrences of its token",
    "induction": "looks at what came after its token elsewhere",
} | {f"offset:{k}": f"looks {k} tokens back" for k in range(OFFSETS)} | {
    f"offset:{-k}": f"looks {k} token{'s' * (k > 1)} ahead" for k in range(1, OFFSETS)
}  # fmt: skip
"""What heads are looked for by (`flowviz/attention/finder.py`), and what such a head does."""
PLACES = tuple(range(1 - OFFSETS, OFFSETS))
ROWS = ("first", "special", "duplicate", "induction", *(f"offset:{k}" for k in PLACES))
SYNONYMS = {"previous": "offset:1", "next": "offset:-1", "same": "offset:0"}


def check_kind(text: object) -> str:
    """A key of `KIND_WORDS`; a number alone is an offset. Raises RequestError for any other."""
    kind = text if isinstance(text, str) else str(text) if type(text) is int else ""
    digits = kind.removeprefix("-")
    kind = f"offset:{kind}" if digits.isascii() and digits.isdigit() and len(kind) < 4 else kind
    if kind not in KIND_WORDS:
        raise RequestError(
            f"{str(text)[:40]!r} is no kind of head; it takes previous, next, first, special, "
            f"same, duplicate, induction, or an offset from {1 - OFFSETS} to {OFFSETS - 1}."
        )
    return kind
