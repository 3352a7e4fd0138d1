"""Dictionaries on disk: `card.json` and `weights.safetensors`; folders of SAELens are read as well.

Nothing is unpickled. Weights are only read once their header says that they have the shapes that
the card says.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

from safetensors.torch import save_file

from flowviz.errors import RequestError
from flowviz.factors.dictionary.card import VERSION, read_card, read_json
from flowviz.factors.dictionary.encoders import Autoencoder, Coder
from flowviz.factors.dictionary.loaded import LoadedDictionary
from flowviz.factors.dictionary.published import PARTS, check_parts, read_published
from flowviz.factors.dictionary.tensors import Shape, pickled_in, read_shapes, read_tensors
from flowviz.factors.kinds import Method
from flowviz.factors.types import About

CARD, WEIGHTS = "card.json", "weights.safetensors"
THEIRS = ("cfg.json", "sae_weights.safetensors")
OPTIONS = ("penalty", "k", "by_length")
UNIT = 1e-3  # how far the length of a direction may be from 1


def save_dictionary(dictionary: LoadedDictionary, folder: Path) -> None:
    """Writes a dictionary; each file appears whole or not at all. Raises RequestError."""
    encoder = dictionary.encoder
    tensors = {"atoms": dictionary.directions, "offset": dictionary.base}
    if isinstance(encoder, Autoencoder):
        tensors |= {"weights": encoder.weights, "bias": encoder.bias,
                    "lengths": encoder.lengths, "centre": encoder.centre}  # fmt: skip
        tensors |= {} if encoder.threshold is None else {"threshold": encoder.threshold}
    about = asdict(dictionary.about)
    about |= {"sites": [str(site) for site in dictionary.about.sites]}
    options = {name: getattr(encoder, name) for name in OPTIONS if hasattr(encoder, name)}
    card = {"version": VERSION, "about": about, "options": options}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        kept = {
            name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()
        }
        save_file(kept, folder / f"{WEIGHTS}.part")
        os.replace(folder / f"{WEIGHTS}.part", folder / WEIGHTS)
        (folder / f"{CARD}.part").write_text(json.dumps(card, indent=1), encoding="utf-8")
        os.replace(folder / f"{CARD}.part", folder / CARD)
    except OSError as error:
        raise RequestError(
            f"{folder} cannot be written ({error.strerror or error}). Make room, or name another."
        ) from None


def load_dictionary(folder: Path, layers: int | None = None) -> LoadedDictionary:
    """The dictionary in a folder, our own or one of SAELens.

    Args:
        layers: of the model that it is for, where that is known (`read_published`).

    Raises:
        RequestError: there is none, or it is broken, or of a kind that cannot be read.
    """
    if (folder / CARD).is_file():
        return _own(folder)
    if all((folder / name).is_file() for name in THEIRS):
        said, weights = read_json(folder / THEIRS[0]), folder / THEIRS[1]
        check_parts(folder.name, said, read_shapes(weights))
        return read_published(folder.name, said, read_tensors(weights, PARTS), layers)
    pickled = pickled_in(folder)
    more = (
        f" Its {pickled[:60]} is not read: what is pickled can run code. Save it as safetensors."
        if pickled else ""
    )  # fmt: skip
    raise RequestError(
        f"{folder} holds no dictionary: neither {CARD} and {WEIGHTS}, nor {' and '.join(THEIRS)}."
        f"{more}"
    )


def read_about(folder: Path) -> About:
    """What our own dictionary in a folder says of itself; its weights are not read.

    Raises:
        RequestError: there is no card, or it is broken.
    """
    return read_card(folder / CARD)[0]


def _own(folder: Path) -> LoadedDictionary:
    about, options = read_card(folder / CARD)
    wanted = _shapes(about)
    there = read_shapes(folder / WEIGHTS)
    for name, shape in wanted.items():
        if there.get(name) != shape:
            found = there.get(name, "missing")
            raise RequestError(f"{folder} is broken: {name} is {found}; its card says {shape}.")
    held = read_tensors(folder / WEIGHTS, wanted)
    atoms, offset = held.pop("atoms"), held.pop("offset")
    if not ((atoms.norm(dim=1) - 1).abs() <= UNIT).all():
        raise RequestError(f"{folder} is broken: its atoms are not all of length 1.")
    if "lengths" in held and not (held["lengths"] > 0).all():
        raise RequestError(f"{folder} is broken: its lengths are not all above 0.")
    if options.penalty is not None:
        encoder: Coder | Autoencoder = Coder(atoms, offset, options.penalty)
    else:
        encoder = Autoencoder(about.method, **held, k=options.k, by_length=options.by_length)
    return LoadedDictionary(about, encoder, atoms, offset)


def _shapes(about: About) -> dict[str, Shape]:
    """What the weights of a dictionary consist of."""
    factors, width = about.factors, about.width
    shapes: dict[str, Shape] = {"atoms": (factors, width), "offset": (width,)}
    if about.method is Method.CODING:
        return shapes
    shapes |= {"weights": (width, factors), "bias": (factors,), "lengths": (factors,),
               "centre": (width,)}  # fmt: skip
    return shapes | ({"threshold": (factors,)} if about.method is Method.JUMPRELU else {})
