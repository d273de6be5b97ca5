"""Devices by name, each figure with its source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

from scalecalc.loading import entry_of, shipped_yaml

DATA = Path(__file__).parent / "data/devices.yaml"
LISTED = "scalecalc devices lists them"
PRECISIONS = ("bf16", "fp16", "tf32", "fp32", "fp8")
"""What the operands of a matrix product are, the usual one for training first."""
UTILISATION = 0.4
"""Share of the peak rate that training FLOPs take: 38 to 43 % for Llama 3 405B on 8,192 to 16,384 H100 in bf16
(arXiv:2407.21783, table 4). Convolutional networks reach about half of it."""


@dataclass(frozen=True, slots=True)
class Device:
    """One accelerator as its maker specifies it.

    Attributes:
        name: as in `8xh100-sxm:3d`.
        title: its full name.
        peak: dense matrix FLOP/s by the precision of the operands (one of PRECISIONS).
        memory, bandwidth: bytes, and bytes a second.
        power: watts of the board; None where the maker gives none.
        aliases: other names for it.
        source: where the figures stand.
        note: what is easily mistaken.
    """

    name: str
    title: str
    vendor: str
    year: int
    peak: Mapping[str, float]
    memory: float
    bandwidth: float
    power: float | None
    aliases: tuple[str, ...]
    source: str
    note: str = ""

    @property
    def precision(self) -> str:
        """The precision models are usually trained in on it: the first of PRECISIONS that it has."""
        return next(name for name in PRECISIONS if name in self.peak)


@cache
def devices() -> Mapping[str, Device]:
    """Every device, by name."""
    found = {}
    for name, entry in shipped_yaml(DATA)["devices"].items():
        peak = {precision: float(rate) * 1e12 for precision, rate in entry["peak"].items()}
        found[name] = Device(
            name=name,
            title=entry["title"],
            vendor=entry["vendor"],
            year=entry["year"],
            peak=MappingProxyType(peak),
            memory=entry["memory"] * 1e9,
            bandwidth=entry["bandwidth"] * 1e9,
            power=entry.get("power"),
            aliases=tuple(entry.get("aliases", ())),
            source=entry["source"],
            note=entry.get("note", ""),
        )
    return MappingProxyType(found)


def device(name: str, *, where: str = "") -> Device:
    """A device by its name or an alias, in any case.

    Args:
        name: such as `h100` or `TPU-v4`.
        where: the option that names it, for the error.

    Raises:
        UsageError: no such device.
    """
    return entry_of(devices().values(), name, what="device", where=where, listed=LISTED)
