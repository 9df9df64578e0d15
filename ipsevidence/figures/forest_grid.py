"""Where the columns of a forest plot stand: from the measured width of everything in them."""

import dataclasses
import itertools
from collections.abc import Iterator, Sequence
from typing import Final

from ipsevidence.figures.forest_columns import Column, Columns
from ipsevidence.figures.forest_lines import Line
from ipsevidence.figures.lettering import balance, width
from ipsevidence.figures.style import Style

__all__ = ["BOLD", "DOT", "INDENT", "Grid", "Place", "grid_for", "heading_lines", "neighbours"]

INDENT: Final = 7.0
"""How far the rows of a group stand in, in points."""

ACROSS: Final = frozenset({"heading", "note", "prediction"})
"""Lines whose words may go on over the other columns to the left of the axis, where these are empty there."""

BOLD: Final = frozenset({"heading", "total"})
"""Lines that are set bold."""

ACROSS_MOST: Final = 210.0
"""Lines that would need more room than this, in points, are wrapped: they ask for half of it."""

HEADING_MOST: Final = 66.0
OVER_MOST: Final = 110.0
"""Headings of one column, and over several, are wrapped from here, in points."""


DOT: Final = 1.3
"""Diameter of a dot, per point of the size of the text."""


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
    across : tuple of bool
        Of each line, whether its words may go on over the other columns to the left of the axis.
    """

    width: float
    left: tuple[Place, ...]
    right: tuple[Place, ...]
    plot: tuple[float, float]
    across: tuple[bool, ...]


def grid_for(columns: Columns, lines: Sequence[Line], style: Style) -> Grid:
    """Give each column the width of its content, names of studies what they need, the axis what is left.

    Names are wrapped rather than the axis squeezed below `Style.plot_min`; where even the other columns do not fit,
    the axis gives a third, and then the figure becomes wider.
    """
    left, right = columns.left, columns.right
    across = tuple(
        line.kind in ACROSS and not any(column.cells[index].strip() for column in left if column.key != "study")
        for index, line in enumerate(lines)
    )
    halves = {column.key: _halves(column, lines, across, style) for column in columns.all}
    widths = {column.key: _width(column, halves[column.key], style) for column in columns.all}
    for side in (left, right):
        _widen(side, widths, style)
    gaps = [_gap(one, other, style) for side in (left, right) for one, other in itertools.pairwise(side)]
    others = sum(size for key, size in widths.items() if key != "study")
    room = style.width - 2 * style.margin - others - sum(gaps) - 2 * style.gap
    at = [column.key for column in left].index("study")
    beside = sum(widths[column.key] for column in left[at + 1 :]) + sum(gaps[at : len(left) - 1])
    wanted = max(widths["study"], _across(lines, across, style) - beside)
    plot_min = style.plot_min
    if room - plot_min < min(wanted, style.label_min):
        plot_min = style.plot_min * 2 / 3
    label = max(min(wanted, room - plot_min), min(wanted, style.label_min))
    if label < widths["study"]:
        label = min(label, max(_wrapped(lines, across, label, style), _across(lines, across, style) - beside))
    plot = max(room - label, plot_min)
    widths["study"] = label
    first, x = _places(left, widths, halves, style, style.margin)
    ends = (x + style.gap, x + style.gap + plot)
    second, x = _places(right, widths, halves, style, ends[1] + style.gap)
    return Grid(width=x + style.margin, left=first, right=second, plot=ends, across=across)


def _places(
    side: Sequence[Column], widths: dict[str, float], halves: dict[str, tuple[float, float]], style: Style, x: float
) -> tuple[tuple[Place, ...], float]:
    """Return the places of columns side by side from `x`, and where the last of them ends."""
    places: list[Place] = []
    for index, column in enumerate(side):
        x += _gap(side[index - 1], column, style) if index else 0.0
        places.append(_place(column, x, widths[column.key], halves[column.key]))
        x += widths[column.key]
    return tuple(places), x


def _gap(one: Column, other: Column, style: Style) -> float:
    """Return the space between two columns: less where they belong together."""
    together = bool(one.heading.over) and one.heading.over == other.heading.over
    return style.gap * (0.2 if together and one.dots else 1.0)


def neighbours(side: Sequence[Column]) -> Iterator[tuple[int, int]]:
    """Yield first and last position of the columns that stand under one heading."""
    for over, found in itertools.groupby(range(len(side)), lambda index: side[index].heading.over):
        members = list(found)
        if over:
            yield members[0], members[-1]


def _widen(side: Sequence[Column], widths: dict[str, float], style: Style) -> None:
    """Make columns wider that are narrower than the heading over them."""
    for first, last in neighbours(side):
        members = side[first : last + 1]
        whole = sum(widths[column.key] for column in members)
        whole += sum(_gap(one, other, style) for one, other in itertools.pairwise(members))
        over = heading_lines(members[0].heading.over, style, room=max(whole, OVER_MOST))
        missing = max(width(line, style.size, bold=True) for line in over) - whole
        for column in members:
            widths[column.key] += max(missing, 0.0) / len(members)


def heading_lines(heading: str, style: Style, *, room: float = 0.0) -> tuple[str, ...]:
    """Return a heading in lines; a word that is a little too long is not broken."""
    longest = max((width(word, style.size, bold=True) for word in heading.split()), default=0.0)
    limit = max(HEADING_MOST, min(longest, 1.5 * HEADING_MOST), room) + 0.01
    return balance(heading, limit, style.size, bold=True, most=4)


def _halves(column: Column, lines: Sequence[Line], across: Sequence[bool], style: Style) -> tuple[float, float]:
    """Return the room that cells need before and from their anchor."""
    before, after = [0.0], [0.0]
    for cell, line, beyond in zip(column.cells, lines, across, strict=True):
        bold = line.kind in BOLD
        if column.key == "study" and beyond:
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
    names = [width(line, style.size, bold=True) for line in heading_lines(column.heading.name, style, room=sum(halves))]
    dot = DOT * style.size if column.dots else 0.0
    return max(sum(halves), *names, width(column.heading.unit, style.size), dot)


def _wrapped(lines: Sequence[Line], across: Sequence[bool], limit: float, style: Style) -> float:
    """Return the width of the widest name, in points, once all of them are wrapped to `limit`."""
    needed = [0.0]
    for line, beyond in zip(lines, across, strict=True):
        if not beyond:
            indent, bold = INDENT if line.indent else 0.0, line.kind in BOLD
            parts = balance(line.label, limit - indent, style.size, bold=bold, tail=line.sign)
            needed.append(indent + max(width(part, style.size, bold=bold) for part in parts))
    return max(needed)


def _across(lines: Sequence[Line], across: Sequence[bool], style: Style) -> float:
    """Return the room that lines which go on over the columns ask for."""
    needed = [0.0]
    for line, beyond in zip(lines, across, strict=True):
        if beyond:
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
    elif column.align == "center":
        anchor = (left + right) / 2
    else:
        anchor = left + (size - sum(halves)) / 2 + halves[0]
    return Place(left=left, right=right, anchor=anchor)
