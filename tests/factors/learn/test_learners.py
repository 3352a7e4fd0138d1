"""Both methods: planted directions come back, a state goes on to the same bits, scales fold in."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from flowviz.errors import RequestError
from flowviz.factors.kinds import Method
from flowviz.factors.learn.learner import Learner, begin_learner
from flowviz.factors.learn.settings import LearnSettings
from tests.factors.planted import Planted

METHODS = (Method.CODING, Method.TOPK)


def begun(settings: LearnSettings, width: int) -> Learner:
    planted = Planted(settings.factors, width, 3)
    return begin_learner(settings, width, "cpu", planted.batch)


def atoms_of(learner: Learner, width: int) -> Tensor:
    return learner.learned(torch.zeros(width), 1.0).atoms


@pytest.mark.parametrize(
    "settings",
    [
        LearnSettings(Method.CODING, 96, penalty=0.1, steps=120, batch=256),
        LearnSettings(Method.TOPK, 192, k=4, steps=300, batch=256, rate=1e-2),
    ],
)
def test_planted_directions_are_recovered(settings: LearnSettings) -> None:
    planted = Planted(96, 48, 3)
    learner = begin_learner(settings, 48, "cpu", planted.batch)
    for _ in range(settings.steps):
        told = learner.learn(planted.batch(settings.batch))
    found = planted.found(atoms_of(learner, 48))
    assert float((found >= 0.95).float().mean()) >= 0.95
    assert told.explained > 0.85
    assert told.l0 < 6


@pytest.mark.parametrize("method", METHODS)
def test_a_state_goes_on_to_the_same_bits(method: Method) -> None:
    settings = LearnSettings(method, 24, k=3, steps=12, batch=32)
    batches = [Planted(24, 16, 3, seed=i).batch(32) for i in range(12)]
    straight, first, second = (begun(settings, 16) for _ in range(3))
    for batch in batches:
        straight.learn(batch)
    for batch in batches[:5]:
        first.learn(batch)
    second.restore({name: value.clone() for name, value in first.state().items()})
    for batch in batches[5:]:
        second.learn(batch)
    for name, value in straight.state().items():
        assert torch.equal(value, second.state()[name]), name


@pytest.mark.parametrize("method", METHODS)
def test_a_seed_decides_how_it_begins(method: Method) -> None:
    one, same, other = (begun(LearnSettings(method, 24, k=3, seed=seed), 16) for seed in (1, 1, 2))
    assert torch.equal(atoms_of(one, 16), atoms_of(same, 16))
    assert not torch.equal(atoms_of(one, 16), atoms_of(other, 16))


@pytest.mark.parametrize("method", METHODS)
def test_what_is_learned_is_in_units_of_the_vectors(method: Method) -> None:
    settings = LearnSettings(method, 24, k=3, steps=40, batch=64)
    planted, learner = Planted(24, 16, 3), begun(settings, 16)
    for _ in range(40):
        learner.learn(planted.batch(64))
    vectors, offset = planted.batch(20), torch.linspace(-3, 3, 16)
    small, large = learner.learned(torch.zeros(16), 1.0), learner.learned(offset, 7.0)
    torch.testing.assert_close(large.atoms.norm(dim=1), torch.ones(24))
    once = small.offset + small.encoder(vectors) @ small.atoms
    scaled = large.offset + large.encoder(offset + 7 * vectors) @ large.atoms
    torch.testing.assert_close(scaled, offset + 7 * once, atol=1e-3, rtol=1e-4)


def test_dead_factors_of_an_autoencoder_are_counted_and_come_back() -> None:
    from flowviz.factors.learn.topk import DEAD_AFTER

    settings = LearnSettings(Method.TOPK, 24, k=3, steps=400, batch=128)
    planted, learner = Planted(24, 16, 3), begun(settings, 16)
    state = learner.state()
    state["encoder.weight"][:8] *= 0.02  # so weak that they are in nobody's k largest
    state["unused"][:8] = DEAD_AFTER
    learner.restore(state)
    dead = [learner.learn(planted.batch(128)).dead for _ in range(300)]
    assert dead[0] >= 7  # one may be chosen by chance at once
    assert min(dead) <= 1
    assert dead[-1] <= 2


@pytest.mark.parametrize("method", METHODS)
def test_a_state_of_another_size_is_refused(method: Method) -> None:
    small, large = (begun(LearnSettings(method, size, k=3), 16) for size in (24, 32))
    with pytest.raises(ValueError, match="of shape"):
        large.restore(small.state())
    state = small.state()
    state.popitem()
    del state["unused"]
    with pytest.raises(KeyError):
        small.restore(state)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"method": Method.RELU}, "relu is not learned here"),
        ({"factors": 1}, "factors is 1; it takes a whole number from 2"),
        ({"k": 2000}, "from 1 to 1,024"),
        ({"penalty": 0.0}, "penalty is 0; it takes a number above 0"),
        ({"penalty": float("nan")}, "penalty is nan"),
        ({"steps": 0}, "steps is 0"),
        ({"held": 1.0}, "held is 1;"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_settings_that_make_no_sense_are_refused(given: dict, words: str) -> None:
    with pytest.raises(RequestError, match=words):
        LearnSettings(**given)


def test_a_checkpoint_asks_only_for_what_its_method_depends_on() -> None:
    assert LearnSettings(k=4).as_text() == LearnSettings(k=5).as_text()
    assert LearnSettings(penalty=0.1).as_text() != LearnSettings(penalty=0.2).as_text()
    one, two = (LearnSettings(Method.TOPK, penalty=each) for each in (0.1, 0.2))
    assert one.as_text() == two.as_text()
