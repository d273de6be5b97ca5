"""CPU time and peak memory of whole `scalecalc` processes, beside a floor measured in the same run.

    python benchmarks/speed/run.py [--runs 7] [--only WORD] [--check] [--save]

The floor is `python -c "import onnx, numpy, typer, rich"`. Floor and case alternate, and medians are compared, so that
a slow or busy machine changes both alike. CPU is user plus system time of the process. `--check` exits 1 where a limit
does not hold; `--save` writes results.json and results.md beside this script. Run it in the environment where
scalecalc is installed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
MODELS = ROOT / "build" / "speed"
PYTHON = sys.executable
FLOOR = [PYTHON, "-c", "import onnx, numpy, typer, rich"]
# an installed package has its bytecode; a checkout writes it on the first run, which is not counted
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
HEAVY = {"sympy", "scipy", "pydantic"}


@dataclass(frozen=True)
class Case:
    """One command, and what it may cost."""

    name: str
    arguments: Sequence[str]
    cpu_ratio: float | None = None  # x the floor
    cpu_seconds: float | None = None
    memory_above: float | None = None  # MB above the floor


@dataclass(frozen=True)
class Result:
    """Medians of one case and of the floor runs between its runs; seconds and MB (1e6 bytes)."""

    name: str
    cpu: float
    cpu_floor: float
    memory: float
    memory_floor: float
    broken: tuple[str, ...] = ()


def estimate(name: str, **limits: float) -> Case:
    """`estimate` on one of the generated models."""
    return Case(name, ["estimate", str(MODELS / f"{name}.onnx"), "--budget", "1e15"], **limits)


def inspect(name: str, **limits: float) -> Case:
    """`inspect` on one of the generated models."""
    return Case(name, ["inspect", str(MODELS / f"{name}.onnx")], **limits)


GPT2 = ROOT / "build" / "exports" / "gpt2.onnx"  # 507 nodes, batch and seq symbols; tests/exports/make.py writes it
EXPORTED = [
    Case(f"gpt2_{command}", [command, str(GPT2), *options], cpu_ratio=1.8)
    for command, options in (("inspect", []), ("estimate", ["--budget", "1e21"]), ("formula", []))
]
MANY_LAYERS = MODELS / "layers_100k.yaml"  # 100,000 residual layers, written as one that repeats
SPECS = [
    Case("spec_100k_layers_inspect", ["inspect", str(MANY_LAYERS)], cpu_ratio=1.8),
    Case("spec_100k_layers_estimate", ["estimate", str(MANY_LAYERS), "--budget", "1e21"], cpu_ratio=1.8),
    Case("gpt2_by_name", ["inspect", "gpt2"], cpu_ratio=1.8),
]
SEED = ["estimate", str(ROOT / "models" / "vision" / "seed_cnn.onnx"), "--budget", "1e15"]
CASES = [
    Case("help", ["--help"], cpu_seconds=0.25),
    Case("seed_cnn", SEED),
    *(EXPORTED if GPT2.exists() else []),
    *SPECS,
    estimate("weights_100MB", cpu_ratio=1.6, memory_above=60),
    estimate("weights_1500MB", cpu_ratio=1.6, memory_above=60),
    inspect("blocks_5k_shared", cpu_ratio=3),
    inspect("blocks_5k_distinct", cpu_ratio=3),
    *(estimate(f"chain_{n}k_{shapes}") for shapes in ("shared", "distinct") for n in (10, 30)),
    *(estimate(f"chain_100k_{shapes}", cpu_seconds=4) for shapes in ("shared", "distinct")),
]


def measure(command: Sequence[str]) -> tuple[float, float]:
    """CPU seconds and peak memory in MB of one process, its output thrown away.

    Linux carries the peak of the spawning process over into the new one: this script imports nothing big.
    """
    null = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    process = os.posix_spawnp(command[0], list(command), ENVIRONMENT, file_actions=null)
    _, status, usage = os.wait4(process, 0)
    if code := os.waitstatus_to_exitcode(status):
        raise SystemExit(f"{' '.join(command)}: exit {code}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e6


def compare(case: Case, runs: int) -> Result:
    """Alternate floor and case, after one run of each that fills the caches."""
    command = [PYTHON, "-m", "scalecalc", *case.arguments]
    pairs = [(measure(FLOOR), measure(command)) for _ in range(runs + 1)][1:]
    floors, cases = zip(*pairs, strict=True)
    cpu_floor, memory_floor = (median(column) for column in zip(*floors, strict=True))
    cpu, memory = (median(column) for column in zip(*cases, strict=True))
    broken = []
    if case.cpu_ratio and cpu > case.cpu_ratio * cpu_floor:
        broken.append(f"CPU above {case.cpu_ratio} x the floor")
    if case.cpu_seconds and cpu > case.cpu_seconds:
        broken.append(f"CPU above {case.cpu_seconds} s")
    if case.memory_above and memory > memory_floor + case.memory_above:
        broken.append(f"memory more than {case.memory_above} MB above the floor")
    return Result(case.name, cpu, cpu_floor, memory, memory_floor, tuple(broken))


def heavy_imports(arguments: Sequence[str]) -> set[str]:
    """Heavy packages a command imports."""
    command = [PYTHON, "-X", "importtime", "-m", "scalecalc", *arguments]
    log = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    modules = re.findall(r"^import time:.*\| +(\S+)$", log, re.MULTILINE)
    return HEAVY & {module.partition(".")[0] for module in modules}


def marginal(results: dict[str, Result], shapes: str) -> list[float]:
    """Microseconds of CPU per node from 10k to 30k, and from 30k to 100k nodes."""
    cpu = [results[f"chain_{n}k_{shapes}"].cpu for n in (10, 30, 100)]
    return [1e6 * (cpu[1] - cpu[0]) / 20_000, 1e6 * (cpu[2] - cpu[1]) / 70_000]


def markdown(results: Sequence[Result], notes: Sequence[str]) -> str:
    """The results as a table, the remarks under it."""
    head = "| case | CPU s | floor s | ratio | memory MB | floor MB | above MB | limits |\n"
    rule = "|---|" + "--:|" * 6 + "---|\n"
    rows = (
        f"| {r.name} | {r.cpu:.3f} | {r.cpu_floor:.3f} | {r.cpu / r.cpu_floor:.2f} | {r.memory:.0f} | "
        f"{r.memory_floor:.0f} | {r.memory - r.memory_floor:+.0f} | {'; '.join(r.broken) or 'hold'} |\n"
        for r in results
    )
    return head + rule + "".join(rows) + "".join(f"\n- {note}" for note in notes) + "\n"


def main() -> int:
    """Run the cases asked for and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=7, help="pairs per case")
    parser.add_argument("--only", default="", metavar="WORD", help="cases whose name contains this")
    parser.add_argument("--check", action="store_true", help="exit 1 where a limit does not hold")
    parser.add_argument("--save", action="store_true", help="write results.json and results.md")
    options = parser.parse_args()
    subprocess.run([PYTHON, str(HERE / "make_models.py"), str(MODELS)], check=True)
    results = {case.name: compare(case, options.runs) for case in CASES if options.only in case.name}
    failures = [f"{r.name}: {limit}" for r in results.values() for limit in r.broken]
    notes = [f"Python {platform.python_version()}, {os.cpu_count()} cores, medians of {options.runs} pairs."]
    if heavy := heavy_imports(SEED):
        failures.append(f"`estimate` imports {', '.join(sorted(heavy))}")
    notes.append(f"`estimate` imports {', '.join(sorted(heavy)) or 'none'} of {', '.join(sorted(HEAVY))}.")
    for shapes in ("shared", "distinct"):
        if all(f"chain_{n}k_{shapes}" in results for n in (10, 30, 100)):
            low, high = marginal(results, shapes)
            notes.append(f"CPU per node, {shapes} shapes: {low:.1f} us from 10k to 30k nodes, {high:.1f} us to 100k.")
            if high > 1.2 * low:
                failures.append(f"chains, {shapes} shapes: CPU per node grows more than 20 %")
    table = markdown(list(results.values()), notes)
    print(table)
    for failure in failures:
        print(f"does not hold: {failure}", file=sys.stderr)
    if options.save:
        (HERE / "results.md").write_text(table)
        record = {"results": [asdict(r) for r in results.values()], "notes": notes, "failures": failures}
        (HERE / "results.json").write_text(json.dumps(record, indent=1) + "\n")
    return int(options.check and bool(failures))


if __name__ == "__main__":
    raise SystemExit(main())
