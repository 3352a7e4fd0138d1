"""The little English and the models that were trained on it: all that works without a network."""

from flowviz.demo.examples import EXAMPLES, Example
from flowviz.demo.folder import ENCODER_FOLDER, MODEL_FOLDER

__all__ = ["ENCODER_FOLDER", "EXAMPLES", "MODEL_FOLDER", "Example"]
