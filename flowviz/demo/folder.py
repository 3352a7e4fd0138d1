"""Where the shipped model lies."""

from pathlib import Path

MODEL_FOLDER = Path(__file__).parent / "model"
"""A plain Hugging Face folder: configuration, weights, tokenizer, model card."""
