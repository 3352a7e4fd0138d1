"""Facts: none that is a placeholder, none that contradicts another."""

from flowviz.demo.lexicon import facts, people, places, words
from flowviz.demo.lexicon.index import index
from flowviz.demo.phenomena.knowledge import RELATIONS


def test_no_fact_is_a_placeholder():
    for name, relation in RELATIONS.items():
        for key, value in relation.pairs.items():
            assert key.isalpha(), (name, key)
            assert value.isalpha(), (name, value)
            assert "todo" not in (key + value).lower()


def test_tables_name_nobody_twice():
    for text in (facts.SPORT, facts.FIELD, facts.INSTRUMENT, facts.CLUB_CITY):
        assert len(text) >= 25
    known = [*facts.SPORT, *facts.FIELD, *facts.INSTRUMENT]
    assert len(known) == len(set(known))
    names = [country.name for country in places.COUNTRIES]
    assert len(names) == len(set(names))
    capitals = [c.capital for c in places.COUNTRIES if c.capital != "-"]
    assert len(capitals) == len(set(capitals))


def test_names_are_many_and_each_has_one_pronoun():
    assert len(people.NAMES) == len(set(people.NAMES)) >= 300
    assert set(people.PRONOUN) == {*people.WOMEN, *people.MEN}
    assert set(people.NAMES) >= people.HELD_NAMES


def test_antonyms_are_mutual():
    assert all(words.ANTONYM[words.ANTONYM[word]] == word for word in words.ANTONYM)


def test_some_facts_that_everybody_knows():
    assert RELATIONS["capitals"].pairs["Japan"] == "Tokyo"
    assert RELATIONS["capital to country"].pairs["Paris"] == "France"
    assert RELATIONS["languages"].pairs["Brazil"] == "Portuguese"
    assert RELATIONS["continents"].pairs["Kenya"] == "Africa"
    assert RELATIONS["clubs"].pairs["Juventus"] == "Turin"


def test_every_word_of_a_fact_has_an_entry():
    for relation in RELATIONS.values():
        for key, value in relation.pairs.items():
            assert relation.left(key).upos
            assert relation.right(value).form == value
    assert index()["Mary"].entity == "PERSON"
