"""One head as JSON: all three forms read back equal, the documentation names their fields."""

from __future__ import annotations

import re
from base64 import b64encode
from contextlib import suppress
from dataclasses import fields, is_dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowviz.attention.head_json import Form, read_head
from flowviz.attention.kinds import Part
from flowviz.attention.neuron_types import Decay, NeuronView
from flowviz.attention.neurons import decay, neuron_view
from flowviz.attention.split import why
from flowviz.attention.why_request import NeuronRequest, WhyRequest
from flowviz.attention.why_types import WhyThere
from flowviz.errors import RequestError
from flowviz.graph.types import PromptToken
from flowviz.trace import record
from tests.models import random_model

DOC = Path(__file__).parents[2] / "docs" / "head-json.md"
IDS = list(range(3, 15))
KINDS = ("gpt2", "llama", "mistral", "gemma2", "gpt_oss", "mpt", "qwen3")
Answer = WhyThere | NeuronView | Decay


@cache
def there(name: str = "gpt2") -> WhyThere:
    model = random_model(name)
    return why(model, record(model, IDS), WhyRequest("a", name, 1, 3, 9, key=8, n=4))


@cache
def view(name: str = "gpt2") -> NeuronView:
    model = random_model(name)
    return neuron_view(model, record(model, IDS), NeuronRequest("a", name, 1, 3, 9))


@cache
def far(name: str = "gpt2") -> Decay:
    model = random_model(name)
    traces = [record(model, IDS), record(model, IDS[:4])]
    return decay(model, traces, 1, 2)


MADE = {Form.WHY: there, Form.NEURONS: view, Form.DECAY: far}


def same(left: Any, right: Any) -> None:
    """Equal, arrays number by number and in their kinds."""
    assert type(left) is type(right)
    if is_dataclass(left):
        for item in fields(left):
            same(getattr(left, item.name), getattr(right, item.name))
    elif isinstance(left, np.ndarray):
        assert left.dtype == right.dtype
        np.testing.assert_array_equal(left, right)
    else:
        assert left == right


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("form", list(Form))
def test_what_is_read_back_equals_what_was_written(form: Form, name: str) -> None:
    found = MADE[form](name)
    same(read_head(found.to_json()), found)


def test_other_keys_and_their_part_are_kept() -> None:
    keys = tuple(PromptToken(i, i, f"k{i}") for i in range(11))
    crossed = replace(view(), keys=keys, part=Part.CROSS, decay=None)
    same(read_head(crossed.to_json()), crossed)
    assert [token.text for token in crossed.sources] == [f"k{i}" for i in range(10)]


def test_the_whole_form_of_a_decay() -> None:
    found = Decay(2, 1, np.array([2, 1]), np.array([[2.0, 0.0], [3.0, 1.0]]), rotary=False)
    assert orjson.loads(found.to_json()) == {
        "form": "decay",
        "version": 1,
        "model": None,
        "layer": 2,
        "head": 1,
        "prompts": 1,
        "rotary": False,
        "slope": 3.0,
        "counts": [2, 1],
        "d_head": 2,
        "sums": b64encode(np.array([2.0, 0.0, 3.0, 1.0], "<f8").tobytes()).decode(),
        "slopes": [2.0, 1.0],
        "correlations": [1.0, 1.0],
    }


def test_the_documentation_names_every_field_and_no_other() -> None:
    parts = re.split(r"^## ", DOC.read_text(), flags=re.M)[1:]
    documented = {
        part.splitlines()[0].strip("`"): set(re.findall(r"^\| `(\w+)` \|", part, flags=re.M))
        for part in parts
    }
    files = {form: orjson.loads(make().to_json()) for form, make in MADE.items()}
    assert documented == {
        **{str(form): set(values) for form, values in files.items()},
        "query_parts and key_parts": set(files[Form.WHY]["query_parts"][0]),
        "query_sums and key_sums": set(files[Form.WHY]["query_sums"][0]),
    }
    inside = set(files[Form.NEURONS]["decay"]) | {"form", "version"}
    assert inside == set(files[Form.DECAY])


def test_the_documented_way_to_the_arrays_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = re.search(r"```python\n(.*?)```", DOC.read_text(), re.S)
    assert code is not None
    monkeypatch.chdir(tmp_path)
    Path("neurons.json").write_text(view().to_json())
    scope: dict[str, Any] = {}
    exec(code[1], scope)
    np.testing.assert_array_equal(scope["keys"], view().k)


def changed(form: Form, path: list[str | int], value: object) -> str:
    data = orjson.loads(MADE[form]().to_json())
    place = data
    for step in path[:-1]:
        place = place[step]
    if value is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return orjson.dumps(data).decode()


NAN = b64encode(np.full(8, np.nan, "<f4").tobytes()).decode()


@pytest.mark.parametrize(
    ("form", "path", "value", "words"),
    [
        (Form.WHY, ["form"], "graph", "form is 'graph' and should be one of why, neurons, decay"),
        (Form.WHY, ["version"], 2, "version is 2"),
        (Form.WHY, ["query"], 99, "query is 99, and there are 12 tokens"),
        (Form.WHY, ["key"], 11, "key is 11, behind the 10 tokens that the query may see"),
        (Form.WHY, ["pairs"], "AAAA", "pairs has 3 bytes, which is not 7 x 7"),
        (Form.WHY, ["query_parts", 0, "what"], "sun:1:2", "query_parts[0].what: 'sun:1:2'"),
        (Form.WHY, ["query_parts"], [], "which is not 0 x 7"),
        (Form.WHY, ["terms", 0, "term"], "luck", "terms[0].term is 'luck'"),
        (Form.WHY, ["pattern"], ..., "pattern is missing"),
        (Form.NEURONS, ["sources"], 13, "sources is 13, more than there are tokens"),
        (Form.NEURONS, ["d_head"], 10**15, "which is not 1000000000000000"),
        (Form.NEURONS, ["q"], NAN, "q holds what is no number"),
        (Form.NEURONS, ["k"], "§", "k is no base64"),
        (Form.NEURONS, ["decay", "counts", 0], -1, "decay.counts.0 is -1"),
        (Form.NEURONS, ["decay", "sums"], "", "decay.sums has 0 bytes"),
        (Form.DECAY, ["counts"], [], "sums has"),
        (Form.DECAY, ["rotary"], 1, "rotary is 1"),
    ],
)
def test_a_fault_is_named_with_the_way_out(
    form: Form, path: list[str | int], value: object, words: str
) -> None:
    with pytest.raises(RequestError) as error:
        read_head(changed(form, path, value))
    assert words in str(error.value)
    assert "Save the graph again" in str(error.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"form":"why"}', "[" * 5000, "\ud800"])
def test_what_is_no_head_is_refused(text: str) -> None:
    with pytest.raises(RequestError):
        read_head(text)


@given(st.data())
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_file_with_one_value_replaced_is_read_or_refused(data: st.DataObject) -> None:
    tree = orjson.loads(MADE[data.draw(st.sampled_from(list(Form)))]().to_json())
    place = tree
    while True:
        steps = sorted(place) if isinstance(place, dict) else range(len(place))
        step = data.draw(st.sampled_from(steps))
        inner = place[step]
        if not (isinstance(inner, dict | list) and inner and data.draw(st.booleans())):
            break
        place = inner
    place[step] = data.draw(st.none() | st.integers(-3, 3) | st.text(max_size=3) | st.just([]))
    with suppress(RequestError):
        read_head(orjson.dumps(tree).decode())


numbers = st.floats(-1e6, 1e6, width=64)


@given(st.integers(1, 5), st.integers(1, 3), st.data())
@settings(max_examples=60, deadline=None)
def test_any_shares_by_distance_read_back_equal(
    distances: int, d_head: int, data: st.DataObject
) -> None:
    rows = st.lists(numbers, min_size=distances * d_head, max_size=distances * d_head)
    counts = st.lists(st.integers(0, 9), min_size=distances, max_size=distances)
    sums = np.array(data.draw(rows)).reshape(distances, d_head)
    found = Decay(3, 1, np.array(data.draw(counts)), sums, data.draw(st.booleans()), prompts=4)
    same(read_head(found.to_json()), found)
