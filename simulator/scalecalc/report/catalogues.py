"""What there is: laws, data sets, devices and operators."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import IO

from scalecalc.estimate import Dataset, Inspection
from scalecalc.estimate.models import Listed
from scalecalc.frontends.layers import Layer, Option
from scalecalc.hardware import Device
from scalecalc.laws import UNKNOWN, Coefficient, Law, Variable
from scalecalc.ops import Operator
from scalecalc.report.blocks import Block, Row, amount, each, sizes_of_data
from scalecalc.report.render import grid
from scalecalc.report.terminal import show_blocks, show_table

FORM = "a form: fit it"


def show_laws(laws: Iterable[Law], form: str, file: IO[str]) -> None:
    """One line per law: what it predicts, of which models, in which counts."""
    rows = [
        [
            law.name,
            FORM if law.is_form else law.kind,
            _predicted(law),
            f"{law.applies_to.task}, {law.applies_to.modality}",
            ", ".join(_counted(law.variables[symbol]) for symbol in law.inputs),
            str(law.formula),
            law.source.citation,
        ]
        for law in laws
    ]
    listing(("law", "kind", "predicts", "applies to", "takes", "formula", "source"), rows, form, file)


def _predicted(law: Law) -> str:
    """What a law gives, in which unit and count."""
    words = [law.metric.name, *([law.metric.unit] if law.metric.unit != "1" else [])]
    return ", ".join([*words, *([law.variables["N"].count] if law.gives == "N" else [])])


def _counted(variable: Variable) -> str:
    """A variable with what it counts: N total, D seen, C exact, C unknown in core-days."""
    how = variable.count if variable.count != UNKNOWN else variable.meaning
    if variable.symbol not in "NDUC":
        return f"{variable.symbol} {variable.unit}".strip()
    unit = f" in {variable.unit}s" if variable.unit not in ("", "FLOP") else ""
    return f"{variable.symbol} {how}{unit}"


def show_operators(operators: Iterable[Operator], form: str, file: IO[str]) -> None:
    """One line per operator: what its rule counts."""
    rows = [[o.name, o.domain or "ai.onnx", o.summary, ", ".join(sorted(o.attributes))] for o in operators]
    listing(("operator", "domain", "rule", "attributes read"), rows, form, file)


def show_layers(layers: Iterable[Layer], form: str, file: IO[str]) -> None:
    """One line per layer of specifications: its options, and what it is."""
    rows = [[found.name, ", ".join(map(_option, found.options.values())), found.summary] for found in layers]
    listing(("layer", "options", "what it is"), rows, form, file)


def show_schema(file: IO[str]) -> None:
    """The JSON schema of specifications."""
    from scalecalc.frontends.schema import schema

    json.dump(schema(), file, indent=1)
    file.write("\n")


def _option(option: Option) -> str:
    """An option, with its default where it has a plain one."""
    if option.required or option.default is None or option.default == "":
        return f"{option.name}{'' if option.required else '?'}"
    default = option.default
    text = str(default).lower() if isinstance(default, bool) else " ".join(map(str, default)) if (
        isinstance(default, tuple)
    ) else str(default)  # fmt: skip
    return f"{option.name}={text}"


def show_models(models: Iterable[Listed], form: str, file: IO[str]) -> None:
    """One line per shipped model: its size, what one sample costs forward, and who published it."""
    rows = []
    for model in models:
        spec = model.spec
        rows.append([model.name, spec.title, spec.domain, *_costs(model.inspection), spec.source.partition(";")[0]])
    columns = ("model", "title", "domain", "params", "active", "forward", "per", "source")
    listing(columns, rows, form, file)


def _costs(result: Inspection) -> list[str]:
    """Parameters, those one sample meets if they are fewer, FLOPs, and of what."""
    params = result.profile.params
    active = params["active"] if params["active"].formula != params["trainable"].formula else None
    batches = {symbol.name for symbol in result.profile.symbols.values() if symbol.kind == "batch"}
    sizes = sizes_of_data(result, leave_out=batches)
    return [
        amount(result, params["trainable"]),
        amount(result, active) if active is not None else "",
        each(result, result.profile.forward["matrix_flops"], "FLOP"),
        f"{result.task.sample}{f' at {sizes}' if sizes else ''}",
    ]


def show_datasets(datasets: Iterable[Dataset], form: str, file: IO[str]) -> None:
    """One line per data set: what it holds."""
    rows = [
        [
            d.name,
            ", ".join(f"{'about ' * d.about}{number:,} {unit}s" for unit, number in d.samples.items()),
            d.tokenizer,
            d.task,
            d.modality,
            "" if d.classes is None else f"{d.classes}",
            f"{d.year}",
            d.source,
            d.note,
            ", ".join(d.aliases),
        ]
        for d in datasets
    ]
    columns = ("data set", "holds", "tokenizer", "task", "modality", "classes", "year", "source", "note", "also")
    listing(columns, rows, form, file)


def show_devices(devices: Iterable[Device], form: str, file: IO[str]) -> None:
    """One line per device: what it computes and holds."""
    rows = [
        [
            d.name,
            d.title,
            ", ".join(f"{name} {rate / 1e12:,.10g}" for name, rate in d.peak.items()),
            f"{d.memory / 1e9:,.10g}",
            f"{d.bandwidth / 1e9:,.10g}",
            "" if d.power is None else f"{d.power:g}",
            f"{d.year}",
            d.source,
            d.note,
            ", ".join(d.aliases),
        ]
        for d in devices
    ]
    columns = ("device", "title", "peak TFLOP/s, dense", "memory GB", "GB/s", "W", "year", "source", "note", "also")
    listing(columns, rows, form, file)


def listing(columns: Sequence[str], rows: Sequence[Sequence[str]], form: str, file: IO[str]) -> None:
    """A catalogue in one of the formats."""
    if form == "table":
        show_table(columns, rows, file)
    elif form == "json":
        json.dump([dict(zip(columns, row, strict=True)) for row in rows], file, indent=1)
        file.write("\n")
    else:
        grid(columns, rows, form, file)


def _errors(coefficient: Coefficient) -> str:
    """What is known of a constant's error, or how a fit is held."""
    words = [f"standard error {coefficient.se:g}"] if coefficient.se is not None else []
    if coefficient.ci is not None and coefficient.level is not None:
        words.append(f"{coefficient.level:.0%} {coefficient.ci[0]:g} to {coefficient.ci[1]:g}")
    low, high = coefficient.bounds
    if coefficient.value is None and (low is not None or high is not None):
        words.append(f"{'unbounded' if low is None else f'{low:g}'} to {'unbounded' if high is None else f'{high:g}'}")
    if coefficient.near is not None:
        words.append(f"near {coefficient.near}")
    return ", ".join([*words, *(["kept in fits"] if coefficient.fixed else [])])


def _metric(law: Law) -> str:
    """What the law gives: of a performance also which is better, between which bounds, on which data."""
    metric = law.metric
    words = [metric.name if metric.unit == "1" else f"{metric.name} in {metric.unit}"]
    if law.kind not in ("allocation", "hyperparameter"):
        words.append(f"{metric.better} is better")
    if any(bound is not None for bound in metric.bounds):
        words.append(" to ".join("unbounded" if bound is None else f"{bound:g}" for bound in metric.bounds))
    if metric.chance is not None:
        words.append(f"{metric.chance:g} by chance")
    words += [f"on {metric.eval_set}"] if metric.eval_set != UNKNOWN else []
    return ", ".join([*words, *([f"tokens of {metric.tokenizer}"] if metric.tokenizer != UNKNOWN else [])])


def _scope(law: Law) -> str:
    scope = law.applies_to
    words = [scope.task, scope.modality, *scope.family, *scope.corpus]
    words += [f"{scope.classes:,} classes"] if scope.classes is not None else []
    return ", ".join([*words, *([f"{scope.input_elements:,} numbers per sample"] if scope.input_elements else [])])


def _limits(law: Law, name: str) -> str:
    unit = law.variables[name].unit if name in law.variables else ""
    low, high = law.range[name]
    return f"{low:.3g} to {high:.3g} {unit}".rstrip()


def _evidence(law: Law) -> list[Row]:
    evidence = law.evidence
    runs = f"{evidence.runs:,}" if evidence.runs is not None else "unknown number of"
    words = [f"{runs} runs", *([evidence.text] if evidence.text else [])]
    if evidence.extrapolation_error is not None:
        words.append(f"relative error {evidence.extrapolation_error:.2g} on larger runs")
    if evidence.coverage is not None:
        words.append(f"{evidence.coverage:.0%} of them inside the interval")
    rows: list[Row] = [["; ".join(words)]]
    if law.covariance is not None:
        rows.append([f"intervals: {law.covariance.basis}"])
    return rows


def _uncertainty(law: Law) -> list[Row]:
    """What a prediction may miss, as standard deviations."""
    doubt = law.uncertainty
    draws = len(next(iter(law.draws.values()), ()))
    rows: list[Row] = [["coefficients", f"{draws:,} draws"]] if draws else []
    if doubt is None:
        return rows
    of = "of the logarithm" if doubt.scale == "log" else law.metric.unit
    drift = UNKNOWN if doubt.drift is None else f"{doubt.drift:.3g} of the logarithm"
    rows += [["noise", f"{doubt.noise:.3g} {of}"], ["drift", drift], ["freedom", f"{doubt.freedom:g}"]]
    if doubt.missed is not None:
        rows.append(["missed", f"{doubt.missed:.3g} of the logarithm, by 90 % of {doubt.misses:,} predictions at most"])
    return rows + [["rival", name, str(rival)] for name, rival in doubt.rivals.items()]


def show_law(law: Law, file: IO[str]) -> None:
    """Everything a law says about itself."""
    constants: list[Row] = [
        [c.name, "to be fitted" if c.value is None else f"{c.value:g} {c.unit}".strip(), _errors(c)]
        for c in law.coefficients.values()
    ]
    constants += [
        [name, f"{law.constants[name]:g}" if name in law.constants else "", f"= {expression}"]
        for name, expression in law.derived.items()
    ]
    constants += [[", ".join(group) + " are equal"] for group in law.ties]
    unknown: list[Row] = [["unknown"]]
    given = f"gives {law.gives}" if law.gives else ""
    blocks = [
        Block(law.name, [[law.title or law.kind]]),
        Block("formula", [[f"{law.metric.name} = {law.formula}"]]),
        Block("kind", [[law.kind, f"{FORM} (scalecalc calibrate RUNS --law {law.name})" if law.is_form else given]]),
        Block("constants", constants or [["none"]]),
        Block("variables", [
            [v.symbol, ", ".join(f"{word} {value}" for word, value in (
                ("count", v.count), ("sample", v.sample), ("meaning", v.meaning), ("tokenizer", v.tokenizer),
                ("attention", v.attention), ("unit", v.unit)) if value not in ("", UNKNOWN)) or UNKNOWN]
            for v in law.variables.values()
        ]),
        Block("metric", [[_metric(law)]]),
        Block("applies to", [[_scope(law)]]),
        Block("range", [[name, _limits(law, name)] for name in law.range] or unknown),
        Block("regime", [[name, text] for name, text in law.regime.items()] or unknown),
        Block("evidence", _evidence(law)),
        Block("uncertainty", _uncertainty(law)),
        Block("method", [[name, text] for name, text in law.method.items()]),
        Block("source", [[law.source.citation], [law.source.url or ""], [law.source.note or ""]]),
        Block("notes", [[note] for note in law.notes]),
        Block("better", [[f"{law.superseded_by} uses the same runs better" if law.superseded_by else ""]]),
    ]  # fmt: skip
    for block in blocks:
        block.rows = [row for row in block.rows if any(row)]
    show_blocks([block for block in blocks if block.rows], file)
