"""Documents as CoNLL-U: ten columns, the entity type in the last one."""

from __future__ import annotations

from flowviz.demo.document import Document, Word


def to_conllu(document: Document, name: str) -> str:
    """One block a sentence; ``SpaceAfter=No`` where the next word follows directly."""
    words = document.words
    glued = [not word.space for word in words[1:]] + [True]
    blocks, start = [], 0
    for number, sentence in enumerate(document.sentences, 1):
        flags = glued[start : start + len(sentence)]
        blocks.append(_block(sentence, flags, f"{name}-{number}"))
        start += len(sentence)
    return "".join(blocks)


def _block(sentence: tuple[Word, ...], glued: list[bool], name: str) -> str:
    text = "".join(" " * (word.space and i > 0) + word.form for i, word in enumerate(sentence))
    lines = [
        _line(i, word, no_space)
        for i, (word, no_space) in enumerate(zip(sentence, glued, strict=True), 1)
    ]
    return "\n".join([f"# sent_id = {name}", f"# text = {text}", *lines]) + "\n\n"


def _line(number: int, word: Word, glued: bool) -> str:
    notes = [f"Entity={word.entity}"] * (word.entity != "O") + ["SpaceAfter=No"] * glued
    columns = (
        number,
        word.form,
        word.lemma or word.form,
        word.upos,
        "_",
        word.feats,
        word.head,
        word.deprel,
        "_",
        "|".join(notes) or "_",
    )
    return "\t".join(map(str, columns))
