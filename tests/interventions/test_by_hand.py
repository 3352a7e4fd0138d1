"""Interventions against GPT-2 written out by hand, from Hugging Face's own weights.

The forward pass below knows nothing of flowviz: what is changed is changed in it by plain Python.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn.functional import gelu, layer_norm
from transformers import AutoModelForCausalLM

from flowviz.models.loading import load_model
from tests.interventions.passes import DONOR, IDS, bias, changed
from tests.models import save_model

LAYERS, HEADS, D_HEAD = 3, 4, 8
Edit = Callable[[str, Tensor], Tensor]


def same(_name: str, value: Tensor) -> Tensor:
    return value


class ByHand:
    """GPT-2: `edit` is shown each part and gives what goes on, `read` what one reader sees."""

    def __init__(self, folder: Path) -> None:
        weights = AutoModelForCausalLM.from_pretrained(folder).state_dict()
        self.w = {name.removeprefix("transformer."): w for name, w in weights.items()}

    def norm(self, name: str, x: Tensor) -> Tensor:
        return layer_norm(x, x.shape[-1:], self.w[f"{name}.weight"], self.w[f"{name}.bias"])

    def line(self, name: str, x: Tensor) -> Tensor:
        return x @ self.w[f"{name}.weight"] + self.w[f"{name}.bias"]

    def head(self, layer: int, head: int, x: Tensor, edit: Edit) -> Tensor:
        fused = self.line(f"h.{layer}.attn.c_attn", self.norm(f"h.{layer}.ln_1", x))
        q, k, v = (part[:, D_HEAD * head : D_HEAD * (head + 1)] for part in fused.chunk(3, dim=-1))
        scores = q @ k.T / D_HEAD**0.5
        future = torch.ones_like(scores).triu(1).bool()
        pattern = scores.masked_fill(future, -torch.inf).softmax(-1)
        pattern = edit(f"pattern{layer}.{head}", pattern)
        return pattern @ edit(f"v{layer}", v)

    def neurons(self, layer: int, x: Tensor, edit: Edit) -> Tensor:
        pre = self.line(f"h.{layer}.mlp.c_fc", self.norm(f"h.{layer}.ln_2", x))
        return gelu(edit(f"hidden{layer}", pre), approximate="tanh")

    def parts(
        self, ids: tuple[int, ...], edit: Edit = same, read: Edit = same
    ) -> dict[str, Tensor]:
        """All parts of the pass by name, `logits` with them."""
        found: dict[str, Tensor] = {}

        def part(name: str, value: Tensor) -> Tensor:
            found[name] = edit(name, value.clone())
            return found[name]

        x = part("embed", self.w["wte.weight"][list(ids)]) + self.w["wpe.weight"][: len(ids)]
        for layer in range(LAYERS):
            x = part(f"pre{layer}", x)
            heads = [self.head(layer, h, read(f"head{layer}.{h}", x), edit) for h in range(HEADS)]
            z = part(f"z{layer}", torch.stack(heads, dim=1))
            x = part(f"mid{layer}", x + edit(f"attn{layer}", self.line(
                f"h.{layer}.attn.c_proj", z.flatten(1))))  # fmt: skip
            post = self.neurons(layer, x, edit)
            for name in [f"neuron{layer}.{n}" for n in range(post.shape[1])]:
                seen = read(name, x)
                if seen is not x:
                    n = int(name.split(".")[1])
                    post[:, n] = self.neurons(layer, seen, edit)[:, n]
            post = part(f"post{layer}", post)
            x = x + self.line(f"h.{layer}.mlp.c_proj", post)
        x = part("final", x)
        found["logits"] = self.norm("ln_f", read("target", x)) @ self.w["wte.weight"].T
        return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model("gpt2", tmp_path_factory.mktemp("by_hand") / "gpt2")


@pytest.fixture(scope="module")
def by_hand(folder: Path) -> ByHand:
    return ByHand(folder)


def put(name: str, place: tuple[int, ...], value: float | Tensor) -> Edit:
    """Sets one part at one place."""

    def edit(shown: str, values: Tensor) -> Tensor:
        if shown == name:
            values = values.clone()
            values[place] = value
        return values

    return edit


def times(name: str, place: tuple[int | slice, ...], factor: float) -> Edit:
    """Multiplies one part at one place."""

    def edit(shown: str, values: Tensor) -> Tensor:
        if shown == name:
            values = values.clone()
            values[place] = values[place] * factor
        return values

    return edit


def added(name: str, position: int, vector: Tensor) -> Edit:
    """What one reader sees, with a vector added at one position."""

    def read(shown: str, x: Tensor) -> Tensor:
        if shown != name:
            return x
        x = x.clone()
        x[position] = x[position] + vector
        return x

    return read


@pytest.mark.parametrize(
    ("text", "name", "place", "factor"),
    [
        ("head:1:4:2=0", "z1", (4, 2), 0.0),
        ("head:1:*:2=2.5", "z1", (slice(None), 2), 2.5),
        ("head:1:5:2@3=0", "pattern1.2", (5, 3), 0.0),
        ("head:1:*:2@3=-2", "pattern1.2", (slice(3, None), 3), -2.0),
        ("neuron:0:5:7=-5", "post0", (5, 7), -5.0),
        ("embed:0:2=0", "embed", (2,), 0.0),
        ("resid_pre:2:3=0.5", "pre2", (3,), 0.5),
        ("resid_mid:1:5=0", "mid1", (5,), 0.0),
        ("resid_final:3:5=2", "final", (5,), 2.0),
    ],
)
def test_factors(
    by_hand: ByHand, folder: Path, text: str, name: str, place: tuple[int], factor: float
) -> None:
    logits = changed(load_model(str(folder)), text).logits
    expected = by_hand.parts(IDS, times(name, place, factor))["logits"]
    torch.testing.assert_close(logits, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("text", "name", "place"),
    [
        ("head:1:4:2", "z1", (4, 2)),
        ("neuron:0:5:7", "post0", (5, 7)),
        ("embed:0:2", "embed", (2,)),
        ("resid_pre:2:3", "pre2", (3,)),
        ("resid_mid:1:5", "mid1", (5,)),
    ],
)
def test_values_of_a_donor_and_means(
    by_hand: ByHand, folder: Path, text: str, name: str, place: tuple[int, ...]
) -> None:
    model, donor, own = load_model(str(folder)), by_hand.parts(DONOR), by_hand.parts(IDS)
    logits = changed(model, f"{text}=donor").logits
    expected = by_hand.parts(IDS, put(name, place, donor[name][place]))["logits"]
    torch.testing.assert_close(logits, expected, rtol=1e-4, atol=1e-4)
    mean = torch.cat([donor[name], own[name]]).mean(0)
    at_any = mean[place[1:]] if len(place) > 1 else mean
    logits = changed(model, f"{text}=mean").logits
    expected = by_hand.parts(IDS, put(name, place, at_any))["logits"]
    torch.testing.assert_close(logits, expected, rtol=1e-4, atol=1e-4)


def test_biases(by_hand: ByHand, folder: Path) -> None:
    model = load_model(str(folder))
    shift = {
        "b_O": ("mid1", by_hand.w["h.1.attn.c_proj.bias"]),
        "b_out": ("pre2", by_hand.w["h.1.mlp.c_proj.bias"]),
        "b_V": ("v1", by_hand.w["h.1.attn.c_attn.bias"][64:].view(HEADS, D_HEAD)),
        "b_in": ("hidden1", by_hand.w["h.1.mlp.c_fc.bias"]),
    }
    for name, (part, vector) in shift.items():
        seen = iter(range(HEADS))

        def edit(shown: str, values: Tensor, part=part, vector=vector, seen=seen) -> Tensor:
            if shown != part:
                return values
            values = values.clone()
            values[4] -= 0.75 * (vector[next(seen)] if part == "v1" else vector)
            return values

        logits = changed(model, f"{bias(name, 1, 4)}=0.25").logits
        expected = by_hand.parts(IDS, edit)["logits"]
        torch.testing.assert_close(logits, expected, rtol=1e-4, atol=1e-4, msg=name)


@pytest.mark.parametrize("reader", ["head:2:5:1", "neuron:1:4:9", "neuron:2:4:9", "target:3:4"])
def test_an_edge_changes_its_reader_alone(by_hand: ByHand, folder: Path, reader: str) -> None:
    """The head 1.2 at position 4, seen by one reader with half of what it wrote, or the donor's."""
    kind, layer, _, *index = reader.split(":")
    name = kind if kind == "target" else f"{kind}{layer}.{index[0]}"
    model, own, donor = load_model(str(folder)), by_hand.parts(IDS), by_hand.parts(DONOR)
    out = by_hand.w["h.1.attn.c_proj.weight"][2 * D_HEAD : 3 * D_HEAD]
    z, other = own["z1"][4, 2], donor["z1"][4, 2]
    at = 5 if kind == "head" else 4
    for how, vector in (("0.5", -0.5 * z @ out), ("donor", (other - z) @ out)):
        logits = changed(model, f"head:1:4:2>{reader}={how}").logits
        # the reader computes again at every position: only its own position is put in
        again = by_hand.parts(IDS, read=added(name, 4, vector))
        if kind == "target":
            expected = again["logits"]
        else:
            part, place = (f"z{layer}" if kind == "head" else f"post{layer}"), (at, int(index[0]))
            expected = by_hand.parts(IDS, put(part, place, again[part][place]))["logits"]
        torch.testing.assert_close(logits, expected, rtol=1e-4, atol=1e-4)
        assert (logits - own["logits"]).abs().max() > 1e-4


def test_two_edges_into_one_reader_are_read_together(by_hand: ByHand, folder: Path) -> None:
    own, out = by_hand.parts(IDS), by_hand.w["h.1.attn.c_proj.weight"]
    vector = -own["z1"][4, 2] @ out[2 * D_HEAD : 3 * D_HEAD] - own["z1"][4, 0] @ out[:D_HEAD]
    edges = "head:1:4:2>neuron:2:4:9,head:1:4:0>neuron:2:4:9=0"
    logits = changed(load_model(str(folder)), edges).logits
    value = by_hand.parts(IDS, read=added("neuron2.9", 4, vector))["post2"][4, 9]
    expected = by_hand.parts(IDS, put("post2", (4, 9), value))["logits"]
    torch.testing.assert_close(logits, expected, rtol=1e-4, atol=1e-4)


def test_the_later_of_two_counts_and_order_of_the_pass_decides_else(
    by_hand: ByHand, folder: Path
) -> None:
    model = load_model(str(folder))
    twice = changed(model, "head:1:4:2=5;head:1:4:2=0").logits
    torch.testing.assert_close(twice, changed(model, "head:1:4:2=0").logits)
    back = changed(model, "head:1:*:2=0;head:1:4:2=1").logits
    keep = torch.tensor([0.0, 0, 0, 0, 1, 0])[:, None]

    def edit(shown: str, values: Tensor) -> Tensor:
        if shown == "z1":
            values = values.clone()
            values[:, 2] *= keep
        return values

    torch.testing.assert_close(back, by_hand.parts(IDS, edit)["logits"], rtol=1e-4, atol=1e-4)
