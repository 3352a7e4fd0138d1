"""What tests of the search share: nothing opened before, and an index for few rows."""

from __future__ import annotations

import pytest

from flowviz.contexts.search import nearest
from flowviz.contexts.search.kept import Indexes


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nearest, "INDEXES", Indexes())


@pytest.fixture
def by_index(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nearest, "SCANNED", 0)
    monkeypatch.setattr(nearest, "TAKEN", 1 << 10)
