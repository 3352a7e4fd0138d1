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
import torch
from huggingface_hub import constants
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM

from flowviz.errors import Cancelled, ModelError
from flowviz.models.catalogue import find_model
from flowviz.models.loading import load_model, weight_bytes
from tests.models import save_model

SHA = "0123456789abcdef0123456789abcdef01234567"


class Hub(ThreadingHTTPServer):
    """Holds one model, `lab/small`, and the names that answer with an error."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.files = {file.name: file.read_bytes() for file in folder.iterdir()}
        self.files["pytorch_model.bin"] = b"never asked for"
        self.adapter: dict[str, bytes] = {}
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
        elif "lab/small" not in path and "lab/adapter" not in path:
            self._refuse(401, "RepoNotFound")
        elif "/resolve/" in path:
            self._file(self._files(path).get(path.split("/")[-1]))
        elif "/tree/" in path:
            self._json([{"type": "file", "path": name, "size": len(data), "oid": _oid(data)}
                        for name, data in self._files(path).items()])  # fmt: skip
        else:
            names = [{"rfilename": name} for name in self._files(path)]
            self._json({"id": "lab/small", "modelId": "lab/small", "sha": SHA, "siblings": names})

    do_HEAD = do_GET

    def _files(self, path: str) -> dict[str, bytes]:
        return self.server.adapter if "lab/adapter" in path else self.server.files

    def _file(self, data: bytes | None) -> None:
        if data is None:
            self._refuse(404, "EntryNotFound")
            return
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


def put_adapter(hub: Hub, tmp_path: Path, base: str) -> None:
    """Offers an adapter on the hub that names that base."""
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "model")
    adapted = get_peft_model(model, LoraConfig(target_modules=["c_attn"], fan_in_fan_out=True))
    for weight in adapted.parameters():
        weight.data += 0.05
    adapted.save_pretrained(tmp_path / "adapter")
    hub.adapter = {
        name: (tmp_path / "adapter" / name).read_bytes()
        for name in ("adapter_config.json", "adapter_model.safetensors")
    }
    said = json.loads(hub.adapter["adapter_config.json"]) | {"base_model_name_or_path": base}
    hub.adapter["adapter_config.json"] = json.dumps(said).encode()
    hub.adapter["adapter_model.bin"] = b"never asked for"


def test_an_adapter_is_downloaded_with_its_base(hub: Hub, tmp_path: Path) -> None:
    put_adapter(hub, tmp_path, "lab/small")
    entry = find_model("lab/adapter")
    assert weight_bytes(entry) == weight_bytes(find_model(str(tmp_path / "model")))
    assert not [path for path in hub.asked if path.startswith("GET") and "safetensors" in path]
    found = load_model(entry)
    assert found.shape.name == "lab/adapter"
    merged = load_model(str(tmp_path / "adapter"), base=str(tmp_path / "model"))
    torch.testing.assert_close(found.blocks[0].attention.W_V, merged.blocks[0].attention.W_V)
    assert not [path for path in hub.asked if path.endswith(".bin")]
    count = len(hub.asked)
    load_model(entry)
    assert len(hub.asked) == count  # it is on this machine now


def test_an_adapter_of_the_hub_names_no_folder_of_this_machine(hub: Hub, tmp_path: Path) -> None:
    put_adapter(hub, tmp_path, str(tmp_path / "model"))
    assert "which is no hub name" in refusal("lab/adapter")
    load_model("lab/adapter", base=str(tmp_path / "model"))  # whoever runs it may
