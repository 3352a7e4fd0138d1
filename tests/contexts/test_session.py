"""Questions about contexts, asked of a server's session."""

from __future__ import annotations

import pytest

from flowviz.contexts.kinds import Site, SiteKind
from flowviz.contexts.request import ContextRequest
from flowviz.contexts.shelf import Shelf
from flowviz.contexts.types import ContextsFound
from flowviz.encoders.loading import load_encoder
from flowviz.errors import NotKept, RequestError
from flowviz.models.loading import load_model
from flowviz.results import answer_bytes
from flowviz.session import JobState, Session
from flowviz.similar import build_store
from tests.contexts.small import write_corpus

SITE = Site(SiteKind.RESID_PRE, 1)
LONG = 120.0


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    home = tmp_path_factory.mktemp("session")
    corpus = write_corpus(home)
    models = {"mine": load_model("demo"), "read-both-ways": load_encoder("demo-bert")}
    for name, model in models.items():
        build_store(corpus, home / name, model, sites=["resid_pre:1", "heads:1"])
    return Shelf({name: home / name for name in models})


@pytest.fixture(scope="module")
def session(shelf: Shelf) -> Session:
    return Session(shelf=shelf)


def about(**more: object) -> ContextRequest:
    asked = {"prompt": "The girl saw", "corpus": "mine", "site": "resid_pre:1", "count": 3}
    return ContextRequest.from_mapping({**asked, **more})


def ended(session: Session, question: ContextRequest, visitor: str = "ann"):
    """The job's end, without asking in a loop: its own event says when."""
    job = session.submit(question, visitor)
    session._jobs._records[job.id].ended.wait(LONG)
    return session.job(job.id, visitor)


def test_a_question_is_answered_and_kept(session: Session) -> None:
    assert ended(session, about()).state is JobState.DONE
    found = session.answer(about())
    assert isinstance(found, ContextsFound)
    assert found.request == about()
    assert len(found.hits) == 3
    assert session.submit(about(), "bob").state is JobState.DONE
    assert answer_bytes(found) > 500 * sum(len(hit.tokens) for hit in found.hits)


def test_an_encoder_is_asked_as_well(session: Session) -> None:
    asked = about(corpus="read-both-ways", model="demo-bert", mask="2", position=2)
    assert ended(session, asked).state is JobState.DONE
    found = session.answer(asked)
    assert found.query.masked == (2,)
    assert not {hit.position for hit in found.hits} & {0}


def test_the_corpora_are_offered_with_what_is_known_of_them(session: Session) -> None:
    assert [each.name for each in session.corpora()] == ["demo", "mine", "read-both-ways"]


@pytest.mark.parametrize("corpus", ["yours", "../mine", "/etc"])
def test_a_corpus_that_is_not_offered_is_refused_before_anything_runs(
    session: Session, corpus: str
) -> None:
    with pytest.raises(RequestError, match="not offered"):
        session.submit(about(corpus=corpus), "ann")
    with pytest.raises(RequestError, match="not offered"):
        session.answer(about(corpus=corpus))


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"site": "resid_pre:2"}, "resid_pre:2"),
        ({"site": "resid_pre:77"}, "none in block 77"),
        ({"model": "demo-bert"}, "Choose that model"),
        ({"position": 40}, "40"),
    ],
)
def test_what_cannot_be_asked_fails_with_a_reason(
    session: Session, more: dict[str, object], words: str
) -> None:
    job = ended(session, about(**more))
    assert job.state is JobState.FAILED
    assert words in (job.error or "")


def test_only_what_must_be_read_first_waits_behind_long_work(session: Session) -> None:
    assert not session._takes_long(about())
    assert session._takes_long(about(corpus="demo"))


def test_an_answer_that_is_gone_says_so(shelf: Shelf) -> None:
    with pytest.raises(NotKept):
        Session(shelf=shelf).answer(about())
