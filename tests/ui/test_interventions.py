"""Changing the pass: from a press of a button to the request, the list, the inspector, the link."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from flowviz.errors import RequestError
from flowviz.graph.types import BIAS_NAMES, FlowGraph, NodeKey, NodeKind
from flowviz.interventions.types import MOST, Intervention, parse_interventions
from flowviz.ui.flow.form import request_from_form
from flowviz.ui.flow.opening import open_page
from flowviz.ui.interventions.carry import brought_back, carried
from flowviz.ui.interventions.inspector import change_section, changeable, cuttable
from flowviz.ui.interventions.made import Made, edited
from tests.graphs import changed_nodes, three_nodes
from tests.ui.conftest import EXAMPLES
from tests.ui.test_ask import FORM, job
from tests.ui.test_picture import inspect, text

K = NodeKind
PROMPT = "The cat sat on the mat"
HERE = {"prompt": PROMPT, "model": "demo"}


def made(interventions: str = "", donor: str | None = None, **more: str) -> dict[str, str | None]:
    return {"interventions": interventions, "donor": donor, **HERE, **more}


def written(now: Made) -> str:
    return str(now.stored()["interventions"])


# ---- what a press makes of the changes ----------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "edit", "after"),
    [
        ("", {"do": "set", "sites": "head:1:2:3", "how": "0"}, "head:1:2:3=0"),
        ("head:1:2:3=0", {"do": "set", "sites": "head:1:2:3", "how": "2.5"}, "head:1:2:3=2.5"),
        ("head:1:2:3=0", {"do": "set", "sites": "head:1:2:3", "how": "1"}, ""),
        (
            "head:1:2:3=0;embed:0:1=0",
            {"do": "set", "sites": "head:1:2:3", "how": "mean"},
            "head:1:2:3=mean;embed:0:1=0",
        ),
        (
            "head:1:2:3,head:1:2:4=0",
            {"do": "set", "sites": "head:1:2:4,neuron:0:1:9", "how": "-1"},
            "head:1:2:3=0;head:1:2:4,neuron:0:1:9=-1",
        ),
        ("head:1:2:3,head:1:2:4=0", {"do": "undo", "sites": "head:1:2:3"}, "head:1:2:4=0"),
        ("head:1:2:3=0", {"do": "undo", "sites": "head:1:*:3"}, "head:1:2:3=0"),
        ("head:1:2:3=0;embed:0:1=0", {"do": "clear"}, ""),
        ("", {"do": "set", "sites": "embed:0:1>head:1:2:3", "how": "0"}, "embed:0:1>head:1:2:3=0"),
    ],
)
def test_a_press_changes_the_list(before: str, edit: dict[str, str], after: str) -> None:
    assert written(edited(Made(parse_interventions(before)), edit)) == after


def test_values_of_another_prompt_need_that_prompt_once() -> None:
    edit = {"do": "set", "sites": "head:1:2:3", "how": "donor"}
    with pytest.raises(RequestError, match="Type the other prompt"):
        edited(Made(), edit)
    now = edited(Made(), {**edit, "donor": "The dog sat"})
    assert (written(now), now.donor) == ("head:1:2:3=donor", "The dog sat")
    assert edited(now, edit).donor == "The dog sat"
    assert edited(now, {"do": "donor", "donor": "A dog sat"}).donor == "A dog sat"
    with pytest.raises(RequestError, match="Type the other prompt"):
        edited(now, {"do": "donor", "donor": " "})
    assert edited(now, {"do": "clear"}).donor == "The dog sat"  # to be offered again


def test_too_many_changes_are_refused() -> None:
    full = parse_interventions([f"head:0:{i}:1=0" for i in range(MOST)])
    with pytest.raises(RequestError, match="at most 50"):
        edited(Made(full), {"do": "set", "sites": "head:1:0:1", "how": "0"})
    assert written(edited(Made(full), {"do": "set", "sites": "head:0:0:1", "how": "2"}))


HOSTILE = ("", "\0", "x", "head:1:2", "target:4:5", "rest:head:1:2:3", "<b>", "head:1:2:3@", ",")


@pytest.mark.parametrize("sites", HOSTILE)
def test_hostile_parts_are_refused_with_a_notice_and_nothing_is_lost(client, sites) -> None:
    for do in ("set", "undo"):
        values = {"change-edit.data": {"do": do, "sites": sites, "how": "0"},
                  "change-made.data": made("head:1:2:3=0"), "flow-asked.data": HERE}  # fmt: skip
        answer = client.call("change-made.data", values, "change-edit.data")
        assert answer.status in (200, 204)
        assert answer.notice
        assert "change-made" not in answer.body.get("response", {})


@pytest.mark.parametrize("value", [None, [], "x", 3, {"do": 3}, {"do": "set"}, {"do": "donor"}])
def test_hostile_edits_and_stores_never_break_the_server(client, value) -> None:
    for place in ("change-edit.data", "change-made.data", "change-aside.data", "flow-asked.data"):
        values = {"change-edit.data": {"do": "clear"}, "change-made.data": made("head:1:2:3=0"),
                  "flow-asked.data": HERE, place: value}  # fmt: skip
        for trigger in ("change-edit.data", "flow-asked.data"):
            answer = client.call("change-made.data", values, trigger)
            assert answer.status in (200, 204)
            assert "its log" not in (answer.notice or ""), (place, value, trigger)


# ---- another prompt -----------------------------------------------------------------------------


MIXED = "head:1:2:3,head:1:*:4=0;neuron:0:1:9=2;head:2:*:1@3=0"


def count(_model: str, prompt: str) -> int:
    return len(prompt.split())


def test_a_prompt_with_as_many_tokens_keeps_all_changes() -> None:
    before = Made(parse_interventions(MIXED), prompt="a b c d", model="demo")
    after, aside = carried(before, "e f g h", "demo", count)
    assert (written(after), aside) == (MIXED, None)
    assert (after.prompt, after.model) == ("e f g h", "demo")


def test_another_prompt_keeps_what_is_at_every_position_and_puts_the_others_aside() -> None:
    before = Made(parse_interventions(MIXED), "a donor", "a b c d", "demo")
    after, aside = carried(before, "e f", "demo", count)
    assert written(after) == "head:1:*:4=0"
    assert aside is not None
    assert written(aside) == "head:1:2:3=0;neuron:0:1:9=2;head:2:*:1@3=0"
    back = brought_back(after, aside)
    assert set(sites(back)) == set(sites(before))
    assert back.donor == "a donor"


def sites(now: Made) -> list[tuple[str, str]]:
    return [(str(site), str(one.how)) for one in now.interventions for site in one.sites]


def test_another_model_or_an_unknown_length_puts_position_bound_changes_aside() -> None:
    before = Made(parse_interventions(MIXED), prompt="a b", model="demo")
    after, aside = carried(before, "a b", "gpt2", count)
    assert written(after) == ""
    assert aside is not None
    assert written(aside) == MIXED
    after, aside = carried(before, "c d", "demo", lambda model, prompt: None)
    assert written(after) == "head:1:*:4=0"


def test_a_run_of_another_prompt_asks_for_what_is_kept_and_offers_the_rest(client) -> None:
    values = {"change-made.data": made("head:1:5:3=0;head:2:*:1=0"),
              "flow-asked.data": {"prompt": "The dog", "model": "demo"}}  # fmt: skip
    answer = client.call("change-made.data", values, "flow-asked.data")
    now, aside = answer["change-made.data"], answer["change-aside.data"]
    assert (now["interventions"], now["prompt"]) == ("head:2:*:1=0", "The dog")
    assert aside["interventions"] == "head:1:5:3=0"
    bar = client.call("change-bar.children", {"change-made.data": now, "change-aside.data": aside})
    assert "1 change was put aside" in text(bar)
    assert '"data-aside": "back"' in text(bar)
    values = {"change-made.data": now, "change-aside.data": aside,
              "flow-asked.data": values["flow-asked.data"]}  # fmt: skip
    back = client.call("change-made.data", {**values, "change-edit.data": {"do": "back"}},
                       "change-edit.data")  # fmt: skip
    assert back["change-made.data"]["interventions"] == "head:2:*:1=0;head:1:5:3=0"
    assert back["change-aside.data"] is None
    gone = client.call("change-made.data", {**values, "change-edit.data": {"do": "forget"}},
                       "change-edit.data")  # fmt: skip
    assert gone["change-made.data"]["interventions"] == "head:2:*:1=0"
    assert gone["change-aside.data"] is None


def test_a_run_of_the_same_prompt_changes_nothing(client) -> None:
    values = {"change-made.data": made("head:1:5:3=0"), "flow-asked.data": {**HERE, "count": 7}}
    assert client.call("change-made.data", values, "flow-asked.data").status == 204


# ---- in the request and in the link ------------------------------------------------------------


def test_changes_reach_the_request(client, session) -> None:
    changes = made("head:1:2:3=0;resid_mid:1:1=donor", "The dog sat", prompt="The cat sat")
    answer = client.call("flow-job.data", {**FORM, "change-made.data": changes}, "change-made.data")
    assert job(answer)["request"] == {
        "model": "demo",
        "prompt": "The cat sat",
        "interventions": "head:1:2:3=0;resid_mid:1:1=donor",
        "donor": "The dog sat",
    }
    (request,) = session.submitted
    assert request.interventions[0] == Intervention.parse("head:1:2:3=0")
    assert request.donor == "The dog sat"


def test_a_change_that_cannot_be_read_is_a_failed_job_with_the_way_out(client) -> None:
    values = {**FORM, "change-made.data": made("head:1=0")}
    done = job(client.call("flow-job.data", values, "change-made.data"))
    assert done["state"] == "failed"
    assert "names no node" in done["error"]


def test_a_link_opens_with_its_changes() -> None:
    query = {"prompt": "a b", "interventions": "head:1:1:3=donor", "donor": "c d"}
    opening = open_page(query, EXAMPLES, ["demo"])
    assert written(opening.made) == "head:1:1:3=donor"
    assert (opening.made.donor, opening.made.prompt) == ("c d", "a b")
    asked = {"prompt": opening.prompt, "model": opening.model}
    request = request_from_form(asked, {}, {}, {}, opening.made.stored())
    assert request.to_mapping()["interventions"] == query["interventions"]
    assert open_page({"prompt": "a b"}, EXAMPLES, ["demo"]).made.interventions == ()


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"interventions": "head:1:1=0"}, "names no node"),
        ({"interventions": "head:1:1:3=donor"}, "give that prompt"),
        ({"interventions": "head:1:1:3=1e9"}, "is no change"),
        ({"interventions": "embed:0:1>embed:0:2=0"}, "is no edge"),
        ({"interventions": ";" * 60}, "at most 50"),
    ],
)
def test_a_link_with_a_wrong_change_keeps_its_prompt_and_says_why(query, words) -> None:
    opening = open_page({"prompt": "a b", **query}, EXAMPLES, ["demo"])
    assert opening.fault is not None
    assert words in opening.fault["text"]
    assert (opening.prompt, opening.run) == ("a b", False)


# ---- the list -----------------------------------------------------------------------------------


def bar(client, changes: dict, shown: dict | None = None) -> str:
    return text(
        client.call("change-bar.children", {"change-made.data": changes, "flow-shown.data": shown})
    )


def test_the_list_is_empty_where_nothing_is_changed(client) -> None:
    answer = client.call("change-bar.children", {"change-made.data": made()})
    assert answer["change-bar.children"] == []


def test_each_change_is_a_chip_with_its_words_and_its_undo(client) -> None:
    changes = made("head:1:2:3=0;head:1:*:4,embed:0:1=mean", None)
    words = bar(client, changes, HERE)
    assert '"L1 H3 at ␣sat (2)"' in words
    assert '"off"' in words
    assert '"2 parts"' in words
    assert '"data-sites": "head:1:*:4,embed:0:1"' in words
    assert '"L1 H4 at every position"' in words
    assert words.count('"data-undo": "1"') == 2
    assert '"data-undo": "all"' in words
    assert "as many tokens keeps these changes" in words
    assert '"head:1:2:3"' in bar(client, changes, None)  # before the first picture
    assert "Other prompt" not in words


def test_the_other_prompt_stands_in_the_list_where_values_come_from_it(client) -> None:
    words = bar(client, made("head:1:2:3=donor", "The dog sat"), HERE)
    assert "Other prompt: The␣dog␣sat" in words
    assert "data-donor" in words


def test_the_list_leads_to_the_comparison_of_before_and_after(client) -> None:
    shown = {**HERE, "interventions": "head:1:2:3=0"}
    words = bar(client, made("head:1:2:3=0"), shown)
    assert "/compare?" in words
    assert "b_interventions=head%3A1%3A2%3A3%3D0" in words
    assert "/compare?" not in bar(client, made("head:1:2:3=0"), HERE)  # not drawn yet


# ---- the inspector -----------------------------------------------------------------------------


def section(key: str, graph: FlowGraph | None = None, via: str | None = None) -> str:
    made = change_section(NodeKey.parse(key), graph or three_nodes(), via=via)
    return json.dumps(made, default=lambda part: part.to_plotly_json(), ensure_ascii=False)


@pytest.mark.parametrize("key", ["embed:0:1", "pos_embed:0:1", "resid_pre:1:2", "resid_final:2:2",
                                 "head:1:2:3", "neuron:0:1:9", "bias:1:2:2"])  # fmt: skip
def test_every_kind_of_part_can_be_changed(key: str) -> None:
    words = section(key)
    assert f'"data-sites": "{key}"' in words
    assert '"data-how": "0"' in words
    assert ('"data-how": "mean"' in words) == (not key.startswith("bias"))
    assert ("At every position" in words) == key.startswith(("head", "neuron", "bias"))


@pytest.mark.parametrize("key", ["target:2:2", "rest:head:1:2:3", "bias:2:2:6", "bias:2:2:7"])
def test_what_cannot_be_changed_is_not_offered(key: str) -> None:
    assert not changeable(NodeKey.parse(key))
    assert section(key) == "null"


def test_what_was_put_in_says_how_it_goes_away() -> None:
    put = next(node for node in changed_nodes().nodes if node.key.kind is K.BIAS)
    assert "undo that" in section(str(put.key), changed_nodes())


def test_a_changed_head_says_so_and_offers_to_undo_each_change() -> None:
    words = section("head:1:2:3", changed_nodes())
    assert "At this position: × 2.5" in words
    assert "What it reads from in (0), at every position: from the other prompt" in words
    assert words.count('"data-undo": "1"') == 2
    assert '"data-sites": "head:1:*:3@0"' in words
    assert '"In Gaul is"' in words  # the other prompt stands in its box


def test_the_edge_along_which_one_came_can_be_cut() -> None:
    words = section("head:1:2:3", three_nodes(), via="embed:0:1")
    assert '"data-sites": "embed:0:1>head:1:2:3"' in words
    assert "Cut this edge" in words
    words = section("target:2:2", three_nodes(), via="head:1:2:3")
    assert '"data-sites": "head:1:2:3>target:2:2"' in words
    assert "Undo the cut" in section("embed:0:1", changed_nodes(), via="head:1:2:3")
    assert "Cut" not in section("head:1:2:3", three_nodes(), via="neuron:0:1:9")


def test_only_edges_between_components_can_be_cut() -> None:
    head, target = NodeKey(K.HEAD, 1, 2, 3), NodeKey(K.TARGET, 2, 2)
    put = NodeKey(K.BIAS, 1, 2, BIAS_NAMES.index("set_heads"))
    assert cuttable(NodeKey(K.EMBED, 0, 1), head)
    assert cuttable(head, target)
    for source in (NodeKey(K.RESID_PRE, 1, 1), head.rest(), put, NodeKey(K.BIAS, 2, 2, 6)):
        assert not cuttable(source, head)
    assert not cuttable(head, NodeKey(K.RESID_MID, 1, 2))


def test_the_inspector_shows_what_can_be_changed_and_rows_that_can_be_cut(client) -> None:
    words = text(inspect(client, "head:3:5:1"))
    assert "Change this" in words
    assert "Only what it reads from" in words
    circuit = {**HERE, "wiring": "circuit"}
    drawn = client.call("flow-graph.elements", {"flow-shown.data": circuit})
    ids = [each["data"]["id"] for each in drawn["flow-graph.elements"]]
    head = next(each for each in ids if each.startswith("head:3") and ">" not in each)
    rows = text(inspect(client, head, circuit))
    assert "FlowvizCut" in rows
    assert "Before" not in rows
    assert "FlowvizCut" not in text(inspect(client, "resid_mid:2:5"))


# ---- before and after --------------------------------------------------------------------------


@pytest.fixture
def changed(session, monkeypatch):
    """The page shows a changed pass: every number has what it was before."""
    clean = type(session).graph

    def graph(self, request):
        made = clean(self, request)
        if not request.interventions:
            return made
        return replace(
            made,
            nodes=tuple(replace(node, before=2 * node.flow) for node in made.nodes),
            edges=tuple(replace(edge, before=2 * edge.flow) for edge in made.edges),
            predictions=tuple(replace(each, before=0.91) for each in made.predictions),
            target=replace(made.target, before=9.13),
            interventions=tuple(map(str, request.interventions)),
            donor=request.donor,
        )

    monkeypatch.setattr(type(session), "graph", graph)
    return {**HERE, "interventions": "head:3:5:1=0"}


def test_predictions_and_the_value_show_before_and_after(client, changed) -> None:
    answer = client.call("flow-strip.data", {"flow-shown.data": changed})
    words = text(answer)
    assert '"41%"' in words
    assert '" ← 91%"' in words
    assert '"left": "91.0%"' in words
    assert "before the change 91%" in words
    assert '", before "' in words
    assert '"9.13"' in words
    assert "←" not in text(client.call("flow-strip.data", {"flow-shown.data": HERE}))


def test_the_inspector_and_its_tables_show_the_flow_before(client, changed) -> None:
    circuit = {**changed, "wiring": "circuit"}
    drawn = client.call("flow-graph.elements", {"flow-shown.data": circuit})
    ids = [each["data"]["id"] for each in drawn["flow-graph.elements"]]
    head = next(each for each in ids if each.startswith("head:3") and ">" not in each)
    words = text(inspect(client, head, circuit))
    assert '"Before"' in words
    assert '"its flow without the changes"' in words
    assert "without the changes" in words
    overview = text(client.call("flow-inspector.children", {"flow-shown.data": circuit}))
    assert " ← " in overview
    for button in ("nodes", "edges"):
        place = f"flow-save-{button}.n_clicks"
        answer = client.call("flow-download.data", {place: 1, "flow-shown.data": circuit}, place)
        assert ",before," in answer["flow-download.data"]["content"].split("\r\n")[0]
