"""`flowviz contexts`: refused before torch, said before it is built, and the answer is Python's."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import flowviz
from flowviz.__main__ import main
from flowviz.contexts.json import read_contexts
from flowviz.contexts.store import open_store
from flowviz.views.tokens import width
from tests.models import save_model
from tests.test_cli import BEFORE_TORCH, ROOT

TREEBANK = """# sent_id = one
# text = The cat sat.
1	The	the	DET	_	_	2	det	_	_
2	cat	cat	NOUN	_	_	3	nsubj	_	_
3	sat	sit	VERB	_	_	0	root	_	SpaceAfter=No
4	.	.	PUNCT	_	_	3	punct	_	_

# sent_id = two
# text = A dog ran
1	A	a	DET	_	_	2	det	_	_
2	dog	dog	NOUN	_	_	3	nsubj	_	_
not a line
3	ran	run	VERB	_	_	0	root	_	_

# sent_id = three
# text = The dog sat
1	The	the	DET	_	_	2	det	_	_
2	dog	dog	NOUN	_	_	3	nsubj	_	_
3	sat	sit	VERB	_	_	0	root	_	_

"""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save_model("gpt2", tmp_path_factory.mktemp("contexts") / "mine"))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("corpora") / "small.conllu"
    path.write_text(TREEBANK)
    return path


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, corpus: Path, model: str) -> Path:
    folder = tmp_path_factory.mktemp("stores") / "store"
    assert main(["contexts", "build", str(corpus), "--out", str(folder), "--model", model]) == 0
    return folder


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["contexts", "--help"], 0, "search"),
        (["contexts", "build", "--help"], 0, "--spacy"),
        (["contexts"], 2, "COMMAND"),
        (["contexts", "build", "demo"], 2, "--out"),
        (["contexts", "build", "/nowhere/at/all", "--out", "x"], 2, "is not there. Name a CoNLL-U"),
        (["contexts", "build", "demo", "--out", "x", "--sites", "resid"], 2, "site is 'resid'"),
        (["contexts", "build", "demo", "--out", "x", "--sites", ","], 2, "--sites names none"),
        (["contexts", "build", "demo", "--out", "x", "--vectors", "int8"], 2, "invalid choice"),
        (["contexts", "build", "demo", "--out", "x", "--spacy", "en"], 2, "Leave --spacy out"),
        (["contexts", "build", "demo", "--out", "x", "--model", "/nowhere/at"], 2, "Give a folder"),
        (["contexts", "list", "/nowhere/at/all"], 2, "holds no store"),
        (["contexts", "search", ""], 2, "The prompt is empty"),
        (["contexts", "search", "x", "--site", "heads"], 2, "site is 'heads'"),
        (["contexts", "search", "x", "--where", "upos=VERB"], 2, "reads role.feature=value"),
        (["contexts", "search", "x", "--count", "0"], 2, "count is '0'"),
        (["contexts", "search", "x", "--least", "high"], 2, "least is 'high'"),
        (["contexts", "search", "x", "--metric", "l2"], 2, "it takes one of cosine, inner"),
        (["contexts", "search", "x", "--json", "--csv"], 2, "not allowed with"),
        (["contexts", "search", "x", "--store", "/nowhere/at/all"], 2, "holds no store"),
    ],
)
def test_what_needs_no_model_does_not_import_torch(
    arguments: list[str], code: int, words: str
) -> None:
    program = BEFORE_TORCH.format(arguments=arguments)
    ran = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True,
                         text=True, timeout=120)  # fmt: skip
    heavy = ran.stderr.splitlines()[-1]
    assert (ran.returncode, "torch" in heavy, "transformers" in heavy) == (code, False, False)
    assert ("--help" not in arguments) or heavy == "heavy: []"
    assert words in ran.stdout + ran.stderr
    assert "Traceback" not in ran.stderr


def printed(capsys: pytest.CaptureFixture, *arguments: str) -> Any:
    capsys.readouterr()
    assert main(["contexts", *arguments]) == 0
    return capsys.readouterr()


def test_a_build_says_what_it_takes_and_then_what_is_there(
    capsys: pytest.CaptureFixture, corpus: Path, model: str, tmp_path: Path
) -> None:
    asked = ("build", str(corpus), "--out", str(tmp_path / "x"), "--model", model)
    out, err = printed(capsys, *asked, "--sites", "resid_pre,heads:1")
    assert err.splitlines()[0] == "Corpus       3 sentences, 20 tokens"
    assert err.splitlines()[1] == "Sites        heads:1, resid_pre:0-2 (float16)"
    assert err.splitlines()[2].startswith("Takes        ")
    assert "Corpus       small.conllu: 3 sentences, 20 tokens" in out
    assert "Sites        heads:1, resid_pre:0-2 (float16)" in out
    assert "Faults       1:\n             small.conllu, line 12: " in out
    assert out == printed(capsys, "list", str(tmp_path / "x")).out
    again, err = printed(capsys, *asked, "--sites", "resid_pre:1")
    assert "nothing is left to do" in err
    assert again == out


def test_a_plan_builds_nothing(
    capsys: pytest.CaptureFixture, corpus: Path, model: str, tmp_path: Path
) -> None:
    asked = ("build", str(corpus), "--out", str(tmp_path / "x"), "--model", model, "--plan")
    out, err = printed(capsys, *asked, "--sites", "all", "--vectors", "float32")
    assert ("Takes " in out, "(float32)" in out, err) == (True, True, "")
    assert not (tmp_path / "x").exists()


def test_all_and_the_default(store: Path, corpus: Path, model: str, tmp_path: Path) -> None:
    kinds = {site.kind for site in open_store(store).info.sites}
    assert kinds == {"resid_pre", "resid_mid", "resid_final", "heads"}
    asked = ["contexts", "build", str(corpus), "--out", str(tmp_path / "x"), "--model", model]
    assert main([*asked, "--sites", "all"]) == 0
    assert {site.kind for site in open_store(tmp_path / "x").info.sites} > kinds


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--sites", "resid_pre:7"], "mine has no site resid_pre:7"),
        (["--vectors", "float32"], "was made with dtype float16, not float32. That is another"),
    ],
)
def test_what_cannot_be_built_is_one_line(
    capsys: pytest.CaptureFixture, store: Path, corpus: Path, model: str,
    arguments: list[str], words: str,
) -> None:  # fmt: skip
    asked = ["contexts", "build", str(corpus), "--out", str(store), "--model", model, *arguments]
    capsys.readouterr()
    assert main(asked) == 2
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert words in said.err


SEARCH = ("search", "The cat sat", "--position", "1", "--site", "resid_pre:1", "--every")


def test_a_search_is_that_of_python(capsys: pytest.CaptureFixture, store: Path, model: str) -> None:
    asked = (*SEARCH, "--store", str(store), "--model", model, "--where", "matched.upos=NOUN")
    found = flowviz.similar_contexts("The cat sat", model, store, position=1, site="resid_pre:1",
                                     one_each=False, filters=["matched.upos=NOUN"])  # fmt: skip
    assert {hit.words[hit.word_of[hit.position]].form for hit in found.hits} == {"cat", "dog"}
    read = read_contexts(printed(capsys, *asked, "--json").out)
    assert [hit.row for hit in read.hits] == [hit.row for hit in found.hits]
    rows = list(csv.DictReader(io.StringIO(printed(capsys, *asked, "--csv").out)))
    assert [int(row["row"]) for row in rows] == [hit.row for hit in found.hits]
    assert {row["matched_upos"] for row in rows} == {"NOUN"}
    bars = list(csv.DictReader(io.StringIO(printed(capsys, *asked, "--csv", "summaries").out)))
    assert {row["role"] for row in bars} >= {"matched", "next"}
    report, err = printed(capsys, *asked)
    assert err == ""
    assert report.count("NOUN/nsubj; ") == len(found.hits) == 7
    assert "Matched, part of speech (7 known)\n  NOUN                    7  100% (" in report
    assert all(width(line) <= 100 for line in report.splitlines())


def test_every_choice_reaches_the_request(
    capsys: pytest.CaptureFixture, store: Path, model: str
) -> None:
    chosen = (
        *("--metric", "inner", "--count", "4", "--least", "-1000", "--heads", "1.2,0.1"),
        *("--part", "small.conllu", "--other-word", "--first", "--where", "next.form!=x"),
    )
    text = printed(capsys, *SEARCH, "--store", str(store), "--model", model, *chosen, "--json").out
    request = read_contexts(text).request
    assert (request.metric, request.count, request.least) == ("inner", 4, -1000.0)
    assert (request.heads, request.part) == (((0, 1), (1, 2)), "small.conllu")
    assert (request.other_word, request.first, request.one_each) == (True, True, False)
    assert [str(each) for each in request.filters] == ["next.form!=x"]


def test_the_stores_own_model_is_the_default(
    capsys: pytest.CaptureFixture, tmp_path: Path, corpus: Path
) -> None:
    asked = ["contexts", "build", str(corpus), "--out", str(tmp_path), "--model", "demo-bert"]
    assert main([*asked, "--sites", "resid_pre:1"]) == 0
    found = json.loads(printed(capsys, *SEARCH, "--store", str(tmp_path), "--json").out)
    assert found["model"]["name"] == "demo-bert"


def test_a_store_of_another_model_is_one_line(capsys: pytest.CaptureFixture, store: Path) -> None:
    capsys.readouterr()
    assert main(["contexts", *SEARCH, "--store", str(store), "--model", "demo"]) == 2
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)


def test_control_c_says_that_it_goes_on(
    capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, corpus: Path,
    model: str,
) -> None:  # fmt: skip
    def stop(*_arguments: object, **_options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("flowviz.contexts.store.building.build", stop)
    asked = ["contexts", "build", str(corpus), "--out", str(tmp_path / "x"), "--model", model]
    assert main(asked) == 130
    assert "Stopped. Run the same again" in capsys.readouterr().err
