"""Export real models to ONNX, and record what their own libraries say about them.

    python tests/exports/make.py [DIRECTORY] [NAME ...]     (default directory: build/exports)

Every model is built from its configuration with seeded random weights: nothing is downloaded. *All* parameters and
running statistics are randomised first, because exporters merge equal tensors and drop zero biases. For each export
`NAME.onnx` a sidecar `NAME.json` holds the counts of PyTorch or Keras; `--truth FILE` gathers the sidecars into one
file, as the `truth.json` beside this script. Files that exist are kept, so an interrupted run goes on where it stopped.

`execute.py` then runs the files with onnxruntime, and `saved.py` looks into what autograd saves.

Needs the extra `export` for PyTorch's models and the extra `keras` for those of Keras; cases whose library is not
installed are passed over. A torchvision whose compiled operators do not load (a CPU torch beside a CUDA torchvision)
still builds its models once the schemas of its two detection operators exist: `import_torchvision` defines them.
"""

from __future__ import annotations

import argparse
import json
import time
import traceback
from pathlib import Path
from typing import Any

from cases import Exportable, load
from onnx_file import histogram

ROOT = Path(__file__).resolve().parents[2]


def export(case: Exportable, path: Path) -> str:
    """Write one file unless it exists; the reason in one line where the exporter fails."""
    if path.exists():
        return ""
    unfinished = path.with_suffix(".part")
    try:
        case.export(unfinished)
    except Exception as error:
        traceback.print_exc()
        unfinished.unlink(missing_ok=True)
        return f"{type(error).__name__}: {reason(error)}"
    unfinished.rename(path)
    return ""


def reason(error: Exception) -> str:
    """The telling line of an error: the exporter's summary names its cause, else the first line."""
    found = [line.strip() for line in str(error).splitlines() if line.strip()] or [""]
    causes = [line for line in found if line.startswith("<class")]
    return (causes or found)[0][:240]


def statics(name: str, case: Exportable, directory: Path) -> list[dict[str, Any]]:
    """The exports without dynamic axes: their files, counts and failures."""
    rows = []
    for other, row, variant in case.variants(name):
        path = directory / f"{other}.onnx"
        failure = export(variant, path)
        rows.append({"file": path.name, **row, **({"failed": failure} if failure else {})})
    return rows


def make(name: str, case: Exportable, directory: Path) -> str:
    """Export one case and write its sidecar; the sidecar alone is written for an export that cannot be made."""
    path = directory / f"{name}.onnx"
    sidecar = path.with_suffix(".json")
    record = json.loads(sidecar.read_text()) if sidecar.exists() else {}
    known = str(record.get("export", {}).get("failed", ""))
    failure = known or export(case, path)
    if not record:
        exported = {"failed": failure} if failure else histogram(path)
        if case.invalid and not failure:
            exported["failed"] = case.invalid
        record = {"export": exported, **case.truth()}
        sidecar.write_text(json.dumps(record) + "\n")
    if not failure and "static" not in record and (found := statics(name, case, directory)):
        sidecar.write_text(json.dumps({**record, "static": found}) + "\n")
    return failure


def gather(directory: Path, order: list[str]) -> dict[str, Any]:
    """All sidecars of a directory in one object, the named ones first."""
    found = {path.stem: json.loads(path.read_text()) for path in sorted(directory.glob("*.json"))}
    names = sorted(found, key=lambda name: (order.index(name) if name in order else len(order), name))
    return {name: found[name] for name in names}


def lines(value: object, depth: int = 3) -> str:
    """JSON with one line per entry down to `depth`, rows of numbers on one line."""
    if depth and isinstance(value, dict):
        inner = [f"{json.dumps(key)}: {lines(item, depth - 1)}" for key, item in value.items()]
        return "{\n" + ",\n".join(inner) + "\n}" if depth > 1 else "{" + ", ".join(inner) + "}"
    if depth and isinstance(value, list) and value and isinstance(value[0], dict):
        return "[\n" + ",\n".join(json.dumps(item) for item in value) + "\n]"
    return json.dumps(value)


def main() -> None:
    """Make the exports named on the command line, or all whose library is installed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("directory", nargs="?", type=Path, default=ROOT / "build" / "exports")
    parser.add_argument("names", nargs="*", metavar="NAME", help="one of the cases in the folder cases")
    parser.add_argument("--truth", type=Path, help="gather the sidecars into this file")
    arguments = parser.parse_args()
    arguments.directory.mkdir(parents=True, exist_ok=True)
    cases = load()
    if unknown := set(arguments.names) - cases.keys():
        parser.error(f"no case is called {min(unknown)!r} (or its library is not installed)")
    for name in arguments.names or cases:
        start = time.monotonic()
        failure = make(name, cases[name], arguments.directory)
        print(f"{name:32} {failure or 'ok'} ({time.monotonic() - start:.0f} s)", flush=True)
    if arguments.truth:
        arguments.truth.write_text(lines(gather(arguments.directory, list(cases))) + "\n")


if __name__ == "__main__":
    main()
