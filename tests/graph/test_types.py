"""Node keys as text, and what may be called exact."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowviz.errors import RequestError
from flowviz.graph.types import INDEXED, PARTS, Checks, NodeKey, NodeKind

PLAIN_KINDS = [kind for kind in NodeKind if kind is not NodeKind.REST]
NUMBERS = st.integers(0, 10**9 - 1)


@given(st.sampled_from(PLAIN_KINDS), NUMBERS, NUMBERS, NUMBERS, st.booleans())
def test_keys_read_back_from_their_text(kind, layer, position, index, rest):
    part_of = NodeKind.RESID_MID if kind in PARTS else None
    key = NodeKey(kind, layer, position, index if kind in INDEXED else 0, part_of=part_of)
    key = key.rest() if rest else key
    assert NodeKey.parse(str(key)) == key


@pytest.mark.parametrize(
    "text",
    ["", "head", "head:1:2", "head:1:2:3:4", "embed:0", "rest", "rest:rest:0:0", "mlp:0:0",
     "head:-1:0:0", "head:1e3:0:0", "head:١:0:0", "head:1:2:" + "9" * 40, "<b>",
     "factor:1:2:3", "factor:head:1:2:3", "error:resid_mid:1:2:3", "resid_mid:resid_mid:1:2"],
)  # fmt: skip
def test_other_text_names_no_node(text):
    with pytest.raises(RequestError, match="names no node"):
        NodeKey.parse(text)


def test_a_rest_node_knows_what_it_hangs_on():
    key = NodeKey(NodeKind.HEAD, 3, 7, 1)
    assert str(key.rest()) == "rest:head:3:7:1"
    assert key.rest().cut() == key


def test_a_factor_knows_what_it_is_a_part_of():
    key = NodeKey.parse("factor:mlp_out:3:7:412")
    assert (key.kind, key.index, str(key.whole())) == (NodeKind.FACTOR, 412, "mlp_out:3:7")


@given(st.integers(0, 4))
def test_an_error_that_is_no_number_is_never_exact(place):
    errors = [0.0] * 5
    errors[place] = math.nan
    checks = Checks(*errors, tolerance=1e-4, dtype="float32")
    assert math.isnan(checks.conservation_error)
    assert not checks.exact


def test_exact_is_within_the_tolerance():
    assert Checks(0.0, 1e-5, 0.0, 0.0, 1e-4, tolerance=1e-4, dtype="float32").exact
    assert not Checks(0.0, 1e-3, 0.0, 0.0, 0.0, tolerance=1e-4, dtype="float32").exact
