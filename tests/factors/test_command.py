"""`flowviz factors`: refused before torch, learned from end to end, and the card that it prints."""

from __future__ import annotations

import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from flowviz.__main__ import main
from flowviz.commands.factors import read_layers
from flowviz.contexts.kinds import Site, SiteKind
from flowviz.errors import RequestError
from flowviz.factors.card import sites_text
from flowviz.factors.dictionary.files import load_dictionary
from tests.encoders.models import save_encoder
from tests.factors.learn.small import write_text
from tests.models import save_model
from tests.test_cli import BEFORE_TORCH, ROOT

TRAIN = ["factors", "train", "demo", "--out", "x"]
SMALL = ["--factors", "16", "--steps", "4", "--batch", "32", "--held", "0.3", "--threads", "1"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save_model("gpt2", tmp_path_factory.mktemp("factors") / "mine"))


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_text(tmp_path_factory.mktemp("texts") / "text.txt"))


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["factors", "--help"], 0, "train"),
        (["factors", "train", "--help"], 0, "--penalty"),
        (["factors"], 2, "COMMAND"),
        (["factors", "train"], 2, "--out"),
        ([*TRAIN, "--method", "jumprelu"], 2, "invalid choice"),
        ([*TRAIN, "--factors", "1"], 2, "factors is 1; it takes a whole number from 2"),
        ([*TRAIN, "--penalty", "0"], 2, "penalty is 0; it takes a number above 0"),
        ([*TRAIN, "--penalty", "nan"], 2, "penalty is nan"),
        ([*TRAIN, "--k", "5000"], 2, "k is 5,000; it takes a whole number from 1 to 1,024"),
        ([*TRAIN, "--layers", "5-3"], 2, "--layers is '5-3'; it takes blocks, as in 0-5"),
        ([*TRAIN, "--sites", "resid"], 2, "site is 'resid'"),
        ([*TRAIN, "--corpus", "/nowhere/at/all"], 2, "is not there. Name a CoNLL-U"),
        ([*TRAIN, "--corpus", "demo:0:1"], 2, "is not there. Name a CoNLL-U"),
        ([*TRAIN, "--device", "tpu"], 2, "tpu"),
    ],
)
def test_arguments_are_read_before_torch(arguments: list[str], code: int, words: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", BEFORE_TORCH.format(arguments=arguments)],
        cwd=ROOT, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert ran.returncode == code
    assert words in ran.stdout + ran.stderr
    assert "heavy: []" in ran.stderr


def test_a_dictionary_from_end_to_end(
    model: str, text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "mine"
    words = ["factors", "train", model, "--corpus", text, "--out", str(out), *SMALL]
    assert main(words) == 0
    printed = capsys.readouterr().out
    about = load_dictionary(out).about
    assert (about.factors, about.steps, about.corpus) == (16, 4, "text.txt")
    assert all(site.layer > 0 for site in about.sites)
    assert f"explained variance  {about.explained:.4f}" in printed
    assert main(["factors", "list", str(out)]) == 0
    assert capsys.readouterr().out == printed
    assert {file.name for file in out.iterdir()} == {
        "README.md", "card.json", "weights.safetensors",
    }  # fmt: skip
    readme = (out / "README.md").read_text()
    assert f"| explained variance | {about.explained:.4f} |" in readme
    made = next(line for line in readme.splitlines() if "factors train" in line)
    assert main([*shlex.split(made)[3:], "--fresh"]) == 0  # the card's own command
    assert capsys.readouterr().out == printed


def test_one_for_each_site(
    model: str, text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["factors", "train", model, "--corpus", text, "--out", str(tmp_path), "--each",
             "--sites", "mlp_out,resid_final", "--vectors", str(tmp_path / "store")]  # fmt: skip
    assert main([*words, *SMALL, "--method", "topk", "--k", "4"]) == 0
    found = sorted(file.parent.name for file in tmp_path.glob("*/card.json"))
    assert found[-1] == "resid_final"
    assert found[:-1] == [f"mlp_out-{layer}" for layer in range(len(found) - 1)]
    for name in found:
        about = load_dictionary(tmp_path / name).about
        assert str(about.sites[0]) == name.replace("-", ":")
    assert (tmp_path / "store" / "manifest.json").exists()
    assert capsys.readouterr().out.count("explained variance") == len(found)


def test_an_encoder_from_end_to_end(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = str(save_encoder("bert", tmp_path / "bert"))
    out = tmp_path / "mine"
    assert main(["factors", "train", model, "--corpus", text, "--out", str(out), *SMALL]) == 0
    assert load_dictionary(out).about.sites
    assert "explained variance" in capsys.readouterr().out


def test_what_the_model_has_not_is_refused(
    model: str, text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["factors", "train", model, "--corpus", text, "--out", str(tmp_path / "a"), *SMALL]
    assert main([*words, "--layers", "50-60"]) == 2
    assert "has no such site" in capsys.readouterr().err
    assert main([*words, "--batch", "100000"]) == 2
    assert "Name a smaller --batch" in capsys.readouterr().err
    assert main([*words, "--sites", "resid_pre,neurons"]) == 2
    assert "(--each)" in capsys.readouterr().err


def test_an_interrupt_keeps_what_was_learned_and_says_how_to_go_on(
    model: str, text: str, tmp_path: Path
) -> None:
    out = tmp_path / "mine"
    words = [sys.executable, "-m", "flowviz", "factors", "train", model, "--corpus", text,
             "--out", str(out), *SMALL, "--steps", "100000", "--save-every", "0"]  # fmt: skip
    process = subprocess.Popen(words, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    kept = out / "learning" / "checkpoint.safetensors"
    end = time.monotonic() + 200
    while not kept.exists() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=100)
    assert process.returncode == 130
    assert "Run the same again, without --fresh: it goes on where it was." in said
    assert kept.exists()
    assert not (out / "card.json").exists()


def test_a_folder_without_a_dictionary_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["factors", "list", str(tmp_path)]) == 2
    assert "holds no dictionary" in capsys.readouterr().err


def test_layers_are_read() -> None:
    assert read_layers(None) is None
    assert read_layers("3") == range(3, 4)
    assert read_layers("0-5") == range(6)
    for wrong in ("", "a", "5-3", "1-2-3", "-1", "٣"):
        with pytest.raises(RequestError, match="--layers is"):
            read_layers(wrong)


def test_sites_in_few_words() -> None:
    pre, mid = SiteKind.RESID_PRE, SiteKind.RESID_MID
    sites = (Site(pre, 1), Site(pre, 2), Site(pre, 3), Site(pre, 5), Site(mid, 0))
    assert sites_text((*sites, Site(SiteKind.RESID_FINAL))) == (
        "resid_final, resid_mid:0, resid_pre:1-3, resid_pre:5"
    )
