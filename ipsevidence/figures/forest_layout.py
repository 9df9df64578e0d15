"""The layout of a forest plot: every text and every line gets its place before anything is drawn.

Lengths are in points, from the left and from the top.
"""

import dataclasses
import math
from collections.abc import Iterator, Sequence
from typing import Final, Literal

from ipsevidence.figures.forest_axis import Axis, axis_for
from ipsevidence.figures.forest_columns import Column, Columns, columns_for
from ipsevidence.figures.forest_content import Content, Favours
from ipsevidence.figures.forest_grid import (
    BOLD,
    DOT,
    INDENT,
    Grid,
    Place,
    grid_for,
    heading_lines,
    neighbours,
)
from ipsevidence.figures.forest_lines import Line
from ipsevidence.figures.forest_scale import Scale
from ipsevidence.figures.lettering import balance, clean, fit, width, wrap
from ipsevidence.figures.style import Style

__all__ = ["TICK", "Dot", "Layout", "Row", "Words", "baseline", "layout_for"]

TICK: Final = 3.0
"""Length of a tick."""

LABEL_LINES: Final = 4
"""The most lines of one label."""

CAPITAL: Final = 0.688
"""Height of a capital letter of the font, per point of its size."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """A dot behind a sign: its middle, its diameter, and its colour by position in `Palette.bias`."""

    x: float
    y: float
    size: float
    colour: int


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """One line of text: where its baseline starts (or ends, or has its middle), and how it looks."""

    key: str
    text: str
    x: float
    y: float
    size: float
    align: Literal["left", "right", "center"] = "left"
    bold: bool = False
    quiet: bool = False


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line in its place: its label in lines, its top and its height, and the middle of its first line."""

    line: Line
    label: tuple[str, ...]
    top: float
    height: float
    middle: float


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Everything in its place.

    Attributes
    ----------
    width, height : float
        Size of the figure.
    plot : tuple of float
        Left and right end of the effect axis.
    rule, top, bottom : float
        The rule under the headings, the top of the plot, and the axis.
    rules : tuple of (float, float, float)
        Rules under headings that span columns: from, to, and how far down.
    dots : tuple of Dot
        Dots of risk of bias.
    rows : tuple of Row
        The lines of the plot.
    axis : Axis
        Limits and ticks.
    null : float
        Where no effect stands; nan where the measure has no such value.
    words : tuple of Words
        All text but the labels of the ticks.
    style : Style
        The style as it was used, with the numerals for the measure.
    """

    width: float
    height: float
    plot: tuple[float, float]
    rule: float
    top: float
    bottom: float
    rows: tuple[Row, ...]
    axis: Axis
    null: float
    words: tuple[Words, ...]
    rules: tuple[tuple[float, float, float], ...]
    dots: tuple[Dot, ...]
    style: Style

    @property
    def lines(self) -> tuple[Line, ...]:
        """The lines of the plot."""
        return tuple(row.line for row in self.rows)

    def x(self, value: float) -> float:
        """Return where a value of the axis stands, in points from the left."""
        start, end = self.plot
        return start + (value - self.axis.low) / (self.axis.high - self.axis.low) * (end - start)


def layout_for(content: Content, style: Style, *, arms: tuple[str, str], favours: Favours) -> Layout:
    """Lay out a forest plot; one that would be higher than a page is set tight.

    Parameters
    ----------
    content : Content
        What is shown.
    style : Style
        How.
    arms : tuple of str
        What the two arms are called.
    favours : tuple of str or None
        What stands under the axis, or above the plot, to the left and to the right of no effect.

    Returns
    -------
    Layout
    """
    numerals = dataclasses.replace(style.numerals, ratio=Scale(content.measure).ratio)
    style = dataclasses.replace(style, numerals=numerals)
    layout = _layout(content, style, arms, favours)
    return layout if layout.height <= style.page else _layout(content, style.tight(), arms, favours)


def _layout(content: Content, style: Style, arms: tuple[str, str], favours: Favours) -> Layout:
    scale = Scale(content.measure)
    lines = content.lines(style)
    columns = columns_for(style.columns, content, lines, style, arms)
    grid = grid_for(columns, lines, style)
    spans = [line.span for line in lines if line.span is not None]
    axis = axis_for(
        spans,
        null=scale.null,
        limits=scale.limits,
        length=grid.plot[1] - grid.plot[0],
        pad=style.square,
        numerals=style.numerals,
        size=style.small,
    )
    null = _null(axis, grid, scale.null)
    head = _head(columns, grid, style)
    above: list[Words] = []
    rule = head.bottom
    if favours and style.words.above:
        above, y = _sides(favours, null, rule + style.small, grid.width, style)
        rule = y + 3.5
    rows = tuple(_rows(lines, columns.left, grid, style, top=rule + 4.0))
    rows = _even(rows, style) if content.even else rows
    bottom = rows[-1].top + rows[-1].height + 4.0
    places = (*grid.left, *grid.right)
    layout = Layout(
        width=grid.width,
        height=0.0,
        plot=grid.plot,
        rule=rule,
        top=rule + 2.0,
        bottom=bottom,
        rows=rows,
        axis=axis,
        null=scale.null,
        words=(),
        rules=head.rules,
        dots=tuple(_dots(rows, columns.all, places, style)),
        style=style,
    )
    under, y = _under(layout, style, scale, columns, None if above else favours)
    clipped = any(any(axis.clips(span)) for span in spans)
    paragraphs = content.foot(style, clipped=clipped, legend=columns.legend)
    small, y = _foot(paragraphs, layout, style, top=y)
    cells = (*_cells(rows, columns.all, places, style), *_reasons(rows, columns, grid, null, style))
    words = (*head.words, *above, *cells, *under, *small)
    return dataclasses.replace(layout, height=y + style.margin, words=words)


def _null(axis: Axis, grid: Grid, null: float) -> float:
    """Return where no effect stands, in points from the left."""
    return grid.plot[0] + (null - axis.low) / (axis.high - axis.low) * (grid.plot[1] - grid.plot[0])


def baseline(middle: float, size: float) -> float:
    """Return the baseline of text whose capitals and digits have their middle at `middle`."""
    return middle + CAPITAL * size / 2


Align = Literal["left", "right", "center"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Head:
    """The headings: names on one baseline, units below; what spans columns above, with a rule of its own."""

    words: tuple[Words, ...]
    rules: tuple[tuple[float, float, float], ...]
    bottom: float


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Stack:
    """The heading of a column, or one over several: where it stands, its lines from above, how many are below it."""

    key: str
    lines: tuple[str, ...]
    align: Align
    x: float
    unit: str = ""
    below: int = 0
    rule: tuple[float, float] | None = None


def _stacks(columns: Columns, grid: Grid, style: Style) -> list[_Stack]:
    """Return all headings, those over several columns last."""
    places = (*grid.left, *grid.right)
    plot = Place(left=grid.plot[0], right=grid.plot[1], anchor=grid.plot[0])
    found = [
        (column.key, column.heading, place, *_heading_place(column, place))
        for column, place in zip(columns.all, places, strict=True)
    ]
    found.append(("plot", columns.plot, plot, "center", (plot.left + plot.right) / 2))
    stacks = []
    for key, heading, place, align, x in found:
        lines = heading_lines(heading.name, style, room=place.right - place.left)
        stacks.append(_Stack(key=f"heading-{key}", lines=lines, align=align, x=x, unit=heading.unit))
    spans = [(first, last) for first, last in neighbours(columns.left)]
    spans += [(first + len(columns.left), last + len(columns.left)) for first, last in neighbours(columns.right)]
    spans += [(len(places), len(places))] if columns.plot.over else []
    for first, last in spans:
        left, right = found[first][2].left, found[last][2].right
        stacks.append(
            _Stack(
                key=f"over-{found[first][0]}",
                lines=heading_lines(found[first][1].over, style, room=right - left),
                align="center",
                x=(left + right) / 2,
                below=max(len(stack.lines) for stack in stacks[first : last + 1]),
                rule=(left, right) if last > first else None,
            )
        )
    return stacks


def _head(columns: Columns, grid: Grid, style: Style) -> _Head:
    """Place the headings, and what spans columns above them."""
    stacks = _stacks(columns, grid, style)
    apart = 3.0 if any(stack.rule for stack in stacks) else 0.0
    last = style.margin + max(len(stack.lines) + stack.below for stack in stacks) * style.leading + apart
    words, rules = [], []
    for stack in stacks:
        y = last - stack.below * style.leading - (apart if stack.rule else 0.0)
        if stack.rule:
            rules.append((*stack.rule, y + 0.5))
        texts = [(f"{stack.key}-{number}", text, True) for number, text in enumerate(stack.lines)]
        texts.append((stack.key.replace("heading", "unit"), stack.unit, False))
        for number, (key, text, bold) in enumerate(texts):
            down = y - (len(stack.lines) - 1 - number) * style.leading - 2.0
            if text:
                words.append(
                    Words(key=key, text=text, x=stack.x, y=down, size=style.size, align=stack.align, bold=bold)
                )
    unit = style.leading if any(stack.unit for stack in stacks) else 0.0
    return _Head(words=tuple(words), rules=tuple(rules), bottom=last + unit + 2.0)


def _heading_place(column: Column, place: Place) -> tuple[Align, float]:
    if column.align == "left":
        return "left", place.left
    if column.align == "right":
        return "right", place.right
    return "center", (place.left + place.right) / 2


def _sides(favours: tuple[str, str], null: float, y: float, total: float, style: Style) -> tuple[list[Words], float]:
    """Place the two directions left and right of no effect, from a baseline down; return the last baseline too."""
    space, deepest, words = style.small / 2, 0, []
    texts = (f"\u2190 {clean(favours[0], most=120)}", f"{clean(favours[1], most=120)} \u2192")
    rooms = (null - space - style.margin, total - style.margin - null - space)
    aligns: tuple[Align, Align] = ("right", "left")
    for side, (text, room, align) in enumerate(zip(texts, rooms, aligns, strict=True)):
        x = null - space if side == 0 else null + space
        for number, part in enumerate(wrap(text, max(room, style.small) + 0.01, style.small)):
            deepest = max(deepest, number)
            down = y + number * style.small_leading
            words.append(Words(key=f"favours-{side}-{number}", text=part, x=x, y=down, size=style.small, align=align))
    return words, y + deepest * style.small_leading


def _rows(lines: Sequence[Line], left: Sequence[Column], grid: Grid, style: Style, *, top: float) -> Iterator[Row]:
    """Stack the lines; each is as high as its label needs."""
    at = [column.key for column in left].index("study")
    place, edge = grid.left[at], grid.left[-1].right
    for line, beyond in zip(lines, grid.across, strict=True):
        small = line.kind == "note"
        size, leading = (style.small, style.small_leading) if small else (style.size, style.leading)
        limit = (edge if beyond else place.right) - place.left - (INDENT if line.indent else 0.0)
        most = 0 if small else LABEL_LINES
        label = (wrap if small else balance)(
            line.label, max(limit, size) + 0.01, size, bold=line.kind in BOLD, most=most, tail=line.sign
        )
        first = leading if small else style.row
        top += line.space * style.row
        height = first + (len(label) - 1) * leading
        yield Row(line=line, label=label, top=top, height=height, middle=top + first / 2)
        top += height


def _even(rows: tuple[Row, ...], style: Style) -> tuple[Row, ...]:
    """Give all rows the height of the highest, with their middles half way down."""
    height = style.row + 2 * (max(len(row.label) for row in rows) - 1) * style.leading
    tops = [rows[0].top + number * height for number in range(len(rows))]
    return tuple(
        dataclasses.replace(row, top=top, height=height, middle=top + height / 2)
        for row, top in zip(rows, tops, strict=True)
    )


def _cells(rows: Sequence[Row], columns: Sequence[Column], places: Sequence[Place], style: Style) -> Iterator[Words]:
    for index, row in enumerate(rows):
        line, bold = row.line, row.line.kind in BOLD
        small = line.kind == "note"
        size, leading = (style.small, style.small_leading) if small else (style.size, style.leading)
        for column, place in zip(columns, places, strict=True):
            key = f"line-{index}-{column.key}"
            if column.key == "study":
                x = place.left + (INDENT if line.indent else 0.0)
                for number, text in enumerate(row.label):
                    y = baseline(row.middle + number * leading, size)
                    yield Words(key=f"{key}-{number}", text=text, x=x, y=y, size=size, bold=bold, quiet=small)
            elif column.cells[index].strip():
                yield _cell(column, place, index, key, baseline(row.middle, size), size, bold=bold)


def _cell(column: Column, place: Place, index: int, key: str, y: float, size: float, *, bold: bool) -> Words:
    """Place a cell; one that lines up on a character starts so that this stands at the anchor."""
    text = column.cells[index]
    if column.align == "right":
        return Words(key=key, text=text, x=place.anchor, y=y, size=size, align="right", bold=bold)
    if column.align == "left":
        return Words(key=key, text=text, x=place.anchor, y=y, size=size, bold=bold)
    if column.align == "center":
        return Words(key=key, text=text, x=place.anchor, y=y, size=size, align="center", bold=bold)
    head, sign, tail = text.partition(column.align)
    if not head:
        x = place.anchor + width(sign, size, bold=bold)
        return Words(key=key, text=tail, x=x, y=y, size=size, bold=bold)
    x = place.anchor - width(head, size, bold=bold)
    return Words(key=key, text=text.strip() if tail else head, x=x, y=y, size=size, bold=bold)


def _reasons(rows: Sequence[Row], columns: Columns, grid: Grid, null: float, style: Style) -> Iterator[Words]:
    """Write why a row has no estimate where its interval would be, on the wider side of the line at no effect.

    To the right it may go on over columns that are empty in this row.
    """
    start, space = grid.plot[0], style.small / 2
    for index, row in enumerate(rows):
        if not row.line.reason or row.line.span is not None:
            continue
        full = (place.left for column, place in zip(columns.right, grid.right, strict=True) if column.cells[index])
        end = min(full, default=grid.width - style.margin + style.gap) - style.gap
        sides = [(end - start, start)]
        if not math.isnan(null):
            sides = [(null - space - start, start), (end - null - space, null + space)]
        room, x = max(sides)
        text = fit(row.line.reason, room, style.small)
        y = baseline(row.middle, style.small)
        yield Words(key=f"line-{index}-reason", text=text, x=x, y=y, size=style.small, quiet=True)


def _dots(rows: Sequence[Row], columns: Sequence[Column], places: Sequence[Place], style: Style) -> Iterator[Dot]:
    for column, place in zip(columns, places, strict=True):
        for row, colour in zip(rows, column.dots, strict=False):
            if colour >= 0:
                yield Dot(x=place.anchor, y=row.middle, size=DOT * style.size, colour=colour)


def _under(layout: Layout, style: Style, scale: Scale, columns: Columns, favours: Favours) -> tuple[list[Words], float]:
    """Place the name of the axis, if it does not stand above, and the directions under the labels of the ticks."""
    y = layout.bottom + TICK + 2.0 + style.small
    words: list[Words] = []
    label = clean(scale.label, most=60)
    label = label[:1].upper() + label[1:] + (" (log scale)" if scale.ratio else "")
    middle = sum(layout.plot) / 2
    if not columns.plot.name:
        y += style.small_leading + 1.5
        words.append(Words(key="axis-name", text=label, x=middle, y=y, size=style.small, align="center"))
    if favours is None:
        return words, y
    under, y = _sides(favours, layout.x(layout.null), y + style.small_leading + 1.5, layout.width, style)
    return [*words, *under], y


def _foot(paragraphs: Sequence[str], layout: Layout, style: Style, *, top: float) -> tuple[list[Words], float]:
    words, y = [], top + 6.0
    for number, paragraph in enumerate(paragraphs):
        for part, text in enumerate(wrap(paragraph, layout.width - 2 * style.margin, style.small)):
            y += style.small_leading
            key = f"foot-{number}-{part}"
            words.append(Words(key=key, text=text, x=style.margin, y=y, size=style.small, quiet=True))
        y += 1.5
    return words, y + 1.0
