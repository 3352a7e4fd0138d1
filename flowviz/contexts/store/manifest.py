"""A store's manifest: what it is about, how it was made, and what of it is whole."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from flowviz.checked import shown
from flowviz.contexts.kinds import ANNOTATIONS, Feature, Site
from flowviz.contexts.store.layout import FORMAT, VERSION, Layout, sync, written
from flowviz.errors import RequestError

DTYPES = ("float16", "float32")
MOST_BYTES = 2**26
MOST_COUNT = 2**31 - 1  # rows and sentences are numbered with int32
MOST_IN_A_SHARD = 2**24
MOST_WIDTH = 2**24
MOST_TEXT = 100_000
FAULTS_KEPT = 100


@dataclass(frozen=True)
class Options:
    """How a store is made; the same for all that is in it.

    Args:
        most_tokens: of a sentence that is read in one piece.
        shard_tokens: a shard is full where it has as many.
        batch_tokens: of one pass, padding included.
    """

    dtype: str
    most_tokens: int
    shard_tokens: int
    batch_tokens: int


@dataclass(frozen=True)
class Shard:
    """How much is in a shard.

    Args:
        items: sentences and faults of the corpus that were read for it.
        rows: of its tokens those that stand for text.
    """

    items: int
    sentences: int
    words: int
    tokens: int
    rows: int


@dataclass(frozen=True)
class Kept:
    """A site whose vectors are all there.

    Args:
        wide: the shards that are float32 in a float16 store.
    """

    width: int
    wide: tuple[int, ...] = ()


@dataclass(frozen=True)
class Manifest:
    """What is known of a store.

    Args:
        corpus: its name; fingerprint: of its contents.
        model: its shape as JSON values; identity: as `Reader.identity`.
        read: whether the whole corpus is in the shards.
        cut: how many sentences were too long, and of how many pieces they are made.
        faults: how many; first_faults: what the first of them say.
        notes: the corpus's.
    """

    corpus: str
    fingerprint: str
    model: Mapping[str, Any]
    identity: str
    options: Options
    read: bool = False
    shards: tuple[Shard, ...] = ()
    parts: tuple[str, ...] = ()
    annotations: tuple[Feature, ...] = ()
    cut: tuple[int, int] = (0, 0)
    faults: int = 0
    first_faults: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    sites: Mapping[Site, Kept] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Of all shards."""
        return sum(shard.rows for shard in self.shards)

    @property
    def sentences(self) -> int:
        """Of all shards."""
        return sum(shard.sentences for shard in self.shards)

    def to_json(self) -> str:
        """The text of the file."""
        plain = {"format": FORMAT, "version": VERSION, **asdict(replace(self, sites={}))}
        plain["sites"] = {str(site): asdict(kept) for site, kept in sorted(self.sites.items())}
        return json.dumps(plain, indent=1, ensure_ascii=False) + "\n"


def save(layout: Layout, manifest: Manifest) -> None:
    """Writes it, once all that it says is there is on the disk."""
    with written(layout.manifest) as file:
        file.write(manifest.to_json().encode())
    sync(layout.folder)


def load(layout: Layout) -> Manifest:
    """Reads and checks it. Raises RequestError."""
    path = layout.manifest
    try:
        if not path.is_file():
            raise RequestError(
                f"{layout.folder} holds no store: it has no manifest.json. Make one there with "
                "`contexts build CORPUS --out FOLDER`, or name another folder."
            )
        if path.stat().st_size > MOST_BYTES:
            raise _broken(layout, "its manifest.json is too large")
        flat = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise _broken(layout, f"its manifest.json cannot be read ({error})") from None
    if not isinstance(flat, dict) or flat.get("format") != FORMAT:
        raise _broken(layout, "its manifest.json is not one of flowviz's")
    if flat.get("version") != VERSION:
        raise RequestError(
            f"The store in {layout.folder} has version {shown(flat.get('version'))}; this flowviz "
            f"reads version {VERSION}. Build it again, in another folder."
        )
    try:
        return _manifest(flat)
    except (LookupError, TypeError, ValueError, AttributeError, RequestError) as error:
        raise _broken(layout, f"its manifest.json is not as it should be ({error})") from None


def _broken(layout: Layout, reason: str) -> RequestError:
    return RequestError(
        f"The store in {layout.folder} is broken: {reason}. Delete the folder and build it again."
    )


def _manifest(flat: Mapping[str, Any]) -> Manifest:
    shards = tuple(_shard(each) for each in _list(flat["shards"]))
    annotations = [_text(each) for each in _list(flat["annotations"])]
    found = Manifest(
        corpus=_text(flat["corpus"]),
        fingerprint=_text(flat["fingerprint"]),
        model=_model(flat["model"]),
        identity=_text(flat["identity"]),
        options=_options(flat["options"]),
        read=flat["read"] is True,
        shards=shards,
        parts=tuple(map(_text, _list(flat["parts"]))),
        annotations=tuple(each for each in ANNOTATIONS if each.value in annotations),
        cut=(_count(flat["cut"][0]), _count(flat["cut"][1])),
        faults=_count(flat["faults"]),
        first_faults=tuple(map(_text, _list(flat["first_faults"])))[:FAULTS_KEPT],
        notes=tuple(map(_text, _list(flat["notes"]))),
        sites={Site.parse(name): _kept(kept) for name, kept in flat["sites"].items()},
    )
    _count(found.rows)
    _count(found.sentences)
    if len(set(found.parts)) < len(found.parts):
        raise ValueError("a part stands there twice")
    return found


def _shard(flat: Mapping[str, Any]) -> Shard:
    names = ("items", "sentences", "words", "tokens", "rows")
    shard = Shard(*(_count(flat[name], MOST_IN_A_SHARD) for name in names))
    if shard.rows > shard.tokens:
        raise ValueError("a shard has more rows than tokens")
    return shard


def _options(flat: Mapping[str, Any]) -> Options:
    if flat["dtype"] not in DTYPES:
        raise ValueError(f"dtype is {shown(flat['dtype'])}")
    names = ("most_tokens", "shard_tokens", "batch_tokens")
    return Options(flat["dtype"], *(_count(flat[name], MOST_IN_A_SHARD) for name in names))


def _kept(flat: Mapping[str, Any]) -> Kept:
    wide = tuple(_count(each) for each in _list(flat["wide"]))
    return Kept(_count(flat["width"], MOST_WIDTH), wide)


def _model(flat: Mapping[str, Any]) -> Mapping[str, Any]:
    _text(flat["name"])
    return dict(flat)


def _list(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError(f"{shown(value)} is no list")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str) or len(value) > MOST_TEXT:
        raise ValueError(f"{shown(value)} is no text")
    return value


def _count(value: object, most: int = MOST_COUNT) -> int:
    if type(value) is not int or not 0 <= value <= most:
        raise ValueError(f"{shown(value)} is no count")
    return value
