"""Where the parts of an encoder's blocks are, found by running a few tokens and comparing.

Families name their modules as they like, so that nothing is told by a name. Every module's first
input x and output f(x) is kept, and of a list of modules that are called one behind the other,

    blocks      the input of the l-th call is hidden_states[l], and the output of each is the input
                of the next
    a norm inside (T5, BART's kin, ModernBERT)     with n some module's input, a and b some outputs
                mid = n        n = pre + a        post = n + b
    a norm on the stream (BERT, BART)              with n1 -> m1 and n2 -> m2 two modules
                mid = m1       n1 = pre + a       n2 = m1 + b        post = m2

where a is what the attention adds and b what the MLP adds; the neurons are what the last matrix of
the MLP, a linear layer with b as output, reads. Sums are compared to the last bits, in the model's
own precision. Where they are not found in every block, there is no such site.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Place:
    """What a module reads or gives, at one of its calls in a pass.

    Args:
        module: its name in the encoder.
        call: how often it has been called before; layers that share weights (ALBERT) share modules.
        given: whether it is what the module reads.
    """

    module: str
    call: int
    given: bool


@dataclass(frozen=True)
class BlockPlaces:
    """Where the parts of one block are; None where they are not found."""

    before: Place
    behind: Place
    mid: Place | None = None
    attention: Place | None = None
    mlp: Place | None = None
    neurons: Place | None = None


@dataclass(frozen=True, eq=False)
class Call:
    """One call of a module; `begun` and `ended` count over all modules."""

    name: str
    module: nn.Module
    number: int
    given: Tensor
    made: Tensor
    begun: int
    ended: int

    def tensor(self, given: bool) -> Tensor:
        """What it reads or gives."""
        return self.given if given else self.made

    def at(self, given: bool) -> Place:
        """What it reads or gives, as a place."""
        return Place(self.name, self.number, given)


def first_tensor(values: Any) -> Tensor | None:
    """The first tensor of numbers among what a module is given or gives."""
    if isinstance(values, Tensor):
        return values
    found = (one for one in values if isinstance(one, Tensor) and one.is_floating_point())
    return next(found, None) if isinstance(values, list | tuple) else None


@contextmanager
def called(encoder: nn.Module) -> Iterator[list[Call]]:
    """Keeps every call of every module of the passes within, in the order in which they end."""
    calls: list[Call] = []
    open_calls: list[tuple[Tensor | None, int]] = []
    counts: Counter[str] = Counter()
    clock = iter(range(2**62))

    def begin(_: nn.Module, args: Any, kwargs: dict[str, Any]) -> None:
        given = first_tensor([*args, *kwargs.values()])
        open_calls.append((None if given is None else given.clone(), next(clock)))

    def end_of(name: str) -> Any:
        def end(module: nn.Module, args: Any, kwargs: dict[str, Any], output: Any) -> None:
            (given, begun), made = open_calls.pop(), first_tensor(output)
            number = counts[name]
            counts[name] += 1
            if given is not None and made is not None:
                calls.append(Call(name, module, number, given, made.clone(), begun, next(clock)))

        return end

    handles = []
    for name, module in encoder.named_modules():
        handles.append(module.register_forward_pre_hook(begin, with_kwargs=True))
        handles.append(module.register_forward_hook(end_of(name), with_kwargs=True))
    try:
        yield calls
    finally:
        for handle in handles:
            handle.remove()


def blocks_of(
    encoder: nn.Module, calls: Sequence[Call], states: Sequence[Tensor]
) -> list[Call] | None:
    """The calls of the blocks, in order; None where they are not found.

    Args:
        states: the encoder's `hidden_states`.
    """
    for held in encoder.modules():
        if not isinstance(held, nn.ModuleList):
            continue
        inner = {id(module) for module in held}
        found = sorted((c for c in calls if id(c.module) in inner), key=lambda call: call.begun)
        behind = [call.given for call in found[1:]]
        if (
            len(found) == len(states) - 1
            and all(_same(call.given, state) for call, state in zip(found, states, strict=False))
            and all(_same(call.made, state) for call, state in zip(found, behind, strict=False))
        ):
            return found
    return None


def places_of(block: Call, calls: Sequence[Call]) -> BlockPlaces:
    """Where the parts of a block are."""
    inner = [call for call in calls if block.begun < call.begun and call.ended < block.ended]
    before, behind = block.at(given=True), block.at(given=False)
    wide = [call for call in inner if call.made.shape == block.given.shape]
    for norm, attention in _sums(block.given, wide, wide):
        later = [call for call in wide if call.begun > norm.begun]
        for mid, mlps in _middles(block, norm, later):
            matrix = _matrix(mlps, wide)
            return BlockPlaces(
                before, behind, mid, attention.at(given=False), mlps[0].at(given=False),
                None if matrix is None else matrix.at(given=True),
            )  # fmt: skip
    return BlockPlaces(before, behind)


def _sums(
    state: Tensor, read: Sequence[Call], added: Sequence[Call]
) -> Iterator[tuple[Call, Call]]:
    """The modules that read the sum of a state and what another module gave before."""
    for reader in read:
        if not _same(reader.given, state):
            for one in added:
                if one.ended < reader.begun and _same(state + one.made, reader.given):
                    yield reader, one
                    break


def _middles(block: Call, norm: Call, later: Sequence[Call]) -> Iterator[tuple[Place, list[Call]]]:
    """The state between, and what gives that which is added to it; in either kind of block."""
    mlps = [call for call in later if _same(norm.given + call.made, block.made)]
    if mlps:
        yield norm.at(given=True), mlps
    for last in later:
        if _same(last.made, block.made):
            mlps = [
                call
                for call in later
                if call.ended < last.begun and _same(norm.made + call.made, last.given)
            ]
            if mlps:
                yield norm.at(given=False), mlps


def _matrix(mlps: Sequence[Call], wide: Sequence[Call]) -> Call | None:
    """The linear layer that gives what the MLP adds, or what a norm behind it reads."""
    linear = [call for call in wide if isinstance(call.module, nn.Linear)]
    given = (call for call in linear if any(_same(call.made, mlp.given) for mlp in mlps))
    return next((call for call in mlps if call in linear), next(given, None))


def _same(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and torch.equal(one, other)
