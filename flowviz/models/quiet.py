"""Keeps what the libraries print while a model loads off standard output and error."""

from __future__ import annotations

import contextlib
import io
import logging
import threading
from collections.abc import Iterator

NOISY = ("torch.utils._pytree", "torchao")
log = logging.getLogger(__name__)
_one_at_a_time = threading.RLock()  # the streams belong to the whole process


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """No progress bars, notes or warnings; what was printed goes to the log at level DEBUG."""
    said = io.StringIO()
    with _one_at_a_time:
        try:
            with (
                contextlib.redirect_stdout(said),
                contextlib.redirect_stderr(said),
                _errors_alone(),
                _no_bars(),
            ):
                yield
        finally:
            if said.getvalue():
                log.debug("while loading: %s", said.getvalue())


@contextlib.contextmanager
def _errors_alone() -> Iterator[None]:
    """Of what torch and torchao log while torchao is imported, nothing below an error."""
    loggers = [logging.getLogger(name) for name in NOISY]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)


@contextlib.contextmanager
def _no_bars() -> Iterator[None]:
    from huggingface_hub.utils import logging as hub_logging
    from transformers.utils import logging

    before, hub_before = logging.get_verbosity(), hub_logging.get_verbosity()
    bars = logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    hub_logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(before)
        hub_logging.set_verbosity(hub_before)
        if bars:
            logging.enable_progress_bar()
