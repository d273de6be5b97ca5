"""Sizes and settings: what allocation and hyperparameter laws say of a budget, for people and for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from scalecalc.estimate.advice import Setting, Size
from scalecalc.estimate.words import short
from scalecalc.laws.conventions import UNKNOWN
from scalecalc.report.blocks import Row
from scalecalc.report.numbers import cost

Json = dict[str, Any]
KINDS = ("vocabulary", "batch", "learning rate")
"""What settings are called, each line holding those whose name ends so, in this order; others follow."""


def sized(size: Size) -> tuple[str, str]:
    """N* in the law's own count, and D*."""
    count = "(count unknown)" if size.count == UNKNOWN else size.count.replace("_", "-")
    params = cost(size.params, "FLOP/token") if size.per_token else f"{short(size.params)} {count}"
    return params, f"{short(size.data)} tokens"


def settings(found: Sequence[Setting]) -> list[Row]:
    """A row for what each law says, by kind of setting."""
    rows: list[Row] = []
    others = [setting.law.metric.name for setting in found if not setting.law.metric.name.endswith(KINDS)]
    for kind in dict.fromkeys((*KINDS, *others)):
        label = kind
        for setting in found:
            if setting.law.metric.name.endswith(kind):
                rows.append([label, *_said(setting)])
                label = ""
    return rows


def _said(setting: Setting) -> Row:
    metric = setting.law.metric
    unit = "" if metric.unit == "1" else f" {metric.unit}s"
    value = short(setting.value) if setting.value >= 1 else f"{setting.value:.2g}"
    name = f", the {metric.name}" if metric.name.endswith(KINDS) and metric.name not in KINDS else ""
    gaps = [f"{symbol} {gap:.1f} decades outside" for symbol, gap in setting.outside.items() if gap >= 0.05]
    return [f"{value}{unit}", f"{setting.law.name}{name}", ", ".join([setting.bound.status, *gaps])]


def size_document(size: Size) -> Json:
    """What an allocation law says."""
    return {
        "law": size.law.name,
        "params": size.params,
        "data": size.data,
        "how": size.how,
        "count": size.count,
        "data_per_param": size.ratio,
        "decades_outside": dict(size.outside),
    }


def setting_document(setting: Setting) -> Json:
    """What a hyperparameter law says."""
    return {
        "law": setting.law.name,
        "quantity": setting.law.metric.name,
        "unit": setting.law.metric.unit,
        "value": setting.value,
        "status": setting.bound.status,
        "how": setting.bound.how,
        "decades_outside": dict(setting.outside),
    }
