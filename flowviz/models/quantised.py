"""8-bit weights: what can be loaded, and how it is read as plain numbers.

A weight that is stored in 8 bits, w ≈ scale · q with one scale for each row, is still a linear map
of plain numbers: the flow through it is exact for the model that runs. That holds where only the
weights are in 8 bits (torchao's int8 weight-only), and not where the activations are rounded too
(LLM.int8 of bitsandbytes), because then the map is not linear.

`readable` gives every such layer a `weight` that reads as a float tensor, made when it is asked
for and not kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

from torch import Tensor, nn

from flowviz.errors import ModelError

WAY_OUT = "Choose the model in full precision, or load it with dtype=int8."


def plain_weight(weight: Tensor | nn.Module) -> Tensor:
    """A weight, or a module's weight, as a tensor of plain numbers in its own orientation.

    Returns it as it is where it is plain already; else a new float tensor, which is not kept.
    """
    tensor: Any = weight.weight if isinstance(weight, nn.Module) else weight
    return tensor.dequantize() if _is_eight_bit(tensor) else tensor


def _is_eight_bit(tensor: Any) -> bool:
    """Whether it is one of torchao's tensors: a subclass that can be read as floats."""
    return type(tensor).__module__.startswith("torchao.") and hasattr(tensor, "dequantize")


class EightBitLinear(nn.Linear):
    """A linear layer whose weight is held in 8 bits and reads as floats.

    It is an `nn.Linear` because the bridge knows by that which way round a weight is.
    """

    def __init__(self, layer: nn.Linear) -> None:
        nn.Module.__init__(self)  # not Linear's, which would make a weight
        self.in_features, self.out_features = layer.in_features, layer.out_features
        self.held = nn.Parameter(layer.weight.detach(), requires_grad=False)
        self.bias = layer.bias

    @property
    def weight(self) -> Tensor:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The weight as floats, made anew at each reading."""
        return plain_weight(self.held)

    def forward(self, input: Tensor) -> Tensor:
        """The library's own product with the weight in 8 bits."""
        return nn.functional.linear(input, self.held, self.bias)


def readable(model: nn.Module) -> nn.Module:
    """The model, with each layer in 8 bits replaced by one whose weight can be read."""
    for name, layer in list(model.named_modules()):
        if isinstance(layer, nn.Linear) and _is_eight_bit(layer.weight):
            parent, _, child = name.rpartition(".")
            setattr(model.get_submodule(parent), child, EightBitLinear(layer))
    return model


def eight_bit_weights(model: Any) -> Iterator[Tensor]:
    """The weights of a plain model that would be held in 8 bits: all matrices but the head."""
    head = model.get_output_embeddings()
    return (m.weight for m in model.modules() if isinstance(m, nn.Linear) and m is not head)


def eight_bit_config() -> Any:
    """What transformers' loader takes to hold weights in 8 bits while it reads them."""
    from torchao.quantization import Int8WeightOnlyConfig  # pyright: ignore
    from transformers import TorchAoConfig

    return TorchAoConfig(Int8WeightOnlyConfig())


def check_eight_bit(title: str, wanted: bool, config: Any, adapter: bool) -> None:
    """Raises ModelError where weights are wanted in 8 bits and cannot be held so."""
    from flowviz.models.checkpoint import empty_model

    if not wanted and not is_quantised(config):
        return
    if find_spec("torchao") is None:
        raise ModelError(
            f"{title} in 8 bits needs the library torchao, which is not installed. Install it "
            "(pip install torchao), or choose another precision."
        )
    if adapter:
        raise ModelError(
            f"{title} is an adapter, which cannot be merged into 8-bit weights without loss. "
            "Choose another precision, for example bfloat16."
        )
    if wanted and next(eight_bit_weights(empty_model(config)), None) is None:
        raise ModelError(
            f"{title} has no layers that torchao holds in 8 bits ({config.model_type} keeps its "
            "matrices in another kind of layer). Choose another precision, for example bfloat16."
        )


def is_quantised(config: Any) -> bool:
    """Whether a checkpoint's weights are stored quantised."""
    return bool(getattr(config, "quantization_config", None))


def check_quantised(title: str, config: Any) -> None:
    """Raises ModelError where a checkpoint is quantised in a way that cannot be explained."""
    said = getattr(config, "quantization_config", None)
    if not said:
        return
    said = said if isinstance(said, dict) else said.to_dict()
    method = said.get("quant_method")
    method = str(getattr(method, "value", method))[:40]
    kind = str(said.get("quant_type"))
    if method == "torchao" and "Int8WeightOnly" in kind:
        return
    raise ModelError(
        f"{title} is quantised by {method}, and only weights in 8 bits by torchao (int8 "
        f"weight-only) are read. {WAY_OUT.split(',')[0]}."
    )
