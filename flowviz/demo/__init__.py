"""The little English and the GPT that was trained on it: all that works without a network."""

from flowviz.demo.examples import EXAMPLES, Example
from flowviz.demo.folder import MODEL_FOLDER

__all__ = ["EXAMPLES", "MODEL_FOLDER", "Example"]
