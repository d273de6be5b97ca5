"""The declared grid: what it holds, and that its costs are those Keras and its ONNX exports have."""

import csv
from collections import Counter
from dataclasses import replace

import pytest

from benchmarks.keras_runs.grid import HERE, Run, cost, declared, first_rate, tuned, tuning_of
from benchmarks.keras_runs.models import label
from benchmarks.keras_runs.run_grid import main
from benchmarks.keras_runs.training import order

RUNS = declared()
TRAINING_WINDOWS = 39_952_321 // 65 - 2048 - 1024


def of(domain: str, split: str = "fit") -> list[Run]:
    return [run for run in RUNS if run.domain == domain and run.split == split]


def test_at_least_150_rows_over_three_decades() -> None:
    assert len({run.name for run in RUNS}) == len(RUNS) == 269
    fitted = [run for run in RUNS if run.split == "fit"]
    assert len(fitted) >= 150
    for domain in ("text", "images"):
        flops = [run.flops for run in RUNS if run.domain == domain]
        assert max(flops) > 1000 * min(flops)


def test_costs_are_those_recorded_from_keras_and_onnx() -> None:
    with open(HERE / "costs.csv", encoding="utf-8", newline="") as file:
        recorded = {
            row["model"]: (int(row["params"]), int(row["training_flops_per_example"])) for row in csv.DictReader(file)
        }
    planned = {f"{run.domain} {label(run.width, run.depth)}": cost(run.domain, run.width, run.depth) for run in RUNS}
    assert planned == recorded


def test_the_article_s_network_by_hand() -> None:
    """34,826 parameters; convolutions of 26*26*32*9 and 11*11*64*288 products, 1600*10; the image needs no gradient."""
    first, others = 26 * 26 * 32 * 9, 11 * 11 * 64 * 288 + 1600 * 10
    assert cost("images", 1, 0) == (34_826, 2 * (2 * first + 3 * others))


def test_the_transformer_by_hand() -> None:
    """Tables of 99 and 64 characters; a layer's 4d² + 8d² weights; attention's products of 64 places, twice."""
    d, places = 16, 64
    weights = 99 * d + places * d + 4 * d * d + 4 * d + 8 * d * d + 5 * d + 3 * 2 * d + 99 * d + 99
    products = places * (12 * d * d + 99 * d) + 2 * places * places * d
    assert cost("text", d, 1) == (weights, 2 * 3 * products)


@pytest.mark.parametrize("run", [*of("text"), *of("text", "heldout"), *of("text", "smoke")], ids=lambda run: run.name)
def test_text_is_read_once_in_at_least_1000_steps(run: Run) -> None:
    assert run.steps >= 1000
    assert run.batch * 64 in (512, 1024)
    assert run.unique == run.steps * run.batch <= TRAINING_WINDOWS
    assert 0.59e6 <= run.samples <= 38.1e6


def test_text_meets_its_budgets() -> None:
    for run in [*of("text"), *of("text", "heldout")]:
        budget = float(run.grid.removeprefix("C"))
        assert abs(run.flops / budget - 1) < 0.01, run.name
    held = Counter((run.grid, label(run.width, run.depth)) for run in of("text", "heldout"))
    assert held == {(c, d): 1 for c in ("C3e13", "C1e14") for d in ("d96L4", "d128L4")}


def test_rounds_divide_the_steps() -> None:
    assert all(run.steps % run.rounds == 0 for run in RUNS)


def test_examples_are_used_evenly_and_drawn_by_the_seed() -> None:
    """Three and a half passes over 1,024 of 55,000 images: half of them come a fourth time."""
    one, two = [replace(run, steps=56) for run in of("images") if run.name.startswith("images-a-w1-U1024-")][:2]
    first, second = order(one, 55_000), order(two, 55_000)
    assert len(first) == 56 * 64 == 3.5 * 1024
    assert Counter(Counter(first.tolist()).values()) == {3: 512, 4: 512}
    assert list(first[:1024]) != list(first[1024:2048])
    assert len(set(first) & set(second)) < 100  # 19 are expected
    whole = order(of("text")[0], TRAINING_WINDOWS)
    assert len(set(whole)) == len(whole) == of("text")[0].unique


def test_smoke_runs_come_first_then_cheap_ones() -> None:
    smoke = [run for run in RUNS if run.smoke]
    assert RUNS[: len(smoke)] == smoke
    assert {(run.domain, run.width, run.unique * (64 if run.domain == "text" else 1)) for run in smoke} == {
        ("images", 1 / 4, 1024), ("images", 1 / 4, 4096), ("text", 16, 2**20), ("text", 24, 2**20), ("text", 32, 2**20),
    }  # fmt: skip
    rest = [run.seconds for run in RUNS[len(smoke) :]]
    assert rest == sorted(rest)


def test_learning_rates() -> None:
    assert [first_rate(width) for width in (16, 40, 128)] == [0.01, 0.01, 0.003125]
    run = next(run for run in of("text") if run.width == 64)
    needs = tuning_of(run, RUNS)
    assert len(needs) == 3
    losses = dict(zip(needs, (1.5, 1.4, 1.6), strict=True))
    rows = {name: {"loss": str(loss), "rate": f"0.00{place}"} for place, (name, loss) in enumerate(losses.items())}
    assert tuned(run, needs, rows) == 0.001
    given = of("images")[0]
    assert tuning_of(given, RUNS) == []
    assert tuned(given, [], {}) == given.rate


def test_the_list_is_printed_and_nothing_trained(tmp_path: object, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list", "--rows", f"{tmp_path}/rows", "--domain", "text", "--only", "C1e14"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:-1]] == [
        "text-tune-d96L4-r0.0021-s0", "text-tune-d96L4-r0.0042-s0", "text-tune-d96L4-r0.0083-s0",
        "text-tune-d128L4-r0.0016-s0", "text-tune-d128L4-r0.0031-s0", "text-tune-d128L4-r0.0063-s0",
        "text-C1e14-d128L4-T18832-s0", "text-C1e14-d96L4-T32480-s0",
    ]  # fmt: skip
    assert "8 runs, 0 done" in lines[-1]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--only", "d7L9"], "no run has d7L9 in its name"),
        (["--workers", "0"], "give 1 to 256"),
    ],
)
def test_bad_options(arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list", *arguments]) == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1
