"""One pass of an encoder over a batch, up to the last thing that is asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import torch
from torch import Tensor, nn

from flowviz.contexts.encode.batch import Batch, Enough, padded
from flowviz.contexts.encode.encoder_found import State, encoder_of
from flowviz.contexts.encode.encoder_places import Place, first_tensor
from flowviz.encoders.loaded import LoadedEncoder
from flowviz.encoders.record import watching
from flowviz.encoders.run import shown_pattern

Take = Callable[[Hashable, Tensor], None]
Types = Sequence[Sequence[int] | None] | None
HookOf = Callable[[str], Any]


def given_to(batch: Batch, types: Types) -> dict[str, Tensor]:
    """The tensors that the encoder takes.

    Args:
        types: to which of two texts each token belongs, where the model takes that.
    """
    given = {"input_ids": batch.ids, "attention_mask": batch.mask}
    if types is not None and any(each is not None for each in types):
        each = [one or (0,) * n for one, n in zip(types, batch.lengths, strict=True)]
        given["token_type_ids"] = padded(each, 0).to(batch.ids.device)
    return given


@torch.inference_mode()
def see(
    model: LoadedEncoder,
    given: dict[str, Tensor],
    wanted: Collection[Hashable],
    take: Take,
) -> None:
    """Hands what is at these places to `take`, each once; then the pass ends."""
    encoder = encoder_of(model)
    places = {place for place in wanted if isinstance(place, Place)}
    states = [place for place in wanted if isinstance(place, State)]
    with model.lock, _seeing(encoder, places, take, last=not states), suppress(Enough):
        output = encoder(**given, output_hidden_states=bool(states), return_dict=True)
        for state in states:
            take(state, output.hidden_states[state.number])


@torch.inference_mode()
def see_patterns(
    model: LoadedEncoder, given: dict[str, Tensor], last: int, take: Callable[[int, Tensor], None]
) -> None:
    """Hands the patterns of each layer up to the last that is wanted to `take`.

    They are [text, head, query, key].
    """
    encoder, layers = encoder_of(model), iter(range(last + 1))

    def watch(pattern: Tensor) -> None:
        layer = next(layers)
        take(layer, pattern)
        if layer == last:
            raise Enough

    with model.lock, suppress(Enough):
        if model.recorded:
            with watching(watch):
                encoder(**given, return_dict=True)
            return
        for layer, pattern in enumerate(
            encoder(**given, output_attentions=True, return_dict=True).attentions[: last + 1]
        ):
            take(layer, shown_pattern(encoder.config, pattern))


@contextmanager
def _seeing(
    encoder: nn.Module, places: Collection[Place], take: Take, *, last: bool
) -> Iterator[None]:
    """Hooks on the modules of these places, for the time of one pass.

    Args:
        last: whether nothing else is waited for, so that the pass ends with the last place.
    """
    waiting, counts = set(places), Counter[tuple[str, bool]]()

    def see_at(module: str, given: bool, value: Tensor | None) -> None:
        place = Place(module, counts[module, given], given)
        counts[module, given] += 1
        if place in waiting and value is not None:
            waiting.remove(place)
            take(place, value)
            if last and not waiting:
                raise Enough

    def reads(name: str) -> Any:
        return lambda _module, args, kwargs: see_at(
            name, True, first_tensor([*args, *kwargs.values()])
        )

    def gives(name: str) -> Any:
        return lambda _module, _args, output: see_at(name, False, first_tensor(output))

    with hooked(encoder, places, reads, gives):
        yield


@contextmanager
def hooked(
    encoder: nn.Module, places: Collection[Place], reads: HookOf, gives: HookOf
) -> Iterator[None]:
    """Hooks at some places of an encoder, for as long as it lasts.

    Args:
        reads, gives: of a module's name, the hook on what it is given and on what it gives.
    """
    handles = []
    for name, given in {(place.module, place.given) for place in places}:
        module = encoder.get_submodule(name)
        if given:
            handles.append(module.register_forward_pre_hook(reads(name), with_kwargs=True))
        else:
            handles.append(module.register_forward_hook(gives(name)))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
