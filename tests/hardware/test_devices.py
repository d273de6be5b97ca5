"""Devices: every figure positive and with its source; some against the data sheets' own sums."""

from __future__ import annotations

import pytest

from scalecalc.errors import UsageError
from scalecalc.hardware import PRECISIONS, UTILISATION, device, devices


@pytest.mark.parametrize("name", devices())
def test_entries(name: str) -> None:
    found = devices()[name]
    assert found.name == name == name.lower()
    assert set(found.peak) <= set(PRECISIONS)
    core = name.endswith("-core")  # of a processor, a hundredth of an accelerator
    assert all(1e12 < rate * (100 if core else 1) < 1e16 for rate in found.peak.values())
    assert 8e9 <= found.memory <= 1e12
    assert 1e11 <= found.bandwidth * (100 if core else 1) <= 1e13
    assert found.power is None or 50 <= found.power <= 2000
    assert 2015 <= found.year <= 2026
    assert all((found.title, found.vendor, found.source))
    assert found.vendor in found.source
    assert found.precision in (("fp32",) if core else ("bf16", "fp16"))


@pytest.mark.parametrize("name", devices())
def test_halving_the_bits_never_slows_down(name: str) -> None:
    peak = devices()[name].peak
    ladder = [peak[precision] for precision in ("fp32", "tf32", "fp16", "fp8") if precision in peak]
    assert ladder == sorted(ladder)
    assert peak.get("bf16", peak.get("fp16")) == peak.get("fp16", peak.get("bf16"))


# multiprocessors x clock x FLOPs a clock and multiprocessor, as the architecture papers give them
SUMS = [
    ("v100", "fp16", 80 * 1.530e9 * 8 * 64 * 2),  # 8 tensor cores of 64 multiply-adds
    ("a100", "bf16", 108 * 1.410e9 * 4 * 256 * 2),
    ("h100", "bf16", 132 * 1.830e9 * 4 * 512 * 2),
    ("h100", "fp8", 132 * 1.830e9 * 4 * 1024 * 2),
    ("rtx4090", "bf16", 128 * 2.520e9 * 4 * 64 * 2),
    ("tpu-v3", "bf16", 4 * 128 * 128 * 0.940e9 * 2),  # 4 matrix units a chip
    ("tpu-v4", "bf16", 8 * 128 * 128 * 1.050e9 * 2),
    ("tpu-v5e", "bf16", 4 * 128 * 128 * 1.500e9 * 2),
    ("tpu-v5p", "bf16", 8 * 128 * 128 * 1.750e9 * 2),
    ("mi300x", "bf16", 304 * 2.100e9 * 2048),
    ("mi250x", "bf16", 220 * 1.700e9 * 1024),
]


@pytest.mark.parametrize(("name", "precision", "flops"), SUMS)
def test_peaks_are_what_the_units_make(name: str, precision: str, flops: float) -> None:
    assert device(name).peak[precision] == pytest.approx(flops, rel=0.005)


def test_names() -> None:
    for name in ("h100", "H100", "h100-SXM", " h100_sxm "):
        assert device(name).name == "h100-sxm"
    aliases = [alias for found in devices().values() for alias in (found.name, *found.aliases)]
    assert len(aliases) == len(set(aliases))
    with pytest.raises(UsageError, match=r"--x: no device 'h1000'; did you mean h100\?"):
        device("h1000", where="--x")


def test_the_usual_utilisation_is_what_its_source_measured() -> None:
    assert 0.38 <= UTILISATION <= 0.43  # bf16 MFU of Llama 3 405B, arXiv:2407.21783, table 4
