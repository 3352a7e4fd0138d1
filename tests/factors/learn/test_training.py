"""Training as a whole: killed and resumed to the same bytes, and a card that is true."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from flowviz.contexts.corpus import open_corpus
from flowviz.contexts.kinds import Site, SiteKind
from flowviz.contexts.store import open_store
from flowviz.errors import Cancelled, RequestError
from flowviz.factors.dictionary.files import WEIGHTS, load_dictionary
from flowviz.factors.kinds import Method
from flowviz.factors.learn.checkpoint import NAME
from flowviz.factors.learn.pool import Pool
from flowviz.factors.learn.settings import LearnSettings
from flowviz.factors.learn.training import LEARNING, Training, train
from flowviz.factors.splice import splice
from tests.encoders.models import random_encoder
from tests.factors.learn.small import SITES, write_text
from tests.models import random_model, save_model
from tests.test_cli import ROOT

FILES = ("card.json", WEIGHTS)


def training(folder: Path, method: Method = Method.CODING, steps: int = 30) -> Training:
    corpus = open_corpus(write_text(folder / "text.txt"))
    settings = LearnSettings(method, 24, penalty=0.1, k=4, steps=steps, batch=64, held=0.3)
    return Training(corpus, random_model("gpt2"), SITES, settings, folder / "mine")


@pytest.mark.parametrize(("method", "steps"), [(Method.CODING, (1, 40)), (Method.TOPK, (30,))])
def test_killed_and_resumed_is_the_same_bytes(
    tmp_path: Path, method: Method, steps: tuple[int, ...]
) -> None:
    model, text = save_model("gpt2", tmp_path / "gpt"), write_text(tmp_path / "text.txt")
    words = [sys.executable, "-m", "flowviz", "factors", "train", str(model), "--method",
             method.value, "--corpus", str(text), "--factors", "24", "--k", "4", "--batch", "64",
             "--steps", "150", "--held", "0.3", "--threads", "1", "--save-every", "0"]  # fmt: skip
    kills = [_killed_at(step, [*words, "--out", str(tmp_path / "killed" / "mine")])
             for step in steps]  # fmt: skip
    assert all(kills)
    for name in ("killed", "whole"):
        out = ["--out", str(tmp_path / name / "mine")]
        subprocess.run([*words, *out], check=True, cwd=ROOT, capture_output=True, timeout=300)
    for file in FILES:
        one, two = (tmp_path / name / "mine" / file for name in ("killed", "whole"))
        assert one.read_bytes() == two.read_bytes(), file
    assert not (tmp_path / "killed" / "mine" / LEARNING).exists()


def _killed_at(step: int, words: list[str]) -> bool:
    """Kills the training when its checkpoint says so; whether it was running."""
    file = Path(words[-1]) / LEARNING / NAME
    process = subprocess.Popen(words, cwd=ROOT, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 240
    while process.poll() is None and time.monotonic() < end:
        if file.exists() and _step(file) >= step:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            return (file.parent.parent / FILES[0]).exists() is False
        time.sleep(0.002)
    process.kill()
    return False


def _step(file: Path) -> int:
    from safetensors import safe_open

    with safe_open(file, framework="pt") as held:
        return int(held.metadata()["step"])


def test_stopped_at_a_step_it_goes_on_and_says_the_same(tmp_path: Path) -> None:
    (tmp_path / "whole").mkdir()
    whole, stopped = train(training(tmp_path / "whole")), training(tmp_path)

    def stop(stage: str, fraction: float) -> None:
        if stage.startswith("Step 17"):
            raise Cancelled("stop")

    with pytest.raises(Cancelled):
        train(stopped, stop, saved_every=0.0)
    with pytest.raises(RequestError, match=r"settings was .* now"):
        train(replace(stopped, settings=replace(stopped.settings, seed=1)))
    with pytest.raises(RequestError, match="sites was resid_pre:1, resid_mid:1, and is"):
        train(replace(stopped, sites=SITES[:1]))
    steps = list[str]()
    resumed = train(stopped, lambda stage, _: steps.append(stage))
    assert next(each for each in steps if each.startswith("Step")).startswith("Step 18:")
    assert torch.equal(resumed.directions, whole.directions)
    assert resumed.about == whole.about


def test_sites_that_outweigh_others_are_told(tmp_path: Path) -> None:
    asked = training(tmp_path, steps=2)
    assert not any("as far from their mean" in note for note in train(asked).about.notes)
    pair = (Site(SiteKind.ATTN_OUT, 1), Site(SiteKind.RESID_FINAL))
    widely = replace(asked, sites=pair, folder=tmp_path / "widely", store=tmp_path / "store")
    notes, store = train(widely).about.notes, open_store(tmp_path / "store")
    far = [np.std(store.vectors(site).take(range(store.info.rows)), axis=0) for site in pair]
    times = np.linalg.norm(far[1]) / np.linalg.norm(far[0])
    assert any("as far from their mean" in note for note in notes) == (times > 5)


def test_another_seed_gives_another(tmp_path: Path) -> None:
    one = training(tmp_path, steps=3)
    other = replace(one, settings=replace(one.settings, seed=1), folder=tmp_path / "other")
    assert not torch.equal(train(one).directions, train(other).directions)


@pytest.mark.parametrize("method", [Method.CODING, Method.TOPK])
def test_the_card_is_true(tmp_path: Path, method: Method) -> None:
    asked = replace(training(tmp_path, method), store=tmp_path / "store")
    learned = train(asked)
    found = load_dictionary(asked.folder)
    assert found.about == learned.about
    about, store = found.about, open_store(tmp_path / "store")
    held = Pool.of(store, SITES, 0.3, 0).held
    vectors = np.concatenate([store.vectors(site).take(held) for site in SITES]).astype(np.float64)
    dense = np.zeros((len(vectors), about.factors))
    for row, split in enumerate(found.split(vectors.astype(np.float32))):
        dense[row, list(split.factors)] = split.activations
    error = vectors - found.offset - dense @ found.atoms
    explained = 1 - np.square(error).sum() / np.square(vectors - vectors.mean(0)).sum()
    assert about.explained == pytest.approx(explained, abs=1e-5)
    assert about.l0 == pytest.approx((dense > 0).sum(1).mean(), abs=1e-9)
    assert about.dead == int((~(dense > 0).any(0)).sum())
    sentences = np.unique(store.sentence_of[held])
    texts = [stored.tokens for stored in store.stored(sentences.tolist())]
    kept = splice(asked.model, found, texts).recovered_in_all
    assert (about.recovered is None) == (kept is None)
    assert any("costs no loss" in note for note in about.notes) == (kept is None)
    assert about.recovered == (None if kept is None else pytest.approx(kept, abs=1e-6))
    assert about.tokens + len(held) == store.info.rows
    assert (about.steps, about.seed, about.sites) == (30, 0, SITES)
    assert about.identity == store.info.identity


def test_a_finished_one_is_not_overwritten(tmp_path: Path) -> None:
    asked = training(tmp_path, steps=2)
    train(asked)
    with pytest.raises(RequestError, match=r"holds a dictionary already.*--fresh"):
        train(asked)
    train(asked, fresh=True)


def test_a_broken_checkpoint_is_refused(tmp_path: Path) -> None:
    asked = training(tmp_path, steps=2)
    folder = asked.folder / LEARNING
    folder.mkdir(parents=True)
    (folder / NAME).write_bytes(b"no tensors")
    with pytest.raises(RequestError, match=r"is broken.*--fresh"):
        train(asked)
    train(asked, fresh=True)


def test_an_encoder_is_learned_from(tmp_path: Path) -> None:
    sites = (Site(SiteKind.MLP_OUT, 0), Site(SiteKind.RESID_PRE, 1))
    asked = replace(training(tmp_path, Method.TOPK), model=random_encoder("bert"), sites=sites)
    about = train(asked).about
    assert about.sites == sites
    assert about.l0 is not None
    assert 0 < about.l0 <= 4
