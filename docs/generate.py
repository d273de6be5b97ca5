"""Writes the generated pages of this folder, and the outputs that others show: `python docs/generate.py`.

The tests compare them with its text. Run it in the root of a checkout.
"""

from __future__ import annotations

import io
import json
import re
import shlex
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import typer

from scalecalc.cli import run
from scalecalc.cli.app import application
from scalecalc.laws import shipped
from scalecalc.ops import OPERATORS
from scalecalc.report.catalogues import show_laws, show_operators

HERE = Path(__file__).parent
WITH_OUTPUTS = ("README.md", "docs/seed.md", "docs/calibration.md")
"""Written by hand but for what commands print."""
OUTPUT = re.compile(r"(<!-- output: scalecalc (.+?) -->\n```\n)(.*?)(```\n)", re.DOTALL)
EXPORTS = (
    "What PyTorch, Keras and JAX count themselves, and `-m exports` compares with what is counted here: "
    "multiply-accumulates of one forward run, trainable parameters."
)
MODELS = (
    "Known by name: `scalecalc estimate gpt2:xl --budget 1e21`. The tests assert each one's published totals; "
    "`scalecalc models NAME --spec` prints its file, with notes on what its source leaves open."
)
LAYERS = "What a [specification](specs.md) may list. An option that may be left out has a default or a question mark."
NOTE = "<!-- written by docs/generate.py -->"


def pages() -> dict[str, str]:
    """The text of every generated page, by file name."""
    laws, operators = io.StringIO(), io.StringIO()
    show_laws(shipped().values(), "markdown", laws)
    own = [o for o in OPERATORS.values() if (o.rule.__module__ or "").startswith("scalecalc.")]
    show_operators(sorted(own, key=lambda o: (o.domain, o.name)), "markdown", operators)
    commands = "\n".join(_commands(typer.main.get_command(application()), "scalecalc"))
    found = {
        "laws.md": (
            "Laws",
            "`scalecalc laws show NAME` prints one with its constants, range and notes.",
            laws.getvalue(),
        ),
        "datasets.md": ("Data sets", "`estimate --dataset NAME` takes its number of samples.", printed("datasets")),
        "devices.md": ("Devices", "`estimate --budget 8xNAME:3d` takes the dense peak rate.", printed("devices")),
        "models.md": ("Models", MODELS, printed("models")),
        "layers.md": ("Layers", LAYERS, printed("layers")),
        "exports.md": ("Exports", EXPORTS, exports()),
        "operators.md": ("Operators", "", operators.getvalue()),
        "cli.md": ("Command line", "", commands),
    }
    return {
        name: "\n\n".join(filter(None, (NOTE, f"# {title}", intro, text)))
        for name, (title, intro, text) in found.items()
    }


def exports() -> str:
    """What the tests compare with the frameworks' own counts, a line for each export."""
    truth = json.loads((HERE.parent / "tests" / "exports" / "truth.json").read_text(encoding="utf-8"))
    rows = []
    for name, entry in truth.items():
        export, first = entry["export"], (entry["counts"] or [{}])[0]
        producer = export.get("producer", "") or "pytorch"
        by = "TorchScript" if name.endswith(("_torchscript", "_torchscript_training")) else "dynamo"
        by = by if producer.startswith("pytorch") else producer.partition(" ")[0]
        sizes = ", ".join(f"{symbol} {size}" for symbol, size in first.get("sizes", {}).items())
        failed = f"not exported: {export['failed'].partition(': ')[0]}" if "failed" in export else ""
        more = len(entry["counts"]) - 1 + len(entry.get("static", ()))
        cells = (name, by, f"{entry['params']:,}", f"{first.get('forward_macs', 0):,}", sizes, str(more))
        rows.append(" | ".join((*cells, failed or entry.get("note", ""))))
    head = ["export | by | parameters | MACs | at | other sizes | remark", "--- | --- | --: | --: | --- | --: | ---"]
    return "".join(f"| {row} |\n" for row in [*head, *rows])


def printed(*arguments: str, form: str = "markdown") -> str:
    """What a command prints."""
    stream = io.StringIO()
    with redirect_stdout(stream):
        code = run([*arguments, *(["--format", form] if form else [])])
    assert code == 0, arguments
    return stream.getvalue()


def readme(text: str) -> str:
    """The README, or another page, with what its commands print today."""
    return OUTPUT.sub(lambda shown: shown[1] + printed(*shlex.split(shown[2]), form="") + shown[4], text)


def _commands(command: Any, path: str) -> Iterator[str]:
    """A section per command, its subcommands behind it."""
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option"]
    usage = " ".join([path, *(p.human_readable_name for p in arguments)])
    yield f"## {path}\n\n{(command.help or '').strip()}\n\n    {usage}{' [OPTIONS]' if options else ''}\n"
    if options:
        yield "| option | meaning |\n| --- | --- |"
        for option in options:
            names = ", ".join(f"`{name}`" for name in option.opts)
            value = f" {option.metavar}" if option.metavar else ""
            yield f"| {names}{value} | {option.help or ''}{' Required.' if option.required else ''} |"
        yield ""
    for name, inner in getattr(command, "commands", {}).items():
        yield from _commands(inner, f"{path} {name}")


def schema() -> str:
    """The JSON schema of specifications."""
    return printed("layers", "--schema", form="")


if __name__ == "__main__":
    for file, text in pages().items():
        (HERE / file).write_text(text, encoding="utf-8")
    (HERE / "spec.schema.json").write_text(schema(), encoding="utf-8")
    for file in WITH_OUTPUTS:
        page = HERE.parent / file
        page.write_text(readme(page.read_text(encoding="utf-8")), encoding="utf-8")
