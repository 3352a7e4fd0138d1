"""`flowviz factors survey`: what it keeps, what it says, what it refuses."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from flowviz.__main__ import main
from flowviz.contexts.encode import open_reader
from flowviz.contexts.kinds import Site, SiteKind
from flowviz.factors.dictionary.files import load_dictionary, save_dictionary
from flowviz.factors.look.files import open_survey
from flowviz.models.loading import load_model
from tests.factors.look.made import TEXTS, made
from tests.models import save_model

SITE = Site(SiteKind.RESID_PRE, 1)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """A model, a dictionary of it, and a corpus of lines that are sentences."""
    top = tmp_path_factory.mktemp("survey")
    model = save_model("gpt2", top / "model")
    save_dictionary(made(load_model(str(model)), (SITE,)), top / "dictionary")
    (top / "corpus.txt").write_text("\n\n".join(TEXTS))
    return model, top / "dictionary", top / "corpus.txt"


def test_a_survey_is_kept_beside_its_dictionary(
    folders: tuple[Path, Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    model, dictionary, corpus = folders
    arguments = [str(dictionary), "--model", str(model), "--corpus", str(corpus)]
    assert main(["factors", "survey", *arguments, "--contexts", "3"]) == 0
    said = capsys.readouterr().out
    reader = open_reader(load_model(str(model)))
    found = open_survey(dictionary / "survey", load_dictionary(dictionary), reader)
    assert f"made over corpus.txt: {len(TEXTS)} sentences, {found.info.tokens} tokens" in said
    assert "levels: " in said
    assert f"kept in {dictionary / 'survey'}" in said
    assert max(found.top.starts[1:] - found.top.starts[:-1]) == 3
    assert found.info.annotations == ()


def test_levels_can_be_left_out(folders: tuple[Path, Path, Path], tmp_path: Path) -> None:
    model, dictionary, corpus = folders
    arguments = [str(dictionary), "--model", str(model), "--corpus", str(corpus)]
    assert main(["factors", "survey", *arguments, "--no-levels", "--out", str(tmp_path)]) == 0
    assert open_survey(tmp_path).reached is None


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--contexts", "0"], "--contexts is 0; it takes a number from 1 to 1,000"),
        (["--corpus", "nowhere"], "The corpus nowhere is not there"),
        (["--model", "demo"], "was learned on"),
    ],
)
def test_what_cannot_be_done_is_told(
    folders: tuple[Path, Path, Path],
    capsys: pytest.CaptureFixture[str],
    more: list[str],
    words: str,
) -> None:
    model, dictionary, corpus = folders
    arguments = [str(dictionary), "--model", str(model), "--corpus", str(corpus), *more]
    assert main(["factors", "survey", *arguments]) == 2
    assert words in capsys.readouterr().err


def test_arguments_are_read_before_torch_is() -> None:
    code = (
        "import sys\n"
        "from flowviz.__main__ import parser\n"
        "parser().parse_args(['factors', 'survey', 'folder'])\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
