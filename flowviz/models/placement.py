"""Where a model's weights are held, and how precisely: read from words, without torch.

A `Placement` is what a person chose, checked as far as words go; `place.py` asks torch whether
there is such a device, and whether the weights fit.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from flowviz.errors import ModelError

DTYPES = {
    "float32": "float32", "fp32": "float32", "float": "float32",
    "float64": "float64", "fp64": "float64", "double": "float64",
    "bfloat16": "bfloat16", "bf16": "bfloat16",
    "float16": "float16", "fp16": "float16", "half": "float16",
    "int8": "int8", "8bit": "int8",
    "auto": "auto",
}  # fmt: skip
DEVICE_FORM = re.compile(r"auto|cpu|mps|cuda(:\d{1,3})?", re.ASCII)


@dataclass(frozen=True)
class Placement:
    """A device and a precision.

    Args:
        device: cpu, cuda, cuda:N, mps, or auto for the best that there is.
        dtype: float32, float64, bfloat16, float16, int8 (8-bit weights, see `quantised.py`), or
            auto for the checkpoint's own.
    """

    device: str = "cpu"
    dtype: str = "float32"

    @classmethod
    def of(cls, device: str | None = None, dtype: str | None = None) -> Placement:
        """Reads both from words; None takes the default.

        Raises:
            ModelError: one is no device or precision, or the device has not got that precision.
        """
        return cls(_device(device or cls.device), _dtype(dtype or cls.dtype))._checked()

    def _checked(self) -> Placement:
        if self.device == "mps" and self.dtype == "float64":
            raise ModelError(
                "The device mps has no float64. Choose float32, or the device cpu, where float64 "
                "is possible."
            )
        return self


HERE = Placement()


def _device(text: str) -> str:
    if DEVICE_FORM.fullmatch(text):
        return text
    raise ModelError(f"{text[:40]!r} is no device; give cpu, cuda, cuda:N, mps or auto.")


def _dtype(text: str) -> str:
    name = text.removeprefix("torch.").lower()
    if name in DTYPES:
        return DTYPES[name]
    raise ModelError(
        f"{text[:40]!r} is no precision; give one of {', '.join(dict.fromkeys(DTYPES.values()))}."
    )
