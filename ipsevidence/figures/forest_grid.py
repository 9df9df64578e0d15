"""Where the columns of a forest plot stand: from the measured width of everything in them."""

import dataclasses
from collections.abc import Sequence
from typing import Final

from ipsevidence.figures.forest_columns import Column
from ipsevidence.figures.forest_lines import Line
from ipsevidence.figures.lettering import balance, width, wrap
from ipsevidence.figures.style import Style

__all__ = ["ACROSS", "BOLD", "INDENT", "Grid", "Place", "grid_for", "heading_lines"]

INDENT: Final = 7.0
"""How far the rows of a group stand in, in points."""

ACROSS: Final = frozenset({"heading", "note", "prediction"})
"""Lines whose words may go on over the other columns to the left of the axis, which are empty there."""

BOLD: Final = frozenset({"heading", "total"})
"""Lines that are set bold."""

ACROSS_MOST: Final = 210.0
"""Lines that would need more room than this, in points, are wrapped: they ask for half of it."""

HEADING_MOST: Final = 66.0
"""Headings are wrapped from here, in points."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a column stands, in points from the left; `anchor` is where its cells line up."""

    left: float
    right: float
    anchor: float


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Where everything stands from left to right, in points.

    Attributes
    ----------
    width : float
        Width of the figure.
    left, right : tuple of Place
        The columns on either side of the effect axis.
    plot : tuple of float
        Left and right end of the effect axis.
    """

    width: float
    left: tuple[Place, ...]
    right: tuple[Place, ...]
    plot: tuple[float, float]


def grid_for(left: Sequence[Column], right: Sequence[Column], lines: Sequence[Line], style: Style) -> Grid:
    """Give each column the width of its content, names of studies what they need, the axis what is left.

    Names are wrapped rather than the axis squeezed below `Style.plot_min`; where even the other columns do not fit,
    the axis gives a third, and then the figure becomes wider.
    """
    halves = {column.key: _halves(column, lines, style) for column in (*left, *right)}
    widths = {column.key: _width(column, halves[column.key], style) for column in (*left, *right)}
    others = sum(size for key, size in widths.items() if key != "study")
    room = style.width - 2 * style.margin - others - style.gap * (len(left) + len(right))
    behind = [column.key for column in left[[column.key for column in left].index("study") + 1 :]]
    beside = sum(widths[key] + style.gap for key in behind)
    wanted = max(widths["study"], _across(lines, style) - beside)
    plot_min = style.plot_min
    if room - plot_min < min(wanted, style.label_min):
        plot_min = style.plot_min * 2 / 3
    label = max(min(wanted, room - plot_min), min(wanted, style.label_min))
    if label < widths["study"]:
        label = min(label, max(_wrapped(lines, label, style), _across(lines, style) - beside))
    plot = max(room - label, plot_min)
    widths["study"] = label
    x, places = style.margin, []
    for column in left:
        places.append(_place(column, x, widths[column.key], halves[column.key]))
        x += widths[column.key] + style.gap
    ends = (x, x + plot)
    x = ends[1] + style.gap
    for column in right:
        places.append(_place(column, x, widths[column.key], halves[column.key]))
        x += widths[column.key] + style.gap
    total = x - style.gap + style.margin
    return Grid(width=total, left=tuple(places[: len(left)]), right=tuple(places[len(left) :]), plot=ends)


def heading_lines(column: Column, style: Style) -> tuple[str, ...]:
    """Return the heading of a column in lines; a word that is a little too long is not broken."""
    longest = max((width(word, style.size, bold=True) for word in column.heading.split()), default=0.0)
    return wrap(column.heading, max(HEADING_MOST, min(longest, 1.5 * HEADING_MOST)), style.size, bold=True, most=4)


def _halves(column: Column, lines: Sequence[Line], style: Style) -> tuple[float, float]:
    """Return the room that cells need before and from their anchor."""
    before, after = [0.0], [0.0]
    for cell, line in zip(column.cells, lines, strict=True):
        bold = line.kind in BOLD
        if column.key == "study" and line.kind in ACROSS:
            continue
        if column.align in "/ ":
            head, sign, tail = cell.partition(column.align)
            before.append(width(head, style.size, bold=bold))
            after.append(width(sign + tail, style.size, bold=bold))
        else:
            indent = INDENT if line.indent and column.key == "study" else 0.0
            after.append(indent + width(cell, style.size, bold=bold))
    return max(before), max(after)


def _width(column: Column, halves: tuple[float, float], style: Style) -> float:
    names = [width(line, style.size, bold=True) for line in heading_lines(column, style)]
    return max(sum(halves), *names, width(column.unit, style.size))


def _wrapped(lines: Sequence[Line], limit: float, style: Style) -> float:
    """Return the width of the widest name, in points, once all of them are wrapped to `limit`."""
    needed = [0.0]
    for line in lines:
        if line.kind not in ACROSS:
            indent, bold = INDENT if line.indent else 0.0, line.kind in BOLD
            parts = balance(line.label, limit - indent, style.size, bold=bold, tail=line.sign)
            needed.append(indent + max(width(part, style.size, bold=bold) for part in parts))
    return max(needed)


def _across(lines: Sequence[Line], style: Style) -> float:
    """Return the room that lines which go on over the columns ask for."""
    needed = [0.0]
    for line in lines:
        if line.kind in ACROSS:
            size = style.small if line.kind == "note" else style.size
            whole = width(line.label, size, bold=line.kind in BOLD) + (INDENT if line.indent else 0.0)
            needed.append(whole if whole <= ACROSS_MOST else min(0.55 * whole, ACROSS_MOST))
    return max(needed)


def _place(column: Column, left: float, size: float, halves: tuple[float, float]) -> Place:
    right = left + size
    if column.align == "left":
        anchor = left
    elif column.align == "right":
        anchor = right
    else:
        anchor = left + (size - sum(halves)) / 2 + halves[0]
    return Place(left=left, right=right, anchor=anchor)
