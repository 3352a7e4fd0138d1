"""From a finished job to what the page shows."""

from __future__ import annotations

import json

import pytest

SHOWN = {"model": "demo", "prompt": "The cat sat on the mat"}


def text(answer) -> str:
    return json.dumps(answer.body, ensure_ascii=False)


def inspect(client, key, shown=SHOWN, theme="light"):
    values = {
        "flow-selected.data": {"key": key, "via": None},
        "flow-shown.data": shown,
        "shell-theme.data": theme,
    }
    return client.call("flow-inspector.children", values, "flow-selected.data")


def test_the_graph_is_drawn_with_its_exactness_and_coverage(client):
    values = {"flow-shown.data": SHOWN, "flow-rest.checked": True}
    answer = client.call("flow-graph.elements", values, "flow-shown.data")
    elements = answer["flow-graph.elements"]
    assert answer["flow-drawn.data"]["elements"] == len(elements)
    assert any(each["data"].get("kind") == "rest" for each in elements)
    assert "Exact to 3e-6 (limit 1e-4 for float32)" in text(answer)
    assert "81%" in text(answer)


def test_without_rest_no_rest_node_is_drawn(client):
    values = {"flow-shown.data": SHOWN, "flow-rest.checked": False}
    elements = client.call("flow-graph.elements", values)["flow-graph.elements"]
    assert not any(each["data"].get("kind") == "rest" for each in elements)


def test_tokens_and_predictions_can_be_clicked(client):
    shown = {**SHOWN, "positions": "1-5"}
    answer = client.call("flow-strip.data", {"flow-shown.data": shown}, "flow-shown.data")
    strip = answer["flow-strip.data"]
    assert strip["tokens"] == ["The", "␣cat", "␣sat", "␣on", "␣the", "␣mat"]
    assert strip["ids"] == [100, 101, 102, 103, 104, 105]
    assert (strip["target"], strip["span"]) == (5, [1, 5])
    assert set(strip["drawn"]) <= set(range(6))
    assert 5 in strip["drawn"]
    assert "␣Paris" in text(answer)
    assert "41%" in text(answer)


def test_an_example_says_what_to_look_for(client):
    shown = {"model": "demo", "prompt": "The capital of France is"}
    assert "Look late." in text(client.call("flow-strip.data", {"flow-shown.data": shown}))
    assert "Look late." not in text(client.call("flow-strip.data", {"flow-shown.data": SHOWN}))


@pytest.mark.parametrize("key", ["resid_final:4:5", "resid_mid:2:5", "embed:0:2", "bias:4:5:6",
                                 "target:4:5", "head:3:5:1", "neuron:2:5:7"])  # fmt: skip
def test_every_kind_of_node_can_be_inspected(client, key):
    answer = inspect(client, key)
    assert answer.status == 200
    assert answer.notice is None
    assert "Influence" in text(answer)


def test_a_rest_node_can_be_inspected(client):
    assert "not drawn" in text(inspect(client, "rest:resid_final:4:5"))


def test_a_head_shows_its_attention_a_state_its_lens_a_neuron_its_key(client):
    assert "Attention over the prompt" in text(inspect(client, "head:3:5:1"))
    assert "The target at every layer" in text(inspect(client, "resid_mid:2:5"))
    assert "What switches it" in text(inspect(client, "neuron:2:5:7"))


@pytest.mark.parametrize("key", ["", "x", "head:3:5", "head:99:5:1", "\0", "<b>", "head:3:5:1:1"])
def test_a_key_that_names_no_node_is_refused_in_the_panel(client, key):
    answer = inspect(client, key)
    assert answer.status == 200
    assert "No such node here" in text(answer)


UNLAWFUL = {"model": "demo", "prompt": "an unlawful run of it"}


def test_where_a_law_failed_a_banner_says_which_and_no_flow_is_drawn(client):
    values = {"flow-shown.data": UNLAWFUL, "flow-rest.checked": True}
    answer = client.call("flow-graph.elements", values, "flow-shown.data")
    kinds = {each["group"] for each in answer["flow-graph.elements"]}
    assert kinds == {"nodes"}
    banner = json.dumps(answer["flow-banner.children"])
    assert "the blocks' parts miss their output by 0.3" in banner
    assert "still right" in banner
    assert "Not exact" in text(answer)
    lawful = client.call("flow-graph.elements", {**values, "flow-shown.data": SHOWN})
    assert lawful["flow-banner.children"] == []


def test_where_a_law_failed_a_node_shows_its_lens_and_attention_and_no_flow(client):
    drawn = client.call("flow-graph.elements", {"flow-shown.data": UNLAWFUL})
    ids = [each["data"]["id"] for each in drawn["flow-graph.elements"]]
    head = next(each for each in ids if each.startswith("head:"))
    for key, title in ((head, "Attention over the prompt"),
                       ("resid_mid:2:4", "The target at every layer")):  # fmt: skip
        answer = inspect(client, key, UNLAWFUL)
        assert title in text(answer)
        assert "no flows are listed" in text(answer)
        assert "flow-inflows" not in text(answer)
        figures = answer["flow-inspector.children"][1]["props"]["children"]
        values = [pair["props"]["children"][1]["props"]["children"] for pair in figures]
        assert values[:3] == ["–", "–", "–"]
        assert ("3.25" in values) == key.startswith("resid")
    whole = client.call("flow-inspector.children", {"flow-shown.data": UNLAWFUL})
    assert "Strongest" not in text(whole)


def test_what_is_drawn_of_the_prompt_is_told_with_the_way_back(client):
    def note(**settings):
        values = {"flow-shown.data": {**SHOWN, **settings}, "flow-rest.checked": True}
        return json.dumps(client.call("flow-graph.elements", values)["flow-part.children"])

    assert note() == "[]"
    assert "Drawn: only tokens 1 to 5 of 6." in note(positions="1-5")
    assert '"data-all": "positions"' in note(positions="1-5")
    assert "Drawn: only token 5 (" in note(positions="5-5")
    assert "not among them" in note(positions="1-2")
    assert "not among them" not in note(positions="1-5")
    both = note(positions="1-99", layers="2-3")
    assert "tokens 1 to 5 of 6 and layers 2 to 3." in both
    assert '"data-all": "layers"' in both


def test_a_capped_logit_is_shown_before_and_after_the_cap(client):
    shown = {"model": "demo", "prompt": "its logits are capped", "contrast": " Rome"}
    value = client.call("flow-strip.data", {"flow-shown.data": shown})["flow-value.children"]
    words = json.dumps(value, ensure_ascii=False)
    assert '"4.2"' in words
    assert "before the cap" in words
    assert '"1"' in words
    assert "30 · tanh(x / 30)" in words
    value = client.call("flow-strip.data", {"flow-shown.data": SHOWN})["flow-value.children"]
    assert "cap" not in json.dumps(value)


def test_files_hold_the_graph(client):
    for button, name in (("json", "flow.json"), ("nodes", "flow-nodes.csv"),
                         ("edges", "flow-edges.csv")):  # fmt: skip
        place = f"flow-save-{button}.n_clicks"
        answer = client.call("flow-download.data", {place: 1, "flow-shown.data": SHOWN}, place)
        download = answer["flow-download.data"]
        assert download["filename"] == name
        assert len(download["content"]) > 500


def test_hostile_text_in_tokens_stays_text(client):
    shown = {"model": "demo", "prompt": "<img src=x onerror=alert(1)> \u202eevil </script>"}
    answer = client.call("flow-strip.data", {"flow-shown.data": shown})
    assert "dangerously" not in text(answer)
    assert "\u202e" not in text(answer)
    assert "<img" in text(answer)


def test_a_store_that_was_tampered_with_gives_a_notice(client):
    for shown in ({"prompt": ""}, {"prompt": "a", "coverage": "9"}, {"prompt": 3}, {"x": "y"}):
        answer = client.call("flow-graph.elements", {"flow-shown.data": shown})
        assert answer.status in (200, 204)
        assert answer.notice


def test_a_bug_is_told_without_a_stack_trace(client):
    shown = {"model": "demo", "prompt": "please crash"}
    answer = client.call("flow-graph.elements", {"flow-shown.data": shown})
    assert "its log" in answer.notice
    assert "ZeroDivisionError" not in text(answer)


def test_the_token_boxes_offer_predictions_then_what_matches(client):
    options = client.call("flow-target.data", {"flow-shown.data": SHOWN})["flow-target.data"]
    assert options[0]["value"] == " Paris"
    values = {"flow-target.searchValue": "Fra", "flow-target.value": " Rome"}
    options = client.call("flow-target.data", values)["flow-target.data"]
    assert [each["value"] for each in options] == [" France", " Rome"]


def test_reset_gives_every_control_its_default(client):
    values = {"flow-reset.n_clicks": 1, "flow-layers.max": 3, "flow-positions.max": 5}
    answer = client.call("flow-wiring.value", values, "flow-reset.n_clicks")
    assert answer["flow-layers.value"] == [0, 3]
    assert answer["flow-positions.value"] == [0, 5]
    assert answer["flow-rest.checked"] is True
    assert answer["flow-coverage.value"] == 0.8
    assert answer["flow-budget.value"] == 60
    assert answer["flow-heads.value"] == ""
