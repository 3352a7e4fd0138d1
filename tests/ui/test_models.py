"""The model box, the count under the prompt, and pictures that had to make room."""

from __future__ import annotations

import pytest

from flowviz.checked import MAX_PROMPT_CHARACTERS
from flowviz.session import ModelChoice, TokenCount
from flowviz.ui.count import count_words
from flowviz.ui.models import model_options, state_words
from tests.fakes import FakeSession
from tests.ui.test_ask import VISITOR

MB = 2**20
SHOWN = {"model": "demo", "prompt": "The cat sat"}


@pytest.mark.parametrize(
    ("held", "size", "words"),
    [
        (True, 15 * MB, "in memory, 15 MB"),
        (True, 1, "in memory, 1 MB"),
        (True, None, "in memory"),
        (False, 475 * MB, "will be loaded, about 475 MB"),
        (False, 4300 * MB, "will be loaded, about 4.2 GB"),
        (False, None, "will be loaded"),
    ],
)
def test_a_model_says_whether_it_is_in_memory(held, size, words):
    choice = ModelChoice("a", "A", "", None, held, size)
    assert state_words(choice) == words
    assert model_options([choice])[0]["look"] == ("held" if held else "not-held")


def test_the_box_asks_where_models_stand_each_time_it_opens(client):
    offered = client.call("flow-model.data", {}, "flow-picking.data")["flow-model.data"]
    assert [(each["value"], each["state"]) for each in offered] == [
        ("demo", "in memory, 15 MB"),
        ("gpt2", "will be loaded, about 475 MB"),
    ]


def counted(client, prompt, model="demo", characters=None):
    length = len(prompt) if characters is None else characters
    typed = {"prompt": prompt, "model": model, "characters": length}
    answer = client.call("flow-count.children", {"flow-typed.data": typed}, "flow-typed.data")
    assert answer.status == 200
    return answer["flow-count.children"], answer["flow-prompt.error"]


def test_what_is_typed_is_counted(client):
    assert counted(client, "The cat sat") == ("3 of 64 tokens", False)
    assert counted(client, "x " * 64 + "x") == ("65 of 64 tokens: 1 too many", True)


def test_where_the_model_is_not_loaded_only_long_prompts_are_measured(client):
    assert counted(client, "The cat sat", "gpt2") == ("", False)
    assert counted(client, "x" * 1200, "gpt2") == ("1,200 of 20,000 characters", False)


def test_what_is_longer_than_any_prompt_is_not_sent(client):
    most = MAX_PROMPT_CHARACTERS
    assert counted(client, "", characters=most + 1) == ("20,001 of 20,000 characters", True)


def test_numbers_are_grouped():
    class Counting(FakeSession):
        def count_tokens(self, model, text):
            return TokenCount(1312, 1024)

    words = count_words(Counting(), {"prompt": "a", "model": "b", "characters": 1})
    assert words == ("1,312 of 1,024 tokens: 288 too many", True)


@pytest.mark.parametrize("typed", [None, {}, [], "x", 7, {"prompt": 3}, {"model": []},
                                   {"prompt": "a", "model": "/etc", "characters": 1},
                                   {"prompt": "a", "characters": "x"}])  # fmt: skip
def test_hostile_counts_never_break_the_server(client, typed):
    answer = client.call("flow-count.children", {"flow-typed.data": typed}, "flow-typed.data")
    assert answer.status in (200, 204)
    assert answer.notice is None


def test_a_picture_that_made_room_is_told_to_the_page_which_runs_it_again(client, session):
    session.gone = True
    for place, values in (
        ("flow-graph.elements", {"flow-shown.data": SHOWN}),
        ("flow-inspector.children",
         {"flow-shown.data": SHOWN, "flow-selected.data": {"key": "head:3:2:1"}}),
    ):  # fmt: skip
        answer = client.call(place, values, "flow-shown.data")
        assert answer.notice is None
        assert answer.body["sideUpdate"]["shell-not-kept"]["data"]
    values = {**VISITOR, "flow-again.data": {"request": SHOWN, "count": 1}}
    job = client.call("flow-job.data", values, "flow-again.data")["flow-job.data"]
    assert (job["state"], job["request"]) == ("done", SHOWN)
    assert not session.gone


@pytest.mark.parametrize("again", [{"request": None}, {"request": {"prompt": ""}}, {"x": 1}])
def test_a_tampered_picture_fails_with_words(client, again):
    values = {**VISITOR, "flow-again.data": again}
    job = client.call("flow-job.data", values, "flow-again.data")["flow-job.data"]
    assert job["state"] == "failed"
    assert job["error"]
