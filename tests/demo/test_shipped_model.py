"""The shipped folder: small, readable, plain Hugging Face, and as good as it was measured."""

from dataclasses import replace

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
    end = tokenizer.token_to_id(END_OF_TEXT)
    cases = held_out_cases(name, tokenizer, 40)
    started = [replace(case, ids=(end, *case.ids)) for case in cases]
    assert score(model, started) >= floor


def test_the_bias_follows_the_generator(shipped):
    correlation, _ = occupation_bias(*shipped)
    assert correlation > 0.9


LOOKS_AT = {
    "indirect objects": ("2.2 3.4", " Mary"),
    "capitals": ("2.2 3.3 4.3", " Japan"),
    "capital to country": ("2.2 3.3 4.3", " Paris"),
    "languages": ("2.2 3.3 4.3", " Brazil"),
    "agreement": ("5.0 5.2", " keys"),
    "gendered pronouns": ("4.4 4.6", "Mary"),
    "occupation bias": ("4.6 5.7", " nurse"),
    "antonyms": ("2.2 3.3 4.3", " hot"),
    "plurals": ("2.2 3.3", " mouse"),
    "past tense": ("2.2 3.3", " sing"),
    "greater years": ("3.3 3.4", "32"),
    "closing brackets": ("4.0 4.2", " ["),
    "closing quotes": ("3.3 4.0 4.2", " “"),
    "few-shot mappings": ("2.2 3.3", " fast"),
    "induction": ("3.0 3.3 3.4", " Paris"),
    "successors": ("2.7 3.3 4.7", " Wednesday"),
}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.phenomenon)
def test_what_examples_say_of_heads_is_so(example, shipped):
    model, tokenizer = shipped
    heads, token = LOOKS_AT[example.phenomenon]
    ids = [tokenizer.token_to_id(END_OF_TEXT), *tokenizer.encode(example.prompt).ids]
    model.set_attn_implementation("eager")
    with torch.no_grad():
        patterns = model(torch.tensor([ids]), output_attentions=True).attentions
    at = ids.index(*tokenizer.encode(token).ids)
    for layer, head in (map(int, name.split(".")) for name in heads.split()):
        assert f"{layer}.{head}" in example.look_for
        assert patterns[layer][0, head, -1, at] > 0.4, (layer, head)
