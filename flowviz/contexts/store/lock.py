"""One build at a time in a folder."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from flowviz.contexts.store.layout import Layout
from flowviz.errors import RequestError


@contextmanager
def locked(layout: Layout) -> Iterator[None]:
    """Holds the store's folder for this build; the system lets go of it when the process ends.

    Raises:
        RequestError: another build holds it.
    """
    with layout.lock.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise RequestError(
                f"Another build is writing to {layout.folder}. Wait until it has ended, or name "
                "another folder."
            ) from None
        yield
