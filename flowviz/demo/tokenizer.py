"""A byte-level BPE in which every word of the lexicon is one token after a space.

Text is cut as GPT-2 cuts it, with two differences: digits stand in pairs (" 1732" is " 17" "32",
so that a year's century and its year within it are two tokens), and every punctuation mark stands
alone. All 256 bytes are in the vocabulary, so any text can be read. The merges are learned from
the list of the lexicon's forms, each counted once, until every form is whole; forms that open a
text (names, series) are whole without the space too. Nothing is added to a prompt: put
``<|endoftext|>`` before it yourself, as the corpus does before each document.
"""

from __future__ import annotations

import json
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from flowviz.demo.document import Document
from flowviz.demo.vocabulary import opening_forms, spaced_forms

END_OF_TEXT = "<|endoftext|>"
CONTEXT = 256
_PATTERN = r"'s| ?\p{L}+| ?\p{N}{1,2}| ?->| ?[^\s\p{L}\p{N}]|\s+(?!\S)|\s+"
_ROOM = 10_000


def train_tokenizer() -> Tokenizer:
    """Learn the merges; the same lexicon always gives the same tokenizer."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_PATTERN), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=_ROOM,
        special_tokens=[END_OF_TEXT],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    forms = [f" {form}" for form in spaced_forms()] + opening_forms()
    tokenizer.train_from_iterator(forms, trainer)
    return tokenizer


def save_tokenizer(tokenizer: Tokenizer, folder: Path) -> None:
    """Write the two files that ``AutoTokenizer.from_pretrained`` reads."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": END_OF_TEXT,
        "eos_token": END_OF_TEXT,
        "unk_token": END_OF_TEXT,
        "pad_token": END_OF_TEXT,
        "model_max_length": CONTEXT,
        "clean_up_tokenization_spaces": False,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=2) + "\n")


def end_of_text(tokenizer: Tokenizer) -> int:
    """The id of the token that stands between documents."""
    return token_id(tokenizer, END_OF_TEXT)


def token_id(tokenizer: Tokenizer, token: str) -> int:
    """The id of one of its tokens."""
    found = tokenizer.token_to_id(token)
    if found is None:
        raise ValueError(f"The tokenizer has no {token}: it is not the demo model's.")
    return found


def align(document: Document, tokenizer: Tokenizer) -> list[int]:
    """For every token of the document's text, the index of the word that it belongs to.

    A word owns the space before it, as its token does.
    """
    owner: list[int] = []
    for index, (_, end) in enumerate(document.spans()):
        owner += [index] * (end - len(owner))
    encoding = tokenizer.encode(document.text, add_special_tokens=False)
    return [owner[start] for start, _ in encoding.offsets]
