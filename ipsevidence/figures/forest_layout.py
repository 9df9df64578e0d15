"""The layout of a forest plot: every text and every line gets its place before anything is drawn.

Lengths are in points, from the left and from the top.
"""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final, Literal

from ipsevidence.figures.forest_axis import Axis, axis_for
from ipsevidence.figures.forest_columns import Column, columns_for
from ipsevidence.figures.forest_foot import foot
from ipsevidence.figures.forest_grid import ACROSS, BOLD, INDENT, Grid, Place, grid_for, heading_lines
from ipsevidence.figures.forest_lines import Line, forest_lines
from ipsevidence.figures.forest_scale import Scale
from ipsevidence.figures.lettering import balance, clean, width, wrap
from ipsevidence.figures.numbers import Numerals
from ipsevidence.figures.style import Style

if TYPE_CHECKING:
    from ipsevidence.analysis.running import AnalysisRun

__all__ = ["TICK", "Layout", "Row", "Words", "baseline", "layout_for"]

TICK: Final = 3.0
"""Length of a tick."""

LABEL_LINES: Final = 4
"""The most lines of one label."""

CAPITAL: Final = 0.729
"""Height of a capital letter of the font, per point of its size."""


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
    rows : tuple of Row
        The lines of the plot.
    axis : Axis
        Limits and ticks.
    null : float
        Where no effect stands; nan where the measure has no such value.
    words : tuple of Words
        All text but the labels of the ticks.
    numerals : Numerals
        What wrote the numbers.
    style : Style
        The style as it was used.
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
    numerals: Numerals
    style: Style

    @property
    def lines(self) -> tuple[Line, ...]:
        """The lines of the plot."""
        return tuple(row.line for row in self.rows)

    def x(self, value: float) -> float:
        """Return where a value of the axis stands, in points from the left."""
        start, end = self.plot
        return start + (value - self.axis.low) / (self.axis.high - self.axis.low) * (end - start)


def layout_for(
    run: "AnalysisRun",
    style: Style,
    *,
    arms: tuple[str, str],
    favours: tuple[str, str] | None,
) -> Layout:
    """Lay out a forest plot; one that would be higher than a page is set tight.

    Parameters
    ----------
    run : AnalysisRun
        What is shown.
    style : Style
        How.
    arms : tuple of str
        What the two arms are called.
    favours : tuple of str or None
        What stands under the axis to the left and to the right of no effect.

    Returns
    -------
    Layout
    """
    layout = _layout(run, style, arms, favours)
    return layout if layout.height <= style.page else _layout(run, style.tight(), arms, favours)


def _layout(run: "AnalysisRun", style: Style, arms: tuple[str, str], favours: tuple[str, str] | None) -> Layout:
    scale = Scale(run.measure)
    numerals = dataclasses.replace(style.numerals, ratio=scale.ratio)
    lines = forest_lines(run, numerals)
    left, right = columns_for(style.columns, run, lines, numerals, arms)
    grid = grid_for(left, right, lines, style)
    spans = [line.span for line in lines if line.span is not None]
    axis = axis_for(
        spans,
        null=scale.null,
        limits=scale.limits,
        length=grid.plot[1] - grid.plot[0],
        pad=style.square,
        numerals=numerals,
        size=style.small,
    )
    columns, places = (*left, *right), (*grid.left, *grid.right)
    head, rule = _head(columns, places, style)
    rows = tuple(_rows(lines, left, grid, style, top=rule + 4.0))
    bottom = rows[-1].top + rows[-1].height + 4.0
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
        numerals=numerals,
        style=style,
    )
    under, y = _under(layout, style, run, favours)
    clipped = any(any(axis.clips(span)) for span in spans)
    small, y = _foot(foot(run, numerals, clipped=clipped), layout, style, top=y)
    words = (*head, *_cells(rows, columns, places, style), *under, *small)
    return dataclasses.replace(layout, height=y + style.margin, words=words)


def baseline(middle: float, size: float) -> float:
    """Return the baseline of text whose capitals and digits have their middle at `middle`."""
    return middle + CAPITAL * size / 2


def _head(columns: Sequence[Column], places: Sequence[Place], style: Style) -> tuple[list[Words], float]:
    """Place the headings, all names on one baseline with the units below; return them and the rule under them."""
    names = {column.key: heading_lines(column, style) for column in columns}
    units = any(column.unit for column in columns)
    last = style.margin + max(len(name) for name in names.values()) * style.leading
    words = []
    for column, place in zip(columns, places, strict=True):
        align, x = _heading_place(column, place)
        lines = names[column.key]
        for index, text in enumerate(lines):
            y = last - (len(lines) - 1 - index) * style.leading - 2.0
            key = f"heading-{column.key}-{index}"
            words.append(Words(key=key, text=text, x=x, y=y, size=style.size, align=align, bold=True))
        if column.unit:
            y = last + style.leading - 2.0
            words.append(Words(key=f"unit-{column.key}", text=column.unit, x=x, y=y, size=style.size, align=align))
    return words, last + (style.leading if units else 0.0) + 2.0


def _heading_place(column: Column, place: Place) -> tuple[Literal["left", "right", "center"], float]:
    if column.align == "left":
        return "left", place.left
    if column.align == "right":
        return "right", place.right
    return "center", (place.left + place.right) / 2


def _rows(lines: Sequence[Line], left: Sequence[Column], grid: Grid, style: Style, *, top: float) -> Iterator[Row]:
    """Stack the lines; each is as high as its label needs."""
    at = [column.key for column in left].index("study")
    place, edge = grid.left[at], grid.left[-1].right
    for line in lines:
        small = line.kind == "note"
        size, leading = (style.small, style.small_leading) if small else (style.size, style.leading)
        limit = (edge if line.kind in ACROSS else place.right) - place.left - (INDENT if line.indent else 0.0)
        most = 0 if small else LABEL_LINES
        label = (wrap if small else balance)(
            line.label, max(limit, size) + 0.01, size, bold=line.kind in BOLD, most=most, tail=line.sign
        )
        first = leading if small else style.row
        top += line.space * style.row
        height = first + (len(label) - 1) * leading
        yield Row(line=line, label=label, top=top, height=height, middle=top + first / 2)
        top += height


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
    head, sign, tail = text.partition(column.align)
    if not head:
        x = place.anchor + width(sign, size, bold=bold)
        return Words(key=key, text=tail, x=x, y=y, size=size, bold=bold)
    x = place.anchor - width(head, size, bold=bold)
    return Words(key=key, text=text.strip() if tail else head, x=x, y=y, size=size, bold=bold)


def _under(
    layout: Layout, style: Style, run: "AnalysisRun", favours: tuple[str, str] | None
) -> tuple[list[Words], float]:
    """Place the name of the axis and the two directions under the labels of its ticks."""
    y = layout.bottom + TICK + 2.0 + style.small + style.small_leading + 1.5
    scale = Scale(run.measure)
    label = clean(scale.label, most=60)
    label = label[:1].upper() + label[1:] + (" (log scale)" if scale.ratio else "")
    middle = sum(layout.plot) / 2
    words = [Words(key="axis-name", text=label, x=middle, y=y, size=style.small, align="center")]
    if favours is None:
        return words, y
    null, space = layout.x(layout.null), style.small / 2
    y += style.small_leading + 1.5
    texts = (f"\u2190 {clean(favours[0], most=120)}", f"{clean(favours[1], most=120)} \u2192")
    rooms = (null - space - style.margin, layout.width - style.margin - null - space)
    deepest = 0
    for side, (text, room) in enumerate(zip(texts, rooms, strict=True)):
        x, align = (null - space, "right") if side == 0 else (null + space, "left")
        for number, part in enumerate(wrap(text, max(room, style.small) + 0.01, style.small)):
            deepest = max(deepest, number)
            words.append(
                Words(
                    key=f"favours-{side}-{number}",
                    text=part,
                    x=x,
                    y=y + number * style.small_leading,
                    size=style.small,
                    align="right" if align == "right" else "left",
                )
            )
    return words, y + deepest * style.small_leading


def _foot(paragraphs: Sequence[str], layout: Layout, style: Style, *, top: float) -> tuple[list[Words], float]:
    words, y = [], top + 6.0
    for number, paragraph in enumerate(paragraphs):
        for part, text in enumerate(wrap(paragraph, layout.width - 2 * style.margin, style.small)):
            y += style.small_leading
            key = f"foot-{number}-{part}"
            words.append(Words(key=key, text=text, x=style.margin, y=y, size=style.small, quiet=True))
        y += 1.5
    return words, y + 1.0
