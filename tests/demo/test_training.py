"""Training: batches that depend on the step alone, a rate that ends, a run that resumes."""

from dataclasses import replace

import numpy as np
import torch

from flowviz.demo.batches import Marker, batch
from flowviz.demo.gpt import GptRecipe
from flowviz.demo.mixture import STAGES, Stage
from flowviz.demo.optimiser import orthogonalise
from flowviz.demo.tokenizer import train_tokenizer
from flowviz.demo.train import Run, Settings, rate_at

TINY = Stage(
    name="tiny", steps=2, batch_tokens=256, mixture=(("plurals", 1), ("repeats", 1)), warm_up=1
)


def test_a_batch_depends_on_seed_stage_and_step_alone():
    marker = Marker(train_tokenizer())
    first, again = (batch(TINY, 5, marker, seed=0) for _ in range(2))
    assert np.array_equal(first.ids, again.ids)
    assert not np.array_equal(first.ids, batch(TINY, 6, marker, seed=0).ids)
    assert first.ids.shape == (2, 128)
    assert batch(TINY, 7, marker, seed=0).ids.shape == (1, 256)


def test_answers_are_marked():
    marker = Marker(train_tokenizer())
    data = batch(replace(TINY, mixture=(("plurals", 1),)), 0, marker, seed=0)
    assert marker.names == ["-", "plurals"]
    marked = [marker.tokenizer.decode([i]) for i in data.ids[data.answers > 0]]
    assert len(marked) > 10
    assert all(form.startswith(" ") for form in marked)


def test_the_rate_rises_and_falls():
    stage = Stage("s", steps=100, batch_tokens=1, mixture=(), warm_up=10, decay=0.5)
    assert rate_at(stage, 0) < rate_at(stage, 9) == rate_at(stage, 50)
    assert rate_at(stage, 75) == rate_at(stage, 50) / 2
    assert rate_at(stage, 99) > 0


def test_orthogonalised_matrices_have_singular_values_near_one():
    values = torch.linalg.svdvals(orthogonalise(torch.randn(2, 8, 24)))
    assert values.min() > 0.5
    assert values.max() < 1.5


def test_a_stopped_run_goes_on_where_it_was(tmp_path):
    settings = Settings(out=tmp_path)
    recipe = GptRecipe(compiled=False, stages=(TINY,))
    whole = Run(recipe, settings)
    whole.train()
    stopped = Run(GptRecipe(compiled=False, stages=(replace(TINY, steps=1),)), settings)
    stopped.train()
    stopped.stage, stopped.step = 0, 1
    stopped.save()
    resumed = Run(recipe, settings)
    assert resumed.resume()
    resumed.train()
    for one, other in zip(whole.model.parameters(), resumed.model.parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-5)


def test_the_shipped_stages_begin_with_copying():
    names = [stage.name for stage in STAGES]
    assert names == ["copying", "everything", "finish", "settle", "vary", "bare"]
    assert dict(STAGES[0].mixture)["repeats"] >= 40
