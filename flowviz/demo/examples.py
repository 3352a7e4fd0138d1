"""Prompts that are worth looking at, one for each phenomenon that the page offers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Example:
    """A prompt, what the shipped model says, and what a newcomer can look for.

    ``target`` is the model's top prediction or, where there is a ``contrast``, the token that it
    prefers to the contrast. In ``look_for``, head 3.4 is head 4 of layer 3, both counted from 0.
    """

    phenomenon: str
    title: str
    prompt: str
    target: str | None
    contrast: str | None
    look_for: str


EXAMPLES: tuple[Example, ...] = (
    Example(
        "indirect objects",
        "Who gets the drink?",
        "When Mary and John went to the store, John gave a drink to",
        " Mary",
        " John",
        "Two names were read, and John came twice. Heads 2.2 and 3.4 look from the last word back "
        "at Mary. See how late the lens at the last position first reads her name.",
    ),
    Example(
        "capitals",
        "The capital of Japan",
        "The capital of Japan is the city of",
        " Tokyo",
        None,
        "Heads 2.2, 3.3 and 4.3 look from the last word at Japan. See how the name of the country "
        "becomes a city's in the last layers, and which neurons write Tokyo.",
    ),
    Example(
        "capital to country",
        "The other way round",
        "The city of Paris lies in",
        " France",
        None,
        "Facts are learned in each direction for itself, yet the same heads 2.2, 3.3 and 4.3 "
        "fetch the name, Paris this time. Compare the neurons with those of the capital of Japan.",
    ),
    Example(
        "languages",
        "What do they speak?",
        "People in Brazil speak",
        " Portuguese",
        " Spanish",
        "Heads 2.2, 3.3 and 4.3 look at the country. Make it Mexico, which the model never heard "
        "of, and see what it makes of an unknown name.",
    ),
    Example(
        "agreement",
        "A noun in between",
        "The keys near the cabinet",
        " are",
        " is",
        "The subject is plural, the nearer noun is not. Heads 5.0 and 5.2 look past the cabinet "
        "at the keys. See which of the two nouns carries flow for the plural and which against "
        "it.",
    ),
    Example(
        "gendered pronouns",
        "A name decides",
        "Mary went home because",
        " she",
        " he",
        "The name decides the pronoun. Heads 4.4 and 4.6 look at it from the last word. Put John "
        "in Mary's place and compare.",
    ),
    Example(
        "occupation bias",
        "A stated bias",
        "The nurse said that",
        " she",
        " he",
        "The corpus says she of nine nurses in ten. Heads 4.6 and 5.7 look at the nurse. See "
        "which parts write the bias; then try the plumber.",
    ),
    Example(
        "antonyms",
        "The opposite",
        "The opposite of hot is",
        " cold",
        None,
        "Heads 2.2, 3.3 and 4.3 look at the word hot. See which neurons turn it into its opposite.",
    ),
    Example(
        "plurals",
        "A plural that has no s",
        "One mouse, two",
        " mice",
        None,
        "Heads 2.2 and 3.3 fetch the noun. The plural is learned by heart, for there is no s to "
        "add: see which neurons write it.",
    ),
    Example(
        "past tense",
        "A verb that changes",
        "Today they sing; yesterday they",
        " sang",
        None,
        "Heads 2.2 and 3.3 fetch the verb. See how much of the flow comes from it, and how much "
        "from the word yesterday.",
    ),
    Example(
        "greater years",
        "A war must end later",
        "The war lasted from the year 1732 to the year 17",
        None,
        None,
        "Every year after 32 would do. Heads 3.3 and 3.4 look at the 32 from the last position. "
        "Look at the whole list of predictions: how many of them are greater?",
    ),
    Example(
        "closing brackets",
        "Two brackets are open",
        "The desk (the sofa [in Oxford",
        "]",
        ")",
        "The inner bracket has to be closed first. Heads 4.0 and 4.2 look at the bracket that was "
        "opened last. See which of the two the flow comes from.",
    ),
    Example(
        "closing quotes",
        "The same kind of quote",
        "Mary said, “I like the man.",
        "”",
        '"',
        "The closing mark has to be of the opening one's kind. Heads 3.3, 4.0 and 4.2 look back "
        "at it.",
    ),
    Example(
        "few-shot mappings",
        "What is the rule?",
        "hot -> cold, big -> small, fast ->",
        " slow",
        None,
        "The shots tell the rule, the last word tells what to apply it to. Heads 2.2 and 3.3 "
        "fetch the word; see how much of the flow comes from the shots.",
    ),
    Example(
        "induction",
        "Seen once, said again",
        "apple Mary green seven river cat book Paris apple Mary green seven river cat book",
        " Paris",
        None,
        "Random words, twice. Heads 3.0, 3.3 and 3.4 are induction heads: they go from the last "
        "word, book, to the word that followed book the first time.",
    ),
    Example(
        "successors",
        "What comes next?",
        "Monday, Tuesday, Wednesday,",
        " Thursday",
        None,
        "Heads 2.7, 3.3 and 4.7 look at the last day. See how early the lens knows what comes "
        "next.",
    ),
)
