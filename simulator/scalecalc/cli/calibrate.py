"""`scalecalc calibrate`."""

from __future__ import annotations

from io import TextIOWrapper
from typing import TYPE_CHECKING, Annotated, cast

import typer

if TYPE_CHECKING:
    from scalecalc.calibrate.calibration import Calibration
    from scalecalc.report.blocks import Block

Many = list[str] | None


def calibrate(
    runs: Annotated[
        str,
        typer.Argument(
            metavar="RUNS",
            help="A table with a row per run (.csv, .jsonl, .parquet), or runs that come with the package: "
            "@chinchilla, @datablations, @cerebras-gpt, @learning-curves.",
            show_default=False,
        ),
    ],
    law: Annotated[
        Many,
        typer.Option(
            "--law",
            metavar="FORM",
            help="A form, a law whose form to fit, or ensemble: an average of the others "
            "named, else of those that survive; all that fit are tried unless named.",
        ),
    ] = None,
    column: Annotated[
        Many,
        typer.Option(
            "--column", metavar="WHAT=NAME", help="A column: N, D, U, C, P, run, seed, model, se, steps or train."
        ),
    ] = None,
    where: Annotated[
        Many, typer.Option("--where", metavar="NAME=VALUE", help="Only the rows with this value in a column.")
    ] = None,
    held_out: Annotated[
        Many, typer.Option("--held-out", metavar="NAME=VALUE", help="Rows with this value are predicted, not fitted.")
    ] = None,
    n_count: Annotated[
        str | None, typer.Option("--N-count", help="total, non_embedding, linear, active or unknown.")
    ] = None,
    d_meaning: Annotated[str | None, typer.Option("--D-meaning", help="seen, unique or unknown.")] = None,
    c_count: Annotated[
        str | None, typer.Option("--C-count", help="6N_total*D, 6N_nonemb*D, 6N_linear*D, exact or unknown.")
    ] = None,
    sample: Annotated[str | None, typer.Option("--sample", help="What D counts: token, example, second.")] = None,
    task: Annotated[str | None, typer.Option("--task", help="What was trained, such as language-modeling.")] = None,
    metric: Annotated[
        str | None, typer.Option("--metric", help="Which performance, where columns hold several, or what to call it.")
    ] = None,
    unit: Annotated[str | None, typer.Option("--unit", help="Of the performance, such as nat/token.")] = None,
    loss: Annotated[
        str, typer.Option("--loss", help="Of residuals: huber, least-squares, lad or student-t.")
    ] = "huber",
    delta: Annotated[
        str | None, typer.Option("--delta", help="Residual where huber bends (1e-3), scale of student-t (1e-2).")
    ] = None,
    residual: Annotated[str, typer.Option("--residual", help="log or raw.")] = "log",
    drop_highest: Annotated[
        int | None, typer.Option("--drop-highest", metavar="N", help="Leave out the N highest performances.")
    ] = None,
    weights: Annotated[
        str, typer.Option("--weights", help="recency:K, (x/xmax)^K over compute, or inverse-variance.")
    ] = "",
    hold: Annotated[
        Many, typer.Option("--hold", metavar="NAME=VALUE", help="A coefficient with a fixed value.")
    ] = None,
    tie: Annotated[Many, typer.Option("--tie", metavar="NAME=NAME", help="Coefficients that are equal.")] = None,
    horizon: Annotated[
        str | None,
        typer.Option(
            "--horizon",
            metavar="FACTOR",
            help="How far beyond the largest run predictions are wanted: the forms are "
            "judged by what fits to runs so much smaller say of the largest; else the root of the runs' own range.",
        ),
    ] = None,
    draws: Annotated[int, typer.Option("--draws", help="Bootstrap resamples of whole runs.")] = 4000,
    seed: Annotated[int, typer.Option("--seed", help="Of the resamples.")] = 0,
    workers: Annotated[int, typer.Option("--workers", help="Processes that share the resamples.")] = 1,
    cluster: Annotated[
        str | None, typer.Option("--cluster", metavar="ADDRESS", help="A Dask scheduler whose workers share them.")
    ] = None,
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="FILE.yaml", help="Write the fitted law there.")
    ] = None,
    plot: Annotated[
        str | None, typer.Option("--plot", metavar="FOLDER", help="Draw there what the fit looks like: PNG and SVG.")
    ] = None,
    form: Annotated[
        str, typer.Option("--format", metavar="FORM", help="table, json, csv, markdown, or yaml (the law file).")
    ] = "table",
) -> None:
    """Fit a law to runs: the true optimum, standard errors, and how sure it is; a law file for the other commands."""
    from scalecalc.calibrate.calibration import calibrate as fit
    from scalecalc.calibrate.ensemble import NAME as ENSEMBLE
    from scalecalc.calibrate.forms import form_of as law_form
    from scalecalc.calibrate.lawfile import fitted_law
    from scalecalc.calibrate.method import Method
    from scalecalc.calibrate.sets import open_runs
    from scalecalc.calibrate.sharing import crew
    from scalecalc.calibrate.stated import Stated
    from scalecalc.cli.options import form_of, pairs, real, target, yaml_file
    from scalecalc.estimate.costs import cost_of
    from scalecalc.laws.writing import text_of
    from scalecalc.report.calibration import FORMATS, render
    from scalecalc.report.terminal import show_blocks

    form, path = form_of(form, FORMATS), yaml_file(output)
    if plot is not None:
        from scalecalc.cli.options import folder
        from scalecalc.report.canvas import needed

        needed()
        folder("--plot", plot)
    method = Method(
        loss, None if delta is None else real("--delta", delta), residual, drop_highest, weights,
        {name: real("--hold", value) for name, value in pairs("--hold", hold).items()},
        [(left, right) for left, right in pairs("--tie", tie).items()], draws, seed,
        horizon=None if horizon is None else real("--horizon", horizon),
    )  # fmt: skip
    stated = Stated(pairs("--column", column), n_count, d_meaning, c_count, sample, task, metric, unit)
    reading, run_set = open_runs(runs, stated, pairs("--where", where), cost_of, pairs("--held-out", held_out))
    forms = [law_form(name, reading) for name in law or () if name != ENSEMBLE]
    with crew(workers, cluster) as share:
        result = fit(reading, method, forms, run_set=run_set, share=share, ensemble=ENSEMBLE in (law or ()))
    if path is not None:
        with target(path) as file:
            file.write(text_of(fitted_law(result)))
    said = None if plot is None else _drawn(result, plot)
    with target(None) as file:
        render(result, form, file, path)
        if said is not None and form == "table":
            show_blocks([said], file)


def _drawn(result: Calibration, folder: str) -> Block:
    """Write the pictures of a calibration to a folder, and say which."""
    import os

    from scalecalc.cli.options import target
    from scalecalc.report.blocks import Block
    from scalecalc.report.plots import pictures

    files, missing = pictures(result)
    rows = []
    for name, data in files.items():
        path = os.path.join(folder, name)
        replaced = os.path.exists(path)
        with target(path, "--plot") as file:
            cast(TextIOWrapper, file).buffer.write(data)
        rows.append([path, "replaced" if replaced else ""])
    return Block("PLOTS", [*rows, *([f"no {name}", why] for name, why in missing.items())])
