"""The shipped folder: small, readable, plain Hugging Face, and as good as it was measured."""

import pytest
import torch

from flowviz.demo import EXAMPLES, MODEL_FOLDER
from flowviz.demo.evaluate import held_out_cases, next_logits, occupation_bias, score
from flowviz.demo.tokenizer import END_OF_TEXT

FLOORS = {
    "indirect objects": 0.9,
    "capitals": 0.9,
    "agreement": 0.9,
    "gendered pronouns": 0.9,
    "antonyms": 0.9,
    "greater years": 0.9,
    "closing brackets": 0.9,
    "few-shot mappings": 0.9,
    "successors": 0.9,
}


def test_the_folder_is_small_and_readable():
    files = list(MODEL_FOLDER.iterdir())
    assert sum(path.stat().st_size for path in files) <= 10_000_000
    assert all(path.stat().st_mode & 0o777 == 0o644 for path in files)
    assert {"config.json", "model.safetensors", "tokenizer.json", "README.md"} <= {
        path.name for path in files
    }


def test_it_loads_as_a_plain_folder():
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(MODEL_FOLDER)
    tokenizer = AutoTokenizer.from_pretrained(MODEL_FOLDER)
    assert model.config.architectures == ["GPT2LMHeadModel"]
    assert model.config.activation_function == "gelu_new"
    assert model.dtype == torch.float32
    assert model.lm_head.weight is model.transformer.wte.weight
    assert len(tokenizer) == model.config.vocab_size


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.phenomenon)
def test_examples_hold(example, shipped):
    model, tokenizer = shipped
    ids = (tokenizer.token_to_id(END_OF_TEXT), *tokenizer.encode(example.prompt).ids)
    assert len(ids) <= 24
    logits = next_logits(model, [ids])[0]
    if example.target is None:
        return
    [target] = tokenizer.encode(example.target).ids
    if example.contrast is None:
        assert int(logits.argmax()) == target
    else:
        [contrast] = tokenizer.encode(example.contrast).ids
        assert logits[target] > logits[contrast]


def test_the_year_after_1732_is_greater(shipped):
    model, tokenizer = shipped
    prompt = f"{END_OF_TEXT}The war lasted from the year 1732 to the year 17"
    logits = next_logits(model, [tuple(tokenizer.encode(prompt).ids)])[0]
    assert 33 <= int(tokenizer.decode([int(logits.argmax())])) <= 99


@pytest.mark.parametrize(("name", "floor"), FLOORS.items())
def test_accuracy_on_a_small_sample(name, floor, shipped):
    model, tokenizer = shipped
    assert score(model, held_out_cases(name, tokenizer, 40)) >= floor


def test_the_bias_follows_the_generator(shipped):
    correlation, _ = occupation_bias(*shipped)
    assert correlation > 0.9
