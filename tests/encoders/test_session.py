"""The session with models of both kinds: what can be asked of which, and within which memory."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import flowviz
import flowviz.encoders.answers as answers
from flowviz.analyses.request import AnalysisRequest
from flowviz.attention.decay_request import DecayRequest
from flowviz.attention.kinds import Part, Weighting
from flowviz.attention.request import AttentionRequest, HeadsRequest
from flowviz.attention.why_request import NeuronRequest
from flowviz.causal.request import CheckRequest
from flowviz.compare.request import CompareRequest
from flowviz.encoders.loading import load_any
from flowviz.errors import RequestError
from flowviz.inside.request import InsideRequest
from flowviz.jobs import Job, JobState
from flowviz.models.catalogue import Catalogue, ModelKind
from flowviz.request import ExplainRequest
from flowviz.results import Question
from flowviz.session import Session
from tests.encoders.models import random_encoder, save_encoder
from tests.models import save_model

PROMPT = "the cat sat on a mat"
SET = f"{PROMPT}\nshe said that john went to the store"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    for name in ("bert", "bart"):
        save_encoder(name, folder / name)
    save_model("gpt2", folder / "gpt")
    return folder


def session_of(folder: Path, **bounds: int) -> Session:
    names = [f"{name}={folder / name}" for name in ("gpt", "bert", "bart")]
    return Session(Catalogue.of(names), **{"cache_bytes": 2**28, **bounds})


def run(session: Session, question: Question) -> Job:
    job = session.submit(question, "ann")
    session._jobs._records[job.id].ended.wait(60)
    return session.job(job.id, "ann")


def test_models_of_both_kinds_answer_from_one_session(folder: Path) -> None:
    session = session_of(folder)
    asked = {
        "gpt": AttentionRequest(PROMPT, "gpt"),
        "bert": AttentionRequest(PROMPT, "bert", second="she said", mask=(2,)),
        "bart": AttentionRequest(PROMPT, "bart", part=Part.CROSS, weighting=Weighting.NORM),
    }
    for name, question in asked.items():
        job = run(session, question)
        assert job.state is JobState.DONE, job.error
        maps = session.answer(question)
        assert maps.model is not None
        assert maps.model.name == name
        assert len(maps.readings) == maps.positions
    expected = flowviz.attention_maps(PROMPT, random_encoder("bert"), second="she said", mask=[2])
    np.testing.assert_array_equal(session.answer(asked["bert"]).weights, expected.weights)
    assert session.submit(asked["bart"], "bob").state is JobState.DONE


def test_other_questions_about_heads_are_answered(folder: Path) -> None:
    session = session_of(folder)
    questions: list[Question] = [
        HeadsRequest("bert", set="", text=SET),
        HeadsRequest("bart", set="", text=SET, part=Part.CROSS),
        NeuronRequest(PROMPT, "bart", 1, 2, 3, part=Part.DECODER),
        DecayRequest("bert", set="", text=SET, layer=1, head=1),
        AttentionRequest(PROMPT, "bert", average="phenomena/capitals"),
    ]
    for question in questions:
        job = run(session, question)
        assert job.state is JobState.DONE, job.error
        assert session.answer(question) is not None


@pytest.mark.parametrize(
    "question",
    [
        ExplainRequest(PROMPT, "bert"),
        InsideRequest.from_mapping({"prompt": PROMPT, "model": "bert", "layers": "1"}),
        CheckRequest(ExplainRequest(PROMPT, "bert")),
        AnalysisRequest.from_mapping({"model": "bert", "analysis": "norms", "text": SET}),
        CompareRequest(ExplainRequest(PROMPT, "gpt"), ExplainRequest(PROMPT, "bert")),
    ],
)
def test_what_needs_a_gpt_is_refused_before_anything_is_loaded(
    folder: Path, question: Question
) -> None:
    session = session_of(folder)
    with pytest.raises(RequestError, match=r"bert is an encoder, .* Choose a GPT, or open this"):
        session.submit(question, "ann")
    assert not any(model.held for model in session.models())


def test_a_model_whose_kind_is_found_on_loading_is_refused_then(folder: Path) -> None:
    entry = Catalogue.of([f"m={folder / 'bart'}"]).entries[0]
    session = Session(Catalogue((replace(entry, kind=None),)), cache_bytes=2**28)
    assert [model.name for model in session.models(gpt=True)] == ["m"]
    job = run(session, ExplainRequest(PROMPT, "m"))
    assert job.state is JobState.FAILED
    assert "m is an encoder-decoder" in str(job.error)
    assert session.models()[0].kind is ModelKind.BOTH


def test_pages_can_ask_for_gpts_alone(folder: Path) -> None:
    session = session_of(folder)
    assert [model.name for model in session.models(gpt=True)] == ["gpt"]
    assert [model.kind for model in session.models()] == [
        ModelKind.GPT, ModelKind.ENCODER, ModelKind.BOTH
    ]  # fmt: skip
    only = Session(Catalogue.of([f"b={folder / 'bert'}"]))
    assert [model.name for model in only.models(gpt=True)] == ["b"]


def test_the_length_of_a_text_is_told(folder: Path) -> None:
    session = session_of(folder)
    assert session.count_tokens("bert", PROMPT) is None
    run(session, AttentionRequest(PROMPT, "bert"))
    count = session.count_tokens("bert", PROMPT)
    assert count is not None
    assert (count.tokens, count.most) == (8, 64)
    assert session.find_tokens("bert", "cat")[0].text == "cat"
    held = {model.name: (model.held, model.context) for model in session.models()}
    assert held["bert"] == (True, 64)


def test_a_text_whose_maps_could_not_be_kept_is_refused_before_any_pass(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "encoder_maps", lambda *_: pytest.fail("the model ran"))
    session = session_of(folder, cache_bytes=2**18)
    job = run(session, AttentionRequest("the cat sat on " * 15, "bert"))
    assert job.state is JobState.FAILED
    assert "3 x 4 heads" in str(job.error)
    job = run(session, HeadsRequest("bert", set="", text="a cat\n" + "the cat sat on " * 15))
    assert "Prompt 2: The attention of this text" in str(job.error)


def test_the_least_used_model_makes_room(folder: Path) -> None:
    size = {one.name: one.bytes or 0 for one in _loaded_once(folder).models()}
    session = session_of(folder, models_bytes=size["bert"] + size["bart"] + 1000)
    run(session, AttentionRequest(PROMPT, "bert"))
    run(session, AttentionRequest(PROMPT, "bart"))
    assert [model.held for model in session.models()] == [False, True, True]
    run(session, AttentionRequest(PROMPT, "gpt"))
    assert session.models()[0].held
    assert run(session, AttentionRequest(PROMPT, "bert", mask=(2,))).state is JobState.DONE


def _loaded_once(folder: Path) -> Session:
    session = session_of(folder)
    for name in ("gpt", "bert", "bart"):
        run(session, AttentionRequest(PROMPT, name))
    return session


def test_many_threads_read_one_model_without_harm() -> None:
    model = random_encoder("bert")
    prompts = [f"the {word} sat" for word in ("cat", "mat", "store", "john", "mary", "japan")]
    expected = [flowviz.attention_maps(prompt, model).weights for prompt in prompts]
    wrong: list[str] = []

    def ask(place: int) -> None:
        for _ in range(5):
            found = flowviz.attention_maps(prompts[place], model).weights
            if not np.array_equal(found, expected[place]):
                wrong.append(prompts[place])

    threads = [threading.Thread(target=ask, args=(place,)) for place in range(len(prompts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_what_is_found_over_a_set_is_the_sum_of_its_prompts(folder: Path) -> None:
    model = load_any(str(folder / "bert"))
    found = flowviz.find_heads(SET.splitlines(), model)
    singles = [flowviz.attention_maps(text, model).kinds for text in SET.splitlines()]
    np.testing.assert_allclose(found.kinds.mass, singles[0].mass + singles[1].mass)
    assert (found.prompts, found.model) == (2, model.shape)
    with pytest.raises(RequestError, match="Prompt 2: The prompt has 82 tokens"):
        flowviz.find_heads([PROMPT, "cat " * 80], model)
    with pytest.raises(RequestError, match="There are no prompts"):
        flowviz.find_heads([], model)
    with pytest.raises(RequestError, match="has no part cross"):
        flowviz.find_heads([PROMPT], model, part="cross")
