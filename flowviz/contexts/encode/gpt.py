"""A GPT as a reader of corpora; `gpt_sites.py` says what its sites are."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from flowviz.attention.types import Column
from flowviz.contexts.encode.batch import Batch, check_texts
from flowviz.contexts.encode.filling import Filling
from flowviz.contexts.encode.gpt_found import offered
from flowviz.contexts.encode.gpt_pass import see
from flowviz.contexts.encode.gpt_sites import source_of, written_by_heads
from flowviz.contexts.encode.heads import roots
from flowviz.contexts.encode.model_reader import ModelReader
from flowviz.contexts.encode.sites import check_heads, check_sites, usual_sites
from flowviz.contexts.encode.tokens import tokens_of
from flowviz.contexts.encode.types import Asked, Tokens
from flowviz.contexts.kinds import Site
from flowviz.errors import RequestError
from flowviz.graph.types import PromptToken
from flowviz.models.loaded import LoadedModel

Texts = Sequence[Sequence[int]]
Types = Sequence[Sequence[int] | None] | None


class GptReader(ModelReader[LoadedModel]):
    """See `Reader`. A row of its attention sums to 1, or to less where heads have sinks."""

    @property
    def sites(self) -> dict[Site, int]:
        """See `Reader`."""
        with self._model.lock:
            return dict(self._known.once("sites", lambda: offered(self._model)))

    @property
    def default_sites(self) -> tuple[Site, ...]:
        """See `Reader`."""
        return usual_sites(self.sites)

    def head_width(self, layer: int) -> int:
        """See `Reader`."""
        return self._model.blocks[layer].attention.d_head

    def tokens(self, text: str) -> Tokens:
        """See `Reader`. As the flow page reads a prompt: without an end behind it."""
        return tokens_of(self._model.vocabulary, text, ending=False)

    def ask(self, prompt: str, second: str = "", mask: Sequence[int] = ()) -> Asked:
        """See `Reader`. A second text follows the first."""
        model = self._model
        if mask:
            raise RequestError(
                f"{model.shape.name} is a GPT, and tokens are hidden from encoders alone. Leave "
                "out the mask, or choose a model such as BERT."
            )
        ids = model.vocabulary.encode(prompt + second, model.context)
        text, special = model.vocabulary.text, model.vocabulary.special
        column = Column(
            tokens=tuple(PromptToken(place, i, text(i)) for place, i in enumerate(ids)),
            special=tuple(place for place, i in enumerate(ids) if i in special),
            second=model.vocabulary.start_of(prompt, second) if second else None,
        )
        return Asked(tuple(ids), column)

    @torch.inference_mode()
    def vectors(
        self,
        texts: Texts,
        sites: Sequence[Site],
        types: Types = None,
        seen: Sequence[Sequence[bool]] | None = None,
        embedded: Callable[[Tensor], Tensor] | None = None,
    ) -> dict[Site, NDArray[np.float32]]:
        """See `Reader`.

        Args:
            seen: for each text which of its tokens may be attended to; None for all. Positions
                stay what they are. Vectors of tokens that see nothing are of no use.
            embedded: what becomes of the tokens' embeddings, [text, pos, d_model], before the pass
                goes on; None for nothing.
        """
        check_sites(self.shape.name, self.sites, sites)
        batch = self._batch(texts)
        batch = batch if seen is None else batch.hiding(seen)
        filling = Filling(batch, {site: source_of(self._model, site, self._root) for site in sites})
        if batch.tokens and sites:
            see(self._model, batch, filling.wanted, filling.take, seen is not None, embedded)
        return filling.found

    @torch.inference_mode()
    def attention(
        self, texts: Texts, heads: Sequence[tuple[int, int]], types: Types = None
    ) -> list[NDArray[np.float32]]:
        """See `Reader`."""
        check_heads(self.shape, heads)
        self._check_patterns(heads)
        batch = self._batch(texts)
        count, length = batch.ids.shape
        total = torch.zeros(count, length, length, device=batch.ids.device)
        by_layer: dict[Hashable, list[int]] = {}
        for layer, head in heads:
            by_layer.setdefault(("pattern", layer), []).append(head)

        def take(part: Hashable, pattern: Tensor) -> None:
            shown = pattern.reshape(count, -1, length, length)
            total.add_(shown[:, by_layer[part]].float().sum(1).to(total.device))

        if batch.tokens:
            see(self._model, batch, by_layer, take)
        return batch.apart(total / len(heads))

    def embeddings(self, ids: Sequence[int]) -> Float[Tensor, "token d_model"]:
        """What tokens are embedded as, before their positions."""
        found: list[Tensor] = []
        batch = self._batch([list(ids)])
        see(self._model, batch, [("embed", -1)], lambda _part, value: found.append(value.clone()))
        return found[0].reshape(len(ids), -1)

    def _check_patterns(self, heads: Sequence[tuple[int, int]]) -> None:
        shown = set(self._model.hooks.values())
        missing = next((layer for layer, _ in heads if ("pattern", layer) not in shown), None)
        if missing is not None:
            raise RequestError(
                f"{self.shape.name} shows no attention in layer {missing}. Choose another layer, "
                "or a model such as GPT-2."
            )

    def _batch(self, texts: Texts) -> Batch:
        table = self._model.bridge.original_model.get_input_embeddings().weight
        check_texts(self.shape.name, texts, self.context, len(table))
        return Batch.of(texts, 0, self._model.device)

    def _root(self, layer: int) -> Tensor:
        block = self._model.blocks[layer]

        def make() -> Tensor:
            return roots(written_by_heads(block)).to(self._model.device)

        return self._known.once(("root", layer), make)
