"""From a corpus and a reader to a store on disk; what is there is not made again."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from flowviz.contexts.corpus.types import Corpus
from flowviz.contexts.encode.types import Reader
from flowviz.contexts.kinds import Site
from flowviz.contexts.store.arrays import size
from flowviz.contexts.store.encoding import encode, missing
from flowviz.contexts.store.layout import MANIFEST, Layout
from flowviz.contexts.store.lock import locked
from flowviz.contexts.store.manifest import DTYPES, Manifest, Options, load, save
from flowviz.contexts.store.opening import OpenedStore, open_store
from flowviz.contexts.store.reading import read_corpus
from flowviz.errors import RequestError
from flowviz.jobs import Progress

MOST_TOKENS = 256  # of a sentence that is read in one piece, where nobody says
FEWEST_TOKENS = 8
SHARD_TOKENS = 2**13  # what a kill costs at most
BATCH_BYTES = 2**27  # of the vectors that one pass gives at all default sites
BATCH_TOKENS = (
    256,
    1024,
)  # the fewest and the most of a pass, padding included: larger ones are slower
SPARE = 2**26  # bytes that a build leaves free on the disk
FOREIGN = "That is another store. Name another folder, or delete this one."


def build(
    corpus: Corpus,
    reader: Reader,
    folder: str | Path,
    sites: Sequence[Site] | None = None,
    *,
    dtype: str | None = None,
    most_tokens: int | None = None,
    shard_tokens: int = SHARD_TOKENS,
    progress: Progress = lambda _stage, _fraction: None,
) -> OpenedStore:
    """Reads a corpus with a model and keeps the vectors; goes on where a build was stopped.

    On a store that is whole, only the sites that it has not are made; the others stay, and whoever
    reads them meanwhile is not disturbed.

    Args:
        folder: where the store is to be, or is, whole or in part.
        sites: whose vectors are kept; None for `reader.default_sites`.
        dtype: "float16" or "float32"; None for the store's own, float16 where there is none.
        most_tokens: longer sentences are read in pieces; None for the store's own, 256 where there
            is none, or what the model takes.
        shard_tokens: as in `layout`; a store keeps those that it began with.
        progress: told before each step; what it raises stops the build, which can go on later.

    Raises:
        RequestError: the folder holds something else or is being written, the disk is full, a site
            is unknown, or the corpus has no sentence.
        ModelError: the model gives numbers that cannot be kept.
    """
    wanted = asked_sites(reader, sites)
    options = chosen_options(reader, dtype, most_tokens, shard_tokens)
    layout = Layout(Path(folder))
    try:
        manifest = standing(layout)
        if manifest is not None:
            check_same(layout, manifest, corpus, reader, dtype, most_tokens)
            if is_done(layout, manifest, reader, wanted):
                return open_store(folder)
        layout.folder.mkdir(parents=True, exist_ok=True)
        with locked(layout):
            manifest = _checked(layout, corpus, reader, options, (dtype, most_tokens))
            manifest = read_corpus(corpus, reader, layout, manifest, progress)
            every = _every(manifest, reader, wanted)
            check_space(layout.folder, bytes_missing(reader, layout, manifest, every))
            encode(reader, layout, manifest, every, progress)
    except OSError as error:
        raise RequestError(
            f"{layout.folder} cannot be written ({error.strerror or error}). Make room or name "
            "another folder, and build again: it goes on where it was."
        ) from None
    return open_store(folder)


def _checked(
    layout: Layout,
    corpus: Corpus,
    reader: Reader,
    options: Options,
    asked: tuple[str | None, int | None],
) -> Manifest:
    """What is there of a store, or the beginning of one, in a folder that nobody else writes."""
    for left in layout.unfinished():
        left.unlink()
    manifest = standing(layout)
    if manifest is None:
        manifest = _begun(corpus, reader, options)
        save(layout, manifest)
    check_same(layout, manifest, corpus, reader, *asked)
    return manifest


def is_done(layout: Layout, manifest: Manifest, reader: Reader, sites: Sequence[Site]) -> bool:
    """Whether all that these sites need is there."""
    there = manifest.read and set(sites) <= set(manifest.sites)
    return there and not missing(layout, manifest, reader.sites, _every(manifest, reader, sites))


def _every(manifest: Manifest, reader: Reader, sites: Sequence[Site]) -> tuple[Site, ...]:
    """The sites that are asked for, and those that were kept: what was lost is made again, too."""
    return tuple(sorted({*sites, *(site for site in manifest.sites if site in reader.sites)}))


def asked_sites(reader: Reader, sites: Sequence[Site] | None) -> tuple[Site, ...]:
    """The sites that were asked for, each once. Raises RequestError for one the model has not."""
    chosen = tuple(sorted(set(reader.default_sites if sites is None else sites)))
    for site in chosen:
        if site not in reader.sites:
            raise RequestError(
                f"{reader.shape.name} has no site {site}. It has "
                f"{', '.join(map(str, sorted(reader.sites)[:40]))}."
            )
    if not chosen:
        raise RequestError("No site is named. Name one, as in resid_pre:3.")
    return chosen


def chosen_options(
    reader: Reader, dtype: str | None, most_tokens: int | None, shard_tokens: int
) -> Options:
    """The options of a new store. Raises RequestError."""
    if dtype not in (None, *DTYPES):
        raise RequestError(f"dtype is {dtype!r}; it takes one of {', '.join(DTYPES)}.")
    most = MOST_TOKENS if most_tokens is None else most_tokens
    if most < FEWEST_TOKENS:
        raise RequestError(f"most_tokens is {most}; it takes a number from {FEWEST_TOKENS} on.")
    each = 4 * sum(reader.sites[site] for site in reader.default_sites)
    fewest, largest = BATCH_TOKENS
    batch = min(max(BATCH_BYTES // max(each, 1), fewest), largest)
    return Options(dtype or "float16", min(most, reader.context or most), shard_tokens, batch)


def standing(layout: Layout) -> Manifest | None:
    """The store that is there. Raises RequestError where the folder holds something else."""
    if layout.folder.exists() and not layout.folder.is_dir():
        raise RequestError(f"{layout.folder} is a file. Name a folder for the store.")
    if layout.manifest.exists():
        return load(layout)
    ours = {layout.lock.name, *(path.name for path in layout.unfinished())}
    if layout.folder.is_dir() and {path.name for path in layout.folder.iterdir()} - ours:
        if layout.manifest.exists():  # another build has written it meanwhile
            return load(layout)
        raise RequestError(
            f"{layout.folder} is not empty and holds no store (it has no {MANIFEST}). Name another "
            "folder."
        )
    return None


def _begun(corpus: Corpus, reader: Reader, options: Options) -> Manifest:
    return Manifest(
        corpus=corpus.name,
        fingerprint=corpus.fingerprint(),
        model=asdict(reader.shape),
        identity=reader.identity,
        options=options,
        notes=corpus.notes,
    )


def check_same(
    layout: Layout,
    manifest: Manifest,
    corpus: Corpus,
    reader: Reader,
    dtype: str | None,
    most_tokens: int | None,
) -> None:
    """Raises RequestError where a store is of another corpus or model, or made otherwise."""
    kept = manifest.options
    asked = most_tokens and min(most_tokens, reader.context or most_tokens)
    wrong = ""
    if manifest.identity != reader.identity:
        wrong = f"with the model {manifest.model['name']}, not with these weights and tokenizer of "
        wrong += reader.shape.name
    elif manifest.fingerprint != corpus.fingerprint():
        wrong = f"from the corpus {manifest.corpus}, whose contents are not those of {corpus.name}"
    elif dtype not in (None, kept.dtype):
        wrong = f"with dtype {kept.dtype}, not {dtype}"
    elif asked not in (None, kept.most_tokens):
        wrong = f"with at most {kept.most_tokens} tokens a piece, not {asked}"
    if wrong:
        raise RequestError(f"The store in {layout.folder} was made {wrong}. {FOREIGN}")


def bytes_missing(reader: Reader, layout: Layout, manifest: Manifest, sites: Sequence[Site]) -> int:
    """What the arrays that are missing will take."""
    wide, widths = manifest.options.dtype == "float32", reader.sites
    return sum(
        size(manifest.shards[each.shard].rows, widths[site], wide)
        for each in missing(layout, manifest, widths, sites)
        for site in each.sites
    )


def check_space(folder: Path, needed: int) -> None:
    """Raises RequestError where the disk has no room for so many bytes."""
    free = free_bytes(folder)
    if needed + SPARE > free:
        raise RequestError(
            f"The store in {folder} needs {needed / 1e9:,.2f} GB more, and the disk has "
            f"{free / 1e9:,.2f} GB free. Make room, name another folder, or keep fewer sites."
        )


def free_bytes(folder: Path) -> int:
    """Of the disk that a folder is on, or will be."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    return shutil.disk_usage(there).free
