"""The session: how dimensions change with distance over a set, as a long question."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from flowviz.attention.decay_request import DecayRequest
from flowviz.attention.neurons import decay_over
from flowviz.attention.request import HeadsRequest
from flowviz.errors import RequestError
from flowviz.jobs import JobState
from tests.attention.test_session import PROMPT, run, session_of
from tests.models import save_model


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model("gpt2", tmp_path_factory.mktemp("models") / "a")


def test_distances_are_read_over_a_set(folder: Path) -> None:
    session = session_of(folder)
    request = DecayRequest("a", set="", text=f"{PROMPT}\nthe cat sat\n", layer=1, head=2)
    heads = HeadsRequest("a", set="", text=request.text)
    assert run(session, heads).state is JobState.DONE  # of the same prompts: another question
    assert run(session, request).state is JobState.DONE
    found = session.answer(request)
    model = session._models.look("a")
    assert model is not None
    expected = decay_over(model, [PROMPT, "the cat sat"], 1, 2)
    assert (found.layer, found.head, found.prompts) == (1, 2, 2)
    np.testing.assert_array_equal(found.sums, expected.sums)
    job = run(session, replace(request, head=9))
    assert job.state is JobState.FAILED
    assert "no head 9" in str(job.error)
    one = run(session, replace(request, text="the"))
    assert "There are no two positions to compare" in str(one.error)


def test_a_question_about_distances_can_be_written_and_read() -> None:
    request = DecayRequest("a", "phenomena", group="induction", layer=2, head=7)
    assert DecayRequest.from_mapping(request.to_mapping()) == request
    assert DecayRequest.from_mapping({"group": "induction"}).set == "phenomena"
    with pytest.raises(RequestError, match="head is 'x'"):
        DecayRequest.from_mapping({"head": "x"})
    with pytest.raises(RequestError, match="no prompts of the group"):
        DecayRequest.from_mapping({"group": "nothing"})
