"""What a model is, read from its config.json alone: a GPT, an encoder, or both halves.

1. `is_encoder_decoder` says both: T5, BART, Marian.
2. A class of masked language models, or one that is built on such an encoder (BertModel, a
   classifier), is an encoder, unless it says that it is a decoder.
3. A class that predicts the next token is a GPT.

What is none of these is left open; whoever loads it is told more.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

CONFIG = "config.json"
MOST_BYTES = 4 * 2**20  # a config.json that lists its labels may have one


class ModelKind(StrEnum):
    """What can be asked of a model."""

    GPT = "gpt"  # a causal language model: everything
    ENCODER = "encoder"  # a masked language model (BERT): attention alone
    BOTH = "encoder-decoder"  # T5, BART, Marian: attention alone


ENCODERS = frozenset({
    "albert", "bert", "big_bird", "camembert", "convbert", "data2vec-text", "deberta",
    "deberta-v2", "distilbert", "electra", "ernie", "esm", "eurobert", "flaubert", "fnet",
    "funnel", "gte", "ibert", "jina_embeddings_v3", "layoutlm", "longformer", "luke",
    "megatron-bert", "mobilebert", "modernbert", "mpnet", "mra", "nomic_bert", "nystromformer",
    "rembert", "roberta", "roberta-prelayernorm", "roc_bert", "roformer", "splinter",
    "squeezebert", "xlm", "xlm-roberta", "xlm-roberta-xl", "xmod", "yoso",
})  # fmt: skip
"""The model_type of families that are encoders unless `is_decoder` says otherwise."""
GPT_CLASSES = ("ForCausalLM", "LMHeadModel", "LMHead")


def kind_of(config: Mapping[str, Any]) -> ModelKind | None:
    """The kind that a configuration says; None where it says none."""
    named = config.get("architectures")
    name = str(named[0]) if isinstance(named, list | tuple) and named else ""
    if config.get("is_encoder_decoder") is True:
        return ModelKind.BOTH
    if str(config.get("model_type")) in ENCODERS and config.get("is_decoder") is not True:
        return None if name.endswith("ForCausalLM") else ModelKind.ENCODER
    if name.endswith("ForMaskedLM"):
        return ModelKind.ENCODER
    return ModelKind.GPT if name.endswith(GPT_CLASSES) else None


def kind_of_folder(folder: Path) -> ModelKind | None:
    """The kind that a folder's config.json says; None where there is none that can be read."""
    try:
        file = folder / CONFIG
        if file.stat().st_size > MOST_BYTES:
            return None
        said = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return kind_of(said) if isinstance(said, dict) else None
