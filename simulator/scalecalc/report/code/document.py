"""JSON for other programs: the fields of the contract, and the factored form beside."""

from __future__ import annotations

import json

from scalecalc import __version__
from scalecalc.report.code.listing import Listing


def write(listing: Listing) -> str:
    """The document."""
    profile, settled = listing.result.profile, listing.result.settled
    document = {
        "command": "formula",
        "version": __version__,
        "model": {
            "name": profile.name,
            "format": profile.format,
            "symbols": {
                symbol.name: {
                    "value": settled.sizes.get(symbol.name),
                    "kind": symbol.kind,
                    "assumed": symbol.name in settled.assumed,
                    "bound": symbol.bound
                    if symbol.bound is None or isinstance(symbol.bound, int)
                    else str(symbol.bound),
                    "aliases": list(symbol.aliases),
                }
                for symbol in listing.symbols
            },
            "set": dict(listing.given),
            "conditions": [*map(str, listing.requirements), *listing.fixed],
        },
        "quantities": {
            formula.path: {
                "formula": formula.expanded,
                "factored": str(formula.tree),
                "variables": {name: str(listing.variables[name]) for name in formula.variables},
                "value": formula.value,
                "unit": formula.unit,
                "lower_bound": formula.lower_bound,
                "symbols": list(formula.symbols),
                "conditions": [*map(str, formula.requirements)],
            }
            for formula in listing.formulas
        },
        "unsupported": [
            {"domain": domain, "op_type": op_type, "count": count}
            for (domain, op_type), count in profile.unsupported.items()
        ],
        "unreached": list(profile.unreached),
        "assumptions": list(profile.assumptions),
        "notes": list(profile.notes),
    }
    return json.dumps(document, indent=1) + "\n"
