"""A checkpoint's three parts, each refused in words where it cannot be explained.

The configuration says what the model is; the tokenizer what its tokens are; the weights must be
all of it, finite, in safetensors. No code that comes with a checkpoint is ever run.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from flowviz.errors import ModelError
from flowviz.models.hub import WEIGHTS
from flowviz.models.kind import ModelKind, kind_of
from flowviz.models.quantised import check_quantised, eight_bit_weights, is_quantised, plain_weight

TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer.model",
    "vocab.json",
    "vocab.txt",
    "spiece.model",
    "sentencepiece.bpe.model",
)
AUTO_CLASSES = {
    ModelKind.GPT: "AutoModelForCausalLM",
    ModelKind.ENCODER: "AutoModelForMaskedLM",
    ModelKind.BOTH: "AutoModelForSeq2SeqLM",
}
SAVE_AGAIN = "Load it where you trust it and save it again with save_pretrained."


def check_folder(title: str, folder: Path) -> None:
    """Raises ModelError where a folder lacks what every model has."""
    if not (folder / "config.json").is_file():
        raise ModelError(
            f"The folder {folder} holds no config.json. Give the folder that save_pretrained wrote."
        )
    if not any((folder / name).is_file() for name in WEIGHTS):
        raise ModelError(_no_weights(folder))


def has_tokenizer(folder: Path) -> bool:
    """Whether a folder holds a tokenizer."""
    return any((folder / name).is_file() for name in TOKENIZER_FILES)


def check_tokenizer_files(folder: Path) -> None:
    """Raises ModelError where a folder holds no tokenizer."""
    if not has_tokenizer(folder):
        raise ModelError(
            f"The folder {folder} holds no tokenizer. Save the model's tokenizer there too, with "
            "its save_pretrained, which writes tokenizer.json."
        )


def _no_weights(folder: Path) -> str:
    named = sorted(file.name for file in folder.glob("*.safetensors"))
    if named:
        return (
            f"The folder {folder} holds {named[0]}, but transformers reads model.safetensors, or "
            "the shards that model.safetensors.index.json lists. Rename it, or save it again."
        )
    return (
        f"The folder {folder} holds no model.safetensors; pickled weights are not loaded, because "
        f"they can run code. {SAVE_AGAIN}"
    )


def read_config(title: str, folder: Path, kind: ModelKind = ModelKind.GPT) -> Any:
    """The configuration of a model of that kind, or ModelError.

    A causal language model must be one that TransformerLens knows.
    """
    from transformers import AutoConfig

    config = AutoConfig.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    _check_blocks(title, config)
    if kind is ModelKind.GPT:
        check_architecture(title, config)
    else:
        _check_family(title, config, kind)
    check_quantised(title, config)
    return config


def _check_family(title: str, config: Any, kind: ModelKind) -> None:
    """Raises ModelError where transformers has no model of text of that kind in the family."""
    from transformers.models.auto import modeling_auto as auto

    masked = kind is ModelKind.ENCODER
    names = (
        auto.MODEL_FOR_MASKED_LM_MAPPING_NAMES
        if masked
        else auto.MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES
    )
    if config.model_type not in names or hasattr(config, "audio_config"):
        words = "masked language model" if masked else "model from text to text"
        raise ModelError(
            f"{title} is of the family {config.model_type!r}, in which transformers has no "
            f"{words}. Choose another one, for example BERT or T5."
        )


def auto_class(kind: ModelKind) -> Any:
    """The class of transformers that makes and loads models of a kind."""
    import transformers

    return getattr(transformers, AUTO_CLASSES[kind])


def check_architecture(title: str, config: Any) -> None:
    """Raises ModelError where no causal language model can come of a configuration."""
    from transformer_lens.factories.architecture_adapter_factory import SUPPORTED_ARCHITECTURES

    names = config.architectures or [f"{type(config).__name__} without architectures"]
    name = names[0]
    if name.endswith("ForConditionalGeneration") and hasattr(config, "vision_config"):
        raise ModelError(
            f"{title} is {name}: a model of pictures and text. Choose one of text alone, or save "
            "its language model by itself."
        )
    if name not in _causal_names() or _reads_both_ways(config, name):
        raise ModelError(
            f"{title} is {name}: not a causal language model. {_attention_of(config)}Choose a "
            "model that predicts the next token, such as GPT-2 or Llama."
        )
    if name not in SUPPORTED_ARCHITECTURES:
        raise ModelError(
            f"{title} is {name}, an architecture that TransformerLens does not know. Choose a "
            "model of another architecture."
        )


def _attention_of(config: Any) -> str:
    """What can be seen of a model that is none."""
    if kind_of(config.to_dict()) in (None, ModelKind.GPT):
        return ""
    return (
        "Its attention can be looked at (attention_maps in Python, flowviz attention, the page "
        "Attention). "
    )


def causal_name(model: torch.nn.Module) -> str:
    """The name of a model's class, or of the class of transformers that it is made from."""
    names = [kind.__name__ for kind in type(model).__mro__]
    return next((name for name in names if name in _causal_names()), names[0])


def _causal_names() -> set[str]:
    """The classes that AutoModelForCausalLM makes of text."""
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

    names = MODEL_FOR_CAUSAL_LM_MAPPING_NAMES.values()
    return {name for name in names if not name.endswith("ForConditionalGeneration")}


def _reads_both_ways(config: Any, name: str) -> bool:
    """Whether it is of BERT's kind, which is causal only where its configuration says so."""
    bert = "LMHead" in name and hasattr(config, "type_vocab_size")
    return bert and not getattr(config, "is_decoder", False)


def _check_blocks(title: str, config: Any) -> None:
    blocks = getattr(config, "num_hidden_layers", 1)
    if not isinstance(blocks, int) or blocks < 1:
        raise ModelError(f"{title} has {blocks} blocks by its config.json. Mend that file.")


def read_tokenizer(title: str, folder: Path, config: Any, fast: bool = True) -> Any:
    """A tokenizer with the tokens that it was saved with, or ModelError.

    Args:
        fast: whether it must be a fast one.
    """
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(
            folder, config=config, trust_remote_code=False, local_files_only=True
        )
    except Exception as error:  # the readers raise whatever a broken file makes them stumble over
        raise ModelError(
            f"{title} has a tokenizer that cannot be read ({_first_line(error)}). Save the "
            "tokenizer again with its save_pretrained."
        ) from error
    return usable_tokenizer(title, tokenizer, fast)


def usable_tokenizer(title: str, tokenizer: Any, fast: bool = True) -> Any:
    """The tokenizer where it is one with tokens, and a fast one where that is wanted."""
    from transformers import PreTrainedTokenizerBase

    if not isinstance(tokenizer, PreTrainedTokenizerBase):
        raise ModelError(
            f"{title} is given a {type(tokenizer).__name__} as its tokenizer; one of transformers "
            "is wanted, such as AutoTokenizer.from_pretrained gives."
        )
    if fast and not tokenizer.is_fast:  # transformers has no converter for these
        raise ModelError(
            f"{title} has a slow tokenizer ({type(tokenizer).__name__}), whose tokens cannot be "
            "read one by one. Give a fast one, or a folder that holds its tokenizer.json."
        )
    if not len(tokenizer):
        raise ModelError(f"{title} has a tokenizer without tokens. Save its tokenizer again.")
    return tokenizer


def empty_model(config: Any, kind: ModelKind = ModelKind.GPT) -> torch.nn.Module:
    """The model without its numbers: shapes alone, no memory."""
    with torch.device("meta"):
        model = auto_class(kind).from_config(config, trust_remote_code=False)
    if kind is ModelKind.GPT and type(model).__name__ != config.architectures[0]:
        raise ModelError(
            f"The configuration says {config.architectures[0]}, but its model_type "
            f"{config.model_type!r} makes a {type(model).__name__}. Mend the config.json."
        )
    return model


def count_bytes(
    config: Any, dtype: torch.dtype, eight_bit: bool = False, kind: ModelKind = ModelKind.GPT
) -> int:
    """The memory that a configuration's weights take; what is tied counts once.

    In 8 bits the blocks' matrices take a byte a number, and a scale for each row.
    """
    model = empty_model(config, kind)
    whole = sum(weight.numel() for weight in model.parameters()) * dtype.itemsize
    saved = sum(
        weight.numel() * (dtype.itemsize - 1) - weight.shape[0] * dtype.itemsize
        for weight in (eight_bit_weights(model) if eight_bit or is_quantised(config) else ())
    )
    return whole - saved


def read_weights(title: str, folder: Path, config: Any, dtype: torch.dtype, **place: object) -> Any:
    """All of the weights of a causal language model, from safetensors alone, or ModelError.

    Args:
        title: what errors call it.
        folder: where the files are.
        config: what `read_config` gave.
        dtype: the precision.
        place: what transformers' loader takes besides on devices and 8-bit weights.
    """
    weights, report = fetch_weights(ModelKind.GPT, folder, config, dtype, **place)
    check_shapes(title, report)
    check_none_missing(title, sorted(report["missing_keys"]))
    check_finite(title, weights)
    return weights.eval().requires_grad_(False)


def fetch_weights(
    kind: ModelKind, folder: Path, config: Any, dtype: torch.dtype, **place: object
) -> tuple[Any, dict[str, Any]]:
    """The model with what its safetensors hold, and transformers' report of what they lack."""
    given: dict[str, object] = {"attn_implementation": "eager", **place}
    return auto_class(kind).from_pretrained(
        folder,
        config=config,
        dtype=dtype,
        use_safetensors=True,
        trust_remote_code=False,
        local_files_only=True,
        experts_implementation="eager",  # others know no float64
        output_loading_info=True,
        ignore_mismatched_sizes=True,  # they are refused below, by name
        **given,
    )


def check_shapes(title: str, report: dict[str, Any]) -> None:
    """Raises ModelError where a weight does not fit the configuration."""
    wrong = sorted(report["mismatched_keys"])
    if wrong:
        name, found, wanted = wrong[0]
        raise ModelError(
            f"{title} has weights that do not fit its config.json: {name} is {tuple(found)}, the "
            f"configuration asks for {tuple(wanted)}. Mend the config.json, or save both again."
        )


def check_none_missing(title: str, missing: list[str]) -> None:
    """Raises ModelError where weights are missing."""
    if missing:
        raise ModelError(
            f"{title} lacks {len(missing)} of its weights, for example {missing[0]}. A "
            "checkpoint without a language-model head cannot be explained; save the whole model."
        )


def check_finite(title: str, weights: torch.nn.Module) -> None:
    """Raises ModelError where a weight is no finite number."""
    for name, parameter in weights.named_parameters():
        weight = plain_weight(parameter)
        if not torch.isfinite(weight.sum()) and not torch.isfinite(weight).all():
            raise ModelError(
                f"{title} has weights that are not finite numbers, in {name}. Train or convert "
                "it again."
            )


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:160]
