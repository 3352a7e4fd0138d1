"""The two models that ship, each with how it is trained, written down and asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flowviz.demo import card, evaluate, gpt, tokenizer
from flowviz.demo.folder import ENCODER_FOLDER, MODEL_FOLDER
from flowviz.demo.masked import card as masked_card
from flowviz.demo.masked import evaluate as masked
from flowviz.demo.masked import tokenizer as pieces
from flowviz.demo.masked.recipe import MaskedRecipe
from flowviz.demo.train import Recipe


@dataclass(frozen=True)
class Shipped:
    """One of the models.

    Args:
        folder: where it lies.
        recipe: how it is trained; given whether the loss may be compiled.
        save_tokenizer: writes the tokenizer's files into a folder.
        load: its network and tokenizer, from a folder.
        evaluate: its report, from those and a number of cases.
        as_text: the report as tables.
        card: the model card, from the report.
    """

    folder: Path
    recipe: Callable[[bool], Recipe]
    save_tokenizer: Callable[[Path], None]
    load: Callable[[Path], tuple[Any, Any]]
    evaluate: Callable[..., Any]
    as_text: Callable[[Any], str]
    card: Callable[[Any], str]

    def write_card(self, report: Any, folder: Path) -> None:
        """Write the card into the model's folder."""
        path = folder / "README.md"
        path.write_text(self.card(report))
        path.chmod(0o644)


GPT = Shipped(
    folder=MODEL_FOLDER,
    recipe=gpt.GptRecipe,
    save_tokenizer=lambda folder: tokenizer.save_tokenizer(tokenizer.train_tokenizer(), folder),
    load=evaluate.load,
    evaluate=evaluate.evaluate,
    as_text=evaluate.as_text,
    card=card.card_text,
)
BERT = Shipped(
    folder=ENCODER_FOLDER,
    recipe=lambda compiled: MaskedRecipe(),
    save_tokenizer=lambda folder: pieces.save_tokenizer(pieces.build_tokenizer(), folder),
    load=masked.load_masked,
    evaluate=masked.evaluate_masked,
    as_text=masked.masked_as_text,
    card=masked_card.masked_card_text,
)
