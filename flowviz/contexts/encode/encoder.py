"""A model that reads both ways as a reader of corpora; `encoder_found.py` says what its sites are.

Of an encoder-decoder it is the encoder: what it reads depends on nothing that is written.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from flowviz.contexts.encode.batch import Batch, check_texts
from flowviz.contexts.encode.encoder_found import (
    Layout,
    encoder_of,
    look_into,
    pad_of,
    source_of,
)
from flowviz.contexts.encode.encoder_pass import Types, given_to, see, see_patterns
from flowviz.contexts.encode.filling import Filling
from flowviz.contexts.encode.heads import roots
from flowviz.contexts.encode.model_reader import ModelReader
from flowviz.contexts.encode.sites import check_heads, check_sites, usual_sites
from flowviz.contexts.encode.tokens import tokens_of
from flowviz.contexts.encode.types import Asked, Tokens
from flowviz.contexts.kinds import Site, SiteKind
from flowviz.encoders.loaded import LoadedEncoder
from flowviz.encoders.read import read_text
from flowviz.errors import RequestError
from flowviz.models.kind import ModelKind
from flowviz.models.parts import exact

Texts = Sequence[Sequence[int]]


class EncoderReader(ModelReader[LoadedEncoder]):
    """See `Reader`."""

    @property
    def sites(self) -> dict[Site, int]:
        """See `Reader`."""
        return {site: found.width for site, found in self._layout.sites.items()}

    @property
    def default_sites(self) -> tuple[Site, ...]:
        """See `Reader`."""
        return usual_sites(self._layout.sites)

    def head_width(self, layer: int) -> int:
        """See `Reader`."""
        found = self._layout.sites.get(Site(SiteKind.HEADS, layer))
        return 0 if found is None else found.width // self.shape.heads

    def tokens(self, text: str) -> Tokens:
        """See `Reader`."""
        with self._model.lock:  # some tokenizers hold the language that they write in
            return tokens_of(self._model.vocabulary, text, ending=True)

    def ask(self, prompt: str, second: str = "", mask: Sequence[int] = ()) -> Asked:
        """See `Reader`. A second text is the other sentence of a pair."""
        if second and self._model.kind is ModelKind.BOTH:
            raise RequestError(
                f"{self.shape.name} writes a second text with its decoder, and contexts are those "
                "of its encoder. Leave out the second text."
            )
        text = read_text(self._model, prompt, second, mask)
        return Asked(text.ids, text.column, text.types)

    @torch.inference_mode()
    def vectors(
        self,
        texts: Texts,
        sites: Sequence[Site],
        types: Types = None,
        seen: Sequence[Sequence[bool]] | None = None,
    ) -> dict[Site, NDArray[np.float32]]:
        """See `Reader`.

        Args:
            seen: for each text which of its tokens may be attended to; None for all.
        """
        check_sites(self.shape.name, self._layout.sites, sites)
        batches = self._batches(texts, types)
        if seen is not None:
            shown = [seen] if len(batches) == 1 else [[each] for each in seen]
            pairs = zip(batches, shown, strict=True)
            batches = [(batch.hiding(own), kinds) for (batch, kinds), own in pairs]
        found = [self._filled(*batch, sites) for batch in batches]
        if len(found) == 1:
            return found[0]
        return {site: np.concatenate([each[site] for each in found]) for site in sites}

    def _filled(
        self, batch: Batch, types: Types, sites: Sequence[Site]
    ) -> dict[Site, NDArray[np.float32]]:
        found, heads = self._layout.sites, self.shape.heads
        filling = Filling(
            batch, {site: source_of(site, found[site], heads, self._root) for site in sites}
        )
        if batch.tokens and sites:
            see(self._model, given_to(batch, types), filling.wanted, filling.take)
        return filling.found

    @torch.inference_mode()
    def attention(
        self, texts: Texts, heads: Sequence[tuple[int, int]], types: Types = None
    ) -> list[NDArray[np.float32]]:
        """See `Reader`."""
        check_heads(self.shape, heads)
        found = [self._patterns(*batch, heads) for batch in self._batches(texts, types)]
        return [pattern for each in found for pattern in each]

    def _patterns(
        self, batch: Batch, types: Types, heads: Sequence[tuple[int, int]]
    ) -> list[NDArray[np.float32]]:
        count, length = batch.ids.shape
        total = torch.zeros(count, length, length, device=batch.ids.device)

        def take(layer: int, pattern: Tensor) -> None:
            chosen = [head for at, head in heads if at == layer]
            if chosen:
                total.add_(pattern[:, chosen].float().sum(1))

        if batch.tokens:
            last = max(layer for layer, _ in heads)
            see_patterns(self._model, given_to(batch, types), last, take)
        return batch.apart(total / len(heads))

    @property
    def _layout(self) -> Layout:
        with self._model.lock:
            return self._known.once("layout", lambda: look_into(self._model))

    def _batches(self, texts: Texts, types: Types) -> list[tuple[Batch, Types]]:
        """All texts as one batch, or, where that would change them, each as its own."""
        table = self._model.weights.get_input_embeddings().weight
        check_texts(self.shape.name, texts, self.context, len(table))
        pad, device = pad_of(encoder_of(self._model)), self._model.device
        if self._layout.together or not texts:
            return [(Batch.of(texts, pad, device), types)]
        kinds = [None] * len(texts) if types is None else types
        return [
            (Batch.of([text], pad, device), [kind]) for text, kind in zip(texts, kinds, strict=True)
        ]

    def _root(self, layer: int) -> Tensor:
        matrix = self._model.outputs[0][layer]
        assert matrix is not None
        weight = exact(matrix.weight).T.unflatten(0, (self.shape.heads, -1))

        def make() -> Tensor:
            return roots(weight).to(self._model.device)

        return self._known.once(("root", layer), make)
