"""Corpora made of text, and what was read of them."""

from __future__ import annotations

from pathlib import Path

from flowviz.contexts.corpus import open_corpus
from flowviz.contexts.corpus.types import Fault, Sentence

PLAIN = "\t".join


def line(number: object, form: str, head: object = 0, **more: str) -> str:
    """A line of a treebank with most columns empty."""
    last = more.get("misc", "_")
    upos, deprel, lemma = more.get("upos", "_"), more.get("deprel", "_"), more.get("lemma", "_")
    return PLAIN([str(number), form, lemma, upos, "_", "_", str(head), deprel, "_", last])


def block(*lines: str) -> str:
    """Lines and the empty one behind them."""
    return "\n".join(lines) + "\n\n"


def read(path: Path) -> tuple[list[Sentence], list[Fault]]:
    """All sentences and all faults."""
    found = [each for each, _ in open_corpus(path).read()]
    return (
        [each for each in found if isinstance(each, Sentence)],
        [each for each in found if isinstance(each, Fault)],
    )


def write(folder: Path, text: str | bytes, name: str = "made.conllu") -> Path:
    """A file with this content."""
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def of(folder: Path, text: str | bytes, name: str = "made.conllu") -> tuple[list, list]:
    """What is read of a file with this content: sentences, and faults as (line, lost)."""
    sentences, faults = read(write(folder, text, name))
    return sentences, [(fault.line, fault.lost) for fault in faults]
