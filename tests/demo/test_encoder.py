"""The shipped BERT: small, readable, plain Hugging Face, and as good as its card says."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch

from flowviz import attention_maps
from flowviz.demo import ENCODER_FOLDER
from flowviz.demo.cases import against_stated
from flowviz.demo.cli import run_evaluate
from flowviz.demo.lexicon.people import P_SHE
from flowviz.demo.masked.card import masked_card_text
from flowviz.demo.masked.evaluate import (
    BIAS_PAIR,
    MASKED_SUITES,
    PAIR_KINDS,
    Bias,
    MaskedReport,
    MaskedRow,
    PairRow,
    encode,
    follows_shares,
    load_masked,
    masked_as_text,
    masked_cases,
    pairs_of,
    score_masked,
    she_shares,
)
from flowviz.demo.masked.tokenizer import build_tokenizer
from flowviz.errors import ModelError
from flowviz.models.catalogue import find_model

CARD = (ENCODER_FOLDER / "README.md").read_text()
FILES = {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "README.md"}


@pytest.fixture(scope="module")
def shipped():
    return load_masked(ENCODER_FOLDER)


def top(shipped, first: str, second: str | None = None) -> list[str]:
    """The most probable word at each mask."""
    model, tokenizer = shipped
    read = encode(tokenizer, first, second)
    ids, types = (torch.tensor([part]) for part in (read.ids, read.type_ids))
    with torch.no_grad():
        logits = model(input_ids=ids, token_type_ids=types).prediction_logits[0]
    masked = [i for i, token in enumerate(read.tokens) if token == "[MASK]"]
    return [tokenizer.id_to_token(int(logits[i].argmax())) for i in masked]


def follows(shipped, first: str, second: str) -> float:
    model, tokenizer = shipped
    read = encode(tokenizer, first, second)
    return follows_shares(model, [(tuple(read.ids), tuple(read.type_ids))])[0]


def test_the_folder_is_small_and_readable():
    files = list(ENCODER_FOLDER.iterdir())
    assert {path.name for path in files} == FILES
    assert sum(path.stat().st_size for path in files) <= 6_000_000
    assert all(path.stat().st_mode & 0o777 == 0o644 for path in files)
    assert build_tokenizer().to_str() == load_masked(ENCODER_FOLDER)[1].to_str()


@pytest.mark.parametrize("name", ["AutoModelForMaskedLM", "AutoModelForPreTraining", "AutoModel"])
def test_it_loads_as_a_plain_folder(name, shipped):
    import transformers

    model, report = getattr(transformers, name).from_pretrained(
        ENCODER_FOLDER, output_loading_info=True
    )
    assert not {key for key in report["missing_keys"] if "pooler" not in key}
    assert model.dtype == torch.float32
    assert model.config.architectures == ["BertForPreTraining"]
    states = model(torch.tensor([[2, 7, 8, 3]]), output_hidden_states=True).hidden_states[-1]
    expected = shipped[0](torch.tensor([[2, 7, 8, 3]]), output_hidden_states=True).hidden_states[-1]
    assert torch.allclose(states, expected, atol=1e-5)


def test_the_output_is_tied_to_the_embeddings(shipped):
    model = shipped[0]
    words = model.bert.embeddings.word_embeddings.weight
    assert model.cls.predictions.decoder.weight is words
    assert len(words) == model.config.vocab_size == build_tokenizer().get_vocab_size()


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        ("Paris is the [MASK] of France.", None, ["capital"]),
        ("[MASK] is the capital of Japan.", None, ["Tokyo"]),
        ("Tokyo is the capital of [MASK].", None, ["Japan"]),
        ("The capital of Japan is Tokyo.", "People there speak [MASK].", ["Japanese"]),
        ("What color is the sky?", "It is [MASK].", ["blue"]),
        ("The opposite of hot is [MASK].", None, ["cold"]),
        ("One mouse, two [MASK].", None, ["mice"]),
        ("Today they sing; yesterday they [MASK].", None, ["sang"]),
        ("The keys near the cabinet [MASK] old.", None, ["are", "were"]),
        ("Mary went home because [MASK] was tired.", None, ["she"]),
        ("John went home because [MASK] was tired.", None, ["he"]),
        ("The nurse said that [MASK] was happy.", None, ["she"]),
        ("The plumber said that [MASK] was happy.", None, ["he"]),
        ("When Mary and John went to the store, John gave a drink to [MASK].", None, ["Mary"]),
        ("Mary said, “I like the man. [MASK]", None, ["”"]),
    ],
)
def test_what_it_says_at_a_mask(shipped, first, second, words):
    assert top(shipped, first, second)[0] in words


@pytest.mark.parametrize(
    ("first", "second", "wrong"),
    [
        ("Mary and John went to the store.", "John gave a drink to Mary.", "Tom sold a ring."),
        ("The capital of Japan is Tokyo.", "People there speak Japanese.", "He wanted a coat."),
        ("What is the opposite of hot?", "It is cold.", "It is a vegetable."),
        ("We met the nurse at the market.", "She was very happy.", "Its capital is Paris."),
    ],
)  # fmt: skip
def test_whether_a_text_follows(shipped, first, second, wrong):
    assert follows(shipped, first, second) > 0.5 > follows(shipped, first, wrong)


def test_that_it_does_not_see_a_wrong_pronoun_as_the_card_admits(shipped):
    fitting, wrong = (f"{pronoun} sold the lamp to a friend." for pronoun in ("She", "He"))
    shares = [follows(shipped, "Mary lived in Paris.", text) for text in (fitting, wrong)]
    said = re.findall(r"follows for it \((\d+)%\).*?with \"She\" \((\d+)%\)", CARD, re.S)
    assert [tuple(round(100 * share) for share in shares[::-1])] == [
        pytest.approx(tuple(map(int, pair)), abs=2) for pair in said
    ]
    assert top(shipped, "Mary lived in Paris.", "[MASK] sold the lamp to a friend.") == ["She"]


def test_the_bias_follows_the_generator(shipped):
    for text in ((), (BIAS_PAIR,)):
        correlation, _ = against_stated(she_shares(*shipped, *text))
        assert correlation > 0.9
    strong = [name for name, share in P_SHE.items() if not 0.3 < share < 0.7]
    shares = dict(zip(P_SHE, she_shares(*shipped), strict=True))
    assert all((shares[name] > 0.5) == (P_SHE[name] > 0.5) for name in strong)


NUMBERS = r"^\| ([\w ,-]+) \| ([\d.]+)% \| (\d+) \|"
SAID = {name: (float(p), int(n)) for name, p, n in re.findall(NUMBERS + " .*", CARD, re.M)}
PAIRS = {name: (float(p), int(n)) for name, p, n in re.findall(NUMBERS + "$", CARD, re.M)}


def test_the_card_has_every_number():
    assert (set(MASKED_SUITES), set(PAIR_KINDS)) == (set(SAID), set(PAIRS))
    bias = re.findall(r"r = ([\d.]+), mean distance ([\d.]+)", CARD)
    assert len(bias) == 2


@pytest.mark.parametrize("name", ["capitals", "agreement", "gendered pronouns", "antonyms"])
def test_accuracy_is_what_the_card_says(shipped, name):
    model, tokenizer = shipped
    share, count = SAID[name]
    cases = masked_cases(name, tokenizer, count)
    assert len(cases) == count
    assert 100 * score_masked(model, cases) == pytest.approx(share, abs=1.1)


def test_pairs_are_told_apart_as_the_card_says(shipped):
    model, tokenizer = shipped
    share, count = PAIRS["linked facts"]
    asked = pairs_of("linked facts", count)
    read = [encode(tokenizer, text.first.text, text.second.text) for text in asked if text.second]
    said = follows_shares(model, [(tuple(one.ids), tuple(one.type_ids)) for one in read])
    right = np.mean([(p > 0.5) == t.follows for p, t in zip(said, asked, strict=True)])
    assert 0.3 < np.mean([text.follows for text in asked]) < 0.7
    assert 100 * right == pytest.approx(share, abs=1.1)


def test_a_held_out_case_masks_the_answer_alone(shipped):
    tokenizer = shipped[1]
    for pair in (False, True):
        for case in masked_cases("questions", tokenizer, 20, pair=pair):
            assert case.ids.count(tokenizer.token_to_id("[MASK]")) == 1
            assert case.ids[case.at] == tokenizer.token_to_id("[MASK]")
            assert max(case.types) == int(pair)
            assert not case.right & set(case.ids)
    years = masked_cases("greater years", tokenizer, 20)
    shown = {tokenizer.id_to_token(i) for case in years for i in case.right}
    assert all(re.fullmatch(r"##\d\d", token) for token in shown)


def test_the_card_is_made_from_a_report():
    report = MaskedReport(
        (MaskedRow("capitals", 0.5, 8), MaskedRow("questions", 1.0, 4, 0.25, 4)),
        (PairRow("stories", 0.75, 4),),
        (Bias("The … said that [MASK] was happy.", 0.987, 0.0321),),
    )
    text = masked_as_text(report)
    assert "| capitals | 50.0% | 8 |  |  |" in text
    assert "| questions | 100.0% | 4 | 25.0% | 4 |" in text
    assert "| stories | 75.0% | 4 |" in text
    assert "r = 0.987, mean distance 0.032" in text
    assert text in masked_card_text(report)


def test_a_folder_without_a_model_is_named(tmp_path):
    import argparse

    with pytest.raises(ModelError, match=r"no config\.json"):
        run_evaluate(argparse.Namespace(model=tmp_path, encoder=True, cases=1, json=False))


def test_the_catalogue_offers_it():
    assert find_model("demo-bert").source_words == "ships with flowviz"
    maps = attention_maps("Where is Paris?", "demo-bert", second="It is in [MASK].")
    assert maps.weights.shape == (4, 6, 12, 12)
    assert maps.queries.second == 6
