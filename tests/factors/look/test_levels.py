"""How far back factors look: against texts that are cut, and where the answer is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from flowviz.contexts.encode import open_reader
from flowviz.contexts.kinds import Site, SiteKind
from flowviz.factors.kinds import Level
from flowviz.factors.look.hiding import hides, hiding_reader
from flowviz.factors.look.levels import CONTEXTS
from flowviz.factors.look.reach import levels, reaches
from flowviz.factors.look.survey import Options, survey
from flowviz.factors.look.told import reach_of, values_of
from tests.encoders.models import random_encoder
from tests.factors.look.made import SmallCorpus, made
from tests.models import random_model

CORPUS = SmallCorpus()
ATTENTION = Site(SiteKind.RESID_PRE, 2)


def test_hidden_tokens_are_as_good_as_cut_off() -> None:
    """In a model of relative positions a text that is cut gives the same as one that is hidden."""
    model = random_model("llama")
    reader, dictionary = open_reader(model), made(model, (ATTENTION,))
    found = survey(dictionary, model, CORPUS, Options())
    assert found.reached is not None
    windows = found.reached.windows.tolist()
    assert windows[:3] == [1, 2, 4]
    checked = 0
    for factor in range(found.factors):
        own = found.top.of(factor)
        places = list(zip(found.top.sentence[own], found.top.position[own], strict=True))
        left = np.zeros(len(windows))
        for sentence, position in places[:CONTEXTS]:
            read = found.sentences[int(sentence)].read(reader)
            word = read.word_of[position]
            first = min([i for i, each in enumerate(read.word_of) if each == word] or [position])
            for place, window in enumerate(windows):
                cut = read.tokens.ids[max(0, first - window + 1) : position + 1]
                vectors = reader.vectors([cut], [ATTENTION])[ATTENTION]
                left[place] += values_of(dictionary, vectors, factor)[-1]
        if places:
            np.testing.assert_allclose(found.reached.kept[factor], left / left[-1], atol=2e-3)
            checked += 1
        assert found.reached.words[factor] == len(places[:CONTEXTS])
    assert checked > 20
    assert (found.level != 0).any()


def test_an_embedding_is_of_the_word_alone() -> None:
    """A factor that is a token's embedding, read in front of the first block of GPT-2."""
    model = random_model("gpt2")
    table = model.bridge.original_model.get_input_embeddings().weight.detach()
    tokens = [open_reader(model).tokens(text).ids[0] for text in (" the", " cat", " sat")]
    dictionary = made(model, (Site(SiteKind.RESID_PRE, 0),), atoms=table[tokens])
    found = survey(dictionary, model, CORPUS, Options())
    for factor in range(3):
        told = reach_of(found, factor)
        assert told is not None
        assert (told.level, told.reach) == (Level.WORD, 1.0)
        assert told.kept == pytest.approx([1.0] * len(told.kept), abs=1e-5)


def test_what_attention_brings_from_the_token_before_is_no_word() -> None:
    """A direction in which "sat" stands out behind "cat" alone: not without it, nor elsewhere."""
    model = random_model("llama")
    site, reader = Site(SiteKind.ATTN_OUT, 0), hiding_reader(model)
    texts = tuple(f"{word} cat sat" for word in ("the", "a", "in", "on"))
    behind, alone = reader.tokens("cat sat").ids, reader.tokens(" sat").ids
    ids = [reader.tokens(text).ids for text in texts]
    assert all(each[-len(behind) + 1 :] == behind[1:] for each in ids)
    full = [reader.vectors([each], [site])[site] for each in ids]
    rows = np.concatenate([*(each[:-1] for each in full), reader.vectors([alone], [site])[site]])
    rows = np.unique(rows.round(5), axis=0)
    ends = np.stack([each[-1] for each in full])
    assert len(rows) + len(ends) <= rows.shape[1]  # so that there is such a direction
    wanted = np.concatenate([np.zeros(len(rows)), np.ones(len(ends))])
    planted, *_ = np.linalg.lstsq(np.concatenate([rows, ends]), wanted, rcond=None)
    size = float(np.linalg.norm(planted))
    atoms = torch.from_numpy(planted)[None].float()
    dictionary = made(model, (site,), atoms=atoms, bias=-0.1 / size)
    found = survey(dictionary, model, SmallCorpus(texts=texts), Options())
    assert found.counts.tolist() == [[4]]
    told = reach_of(found, 0)
    assert told is not None
    assert told.kept[0] == 0.0
    assert told.kept[-1] == 1.0
    assert told.level is not Level.WORD


@pytest.mark.parametrize("name", ["bert", "roberta", "distilbert", "electra"])
def test_encoders_hide_tokens_on_both_sides(name: str) -> None:
    model = random_encoder(name)
    reader = hiding_reader(model)
    site = [each for each in reader.sites if each.kind is SiteKind.RESID_PRE][-1]
    assert hides(reader, [site])
    found = survey(made(model, (site,)), model, CORPUS, Options())
    assert found.reached is not None
    assert (found.reached.kept[found.reached.words > 0, -1] == 1).all()
    assert (np.abs(found.reached.kept[:, 0] - 1) > 0.01).any()


def test_a_model_that_takes_no_mask_has_no_levels() -> None:
    model = random_model("gpt1")
    assert not hides(hiding_reader(model), [ATTENTION])
    found = survey(made(model, (ATTENTION,)), model, CORPUS, Options())
    assert found.reached is None
    assert "cannot be hidden" in found.notes[-1]
    assert np.isnan(found.reach).all()


def test_reach_is_the_window_from_which_on_enough_is_left() -> None:
    windows = np.array([1, 2, 4, 8, 20])
    kept = np.array(
        [
            [0.9, 1.0, 1.0, 1.0, 1.0],  # the word alone
            [0.6, 1.0, 1.0, 1.0, 1.0],  # half-way from 1 to 2, by logarithm
            [0.0, 0.8, 0.9, 1.0, 1.0],  # two exactly
            [0.9, 0.9, 0.2, 0.8, 1.0],  # lost again in between: it counts from 8 on
            [0.0, 0.0, 0.0, 0.0, 1.0],
        ]
    )
    found = reaches(kept, windows)
    expected = [1.0, 2**0.5, 2.0, 8.0, 2 ** (3 + 0.8 * np.log2(20 / 8))]
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    assert levels(np.array([1.0, 1.5, 1.6, 8.0, 8.1, np.nan])).tolist() == [0, 0, 1, 1, 2, -1]
