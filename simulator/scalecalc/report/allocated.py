"""`optimal` for programs: the JSON document, and one row per point."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from scalecalc import __version__
from scalecalc.estimate.allocation import Allocation
from scalecalc.estimate.places import Place, Standing, outside
from scalecalc.laws import Optimum
from scalecalc.laws.conventions import Interval
from scalecalc.laws.optimum import Least
from scalecalc.report.advice import setting_document, size_document

Json = dict[str, Any]
COLUMNS = (
    "law", "point", "cost", "count", "params", "params_low", "params_high", "data", "data_low", "data_high", "compute",
    "inference", "metric", "value", "value_low", "value_high", "near_low", "near_high",
)  # fmt: skip


def document(result: Allocation) -> Json:
    """The answer by law; a place without an answer to a part of the question holds null there."""
    question, budget, inspection = result.question, result.question.budget, result.inspection
    return {
        "command": "optimal",
        "version": __version__,
        "question": {
            "budget": budget and {"text": budget.text, "how": budget.how, "compute": budget.flops},
            "target": question.target,
            "params": question.params,
            "model": inspection.profile.name if inspection is not None else None,
            "unique": question.unique,
            "served": question.served,
            "stop_below": question.stop and {"gain": question.stop.gain, "relative": question.stop.relative},
        },
        "optimal": [_place(place) for place in result.places],
        "allocation": [size_document(size) for size in result.sizes],
        "settings": [setting_document(setting) for setting in result.settings],
        "compute_alone": [
            {
                "law": curve.law.name,
                "kind": curve.law.kind,
                "metric": curve.law.metric.name,
                "unit": curve.law.metric.unit,
                "value": curve.value,
                "status": curve.bound and curve.bound.status,
                "how": curve.bound and curve.bound.how,
                "gain_of_doubling": curve.doubling,
                "gains_rise": curve.rising,
                "ends_at": curve.ends,
                "target_at": curve.target,
                "stop_at": curve.stop,
            }
            for curve in result.curves
        ],
        "refused": [{"law": law.name, "why": why} for law, why in result.refused],
        "assumptions": list(result.assumptions),
    }


def _place(place: Place) -> Json:
    return {
        "law": place.law.name,
        "metric": place.law.metric.name,
        "unit": place.law.metric.unit,
        "count": place.count,
        "sample": place.sample,
        "cost": place.cost,
        "flops_per_param_and_sample": place.per_nd,
        "best": place.best and _best(place, place.best),
        "target": place.target and _least(place.target, list(place.reaching) if place.reaching else None),
        "inference": place.serving and place.trained and {
            **_least(place.serving), "cheapest_to_train": _least(place.trained),
        },
        "stop": place.stop and _stop(place.stop),
        "model": place.standing and _standing(place.standing),
        "isoflop": [
            {"params": point.params, "data": point.data, "value": point.value, "worse": point.worse}
            for point in place.isoflop
        ],
        "notes": list(place.notes),
    }  # fmt: skip


def _best(place: Place, best: Optimum) -> Json:
    gaps = dict(outside(place.law, best))
    return {
        "compute": best.compute,
        "params": best.params,
        "params_interval": _pair(best.params_interval),
        "data": best.data,
        "data_interval": _pair(best.data_interval),
        "value": best.value,
        "value_interval": _pair(best.value_interval),
        "level": best.level,
        "params_within_1_percent": list(best.near),
        "gain_of_doubling": place.doubling,
        "epochs": best.data / best.unique if best.unique else None,
        "inside_range": not any(gaps.values()) if gaps else None,
        "decades_outside": gaps,
        "closed_form": best.closed_form,
    }


def _stop(stop: Optimum) -> Json:
    return {"compute": stop.compute, "params": stop.params, "data": stop.data, "value": stop.value}


def _least(least: Least, reaching: list[float] | None = None) -> Json:
    return {
        "value": least.value,
        "params": least.params,
        "params_interval": _pair(least.params_interval),
        "data": least.data,
        "data_interval": _pair(least.data_interval),
        "compute": least.compute,
        "inference": least.inference,
        "total": least.total,
        "total_interval": _pair(least.total_interval),
        "params_reaching_with_budget": reaching,
    }


def _standing(own: Standing) -> Json:
    return {
        "params": float(own.params),
        "status": own.status,
        "how": own.how,
        "optimal_at": own.best_at,
        "optimal_at_interval": _pair(own.best_interval),
        "twice_as_large_wins_beyond": own.crossover,
        "data": own.data,
        "value": own.value,
        "worse_than_best": own.worse,
        "gain_of_doubling": own.gain,
        "stop_at": own.stop,
        "target_at": own.target if own.target is not None and math.isfinite(own.target) else None,
        "why_no_value": own.why or None,
    }


def _pair(interval: Interval | None) -> list[float] | None:
    return None if interval is None else list(interval)


def points(result: Allocation) -> Iterator[dict[str, Any]]:
    """Every point of the answer, with COLUMNS as keys."""
    spent = result.question.budget.flops if result.question.budget is not None else None
    for place in result.places:
        best, own = place.best, place.standing
        if best is not None:
            yield _row(place, "optimum", best.params, best.data, best.compute, best.value, params_=best.params_interval,
                       data_=best.data_interval, value_=best.value_interval, near_=best.near)  # fmt: skip
        for name, least in (("target", place.target), ("inference", place.serving)):
            if least is not None:
                yield _row(place, name, least.params, least.data, least.compute, least.value, least.inference,
                           params_=least.params_interval, data_=least.data_interval)  # fmt: skip
        if own is not None:
            yield _row(place, "model", own.params, own.data, spent, own.value)
            if own.best_at is not None:
                yield _row(
                    place, "model at its best", own.params, own.best_at / place.per_nd / own.params, own.best_at, None
                )
        for point in place.isoflop:
            yield _row(place, "isoflop", point.params, point.data, spent, point.value)
    for size in result.sizes:
        yield dict.fromkeys(COLUMNS) | {"law": size.law.name, "point": "optimum", "cost": "6ND", "count": size.count,
                                        "params": size.params, "data": size.data, "compute": spent}  # fmt: skip
    for curve in result.curves:
        said = {"law": curve.law.name, "metric": curve.law.metric.name}
        if curve.value is not None:
            yield dict.fromkeys(COLUMNS) | said | {"point": "compute alone", "compute": spent,
                                                   "value": curve.value}  # fmt: skip
        if curve.target is not None:
            yield dict.fromkeys(COLUMNS) | said | {"point": "target", "compute": curve.target,
                                                   "value": result.question.target}  # fmt: skip


def _row(
    place: Place, point: str, params: float, data: float | None, compute: float | None, value: float | None,
    inference: float | None = None, **intervals: Interval | None,
) -> dict[str, Any]:  # fmt: skip
    row: dict[str, Any] = dict.fromkeys(COLUMNS)
    row |= {
        "law": place.law.name, "point": point, "cost": place.cost, "count": place.count, "params": params, "data": data,
        "compute": compute, "inference": inference, "metric": place.law.metric.name, "value": value,
    }  # fmt: skip
    for name, interval in intervals.items():
        row[f"{name}low"], row[f"{name}high"] = interval or (None, None)
    return row
