"""The session: attention as a quick question, kept within its bytes; the finder as a long one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import flowviz.answering as answering
from flowviz.attention.patterns import find_over
from flowviz.attention.request import AttentionRequest, HeadsRequest
from flowviz.attention.types import AttentionMaps, Weighting
from flowviz.attention.why_request import NeuronRequest, WhyRequest
from flowviz.errors import NotKept
from flowviz.jobs import Job, JobState
from flowviz.models.catalogue import Catalogue
from flowviz.request import ExplainRequest, TargetSpec
from flowviz.results import Question, answer_bytes
from flowviz.session import Session
from tests.models import save_model

PROMPT = "Mary and John went to the store"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model("gpt2", tmp_path_factory.mktemp("models") / "a")


def session_of(folder: Path, cache_bytes: int = 2**28) -> Session:
    return Session(Catalogue.of([f"a={folder}"]), cache_bytes=cache_bytes)


def run(session: Session, question: Question) -> Job:
    job = session.submit(question, "ann")
    session._jobs._records[job.id].ended.wait(60)
    return session.job(job.id, "ann")


def answered(session: Session, request: AttentionRequest) -> AttentionMaps:
    job = run(session, request)
    assert job.state is JobState.DONE, job.error
    return session.answer(request)


def test_all_weightings_and_the_flow_share_one_pass(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = []
    record = answering.record
    monkeypatch.setattr(answering, "record", lambda *given: ran.append(1) or record(*given))
    session = session_of(folder)
    for weighting in Weighting:
        maps = answered(session, AttentionRequest(PROMPT, "a", weighting=weighting))
        assert (maps.weighting, maps.positions) == (weighting, len(maps.tokens))
    other = AttentionRequest(PROMPT, "a", TargetSpec(position=2), Weighting.FLOW)
    assert not answered(session, other).weights[:, :, 3:].any()
    run(session, ExplainRequest(PROMPT, "a"))
    assert len(ran) == 1
    assert session.submit(other, "bob").state is JobState.DONE


def test_what_is_kept_counts_by_its_bytes(folder: Path) -> None:
    session = session_of(folder)
    answered(session, AttentionRequest(PROMPT, "a"))
    before = session._results.bytes
    maps = answered(session, AttentionRequest(PROMPT, "a", weighting=Weighting.NORM))
    assert session._results.bytes - before == answer_bytes(maps) > maps.bytes > maps.weights.nbytes


def test_a_prompt_whose_maps_could_not_be_kept_is_refused_before_any_pass(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering, "record", lambda *_: pytest.fail("the model ran"))
    session = session_of(folder, cache_bytes=2**18)
    job = run(session, AttentionRequest("the cat sat on " * 12, "a"))
    assert job.state is JobState.FAILED
    assert job.error is not None
    assert "3 x 4 heads" in job.error
    assert "Shorten the prompt" in job.error


def test_the_finder_runs_over_a_set(folder: Path) -> None:
    session = session_of(folder)
    request = HeadsRequest("a", set="", text=f"{PROMPT}\nthe cat sat\n")
    assert run(session, request).state is JobState.DONE
    found = session.answer(request)
    model = session._models.look("a")
    assert model is not None
    expected = find_over(model, [PROMPT, "the cat sat"])
    assert found.prompts == 2
    np.testing.assert_array_equal(found.kinds.mass, expected.kinds.mass)


def test_a_look_into_a_head_shares_the_pass(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = []
    record = answering.record
    monkeypatch.setattr(answering, "record", lambda *given: ran.append(1) or record(*given))
    session = session_of(folder)
    maps = answered(session, AttentionRequest(PROMPT, "a"))
    asked = WhyRequest(PROMPT, "a", layer=1, head=2, query=4, key=3)
    before = NeuronRequest(PROMPT, "a", layer=1, head=2, query=4)
    for question in (asked, before):
        assert run(session, question).state is JobState.DONE
    there, view = session.answer(asked), session.answer(before)
    assert len(ran) == 1
    assert (there.layer, there.head, there.query, there.key) == (1, 2, 4, 3)
    assert there.weight == pytest.approx(maps.row(1, 2, 4)[3], abs=1e-3)
    np.testing.assert_allclose(view.pattern, maps.row(1, 2, 4)[:5], atol=1e-3)
    job = run(session, WhyRequest(PROMPT, "a", layer=7))
    assert job.state is JobState.FAILED


def test_what_was_not_asked_is_not_kept(folder: Path) -> None:
    with pytest.raises(NotKept):
        session_of(folder).answer(AttentionRequest(PROMPT, "a"))


def test_a_faulty_target_is_told(folder: Path) -> None:
    job = run(session_of(folder), AttentionRequest(PROMPT, "a", TargetSpec(position=99)))
    assert job.state is JobState.FAILED
    assert "position is 99" in str(job.error)
