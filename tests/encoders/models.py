"""Small random encoders and encoder-decoders, saved as folders and loaded as a user's own are."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp

import transformers
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from flowviz.encoders.loaded import LoadedEncoder
from flowviz.encoders.loading import load_any
from tests.encoders.families import FAMILIES, Family
from tests.models import WORDS, randomise

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


@lru_cache(maxsize=1)
def word_tokenizer() -> PreTrainedTokenizerFast:
    """A token a word, with BERT's special tokens around one sentence or two."""
    words = [*SPECIAL, *dict.fromkeys(WORDS.lower().split())]
    vocabulary = {word: place for place, word in enumerate(words)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    names = ("pad_token", "unk_token", "cls_token", "sep_token", "mask_token")
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
        **dict(zip(names, SPECIAL, strict=True)),
    )


def save_encoder(name: str, folder: Path, seed: int = 0) -> Path:
    """Writes a random model of a family with its tokenizer as a Hugging Face folder."""
    return save_family(FAMILIES[name], folder, seed)


def save_family(family: Family, folder: Path, seed: int = 0) -> Path:
    """The same of a family that is not in the list."""
    weights = getattr(transformers, family.model)(family.configuration())
    randomise(weights, seed)
    weights.save_pretrained(folder)
    word_tokenizer().save_pretrained(folder)
    return folder


@lru_cache(maxsize=64)
def random_encoder(name: str, seed: int = 0) -> LoadedEncoder:
    """A random model of a family, loaded."""
    model = load_any(str(save_encoder(name, Path(mkdtemp()) / name, seed)))
    assert isinstance(model, LoadedEncoder)
    return model
