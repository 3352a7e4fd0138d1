"""The masked model's training: texts in a row are blind to each other, it learns, it resumes."""

from dataclasses import replace
from functools import partial

import pytest
import torch

from flowviz.__main__ import main
from flowviz.demo import shipped
from flowviz.demo.batches import Marker
from flowviz.demo.masked.batches import NEXT, masked_batch
from flowviz.demo.masked.recipe import MaskedRecipe, packed_states
from flowviz.demo.masked.stages import MASKED_STAGES, MaskedStage
from flowviz.demo.masked.tokenizer import CONTEXT
from flowviz.demo.train import Run, Settings

TINY = MaskedStage(
    "tiny",
    steps=12,
    batch_tokens=512,
    mixture=(("plurals", 2), ("questions", 1)),
    warm_up=2,
    alone=0.0,
)


@pytest.fixture(scope="module")
def recipe():
    return MaskedRecipe((TINY,))


def test_a_text_in_a_row_is_read_as_if_it_were_alone(recipe):
    model = recipe.new_model(0).eval()
    data = masked_batch(MASKED_STAGES[1], 0, recipe.marker, seed=0)
    with torch.no_grad():
        packed = packed_states(model, data)
        for number in range(1, data.texts[0].max() + 1):
            here = data.texts[0] == number
            alone = model.bert(
                input_ids=torch.from_numpy(data.ids[0][here])[None],
                token_type_ids=torch.from_numpy(data.types[0][here])[None],
            ).last_hidden_state[0]
            assert torch.allclose(packed[0][here], alone, atol=1e-5)


def test_the_loss_falls_and_both_tasks_are_asked(recipe, tmp_path):
    run = Run(recipe, Settings(out=tmp_path))
    before = recipe.outcome(run.model, 0, 99, 0)
    run.train()
    after = recipe.outcome(run.model, 0, 99, 0)
    assert after.loss < 0.8 * before.loss
    asked = {recipe.names[number] for number in after.answers}
    assert asked == {"-", "plurals", "questions", NEXT}
    assert len(after.hits) == len(after.answers)


def test_a_stopped_run_goes_on_where_it_was(tmp_path):
    short = replace(TINY, steps=2)
    settings = Settings(out=tmp_path)
    whole = Run(MaskedRecipe((short,)), settings)
    whole.train()
    stopped = Run(MaskedRecipe((replace(short, steps=1),)), settings)
    stopped.train()
    stopped.stage, stopped.step = 0, 1
    stopped.save()
    resumed = Run(MaskedRecipe((short,)), settings)
    assert resumed.resume()
    resumed.train()
    for one, other in zip(whole.model.parameters(), resumed.model.parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-6)


def test_the_optimiser_takes_the_blocks_matrices(recipe, tmp_path):
    run = Run(recipe, Settings(out=tmp_path))
    shapes = {tuple(matrix.shape) for matrix in run.optimiser.matrices}
    assert shapes == {(144, 144), (576, 144), (144, 576)}
    assert len(run.optimiser.matrices) == 6 * run.model.config.num_hidden_layers


def test_the_shipped_stages_begin_with_copying():
    assert [stage.name for stage in MASKED_STAGES] == ["copying", "everything", "finish", "vary"]
    assert all(stage.row <= CONTEXT for stage in MASKED_STAGES)
    assert Marker(MaskedRecipe().marker.tokenizer).names == ["-"]


def test_the_command_writes_a_whole_folder(tmp_path, monkeypatch, capsys):
    short = replace(
        shipped.BERT,
        recipe=lambda compiled: MaskedRecipe((replace(TINY, steps=1),)),
        evaluate=partial(shipped.BERT.evaluate, cases=2),
    )
    monkeypatch.setattr(shipped, "BERT", short)
    assert main(["demo", "train", "--encoder", "--out", str(tmp_path)]) == 0
    folder = tmp_path / "model"
    assert {path.name for path in folder.iterdir()} == {
        path.name for path in shipped.BERT.folder.iterdir()
    }
    assert "| capitals |" in capsys.readouterr().out
    assert "| capitals |" in (folder / "README.md").read_text()
    model, tokenizer = shipped.BERT.load(folder)
    assert model.config.vocab_size == tokenizer.get_vocab_size()
    again = ["demo", "evaluate", "--encoder", "--model", str(folder), "--cases", "2", "--json"]
    assert main(again) == 0
    assert '"phenomenon": "capitals"' in capsys.readouterr().out
