"""The shipped model, loaded once."""

import pytest

from flowviz.demo import MODEL_FOLDER


@pytest.fixture(scope="session")
def shipped():
    from flowviz.demo.evaluate import load

    return load(MODEL_FOLDER)


@pytest.fixture(scope="session")
def tokenizer():
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(MODEL_FOLDER / "tokenizer.json"))
