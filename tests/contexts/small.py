"""A corpus of a few annotated sentences."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

Line = tuple[str, str, int, str]  # form, part of speech, governor, relation
SENTENCES: tuple[tuple[Line, ...], ...] = (
    (("The", "DET", 2, "det"), ("girl", "NOUN", 3, "nsubj"), ("saw", "VERB", 0, "root"),
     ("a", "DET", 5, "det"), ("dog", "NOUN", 3, "obj")),
    (("She", "PRON", 2, "nsubj"), ("met", "VERB", 0, "root"), ("Mary", "PROPN", 2, "obj")),
    (("The", "DET", 2, "det"), ("teacher", "NOUN", 3, "nsubj"), ("saw", "VERB", 0, "root"),
     ("the", "DET", 5, "det"), ("girl", "NOUN", 3, "obj")),
    (("He", "PRON", 2, "nsubj"), ("slept", "VERB", 0, "root")),
    (("The", "DET", 2, "det"), ("boy", "NOUN", 3, "nsubj"), ("met", "VERB", 0, "root"),
     ("the", "DET", 5, "det"), ("nurse", "NOUN", 3, "obj")),
)  # fmt: skip


def conllu(sentences: Sequence[Sequence[Line]] = SENTENCES) -> str:
    """The sentences as a treebank has them."""
    return "".join(_block(number, lines) for number, lines in enumerate(sentences, 1))


def _block(number: int, lines: Sequence[Line]) -> str:
    rows = [
        f"{i}\t{form}\t{form.lower()}\t{upos}\t_\t_\t{head}\t{deprel}\t_\t_"
        for i, (form, upos, head, deprel) in enumerate(lines, 1)
    ]
    text = " ".join(form for form, *_ in lines)
    return "\n".join([f"# sent_id = s{number}", f"# text = {text}", *rows, "", ""])


def write_corpus(folder: Path, sentences: Sequence[Sequence[Line]] = SENTENCES) -> Path:
    """A CoNLL-U file with these sentences."""
    file = folder / "small.conllu"
    file.write_text(conllu(sentences), encoding="utf-8")
    return file
