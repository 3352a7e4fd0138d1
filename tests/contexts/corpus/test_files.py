"""Which files a corpus is, and its hash."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flowviz.contexts.corpus import files, open_corpus
from flowviz.contexts.corpus.files import sources
from flowviz.contexts.corpus.types import Sentence
from flowviz.errors import RequestError
from tests.contexts.corpus.reading import block, line, write

ONE = block(line(1, "a"))


def names(path: Path) -> list[str]:
    return [source.name for source in sources(path)]


def test_a_folder_is_read_to_its_depths_in_order(tmp_path: Path) -> None:
    (tmp_path / "b" / "c").mkdir(parents=True)
    for name in ("z.conllu", "b/y.CONLLU", "b/c/x.conllu", "README.md", "LICENSE.txt"):
        write(tmp_path, ONE, name)
    assert names(tmp_path) == ["b/c/x.conllu", "b/y.CONLLU", "z.conllu"]


def test_texts_are_read_where_there_is_no_treebank(tmp_path: Path) -> None:
    for name in ("b.txt", "a.TXT", "c.md"):
        write(tmp_path, "One.", name)
    assert names(tmp_path) == ["a.TXT", "b.txt"]


def test_links_and_pipes_are_not_followed(tmp_path: Path) -> None:
    outside, folder = tmp_path / "outside", tmp_path / "corpus"
    for each in (outside, folder):
        each.mkdir()
    secret = write(outside, ONE, "secret.conllu")
    (folder / "link.conllu").symlink_to(secret)
    (folder / "folder").symlink_to(outside)
    os.mkfifo(folder / "pipe.conllu")
    write(folder, ONE, "real.conllu")
    assert names(folder) == ["real.conllu"]


def test_a_file_that_becomes_a_link_out_of_its_folder_is_not_read(tmp_path: Path) -> None:
    outside, folder = tmp_path / "outside", tmp_path / "corpus"
    for each in (outside, folder):
        each.mkdir()
    secret, real = write(outside, ONE, "secret.conllu"), write(folder, ONE, "real.conllu")
    corpus = open_corpus(folder)
    real.unlink()
    real.symlink_to(secret)
    ((fault, _),) = corpus.read()
    assert "real.conllu: It cannot be read" in str(fault)


def test_a_link_that_the_user_names_is_the_file_that_it_leads_to(tmp_path: Path) -> None:
    write(tmp_path, ONE, "real.conllu")
    (tmp_path / "link.conllu").symlink_to(tmp_path / "real.conllu")
    assert len(list(open_corpus(tmp_path / "link.conllu").read())) == 1


@pytest.mark.parametrize(
    ("name", "words"),
    [("none", "not there"), ("folder", "no corpus: 1 files"), ("pipe", "no file")],
)
def test_what_is_no_corpus_is_told(tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / "folder").mkdir()
    write(tmp_path / "folder", "x", "a.md")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(RequestError, match=words):
        open_corpus(tmp_path / name)


def test_names_of_any_bytes_can_be_shown_and_stored(tmp_path: Path) -> None:
    long = "x" * 150 + ".conllu"
    for name in (b"caf\xe9.conllu", b"a\nb.conllu", long.encode()):
        (tmp_path / os.fsdecode(name)).write_text(ONE)
    assert sorted(names(tmp_path)) == ["a?b.conllu", "caf\ufffd.conllu", long[-100:]]
    parts = [each.part for each, _ in open_corpus(tmp_path).read() if isinstance(each, Sentence)]
    assert sorted(parts) == sorted(names(tmp_path))
    open_corpus(tmp_path).fingerprint()


def test_a_folder_that_may_not_be_read_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_path: Path) -> bool:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "is_dir", refuse)
    with pytest.raises(RequestError, match=r"not to be read .Permission denied"):
        sources(Path("anywhere"))


def test_too_many_files_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MOST_FILES", 3)
    for number in range(4):
        write(tmp_path, ONE, f"{number}.conllu")
    with pytest.raises(RequestError, match="more than 3 files"):
        open_corpus(tmp_path)


def test_the_fingerprint_is_of_contents(tmp_path: Path) -> None:
    path = write(tmp_path, ONE * 3)
    before = open_corpus(path).fingerprint()
    os.utime(path, (1, 1))
    assert open_corpus(path).fingerprint() == before
    write(tmp_path, ONE * 2 + ONE.replace("a", "b"))
    assert open_corpus(path).fingerprint() != before
    text = write(tmp_path, ONE * 3, "made.txt")
    assert open_corpus(text).fingerprint() != before


def test_a_large_file_is_hashed_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "WHOLE", 1000)
    monkeypatch.setattr(files, "PIECE", 10)
    data = bytearray(b"x" * 5000)
    marks = set()
    for place in (None, 0, 4999, 4995):
        if place is not None:
            data[place] = ord("y")
        marks.add(open_corpus(write(tmp_path, bytes(data), "made.txt")).fingerprint())
    assert len(marks) == 4
    data[15] = ord("y")  # between two pieces
    marks.add(open_corpus(write(tmp_path, bytes(data), "made.txt")).fingerprint())
    assert len(marks) == 4
    marks.add(open_corpus(write(tmp_path, bytes(data) + b"z", "made.txt")).fingerprint())
    assert len(marks) == 5
