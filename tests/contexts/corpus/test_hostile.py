"""Files that nobody should have: each is told, costs little memory, and loses nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from flowviz.contexts.corpus import open_corpus
from flowviz.contexts.corpus.lines import MOST_LINE
from flowviz.contexts.corpus.reported import MOST_FAULTS
from flowviz.contexts.corpus.types import Fault
from tests.contexts.corpus.reading import block, line, of, read, write

NEXT = block(line(1, "next"))
MEGABYTE = 2**20


APART = """
import json, re, sys
from pathlib import Path
from flowviz.contexts.corpus import open_corpus
from flowviz.contexts.corpus.types import Fault

words = longest = 0
last, faults = "", []
for found, _ in open_corpus(Path(sys.argv[1])).read():
    if isinstance(found, Fault):
        faults.append([found.line, found.lost])
    else:
        words, last = words + len(found.words), found.text
        longest = max(longest, len(last))
peak = re.search(r"VmHWM:\\s*([0-9]+) kB", Path("/proc/self/status").read_text())
print(json.dumps({"words": words, "longest": longest, "last": last, "faults": faults,
                  "most": int(peak[1]) / 1024}))
"""


def apart(path: Path) -> dict[str, Any]:
    """What is read in a process of its own, and the most memory that it took, in MiB."""
    done = subprocess.run([sys.executable, "-c", APART, str(path)], capture_output=True, check=True)
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def allowed(tmp_path_factory: pytest.TempPathFactory) -> float:
    """The memory that it may take: what a small file takes, and some more."""
    return apart(write(tmp_path_factory.mktemp("small"), NEXT))["most"] + 25


def sparse(path: Path, before: bytes, hole: int, behind: bytes) -> Path:
    """A file with a hole of NUL bytes that takes no space on disk."""
    with path.open("wb") as file:
        file.write(before)
        file.seek(len(before) + hole)
        file.write(behind)
    return path


@pytest.mark.parametrize("name", ["big.conllu", "big.txt"])
def test_a_line_of_a_gigabyte_is_passed_over(tmp_path: Path, name: str, allowed: float) -> None:
    first, behind = block(line(1, "a")).encode() * 400, b"\n\n" + NEXT.encode()
    found = apart(sparse(tmp_path / name, first, 1_000 * MEGABYTE, behind))
    assert found["faults"] == [[801, "the line"]]
    assert "next" in found["last"]
    assert found["most"] < allowed


def test_a_line_of_the_largest_size_is_read(tmp_path: Path) -> None:
    for size, count in ((MOST_LINE, 0), (MOST_LINE + 1, 1), (3 * MOST_LINE, 1)):
        text = "a" * 60 + " "
        text = (text * (size // len(text) + 1))[:size]
        _, faults = of(tmp_path, text + "\r\n\r\nNext.", "made.txt")
        assert len(faults) == count


def test_a_sentence_of_a_million_words(tmp_path: Path, allowed: float) -> None:
    words = "".join(line(i, "w", 1) + "\n" for i in range(1, 1_000_001))
    found = apart(write(tmp_path, words + "\n" + NEXT))
    assert (found["last"], found["faults"]) == ("next", [[1, "the sentence"]])
    assert found["most"] < allowed


def test_a_plain_sentence_without_end_is_cut(tmp_path: Path, allowed: float) -> None:
    found = apart(write(tmp_path, ("word " * 20 + "\n") * 20_000, "made.txt"))
    assert (found["words"], found["faults"]) == (400_000, [])
    assert found["longest"] <= 4_000
    assert found["most"] < allowed


def test_a_file_of_faults_alone_has_a_bounded_report(tmp_path: Path) -> None:
    text = "".join(block(line(1, "a"), f"wrong {i}", "wrong again") for i in range(1_000))
    (tmp_path / "many").mkdir()
    for name in ("a.conllu", "b.conllu"):
        write(tmp_path / "many", text, name)
    sentences, faults = read(tmp_path / "many")
    assert not sentences
    assert len(faults) == MOST_FAULTS + 1
    assert str(faults[-1]) == "many: There are 5,000 more faults in it. Left out: what they name."


SLOW = {
    "dots.txt": ("." * 3_000 + "a") * 100,
    "quotes.txt": '."' * 10_000 + "a",
    "openings.txt": "a. " + "(" * 20_000,
    "words.txt": "word\n" * 20_000,
    "marks.txt": "a" + "\u0301" * 200_000,
    "misc.conllu": line(1, "a", misc="Entity=" + "a" * 400_000 + "("),
    "brackets.conllu": line(1, "a", misc="Entity=" + "(a-b" * 40_000),
    "fields.conllu": line(1, "a", misc="Entity=(" + "-" * 400_000),
    "parts.conllu": line(1, "a", misc="|" * 400_000),
    "spaces.conllu": "# text = a" + " " * 300_000 + "b\n" + line(1, "a") + "\n" + line(2, "c", 1),
}


@pytest.mark.parametrize("name", SLOW)
def test_no_text_takes_longer_than_its_length(tmp_path: Path, name: str) -> None:
    """What would take minutes if time went with the square of a length takes seconds."""
    path = write(tmp_path, SLOW[name] + "\n", name)
    begin = time.process_time()
    sentences, _ = read(path)
    assert sentences
    assert time.process_time() - begin < 5


@pytest.mark.parametrize("bad", [b"\xff\xfeabc", b"a\xe9b", b"\xed\xa0\x80", b"\xc0\x80", b"a\0b"])
def test_bytes_that_are_no_text_lose_their_line(tmp_path: Path, bad: bytes) -> None:
    before, behind = line(1, "a").encode(), line(3, "c", 1).encode()
    word = line(2, "b", 1).encode().replace(b"b", bad, 1)
    text = b"# text = a bbb c\n" + before + b"\n" + word + b"\n" + behind + b"\n\n" + NEXT.encode()
    sentences, faults = of(tmp_path, text)
    assert [s.text for s in sentences] == ["a bbb c", "next"]
    assert faults == [(3, "the line")]
    sentences, faults = of(tmp_path, b"One.\n" + bad + b"\nTwo.\n", "made.txt")
    assert ([s.text for s in sentences], faults) == (["One.", "Two."], [(2, "the line")])


def test_a_comment_that_is_no_text_loses_itself_alone(tmp_path: Path) -> None:
    sentences, faults = of(tmp_path, b"# text = \xff\n" + NEXT.encode())
    assert ([s.text for s in sentences], faults) == (["next"], [(1, "the line")])


@pytest.mark.parametrize(
    "data",
    [bytes(range(256)) * 40, b"\x7fELF" + b"\0" * 500, "text\n".encode("utf-16"),
     "text\n".encode("utf-16-be") * 20, b"\x1f\x8b\x08" + os.urandom(3000)],
)  # fmt: skip
@pytest.mark.parametrize("name", ["made.txt", "made.conllu"])
def test_a_file_that_is_no_text_is_left_out(tmp_path: Path, data: bytes, name: str) -> None:
    assert of(tmp_path, data, name) == ([], [(0, "the file")])


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("last", ["", "\n", "\n\n\n"])
def test_marks_and_line_ends_of_other_systems(
    tmp_path: Path, end: str, mark: str, last: str
) -> None:
    text = mark + "\n".join(["# text = a b", line(1, "a"), line(2, "b", 1, misc="X=1")]) + last
    (sentence,), faults = of(tmp_path, text.replace("\n", end))
    assert (sentence.text, len(sentence.words), faults) == ("a b", 2, [])
    (sentence,), _ = of(tmp_path, (mark + "One two." + last).replace("\n", end), "made.txt")
    assert sentence.text == "One two."


@pytest.mark.parametrize("name", ["empty.txt", "empty.conllu"])
def test_an_empty_file_gives_nothing(tmp_path: Path, name: str) -> None:
    assert of(tmp_path, "", name) == ([], [])


def test_a_file_that_goes_away_is_a_fault(tmp_path: Path) -> None:
    write(tmp_path, NEXT, "a.conllu")
    gone = write(tmp_path, NEXT, "b.conllu")
    corpus = open_corpus(tmp_path)
    gone.unlink()
    found = [each for each, _ in corpus.read()]
    assert isinstance(found[1], Fault)
    assert (found[1].file, found[1].lost) == ("b.conllu", "the file, or the rest of it")


@pytest.fixture(params=["made.conllu", "made.txt"])
def growing(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return write(tmp_path, NEXT * 5, request.param)


def test_a_file_that_grows_counts_no_more_than_its_size(growing: Path) -> None:
    corpus = open_corpus(growing)
    growing.write_text(NEXT * 50)
    assert max(done for _, done in corpus.read()) == corpus.bytes
