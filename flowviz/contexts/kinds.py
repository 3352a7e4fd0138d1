"""The words of a search: sites, scores, what of a word is annotated. Plain values."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from flowviz.checked import shown
from flowviz.errors import RequestError

DEMO = "demo"
"""The name of the corpus that is always there."""


class SiteKind(StrEnum):
    """Where in a pass a vector stands; `Reader` says what each is in each family."""

    RESID_PRE = "resid_pre"  # the residual stream as block `layer` reads it; 0: the embeddings
    RESID_MID = "resid_mid"  # between its attention and its MLP
    RESID_FINAL = "resid_final"  # behind the last block, before the final norm
    HEADS = "heads"  # what the heads of block `layer` write, a part for each head
    ATTN_OUT = "attn_out"  # what its attention writes in all, biases included
    MLP_OUT = "mlp_out"  # what its MLP writes, biases included
    NEURONS = "neurons"  # the activations of its MLP's neurons


IN_A_BLOCK = tuple(kind.value for kind in SiteKind if kind is not SiteKind.RESID_FINAL)
WHOLE = -1  # the layer of a site that belongs to no block
MOST_LAYER = 10_000


@dataclass(frozen=True, order=True)
class Site:
    """One place in a pass, as in `resid_mid:3` or `resid_final`."""

    kind: SiteKind
    layer: int = WHOLE

    def __str__(self) -> str:
        return self.kind.value if self.layer == WHOLE else f"{self.kind.value}:{self.layer}"

    @classmethod
    def parse(cls, text: object) -> Site:
        """Reads the text form. Raises RequestError."""
        found = re.fullmatch(
            r"([a-z_]{1,20})(?::([0-9]{1,5}))?", text if isinstance(text, str) else ""
        )
        kind = found and next((each for each in SiteKind if each.value == found[1]), None)
        if not found or kind is None or (kind is SiteKind.RESID_FINAL) is (found[2] is not None):
            raise RequestError(
                f"site is {shown(text)}; it takes resid_final, or one of {', '.join(IN_A_BLOCK)} "
                "with a layer, as in resid_pre:3."
            )
        return cls(kind, WHOLE if found[2] is None else min(int(found[2]), MOST_LAYER))


class Metric(StrEnum):
    """How two vectors are compared. Neurons are always compared by their activation."""

    COSINE = "cosine"
    INNER = "inner"  # the inner product


class Role(StrEnum):
    """Which word of a hit: the one that was found, the one behind it, the one it looks at most."""

    MATCHED = "matched"
    NEXT = "next"
    ATTENDED = "attended"


class Feature(StrEnum):
    """What of a word is counted and filtered."""

    UPOS = "upos"  # universal part of speech
    DEPREL = "deprel"  # dependency relation to its governor
    ENTITY = "entity"  # type of the named entity that it is part of
    FORM = "form"  # the word as it is written
    LEMMA = "lemma"
    OFFSET = "offset"  # of the most attended token from the matched one, in tokens


ANNOTATIONS = (Feature.UPOS, Feature.DEPREL, Feature.ENTITY, Feature.LEMMA)
"""What a corpus may or may not have; forms and offsets are always there."""
