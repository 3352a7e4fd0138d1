"""From the form to a job: `ask` and `follow`."""

from __future__ import annotations

from flowviz.request import GraphSettings, Wiring

VISITOR = {"shell-visitor.data": "a visitor"}
FORM = {
    **VISITOR,
    "flow-asked.data": {"prompt": "The cat sat", "model": "demo", "count": 1},
    "flow-wiring.value": "stream",
    "flow-score.value": "flow",
    "flow-coverage.value": 0.8,
    "flow-budget.value": 60,
    "flow-edge-coverage.value": 0.85,
    "flow-layers.value": [0, 3],
    "flow-layers.max": 3,
    "flow-positions.value": [0, 2],
    "flow-positions.max": 2,
    "flow-kinds.value": ["embed", "pos_embed", "head", "neuron", "bias"],
    "flow-heads.value": "",
}


def job(answer):
    assert answer.status == 200
    return answer["flow-job.data"]


def test_the_form_as_it_opens_is_the_default_request(client, session):
    done = job(client.call("flow-job.data", FORM, "flow-asked.data"))
    assert done["state"] == "done"
    assert done["request"] == {"model": "demo", "prompt": "The cat sat"}
    assert session.submitted[0].settings == GraphSettings()


def test_every_setting_reaches_the_request(client, session):
    answer = client.call(
        "flow-job.data",
        {
            **FORM,
            "flow-target.value": " Paris",
            "flow-contrast.value": " Rome",
            "flow-position.data": 1,
            "flow-wiring.value": "circuit",
            "flow-score.value": "direct",
            "flow-coverage.value": 0.5,
            "flow-budget.value": 100,
            "flow-edge-coverage.value": 0.9,
            "flow-layers.value": [1, 2],
            "flow-positions.value": [1, 2],
            "flow-kinds.value": ["head"],
            "flow-heads.value": 3,
            "flow-positive.value": 2,
            "flow-negative.value": 1,
        },
        "flow-wiring.value",
    )
    assert job(answer)["request"] == {
        "model": "demo",
        "prompt": "The cat sat",
        "token": " Paris",
        "contrast": " Rome",
        "position": "1",
        "wiring": "circuit",
        "score": "direct",
        "coverage": "0.5",
        "budget": "100",
        "edge_coverage": "0.9",
        "layers": "1-2",
        "positions": "1-2",
        "kinds": "head",
        "heads_per_layer": "3",
        "positive_neurons": "2",
        "negative_neurons": "1",
    }
    assert session.submitted[0].settings.wiring is Wiring.CIRCUIT


def test_no_kinds_at_all_stays_none_rather_than_all(client):
    answer = client.call("flow-job.data", {**FORM, "flow-kinds.value": []}, "flow-kinds.value")
    assert job(answer)["request"]["kinds"] == "none"


def test_without_a_prompt_or_a_visitor_nothing_is_submitted(client, session):
    for missing in ("flow-asked.data", "shell-visitor.data"):
        answer = client.call("flow-job.data", {**FORM, missing: None}, "flow-asked.data")
        assert answer.status == 204
    assert session.submitted == []


def test_a_control_that_changes_nothing_submits_nothing(client, session):
    last = {"id": "1", "request": {"model": "demo", "prompt": "The cat sat"}}
    values = {**FORM, "flow-job.data": last}
    assert client.call("flow-job.data", values, "flow-layers.value").status == 204
    assert client.call("flow-job.data", values, "flow-asked.data").status == 200
    assert len(session.submitted) == 1


def test_what_cannot_be_asked_is_a_failed_job_with_the_way_out(client):
    asked = {"prompt": "a\0b", "model": "demo", "count": 1}
    done = job(client.call("flow-job.data", {**FORM, "flow-asked.data": asked}, "flow-asked.data"))
    assert done["state"] == "failed"
    assert "NUL" in done["error"]


def test_hostile_form_values_never_break_the_server(client):
    for value in (None, [], {}, "x", -1, 1e400, [1, 2, 3], {"a": 1}, "\0", "9" * 99):
        for place in FORM:
            if place in ("shell-visitor.data", "flow-layers.max", "flow-positions.max"):
                continue
            answer = client.call("flow-job.data", {**FORM, place: value}, "flow-asked.data")
            assert answer.status in (200, 204), (place, value)
            assert answer.notice is None or "prompt" not in place


def test_a_running_job_is_followed_and_cancelled(client, session):
    asked = {"prompt": "a slow one", "model": "demo", "count": 1}
    running = job(
        client.call("flow-job.data", {**FORM, "flow-asked.data": asked}, "flow-asked.data")
    )
    assert (running["state"], running["stage"]) == ("running", "Loading the model")
    values = {"flow-job.data": running, **VISITOR}
    now = client.call("flow-standing.data", values, "flow-poll.n_intervals")["flow-standing.data"]
    assert (now["id"], now["state"]) == (running["id"], "running")
    now = client.call("flow-standing.data", values, "flow-cancel.n_clicks")["flow-standing.data"]
    assert now["state"] == "cancelled"


def test_a_press_of_cancel_in_the_moment_of_a_poll_is_not_lost(client):
    asked = {"prompt": "a slow one", "model": "demo", "count": 1}
    running = job(
        client.call("flow-job.data", {**FORM, "flow-asked.data": asked}, "flow-asked.data")
    )
    values = {"flow-job.data": running, **VISITOR}
    both = ("flow-poll.n_intervals", "flow-cancel.n_clicks")
    assert client.call("flow-standing.data", values, *both)["flow-standing.data"]["state"] == (
        "cancelled"
    )


def test_another_visitors_job_cannot_be_followed_or_cancelled(client):
    asked = {"prompt": "a slow one", "model": "demo", "count": 1}
    mine = job(client.call("flow-job.data", {**FORM, "flow-asked.data": asked}, "flow-asked.data"))
    values = {"flow-job.data": mine, "shell-visitor.data": "another"}
    for trigger in ("flow-poll.n_intervals", "flow-cancel.n_clicks"):
        now = client.call("flow-standing.data", values, trigger)["flow-standing.data"]
        assert now["state"] == "failed"
        assert "Run the prompt again" in now["error"]
    values = {"flow-job.data": mine, **VISITOR}
    now = client.call("flow-standing.data", values, "flow-poll.n_intervals")["flow-standing.data"]
    assert now["state"] == "running"
