"""The page itself: links that open it, headers, limits."""

from __future__ import annotations

from urllib.parse import quote, quote_plus

import pytest

from flowviz.app import create_app
from flowviz.request import TargetSpec
from flowviz.session import ModelChoice
from flowviz.ui.examples import example_requests
from flowviz.ui.flow.opening import open_page
from flowviz.ui.security import MAX_REQUEST_BYTES
from tests.ui.conftest import EXAMPLES

HOSTILE = ("", "\0", "<script>alert(1)</script>", "9" * 400, "-1", "nan", "[]", "{}", "💥", "../..")
NAMES = ("model", "prompt", "token", "contrast", "position", "wiring", "score", "coverage",
         "budget", "edge_coverage", "layers", "positions", "kinds", "heads_per_layer",
         "positive_neurons", "negative_neurons", "interventions", "donor", "node", "rest", "self",
         "pathname", "__class__")  # fmt: skip


def test_without_a_query_the_first_example_opens():
    opening = open_page({}, EXAMPLES, ["demo"])
    assert opening.prompt == EXAMPLES[0].prompt
    assert opening.target.contrast == " Rome"
    assert opening.run


def test_another_default_model_chooses_its_own_target():
    opening = open_page({}, EXAMPLES, ["gpt2"])
    assert (opening.prompt, opening.model) == (EXAMPLES[0].prompt, "gpt2")
    assert opening.target == TargetSpec()


def test_examples_run_on_the_demo_model_where_it_is_offered():
    gpt2, demo = (ModelChoice(name, name, "", None) for name in ("gpt2", "demo"))
    assert example_requests(EXAMPLES, (gpt2, demo))[0]["model"] == "demo"
    alone = example_requests(EXAMPLES, (gpt2,))[0]
    assert (alone["model"], alone["target"]) == ("gpt2", None)


def test_a_link_opens_what_it_says():
    query = {"prompt": "a b", "token": " c", "layers": "1-2", "node": "head:1:2:3", "rest": "0"}
    opening = open_page(query, EXAMPLES, ["demo"])
    assert (opening.prompt, opening.target.token) == ("a b", " c")
    assert opening.settings.layers == (1, 2)
    assert (opening.node, opening.rest, opening.fault) == ("head:1:2:3", False, None)


def test_a_broken_link_keeps_the_prompt_and_says_why():
    opening = open_page({"prompt": "a b", "coverage": "7"}, EXAMPLES, ["demo"])
    assert opening.prompt == "a b"
    assert not opening.run
    assert "coverage" in opening.fault["text"]


def test_a_link_with_an_unknown_model_opens_the_default_one_and_says_which_there_are():
    query = {"prompt": "a b", "model": "nobody/knows", "coverage": "0.5"}
    for link in (query, {"model": "nobody/knows"}):
        opening = open_page(link, EXAMPLES, ["demo", "gpt2"])
        assert (opening.model, opening.run) == ("demo", False)
        assert opening.prompt == link.get("prompt", "")
        assert "No model 'nobody/knows' is offered here" in opening.fault["text"]
        assert "Choose one of: demo, gpt2." in opening.fault["text"]
    assert open_page({**query, "model": "gpt2"}, EXAMPLES, ["demo", "gpt2"]).model == "gpt2"


@pytest.mark.parametrize("name", NAMES)
def test_hostile_links_never_break_the_server(client, name):
    for value in HOSTILE:
        for query in ({name: quote_plus(value)}, {"prompt": "a", name: quote_plus(value)}):
            assert "flow-prompt" in client.page(query)


def test_a_doubled_parameter_is_refused_not_fatal(client):
    assert "flow-prompt" in client.page({"prompt": "a&prompt=b", "node": "x&node=y"})


def test_html_in_a_link_is_data(client):
    page = client.http.get("/?prompt=" + quote("</script><script>alert(1)</script>"))
    assert page.status_code == 200
    assert "alert(1)" not in page.get_data(as_text=True)


def test_the_page_asks_nothing_of_another_host(client):
    page = client.http.get("/")
    text = page.get_data(as_text=True)
    assert "https://" not in text
    assert "http://" not in text
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe-eval" not in policy
    assert "'unsafe-inline'" not in policy.split("script-src")[1].split(";")[0]
    assert page.headers["X-Content-Type-Options"] == "nosniff"


def test_no_two_callbacks_write_the_same_place(client):
    written = [
        place for each in client.callbacks for place in each["output"].strip(".").split("...")
    ]
    assert len(written) == len(set(written))


def test_who_may_frame_the_page_is_the_operators_choice(session):
    app = create_app(session, examples=EXAMPLES, frame_ancestors="https://example.org")
    policy = app.server.test_client().get("/").headers["Content-Security-Policy"]
    assert policy.endswith("frame-ancestors https://example.org")


def test_a_megabyte_is_refused(client):
    body = b'{"x": "' + b"x" * (2 * MAX_REQUEST_BYTES) + b'"}'
    answer = client.http.post("/_dash-update-component", data=body, content_type="application/json")
    assert answer.status_code == 413
