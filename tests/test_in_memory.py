"""A model in memory is explained, and stays what it was."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from accelerate import dispatch_model
from transformers import (
    AutoModel,
    AutoModelForCausalLM,
    GPT2LMHeadModel,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
)

import flowviz
from flowviz.errors import ModelError, RequestError
from flowviz.models.in_memory import share_weights, wrap_model
from flowviz.trace import record
from tests.models import byte_tokenizer, configuration, randomise

PROMPT = "the cat sat on a mat while Mary"
IDS = byte_tokenizer()(PROMPT)["input_ids"]


def model_of(architecture: str, **changes: object) -> Any:
    config = configuration(architecture)
    for name, value in changes.items():
        setattr(config, name, value)
    torch.manual_seed(0)
    kind = GPT2LMHeadModel if architecture == "gpt2" else LlamaForCausalLM
    model = kind._from_config(config, attn_implementation="sdpa")
    randomise(model, 0)
    return model


def tokenizer() -> PreTrainedTokenizerFast:
    return copy.deepcopy(byte_tokenizer())


def logits(model: Any) -> torch.Tensor:
    before = model.training
    with torch.inference_mode():
        found = model.eval()(torch.tensor([IDS])).logits[0].clone()
    model.train(before)
    return found


def state(model: Any) -> dict[str, object]:
    """Everything of a model that wrapping could change, apart from its numbers."""
    return {
        "modules": [(name, id(module)) for name, module in model.named_modules()],
        "weights": [(n, id(w), w.requires_grad, w.device) for n, w in model.named_parameters()],
        "buffers": [(name, id(buffer)) for name, buffer in model.named_buffers()],
        "modes": [module.training for module in model.modules()],
        "hooks": [len(module._forward_hooks) for module in model.modules()],
        "attention": model.config._attn_implementation,
        "config": model.config.to_dict(),
    }


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("architecture", ["gpt2", "llama"])
def test_the_users_model_is_what_it_was(architecture: str, tied: bool) -> None:
    model = model_of(architecture, tie_word_embeddings=tied).train()
    called: list[int] = []
    next(iter(model.children())).register_forward_hook(lambda *_: called.append(1))
    wanted = logits(model)
    called.clear()
    before, numbers = state(model), copy.deepcopy(model.state_dict())

    explanation = flowviz.explain(model, tokenizer(), PROMPT)

    assert explanation.graph.checks.conservation_error < 1e-4
    assert state(model) == before
    assert called == []
    for name, weight in model.state_dict().items():
        assert torch.equal(weight, numbers[name]), name
    torch.testing.assert_close(logits(model), wanted, atol=0, rtol=0)
    trace = record(wrap_model(model, tokenizer()), IDS)
    torch.testing.assert_close(trace.logits, wanted, atol=1e-4, rtol=1e-4)


def test_it_can_be_trained_on_and_wrapped_again() -> None:
    model = model_of("llama").train()
    first = record(wrap_model(model, tokenizer()), IDS).logits
    step = torch.optim.SGD(model.parameters(), lr=0.5)
    ids = torch.tensor([IDS])
    model(ids, labels=ids).loss.backward()
    step.step()
    assert all(weight.grad is not None for weight in model.parameters())
    again = record(wrap_model(model, tokenizer()), IDS).logits
    assert (again - first).abs().max() > 1e-3
    torch.testing.assert_close(again, logits(model), atol=1e-5, rtol=1e-5)


def test_dropout_of_training_does_not_reach_the_trace() -> None:
    model = model_of("gpt2", resid_pdrop=0.5, attn_pdrop=0.5, embd_pdrop=0.5).train()
    traces = [record(wrap_model(model, tokenizer()), IDS).logits for _ in range(2)]
    assert torch.equal(*traces)
    torch.testing.assert_close(traces[0], logits(model), atol=1e-5, rtol=1e-5)
    assert model.training


def test_the_weights_are_shared_not_doubled() -> None:
    model = model_of("llama")
    own = share_weights("it", model)
    places = {name: weight.data_ptr() for name, weight in model.named_parameters()}
    assert {name: weight.data_ptr() for name, weight in own.named_parameters()} == places
    assert not any(weight.requires_grad for weight in own.parameters())


def test_the_users_tokenizer_is_what_it_was() -> None:
    mine = tokenizer()
    mine.pad_token = None
    mine.backend_tokenizer.enable_truncation(3)
    before = mine.backend_tokenizer.to_str(), dict(mine.special_tokens_map)
    loaded = wrap_model(model_of("llama"), mine)
    assert loaded.vocabulary.encode(PROMPT, None) == IDS
    assert (mine.backend_tokenizer.to_str(), dict(mine.special_tokens_map)) == before


def test_a_model_in_half_precision_is_explained_in_it() -> None:
    loaded = wrap_model(model_of("llama").bfloat16(), tokenizer())
    assert loaded.dtype == torch.bfloat16
    assert record(loaded, IDS).logits.isfinite().all()


def test_a_compiled_model_is_the_model_inside() -> None:
    model = model_of("llama")
    compiled = torch.compile(model)
    wanted = logits(model)
    torch.testing.assert_close(
        record(wrap_model(compiled, tokenizer()), IDS).logits, wanted, atol=1e-5, rtol=1e-5
    )


def test_a_model_that_accelerate_has_spread_keeps_its_hooks() -> None:
    model = dispatch_model(model_of("llama"), {"model": "cpu", "lm_head": "cpu"}, force_hooks=True)
    wanted = logits(model)
    hooks = [id(module._hf_hook) for module in model.modules() if hasattr(module, "_hf_hook")]
    assert hooks
    loaded = wrap_model(model, tokenizer())
    torch.testing.assert_close(record(loaded, IDS).logits, wanted, atol=1e-5, rtol=1e-5)
    kept = [id(module._hf_hook) for module in model.modules() if hasattr(module, "_hf_hook")]
    assert kept == hooks
    torch.testing.assert_close(logits(model), wanted, atol=0, rtol=0)


def test_a_class_of_ones_own_is_what_it_is_made_from() -> None:
    class Mine(LlamaForCausalLM):
        pass

    model = Mine(configuration("llama"))
    model.config.architectures = None
    assert wrap_model(model, tokenizer()).shape.architecture == "LlamaForCausalLM"
    assert model.config.architectures is None


@pytest.mark.parametrize(
    ("path", "name", "title"),
    [
        ("", None, "LlamaForCausalLM"),
        ("somewhere/secret/my-model", None, "my-model"),
        ("lab/llama", "mine", "mine"),
        ("", "a\nb" + "c" * 200, "ab" + "c" * 98),
    ],
)
def test_a_model_is_named_by_its_configuration(path: str, name: str | None, title: str) -> None:
    model = model_of("llama")
    model.config.name_or_path = path
    assert wrap_model(model, tokenizer(), name=name).shape.name == title


# ---- the two forms of explain ------------------------------------------------------------------


@pytest.fixture(scope="module")
def mine() -> tuple[Any, PreTrainedTokenizerFast]:
    return model_of("llama"), tokenizer()


Call = Callable[[Any, Any], flowviz.Explanation]
FORMS: dict[str, Call] = {
    "in order": lambda m, t: flowviz.explain(m, t, PROMPT, budget=5),
    "prompt by name": lambda m, t: flowviz.explain(m, t, prompt=PROMPT, budget=5),
    "all by name": lambda m, t: flowviz.explain(model=m, tokenizer=t, prompt=PROMPT, budget=5),
    "prompt first": lambda m, t: flowviz.explain(PROMPT, m, t, budget=5),
    "prompt first, names": lambda m, t: flowviz.explain(PROMPT, model=m, tokenizer=t, budget=5),
    "wrapped": lambda m, t: flowviz.explain(PROMPT, wrap_model(m, t), budget=5),
    "wrapped first": lambda m, t: flowviz.explain(wrap_model(m, t), PROMPT, budget=5),
    "wrapped by name": lambda m, t: flowviz.explain(PROMPT, model=wrap_model(m, t), budget=5),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_graph(form: str, mine: tuple[Any, Any]) -> None:
    found = FORMS[form](*mine)
    assert found.graph == flowviz.explain(PROMPT, wrap_model(*mine), budget=5).graph
    assert found.request.prompt == PROMPT
    assert len(found.graph.nodes) < len(flowviz.explain(*mine, PROMPT).graph.nodes)


MIXED: dict[str, tuple[Call, str]] = {
    "no tokenizer": (lambda m, t: flowviz.explain(PROMPT, m), "without its tokenizer"),
    "no tokenizer, model first": (lambda m, t: flowviz.explain(m, PROMPT), "without its tokenizer"),
    "no prompt": (lambda m, t: flowviz.explain(m, t), "no prompt"),
    "nothing": (lambda m, t: flowviz.explain(), "no prompt"),
    "a prompt of numbers": (lambda m, t: flowviz.explain(m, t, IDS), "a list as its prompt"),
    "swapped": (lambda m, t: flowviz.explain(m, PROMPT, t), "as its prompt"),
    "too many": (lambda m, t: flowviz.explain(m, t, PROMPT, 3), "3 arguments in order, not 4"),
    "twice": (lambda m, t: flowviz.explain(PROMPT, m, model=m), "its model twice"),
    "a name with a tokenizer": (lambda m, t: flowviz.explain(PROMPT, "demo", t), "has its own"),
    "no such choice": (lambda m, t: flowviz.explain(m, t, PROMPT, colour=3), "takes no 'colour'"),
    "a bad choice": (lambda m, t: flowviz.explain(None, None, PROMPT, coverage=7), "up to 1"),
}


@pytest.mark.parametrize("case", MIXED)
def test_mixed_up_arguments_are_said(case: str, mine: tuple[Any, Any]) -> None:
    call, words = MIXED[case]
    with pytest.raises(RequestError, match=words):
        call(*mine)


WRONG: dict[str, tuple[Callable[[Any], object], Callable[[Any], object], str]] = {
    "no model": (lambda m: 3, lambda t: t, "The model is a int"),
    "a bare module": (lambda m: torch.nn.Linear(2, 2), lambda t: t, "The model is a Linear"),
    "a bridge": (lambda m: wrap_model(m, tokenizer()).bridge, lambda t: t, "TransformerBridge"),
    "no head": (lambda m: AutoModel.from_config(m.config), lambda t: t, "not a causal language"),
    "no tokenizer of transformers": (lambda m: m, lambda t: t.backend_tokenizer, "Tokenizer as"),
    "no numbers": (lambda m: m.to("meta"), lambda t: t, "not in memory"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_no_model_is_refused(case: str) -> None:
    spoil, change, words = WRONG[case]
    with pytest.raises(ModelError, match=words):
        wrap_model(spoil(model_of("llama")), change(tokenizer()))


def test_what_cannot_be_copied_is_refused() -> None:
    model = model_of("llama")
    model.generator = (number for number in range(3))
    with pytest.raises(ModelError, match="cannot be copied in memory"):
        wrap_model(model, tokenizer())


def test_a_loaded_folder_and_the_same_model_in_memory_agree(tmp_path: Any) -> None:
    model = model_of("gpt2")
    model.save_pretrained(tmp_path)
    tokenizer().save_pretrained(tmp_path)
    from_folder = flowviz.explain(PROMPT, str(tmp_path)).graph
    again = AutoModelForCausalLM.from_pretrained(tmp_path)
    from_memory = flowviz.explain(again, tokenizer(), PROMPT).graph
    assert from_memory.target == from_folder.target
    assert {n.key: n.flow for n in from_memory.nodes} == pytest.approx(
        {n.key: n.flow for n in from_folder.nodes}, abs=1e-5
    )
