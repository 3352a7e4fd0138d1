"""Requests: whatever comes in is a request that survives its round trips, or a RequestError."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowviz.checked import MAX_PROMPT_CHARACTERS, check_prompt
from flowviz.errors import RequestError
from flowviz.graph.types import NodeKind
from flowviz.request import (
    ExplainRequest,
    GraphSettings,
    Score,
    TargetSpec,
    Wiring,
    settings_from_mapping,
    settings_to_plain,
)

NAMES = sorted(ExplainRequest.fields() | {"model", "prompt"})
TEXTS = st.text(st.characters(exclude_categories=[]), max_size=50)
NEAR = st.sampled_from(
    ["0", "1", "-1", "0.5", "1e-3", "inf", "nan", "0-3", "3-0", "0-1-2", "-", "none", "head,bias",
     "circuit", "flow", "#12", "１", "٣", "1_0", " 1", "", "True", "0x1", "9" * 400, "head", ","]
)  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | NEAR,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=6,
)


def mappings(values: st.SearchStrategy) -> st.SearchStrategy:
    """Mostly known fields, so that more than the first one is read; a prompt that may be one."""
    prompts = {"prompt": TEXTS.filter(bool) | values}
    return st.fixed_dictionaries(
        prompts, optional={name: values for name in NAMES if name != "prompt"}
    ) | st.dictionaries(TEXTS, values)


def read(flat: dict) -> ExplainRequest | None:
    try:
        return ExplainRequest.from_mapping(flat)
    except RequestError as error:
        message = str(error)
        assert message.endswith(".")
        assert "\n" not in message
        assert len(message) < 400
        message.encode()
        return None


def assert_survives(request: ExplainRequest) -> None:
    assert ExplainRequest.from_mapping(request.to_mapping()) == request
    assert ExplainRequest.from_query(request.to_query()) == request
    assert ExplainRequest.from_query("?" + request.to_query()) == request
    plain = json.loads(json.dumps(settings_to_plain(request.settings)))
    assert settings_from_mapping(plain) == request.settings
    assert hash(request) == hash(ExplainRequest.from_mapping(request.to_mapping()))


@settings(deadline=None)
@given(mappings(TEXTS | NEAR))
def test_any_text_is_a_request_or_a_request_error(flat: dict) -> None:
    request = read(flat)
    if request is not None:
        assert_survives(request)


@settings(deadline=None)
@given(mappings(VALUES))
def test_any_json_is_a_request_or_a_request_error(flat: dict) -> None:
    request = read(flat)
    if request is not None:
        assert_survives(request)


@settings(deadline=None)
@given(TEXTS)
def test_any_query_is_a_request_or_a_request_error(query: str) -> None:
    with contextlib.suppress(RequestError):
        assert_survives(ExplainRequest.from_query("prompt=x&" + query))


SPANS = st.none() | st.tuples(st.integers(0, 50), st.integers(50, 10**6))
COUNTS = st.none() | st.integers(0, 10**4)
SHARES = st.floats(0, 1, exclude_min=True)
TOKENS = st.none() | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
                             min_size=1, max_size=20)  # fmt: skip


@settings(deadline=None)
@given(
    st.builds(
        ExplainRequest,
        prompt=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
                       min_size=1),
        model=st.sampled_from(["demo", "lab/x", "my model é"]),
        target=st.builds(TargetSpec, TOKENS, TOKENS, COUNTS),
        settings=st.builds(
            GraphSettings, st.sampled_from(Wiring), st.sampled_from(Score), SHARES,
            st.integers(1, 400), SHARES, SPANS, SPANS,
            st.frozensets(st.sampled_from([NodeKind.HEAD, NodeKind.NEURON, NodeKind.BIAS])),
            COUNTS, COUNTS, COUNTS,
        ),
    )
)  # fmt: skip
def test_every_request_survives_links_and_json(request_: ExplainRequest) -> None:
    assert_survives(request_)


def test_a_link_says_only_what_differs_from_the_defaults() -> None:
    request = ExplainRequest("a b", settings=GraphSettings(wiring=Wiring.CIRCUIT, layers=(0, 3)))
    assert request.to_query() == "model=demo&prompt=a+b&wiring=circuit&layers=0-3"
    assert ExplainRequest.from_query("prompt=a+b&other=1") == ExplainRequest("a b")


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("", "is empty"),
        (None, "is empty"),
        (["a"], "is empty"),
        ("a\0b", "NUL"),
        ("a\ud83d", "surrogate"),
        ("x" * 2**20, "1,048,576 characters"),
    ],
)
def test_prompts_that_cannot_be_tokenised_are_refused(prompt: object, words: str) -> None:
    with pytest.raises(RequestError, match=words):
        check_prompt(prompt)


@pytest.mark.parametrize(
    "prompt",
    [" ", "\n\t ", "a", "שלום עולם", "\u202eabc", "🙂👩‍👩‍👧", "<script>alert(1)</script>",
     "a&b=c#d", "=1+1", "x" * MAX_PROMPT_CHARACTERS],
)  # fmt: skip
def test_prompts_of_any_script_survive_the_link(prompt: str) -> None:
    assert_survives(ExplainRequest.from_mapping({"prompt": prompt}))


def test_a_number_too_long_to_print_is_refused() -> None:
    with pytest.raises(RequestError, match="very large number"):
        ExplainRequest.from_mapping({"prompt": "x", "budget": 10**6000})


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("coverage", "0", "above 0 and up to 1"),
        ("coverage", "1.1", "above 0 and up to 1"),
        ("coverage", "0.5" + " " * 50 + "x", "above 0 and up to 1"),
        ("budget", "0", "from 1 to 400"),
        ("budget", "4e2", "from 1 to 400"),
        ("layers", "3-1", "as in 0-3"),
        ("layers", [0, 1, 2], "as in 0-3"),
        ("kinds", "head,rest", "'rest'"),
        ("kinds", ["head", {}], "a dict"),
        ("wiring", "circle", "stream, circuit"),
        ("token", "\ud800", "no token"),
        ("position", True, "'True'"),
        ("model", "a\nb", "Choose a model"),
    ],
)
def test_a_fault_names_its_field_and_the_way_out(field: str, value: object, words: str) -> None:
    with pytest.raises(RequestError, match=words):
        ExplainRequest.from_mapping({"prompt": "x", field: value})
