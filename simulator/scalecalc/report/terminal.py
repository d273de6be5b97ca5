"""Blocks and tables on a terminal or in a text file."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import IO

from rich.console import Console, OverflowMethod
from rich.table import Table
from rich.text import Text

from scalecalc.report.blocks import Block, Row

LABEL_WIDTH = 18
PLAIN_WIDTH = 180
"""Width of text that goes to a file or a pipe, where nobody's terminal decides."""
NARROW = 140
"""Below this width a row of more than three cells is running text: a cut figure is worse than a wrapped one."""
WIDEST = 2000
"""The same for tables: a line per row, so that other programs can read them."""


def write(parts: Sequence[Table | Text], file: IO[str], width: int = PLAIN_WIDTH) -> None:
    """Print to a stream: colours and the terminal's width only where it is one (NO_COLOR is honoured)."""
    if file.isatty():
        console = Console(file=file, highlight=False)
        for part in parts:
            console.print(part)
        return
    plain = Console(file=io.StringIO(), width=width, color_system=None, force_terminal=False, highlight=False)
    with plain.capture() as captured:
        for part in parts:
            plain.print(part)
    file.writelines(f"{line.rstrip()}\n" for line in captured.get().splitlines())


def show_blocks(blocks: Sequence[Block], file: IO[str]) -> None:
    """Labels on the left, their rows aligned beside them."""
    parts: list[Table | Text] = []
    room = width_of(file)
    for number, block in enumerate(blocks):
        if number == 0 and len(block.label) > LABEL_WIDTH - 2:
            parts.append(_text(block.label, style="bold"))
            block.label = ""
        grid = Table.grid(padding=(0, 2), expand=False)
        grid.add_column(width=LABEL_WIDTH - 2, min_width=LABEL_WIDTH - 2, no_wrap=True)
        # a width that is given is not measured: tables inside would be measured again and again
        grid.add_column(overflow="fold", width=max(room - LABEL_WIDTH, 1))
        for index, body in enumerate(_bodies(block.rows, room)):
            grid.add_row(_text(block.label if index == 0 else "", style="bold"), body)
        parts.append(grid)
    write(parts, file)


def width_of(file: IO[str]) -> int:
    """Columns of the terminal, PLAIN_WIDTH where there is none."""
    return Console(file=file).width if file.isatty() else PLAIN_WIDTH


def _bodies(rows: Sequence[Row], room: int) -> list[Table | Text]:
    """Neighbouring rows of equal length share a grid; a row of one cell is running text."""
    bodies: list[Table | Text] = []
    width = 0
    for row in rows:
        if len(row) == 1 or (room < NARROW and len(row) > 3):
            bodies.append(_text(", ".join(row), overflow="fold"))
            width = 0
            continue
        if len(row) != width or not isinstance(bodies[-1], Table):
            grid = Table.grid(padding=(0, 2))
            for column in range(len(row)):
                grid.add_column(overflow="fold", no_wrap=column < (len(row) - 1 if room >= NARROW else 1))
            bodies.append(grid)
            width = len(row)
        table = bodies[-1]
        assert isinstance(table, Table)
        table.add_row(*(_text(cell, overflow="fold") for cell in row))
    return bodies


def show_table(
    columns: Sequence[str],
    rows: Sequence[Row],
    file: IO[str],
    *,
    right: Sequence[str] = (),
    footer: Row = (),
    gap: int = 4,
) -> None:
    """A table with a head, numbers to the right, a line of totals, and blanks between the columns."""
    table = Table(box=None, pad_edge=False, padding=(0, gap // 2), show_footer=bool(footer), header_style="bold")
    for index, column in enumerate(columns):
        foot = footer[index] if footer else ""
        table.add_column(
            _text(column), justify="right" if column in right else "left", overflow="fold", footer=_text(foot, "bold")
        )
    for row in rows:
        table.add_row(*(_text(cell) for cell in row))
    write([table], file, WIDEST)


def _text(content: str, style: str = "", *, overflow: OverflowMethod | None = None) -> Text:
    """Names come from files: whatever would move the cursor or change colours is shown as a question mark."""
    return Text("".join(c if c.isprintable() else "?" for c in content), style, overflow=overflow)
