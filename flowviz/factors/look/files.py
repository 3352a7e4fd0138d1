"""Surveys on disk: `survey.json` says what it is of, `survey.npz` holds its arrays and texts.

Nothing is unpickled. What the file holds is only unpacked once the headers of its parts say that it
has the sizes that the card says, and is then checked in full (`packed.py`). How strong a factor is
in its contexts is not kept: whoever shows them reads them again.
"""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy

from flowviz.contexts.encode.types import Reader
from flowviz.errors import RequestError
from flowviz.factors.look.packed import Arrays, packed, unpacked
from flowviz.factors.look.surveyed import Survey, hash_of
from flowviz.factors.types import Dictionary

VERSION = 1
CARD, ARRAYS = "survey.json", "survey.npz"
MOST_CARD = 2**20
MOST_BYTES = 2**32  # unpacked
AGAIN = "Survey the dictionary again."


def save_survey(survey: Survey, folder: Path) -> None:
    """Writes a survey; it appears whole or not at all. Raises RequestError."""
    info = survey.info
    try:
        folder.mkdir(parents=True, exist_ok=True)
        part = folder / f"{ARRAYS}.part"
        with part.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **packed(survey))
        card = {
            "version": VERSION,
            "dictionary": info.dictionary,
            "corpus": info.corpus,
            "identity": info.identity,
            "sites": [str(site) for site in info.sites],
            "sentences": info.sentences,
            "tokens": info.tokens,
            "annotations": [str(each) for each in info.annotations],
            "strongest": info.strongest,
            "factors": survey.factors,
            "atoms": survey.atoms,
            "fingerprint": survey.corpus,
            "notes": list(survey.notes),
            "arrays": _digest(part),
        }
        os.replace(part, folder / ARRAYS)
        (folder / f"{CARD}.part").write_text(json.dumps(card, indent=1), encoding="utf-8")
        os.replace(folder / f"{CARD}.part", folder / CARD)
    except OSError as error:
        raise RequestError(
            f"{folder} cannot be written ({error.strerror or error}). Make room, or name another."
        ) from None


def open_survey(
    folder: Path, dictionary: Dictionary | None = None, reader: Reader | None = None
) -> Survey:
    """The survey in a folder.

    Args:
        dictionary, reader: whose it must be, where these are given.

    Raises:
        RequestError: there is none, it is broken, or it is another dictionary's or model's.
    """
    card = _card(folder)
    try:
        if card["version"] != VERSION:
            raise RequestError(
                f"The survey {folder} is of version {str(card['version'])[:20]}; {VERSION} is read "
                f"here. {AGAIN}"
            )
        if _digest(folder / ARRAYS) != card["arrays"]:
            raise ValueError("its arrays are not those that its card names")
        survey = unpacked(card, _loaded(folder / ARRAYS))
    except (KeyError, TypeError, ValueError, OSError, zipfile.BadZipFile, EOFError) as error:
        raise RequestError(f"The survey {folder} is broken ({str(error)[:120]}). {AGAIN}") from None
    _check_own(folder, survey, dictionary, reader)
    return survey


def _check_own(
    folder: Path, survey: Survey, dictionary: Dictionary | None, reader: Reader | None
) -> None:
    if dictionary is not None and survey.atoms != hash_of(dictionary):
        raise RequestError(
            f"The survey {folder} is of another dictionary than {dictionary.about.name}. {AGAIN}"
        )
    if reader is not None and survey.info.identity != reader.identity:
        raise RequestError(
            f"The survey {folder} was made with another model than {reader.shape.name}: its "
            f"weights or tokenizer differ. {AGAIN}"
        )


def _card(folder: Path) -> dict[str, Any]:
    file = folder / CARD
    try:
        if not file.is_file() or not (folder / ARRAYS).is_file():
            raise RequestError(
                f"{folder} holds no survey: {CARD} and {ARRAYS} are not both there. Survey the "
                "dictionary first."
            )
        if file.stat().st_size > MOST_CARD:
            raise RequestError(f"{file} has more than {MOST_CARD // 2**20} MB, and is no card.")
        said = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise RequestError(f"{file} cannot be read as JSON ({str(error)[:80]}).") from None
    if not isinstance(said, dict):
        raise RequestError(f"{file} is no JSON object. {AGAIN}")
    return said


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def _loaded(file: Path) -> Arrays:
    """The arrays of a file, once their headers agree with their sizes."""
    found: Arrays = {}
    with zipfile.ZipFile(file) as held:
        if sum(each.file_size for each in held.infolist()) > MOST_BYTES:
            raise ValueError(f"it takes more than {MOST_BYTES // 2**30} GB")
        for each in held.infolist():
            with held.open(each) as part:
                version = npy.read_magic(part)
                read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
                shape, _, dtype = read(part)
                if (
                    dtype.hasobject
                    or part.tell() + dtype.itemsize * int(np.prod(shape, dtype=object))
                    != each.file_size
                ):
                    raise ValueError(f"{each.filename} has not the size that it says")
                values = np.frombuffer(part.read(), dtype).reshape(shape)
            found[each.filename.removesuffix(".npy")] = values
    return found
