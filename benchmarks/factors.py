"""Finding the factors of vectors, against one bare product of the same matrices; and opening files.

The floor is `vectors @ atoms.T`, which every method needs at least once. The vectors are states of
the demo GPT over its corpus, the dictionaries those that ship; thresholds for the autoencoders that
do not ship are put on the weights of the one that does. FISTA alone, to which `working.py` hands
what it cannot solve, is held against as many bare products as it took steps. `wide` are random
weights of a published autoencoder's usual size, for vectors of GPT-2 small's width. They take
turns, so that the ratios are of one run. Then how long whoever looks waits: for a dictionary to
open, and for a page of its list.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

from benchmarks.subject import milliseconds, ratio, seconds, side_by_side
from flowviz.contexts.corpus import demo_corpus
from flowviz.contexts.corpus.types import Sentence
from flowviz.demo.folder import FACTORS_FOLDER, MODEL_FOLDER

if TYPE_CHECKING:
    from flowviz.factors.dictionary.loaded import LoadedDictionary

SENTENCES, ROWS = 400, 4096
EVERY = 20  # sentences of the corpus
WIDE = (24_576, 768)


def run(rounds: int) -> None:
    """Prints vectors a second, their ratio to the floor, and times of opening."""
    import torch

    print("\nThe factors of vectors, against one product with all directions")
    print(
        f"{'dictionary':20}{'factors':>9}{'active':>8}{'floor ms':>10}{'ratio':>9}{'a second':>11}"
    )
    vectors = _vectors()
    for name, dictionary in _shipped(vectors):
        _one(name, dictionary, vectors, rounds)
    _steps(vectors, rounds)
    random = torch.randn(512, WIDE[1], generator=torch.Generator().manual_seed(1)).numpy()
    for name, dictionary in _wide():
        _one(name, dictionary, random, max(1, rounds // 3))
    _opening(rounds)
    _listing(rounds)


def _vectors() -> Any:
    """States of the demo GPT at one site of the dictionaries."""
    from flowviz.contexts.encode import open_reader
    from flowviz.factors.dictionary.files import load_dictionary
    from flowviz.models.loading import load_model

    reader = open_reader(load_model(str(MODEL_FOLDER)))
    site = load_dictionary(FACTORS_FOLDER / "coding").about.sites[0]
    read = islice((item for item, _ in demo_corpus().read()), 0, SENTENCES * EVERY, EVERY)
    texts = [reader.tokens(item.text).ids for item in read if isinstance(item, Sentence)]
    return reader.vectors(texts, [site])[site][:ROWS]


def _one(name: str, dictionary: LoadedDictionary, vectors: Any, rounds: int) -> None:
    import torch

    given, atoms = torch.from_numpy(vectors), dictionary.directions
    floor, found = side_by_side(rounds, lambda: given @ atoms.T, lambda: dictionary.encode(vectors))
    active = len(dictionary.encode(vectors).factors) / len(vectors)
    rate = 1000 * len(vectors) / milliseconds(found)
    print(
        f"{name:20}{len(atoms):>9,}{active:>8.1f}{milliseconds(floor):>10.2f}"
        f"{ratio(found, floor):>8.1f}×{rate:>11,.0f}"
    )


def _shipped(vectors: Any) -> Iterator[tuple[str, LoadedDictionary]]:
    import numpy as np

    from flowviz.factors.dictionary.encoders import Autoencoder
    from flowviz.factors.dictionary.files import load_dictionary
    from flowviz.factors.kinds import Method

    yield "coding", load_dictionary(FACTORS_FOLDER / "coding")
    topk = load_dictionary(FACTORS_FOLDER / "topk")
    yield "topk", topk
    assert isinstance(topk.encoder, Autoencoder)
    weakest = float(np.quantile(topk.encode(vectors).activations, 0.05))
    threshold = weakest / topk.encoder.lengths  # so that about as many are active
    jump = replace(topk.encoder, method=Method.JUMPRELU, threshold=threshold)
    yield "jumprelu", replace(topk, encoder=jump)
    yield "relu", replace(topk, encoder=replace(topk.encoder, method=Method.RELU))


def _wide() -> Iterator[tuple[str, LoadedDictionary]]:
    import torch
    from torch.nn.functional import normalize

    from flowviz.contexts.kinds import Site, SiteKind
    from flowviz.factors.dictionary.encoders import Autoencoder
    from flowviz.factors.dictionary.loaded import LoadedDictionary
    from flowviz.factors.kinds import Method
    from flowviz.factors.types import About

    factors, width = WIDE
    atoms = normalize(torch.randn(WIDE, generator=torch.Generator().manual_seed(0)), dim=1)
    ones, zeros = torch.ones(factors), torch.zeros(width)
    for method in (Method.TOPK, Method.JUMPRELU):
        encoder = Autoencoder(
            method, atoms.T.contiguous(), -ones, ones, zeros, threshold=2 * ones,
            k=32 if method is Method.TOPK else None,
        )  # fmt: skip
        about = About("wide", "", "", method, (Site(SiteKind.RESID_PRE, 6),), factors, width)
        yield f"wide {method}", LoadedDictionary(about, encoder, atoms, zeros)


def _steps(vectors: Any, rounds: int) -> None:
    """FISTA alone against as many bare products as steps."""
    import torch

    from flowviz.factors.dictionary.encoders import TOLERANCE, Coder
    from flowviz.factors.dictionary.files import load_dictionary
    from flowviz.factors.sparse.fista import sparse_codes

    dictionary = load_dictionary(FACTORS_FOLDER / "coding")
    coder = dictionary.encoder
    assert isinstance(coder, Coder)
    centred, atoms = torch.from_numpy(vectors) - coder.offset, coder.atoms
    steps = sparse_codes(centred, atoms, coder.penalty, tolerance=TOLERANCE).steps

    def products() -> None:
        for _ in range(steps):
            centred @ atoms.T

    floor, found = side_by_side(
        max(1, rounds // 3), products,
        lambda: sparse_codes(centred, atoms, coder.penalty, tolerance=TOLERANCE),
    )  # fmt: skip
    print(
        f"{'FISTA alone':20}at most {steps} steps, {ratio(found, floor):.1f}× as many bare "
        f"products; {1000 * len(vectors) / milliseconds(found):,.0f} a second"
    )


def _opening(rounds: int) -> None:
    from flowviz.factors.dictionary.files import load_dictionary

    for name in ("coding", "topk"):
        open_it = partial(load_dictionary, FACTORS_FOLDER / name)
        times = [seconds(open_it) for _ in range(rounds)]
        print(f"{name} is opened in {milliseconds(times):.1f} ms")


def _listing(rounds: int) -> None:
    from flowviz.factors.dictionary.files import load_dictionary
    from flowviz.factors.look.files import open_survey
    from flowviz.factors.look.listing import list_factors
    from flowviz.factors.request import FactorsRequest

    for name in ("coding", "topk"):
        dictionary = load_dictionary(FACTORS_FOLDER / name)
        found = open_survey(FACTORS_FOLDER / name / "survey", dictionary)
        whole, searched = side_by_side(
            rounds, partial(list_factors, found, dictionary, FactorsRequest()),
            partial(list_factors, found, dictionary, FactorsRequest(text="the")),
        )  # fmt: skip
        print(
            f"{name} lists {found.factors:,} factors in {milliseconds(whole):.1f} ms, "
            f"searched for a word in {milliseconds(searched):.1f} ms"
        )
