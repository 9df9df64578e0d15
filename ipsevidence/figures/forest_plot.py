"""The forest plot: squares, intervals and diamonds, drawn where the layout says."""

import dataclasses
import functools
import itertools
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Polygon, Rectangle

from ipsevidence.analysis.arms import compared
from ipsevidence.core import InputError
from ipsevidence.core.registry import choose
from ipsevidence.figures.forest_axis import Axis, Span
from ipsevidence.figures.forest_content import Content, Favours
from ipsevidence.figures.forest_foot import alternative, foot
from ipsevidence.figures.forest_layout import TICK, Layout, Row, layout_for
from ipsevidence.figures.forest_lines import forest_lines, no_pool
from ipsevidence.figures.forest_scale import Scale
from ipsevidence.figures.lettering import clean
from ipsevidence.figures.saving import Drawing
from ipsevidence.figures.style import PALETTES, STYLES, Style, context, font

if TYPE_CHECKING:
    from ipsevidence.analysis.running import AnalysisRun

__all__ = [
    "GROUPS",
    "HAIR",
    "LINE",
    "USUAL",
    "add_arrow",
    "arms_of",
    "directions",
    "draw",
    "forest",
    "page_for",
    "set_labels",
    "style_for",
]

GROUPS: Final = ("Group 1", "Group 2")
"""What the arms are called in a user's own table, of which nothing is known: neither who they are nor what is good."""

USUAL: Final = "usual"
"""Directions as a style calls them for the dataset, as in "Favours IPS"; lower and higher for a user's own table."""

LEFT: Final = 4
RIGHT: Final = 5
"""matplotlib's arrow heads that have their tip where they stand."""

HAIR: Final = 0.6
LINE: Final = 0.9
ARROW: Final = 4.5
BAR: Final = 1.8
CAP: Final = 5.5
"""Widths of lines, length of an arrow head, height of the prediction interval and of its ends, in points."""


def forest(
    run: "AnalysisRun",
    *,
    style: str | Style = "default",
    palette: str | None = None,
    arms: tuple[str, str] | None = None,
    favours: tuple[str, str] | Literal["usual"] | None = USUAL,
    columns: Sequence[str] | None = None,
) -> Drawing:
    """Draw a forest plot.

    Parameters
    ----------
    run : AnalysisRun
        The analysis: one row for each study, groups where it has any, and what was pooled.
    style : str or Style
        Key of `STYLES`, or a style of one's own.
    palette : str, optional
        Key of `PALETTES`, in place of the colours of the style: ``grey`` for print in black and white.
    arms : tuple of str, optional
        Headings of the two columns of counts: for the dataset those of the contrast, for a user's own table `GROUPS`.
    favours : tuple of str, 'usual' or None
        Words left and right of no effect; None for none. The usual ones say which of the two is favoured in the
        dataset, and for a user's own table where the effect is lower and where it is higher, which says nothing of
        good and bad.
    columns : sequence of str, optional
        Keys of `forest_columns.COLUMNS` from left to right, ``extra:NAME`` for a further column of the rows, and
        ``plot`` where the axis goes; those of the style by default.

    Returns
    -------
    Drawing
        A matplotlib figure. It is as high as its rows need.

    Raises
    ------
    InputError
        If there is no study to draw, or an option cannot be used.
    """
    look = style_for(style, palette=palette, columns=columns)
    content = Content(
        measure=run.measure,
        level=float(run.spec.model.level),
        common=run.spec.model.tau2 == "common",
        lines=functools.partial(forest_lines, run),
        foot=functools.partial(foot, run),
        alternative=functools.partial(alternative, run),
    )
    return draw(run, look, content, arms=arms, favours=favours)


def style_for(style: str | Style, *, palette: str | None, columns: Sequence[str] | None) -> Style:
    """Return a style with a palette and columns of one's own; see `forest`."""
    look = style if isinstance(style, Style) else choose("style", style, cast("Mapping[str, Any]", STYLES))
    if palette is not None:
        look = dataclasses.replace(look, palette=choose("palette", palette, cast("Mapping[str, Any]", PALETTES)))
    return look if columns is None else dataclasses.replace(look, columns=tuple(columns))


def draw(
    run: "AnalysisRun",
    look: Style,
    content: Content,
    *,
    arms: tuple[str, str] | None,
    favours: tuple[str, str] | Literal["usual"] | None,
) -> Drawing:
    """Draw one kind of forest plot; see `forest`."""
    if not run.rows:
        raise InputError(f"there is no study to draw: {no_pool(run.fit)}", parameter="run")
    words = directions(run, arms, look) if favours == USUAL else favours
    if words is not None and math.isnan(run.measure.null):
        rule = f"favours cannot be used: {run.measure.key} ({run.measure.label}) has no value of no effect"
        raise InputError(rule, parameter="favours")
    title = clean(run.spec.title, most=300)
    with context():
        drawing, axes, layout = page_for(content, look, title=title, arms=arms or arms_of(run), favours=words)
        _guides(axes, layout, layout.style)
        _squares(axes, layout, layout.style)
        for index, row in enumerate(layout.rows):
            if row.line.span is not None:
                _mark(axes, row, row.line.span, layout, layout.style, f"line-{index}")
    return drawing


def page_for(
    content: Content, look: Style, *, title: str, arms: tuple[str, str], favours: Favours
) -> tuple[Drawing, Axes, Layout]:
    """Return a page with all its text and an effect axis without marks; to be called within `context`."""
    layout = layout_for(content, look, arms=arms, favours=favours)
    drawing = Drawing(
        width=layout.width,
        height=layout.height,
        title=title,
        alternative=content.alternative(layout.lines, layout.style, favours),
    )
    _write(drawing, layout, layout.style)
    return drawing, _axes(drawing, layout, layout.style), layout


def arms_of(run: "AnalysisRun") -> tuple[str, str]:
    """Return what the two arms are called: by the contrast of an analysis of the dataset, else `GROUPS`."""
    words = compared(run.spec, own_table=run.data is None)
    return words.treatment[:1].upper() + words.treatment[1:], words.other[:1].upper() + words.other[1:]


def directions(run: "AnalysisRun", arms: tuple[str, str] | None, style: Style) -> tuple[str, str] | None:
    """Return the usual words for the directions; none where the measure compares no two groups."""
    if not Scale(run.measure).compares:
        return None
    if run.data:
        words = compared(run.spec)
        low, high = (style.words.favours.format(arm=side) for side in (words.other, words.treatment))
        return low[:1].upper() + low[1:], high
    first = arms[0] if arms else "group 1"
    return f"Lower in {first}", f"Higher in {first}"


def _write(drawing: Drawing, layout: Layout, style: Style) -> None:
    """Set all text but the labels of the ticks, and the rule under the headings, on a page measured in points."""
    page = drawing.add_axes((0.0, 0.0, 1.0, 1.0), label="page")
    page.set_xlim(0.0, layout.width)
    page.set_ylim(layout.height, 0.0)
    page.set_axis_off()
    colours = style.palette
    ends = (style.margin, layout.width - style.margin)
    page.add_line(Line2D(ends, [layout.rule] * 2, color=colours.rule, linewidth=HAIR, gid="rule"))
    for number, (start, end, down) in enumerate(layout.rules):
        page.add_line(Line2D([start, end], [down] * 2, color=colours.rule, linewidth=HAIR, gid=f"rule-{number}"))
    if layout.dots:
        page.scatter(
            [dot.x for dot in layout.dots],
            [dot.y for dot in layout.dots],
            s=[dot.size**2 for dot in layout.dots],
            color=[colours.bias[dot.colour] for dot in layout.dots],
            edgecolors=colours.rule,
            linewidths=HAIR / 2,
            gid="dots",
        )
    for words in layout.words:
        page.text(
            words.x,
            words.y,
            words.text,
            ha=words.align,
            va="baseline",
            color=colours.quiet if words.quiet else colours.ink,
            fontproperties=font(words.size, bold=words.bold),
            parse_math=False,
            gid=words.key,
        )


def _axes(drawing: Drawing, layout: Layout, style: Style) -> Axes:
    """Add the effect axis: across as `Scale` says, down in points like the page."""
    (start, end), height = layout.plot, layout.bottom - layout.top
    box = (
        start / layout.width,
        1.0 - layout.bottom / layout.height,
        (end - start) / layout.width,
        height / layout.height,
    )
    axes = drawing.add_axes(box, label="effects")
    axes.set_xlim(layout.axis.low, layout.axis.high)
    axes.set_ylim(layout.bottom, layout.top)
    axes.patch.set_visible(False)
    axes.yaxis.set_visible(False)
    for side in ("left", "right", "top"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set(linewidth=HAIR, color=style.palette.rule)
    axes.set_xticks(layout.axis.ticks, layout.axis.labels)
    axes.tick_params(axis="x", length=TICK, width=HAIR, color=style.palette.rule, pad=2.0)
    set_labels(axes, style)
    return axes


def set_labels(axes: Axes, style: Style) -> None:
    """Set the labels of the ticks in the font of the page."""
    for label in axes.get_xticklabels():
        label.set(fontproperties=font(style.small), color=style.palette.ink, parse_math=False)


def _guides(axes: Axes, layout: Layout, style: Style) -> None:
    """Draw the line at no effect, to the axis, and the line at the mean, to its diamond."""
    down = (layout.top, layout.bottom)
    if not math.isnan(layout.null):
        axes.add_line(
            Line2D([layout.null] * 2, down, color=style.palette.ink, linewidth=HAIR, zorder=1.0, gid="no-effect")
        )
    for row in layout.rows:
        if row.line.kind == "total" and row.line.span is not None:
            axes.add_line(
                Line2D(
                    [row.line.span.estimate] * 2,
                    (layout.top, row.middle),
                    color=style.palette.accent,
                    linewidth=HAIR,
                    dashes=(4.0, 3.0),
                    zorder=1.1,
                    gid="mean",
                )
            )


def _squares(axes: Axes, layout: Layout, style: Style) -> None:
    """Draw the squares of studies: the area is the weight; without weights all are alike and small."""
    rows = [row for row in layout.rows if row.line.kind in {"study", "step"} and row.line.span is not None]
    shown = [(row, row.line.span) for row in rows if row.line.span and _inside(layout.axis, row.line.span.estimate)]
    heaviest = max((row.line.weight for row in rows), default=math.nan)
    areas = [
        style.square**2 / 4 if math.isnan(row.line.weight) else style.square**2 * row.line.weight / heaviest
        for row, _ in shown
    ]
    axes.scatter(
        [span.estimate for _, span in shown],
        [row.middle for row, _ in shown],
        s=areas,
        marker="s",
        color=[style.palette.accent if row.line.kind == "step" else style.palette.square for row, _ in shown],
        linewidths=0.0,
        zorder=2.0,
        gid="squares",
    )


def _mark(axes: Axes, row: Row, span: Span, layout: Layout, style: Style, key: str) -> None:
    """Draw what stands in a row: interval, diamond or bar, with arrows where it goes on beyond the axis."""
    if not span.whole:
        return
    axis, kind = layout.axis, row.line.kind
    colour = style.palette.ink if kind == "study" else style.palette.accent
    clipped = axis.clips(span)
    if kind in {"study", "step"}:
        _interval(axes, row, span, axis, colour, key)
    elif kind == "prediction":
        _bar(axes, row, span, axis, colour, key)
    else:
        fill = colour if kind == "total" else style.palette.accent_light
        corners = _diamond(span, row.middle, style.diamond / 2, axis)
        if corners:
            shape = Polygon(corners, facecolor=fill, edgecolor=colour, linewidth=HAIR, zorder=4.0)
            shape.set_gid(f"{key}-diamond")
            axes.add_patch(shape)
    for beyond, end, side in zip(clipped, (axis.low, axis.high), ("low", "high"), strict=True):
        if beyond:
            add_arrow(axes, end, row.middle, side, colour, f"{key}-arrow-{side}")


def add_arrow(axes: Axes, x: float, y: float, side: str, colour: str, key: str) -> None:
    """Draw the head of an arrow with its tip at the ``low`` or the ``high`` end of the axis."""
    marker: Literal[4, 5] = LEFT if side == "low" else RIGHT
    line = Line2D([x], [y], marker=marker, markersize=ARROW, markeredgewidth=0.0, color=colour, clip_on=False)
    line.set(zorder=5.0, gid=key)
    axes.add_line(line)


def _interval(axes: Axes, row: Row, span: Span, axis: Axis, colour: str, key: str) -> None:
    """Draw the part of an interval that lies on the axis; nothing where all of it lies beyond."""
    low, high = max(span.low, axis.low), min(span.high, axis.high)
    if low < high:
        axes.add_line(
            Line2D(
                [low, high],
                [row.middle] * 2,
                color=colour,
                linewidth=LINE,
                solid_capstyle="butt",
                zorder=3.0,
                gid=f"{key}-interval",
            )
        )


def _bar(axes: Axes, row: Row, span: Span, axis: Axis, colour: str, key: str) -> None:
    low, high = max(span.low, axis.low), min(span.high, axis.high)
    if low < high:
        box = Rectangle((low, row.middle - BAR / 2), high - low, BAR, zorder=4.0, gid=f"{key}-prediction")
        box.set(facecolor=colour, edgecolor="none")
        axes.add_patch(box)
        for end, name in ((span.low, "low"), (span.high, "high")):
            if _inside(axis, end):
                down = (row.middle - CAP / 2, row.middle + CAP / 2)
                cap = Line2D([end] * 2, down, color=colour, linewidth=LINE, zorder=4.0, gid=f"{key}-cap-{name}")
                axes.add_line(cap)


def _diamond(span: Span, middle: float, half: float, axis: Axis) -> list[tuple[float, float]]:
    """Return the corners of a diamond from bound to bound, cut at the ends of the axis; none where all lies beyond."""
    upper = [(span.low, 0.0), (span.estimate, half), (span.high, 0.0)]
    cut = []
    for (x1, h1), (x2, h2) in itertools.pairwise(upper):
        for x in (x1, axis.low, axis.high, x2):
            if min(x1, x2) <= x <= max(x1, x2) and _inside(axis, x):
                share = 0.0 if x2 == x1 else (x - x1) / (x2 - x1)
                cut.append((x, h1 + share * (h2 - h1)))
    top = list(dict.fromkeys(cut))
    bottom = [(x, -h) for x, h in reversed(top) if h > 0.0]
    return [(x, middle - h) for x, h in [*top, *bottom]]


def _inside(axis: Axis, value: float) -> bool:
    return axis.low <= value <= axis.high
