"""The hub: a small one on this machine, that answers as the real one does."""

from __future__ import annotations

import hashlib
import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from huggingface_hub import constants

from flowviz.errors import Cancelled, ModelError
from flowviz.models.loading import load_model
from tests.models import save_model

SHA = "0123456789abcdef0123456789abcdef01234567"


class Hub(ThreadingHTTPServer):
    """Holds one model, `lab/small`, and the names that answer with an error."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.files = {file.name: file.read_bytes() for file in folder.iterdir()}
        self.files["pytorch_model.bin"] = b"never asked for"
        self.asked: list[str] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Answer(BaseHTTPRequestHandler):
    server: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on standard error."""

    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        self.server.asked.append(f"{self.command} {path}")
        if "lab/gated" in path:
            self._refuse(403, "GatedRepo")
        elif "lab/down" in path:
            self._refuse(400, "")
        elif "lab/small" not in path:
            self._refuse(401, "RepoNotFound")
        elif "/resolve/" in path:
            self._file(path.split("/")[-1])
        elif "/tree/" in path:
            self._json([{"type": "file", "path": name, "size": len(data), "oid": _oid(data)}
                        for name, data in self.server.files.items()])  # fmt: skip
        else:
            names = [{"rfilename": name} for name in self.server.files]
            self._json({"id": "lab/small", "modelId": "lab/small", "sha": SHA, "siblings": names})

    do_HEAD = do_GET

    def _file(self, name: str) -> None:
        data = self.server.files[name]
        self._answer(200, data, {"ETag": f'"{_oid(data)}"', "X-Repo-Commit": SHA})

    def _json(self, value: object) -> None:
        self._answer(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _refuse(self, code: int, reason: str) -> None:
        self._answer(code, b"{}", {"X-Error-Code": reason, "Content-Type": "application/json"})

    def _answer(self, code: int, data: bytes, headers: dict[str, str]) -> None:
        self.send_response(code)
        for name, value in {**headers, "Content-Length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(data)


def _oid(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    server = Hub(save_model("gpt2", tmp_path / "model"))
    point_at(server.address, tmp_path, monkeypatch)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def point_at(address: str, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    template = address + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "ENDPOINT", address)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache / "cache"))


def refusal(source: str) -> str:
    with pytest.raises(ModelError) as caught:
        load_model(source)
    return str(caught.value)


def test_a_hub_name_is_downloaded_once_and_then_works_offline(hub: Hub) -> None:
    told: list[str] = []
    model = load_model("lab/small", progress=lambda stage, part: told.append(stage))
    assert model.shape.name == "lab/small"
    assert any("Downloading lab/small" in stage and "MB" in stage for stage in told)
    assert not any(".bin" in path for path in hub.asked)
    hub.asked.clear()
    again = load_model("lab/small")
    assert again.shape == model.shape
    assert hub.asked == []


def test_a_download_can_be_cancelled_and_taken_up_again(hub: Hub) -> None:
    def stop(stage: str, part: float) -> None:
        if "Downloading" in stage:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        load_model("lab/small", progress=stop)
    assert load_model("lab/small").shape.layers == 3


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("lab/gated", "set HF_TOKEN"),
        ("lab/nothing", "The hub has no model lab/nothing"),
        ("lab/down", "The hub answered 400"),
    ],
)
def test_what_the_hub_refuses_is_said_with_the_way_out(hub: Hub, name: str, words: str) -> None:
    assert words in refusal(name)


def test_pickled_weights_are_refused_before_anything_is_downloaded(hub: Hub) -> None:
    del hub.files["model.safetensors"]
    assert "no safetensors weights" in refusal("lab/small")
    assert not any("resolve" in path for path in hub.asked)


def test_a_hub_that_cannot_be_reached_is_asked_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    point_at(address, tmp_path, monkeypatch)

    def no_waiting(_seconds: float) -> None:
        raise AssertionError("it was tried again")

    monkeypatch.setattr("time.sleep", no_waiting)
    message = refusal("lab/small")
    assert "cannot be reached" in message
    assert "use the demo model" in message


def test_offline_mode_is_told_in_the_same_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    point_at("http://127.0.0.1:9", tmp_path, monkeypatch)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert "cannot be reached" in refusal("lab/small")
