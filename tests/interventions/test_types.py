"""The written form of interventions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowviz.errors import RequestError
from flowviz.graph.types import INDEXED, PARTS, NodeKey, NodeKind
from flowviz.interventions.types import (
    CHANGEABLE,
    MOST,
    MOST_SITES,
    Clamp,
    Instead,
    Intervention,
    Site,
    parse_interventions,
    write_interventions,
)
from flowviz.request import ExplainRequest

small = st.integers(0, 40)


@st.composite
def sites(draw: st.DrawFn) -> Site:
    kind = draw(st.sampled_from(sorted(CHANGEABLE)))
    index = draw(small) if kind in INDEXED else 0
    everywhere = draw(st.booleans())
    part_of = NodeKind.RESID_MID if kind in PARTS else None
    key = NodeKey(kind, draw(small), 0 if everywhere else draw(small), index, part_of=part_of)
    source = draw(st.none() | small) if kind is NodeKind.HEAD else None
    reader = None
    if not (everywhere or part_of) and source is None and draw(st.booleans()):
        reader = NodeKey(NodeKind.HEAD, draw(small), draw(small), draw(small))
    named = draw(st.sampled_from(["coding", "my own"])) if part_of else None
    return Site(key, everywhere, source, reader, named)


interventions = st.builds(
    Intervention,
    st.lists(sites(), min_size=1, max_size=4).map(tuple),
    st.sampled_from(Instead)
    | st.integers(-50, 50).map(lambda n: n / 10)
    | st.integers(-(10**6), 10**6).map(lambda n: Clamp(n / 10)),
)


@given(st.lists(interventions, max_size=4).map(tuple))
def test_what_is_written_reads_back_equal(found: tuple[Intervention, ...]) -> None:
    assert parse_interventions(write_interventions(found)) == found


def test_the_forms() -> None:
    head = NodeKey(NodeKind.HEAD, 3, 7, 1)
    assert Intervention.parse("head:3:7:1=0") == Intervention((Site(head),), 0.0)
    assert Intervention.parse("head:3:7:1=-0") == Intervention((Site(head),), 0.0)
    assert Site.parse("head:3:*:1") == Site(NodeKey(NodeKind.HEAD, 3, 0, 1), everywhere=True)
    assert Site.parse("head:3:7:1@4") == Site(head, source=4)
    assert Site.parse("embed:0:2>head:3:7:1") == Site(NodeKey(NodeKind.EMBED, 0, 2), reader=head)
    two = Intervention.parse("head:3:7:1,resid_mid:2:5=mean")
    assert [str(site) for site in two.sites] == ["head:3:7:1", "resid_mid:2:5"]
    assert two.how is Instead.MEAN


@pytest.mark.parametrize(
    "text",
    ["head:3:7:1", "=0", "head:3:7=0", "head:3:7:1=nan", "head:3:7:1=inf", "head:3:7:1=1e3",
     "head:3:7:1=off", "target:6:7=0", "rest:head:3:7:1=0", "embed:0:2@1=0", "head:3:7:1@x=0",
     "head:3:*:1>head:4:7:1=0", "embed:0:2>resid_pre:3:7=0", "embed:0:2>=0", "a" * 10**6,
     "head:3:7:1=clamp:1;;", "head:3:7:1=clamp:", "head:3:7:1=clamp:inf", "head:3:7:1=0;;",
     "\ud800=0", "head:٣:7:1=0"],
)  # fmt: skip
def test_what_is_none_is_refused_with_the_form(text: str) -> None:
    with pytest.raises(RequestError) as told:
        parse_interventions(text)
    assert len(str(told.value)) < 500


def test_how_many_are_taken() -> None:
    one = "head:3:7:1=0"
    assert len(parse_interventions(";".join([one] * MOST))) == MOST
    with pytest.raises(RequestError, match=f"{MOST + 1} interventions"):
        parse_interventions(";".join([one] * (MOST + 1)))
    many = ",".join(["head:3:7:1"] * (MOST_SITES + 1))
    with pytest.raises(RequestError, match="at once"):
        parse_interventions(f"{many}=0")


def test_a_request_holds_them_in_its_link() -> None:
    asked = {"prompt": "a", "interventions": "head:3:7:1=0;embed:0:2=donor", "donor": "b & c;"}
    request = ExplainRequest.from_mapping(asked)
    assert ExplainRequest.from_query(request.to_query()) == request
    assert request.to_mapping()["interventions"] == "head:3:7:1=0;embed:0:2=donor"
    assert request.clean == ExplainRequest.from_mapping({"prompt": "a"})


def test_a_donor_is_asked_for_where_it_is_needed_and_let_go_where_not() -> None:
    with pytest.raises(RequestError, match="donor"):
        ExplainRequest.from_mapping({"prompt": "a", "interventions": "embed:0:2=donor"})
    kept = ExplainRequest.from_mapping(
        {"prompt": "a", "interventions": "embed:0:0=0", "donor": "b"}
    )
    assert kept.donor is None
