"""Writes the generated pages of this folder, and the outputs the README shows: `python docs/generate.py`.

The tests compare them with its text. Run it in the root of a checkout.
"""

from __future__ import annotations

import io
import re
import shlex
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import typer

from scalecalc.cli import run
from scalecalc.cli.app import app
from scalecalc.laws import shipped
from scalecalc.ops import OPERATORS
from scalecalc.report.catalogues import show_laws, show_operators

HERE = Path(__file__).parent
OUTPUT = re.compile(r"(<!-- output: scalecalc (.+?) -->\n```\n)(.*?)(```\n)", re.DOTALL)
NOTE = "<!-- written by docs/generate.py -->\n\n"


def pages() -> dict[str, str]:
    """The text of every generated page, by file name."""
    laws, operators = io.StringIO(), io.StringIO()
    show_laws(shipped().values(), "markdown", laws)
    own = [o for o in OPERATORS.values() if (o.rule.__module__ or "").startswith("scalecalc.")]
    show_operators(sorted(own, key=lambda o: (o.domain, o.name)), "markdown", operators)
    intro = "`scalecalc laws show NAME` prints one with its constants, range and notes."
    return {
        "laws.md": f"{NOTE}# Laws\n\n{intro}\n\n{laws.getvalue()}",
        "datasets.md": f"{NOTE}# Data sets\n\n`estimate --dataset NAME` takes how many distinct samples there are.\n\n{_shown('datasets')}",
        "devices.md": f"{NOTE}# Devices\n\n`estimate --budget 8xNAME:3d` takes the dense peak rate.\n\n{_shown('devices')}",
        "operators.md": f"{NOTE}# Operators\n\n{operators.getvalue()}",
        "cli.md": f"{NOTE}# Command line\n\n" + "\n".join(_commands(typer.main.get_command(app), "scalecalc")),
    }


def _shown(catalogue: str) -> str:
    stream = io.StringIO()
    with redirect_stdout(stream):
        assert run([catalogue, "--format", "markdown"]) == 0
    return stream.getvalue()


def readme(text: str) -> str:
    """The README with what its commands print today."""

    def answer(shown: re.Match[str]) -> str:
        stream = io.StringIO()
        with redirect_stdout(stream):
            code = run(shlex.split(shown[2]))
        assert code == 0, shown[2]
        return shown[1] + stream.getvalue() + shown[4]

    return OUTPUT.sub(answer, text)


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


if __name__ == "__main__":
    for file, text in pages().items():
        (HERE / file).write_text(text, encoding="utf-8")
    page = HERE.parent / "README.md"
    page.write_text(readme(page.read_text(encoding="utf-8")), encoding="utf-8")
