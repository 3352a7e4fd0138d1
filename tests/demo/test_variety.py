"""Giving in drawn words: the frame stays, the held-out words stay out, the answer is right."""

from collections import Counter

from flowviz.demo.draw import Draw
from flowviz.demo.lexicon import people, words
from flowviz.demo.phenomena import copying
from flowviz.demo.phenomena.variety import varied_indirect_objects

DOCUMENTS = [varied_indirect_objects(Draw(seed)) for seed in range(400)]


def test_the_answer_is_the_one_of_two_names_that_did_not_give():
    for document in DOCUMENTS:
        (probe,) = document.probes
        receiver = document.words[probe.word].form
        named = Counter(word.form for word in document.words if word.upos == "PROPN")
        assert len(named) == 2
        giver = next(form for form in named if form != receiver)
        before = [word.form for word in document.words[: probe.word]]
        assert before.count(receiver) == 1
        assert before.count(giver) == 2
        assert before[-1] == "to"


def test_words_of_off_template_prompts_are_never_drawn():
    unseen = {*copying.UNSEEN_PLACES, *copying.UNSEEN_THINGS, *words.HELD_GIVE}
    unseen |= {"lived", "loved", "danced", "because", "although", "whenever"}
    for document in DOCUMENTS:
        forms = {word.form for word in document.words}
        assert not unseen & {form.lower() for form in forms}
        assert not people.HELD_NAMES & forms


def test_other_words_than_those_of_the_templates_are_drawn():
    verbs = {word.form for document in DOCUMENTS for word in document.words if word.upos == "VERB"}
    assert len(verbs) > 80


def test_articles_agree_with_the_word_behind_them():
    for document in DOCUMENTS:
        for article, after in zip(document.words, document.words[1:], strict=False):
            if article.form in ("a", "an"):
                assert (article.form == "an") == (after.form[0].lower() in "aeiou")
