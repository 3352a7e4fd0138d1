"""Where a model's files are: its own folder, what was downloaded before, or the hub, asked once.

What is on this machine already is not looked up again, so that it answers at once and offline.
Otherwise one question to the hub, without retries, says whether it can be reached and what it
holds; only then is anything downloaded, and only safetensors weights and plain text.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tqdm.auto import tqdm

from flowviz.errors import FlowvizError, ModelError
from flowviz.models.catalogue import ModelEntry

Progress = Callable[[str, float], None]
WANTED = (
    "*.json",
    "*.txt",
    "*.model",
    "*.spm",
    "model*.safetensors",
    "adapter_model.safetensors",
)
UNWANTED = ("*/*",)
WEIGHTS = ("model.safetensors", "model.safetensors.index.json")
ADAPTER_CONFIG = "adapter_config.json"
ADAPTER_WEIGHTS = "adapter_model.safetensors"
PATIENCE_SECONDS = 15.0
WITHOUT_A_HUB = "Connect once to download it, give a local folder, or use the demo model."


def model_folder(entry: ModelEntry, progress: Progress) -> Path:
    """The folder that holds a model's files, downloaded where they are not here yet.

    Raises:
        ModelError: the hub cannot be reached, has no such model, or it needs a token.
    """
    if not entry.on_hub and Path(entry.source).is_dir():
        return Path(entry.source)
    return _downloaded_before(entry) or _download(entry, progress)


def config_folder(entry: ModelEntry) -> Path:
    """The folder with a model's config.json; from the hub nothing else, where it is not here yet.

    An adapter's has its adapter_config.json.

    Raises:
        ModelError: the hub cannot be reached, has no such model, or it needs a token.
    """
    from huggingface_hub import hf_hub_download

    if not entry.on_hub and Path(entry.source).is_dir():
        return Path(entry.source)
    for name in (ADAPTER_CONFIG, "config.json"):
        with contextlib.suppress(OSError, ValueError):
            return Path(hf_hub_download(entry.source, name, local_files_only=True)).parent
    with _said_plainly(entry):
        names = _check_offer(entry)
        name = ADAPTER_CONFIG if ADAPTER_CONFIG in names else "config.json"
        return Path(hf_hub_download(entry.source, name, etag_timeout=PATIENCE_SECONDS)).parent


def _downloaded_before(entry: ModelEntry) -> Path | None:
    from huggingface_hub import snapshot_download

    with contextlib.suppress(OSError, ValueError):  # not here, or not all of it
        folder = Path(
            snapshot_download(
                entry.source,
                local_files_only=True,
                allow_patterns=list(WANTED),
                ignore_patterns=list(UNWANTED),
            )
        )
        if _is_whole(folder):
            return folder
    return None


def _is_whole(folder: Path) -> bool:
    adapter = all((folder / name).exists() for name in (ADAPTER_CONFIG, ADAPTER_WEIGHTS))
    whole = any((folder / name).exists() for name in WEIGHTS)
    return adapter or (whole and (folder / "config.json").exists())


def _download(entry: ModelEntry, progress: Progress) -> Path:
    from huggingface_hub import snapshot_download

    with _said_plainly(entry):
        _check_offer(entry)
        return Path(
            snapshot_download(
                entry.source,
                allow_patterns=list(WANTED),
                ignore_patterns=list(UNWANTED),
                max_workers=1,
                tqdm_class=_bar(entry, progress),
            )
        )


def _check_offer(entry: ModelEntry) -> set[str]:
    """Asks the hub once whether there is anything to load; the names of all files."""
    from huggingface_hub import HfApi

    info = HfApi().model_info(entry.source, timeout=PATIENCE_SECONDS)
    names = {file.rfilename for file in info.siblings or ()}
    if not names.intersection((*WEIGHTS, ADAPTER_WEIGHTS)):
        raise ModelError(
            f"{entry.source} has no safetensors weights; pickled weights are not loaded, because "
            "they can run code. Load it where you trust it, save it with save_pretrained, and "
            "give that folder."
        )
    return names


def _bar(entry: ModelEntry, progress: Progress) -> type[tqdm]:
    """A progress bar that draws nothing and tells how many bytes have come."""

    class Told(tqdm):
        def __init__(self, *args: Any, **named: Any) -> None:
            named.pop("name", None)
            super().__init__(*args, **{**named, "disable": False, "delay": 1e9})
            self._in_bytes = named.get("unit") == "B"

        def display(self, *_args: Any, **_named: Any) -> bool:
            return False

        def update(self, n: int | float | None = 1) -> bool | None:
            """Counts, and tells; a cancel raises from here."""
            shown = super().update(n)
            if self._in_bytes and self.total:
                done, size = self.n / 1e6, self.total / 1e6
                words = f"Downloading {entry.title}: {done:,.0f} of {size:,.0f} MB"
                progress(words, 0.05 + 0.1 * min(done / size, 1))
            return shown

    return Told


@contextlib.contextmanager
def _said_plainly(entry: ModelEntry) -> Iterator[None]:
    """Turns what the hub's client raises into what happened and the way out."""
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        HFValidationError,
        RepositoryNotFoundError,
    )

    name = entry.source
    try:
        yield
    except FlowvizError:
        raise
    except GatedRepoError:
        raise ModelError(
            f"{name} is gated. Accept its terms on the hub, then set HF_TOKEN to your token."
        ) from None
    except RepositoryNotFoundError:
        raise ModelError(
            f"The hub has no model {name} that it shows without a token. Check the name; if the "
            "model is private, set HF_TOKEN to your token."
        ) from None
    except HFValidationError:
        raise ModelError(f"{name[:200]!r} is no hub name. Check the name.") from None
    except HfHubHTTPError as error:
        raise ModelError(
            f"The hub answered {error.response.status_code} for {name}. Try again later. "
            f"{WITHOUT_A_HUB}"
        ) from error
    except OSError as error:
        if error.errno is None:
            raise ModelError(_unreachable(name, error)) from error
        raise ModelError(f"{name} could not be written here: {error.strerror}.") from error
    except Exception as error:  # the errors of whichever httpx the hub's client comes with
        if not type(error).__module__.startswith("httpx"):
            raise
        raise ModelError(_unreachable(name, error)) from error


def _unreachable(name: str, error: Exception) -> str:
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:120]
    return (
        f"{name} is not on this machine, and the hub cannot be reached ({reason}). {WITHOUT_A_HUB}"
    )
