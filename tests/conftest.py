"""What every test has."""

from __future__ import annotations

import gc
import tempfile
from collections.abc import Iterator

import pytest
from hypothesis import settings

# The same examples each time; others with `--hypothesis-profile=others`
settings.register_profile("others")
settings.register_profile("same", derandomize=True)
settings.load_profile("same")


@pytest.fixture(scope="session", autouse=True)
def _own_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Folders of models that outlive one test go where pytest clears up after a few runs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(tmp_path_factory.mktemp("kept")))
        yield


@pytest.fixture(scope="session", autouse=True)
def _collected_quickly() -> None:
    """Sessions collect garbage where a model is loaded; what was imported is none (0.3 s each)."""
    gc.collect()
    gc.freeze()
