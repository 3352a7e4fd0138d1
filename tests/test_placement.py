"""Where weights are held and how precisely: named in words, refused in words, before they load."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM

import flowviz
from flowviz.errors import ModelError
from flowviz.models import place
from flowviz.models.catalogue import Catalogue, find_model
from flowviz.models.in_memory import wrap_model
from flowviz.models.loading import load_model, weight_bytes
from flowviz.models.placement import Placement
from flowviz.models.quantised import check_quantised, eight_bit_config, plain_weight
from flowviz.trace import record
from tests.models import byte_tokenizer, save_model

PROMPT = "the cat sat on a mat while Mary"
IDS = byte_tokenizer()(PROMPT)["input_ids"]


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save_model("llama", tmp_path_factory.mktemp("placed") / "llama"))


def logits(model: Any) -> torch.Tensor:
    with torch.inference_mode():
        return model(torch.tensor([IDS])).logits[0]


# ---- words -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "dtype"),
    [("bf16", "bfloat16"), ("torch.float16", "float16"), ("FP32", "float32"), ("8bit", "int8")],
)
def test_a_precision_has_its_usual_names(words: str, dtype: str) -> None:
    assert Placement.of(dtype=words) == Placement("cpu", dtype)


@pytest.mark.parametrize(
    ("device", "dtype", "words"),
    [
        ("gpu", None, "'gpu' is no device; give cpu, cuda, cuda:N, mps or auto"),
        ("cuda:x", None, "'cuda:x' is no device"),
        ("cpu\n", None, "is no device"),
        (None, "int4", "'int4' is no precision; give one of float32"),
        ("mps", "float64", "mps has no float64"),
    ],
)
def test_what_is_none_is_refused(device: str | None, dtype: str | None, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        Placement.of(device, dtype)


def test_every_model_of_a_catalogue_is_placed(llama: str) -> None:
    catalogue = Catalogue.of(["demo", f"mine={llama}"]).placed(Placement.of(dtype="bf16"))
    assert {entry.placement.dtype for entry in catalogue.entries} == {"bfloat16"}
    assert load_model(catalogue.entry("mine")).dtype == torch.bfloat16
    assert load_model(catalogue.entry("mine"), dtype="float64").dtype == torch.float64


# ---- precision ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dtype", "wanted", "bound"),
    [
        ("float64", torch.float64, 1e-4),
        (torch.float32, torch.float32, 1e-5),
        ("bfloat16", torch.bfloat16, 0.2),
        ("half", torch.float16, 0.02),
    ],
)
def test_weights_are_read_in_the_precision_that_is_chosen(
    llama: str, dtype: str | torch.dtype, wanted: torch.dtype, bound: float
) -> None:
    model = load_model(llama, dtype=dtype)
    assert model.dtype == wanted
    whole = logits(AutoModelForCausalLM.from_pretrained(llama))
    error = (record(model, IDS).logits.float() - whole).abs().max()
    assert error < bound


def test_auto_is_the_checkpoints_own(llama: str, tmp_path: Path) -> None:
    assert load_model(llama, dtype="auto").dtype == torch.float32
    AutoModelForCausalLM.from_pretrained(llama).bfloat16().save_pretrained(tmp_path)
    byte_tokenizer().save_pretrained(tmp_path)
    assert load_model(str(tmp_path), dtype="auto").dtype == torch.bfloat16
    entry = find_model(str(tmp_path)).placed(Placement.of(dtype="auto"))
    assert weight_bytes(entry) * 2 == weight_bytes(entry, torch.float32)


# ---- devices -----------------------------------------------------------------------------------


def test_auto_is_the_best_device_that_there_is(llama: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place, "_cards", lambda: 0)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert load_model(llama, device="auto").device.type == "cpu"
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert place.torch_device("auto") == torch.device("mps")
    monkeypatch.setattr(place, "_cards", lambda: 2)
    assert place.torch_device("auto") == place.torch_device("cuda") == torch.device("cuda:0")
    assert place.torch_device("cuda:1") == torch.device("cuda:1")
    with pytest.raises(ModelError, match=r"no device cuda:2 here.*finds cuda:0, cuda:1, mps, cpu"):
        place.torch_device("cuda:2")


@pytest.mark.parametrize("device", ["cuda", "cuda:7", "mps"])
def test_a_device_that_is_not_there_is_refused(
    llama: str, monkeypatch: pytest.MonkeyPatch, device: str
) -> None:
    monkeypatch.setattr(place, "_cards", lambda: 0)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(ModelError, match=f"There is no device {device}(:0)? here.*finds cpu"):
        load_model(llama, device=device)


def test_a_device_map_of_one_device_is_that_device(llama: str) -> None:
    wanted = record(load_model(llama), IDS).logits
    for device_map in ({"": "cpu"}, {"model": "cpu", "lm_head": "cpu"}):
        model = load_model(llama, device_map=device_map)
        torch.testing.assert_close(record(model, IDS).logits, wanted, atol=0, rtol=0)


@pytest.mark.parametrize(
    ("device_map", "words"),
    [
        ({"model": "cpu", "lm_head": "disk"}, "cpu, disk; they are all read"),
        ({}, "puts weights on nothing"),
        ({"model": "cpu", "lm_head": 0}, "mixes cpu, cuda:0"),
        ({"": 9}, "no device cuda:9"),
        ({"": "here"}, "'here' is no device"),
        ("cleverly", "'cleverly'; it takes auto, balanced"),
    ],
)
def test_weights_that_cannot_be_read_where_they_are_spread(
    llama: str, monkeypatch: pytest.MonkeyPatch, device_map: Any, words: str
) -> None:
    monkeypatch.setattr(place, "_cards", lambda: 2)
    with pytest.raises(ModelError, match=words):
        load_model(llama, device_map=device_map)


def test_several_cards_are_told_to_the_loader(monkeypatch: pytest.MonkeyPatch) -> None:
    """No card is needed to see what transformers would be asked."""
    monkeypatch.setattr(place, "_cards", lambda: 2)
    monkeypatch.setattr(place, "free_memory", lambda device: 1000)
    found = place.Place.found(Placement(), "auto", None)
    assert found.arguments() == {"device_map": "auto", "max_memory": {0: 900, 1: 900}}
    found = place.Place.found(Placement("cuda:1"), None, None)
    assert found.arguments() == {"device_map": {"": "cuda:1"}}
    assert place.Place.found(Placement(), None, None).arguments() == {}
    found = place.Place.found(Placement(), {"model": 0, "lm_head": 1}, None)
    assert found.arguments()["device_map"] == {"model": 0, "lm_head": 1}


# ---- memory ------------------------------------------------------------------------------------


def test_a_devices_own_memory_is_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    free = {"cpu": 10**12, "cuda": 10**9}
    monkeypatch.setattr(place, "_cards", lambda: 2)
    monkeypatch.setattr(place, "free_memory", lambda device: free[device.type])
    card = place.Place.found(Placement("cuda:1", "bfloat16"), None, None)
    card.check_fits("it", 8 * 10**8)
    with pytest.raises(
        ModelError, match=r"1\.1 GB of memory in bfloat16; 1\.0 GB are free on cuda:1"
    ):
        card.check_fits("it", 9 * 10**8)
    both = place.Place.found(Placement("cuda", "int8"), "auto", None)
    both.check_fits("it", 16 * 10**8)
    with pytest.raises(ModelError, match=r"in 8 bits; 2\.0 GB are free on cuda:0, cuda:1"):
        both.check_fits("it", 18 * 10**8)


def test_less_precision_may_fit_where_more_does_not(
    llama: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    needed = weight_bytes(find_model(llama))
    monkeypatch.setattr(place, "free_memory", lambda device: needed)
    with pytest.raises(ModelError, match="memory in float32"):
        load_model(llama)
    assert load_model(llama, dtype="bfloat16").dtype == torch.bfloat16


# ---- 8 bits ------------------------------------------------------------------------------------


def test_in_8_bits_the_flow_is_exact_for_the_model_that_runs(llama: str) -> None:
    model = load_model(llama, dtype="int8")
    whole = AutoModelForCausalLM.from_pretrained(
        llama, quantization_config=eight_bit_config(), dtype=torch.float32
    )
    torch.testing.assert_close(record(model, IDS).logits, logits(whole), atol=1e-5, rtol=1e-5)
    assert (record(model, IDS).logits - record(load_model(llama), IDS).logits).abs().max() > 1e-3
    checks = flowviz.explain(PROMPT, model).graph.checks
    assert checks.conservation_error < 1e-4
    assert checks.dtype == "int8"


def test_plain_numbers_of_8_bit_weights_are_not_kept(llama: str) -> None:
    whole, eight = (load_model(llama, dtype=dtype).blocks[0] for dtype in ("float32", "int8"))
    assert whole.mlp.W_in.data_ptr() == whole.mlp.W_in.data_ptr()
    first = eight.mlp.W_in
    assert eight.mlp.W_in.data_ptr() != first.data_ptr()


def held_bytes(model: Any) -> int:
    """What the weights take where they are held."""
    return sum(_bytes(weight) for weight in model.bridge.original_model.parameters())


def _bytes(weight: Any) -> int:
    if hasattr(weight, "qdata"):
        return weight.qdata.nbytes + weight.scale.nbytes
    return weight.nbytes


def test_in_8_bits_the_bytes_are_those_that_were_said(llama: str) -> None:
    entry = find_model(llama).placed(Placement.of(dtype="int8"))
    assert held_bytes(load_model(entry)) == weight_bytes(entry) < weight_bytes(find_model(llama))
    assert held_bytes(load_model(llama)) == weight_bytes(find_model(llama))


def test_a_weight_in_8_bits_reads_as_floats(llama: str) -> None:
    layer = AutoModelForCausalLM.from_pretrained(
        llama, quantization_config=eight_bit_config(), dtype=torch.float32
    ).model.layers[0].mlp.up_proj  # fmt: skip
    values = torch.eye(layer.in_features)
    assert type(plain_weight(layer)) is torch.Tensor
    torch.testing.assert_close(layer(values).T, plain_weight(layer), atol=1e-6, rtol=1e-6)
    plain = torch.nn.Linear(2, 3)
    assert plain_weight(plain) is plain.weight
    assert plain_weight(plain.weight) is plain.weight


def quantised(llama: str) -> Any:
    return AutoModelForCausalLM.from_pretrained(
        llama, quantization_config=eight_bit_config(), dtype=torch.float32
    )


def test_a_checkpoint_that_is_in_8_bits_already_loads(llama: str, tmp_path: Path) -> None:
    whole = quantised(llama)
    whole.save_pretrained(tmp_path)
    byte_tokenizer().save_pretrained(tmp_path)
    model = load_model(str(tmp_path))
    torch.testing.assert_close(record(model, IDS).logits, logits(whole), atol=1e-5, rtol=1e-5)
    assert weight_bytes(find_model(str(tmp_path))) == held_bytes(model)


def test_a_model_in_memory_in_8_bits_is_explained(llama: str) -> None:
    whole = quantised(llama)
    wanted = logits(whole)
    loaded = wrap_model(whole, byte_tokenizer())
    torch.testing.assert_close(record(loaded, IDS).logits, wanted, atol=1e-5, rtol=1e-5)
    assert flowviz.explain(PROMPT, loaded).graph.checks.conservation_error < 1e-4
    assert type(whole.model.layers[0].mlp.up_proj) is torch.nn.Linear
    torch.testing.assert_close(logits(whole), wanted, atol=0, rtol=0)


def test_layers_that_the_library_leaves_alone_are_said(tmp_path: Path) -> None:
    save_model("gpt2", tmp_path)
    with pytest.raises(ModelError, match="no layers that torchao holds in 8 bits"):
        load_model(str(tmp_path), dtype="int8")


def test_without_torchao_the_way_out_is_said(llama: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flowviz.models.quantised.find_spec", lambda name: None)
    with pytest.raises(ModelError, match="pip install torchao"):
        load_model(llama, dtype="int8")


@pytest.mark.parametrize("method", ["gptq", "awq", "bitsandbytes", "fp8"])
def test_other_kinds_of_quantising_are_refused_by_name(llama: str, method: str) -> None:
    config = AutoModelForCausalLM.from_pretrained(llama).config
    config.quantization_config = {"quant_method": method}
    with pytest.raises(ModelError, match=f"is quantised by {method}"):
        check_quantised("it", config)
