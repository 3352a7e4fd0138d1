"""From nodes of the flow to contexts like them."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest

from flowviz.contexts.request import ContextRequest
from flowviz.graph.types import NodeKey
from flowviz.interventions.types import parse_interventions
from flowviz.request import ExplainRequest
from flowviz.ui.contexts.similar import of_node

ASKED = ExplainRequest("In France the capital is", "gpt2")


@pytest.fixture(autouse=True)
def app(client):
    """Links are relative to an app's address."""


def contexts(key: str, request: ExplainRequest = ASKED) -> ContextRequest:
    link = of_node(NodeKey.parse(key), request)
    assert link is not None
    there = urlsplit(link.href)
    assert there.path == "/contexts"
    return ContextRequest.from_mapping(dict(parse_qsl(there.query)))


@pytest.mark.parametrize(
    ("key", "site", "chosen"),
    [
        ("embed:0:2", "resid_pre:0", ()),
        ("resid_pre:3:2", "resid_pre:3", ()),
        ("resid_mid:3:2", "resid_mid:3", ()),
        ("resid_final:6:2", "resid_final", ()),
        ("head:3:2:5", "heads:3", (5,)),
        ("neuron:1:2:700", "neurons:1", (700,)),
    ],
)
def test_a_node_leads_to_contexts_like_it(key, site, chosen):
    asked = contexts(key)
    assert (str(asked.site), asked.chosen, asked.position) == (site, chosen, 2)
    assert (asked.prompt, asked.model) == (ASKED.prompt, "gpt2")


@pytest.mark.parametrize("key", ["pos_embed:0:2", "bias:1:2:3", "rest:resid_mid:3:2", "target:6:4"])
def test_what_is_no_site_leads_nowhere(key):
    assert of_node(NodeKey.parse(key), ASKED) is None


def test_of_a_changed_pass_the_contexts_are_of_the_pass_as_it_was():
    changed = ExplainRequest("a b", "demo", interventions=parse_interventions("head:3:*:3=0"))
    link = of_node(NodeKey.parse("resid_pre:1:0"), changed)
    assert link is not None
    assert link.children == "Similar contexts, without the changes"
