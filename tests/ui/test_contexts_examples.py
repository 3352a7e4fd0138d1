"""What the page of contexts says of its own examples, held on the models that ship."""

from __future__ import annotations

import time
from collections import Counter

import pytest

from flowviz.contexts.kinds import Feature, Role
from flowviz.contexts.request import ContextRequest
from flowviz.contexts.types import ContextsFound
from flowviz.session import JobState, Session
from flowviz.ui.contexts.examples import EXAMPLES, first_link, look_for, offered

KIND, HEAD, VERB = EXAMPLES


@pytest.fixture(scope="module")
def session() -> Session:
    return Session()


def ask(session: Session, link: dict[str, str], **other: str) -> ContextsFound:
    request = ContextRequest.from_mapping({**link, **other})
    job = session.submit(request, "somebody")
    while job.state in (JobState.WAITING, JobState.RUNNING):
        time.sleep(0.05)
        job = session.job(job.id, "somebody")
    assert job.error is None
    return session.answer(request)


def values(found: ContextsFound, role: Role, feature: Feature) -> Counter[str]:
    words = [hit.word(role) for hit in found.hits]
    return Counter(word.value(feature) for word in words if word)


def test_a_word_becomes_what_follows_it(session):
    early = ask(session, KIND.link)
    assert early.query.tokens[early.position].text == " kind"
    assert values(early, Role.MATCHED, Feature.UPOS)["ADJ"] == 43
    forms = values(early, Role.MATCHED, Feature.FORM)
    assert all(forms[each] > 3 for each in ("kind", "big", "cold"))
    assert early.hits[0].word(Role.MATCHED).upos == "NOUN"
    late = ask(session, KIND.link, site="resid_final")
    assert values(late, Role.MATCHED, Feature.UPOS)["NOUN"] == 46
    assert values(late, Role.NEXT, Feature.FORM)["of"] == 45


def test_a_head_looks_at_the_country(session):
    found = ask(session, HEAD.link)
    assert len(found.hits) == 8
    assert values(found, Role.ATTENDED, Feature.FORM) == {"Japan": 8}
    assert values(found, Role.NEXT, Feature.FORM)["Japanese"] == 6
    assert {"is", "speak", "to"} <= set(values(found, Role.MATCHED, Feature.FORM))


def test_the_state_of_a_masked_verb_is_that_of_verbs(session):
    found = ask(session, VERB.link)
    assert found.query.masked == (3,)
    assert values(found, Role.MATCHED, Feature.UPOS) == {"VERB": 50}
    bars = next(
        each.bars for each in found.summaries
        if (each.role, each.feature) == (Role.MATCHED, Feature.UPOS)
    )  # fmt: skip
    assert (bars[0].value, bars[0].over) == ("VERB", 1)
    assert 0.08 < bars[0].base < 0.12
    below = ask(session, VERB.link, site="resid_pre:1")
    assert values(below, Role.MATCHED, Feature.UPOS)["VERB"] == 26


def test_examples_are_offered_where_their_model_is():
    assert [each.title for each in offered(["demo"])] == [KIND.title, HEAD.title]
    assert first_link(["demo", "demo-bert"], "demo-bert") == VERB.link
    assert first_link(["gpt2"], "gpt2") == {}
    for each in EXAMPLES:
        request = ContextRequest.from_mapping(each.link)
        assert each.title in str(look_for(request.to_mapping())[0])
