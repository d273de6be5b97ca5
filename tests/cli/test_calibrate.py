"""`scalecalc calibrate` and `predict`: a law from runs, what it says, and what makes them refuse."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.judgement.learning_curves import curves, fitted
from tests.cli.conftest import Cli
from tests.cli.test_process import process


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """The points of E + A/N^alpha + B/D^beta with 2, 400, 2000, .35 and .37, without noise."""
    path = tmp_path / "runs.csv"
    rows = [(n, d, 2 + 400 / n**0.35 + 2000 / d**0.37) for n in (1e7, 1e8, 1e9) for d in (1e9, 1e10, 1e11)]
    path.write_text("params_total,tokens_seen,loss\n" + "".join(f"{n!r},{d!r},{y!r}\n" for n, d, y in rows))
    return path


def test_a_law_from_runs_and_back(cli: Cli, table: Path, tmp_path: Path) -> None:
    law = tmp_path / "fit.yaml"
    answer = cli("calibrate", table, "--law", "separable", "--draws", 40, "-o", law, "--format", "json")
    assert (answer.code, answer.err) == (0, "")
    found = {name: c["value"] for name, c in answer.json["law"]["coefficients"].items()}
    assert found == pytest.approx({"A": 400, "B": 2000, "E": 2, "alpha": 0.35, "beta": 0.37}, rel=1e-6)
    assert answer.json["fit"]["agreed"] > 70
    assert answer.json["runs"]["conventions"]["N"] == {"count": "total"}
    said = cli("predict", law, "--set", "N.total=1e9", "--set", "D=20B", "--format", "json").json
    assert said["value"] == pytest.approx(2 + 400 / 1e9**0.35 + 2000 / 2e10**0.37, rel=1e-9)
    assert said["inside_range"] is True
    assert said["interval"][0] == pytest.approx(said["value"], rel=1e-6)
    assert "separable-runs" in cli("laws", "show", law).out


def test_estimate_takes_the_law_with_its_interval(cli: Cli, tmp_path: Path) -> None:
    law = tmp_path / "fit.yaml"
    assert cli("calibrate", "@chinchilla", "--law", "separable", "--draws", 500, "-o", law).code == 0
    answer = cli("estimate", "gpt2", "--budget", "1e20", "--law", law, "--format", "json")
    assert answer.code == 0
    first = answer.json["predictions"][0]
    assert first["law"] == "separable-chinchilla"
    low, high = first["interval"]
    assert low < first["value"] < high
    # the interval is the one `predict` gives, and so are its parts
    bound = first["binding"]["variables"]
    at = [part for symbol in "ND" for part in ("--set", f"{symbol}={bound[symbol]['value']!r}")]
    point = cli("predict", law, *at, "--format", "json").json
    for key in ("value", "interval", "parts", "conformal", "freedom", "basis"):
        assert first[key] == pytest.approx(point[key]) if key != "basis" else first[key] == point[key]
    assert set(first["parts"]) == {"coefficients", "noise", "drift"}
    best = next(best for best in answer.json["optimal"] if best["law"] == "separable-chinchilla")
    assert best["params_interval"][0] < best["params"] < best["params_interval"][1]


def test_what_people_see(cli: Cli) -> None:
    answer = cli("calibrate", "@chinchilla", "--law", "separable", "--draws", 0)
    assert answer.code == 0
    for words in (
        "240 observations of 240 runs", "the 5 of 245 with the highest loss are left out", "total parameters",
        "huber, delta 0.001, summed", "75 of 75 at this optimum", "0.001018274018", "gradient", "condition",
        "477.826", "2143.42", "scalecalc predict",
    ):  # fmt: skip
        assert words in answer.out, words


def test_how_sure_a_prediction_is(cli: Cli, tmp_path: Path) -> None:
    law = tmp_path / "fit.yaml"
    arguments = ("calibrate", "@chinchilla", "--law", "separable", "--law", "joint", "--draws", 300)
    answer = cli(*arguments, "-o", law)
    assert "PREDICTION" in answer.out
    assert "100x its C" in answer.out
    assert "joint *" in answer.out
    shown = cli("predict", law, "--set", "N=1e11", "--set", "D=1e13").out
    for words in ("90 % interval", "coefficients + noise + form + drift", "PARTS", "300 resamples", "conformal"):
        assert words in shown, words
    rows = cli("predict", law, "--set", "N=1e11", "--set", "D=1e13", "--format", "csv").out
    for name in ("low", "high", "coefficients", "noise", "form", "drift", "conformal low"):
        assert f"\n{name}," in rows
    assert "drift" in cli("laws", "show", law).out
    found = cli(*arguments, "--format", "json").json
    assert [form["survives"] for form in found["forms"]] == [True, True]
    assert [step["factor"] for step in found["predictions"]] == [1, 10, 100]
    low, high = found["predictions"][2]["interval"]
    at = found["predictions"][2]["values"]
    again = cli("predict", law, *(part for s in "ND" for part in ("--set", f"{s}={at[s]!r}")), "--format", "json").json
    assert again["interval"] == pytest.approx([low, high], rel=1e-12)
    assert list(found["uncertainty"]["rivals"]) == ["separable"]


def test_an_average_of_forms_is_a_law(cli: Cli, tmp_path: Path) -> None:
    """The published learning curves' way: M2 and M3, a horizon of 2, the same numbers as the library's."""
    law = tmp_path / "average.yaml"
    curve = ("--where", "Domain=IC", "--where", "Task=bird_10", "--where", "Model=BiT/50/1", "--where", "Training=1")
    forms = ("--law", "alabdulmohsin-2022-m2", "--law", "alabdulmohsin-2022-m3")
    answer = cli(
        "calibrate", "@learning-curves", *curve, "--law", "ensemble", *forms, "--horizon", 2, "--draws", 60, "-o", law,
        "--format", "json",
    )  # fmt: skip
    assert answer.code == 0, answer.err
    assert len(answer.json["members"]) == 6
    assert sum(member["weight"] for member in answer.json["members"]) == pytest.approx(1)
    of = next(one for one in curves() if one.name == "IC bird_10 BiT/50/1")
    expected = fitted(of).interval({"D": np.array([5e8])}, count=60)
    found = cli("predict", law, "--set", "D=5e8", "--format", "json").json
    assert found["value"] == pytest.approx(expected.value[0], rel=1e-5)
    assert found["interval"] == pytest.approx([expected.low[0], expected.high[0]], rel=1e-3)
    assert set(found["parts"]) == {"coefficients", "noise", "form", "drift"}
    assert "alabdulmohsin-2022-m2^1" in cli("laws", "show", law).out


@pytest.mark.parametrize("option", [("--weights", "recency:2"), ("--residual", "raw"), ("--loss", "lad")])
def test_an_average_has_a_method_of_its_own(cli: Cli, table: Path, option: tuple[str, str]) -> None:
    answer = cli("calibrate", table, "--law", "ensemble", "--law", "separable", *option)
    assert answer.code == 2
    assert "recency weights of its own" in answer.err


def test_every_form_that_fits_is_ranked(cli: Cli, table: Path) -> None:
    answer = cli("calibrate", table, "--draws", 0, "--format", "json")
    names = [entry["form"] for entry in answer.json["forms"]]
    assert "separable" in names[:2]
    assert {"power", "power-floor", "exponential", "kaplan-2020-joint"} <= set(names)
    assert "larger" in answer.json["ranked_by"]
    first = answer.json["forms"][0]
    assert first["extrapolation"] < 1e-6
    assert all(entry["why_not"] for entry in answer.json["forms"] if entry["objective"] is None)


def test_formats(cli: Cli, table: Path) -> None:
    head = "coefficient,value,standard error,low,high,unit"
    assert cli("calibrate", table, "--law", "separable", "--draws", 0, "--format", "csv").out.startswith(head)
    assert cli("calibrate", table, "--law", "separable", "--draws", 0, "--format", "markdown").out.startswith("| coeff")
    assert cli("calibrate", table, "--law", "separable", "--draws", 0, "--format", "yaml").out.startswith("name: ")
    assert cli("predict", "besiroglu-2024", "--set", "N=1e9", "--set", "D=2e10", "--format", "csv").out.startswith(
        "quan"
    )


def test_held_and_tied(cli: Cli, table: Path) -> None:
    arguments = ("calibrate", table, "--law", "separable", "--draws", 0, "--format", "json")
    found = cli(*arguments, "--hold", "E=1.69", "--tie", "alpha=beta").json["law"]
    values = {name: c["value"] for name, c in found["coefficients"].items()}
    assert values["E"] == 1.69
    assert values["alpha"] == values["beta"]
    assert found["held"] == {"E": 1.69}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--hold", "Q=1"), "no coefficient 'Q'"),
        (("--hold", "E=x"), "'x' is no number"),
        (("--hold", "E"), "'E' is not NAME=VALUE"),
        (("--loss", "l3"), "no loss 'l3'"),
        (("--delta", "-1"), "a scale of -1"),
        (("--residual", "cube"), "no residual 'cube'"),
        (("--weights", "recency:x"), "no weights 'recency:x'"),
        (("--weights", "inverse-variance"), "no column has standard errors"),
        (("--drop-highest", "9"), "leaving out 9 of 9 runs leaves none"),
        (("--drop-highest", "6"), "3 runs for the 5 coefficients"),
        (("--draws", "-1"), "-1 draws"),
        (("--seed", "-1"), "a seed of -1"),
        (("--horizon", "0.5"), "a horizon of 0.5"),
        (("--workers", "0"), "0 workers"),
        (("--N-count", "all"), "no count 'all'"),
        (("--column", "N=M"), "has no column 'M'"),
        (("--where", "M=1"), "has no column 'M'"),
        (("-o", "fit.txt"), "'fit.txt' is no YAML file"),
        (("--format", "xml"), "no format 'xml'"),
    ],
)
def test_options_that_make_no_sense(cli: Cli, table: Path, arguments: tuple[str, ...], said: str) -> None:
    answer = cli("calibrate", table, "--law", "separable", *arguments)
    assert (answer.code, answer.out) == (2, "")
    assert said in answer.err
    assert answer.err.count("\n") == 1


def test_without_the_cluster_s_library(cli: Cli, table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    answer = cli("calibrate", table, "--law", "separable", "--cluster", "localhost:1")
    assert answer.code == 2
    assert "pip install 'scalecalc[cluster]'" in answer.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("besiroglu-2024", "--set", "X=1"), "takes no 'X'; it takes N, D"),
        (("besiroglu-2024", "--set", "N=1e9"), "D: no value"),
        (("besiroglu-2024", "--set", "N=-1", "--set", "D=1"), "no positive number"),
        (("besiroglu-2024", "--set", "N.totl=1e9", "--set", "D=1e9"), "no count 'totl'; did you mean total?"),
        (
            ("besiroglu-2024", "--set", "N.non_embedding=1e9", "--set", "D=1e9"),
            "non_embedding is given, the law counts total",
        ),
        (("seed-exponential", "--set", "C=2e15"), "the law ends at C = 1.854e+15 FLOP"),
        (("hofmann-2022",), "try hoffmann-2022"),
        (("missing.yaml",), "cannot be read"),
    ],
)
def test_points_that_are_refused(cli: Cli, arguments: tuple[str, ...], said: str) -> None:
    answer = cli("predict", *arguments)
    assert (answer.code, answer.out) == (2, "")
    assert said in answer.err
    assert answer.err.count("\n") == 1


def test_a_point_by_its_compute(cli: Cli) -> None:
    """D = 1e20/(6*1e9)."""
    at = ("--set", "N.total=1e9", "--set", "C.6N_total*D=1e20", "--format", "json")
    bound = cli("predict", "besiroglu-2024", *at).json["binding"]["variables"]["D"]
    assert bound["value"] == pytest.approx(1e20 / 6e9)
    assert (bound["status"], bound["how"]) == ("converted", "C/(6*N), N total")


def test_the_shell_sees_one_line_and_2(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    path.write_text("N,D,loss\n1e6,1e9,abc\n")
    run = process("calibrate", path)
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.strip() == f"scalecalc: {path}:2: loss is 'abc', no number; correct it"


def test_runs_that_are_held_out(cli: Cli, table: Path, tmp_path: Path) -> None:
    """Points that lie on the law but for one, 1 % above: they are predicted, and change nothing in the fit."""
    text = table.read_text().splitlines()
    beyond = [(n, d, (2 + 400 / n**0.35 + 2000 / d**0.37) * off) for n, d, off in ((1e10, 1e12, 1), (3e10, 3e12, 1.01))]
    rows = [f"{text[0]},part", *(f"{line},fit" for line in text[1:]), *(f"{n},{d},{y!r},held" for n, d, y in beyond)]
    path = tmp_path / "parts.csv"
    path.write_text("\n".join(rows))
    arguments = ("calibrate", path, "--law", "separable", "--draws", 40, "--held-out", "part=held")
    found = cli(*arguments, "--format", "json").json
    alone = cli("calibrate", table, "--law", "separable", "--draws", 40, "--format", "json").json
    assert found["law"]["coefficients"] == alone["law"]["coefficients"]
    assert found["runs"]["fitted"] == 9
    held = found["held_out"]
    assert held["observations"] == 2
    assert held["rms"] == pytest.approx(0.00995033 / 2**0.5, rel=1e-4)  # log 1.01
    first, second = held["runs"]
    assert first["law"] == pytest.approx(beyond[0][2], rel=1e-9)
    assert second["law"] == pytest.approx(beyond[1][2] / 1.01, rel=1e-9)
    assert second["interval"][0] <= second["law"] <= second["interval"][1]
    assert alone["held_out"] is None
    said = cli(*arguments).out
    assert "2 observations, not fitted: off by 0.7 % (root mean square), 1 % at most" in said


@pytest.mark.parametrize(("condition", "said"), [("part=x", "no column 'part'"), ("loss", "is not NAME=VALUE")])
def test_nothing_to_hold_out(cli: Cli, table: Path, condition: str, said: str) -> None:
    answer = cli("calibrate", table, "--held-out", condition)
    assert (answer.code, answer.out, answer.err.count("\n")) == (2, "", 1)
    assert said in answer.err


def test_everything_held_out(cli: Cli, table: Path) -> None:
    table.write_text("\n".join(f"{line},{'part' if k == 0 else 1}" for k, line in enumerate(table.read_text().split())))
    answer = cli("calibrate", table, "--held-out", "part=1")
    assert (answer.code, answer.err.count("\n")) == (2, 1)
    assert "every row is held out" in answer.err
