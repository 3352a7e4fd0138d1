"""How often the masked model is right on cases that it was never trained on.

A case is a whole text in which one word is masked: that word must be said (`cases.py`). Texts of
several sentences are asked twice: as one text, and as a pair whose second text is the sentence of
the answer. Pairs are asked by what their second text is about: half of them follow.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Int
from tokenizers import Encoding, Tokenizer
from torch import Tensor
from transformers import BertForPreTraining, PreTrainedModel

from flowviz.demo import cases as found
from flowviz.demo.cases import SEED, SUITES, Case, against_stated, answer_at, find_cases
from flowviz.demo.document import Document, Probe
from flowviz.demo.draw import Draw
from flowviz.demo.lexicon.people import P_SHE
from flowviz.demo.masked.pairs import Text, cut, cuts_of, pair
from flowviz.demo.masked.recipe import FOLLOWS, RANDOM
from flowviz.demo.masked.tokenizer import MASK
from flowviz.demo.mixture import MAKERS
from flowviz.demo.tokenizer import token_id

MASKED_SUITES = SUITES | {
    "induction": MAKERS["short repeats"],
    "linked facts": MAKERS["linked facts"],
    "questions": MAKERS["questions"],
}
PAIR_KINDS = ("linked facts", "questions", "indirect objects", "at work", "occupations", "stories")
_OTHERS = 300
BIAS_TEXT = "The {} said that [MASK] was happy."
BIAS_PAIR = ("We met the {} at the market.", "[MASK] was very happy.")


@dataclass(frozen=True)
class MaskedCase(Case):
    """A text with one word masked: its types, and where the mask is."""

    types: tuple[int, ...] = ()
    at: int = 0


@dataclass(frozen=True)
class MaskedRow:
    """One line of the table. `pair` is the accuracy where the texts are pairs, if they can be."""

    phenomenon: str
    accuracy: float
    cases: int
    pair: float | None = None
    pair_cases: int = 0


@dataclass(frozen=True)
class PairRow:
    """How often it was told rightly whether the second text follows."""

    kind: str
    accuracy: float
    cases: int


@dataclass(frozen=True)
class Bias:
    """How P(she) at a mask compares with the generator's, over the occupations."""

    text: str
    correlation: float
    error: float


@dataclass(frozen=True)
class MaskedReport:
    """The whole of the tables."""

    rows: tuple[MaskedRow, ...]
    pairs: tuple[PairRow, ...]
    bias: tuple[Bias, ...]


def load_masked(folder: Path) -> tuple[PreTrainedModel, Tokenizer]:
    """A model and its tokenizer from a folder."""
    model = BertForPreTraining.from_pretrained(folder, dtype=torch.float32)
    return model.eval(), Tokenizer.from_file(str(folder / "tokenizer.json"))


def evaluate_masked(model: PreTrainedModel, tokenizer: Tokenizer, cases: int = 200) -> MaskedReport:
    """Every phenomenon and every kind of pair, each on up to so many cases."""
    rows = tuple(_row(model, tokenizer, name, cases) for name in MASKED_SUITES)
    pairs = tuple(_pair_row(model, tokenizer, kind, cases) for kind in PAIR_KINDS)
    bias = tuple(_bias(model, tokenizer, text) for text in ((BIAS_TEXT,), BIAS_PAIR))
    return MaskedReport(rows, pairs, bias)


def _row(model: PreTrainedModel, tokenizer: Tokenizer, name: str, count: int) -> MaskedRow:
    single = masked_cases(name, tokenizer, count)
    paired = masked_cases(name, tokenizer, count, pair=True)
    return MaskedRow(
        name,
        score_masked(model, single),
        len(single),
        score_masked(model, paired) if paired else None,
        len(paired),
    )


def masked_cases(
    name: str, tokenizer: Tokenizer, count: int, pair: bool = False, seed: str = SEED
) -> list[MaskedCase]:
    """Different held-out cases of one phenomenon, as one text or as a pair."""

    def made(draw: Draw) -> list[MaskedCase]:
        document = MASKED_SUITES[name](draw)
        if not pair:
            return [_case(Text(document), probe, tokenizer) for probe in document.probes]
        if len(document.sentences) < 2:
            return []
        first, second = cut(document, len(document.sentences) - 1)
        return [_case(Text(first, second), probe, tokenizer) for probe in second.probes]

    return find_cases(made, name, count, seed)


def _case(text: Text, probe: Probe, tokenizer: Tokenizer) -> MaskedCase:
    """The last of the documents is asked; its answer is masked."""
    document = text.second or text.first
    encoding = encode(tokenizer, *_words_of(text))
    begin = encoding.type_ids.index(1) if text.second else 1
    at = begin + answer_at(document, probe, tokenizer)
    right = {encoding.ids[at]} | {_number_of(form, probe, tokenizer) for form in probe.accept}
    wrong = token_id(tokenizer, probe.contrast) if probe.contrast else None
    ids = list(encoding.ids)
    ids[at] = token_id(tokenizer, MASK)
    return MaskedCase(tuple(ids), frozenset(right), wrong, tuple(encoding.type_ids), at)


def _number_of(form: str, probe: Probe, tokenizer: Tokenizer) -> int:
    """The id of a form; of the rest of a word where the text shows its beginning."""
    return token_id(tokenizer, f"##{form}" if probe.within else form)


def _words_of(text: Text) -> list[str]:
    return [part.text for part in (text.first, text.second) if part]


def encode(tokenizer: Tokenizer, first: str, second: str | None = None) -> Encoding:
    """A text or a pair with its special tokens."""
    return tokenizer.encode(first, second) if second is not None else tokenizer.encode(first)


def score_masked(model: PreTrainedModel, cases: list[MaskedCase]) -> float:
    """The share of the cases that are right."""
    return found.score(cases, lambda chunk: mask_logits(model, chunk))


@torch.no_grad()
def mask_logits(model: Any, cases: list[MaskedCase]) -> Float[Tensor, "batch d_vocab"]:
    """The logits at each case's mask. Shorter texts are padded behind, and nothing looks there."""
    ids, types, seen = _padded([(case.ids, case.types) for case in cases])
    out = model.bert(input_ids=ids, token_type_ids=types, attention_mask=seen)
    at = torch.tensor([case.at for case in cases])
    return model.cls.predictions(out.last_hidden_state[torch.arange(len(cases)), at])


def _padded(
    read: list[tuple[tuple[int, ...], tuple[int, ...]]],
) -> tuple[Int[Tensor, "batch pos"], Int[Tensor, "batch pos"], Int[Tensor, "batch pos"]]:
    """Ids, types, and 1 where there is a token."""
    longest = max(len(ids) for ids, _ in read)
    rows = [[(*part, *(0,) * (longest - len(part))) for part in one] for one in read]
    ids, types = (torch.tensor([row[i] for row in rows]) for i in (0, 1))
    lengths = torch.tensor([len(ids) for ids, _ in read])
    return ids, types, (torch.arange(longest) < lengths[:, None]).long()


def _pair_row(model: PreTrainedModel, tokenizer: Tokenizer, kind: str, count: int) -> PairRow:
    asked = pairs_of(kind, count)
    encoded = [encode(tokenizer, *_words_of(text)) for text in asked]
    said = follows_shares(model, [(tuple(e.ids), tuple(e.type_ids)) for e in encoded])
    right = sum((p > 0.5) == t.follows for p, t in zip(said, asked, strict=True))
    return PairRow(kind, right / len(asked), len(asked))


def pairs_of(kind: str, count: int, seed: str = SEED) -> list[Text]:
    """Held-out pairs of one kind; second texts that do not follow come from all kinds."""
    draw = Draw(f"{seed}/pairs/{kind}", held=True)
    others = [_halves(draw, draw.pick(PAIR_KINDS))[1] for _ in range(_OTHERS)]
    return [pair(*_halves(draw, kind), others, draw) for _ in range(count)]


def _halves(draw: Draw, kind: str) -> tuple[Document, Document]:
    """A document of this kind, cut before a sentence that holds an answer."""
    document = draw.until(lambda: MAKERS[kind](draw), cuts_of)
    return cut(document, draw.pick(cuts_of(document)))


@torch.no_grad()
def follows_shares(model: Any, read: list[tuple[tuple[int, ...], tuple[int, ...]]]) -> list[float]:
    """The probability that the second text follows, of each pair of ids and types."""
    ids, types, seen = _padded(read)
    logits = model(input_ids=ids, token_type_ids=types, attention_mask=seen).seq_relationship_logits
    return torch.sigmoid(logits[:, FOLLOWS] - logits[:, RANDOM]).tolist()


def _bias(model: PreTrainedModel, tokenizer: Tokenizer, text: tuple[str, ...]) -> Bias:
    correlation, error = against_stated(she_shares(model, tokenizer, text))
    return Bias(" / ".join(text).format("…"), correlation, error)


def she_shares(
    model: PreTrainedModel, tokenizer: Tokenizer, text: tuple[str, ...] = (BIAS_TEXT,)
) -> list[float]:
    """P(she) as a share of P(she) + P(he) at the mask, for each occupation in place of the {}."""
    mask = token_id(tokenizer, MASK)
    encoded = [encode(tokenizer, *(part.format(name) for part in text)) for name in P_SHE]
    asked = [
        MaskedCase(tuple(e.ids), frozenset(), None, tuple(e.type_ids), e.ids.index(mask))
        for e in encoded
    ]
    opens = text[-1].startswith(MASK)
    she, he = (token_id(tokenizer, f) for f in (("She", "He") if opens else ("she", "he")))
    logits = mask_logits(model, asked)
    return torch.sigmoid(logits[:, she] - logits[:, he]).tolist()


def masked_as_text(report: MaskedReport) -> str:
    """The tables, for a terminal and for the model card."""
    return "\n".join(
        [
            "| phenomenon | held-out accuracy | n | as a pair | n |",
            "|---|---|---|---|---|",
            *map(_line, report.rows),
            "",
            "| pairs: the second text is of … | follows or not, held-out accuracy | n |",
            "|---|---|---|",
            *(f"| {row.kind} | {row.accuracy:.1%} | {row.cases} |" for row in report.pairs),
            "",
            *(
                f"Occupation bias in “{bias.text}”: P(she) follows the generator's with "
                f"r = {bias.correlation:.3f}, mean distance {bias.error:.3f}."
                for bias in report.bias
            ),
        ]
    )


def _line(row: MaskedRow) -> str:
    pair = "" if row.pair is None else f"{row.pair:.1%}"
    return (
        f"| {row.phenomenon} | {row.accuracy:.1%} | {row.cases} | {pair} | {row.pair_cases or ''} |"
    )
