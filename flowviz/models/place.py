"""Where weights go on this machine: a device that is there, several, and whether they fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from flowviz.errors import ModelError
from flowviz.models.memory import free_memory
from flowviz.models.placement import Placement
from flowviz.models.quantised import eight_bit_config

DEVICE_MAPS = ("auto", "balanced", "balanced_low_0", "sequential")
DeviceMap = str | dict[str, Any]
MEMORY_MARGIN = 1.2  # weights, and what a pass needs beside them


@dataclass(frozen=True)
class Place:
    """Devices that are there, and a precision.

    Args:
        devices: one, or the graphics cards that the weights are spread over.
        dtype: the precision of what is not in 8 bits.
        eight_bit: whether the blocks' matrices are.
        spread: how accelerate spreads them; None on one device.
    """

    devices: tuple[torch.device, ...]
    dtype: torch.dtype
    eight_bit: bool
    spread: DeviceMap | None

    @classmethod
    def found(cls, placement: Placement, device_map: DeviceMap | None, config: Any) -> Place:
        """Looks for what was chosen.

        Raises:
            ModelError: a device is not there, or the weights cannot be spread so.
        """
        dtype, eight_bit = torch_dtype(placement.dtype, config), placement.dtype == "int8"
        devices = (torch_device(placement.device),) if device_map is None else _spread(device_map)
        if any(device.type == "mps" for device in devices) and dtype == torch.float64:
            Placement.of("mps", "float64")  # refused, in its words
        return cls(devices, dtype, eight_bit, device_map if len(devices) > 1 else None)

    def check_fits(self, title: str, needed: int) -> None:
        """Raises ModelError where weights of so many bytes do not fit on the devices."""
        known = [free_memory(device) for device in self.devices]
        free = sum(bytes_ for bytes_ in known if bytes_ is not None)
        if None not in known and needed * MEMORY_MARGIN > free:
            words = "8 bits" if self.eight_bit else str(self.dtype).removeprefix("torch.")
            where = ", ".join(map(str, self.devices))
            on = "" if where == "cpu" else f" on {where}"
            raise ModelError(
                f"{title} needs about {needed * MEMORY_MARGIN / 1e9:.1f} GB of memory in "
                f"{words}; {free / 1e9:.1f} GB are free{on}. Choose a smaller model or precision, "
                "or free some memory."
            )

    def arguments(self) -> dict[str, object]:
        """What transformers' loader takes of it besides the precision."""
        found: dict[str, object] = {}
        if self.spread is not None:
            found["device_map"] = self.spread
            found["max_memory"] = {d.index: int((free_memory(d) or 0) * 0.9) for d in self.devices}
        elif self.devices[0].type != "cpu":
            found["device_map"] = {"": str(self.devices[0])}  # without a stay in main memory
        if self.eight_bit:
            found["quantization_config"] = eight_bit_config()
        return found


def torch_device(name: str) -> torch.device:
    """The device of that name, `auto` being the best that there is.

    Raises:
        ModelError: this machine, or this build of torch, has no such device.
    """
    cards, has_mps = _cards(), torch.backends.mps.is_available()
    if name == "auto":
        name = "cuda" if cards else "mps" if has_mps else "cpu"
    device = torch.device("cuda:0" if name == "cuda" else name)
    there = {"cpu": True, "mps": has_mps, "cuda": (device.index or 0) < cards}
    if there[device.type]:
        return device
    found = [*(f"cuda:{card}" for card in range(cards)), *(["mps"] if has_mps else []), "cpu"]
    raise ModelError(
        f"There is no device {name} here; torch {torch.__version__} finds {', '.join(found)}. "
        "Choose one of these, or auto."
    )


def _cards() -> int:
    return torch.cuda.device_count() if torch.cuda.is_available() else 0


def torch_dtype(name: str, config: Any) -> torch.dtype:
    """The precision that weights are read in; `auto` is what the configuration says."""
    if name == "int8":
        return torch.float32
    if name != "auto":
        return getattr(torch, name)
    own = getattr(config, "dtype", None)
    return own if isinstance(own, torch.dtype) else torch.float32


def _spread(device_map: DeviceMap) -> tuple[torch.device, ...]:
    """The devices of a device map, or ModelError where weights cannot be read there."""
    if isinstance(device_map, str):
        if device_map not in DEVICE_MAPS:
            raise ModelError(
                f"device_map is {device_map[:40]!r}; it takes {', '.join(DEVICE_MAPS)}, or a "
                "mapping of module names to devices. For one device, give device."
            )
        cards = tuple(torch.device("cuda", card) for card in range(_cards()))
        return cards or (torch_device("auto"),)
    names = [f"cuda:{to}" if isinstance(to, int) else str(to) for to in device_map.values()]
    if not names or "disk" in names or "meta" in names:
        raise ModelError(
            f"device_map puts weights on {', '.join(dict.fromkeys(names)) or 'nothing'}; they are "
            "all read, so that each must be in a device's memory. Name devices such as cuda:0."
        )
    devices = tuple(dict.fromkeys(torch_device(Placement.of(name).device) for name in names))
    if len(devices) > 1 and any(device.type != "cuda" for device in devices):
        raise ModelError(
            f"device_map mixes {', '.join(map(str, devices))}; weights outside the graphics cards "
            "would be moved at every step. Use cards alone, or one device."
        )
    return devices
