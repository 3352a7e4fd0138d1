"""Loading: what loads equals Hugging Face's own, what does not is refused with the way out."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import (
    AutoModelForCausalLM,
    BertConfig,
    BertLMHeadModel,
    BertModel,
    GPT2Model,
    LlamaModel,
    T5Config,
    T5ForConditionalGeneration,
)

from flowviz.errors import Cancelled, ModelError
from flowviz.models import boot, memory
from flowviz.models.catalogue import find_model
from flowviz.models.loading import load_model, weight_bytes
from flowviz.trace import record
from tests.models import byte_tokenizer, configuration, save_model

PROMPT = "the cat sat on a mat while Mary"
ARCHITECTURES = ("gpt2", "llama")


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("saved")
    for architecture in ARCHITECTURES:
        save_model(architecture, root / architecture)
    return root


@pytest.fixture
def folder(saved: Path, tmp_path: Path) -> Path:
    """A GPT-2 folder of one's own, to spoil."""
    return Path(shutil.copytree(saved / "gpt2", tmp_path / "mine"))


def edit(folder: Path, **changes: object) -> Path:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | changes))
    return folder


def logits(folder: Path, ids: list[int]) -> torch.Tensor:
    model = AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager").float().eval()
    with torch.inference_mode():
        return model(torch.tensor([ids])).logits[0]


def refusal(source: object) -> str:
    with pytest.raises(ModelError) as caught:
        load_model(str(source))
    return str(caught.value)


# ---- what loads --------------------------------------------------------------------------------


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_logits_are_those_of_hugging_face(saved: Path, architecture: str) -> None:
    model = load_model(str(saved / architecture))
    ids = model.vocabulary.encode(PROMPT, model.context)
    torch.testing.assert_close(
        record(model, ids).logits, logits(saved / architecture, ids), atol=1e-5, rtol=1e-5
    )
    assert model.dtype == torch.float32
    assert not any(weight.requires_grad for weight in model.bridge.parameters())


def test_loading_leaves_the_folder_as_it_was(folder: Path) -> None:
    def digests() -> dict[str, str]:
        return {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in folder.iterdir()}

    before = digests()
    model = load_model(str(folder))
    record(model, [1, 2, 3])
    assert digests() == before


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_on_disk_is_read_as_float32(folder: Path, dtype: torch.dtype) -> None:
    file = folder / "model.safetensors"
    save_file({k: v.to(dtype) for k, v in load_file(file).items()}, file, metadata={"format": "pt"})
    edit(folder, dtype=str(dtype).removeprefix("torch."))
    model = load_model(str(folder))
    assert model.dtype == torch.float32
    ids = model.vocabulary.encode(PROMPT, model.context)
    torch.testing.assert_close(record(model, ids).logits, logits(folder, ids), atol=1e-5, rtol=1e-5)


def test_sharded_weights_load(saved: Path, tmp_path: Path) -> None:
    whole = AutoModelForCausalLM.from_pretrained(saved / "llama")
    whole.save_pretrained(tmp_path, max_shard_size="40KB")
    byte_tokenizer().save_pretrained(tmp_path)
    assert len(list(tmp_path.glob("*.safetensors"))) > 1
    model = load_model(str(tmp_path))
    torch.testing.assert_close(record(model, [5, 6]).logits, logits(saved / "llama", [5, 6]))


def test_embeddings_may_be_wider_than_the_vocabulary(tmp_path: Path) -> None:
    model = AutoModelForCausalLM.from_config(configuration("gpt2"))
    model.resize_token_embeddings(320)
    model.save_pretrained(tmp_path)
    byte_tokenizer().save_pretrained(tmp_path)
    vocabulary = load_model(str(tmp_path)).vocabulary
    assert (vocabulary.size, vocabulary.text(319), vocabulary.resolve("[319]")) == (
        320,
        "[319]",
        319,
    )


def test_a_link_to_a_folder_and_odd_names_load(folder: Path, tmp_path: Path) -> None:
    link = tmp_path / "mein Modell é 🙂"
    link.symlink_to(folder)
    assert load_model(str(link)).shape.layers == 3


def test_a_headless_gpt2_whose_head_is_tied_loads_as_hugging_face_loads_it(tmp_path: Path) -> None:
    GPT2Model(configuration("gpt2")).save_pretrained(tmp_path)
    byte_tokenizer().save_pretrained(tmp_path)
    edit(tmp_path, architectures=["GPT2LMHeadModel"])  # as the original GPT-2 on the hub is kept
    model = load_model(str(tmp_path))
    torch.testing.assert_close(record(model, [5, 6]).logits, logits(tmp_path, [5, 6]))


def test_nothing_is_printed(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    load_model(str(folder))
    printed = capfd.readouterr()
    assert (printed.out, printed.err) == ("", "")


def test_progress_tells_the_stages_and_can_stop_them(folder: Path) -> None:
    told: list[tuple[str, float]] = []
    load_model(str(folder), progress=lambda stage, part: told.append((stage, part)))
    assert [part for _, part in told] == sorted(part for _, part in told)
    assert told[-1] == ("mine is ready", 1.0)

    def stop(stage: str, part: float) -> None:
        if "weights" in stage:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        load_model(str(folder), progress=stop)


# ---- what is refused ---------------------------------------------------------------------------


def without(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).unlink()


def written(name: str, data: bytes) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes(data)


def configured(**changes: object) -> Callable[[Path], object]:
    return lambda folder: edit(folder, **changes)


def pickled(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    torch.save({}, folder / "pytorch_model.bin")


def cut(folder: Path) -> None:
    data = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(data[: len(data) // 2])


def spoiled(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    weights["transformer.wte.weight"][3, 3] = float("nan")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def one_missing(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    del weights["transformer.ln_f.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def tokenless(folder: Path) -> None:
    for file in folder.glob("tokenizer*"):
        file.unlink()


REFUSED: dict[str, tuple[Callable[[Path], object], str]] = {
    "no config": (without("config.json"), "holds no config.json"),
    "config is no JSON": (written("config.json", b"{broken"), "not a valid JSON"),
    "config is a list": (written("config.json", b"[1]"), "could not be loaded"),
    "config is empty": (written("config.json", b"{}"), "model_type"),
    "unknown type": (configured(model_type="nosuch"), "nosuch"),
    "field of another type": (configured(n_layer="many"), "n_layer"),
    "no blocks": (configured(n_layer=0), "0 blocks"),
    "less than no blocks": (configured(n_layer=-1), "-1 blocks"),
    "unknown activation": (configured(activation_function="nosuch"), "nosuch"),
    "no architecture": (configured(architectures=None), "not a causal language model"),
    "another's architecture": (configured(architectures=["LlamaForCausalLM"]), "Mend the config"),
    "unknown to TransformerLens": (
        configured(model_type="ctrl", architectures=["CTRLLMHeadModel"]),
        "CTRLLMHeadModel, an architecture that TransformerLens does not know",
    ),
    "pictures too": (
        configured(model_type="gemma3", architectures=["Gemma3ForConditionalGeneration"]),
        "pictures and text",
    ),
    "quantised": (configured(quantization_config={"quant_method": "gptq"}), "quantised"),
    "only pickled weights": (pickled, "pickled"),
    "weights of another name": (
        lambda folder: (folder / "model.safetensors").rename(folder / "other.safetensors"),
        "other.safetensors",
    ),
    "cut-off weights": (cut, "damaged or cut-off"),
    "empty weights": (written("model.safetensors", b""), "damaged or cut-off"),
    "weights of another shape": (configured(n_inner=64), "(48,)"),
    "another vocabulary": (configured(vocab_size=310), "(300, 32)"),
    "weights that are no numbers": (spoiled, "transformer.wte.weight"),
    "a weight missing": (one_missing, "ln_f.weight"),
    "no tokenizer": (tokenless, "no tokenizer"),
    "empty tokenizer": (written("tokenizer.json", b"{}"), "tokenizer that cannot be read"),
    "broken tokenizer": (written("tokenizer.json", b"garbage"), "tokenizer that cannot be read"),
    "an adapter": (written("adapter_config.json", b"{}"), "both a whole model and"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_explained_is_refused_with_the_reason(folder: Path, case: str) -> None:
    spoil, reason = REFUSED[case]
    spoil(folder)
    message = refusal(folder)
    assert reason in message
    assert len(message) < 500
    assert "\n" not in message


def test_other_kinds_of_model_are_refused(tmp_path: Path) -> None:
    small = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "vocab_size": 300}
    models = {
        "BertModel": BertModel(BertConfig(**small, intermediate_size=16)),
        "BertLMHeadModel": BertLMHeadModel(BertConfig(**small, intermediate_size=16)),
        "T5ForConditionalGeneration": T5ForConditionalGeneration(
            T5Config(d_model=16, d_ff=16, num_layers=1, num_heads=2, vocab_size=300)
        ),
        "GPT2Model": GPT2Model(configuration("gpt2")),
    }
    for name, model in models.items():
        model.save_pretrained(tmp_path / name)
        byte_tokenizer().save_pretrained(tmp_path / name)
        assert f"{name}: not a causal language model" in refusal(tmp_path / name)


def test_a_checkpoint_without_its_head_is_refused(tmp_path: Path) -> None:
    LlamaModel(configuration("llama")).save_pretrained(tmp_path)
    edit(tmp_path, architectures=["LlamaForCausalLM"])
    byte_tokenizer().save_pretrained(tmp_path)
    assert "for example lm_head.weight" in refusal(tmp_path)


@pytest.mark.parametrize("model_type", ["gpt2", "of_its_own"])
def test_code_of_a_checkpoint_never_runs(folder: Path, tmp_path: Path, model_type: str) -> None:
    proof = tmp_path / "it ran"
    (folder / "evil.py").write_text(f"open({str(proof)!r}, 'w')\n")
    names = {"AutoConfig": "evil.C", "AutoModelForCausalLM": "evil.M", "AutoTokenizer": "evil.T"}
    edit(folder, auto_map=names, model_type=model_type)
    tokenizer = folder / "tokenizer_config.json"
    own = {"auto_map": {"AutoTokenizer": ["evil.T", "evil.T"]}, "tokenizer_class": "T"}
    tokenizer.write_text(json.dumps(json.loads(tokenizer.read_text()) | own))
    with contextlib.suppress(ModelError):  # it may load, as transformers' own class
        load_model(str(folder))
    assert not proof.exists()


@pytest.mark.parametrize(
    "source",
    [
        "",
        "/nowhere/at/all",
        "../..",
        "a\0b",
        "x" * 5000,
        "gpt2/../..",
        "-x",
        "a/b/c",
        "\ud800",
        "é",
    ],
)
def test_names_that_are_none_are_refused(source: str) -> None:
    assert "Give " in refusal(source)


def test_a_file_is_no_folder(folder: Path) -> None:
    assert "is a file" in refusal(folder / "config.json")


def test_a_link_that_leads_nowhere_is_refused(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert "neither a folder" in refusal(tmp_path / "loop")


# ---- memory ------------------------------------------------------------------------------------


def test_what_does_not_fit_is_refused_before_it_is_read(folder: Path) -> None:
    message = refusal(edit(folder, n_embd=1_000_000))
    assert "GB of memory in float32" in message
    assert "Choose a smaller model" in message


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_weights_are_counted_before_they_are_read(
    saved: Path, tmp_path: Path, architecture: str
) -> None:
    folder = Path(shutil.copytree(saved / architecture, tmp_path / "mine"))
    numbers = sum(
        weight.numel() for weight in AutoModelForCausalLM.from_pretrained(folder).parameters()
    )
    (folder / "model.safetensors").unlink()  # not looked at
    entry = find_model(str(folder))
    assert weight_bytes(entry) == 4 * numbers
    assert weight_bytes(entry, torch.bfloat16) == 2 * numbers
    edit(folder, vocab_size=400)
    assert weight_bytes(entry) > 4 * numbers


def test_weights_that_cannot_be_counted_are_refused_as_loading_refuses(folder: Path) -> None:
    (folder / "config.json").unlink()
    with pytest.raises(ModelError, match=r"holds no config\.json"):
        weight_bytes(find_model(str(folder)))


def test_an_allocator_that_gives_up_is_told_as_memory(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: 9 bytes")

    monkeypatch.setattr("flowviz.models.loading.read_weights", fail)
    assert "does not fit in memory" in refusal(folder)


def test_a_container_may_have_less_than_its_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "memory.max").write_text("1000000\n")
    (tmp_path / "memory.current").write_text("700000\n")
    (tmp_path / "memory.stat").write_text("anon 1\ninactive_file 100000\n")
    monkeypatch.setattr(memory, "CGROUP", tmp_path)
    assert memory.free_memory() == 400_000
    (tmp_path / "memory.max").write_text("max\n")
    free = memory.free_memory()
    assert free is None or free > 1_000_000


def test_a_bridge_that_computes_another_model_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the bridge of TransformerLens 4.3 does to Falcon-40B, where nothing mends it."""
    monkeypatch.setattr(
        boot, "before_boot", lambda model: vars(model.config).update(multi_query=False)
    )
    with pytest.raises(ModelError, match="gives other logits behind TransformerLens's bridge"):
        load_model(str(save_model("falcon_40b", tmp_path)))
