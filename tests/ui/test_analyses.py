"""The analyses page without a browser: links, the form, jobs, results, files, hostile values."""

from __future__ import annotations

import json
from urllib.parse import quote_plus

import pytest

from flowviz.analyses.prompts import shipped_sets
from flowviz.analyses.request import Analysis, AnalysisRequest
from flowviz.app import create_app
from flowviz.errors import RequestError
from flowviz.ui.analyses.form import request_from_form
from flowviz.ui.analyses.opening import open_page
from flowviz.ui.analyses.prompts import chosen_text, count_words, group_options, listed, set_options
from flowviz.ui.analyses.search import place_in, search_options
from flowviz.views.analyses.links import Place
from tests.results import RESULTS, AnalysesSession
from tests.ui.client import Client
from tests.ui.conftest import EXAMPLES

MODELS = ["demo", "gpt2"]
VISITOR = {"shell-visitor.data": "a visitor"}
TEXT = "The capital of Japan is\t Tokyo\nThe cat sat"
FORM = {
    **VISITOR,
    "analyses-analysis.value": "overlap",
    "analyses-model.value": "demo",
    "analyses-source.value": "own",
    "analyses-text.value": TEXT,
    "analyses-k.value": 50,
    "analyses-n.value": 100,
    "analyses-threshold.value": 0.85,
    "analyses-run.n_clicks": 1,
}
HOSTILE = ("", "\0", "<script>alert(1)</script>", "9" * 400, "-1", "nan", "[]", "{}", "💥", "../..")
NAMES = ("analysis", "model", "set", "text", "group", "token", "k", "n", "threshold", "norm",
         "prompt", "left_out", "self", "__class__")  # fmt: skip
SHOWN = {
    analysis: AnalysisRequest(
        analysis,
        text="" if analysis is Analysis.SEARCH else TEXT,
        token=" Paris" if analysis is Analysis.SEARCH else None,
    ).to_mapping()
    for analysis in Analysis
}


@pytest.fixture
def session() -> AnalysesSession:
    return AnalysesSession()


@pytest.fixture
def client(session) -> Client:
    return Client(create_app(session, examples=EXAMPLES))


def opened(**query):
    return open_page(query, MODELS, EXAMPLES)


def run(client, trigger="analyses-run.n_clicks", **changed):
    values = {**FORM, **{f"analyses-{name}.value": value for name, value in changed.items()}}
    return client.call("analyses-job.data", values, trigger)


def show(client, session, analysis, trigger="analyses-shown.data", **values):
    session.held.add(AnalysisRequest.from_mapping(SHOWN[analysis]))
    places = {"analyses-shown.data": SHOWN[analysis], "shell-theme.data": "light", **values}
    return client.call("analyses-result.children", places, trigger)


def text(answer) -> str:
    return json.dumps(answer.body, ensure_ascii=False)


# ---- links ------------------------------------------------------------------------------------


def test_without_a_query_an_empty_form_opens_and_nothing_runs():
    opening = opened()
    assert (opening.request.analysis, opening.request.model) == (Analysis.OVERLAP, "demo")
    assert (opening.request.set, opening.source) == (shipped_sets()[0], "set")
    assert (opening.run, opening.fault) == (False, None)


def test_a_link_runs_what_it_says():
    opening = opened(analysis="norms", model="gpt2", text=TEXT, k="7", norm="3.ln2")
    assert opening.request == AnalysisRequest(Analysis.NORMS, "gpt2", text=TEXT, k=7)
    assert (opening.source, opening.run, opening.norm) == ("own", True, "3.ln2")
    opening = opened(analysis="neurons", set=shipped_sets()[0], n="5", threshold="0.5")
    assert (opening.request.n, opening.request.threshold, opening.source) == (5, 0.5, "set")


def test_a_link_of_a_search_opens_what_it_finds_in_its_prompt():
    opening = opened(analysis="search", token=" Paris", prompt="In Paris")
    assert (opening.request.token, opening.open_in, opening.run) == (" Paris", "In Paris", True)
    assert opened(analysis="search").open_in == EXAMPLES[0].prompt


def test_own_prompts_of_a_link_are_also_where_a_search_would_open():
    assert opened(text=TEXT).open_in == "The capital of Japan is"


def test_a_link_without_its_prompts_waits_for_them():
    opening = opened(analysis="target", left_out="3210")
    assert (opening.request.analysis, opening.run, opening.left_out) == (
        Analysis.TARGET, False, 3210,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"model": "nobody/knows", "text": "a"}, "Choose one of: demo, gpt2."),
        ({"analysis": "horoscope", "text": "a"}, "it takes one of overlap, target"),
        ({"text": "a\n\tb\tc\td"}, "Line 2: It has more than three columns"),
        ({"set": "nobody-knows"}, "No set of prompts is called 'nobody-knows'"),
        ({"set": "phenomena", "group": "none such"}, "There are no prompts"),
        ({"text": "a", "k": "0"}, "k is '0'"),
        ({"text": "a", "threshold": "7"}, "threshold is '7'"),
        ({"text": "a", "prompt": "\0"}, "NUL"),
    ],
)
def test_a_broken_link_says_why_and_keeps_the_prompts(query, words):
    opening = opened(**query)
    assert not opening.run
    assert words in opening.fault["text"]
    assert opening.request.text == query.get("text", "")


def test_a_broken_link_keeps_its_analysis():
    assert opened(analysis="norms", text="a", k="x").request.analysis is Analysis.NORMS


@pytest.mark.parametrize("name", NAMES)
def test_hostile_links_never_break_the_server(client, name):
    queries = [{name: f"a&{name}=b"}]
    for value in map(quote_plus, HOSTILE):
        queries += [{name: value}, {"text": "a", name: value}]
    for query in queries:
        assert "analyses-run" in client.page(query, "/analyses")


def test_the_page_says_first_what_to_do_and_what_a_link_left_out(client):
    assert "Choose prompts and press Run." in client.page({}, "/analyses")
    page = client.page({"analysis": "target", "left_out": "3210"}, "/analyses")
    assert "too long for it (3,210 characters)" in page


# ---- the form ---------------------------------------------------------------------------------


def test_the_form_is_the_request_with_only_the_numbers_that_matter():
    form = {"analysis": "overlap", "model": "demo", "source": "own", "text": TEXT, "k": 7,
            "n": 3, "threshold": 0.5, "set": "phenomena", "token": " x"}  # fmt: skip
    assert request_from_form(form) == AnalysisRequest(Analysis.OVERLAP, text=TEXT, k=7)
    neurons = request_from_form({**form, "analysis": "neurons"})
    assert (neurons.k, neurons.n, neurons.threshold) == (50, 3, 0.5)
    target = request_from_form({**form, "analysis": "target", "source": "set", "group": "clubs"})
    assert target == AnalysisRequest(Analysis.TARGET, set="phenomena", group="clubs")
    search = request_from_form({**form, "analysis": "search"})
    assert search == AnalysisRequest(Analysis.SEARCH, token=" x")


def test_a_form_without_prompts_or_token_says_what_is_missing():
    for form, words in (
        ({"analysis": "overlap", "source": "own", "text": ""}, "There are no prompts"),
        ({"analysis": "overlap", "source": "set"}, "No set of prompts is chosen"),
        ({"analysis": "search"}, "No token is given"),
    ):
        with pytest.raises(RequestError, match=words):
            request_from_form({"model": "demo", **form})


def test_prompts_are_counted_while_they_are_typed():
    def counted(text):
        return count_words({"source": "own", "text": text, "characters": len(text)})

    assert counted("") == counted(" \n") == ("", False)
    assert counted("The cat\n\n# not this") == ("1 prompt", False)
    assert counted(TEXT) == ("2 prompts, 1 with an answer", False)
    assert counted("a\t b\nc\t d") == ("2 prompts, each with its answer", False)
    words, wrong = counted("a\nb\nc\td\te\tf")
    assert wrong
    assert words.startswith("Line 3: ")


def test_what_is_longer_than_any_text_is_not_sent():
    typed = {"source": "own", "text": "", "characters": 200_001}
    assert count_words(typed) == ("200,001 of 200,000 characters: too many", True)


def test_a_set_is_offered_with_its_size_and_groups_and_can_be_edited():
    name = shipped_sets()[0]
    assert set_options()[0]["value"] == name
    assert "prompts)" in set_options()[0]["label"]
    group = group_options(name)[0]["value"]
    copied = chosen_text(name, group)
    assert count_words({"source": "own", "text": copied, "characters": len(copied)}) == count_words(
        {"source": "set", "set": name, "group": group}
    )
    items = json.loads(json.dumps([part.to_plotly_json() for part in listed(name, group)],
                                  default=lambda part: part.to_plotly_json()))  # fmt: skip
    assert len(items[0]["props"]["children"]) == copied.count("\n")
    assert group_options("none such") == listed("none such", None) == []


@pytest.mark.parametrize("typed", [None, {}, [], "x", 7, {"source": "own", "text": 3},
                                   {"source": "set", "set": []}, {"source": "set", "set": "../x"},
                                   {"source": [], "text": {}, "characters": "x"}])  # fmt: skip
def test_hostile_counts_never_break_the_server(client, typed):
    answer = client.call("analyses-count.children", {"analyses-typed.data": typed})
    assert answer.status == 200
    assert answer.notice is None


def test_tokens_are_offered_and_where_the_model_is_not_loaded_the_text_as_it_is(session):
    found = search_options(session, "demo", "Par", None)
    assert {"value": " Paris", "label": "␣Paris"} in found
    assert search_options(session, "demo", "", " Paris") == [{"value": " Paris", "label": "␣Paris"}]

    class Unloaded(AnalysesSession):
        def find_tokens(self, model, text, limit=50):
            return ()

    unloaded = Unloaded()
    assert search_options(unloaded, "demo", "Xyz", None) == []
    values = [each["value"] for each in search_options(unloaded, "gpt2", "Xyz", None)]
    assert values == [" Xyz", "Xyz"]


def test_finds_open_at_the_last_token_of_a_prompt(session):
    assert place_in(session, "demo", "The cat sat") == Place("The cat sat", 2)
    for prompt in (None, "", 7, []):
        assert place_in(session, "demo", prompt) is None
    assert place_in(session, "gpt2", "The cat sat") is None  # not loaded, so not counted


# ---- jobs -------------------------------------------------------------------------------------


def test_run_submits_what_the_form_says(client, session):
    answer = run(client)
    assert answer["analyses-job.data"]["state"] == "done"
    assert answer["analyses-asked.data"] == {"analysis": "overlap", "model": "demo", "text": TEXT}
    assert session.asked == [AnalysisRequest(Analysis.OVERLAP, text=TEXT)]


def test_the_job_that_is_polled_holds_no_prompts(client):
    assert set(run(client)["analyses-job.data"]) == {"id", "state", "stage", "fraction", "error"}


def test_a_link_is_run_once_when_the_page_opens(client, session):
    started = {**FORM, "analyses-start.data": True, "analyses-run.n_clicks": None}
    assert client.call("analyses-job.data", started, "shell-visitor.data").status == 200
    later = {**started, "analyses-job.data": {"id": "1"}}
    assert client.call("analyses-job.data", later, "shell-visitor.data").status == 204
    idle = {**started, "analyses-start.data": False}
    assert client.call("analyses-job.data", idle, "shell-visitor.data").status == 204
    assert len(session.asked) == 1


def test_a_chosen_token_is_searched_at_once(client, session):
    changed = {"analysis": "search", "token": " Paris"}
    assert run(client, "analyses-token.value", **changed).status == 200
    assert session.asked == [AnalysisRequest(Analysis.SEARCH, token=" Paris")]
    assert run(client, "analyses-token.value", analysis="search", token=None).status == 204
    assert run(client, "analyses-token.value", analysis="norms", token=" Paris").status == 204


def test_what_cannot_be_asked_is_a_failed_job_with_the_way_out(client, session):
    job = run(client, text="a\nb\tc\td\te")["analyses-job.data"]
    assert job["state"] == "failed"
    assert job["error"].startswith("Line 2: It has more than three columns")
    assert session.asked == []


def test_a_running_job_is_followed_and_cancelled_by_its_owner_alone(client):
    job = run(client, text="a slow one")["analyses-job.data"]
    assert (job["state"], job["stage"], job["fraction"]) == ("running", "Prompt 1 of 2", 0.25)
    values = {"analyses-job.data": job, **VISITOR}
    other = {**values, "shell-visitor.data": "another"}
    for trigger in ("analyses-poll.n_intervals", "analyses-cancel.n_clicks"):
        now = client.call("analyses-standing.data", other, trigger)["analyses-standing.data"]
        assert now["state"] == "failed"
    now = client.call("analyses-standing.data", values, "analyses-poll.n_intervals")
    assert now["analyses-standing.data"]["state"] == "running"
    now = client.call("analyses-standing.data", values, "analyses-cancel.n_clicks")
    assert now["analyses-standing.data"]["state"] == "cancelled"


def test_hostile_forms_never_break_the_server(client):
    for value in (None, [], {}, "x", -1, 1e400, [1, 2, 3], {"a": 1}, "\0", "9" * 99):
        for place in FORM:
            for analysis in ("overlap", "neurons", "search"):
                values = {**FORM, "analyses-analysis.value": analysis, place: value}
                answer = client.call("analyses-job.data", values, "analyses-run.n_clicks")
                assert answer.status in (200, 204), (place, value)
                answer = client.call("analyses-shown.data", values, "analyses-analysis.value")
                assert answer.status in (200, 204), (place, value)


# ---- results ----------------------------------------------------------------------------------


@pytest.mark.parametrize("analysis", Analysis)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_result_has_charts_and_its_numbers(client, session, analysis, theme):
    answer = show(client, session, analysis, **{"shell-theme.data": theme})
    page = text(answer)
    assert answer.notice is None
    assert '"type": "Graph"' in page
    assert '"type": "AgGrid"' in page
    assert "analyses-save-csv" in page


def test_each_prompt_and_neuron_leads_into_the_flow(client, session):
    rows = grid(show(client, session, Analysis.TARGET), "prompts")
    assert rows[1]["open"].startswith("/?model=demo&prompt=%3DThe+capital+of+France")
    assert [row["right"] for row in rows] == [True, False, True]
    assert rows[0]["target"] == "␣Tokyo"
    rows = grid(show(client, session, Analysis.NEURONS), "neurons")
    assert rows[0]["open"].endswith("node=neuron%3A0%3A2%3A5")
    prompt = {"analyses-open-in.value": "In Paris"}
    rows = grid(show(client, session, Analysis.SEARCH, **prompt), "heads")
    assert rows[0]["open"].endswith("prompt=In+Paris&node=head%3A1%3A1%3A3")
    assert "open" not in grid(show(client, session, Analysis.SEARCH), "heads")[0]


def grid(answer, name):
    """The rows of a table of the page."""
    todo = [answer.body]
    while todo:
        part = todo.pop()
        if isinstance(part, dict):
            if part.get("type") == "AgGrid" and part["props"]["id"]["index"] == name:
                return part["props"]["rowData"]
            part = list(part.values())
        if isinstance(part, list):
            todo += part
    raise AssertionError(f"there is no table {name}")


def test_a_result_tells_its_notes(client, session):
    assert "The keys of this model are shared." in text(show(client, session, Analysis.OVERLAP))


def test_the_chosen_norm_is_shown_closely_and_another_can_be_chosen(client, session):
    first = text(show(client, session, Analysis.NORMS, **{"analyses-norm-chosen.data": "1.ln1"}))
    assert '"value": "1.ln1"' in first
    assert "␣the: 50%, only in this list" in first
    assert "␣Paris: 10%, also in the other list, as number 1" in first
    values = {
        "analyses-norm.value": "2.ln_final",
        "analyses-shown.data": SHOWN[Analysis.NORMS],
        "shell-theme.data": "dark",
    }
    answer = client.call("analyses-norm-detail.children", values, "analyses-norm.value")
    assert "Probability before → after" in text(answer)
    rows = grid(answer, "changes")
    assert {(row["norm"], row["layer"]) for row in rows} == {("ln_final", 2)}


def test_another_analysis_shows_what_is_kept_of_it_or_what_to_do(client, session):
    values = {**FORM, "analyses-analysis.value": "target"}
    turned = client.call("analyses-shown.data", values, "analyses-analysis.value")
    assert turned["analyses-shown.data"] is None
    empty = client.call(
        "analyses-result.children", {"analyses-analysis.value": "target"}, "analyses-shown.data"
    )
    assert "Choose prompts and press Run." in text(empty)
    session.held.add(AnalysisRequest(Analysis.TARGET, text=TEXT))
    turned = client.call("analyses-shown.data", values, "analyses-analysis.value")
    assert turned["analyses-shown.data"] == SHOWN[Analysis.TARGET]


def test_another_theme_or_prompt_to_open_in_draws_nothing_where_nothing_is_shown(client, session):
    for trigger in ("shell-theme.data", "analyses-open-in.value"):
        answer = client.call("analyses-result.children", {"shell-theme.data": "dark"}, trigger)
        assert answer.status == 204
    answer = show(client, session, Analysis.NORMS, "analyses-open-in.value")
    assert answer.status == 204


def test_a_result_that_made_room_is_told_to_the_page_which_runs_it_again(client, session):
    values = {"analyses-shown.data": SHOWN[Analysis.NORMS], "shell-theme.data": "light"}
    answer = client.call("analyses-result.children", values, "shell-theme.data")
    assert answer.notice is None
    assert answer.body["sideUpdate"]["shell-not-kept"]["data"]
    again = {**VISITOR, "analyses-again.data": {"request": SHOWN[Analysis.NORMS], "count": 1}}
    answer = client.call("analyses-job.data", again, "analyses-again.data")
    assert answer["analyses-job.data"]["state"] == "done"
    assert answer["analyses-asked.data"] == SHOWN[Analysis.NORMS]


@pytest.mark.parametrize("request_", [None, [], "x", {"text": ""}, {"analysis": "x"}])
def test_a_tampered_result_fails_with_words(client, request_):
    values = {**VISITOR, "analyses-again.data": {"request": request_}}
    answer = client.call("analyses-job.data", values, "analyses-again.data")
    assert answer["analyses-job.data"]["state"] == "failed"
    if isinstance(request_, dict):
        values = {"analyses-shown.data": request_, "shell-theme.data": "light"}
        assert client.call("analyses-result.children", values, "analyses-shown.data").notice


# ---- files ------------------------------------------------------------------------------------


def saved(client, session, analysis, button):
    session.held.add(AnalysisRequest.from_mapping(SHOWN[analysis]))
    values = {"analyses-shown.data": SHOWN[analysis]}
    return client.press("analyses-download.data", values, button)["analyses-download.data"]


def test_a_table_is_saved_as_csv_without_formulas(client, session):
    button = {"type": "analyses-save-csv", "index": "prompts"}
    file = saved(client, session, Analysis.TARGET, button)
    lines = file["content"].split("\r\n")
    assert file["filename"] == "target-prompts.csv"
    assert lines[0].startswith("number,prompt,answer,group,target,prediction,right,rank")
    assert lines[1].startswith("1,The capital of Japan is, Tokyo,capitals, Tokyo, Tokyo,True,1,0.5")
    assert lines[2].startswith("2,'=The capital of France is")


@pytest.mark.parametrize("analysis", Analysis)
def test_the_whole_result_is_saved_as_json(client, session, analysis):
    file = saved(client, session, analysis, "analyses-save-json")
    assert file["filename"] == f"{analysis}.json"
    held = json.loads(file["content"])
    assert held["analysis"] == str(analysis)
    assert held["model"] == "demo"
    assert set(held) >= set(vars(RESULTS[analysis]))


def test_a_table_that_is_not_there_is_refused(client, session):
    session.held.add(AnalysisRequest.from_mapping(SHOWN[Analysis.TARGET]))
    values = {"analyses-shown.data": SHOWN[Analysis.TARGET]}
    button = {"type": "analyses-save-csv", "index": "../x"}
    answer = client.press("analyses-download.data", values, button)
    assert "no such table" in answer.notice
