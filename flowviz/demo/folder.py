"""Where the shipped models lie."""

from pathlib import Path

MODEL_FOLDER = Path(__file__).parent / "model"
"""The demo GPT, a plain Hugging Face folder: configuration, weights, tokenizer, model card."""
ENCODER_FOLDER = Path(__file__).parent / "encoder"
"""The demo BERT, the same."""
FACTORS_FOLDER = Path(__file__).parent / "factors"
"""The dictionaries of the demo GPT, each in a folder by its name."""
