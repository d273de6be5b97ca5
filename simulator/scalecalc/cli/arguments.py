"""Arguments and options several commands take."""

from __future__ import annotations

from typing import Annotated

import typer

KINDS = "An ONNX file, a YAML specification, a Keras file, - for stdin, or a name such as gpt2:xl"
"""What a model may be."""

Model = Annotated[
    str,
    typer.Argument(metavar="MODEL", help=f"{KINDS}.", show_default=False),
]
Models = Annotated[
    list[str],
    typer.Argument(
        metavar="MODEL",
        help=f"{KINDS}; several ONNX files are one model.",
        show_default=False,
    ),
]
Join = Annotated[
    list[str] | None, typer.Option("--join", metavar="OUTPUT=INPUT", help="What feeds what between several files.")
]
Set = Annotated[list[str] | None, typer.Option("--set", metavar="NAME=SIZE", help="Size of a symbol, such as seq=512.")]
Shape = Annotated[
    list[str] | None, typer.Option("--shape", metavar="INPUT=D,D,..", help="Shape of an input, instead of the file's.")
]
Task = Annotated[str | None, typer.Option("--task", help="What the model is for, where the guess is wrong.")]
Sample = Annotated[
    str | None, typer.Option("--sample", help="What one sample is: example, token, or second of audio (second@8000).")
]
Explain = Annotated[
    str | None, typer.Option("--explain", metavar="QUANTITY", help="Where a figure comes from, such as macs or params.")
]
Form = Annotated[str, typer.Option("--format", metavar="FORM", help="table, json, csv or markdown.")]
Output = Annotated[str | None, typer.Option("--output", "-o", metavar="FILE", help="Write there instead of stdout.")]
Strict = Annotated[bool, typer.Option("--strict", help="Exit 3 if anything is missing or assumed.")]
