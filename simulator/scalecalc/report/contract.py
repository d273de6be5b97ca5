"""The JSON contract: additive changes only. A quantity is its formula, its value and whether something is missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scalecalc import __version__
from scalecalc.dims import Dim
from scalecalc.estimate import Estimate, Inspection
from scalecalc.estimate.attention import training_flops, way
from scalecalc.estimate.block import Block
from scalecalc.laws import Binding, Prediction
from scalecalc.report.advice import setting_document, size_document
from scalecalc.report.views import View, blocks, by_operator, nodes
from scalecalc.walk import Profile, Quantity
from scalecalc.walk.profile import FIGURES

Json = dict[str, Any]


def inspection(result: Inspection, view: View) -> Json:
    """`inspect`: the model, its totals, and a row per node, per block and per operator."""
    rows = [
        {
            "name": node.name,
            "op_type": node.op_type,
            "outputs": [None if dims is None else _dims(dims) for dims in node.outputs],
            "params": _quantity(result, Quantity(node.params)),
            "macs": _share(result, node.macs, node.status),
            "backward_macs": _share(result, node.backward_macs, node.status),
            "vector_flops": _share(result, node.vector_flops, node.status),
            "backward_vector_flops": _share(result, node.backward_vector_flops, node.status),
            "bytes": _share(result, node.bytes, node.status),
            "kept_bytes": _share(result, node.kept_bytes, node.status),
            "layer": node.layer or None,
            "status": node.status,
            "module": node.module,
        }
        for node in nodes(result, view)
    ]
    return {
        "command": "inspect",
        "version": __version__,
        **totals(result),
        "nodes": rows,
        "blocks": [
            {
                "path": place.path,
                "kind": place.block.kind,
                "level": place.level,
                "count": place.times if isinstance(place.times, int) else result.value(Quantity(place.times)),
                "nodes": place.block.nodes,
                "output": None if place.block.output is None else _dims(place.block.output),
                **_figures(result, place.block),
            }
            for place in blocks(result, view)
        ],
        "operators": [
            {"op_type": block.name, "count": block.nodes, **_figures(result, block)}
            for block in by_operator(result, view)
        ],
        **_remarks(result),
    }


def estimate(result: Estimate) -> Json:
    """`estimate`: the blocks of the answer."""
    run, plan = result.run, result.plan
    seen = plan.seen
    return {
        "command": "estimate",
        "version": __version__,
        **totals(result.inspection),
        "budget": {
            "text": run.budget.text,
            "how": run.budget.how,
            "compute": run.budget.flops,
            "count": run.count,
            "matrix_flops": plan.compute if seen is not None else None,
            "flops_per_sample": run.cost,
            "data": seen,
            "unique": plan.unique,
            "dataset": run.dataset.name if run.dataset is not None else None,
            "epochs": seen / plan.unique if seen is not None and plan.unique else None,
            "steps": run.steps,
            "batch_size": run.batch_size,
            "samples_per_step": run.samples_per_step,
            "upper_bound": not result.inspection.profile.complete,
        },
        "predictions": [
            {
                "law": prediction.law,
                "metric": prediction.metric,
                "unit": prediction.unit,
                "value": prediction.value,
                "interval": list(prediction.interval) if prediction.interval else None,
                "level": prediction.level,
                "basis": prediction.basis,
                **parts(prediction),
                "inside_range": prediction.inside_range,
                "decades_outside": dict(prediction.decades_outside),
                "comparable": prediction.comparable,
                "binding": _binding(prediction.binding),
            }
            for prediction in result.predictions
        ],
        "refused": [{"law": law.name, "why": why} for law, why in result.refused],
        "optimal": [
            {
                "law": best.optimum.law,
                "cost": best.cost,
                "flops_per_param_and_sample": best.optimum.per_nd,
                "params": best.optimum.params,
                "params_interval": list(best.optimum.params_interval) if best.optimum.params_interval else None,
                "data": best.optimum.data,
                "value": best.optimum.value,
                "params_ratio": best.ratio,
                "params_within_1_percent": list(best.optimum.near),
                "this_model_is_optimal_at": best.at,
                "twice_this_model_wins_beyond": best.crossover,
                "this_model_gains_by_doubling": best.gain,
            }
            for best in result.best
        ],
        "frontier": [
            {"law": point.law.name, "value": point.value, "status": point.bound.status, "how": point.bound.how}
            for point in result.frontiers
        ],
        "allocation": [size_document(size) for size in result.sizes],
        "settings": [setting_document(setting) for setting in result.settings],
        "efficiency": _efficiency(result),
        "verdict": result.verdict,
        **_remarks(result.inspection, result.assumptions),
    }


def _efficiency(result: Estimate) -> Json:
    found = result.efficiency
    if found is None:
        return {"compute": None, "compute_own_cost": None}
    least = found.least
    return {
        "compute": found.compute,
        "compute_own_cost": result.efficiency_own,
        "least": {"law": least.law, "compute": least.compute, "params": least.params, "data": least.data},
    }


def _binding(binding: Binding) -> Json:
    return {
        "variables": {
            bound.symbol: {"value": bound.value, "status": bound.status, "how": bound.how}
            for bound in binding.variables
        },
        "notes": list(binding.notes),
    }


def totals(result: Inspection) -> Json:
    """The model and its figures: what `inspect`, `estimate` and each side of `diff` have."""
    profile, task = result.profile, result.task
    per_sample = result.per_sample
    return {
        "model": {
            "name": profile.name,
            "format": profile.format,
            "opset": profile.opset,
            "nodes": profile.node_count,
            "task": task.name,
            "symbols": _symbols(result),
            "conditions": list(profile.conditions),
            "inputs": {name: _dims(dims) for name, dims in profile.inputs.items()},
            "outputs": {name: None if dims is None else _dims(dims) for name, dims in profile.outputs.items()},
        },
        "params": _quantities(result, profile.params),
        "forward": _quantities(result, profile.forward),
        "training": {
            **_quantities(result, profile.training),
            "attention": way(profile),
            "matrix_flops_full": _other(result, "full"),
            "matrix_flops_causal": _other(result, "causal"),
            "ratio_6N_total": result.against_six("trainable"),
            "ratio_6N_non_embedding": result.against_six("non_embedding"),
            "samples_per_step": _samples(result),
            "matrix_flops_per_sample": {
                "formula": None if per_sample is None else str(per_sample.formula),
                "value": result.flops_per_sample,
                "lower_bound": profile.training["matrix_flops"].lower_bound,
            },
            "sample": task.sample,
        },
        "memory": {**_quantities(result, profile.memory), "peak_training": None, "peak_inference": None},
    }


def _other(result: Inspection, attention: str) -> Json | None:
    flops = training_flops(result.profile, attention)
    return None if flops is None else _quantity(result, flops)


def _samples(result: Inspection) -> Json:
    """Samples in one run of the graph; seconds of audio are a quotient."""
    whole, parts = result.samples_per_step, f"({result.task.steps})/{result.task.per_second}"
    formula = parts if whole is None else str(whole.formula)
    return {"formula": formula, "value": result.samples_per_run, "lower_bound": False}


def _symbols(result: Inspection) -> Json:
    settled = result.settled
    return {
        symbol.name: {
            "value": settled.sizes.get(symbol.name),
            "kind": symbol.kind,
            "assumed": symbol.name in settled.assumed,
            "bound": None if symbol.bound is None else _dim(symbol.bound),
            "aliases": list(symbol.aliases),
            **({"tie": symbol.tie or None} if symbol.declared else {}),
        }
        for symbol in result.profile.symbols.values()
    }


def _remarks(result: Inspection, assumptions: tuple[str, ...] | None = None) -> Json:
    profile: Profile = result.profile
    return {
        "unsupported": [
            {"domain": domain, "op_type": op_type, "count": count}
            for (domain, op_type), count in profile.unsupported.items()
        ],
        "unreached": list(profile.unreached),
        "assumptions": list(result.assumptions if assumptions is None else assumptions),
        "notes": list(profile.notes),
    }


def _quantities(result: Inspection, quantities: Mapping[str, Quantity]) -> Json:
    return {name: _quantity(result, quantity) for name, quantity in quantities.items()}


def _figures(result: Inspection, block: Block) -> Json:
    """What all of a block's repeats cost; a lower bound where a node in it has no rule."""
    return {
        name: _quantity(result, Quantity(figure, not block.known and name != "params"))
        for name, figure in zip(FIGURES, block.figures, strict=True)
    }


def _share(result: Inspection, formula: Dim, status: str) -> Json:
    """A node's quantity: nobody knows it where its operator has no rule."""
    if status == "known":
        return _quantity(result, Quantity(formula))
    return {"formula": None, "value": None, "lower_bound": True}


def _quantity(result: Inspection, quantity: Quantity) -> Json:
    return {
        "formula": str(quantity.formula),
        "value": result.value(quantity),
        "lower_bound": quantity.lower_bound,
    }


def _dims(dims: tuple[Dim, ...]) -> list[int | str]:
    return [_dim(dim) for dim in dims]


def _dim(dim: Dim) -> int | str:
    return dim if isinstance(dim, int) else str(dim)


def parts(found: Prediction) -> dict[str, Any]:
    """What an interval is made of, for programs."""
    return {
        "parts": dict(found.parts),
        "parts_of": None if not found.parts else "logarithm" if found.logs else found.unit,
        "freedom": found.freedom,
        "conformal": list(found.conformal) if found.conformal else None,
    }
