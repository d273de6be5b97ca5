"""Sizes to try first where a file leaves some open: usual ones that the model's conditions allow."""

from __future__ import annotations

from itertools import product

from scalecalc.dims import fulfilled
from scalecalc.estimate.inspection import Inspection

USUAL = {"sequence": (512, 128, 64, 16, 1), "spatial": (224, 320, 256, 512, 64, 32)}
OTHERS = (10, 1000, 16_000, 4, 1)


def example_sizes(inspection: Inspection) -> str:
    """Options that set every missing size: `--set height=224 --set width=224`."""
    missing = inspection.settled.missing
    kinds = {name: inspection.profile.symbols[name].kind for name in missing}
    usual = {kind: USUAL.get(kind, OTHERS) for kind in kinds.values()}
    for chosen in product(*usual.values()):
        by_kind = dict(zip(usual, chosen, strict=True))
        sizes = {name: by_kind[kinds[name]] for name in missing}
        every = {**inspection.settled.sizes, **sizes}
        if all(fulfilled(check, every) for check in inspection.profile.checks):
            break
    else:
        sizes = {name: usual[kinds[name]][0] for name in missing}
    return " ".join(f"--set {name}={size}" for name, size in sizes.items())
