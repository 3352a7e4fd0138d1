"""The shipped model with a shipped dictionary: opened and changed, from Python and by command."""

from __future__ import annotations

import json

import pytest

import flowviz
from flowviz.__main__ import main
from flowviz.errors import RequestError
from flowviz.graph.types import NodeKind

PROMPT = "The capital of Japan is the city of"
K = NodeKind


def test_a_state_of_the_demo_model_opens_by_the_dictionary_that_ships():
    found = flowviz.explain(PROMPT, opened="resid_mid:2@7", budget=20)
    (place,) = found.graph.opened
    assert place.dictionary == "coding"
    assert 0.3 < place.explained <= 1
    assert place.loss is not None
    assert place.spliced is not None
    factor = next(node for node in found.graph.nodes if node.key.kind is K.FACTOR)
    assert factor.activation is not None
    assert factor.activation > 0
    looked = found.inspect(factor.key)
    assert looked.node.flow == pytest.approx(factor.flow)
    off = flowviz.explain(
        PROMPT, opened="resid_mid:2@7", interventions=f"{factor.key}=0", budget=20
    )
    node = off.graph.node(factor.key)
    assert node is not None
    assert (node.flow, node.activation) == (0.0, 0.0)
    assert node.before == pytest.approx(factor.flow)
    assert off.graph.target.before == pytest.approx(found.graph.target.value)


def test_the_command_writes_what_is_opened(capsys):
    main(["explain", PROMPT, "--opened", "resid_mid:2@7", "--budget", "10", "--json"])
    graph = json.loads(capsys.readouterr().out)
    assert graph["opened"][0]["key"] == "resid_mid:2:7"
    assert any(node["id"] == "error:resid_mid:2:7" for node in graph["nodes"])


def test_a_dictionary_that_is_not_there_is_refused():
    with pytest.raises(RequestError, match="not offered"):
        flowviz.explain(PROMPT, opened="resid_mid:2@7", dictionary="nobody")
    with pytest.raises(RequestError, match="dictionary in memory"):
        flowviz.explain(PROMPT, opened="resid_mid:2@7", dictionary=3)
