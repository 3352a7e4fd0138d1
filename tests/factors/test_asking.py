"""Looks at dictionaries as a server answers them: surveyed once, kept part by part, refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowviz.contexts.encode import open_reader
from flowviz.contexts.kinds import Feature, Role, Site, SiteKind
from flowviz.contexts.shelf import Shelf
from flowviz.errors import Cancelled, RequestError
from flowviz.factors import asking
from flowviz.factors.asking import Looking
from flowviz.factors.dictionary.files import save_dictionary
from flowviz.factors.look.files import save_survey
from flowviz.factors.look.survey import Options, survey
from flowviz.factors.request import FactorsRequest
from flowviz.factors.shelf import Dictionaries
from flowviz.factors.stored import StoredCorpus
from flowviz.jobs import Job, JobState
from flowviz.models.loading import load_model
from flowviz.session import Session
from flowviz.similar import build_store
from tests.contexts.small import write_corpus
from tests.factors.look.made import SmallCorpus, made

SITES = (Site(SiteKind.RESID_PRE, 1), Site(SiteKind.RESID_PRE, 2))
ASKED = FactorsRequest(dictionary="made")


def silent(_stage: str, _fraction: float) -> None:
    pass


@pytest.fixture(scope="module")
def model():
    return load_model("demo")


@pytest.fixture(autouse=True)
def surveyed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The demo corpus is a few sentences; the names of the corpora that were surveyed."""
    done = list[str]()

    def noted(dictionary, model, corpus, progress):
        done.append(corpus.name)
        return survey(dictionary, model, corpus, Options(levels=False), progress)

    monkeypatch.setattr(asking, "survey", noted)
    monkeypatch.setattr(asking, "demo_corpus", lambda: SmallCorpus("demo"))
    return done


@pytest.fixture
def dictionaries(model, tmp_path: Path) -> Dictionaries:
    save_dictionary(made(model, SITES), tmp_path / "shipped" / "made")
    return Dictionaries(shipped=tmp_path / "shipped")


@pytest.fixture
def looking(dictionaries: Dictionaries) -> Looking:
    return Looking(dictionaries, Shelf())


def test_all_that_is_asked_for_is_answered(looking, model):
    top = looking.answer(ASKED, model, silent).told.top[0]
    asked = FactorsRequest(
        dictionary="made", prompt="The cat sat", sentence=top.sentence, position=top.at,
        factor=looking.answer(ASKED, model, silent).listed.rows[0].factor,
    )  # fmt: skip
    found = looking.answer(asked, model, silent)
    assert found.request == asked
    assert [about.name for about in found.offered] == ["made"]
    assert found.told.factor == asked.factor
    assert found.attributed.activation == pytest.approx(top.activation, rel=1e-4)
    assert len(found.prompt.tokens) == 3
    assert len(found.prompt.words) == len(found.prompt.factors)


def test_where_no_factor_is_named_the_first_is_told(looking, model):
    found = looking.answer(ASKED, model, silent)
    assert found.told.factor == found.listed.rows[0].factor
    with_prompt = looking.answer(FactorsRequest(dictionary="made", prompt="the cat"), model, silent)
    assert with_prompt.told.factor == with_prompt.prompt.factors[0]
    none = looking.answer(FactorsRequest(dictionary="made", text="nowhere"), model, silent)
    assert (none.listed.rows, none.told) == ((), None)


def test_the_words_of_a_prompts_factors_are_those_of_the_list(looking, model):
    found = looking.answer(FactorsRequest(dictionary="made", prompt="the cat"), model, silent)
    words = {row.factor: row.word for row in found.listed.rows}
    told = dict(zip(found.prompt.factors, found.prompt.words, strict=True))
    assert told == {factor: words[factor] for factor in told}


def test_a_survey_is_made_once_and_parts_are_kept(looking, dictionaries, model, surveyed):
    assert not looking.at_hand(ASKED)
    first = looking.answer(ASKED, model, silent)
    again = looking.answer(FactorsRequest(dictionary="made", page=1), model, silent)
    assert looking.at_hand(ASKED)
    assert not looking.at_hand(FactorsRequest(dictionary="made", factor=1, sentence=0, position=1))
    assert surveyed == ["demo"]
    assert again.listed.rows == ()
    third = looking.answer(
        FactorsRequest(dictionary="made", factor=first.told.factor), model, silent
    )
    assert third.told is first.told
    other = Looking(dictionaries, Shelf())  # it lies on the disk
    assert other.answer(ASKED, model, silent).listed.rows == first.listed.rows
    assert surveyed == ["demo"]


def test_the_survey_beside_the_dictionary_is_opened(dictionaries, model, surveyed):
    beside = survey(made(model, SITES), model, SmallCorpus("demo"), Options(levels=False))
    save_survey(beside, dictionaries.folder("made") / "survey")
    found = Looking(dictionaries, Shelf()).answer(ASKED, model, silent)
    assert surveyed == []
    assert found.listed.survey.sentences == len(SmallCorpus().texts)


def test_the_survey_of_another_dictionary_is_made_again(dictionaries, model, surveyed):
    other = survey(made(model, SITES, seed=1), model, SmallCorpus("demo"), Options(levels=False))
    save_survey(other, dictionaries.folder("made") / "survey")
    Looking(dictionaries, Shelf()).answer(ASKED, model, silent)
    assert surveyed == ["demo"]


def test_a_corpus_of_contexts_is_surveyed_from_its_store(dictionaries, model, tmp_path, surveyed):
    build_store(write_corpus(tmp_path), tmp_path / "store", model, sites=["resid_pre:1"])
    shelf = Shelf({"own": tmp_path / "store"})
    asked = FactorsRequest(dictionary="made", corpus="own")
    found = Looking(dictionaries, shelf).answer(asked, model, silent)
    assert surveyed == ["own"]
    assert found.listed.survey.corpus == "own"
    store = shelf.store("own", "demo", open_reader(model), SITES[0], silent)
    corpus = StoredCorpus("own", store)
    read = [sentence for sentence, _ in corpus.read()]
    assert len(read) == corpus.bytes == found.listed.survey.sentences
    assert corpus.annotations == store.info.annotations
    assert corpus.fingerprint() == StoredCorpus("x", store).fingerprint()
    forms = {bar.value for each in found.told.summaries for bar in each.bars
             if (each.role, each.feature) == (Role.MATCHED, Feature.FORM)}  # fmt: skip
    assert forms <= {word.form for sentence in read for word in sentence.words} | {""}


def test_a_model_without_a_dictionary_is_told_so(model, tmp_path):
    found = Looking(Dictionaries(shipped=tmp_path), Shelf()).answer(ASKED, model, silent)
    assert (found.offered, found.listed) == ((), None)


def test_where_the_usual_one_does_not_fit_the_first_that_does_is_taken(looking, model):
    found = looking.answer(FactorsRequest(), model, silent)
    assert found.listed.about.name == "made"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (FactorsRequest(dictionary="other"), "The dictionary 'other' is not offered here"),
        (FactorsRequest(dictionary="made", corpus="x"), "The corpus 'x' is not offered here"),
        (FactorsRequest(dictionary="made", factor=30), "There is no factor 30"),
        (FactorsRequest(dictionary="made", site=Site(SiteKind.MLP_OUT, 0)), "no site mlp_out:0"),
    ],
)
def test_what_there_is_not_is_refused(looking, model, asked, said):
    with pytest.raises(RequestError, match=said):
        looking.answer(asked, model, silent)


def test_a_survey_can_be_stopped_and_is_made_anew(looking, model, surveyed):
    def stop(_stage: str, _fraction: float) -> None:
        raise Cancelled("Stopped.")

    with pytest.raises(Cancelled):
        looking.answer(ASKED, model, stop)
    assert looking.answer(ASKED, model, silent).listed.rows
    assert surveyed == ["demo", "demo"]


def ended(session: Session, job: Job) -> Job:
    """Waits for a job: each look is a moment of the table's own patience."""
    record = session._jobs._records[job.id]
    assert record.ended.wait(60)
    return session.job(job.id, "visitor")


def test_a_session_answers_by_jobs(dictionaries, model):
    session = Session(dictionaries=dictionaries, load=lambda _entry, _progress: model)
    session.preload()
    job = ended(session, session.submit(ASKED, "visitor"))
    assert job.state is JobState.DONE
    assert session.answer(ASKED).told.factor == session.answer(ASKED).listed.rows[0].factor
    wrong = FactorsRequest(dictionary="made", factor=99)
    job = ended(session, session.submit(wrong, "visitor"))
    assert job.state is JobState.FAILED
    assert "There is no factor 99" in (job.error or "")
    with pytest.raises(RequestError, match="not offered"):
        session.submit(FactorsRequest(corpus="x"), "visitor")
