"""The catalogue: which models there are to choose from, and what each can do.

A visitor's text names an entry and nothing else; it never becomes a path or a hub name. On the
command line the person at the keyboard may name any folder or hub model besides.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from flowviz.errors import ModelError
from flowviz.models.kind import ModelKind, kind_of_folder
from flowviz.models.placement import HERE, Placement

__all__ = ["Catalogue", "ModelEntry", "ModelKind", "find_model", "known_models", "on_base"]

LONGEST_NAME = 100
SHIPPED = ("demo", "demo-bert")
HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,95}(/[A-Za-z0-9][\w.-]{0,95})?", re.ASCII)


@dataclass(frozen=True)
class ModelEntry:
    """One model to choose.

    Args:
        name: what requests and links call it.
        source: a hub name or a folder.
        title: what the page calls it.
        description: one sentence on what it is and what it can do here.
        millions: parameters, where known.
        base: for an adapter, the hub name or folder of the model to merge it into; None for the
            one that the adapter names.
        on_hub: whether the source is a hub name even where a folder here is called the same.
        placement: where its weights are held, and how precisely.
        kind: what it is; None where that is not known before it is loaded.
    """

    name: str
    source: str
    title: str
    description: str
    millions: int | None = None
    base: str | None = None
    on_hub: bool = False
    placement: Placement = HERE
    kind: ModelKind | None = None

    @property
    def source_words(self) -> str:
        """Where it comes from, without a path of this machine."""
        return "ships with flowviz" if self.name in SHIPPED else self.source

    def placed(self, placement: Placement) -> ModelEntry:
        """The same model, held elsewhere or in another precision."""
        return replace(self, placement=placement)


def _shipped() -> tuple[ModelEntry, ...]:
    from flowviz.demo import ENCODER_FOLDER, MODEL_FOLDER

    return (
        ModelEntry(
            "demo",
            str(MODEL_FOLDER),
            "Demo",
            "Ships with flowviz; works offline.",
            kind=ModelKind.GPT,
        ),
        ModelEntry(
            "demo-bert",
            str(ENCODER_FOLDER),
            "Demo BERT",
            "Ships with flowviz: a small BERT for attention, with sentence pairs and masks.",
            kind=ModelKind.ENCODER,
        ),
    )


def known_models() -> tuple[ModelEntry, ...]:
    """The models that flowviz knows by name, the default first."""
    return (
        *_shipped(),
        ModelEntry(
            "gpt2",
            "gpt2",
            "GPT-2 small",
            "12 layers, 12 heads.",
            124,
            on_hub=True,
            kind=ModelKind.GPT,
        ),
        ModelEntry(
            "distilgpt2",
            "distilgpt2",
            "DistilGPT-2",
            "6 layers, 12 heads.",
            82,
            on_hub=True,
            kind=ModelKind.GPT,
        ),
        ModelEntry(
            "gpt2-medium",
            "gpt2-medium",
            "GPT-2 medium",
            "24 layers, 16 heads.",
            355,
            on_hub=True,
            kind=ModelKind.GPT,
        ),
        ModelEntry(
            "smollm-135m",
            "HuggingFaceTB/SmolLM-135M",
            "SmolLM 135M",
            "Llama architecture, 30 layers, grouped-query attention.",
            135,
            on_hub=True,
            kind=ModelKind.GPT,
        ),
        ModelEntry(
            "tinyllama",
            "TinyLlama/TinyLlama_v1.1",
            "TinyLlama 1.1B",
            "Llama architecture, 22 layers; needs about 5 GB.",
            1100,
            on_hub=True,
            kind=ModelKind.GPT,
        ),
        *_for_attention(),
    )


def _for_attention() -> tuple[ModelEntry, ...]:
    """Models that read both ways: attention alone can be asked of them."""
    encoders = (
        ("bert-base-uncased", "google-bert/bert-base-uncased", "BERT base", 110),
        ("distilbert-base-uncased", "distilbert/distilbert-base-uncased", "DistilBERT base", 66),
        ("roberta-base", "FacebookAI/roberta-base", "RoBERTa base", 125),
    )
    both = (
        ("t5-small", "google-t5/t5-small", "T5 small", 61),
        ("bart-base", "facebook/bart-base", "BART base", 139),
    )
    said = {
        ModelKind.ENCODER: "For attention, with sentence pairs and masks.",
        ModelKind.BOTH: "For attention of encoder, decoder, and across.",
    }
    return tuple(
        ModelEntry(name, source, title, said[kind], millions, on_hub=True, kind=kind)
        for kind, each in ((ModelKind.ENCODER, encoders), (ModelKind.BOTH, both))
        for name, source, title, millions in each
    )


@dataclass(frozen=True)
class Catalogue:
    """The models that one server offers, the default first."""

    entries: tuple[ModelEntry, ...]

    def entry(self, name: str) -> ModelEntry:
        """The entry of that name. Raises ModelError for any other text."""
        for entry in self.entries:
            if entry.name == name:
                return entry
        offered = ", ".join(entry.name for entry in self.entries)
        raise ModelError(f"No model {name[:60]!r} is offered here. Choose one of: {offered}.")

    def placed(self, placement: Placement) -> Catalogue:
        """The same models, held elsewhere or in another precision."""
        return Catalogue(tuple(entry.placed(placement) for entry in self.entries))

    @classmethod
    def of(cls, choices: Iterable[str]) -> Catalogue:
        """A catalogue of `NAME` (known, a hub name or a folder) and `NAME=SOURCE` choices.

        A source is a folder or a hub name, or `ADAPTER@BASE` of two such.

        Raises:
            ModelError: a choice is none of these, or there is none, or two have one name.
        """
        entries = tuple(_choice(text.strip()) for text in choices if text.strip())
        if not entries:
            raise ModelError("No model is offered. Name at least one, for example demo.")
        names = [entry.name for entry in entries]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice:
            raise ModelError(f"The model {twice!r} is named twice. Give each its own name.")
        return cls(entries)


def _choice(text: str) -> ModelEntry:
    name, _, source = text.partition("=")
    if not name or not name.isprintable() or len(name) > LONGEST_NAME:
        raise ModelError(f"The model {text[:60]!r} needs a name before its '='.")
    return find_model(source or name, name if source else None)


def find_model(source: str, name: str | None = None) -> ModelEntry:
    """An entry for a known name, a folder, a hub name, or `ADAPTER@BASE` of two of them.

    It is for whoever runs the program: a visitor's text never comes here.

    Raises:
        ModelError: it is none of these.
    """
    for entry in known_models():
        if entry.name == source and name is None:
            return entry
    kind = _kind_of_path(source)
    if kind == "folder":
        title = name or Path(source).resolve().name
        return _own(title, source)
    if kind is None and HUB_NAME.fullmatch(source):
        title = name or source
        return ModelEntry(title, source, title, "From the Hugging Face hub.", on_hub=True)
    adapter, _, base = source.rpartition("@")
    if kind is None and adapter:
        return on_base(find_model(adapter, name), base)
    what = "is a file, not a folder" if kind else "is neither a folder nor a hub name"
    raise ModelError(
        f"{source[:200]!r} {what}. Give a folder that holds a config.json, or a name such as "
        "gpt2 or EleutherAI/pythia-160m."
    )


def _own(title: str, folder: str) -> ModelEntry:
    kind = kind_of_folder(Path(folder))
    return ModelEntry(title, folder, title, "A model of your own.", kind=kind)


def on_base(adapter: ModelEntry, base: str) -> ModelEntry:
    """An adapter's entry with the model to merge it into: a known name, a folder or a hub name.

    Raises:
        ModelError: the base is none of these, or there are two bases.
    """
    found = find_model(base)
    if adapter.base or found.base:
        raise ModelError(f"{adapter.title} is given two base models. Give one: ADAPTER@BASE.")
    return replace(adapter, base=base, description="An adapter of your own on its base model.")


def _kind_of_path(source: str) -> str | None:
    """What stands at that path: a folder, something else, or nothing."""
    try:
        path = Path(source)
        return "folder" if source and path.is_dir() else "file" if path.is_file() else None
    except (OSError, ValueError):  # too long for a name, or with NUL in it
        return None
