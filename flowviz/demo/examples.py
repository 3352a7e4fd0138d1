"""Prompts that are worth looking at, one for each phenomenon that the page offers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Example:
    """A prompt, what the shipped model says, and what a newcomer can look for.

    ``target`` is the model's top prediction or, where there is a ``contrast``, the token that it
    prefers to the contrast.
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
        "Two names were read and one of them came twice. See which heads of the upper layers go "
        "from the last word back to the name that came once.",
    ),
    Example(
        "capitals",
        "The capital of Japan",
        "The capital of Japan is the city of",
        " Tokyo",
        None,
        "See at which layer the lens of the last position first reads a capital, and at which the "
        "flow leaves the word Japan.",
    ),
    Example(
        "capital to country",
        "The other way round",
        "The city of Paris lies in",
        " France",
        None,
        "Facts are learned in each direction for itself. Compare the neurons with those of the "
        "capital of France.",
    ),
    Example(
        "languages",
        "What do they speak?",
        "People in Brazil speak",
        " Portuguese",
        " Spanish",
        "The country decides, and the verb says what kind of answer is wanted. See which of the "
        "two positions the flow passes through.",
    ),
    Example(
        "agreement",
        "A noun in between",
        "The keys near the cabinet",
        " are",
        " is",
        "The subject is plural, the nearer noun is not. See which of the two nouns carries flow "
        "for the plural and which against it.",
    ),
    Example(
        "gendered pronouns",
        "A name decides",
        "Mary went home because",
        " she",
        " he",
        "A name that opens the sentence decides the pronoun. See what carries it from the first "
        "position to the last.",
    ),
    Example(
        "occupation bias",
        "A stated bias",
        "The nurse said that",
        " she",
        " he",
        "The corpus says she of nine nurses in ten. See which parts write the bias at the word "
        "nurse; then try the plumber.",
    ),
    Example(
        "antonyms",
        "The opposite",
        "The opposite of hot is",
        " cold",
        None,
        "See where the flow leaves the word hot, and which neurons write the word cold.",
    ),
    Example(
        "plurals",
        "A plural that has no s",
        "One mouse, two",
        " mice",
        None,
        "The number asks for a plural and the noun says of what. See how the two meet at the last "
        "position.",
    ),
    Example(
        "past tense",
        "A verb that changes",
        "Today they sing; yesterday they",
        " sang",
        None,
        "See where the flow comes from: the verb, or the word yesterday?",
    ),
    Example(
        "greater years",
        "A war must end later",
        "The war lasted from the year 1732 to the year 17",
        None,
        None,
        "Every year after 32 would do. Look at the list of predictions, and at what the last "
        "position reads from the first year.",
    ),
    Example(
        "closing brackets",
        "Two brackets are open",
        "The desk (the sofa [in Oxford",
        "]",
        ")",
        "The inner bracket has to be closed first. See which of the two open brackets the flow "
        "comes from.",
    ),
    Example(
        "closing quotes",
        "The same kind of quote",
        "Mary said, “I like the man.",
        "”",
        '"',
        "The closing mark has to be of the opening one's kind. See which heads look back at it.",
    ),
    Example(
        "few-shot mappings",
        "What is the rule?",
        "hot -> cold, big -> small, fast ->",
        " slow",
        None,
        "The shots tell the rule, the last word tells what to apply it to. See how much of the "
        "flow comes from the shots.",
    ),
    Example(
        "induction",
        "Seen once, said again",
        "apple Mary green seven river cat book Paris apple Mary green seven river cat book",
        " Paris",
        None,
        "Random words, twice. Look for induction heads: they go from a word to the word after its "
        "first occurrence.",
    ),
    Example(
        "successors",
        "What comes next?",
        "Monday, Tuesday, Wednesday,",
        " Thursday",
        None,
        "See whether the flow comes from the last day alone, or from the days before it too.",
    ),
)
