"""What pictures share: a figure on no screen, scales one can read, a legend off the data, the same bytes every time."""

from __future__ import annotations

import io
import math
from importlib import import_module
from typing import Any

from scalecalc.calibrate.tape import Array
from scalecalc.errors import UsageError

BLACK, BLUE, ORANGE, GREY = "#222222", "#0072b2", "#d55e00", "#888888"
"""Told apart by everyone: Okabe and Ito's."""
SIZE, DPI = (7.0, 5.2), 160
ENDINGS = ("png", "svg")
STRETCHED = 3.0
"""A range of performances with such a ratio has a logarithmic scale."""
LIGHTEST = 0.88
"""Of viridis: lighter ones cannot be seen on white."""
SHORT = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"), (1.0, ""))


def needed() -> None:
    """Find matplotlib.

    Raises:
        UsageError: it is not installed.
    """
    _matplotlib("figure")


def _matplotlib(part: str) -> Any:
    try:
        return import_module(f"matplotlib.{part}")
    except ImportError:
        raise UsageError("pictures need matplotlib", where="--plot", todo="pip install 'scalecalc[plot]'") from None


def figure(x: str, y: str, title: str) -> tuple[Any, Any]:
    """A figure of its own and its axes.

    Raises:
        UsageError: matplotlib is not installed.
    """
    found = _matplotlib("figure").Figure(figsize=SIZE, layout="constrained")
    axes = found.add_subplot()
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.set_title(title, fontsize=11, loc="left")
    axes.grid(alpha=0.25, lw=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    return found, axes


def finished(figure: Any, axes: Any) -> Any:
    """With a legend below the axes, where it covers nothing."""
    if handles := axes.get_legend_handles_labels()[0]:
        longest = max(len(text) for text in axes.get_legend_handles_labels()[1])
        columns = min(len(handles), 3 if longest < 30 else 2)
        figure.legend(loc="outside lower center", ncols=columns, fontsize=8, frameon=False)
    return figure


def drawn(figure: Any) -> dict[str, bytes]:
    """A figure as files, by ending: the same bytes from the same figure."""
    found = {}
    with import_module("matplotlib").rc_context({"svg.hashsalt": "scalecalc"}):
        for ending in ENDINGS:
            file = io.BytesIO()
            figure.savefig(file, format=ending, dpi=DPI, metadata={"Date": None} if ending == "svg" else None)
            found[ending] = file.getvalue()
    return found


def logarithmic(axis: Any, low: float, high: float, powers: bool = False) -> None:
    """A logarithmic scale from low to high with ticks at powers of ten, and between where these are few.

    Args:
        axis: `axes.xaxis` or `axes.yaxis`.
        low, high: where it begins and ends.
        powers: 10^21 instead of 1B or 0.05.
    """
    ticker = import_module("matplotlib.ticker")
    along = axis.axis_name
    getattr(axis.axes, f"set_{along}scale")("log")
    getattr(axis.axes, f"set_{along}lim")(low, high)
    decades = math.log10(high / low)
    axis.axes.tick_params(axis=along, which="minor", length=2)
    digits = (1.0,) if decades > 3 else (1.0, 2.0, 5.0) if decades > 1.3 else (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0)
    axis.set_major_locator(ticker.LogLocator(subs=digits, numticks=12 if len(digits) == 1 else 40))
    axis.set_minor_formatter(ticker.NullFormatter())
    if powers:
        axis.set_major_formatter(ticker.LogFormatterSciNotation(minor_thresholds=(99, 99)))
    else:
        axis.set_major_formatter(ticker.FuncFormatter(lambda value, _: short(value)))


def short(value: float) -> str:
    """A value on an axis.

    >>> short(2e9), short(50_000), short(2.5), short(0.05), short(1e16)
    ('2B', '50k', '2.5', '0.05', '1e+16')
    """
    if value < 1e4:
        return f"{value:g}"
    size, unit = next(found for found in SHORT if value >= found[0] * 0.999)
    return f"{value / size:.3g}{unit}" if value < 1e15 else f"{value:.3g}"


def performances(axis: Any, *values: Array) -> None:
    """The scale of an axis for these values: logarithmic where they are far apart."""
    low, high = (min(float(v.min()) for v in values), max(float(v.max()) for v in values))
    if low > 0 and high / low > STRETCHED:
        margin = (high / low) ** 0.04
        logarithmic(axis, low / margin, high * margin)
    else:
        margin = 0.04 * (high - low) or 0.1 * abs(high) or 1.0
        getattr(axis.axes, f"set_{axis.axis_name}lim")(low - margin, high + margin)


def colours(low: float, high: float) -> tuple[Any, Any]:
    """A scale of colours for values that are far apart: what gives a value its place, and the colours."""
    shades = import_module("matplotlib.colors")
    parts = [k / 255 * LIGHTEST for k in range(256)]
    listed = shades.ListedColormap(import_module("matplotlib").colormaps["viridis"](parts), name="sizes")
    if low == high:
        low, high = low / 2, high * 2
    return shades.LogNorm(low, high), listed


def scale_beside(figure: Any, axes: Any, place: Any, shades: Any, label: str) -> None:
    """The scale of colours at the right."""
    shown = import_module("matplotlib.cm").ScalarMappable(place, shades)
    bar = figure.colorbar(shown, ax=axes, pad=0.02)
    logarithmic(bar.ax.yaxis, place.vmin, place.vmax)
    bar.set_label(label)
