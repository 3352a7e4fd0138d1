"""The README is true: commands parse, Python runs, the table is the code's, links lead."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from transformers import AutoModelForCausalLM, AutoTokenizer

import flowviz
from flowviz.__main__ import parser
from flowviz.demo import MODEL_FOLDER
from flowviz.demo.folder import FACTORS_FOLDER
from flowviz.factors.dictionary.files import load_dictionary
from flowviz.settings import SETTINGS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```sh\n(.*?)```", README, re.S)
TABLED = re.findall(r"^\| `([^`F]+)` \|", README, re.M)
COMMANDS = [line for block in BLOCKS for line in block.splitlines()] + TABLED
FLOWVIZ = [c.split("-m flowviz ", 1)[1] for c in COMMANDS if "-m flowviz " in c]


def test_the_test_command_is_the_one_that_ci_runs():
    assert "bash tests/run" in COMMANDS
    assert "bash tests/run" in (ROOT / ".ci/run").read_text().splitlines()


def test_the_first_command_makes_what_it_needs():
    first = COMMANDS[0]
    assert "-m venv .venv" in first
    assert "install -r requirements.txt" in first
    assert (ROOT / "requirements.txt").is_file()


@pytest.mark.parametrize("command", FLOWVIZ)
def test_every_flowviz_command_parses(command):
    parser().parse_args(shlex.split(command))


def test_every_other_command_names_what_is_there():
    for command in COMMANDS:
        for word in shlex.split(command):
            if word.endswith((".py", ".txt")) or word.startswith("tests/"):
                assert (ROOT / word).exists(), command


PYTHON = re.findall(r"```python\n(.*?)```", README, re.S)


def test_the_attention_example_runs_as_it_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    scope: dict = {}
    exec(PYTHON[0], scope)
    assert scope["maps"].readings[7][0].token == " She"
    assert "We met the nurse" in Path("attention.html").read_text()


def test_the_contexts_example_runs_as_it_says():
    scope: dict = {}
    exec(PYTHON[1], scope)
    found = scope["found"]
    assert len(found.hits) == 20
    assert found.summaries[1].bars[0].value == "NOUN"
    assert f"{found.store.sentences:,} annotated sentences" in README


def test_the_factors_example_runs_as_it_says():
    scope: dict = {}
    exec(PYTHON[2], scope)
    table, losses = scope["found"].table(), scope["found"].losses()
    at_tool = table[(table.site == "resid_pre:4") & (table.position == 3)]
    assert 195 in at_tool.factor.tolist()
    assert len(losses) == 10
    for name in ("coding", "topk"):
        card = load_dictionary(FACTORS_FOLDER / name).about
        assert f"{card.explained:.2f} with {card.l0:.0f}" in " ".join(README.split())
        assert f"{card.recovered:.2f})" in README


def test_the_python_example_runs_as_it_says(capsys):
    _, _, _, code = PYTHON
    scope: dict = {}
    exec(code, scope)
    explanation, against = scope["explanation"], scope["against"]
    assert explanation.graph.predictions[0].token == " Tokyo"
    assert explanation.graph.checks.conservation_error < 1e-4
    assert against.graph.target.contrast.token == " John"


def test_the_example_with_a_model_in_memory_runs():
    (code,) = re.findall(r"```py\n(.*?)```", README, re.S)
    model = AutoModelForCausalLM.from_pretrained(MODEL_FOLDER)
    scope = {"flowviz": flowviz, "model": model,
             "tokenizer": AutoTokenizer.from_pretrained(MODEL_FOLDER)}  # fmt: skip
    exec(code, scope)
    assert scope["explanation"].graph.predictions[0].token == " Tokyo"


def test_the_settings_table_is_the_codes():
    rows = re.findall(r"^\| `(FLOWVIZ_\w+)` \| (.*?) \| (.*) \|$", README, re.M)
    wanted = [(s.name, f"`{s.default}`" if s.default else "", s.words) for s in SETTINGS]
    assert rows == wanted


def test_links_and_pictures_lead_to_files():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert target.startswith("http") or (ROOT / target).exists(), target


def test_the_readme_names_no_place_of_one_machine():
    assert not re.search(r"/(home|root|work|tmp)/", README)
