"""The command line: refuses before it loads, prints the graph alone, says the way out in a line."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from flowviz.__main__ import main
from flowviz.errors import FlowvizError
from flowviz.graph.json import read_graph
from flowviz.models.placement import Placement
from flowviz.settings import SETTINGS, Settings
from tests.models import save_model

ROOT = Path(__file__).parent.parent
PROMPT = "The capital of Japan is the city of"

BEFORE_TORCH = """
import sys
from flowviz.__main__ import main
code = 0
try:
    code = main({arguments})
except SystemExit as stop:
    code = stop.code
heavy = {{"torch", "transformers", "dash", "pandas", "numpy", "flask"}} & set(sys.modules)
print("heavy:", sorted(heavy), file=sys.stderr)
sys.exit(code)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save_model("llama", tmp_path_factory.mktemp("cli") / "mine"))


def python(*arguments: str, **named: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT, capture_output=True, text=True, timeout=120, **named,  # type: ignore[call-overload]
    )  # fmt: skip


# ---- before torch ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--help"], 0, "explain"),
        (["explain", "--help"], 0, "--contrast"),
        (["models"], 0, "tinyllama"),
        ([], 2, "COMMAND"),
        (["nosuch"], 2, "invalid choice"),
        (["explain", ""], 2, "The prompt is empty"),
        (["explain", "x", "--coverage", "2"], 2, "above 0 and up to 1"),
        (["explain", "x", "--wiring", "ring"], 2, "invalid choice"),
        (["explain", "x", "--interventions", "head:1=0"], 2, "names no node"),
        (["explain", "x", "--interventions", "head:1:0:0=donor"], 2, "give that prompt"),
        (["check", "x", "--interventions", "head:1:0:0"], 2, "is no intervention"),
        (["explain", "x", "--json", "--text"], 2, "not allowed with"),
        (["explain", "x", "--model", "/nowhere/at/all"], 2, "Give a folder"),
        (["explain", "x", "--model", "demo", "--base", "/nowhere/at/all"], 2, "neither a folder"),
        (["explain", "x", "--device", "gpu"], 2, "'gpu' is no device; give cpu"),
        (["explain", "x", "--dtype", "int4"], 2, "'int4' is no precision; give one of float32"),
        (["explain", "x", "--device", "mps", "--dtype", "float64"], 2, "mps has no float64"),
        (["models", "--dtype", "bf16"], 0, "2.2 GB"),
        (["models", "--dtype", "exact"], 2, "is no precision"),
        (["serve", "--device", "gpu"], 2, "'gpu' is no device; give cpu"),
        (["serve", "--dtype", "int4"], 2, "'int4' is no precision"),
        (["serve", "--port", "0"], 2, "from 1 to 65535"),
        (["serve", "--port", "99999"], 2, "from 1 to 65535"),
        (["serve", "--models", "demo,demo"], 2, "named twice"),
        (["serve", "--host", "no host"], 2, "cannot listen on no host"),
    ],
)
def test_what_needs_no_model_does_not_import_torch(
    arguments: list[str], code: int, words: str
) -> None:
    ran = python("-c", BEFORE_TORCH.format(arguments=arguments))
    assert (ran.returncode, ran.stderr.splitlines()[-1]) == (code, "heavy: []")
    assert words in ran.stdout + ran.stderr
    assert "Traceback" not in ran.stderr


def test_the_catalogue_says_what_there_is_without_a_path(capsys: pytest.CaptureFixture) -> None:
    assert main(["models"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("demo")
    assert "ships with flowviz" in printed
    assert str(ROOT) not in printed


# ---- explain -----------------------------------------------------------------------------------


def test_json_alone_goes_to_standard_output() -> None:
    ran = python("-m", "flowviz", "explain", PROMPT, "--json")
    assert (ran.returncode, ran.stderr) == (0, "")
    graph = json.loads(ran.stdout)
    assert graph["predictions"][0]["token"] == " Tokyo"
    assert 0 < graph["predictions"][0]["probability"] <= 1
    assert graph["checks"]["conservation_error"] <= 1e-4
    assert read_graph(ran.stdout).model.name == "demo"


def explained(capsys: pytest.CaptureFixture, *arguments: str) -> dict:
    assert main(["explain", *arguments, "--json"]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    return json.loads(printed.out)


def test_a_folder_of_ones_own_with_target_and_contrast(
    capsys: pytest.CaptureFixture, folder: str
) -> None:
    graph = explained(capsys, "the cat", "--model", folder, "--target", " cat", "--contrast", "the",
                      "--position", "0", "--wiring", "circuit", "--layers", "0-1")  # fmt: skip
    assert graph["model"]["name"] == "mine"
    assert graph["target"]["token"]["token"] == " cat"
    assert graph["target"]["contrast"]["token"] == "the"
    assert graph["target"]["position"] == 0
    assert graph["settings"]["wiring"] == "circuit"
    assert graph["settings"]["layers"] == [0, 1]


def test_a_precision_of_ones_own(capsys: pytest.CaptureFixture, folder: str) -> None:
    graph = explained(capsys, "the cat", "--model", folder, "--dtype", "float64", "--device", "cpu")
    assert graph["checks"]["dtype"] == "float64"


def test_a_device_that_is_not_there_is_one_line(capsys: pytest.CaptureFixture, folder: str) -> None:
    assert main(["explain", "the cat", "--model", folder, "--device", "cuda:99"]) == 2
    printed = capsys.readouterr()
    assert (printed.out, printed.err.count("\n")) == ("", 1)
    assert "There is no device cuda:99 here" in printed.err


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_standard_input_is_read_without_its_last_newline(
    capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch, folder: str, ending: str
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("the cat" + ending, newline=""))
    graph = explained(capsys, "-", "--model", folder)
    assert [token["text"] for token in graph["tokens"]] == ["the", " cat"]


def test_standard_input_that_is_no_text_is_refused(
    capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\xff\xfe"), encoding="utf-8"))
    assert main(["explain", "-"]) == 2
    assert "no UTF-8 text" in capsys.readouterr().err


def test_the_report_is_the_default(capsys: pytest.CaptureFixture, folder: str) -> None:
    assert main(["explain", "the cat", "--model", folder]) == 0
    assert "mine" in capsys.readouterr().out


def test_a_changed_pass_is_reported_before_and_after(
    capsys: pytest.CaptureFixture, folder: str
) -> None:
    change = ["--model", folder, "--interventions", "resid_mid:0:1=donor", "--donor", "a dog"]
    assert main(["explain", "the cat", *change]) == 0
    report = capsys.readouterr().out
    assert "Changed      L0 mid at ␣cat (1): from the other prompt" in report
    assert "Other prompt a␣dog" in report
    assert "before the change" in report
    graph = explained(capsys, "the cat", *change)
    assert (graph["interventions"], graph["donor"]) == (["resid_mid:0:1=donor"], "a dog")
    assert all(node["before"] is not None for node in graph["nodes"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--target", "no such token"], "is not one token of this model"),
        (["--position", "7"], "positions 0 to 1"),
        (["--target", "#7", "--contrast", "#7"], "the same token"),
        (["--layers", "9-9"], "counted from 0"),
        (["--interventions", "head:0:9:0=0"], "has positions 0 to 1"),
    ],
)
def test_what_the_model_cannot_answer_is_one_line(
    capsys: pytest.CaptureFixture, folder: str, arguments: list[str], words: str
) -> None:
    assert main(["explain", "the cat", "--model", folder, *arguments]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("flowviz: ")
    assert printed.err.count("\n") == 1
    assert words in printed.err


def test_a_model_that_is_none_is_one_line(capsys: pytest.CaptureFixture, tmp_path: Path) -> None:
    assert main(["explain", "x", "--model", str(tmp_path)]) == 2
    printed = capsys.readouterr()
    assert (printed.out, printed.err.count("\n")) == ("", 1)
    assert "holds no config.json. Give the folder" in printed.err


def test_a_reader_that_goes_away_makes_no_noise() -> None:
    code = "import sys; from flowviz.__main__ import main; sys.exit(main(['models']))"
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as gone:
        ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, stdout=gone, stderr=-1)
    assert (ran.returncode, ran.stderr) == (1, b"")


# ---- serve -------------------------------------------------------------------------------------


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def told(process: subprocess.Popen[str], words: str) -> str:
    """The line in which a server says that."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if words in line:
            return line
    raise AssertionError("".join(lines))


def answer(port: int, path: str = "/") -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as found:
            return found.status, found.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, ""


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[str]]]:
    processes: list[subprocess.Popen[str]] = []
    yield processes
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.communicate()


def start(
    started: list[subprocess.Popen[str]], *arguments: str, **environment: str
) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, *arguments], cwd=ROOT, text=True, stdout=-1, stderr=-2,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
    )  # fmt: skip
    started.append(process)
    return process


def test_serve_answers_and_stops_cleanly(started: list[subprocess.Popen[str]], folder: str) -> None:
    port = free_port()
    server = start(
        started, "-m", "flowviz", "serve", "--port", str(port), "--models", f"mine={folder}"
    )
    assert f"http://127.0.0.1:{port}/" in told(server, "flowviz is at")
    status, page = answer(port)
    assert (status, "flowviz" in page) == (200, True)
    server.send_signal(signal.SIGINT)
    rest, _ = server.communicate(timeout=30)
    assert (server.returncode, rest) == (0, "flowviz has stopped.\n")


def test_serve_stops_cleanly_while_it_loads(started: list[subprocess.Popen[str]]) -> None:
    server = start(started, "-m", "flowviz", "serve", "--port", str(free_port()))
    told(server, "Starting flowviz")
    server.send_signal(signal.SIGTERM)
    rest, _ = server.communicate(timeout=60)
    assert (server.returncode, rest) == (0, "flowviz has stopped.\n")


def test_a_port_in_use_is_said_before_the_model_is_loaded() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        arguments = ["serve", "--port", port]
        ran = python("-c", BEFORE_TORCH.format(arguments=arguments))
    assert (ran.returncode, ran.stderr.splitlines()[-1]) == (2, "heavy: []")
    assert re.search(rf"port {port}: .*in use.*--port", ran.stderr)
    assert ran.stderr.count("\n") == 2


# ---- gunicorn ----------------------------------------------------------------------------------


def procfile() -> list[str]:
    """The Procfile's command, with the words that a shell would make of it."""
    import shlex

    return shlex.split((ROOT / "Procfile").read_text().split(":", 1)[1])


def test_the_procfile_has_one_worker_with_threads() -> None:
    words = procfile()
    assert words[0] == "gunicorn"
    assert words[words.index("--workers") + 1] == "1"
    assert int(words[words.index("--threads") + 1]) > 1
    assert int(words[words.index("--timeout") + 1]) >= 120


def test_gunicorn_serves_the_procfile(started: list[subprocess.Popen[str]], folder: str) -> None:
    port = free_port()
    words = [word.replace("0.0.0.0:$PORT", f"127.0.0.1:{port}") for word in procfile()[1:]]
    server = start(started, "-m", "gunicorn", *words, FLOWVIZ_MODELS=f"mine={folder}")
    told(server, "Booting worker")
    assert answer(port)[0] == 200  # it waits until the worker has loaded
    server.send_signal(signal.SIGTERM)
    server.communicate(timeout=60)
    assert server.returncode == 0


def test_gunicorn_stops_with_a_line_where_a_setting_is_wrong(
    started: list[subprocess.Popen[str]],
) -> None:
    words = [word.replace("0.0.0.0:$PORT", "127.0.0.1:0") for word in procfile()[1:]]
    server = start(started, "-m", "gunicorn", *words, FLOWVIZ_CACHE_MB="much")
    said, _ = server.communicate(timeout=60)
    assert server.returncode != 0
    assert "flowviz: FLOWVIZ_CACHE_MB is 'much'; it takes a whole number" in said
    assert said.count("Booting worker") == 1


# ---- settings ----------------------------------------------------------------------------------


def test_settings_have_the_defaults_that_they_say() -> None:
    settings = Settings.from_environment({})
    assert [entry.name for entry in settings.catalogue.entries] == ["demo", "demo-bert"]
    assert (settings.models_bytes, settings.most_waiting) == (None, 32)
    assert (settings.cache_bytes, settings.frame_ancestors) == (None, "'self'")
    said = {setting.name: setting.default for setting in SETTINGS}
    assert Settings.from_environment(said) == settings
    assert Settings.from_environment(dict.fromkeys(said, "")) == settings


def test_settings_are_read_from_the_environment() -> None:
    settings = Settings.from_environment(
        {"FLOWVIZ_MODELS": "gpt2,demo", "FLOWVIZ_CACHE_MB": "100", "FLOWVIZ_MODELS_MB": "900",
         "FLOWVIZ_CONTEXTS": "news=stores/news, a-b = c", "FLOWVIZ_CONTEXTS_MB": "7",
         "FLOWVIZ_FACTORS": "saes = x/y", "FLOWVIZ_FACTORS_MB": "9",
         "FLOWVIZ_DEVICE": "cuda:1", "FLOWVIZ_DTYPE": "bf16",
         "FLOWVIZ_MOST_WAITING": "5", "FLOWVIZ_FRAME_ANCESTORS": "https://example.org 'self'"}
    )  # fmt: skip
    assert [entry.name for entry in settings.catalogue.entries] == ["gpt2", "demo"]
    placements = {entry.placement for entry in settings.catalogue.entries}
    assert placements == {Placement("cuda:1", "bfloat16")}
    assert settings.cache_bytes == 100 * 2**20
    assert (settings.models_bytes, settings.most_waiting) == (900 * 2**20, 5)
    assert settings.frame_ancestors == "https://example.org 'self'"
    assert settings.contexts == {"news": Path("stores/news"), "a-b": Path("c")}
    assert settings.contexts_bytes == 7 * 2**20
    assert (settings.factors, settings.factors_bytes) == ({"saes": Path("x/y")}, 9 * 2**20)
    assert len(Settings.from_environment({"FLOWVIZ_MODELS": "x"}, "demo").catalogue.entries) == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FLOWVIZ_MODELS", ","),
        ("FLOWVIZ_MODELS", "/nowhere/at/all"),
        ("FLOWVIZ_DEVICE", "tpu"),
        ("FLOWVIZ_DTYPE", "float8"),
        ("FLOWVIZ_CACHE_MB", "-1"),
        ("FLOWVIZ_CACHE_MB", "1e9"),
        ("FLOWVIZ_MODELS_MB", "0"),
        ("FLOWVIZ_MOST_WAITING", "many"),
        ("FLOWVIZ_CONTEXTS", "news"),
        ("FLOWVIZ_CONTEXTS", "news="),
        ("FLOWVIZ_CONTEXTS", "=stores/news"),
        ("FLOWVIZ_CONTEXTS", "news=a,news=b"),
        ("FLOWVIZ_CONTEXTS", "demo=a"),
        ("FLOWVIZ_CONTEXTS", "<b>=a"),
        ("FLOWVIZ_CONTEXTS_MB", "0"),
        ("FLOWVIZ_FACTORS", "saes"),
        ("FLOWVIZ_FACTORS", "saes=a,saes=b"),
        ("FLOWVIZ_FACTORS_MB", "none"),
        ("FLOWVIZ_FRAME_ANCESTORS", "*; script-src *"),
        ("FLOWVIZ_FRAME_ANCESTORS", "a\r\nSet-Cookie: b"),
    ],
)
def test_settings_that_cannot_be_are_refused(name: str, value: str) -> None:
    with pytest.raises(FlowvizError):
        Settings.from_environment({name: value})


def test_the_command_line_stands_above_the_environment() -> None:
    said = {"FLOWVIZ_DEVICE": "cuda", "FLOWVIZ_DTYPE": "float16"}
    settings = Settings.from_environment(said, device="cpu")
    assert settings.catalogue.entries[0].placement == Placement("cpu", "float16")


def test_every_setting_is_described() -> None:
    assert all(setting.words.endswith(".") for setting in SETTINGS)
    assert len({setting.name for setting in SETTINGS}) == len(SETTINGS)
