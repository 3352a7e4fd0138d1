from __future__ import annotations

from dataclasses import dataclass

import pytest

from flowviz.app import create_app
from tests.fakes import FakeSession
from tests.ui.client import Client


@dataclass(frozen=True)
class FakeExample:
    phenomenon: str
    title: str
    prompt: str
    target: str | None
    contrast: str | None
    look_for: str


EXAMPLES = (
    FakeExample("facts", "Capitals", "The capital of France is", " Paris", " Rome", "Look late."),
    FakeExample("names", "Names", "Mary and John went and John saw", " Mary", " John", "Look up."),
)


@pytest.fixture
def session() -> FakeSession:
    return FakeSession()


@pytest.fixture
def client(session: FakeSession) -> Client:
    return Client(create_app(session, examples=EXAMPLES))
