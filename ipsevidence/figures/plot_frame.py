"""The frame of an ordinary plot: a page measured in points, panels with plain ticks, labels that do not overlap."""

import dataclasses
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from ipsevidence.core import InputError, NotApplicable, PooledResult
from ipsevidence.core.registry import choose
from ipsevidence.figures.forest_axis import Axis
from ipsevidence.figures.forest_scale import Scale
from ipsevidence.figures.lettering import balance, clean, fit, width, wrap
from ipsevidence.figures.numbers import NO_BREAK
from ipsevidence.figures.plot_side import Side, numerals_of
from ipsevidence.figures.saving import Drawing
from ipsevidence.figures.style import POINTS_PER_MM, STYLES, Style, font

if TYPE_CHECKING:
    from ipsevidence.analysis.running import AnalysisRun

Values: TypeAlias = Sequence[float] | NDArray[Any]
"""Numbers in a row."""

__all__ = [
    "ASCENT",
    "BAND",
    "DESCENT",
    "HAIR",
    "LINE",
    "SHADES",
    "Frame",
    "Key",
    "Panel",
    "Plan",
    "Values",
    "enough",
    "frame_for",
    "listed",
    "pooled",
    "radii",
    "said",
    "style_of",
]

COLUMN_MM: Final = 85.0
"""Width of a figure of one column of a journal; other figures have the width of the style."""

SHADES: Final = ("#f1f1f1", "#dedede", "#c2c2c2")
"""Greys of areas, light to dark, that near-black text and lines stand out from."""

BAND: Final = "#efefef"
"""Grey of a band of a new study, behind that of the mean."""

HAIR: Final = 0.6
LINE: Final = 1.2
TICK: Final = 3.0
"""Widths of lines and length of ticks, in points."""

ASCENT: Final = 0.93
DESCENT: Final = 0.24
"""How far the tallest and the deepest letters of the font reach from the baseline, in its size."""

CLEAR: Final = 5.0
"""Points between the name of an upright axis and its end, where a tick may have its label."""

LONGEST: Final = 400
"""Characters of one note under a plot."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A panel before it is laid out.

    Attributes
    ----------
    key : str
        Its name; the main panel of a figure is ``effects``.
    x, y : Side
        Its axes.
    height : float
        In points; 0 for as high as it is wide.
    share : float
        Its part of the width of its row.
    heading : str
        Above it.
    right : float
        Points kept free to its right.
    spare : float
        How many of them the label of a mark may use.
    bare : bool
        Whether the upright axis has neither labels nor a line, because a panel to the left has them.
    most : float
        The longest that a label of the upright axis may be, in points.
    """

    key: str = "effects"
    x: Side
    y: Side
    height: float = 0.0
    share: float = 1.0
    heading: str = ""
    right: float = 8.0
    spare: float = 6.0
    bare: bool = False
    most: float = 130.0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """An entry of the key above the panels: a sign and what it means.

    Attributes
    ----------
    text : str
        What the sign means.
    color : str
        Its colour.
    kind : {'area', 'line', 'dot', 'ring', 'diamond'}
        What the sign is.
    dashes : tuple of float
        Of a line; empty for a solid one.
    edge : str
        Edge of an area or a dot; empty for none.
    """

    text: str
    color: str
    kind: str = "area"
    dashes: tuple[float, ...] = ()
    edge: str = ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A panel as it was laid out: its axes, and where it stands on the page in points from the upper left corner."""

    key: str
    axes: Axes
    x: Axis
    y: Axis
    left: float
    top: float
    width: float
    height: float
    flipped: bool
    spare: float

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Return where a point of the panel stands on the page."""
        across = (x - self.x.low) / (self.x.high - self.x.low)
        up = (y - self.y.low) / (self.y.high - self.y.low)
        return self.left + across * self.width, self.top + (up if self.flipped else 1.0 - up) * self.height

    def holds(self, x: float, y: float) -> bool:
        """Return whether a point lies on the panel."""
        return self.x.low <= x <= self.x.high and self.y.low <= y <= self.y.high

    def line(self, x: Values, y: Values, key: str, **look: Any) -> None:
        """Draw a line, cut at the edges of the panel."""
        look = {"linewidth": HAIR, "zorder": 2.0, "solid_capstyle": "butt", **look}
        self.axes.add_line(Line2D(list(x), list(y), gid=key, clip_on=True, **look))

    def band(self, x: Values, low: Values, high: Values, key: str, color: str) -> None:
        """Fill the area between two lines."""
        self.axes.fill_between(list(x), list(low), list(high), color=color, linewidth=0.0, zorder=0.5, gid=key)

    def dots(self, x: Values, y: Values, size: Values | float, key: str, **look: Any) -> None:
        """Draw marks; `size` is their area in square points."""
        look = {"linewidths": HAIR, "zorder": 3.0, "clip_on": False, **look}
        self.axes.scatter(list(x), list(y), s=cast("Any", size), gid=key, **look)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A figure with its panels."""

    drawing: Drawing
    style: Style
    page: Axes
    panels: tuple[Panel, ...]

    def panel(self, key: str = "effects") -> Panel:
        """Return a panel by its key."""
        return next(panel for panel in self.panels if panel.key == key)

    def write(self, text: str, x: float, y: float, key: str, **look: Any) -> None:
        """Set a line of text on the page: `x` and its baseline `y` in points from the upper left corner."""
        bold, size = look.pop("bold", False), look.pop("size", self.style.small)
        look = {"ha": "left", "va": "baseline", "color": self.style.palette.ink, **look}
        self.page.text(x, y, text, fontproperties=font(size, bold=bold), parse_math=False, gid=key, **look)


def style_of(style: str | Style) -> Style:
    """Return a style by its key, or the style itself."""
    return style if isinstance(style, Style) else choose("style", style, cast("Any", STYLES))


def pooled(run: "AnalysisRun") -> PooledResult:
    """Return what was pooled.

    Raises
    ------
    InputError
        If nothing was, with the reason.
    """
    if isinstance(run.fit, NotApplicable):
        raise InputError(f"nothing can be drawn: {run.fit.reason}", parameter="run")
    return run.fit


def enough(run: "AnalysisRun", least: int, what: str) -> None:
    """Raise InputError where an analysis has fewer than `least` studies: `what` names the figure."""
    k = len(run.rows)
    if k < least:
        raise InputError(f"{what} needs at least {least} studies; there are {k}", parameter="run")


def said(run: "AnalysisRun", fit: Any, look: Style) -> str:
    """Write a pooled effect with its interval: ``odds ratio 2.23 (95% CI 1.53–3.26)``."""
    write = numerals_of(run, look)
    name = Scale(run.measure).label
    value = f"{name} {write.effect(run.shown(fit.estimate))}"
    if fit.ci.missing:
        return value
    bounds = write.range(run.shown(fit.ci.low), run.shown(fit.ci.high))
    return f"{value} ({write.level(fit.ci.level)}{NO_BREAK}CI {bounds})"


def listed(items: Sequence[str]) -> str:
    """Return items as words: ``A, B and C``."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}" if items else ""


def radii(weights: Sequence[float], largest: float) -> list[float]:
    """Return radii of bubbles in points, their areas proportional to weights; `largest` is the greatest diameter."""
    top = max(weights)
    return [largest / 2 * math.sqrt(weight / top) for weight in weights]


def frame_for(
    run: "AnalysisRun",
    look: Style,
    rows: Sequence[Sequence[Plan]],
    *,
    kind: str,
    alternative: str,
    wide: bool = False,
    key: Sequence[Key] = (),
    notes: Sequence[str] = (),
) -> Frame:
    """Lay out a figure and draw its frame; to be called within `style.context`.

    Parameters
    ----------
    run : AnalysisRun
        The analysis, which gives the title.
    look : Style
        The style.
    rows : sequence of sequence of Plan
        The panels, row by row.
    kind : str
        What kind of figure it is: before the title.
    alternative : str
        The figure in words and numbers.
    wide : bool
        Whether it has the width of the style, and not that of a column.
    key : sequence of Key
        Entries of the key, in one line or more above the panels.
    notes : sequence of str
        Paragraphs of small print below.

    Returns
    -------
    Frame
    """
    across = look.width if wide else min(look.width, COLUMN_MM * POINTS_PER_MM)
    room = across - 2 * look.margin
    title = clean(f"{kind}: {run.spec.title}", most=300)
    heads = balance(title, room, look.size, bold=True, most=2)
    entries = _key_lines(key, look, room)
    placed: list[tuple[Plan, Axis, Axis, tuple[float, float, float, float]]] = []
    down = look.margin + len(heads) * look.leading + 2.0 + len(entries) * (look.small_leading + 1.0)
    for row in rows:
        down = _row(row, look, room, down, placed)
    small = [line for note in notes for line in wrap(clean(note, most=LONGEST), room, look.small)]
    height = down + (3.0 + len(small) * look.small_leading if small else 0.0) + look.margin
    drawing = Drawing(width=across, height=height, title=title, alternative=clean(alternative, most=6000))
    page = drawing.add_axes((0.0, 0.0, 1.0, 1.0), label="page", zorder=10.0)
    page.set_xlim(0.0, across)
    page.set_ylim(height, 0.0)
    page.set_axis_off()
    panels = tuple(_panel(drawing, look, (across, height), *one) for one in placed)
    frame = Frame(drawing=drawing, style=look, page=page, panels=panels)
    _write_around(frame, [one[0] for one in placed], heads, entries, small, down)
    return frame


def _write_around(
    frame: Frame,
    plans: Sequence[Plan],
    heads: Sequence[str],
    entries: Sequence[Sequence[tuple[float, Key]]],
    small: Sequence[str],
    down: float,
) -> None:
    """Write the title, the key, the names of the axes, and the small print below the panels, which end at `down`."""
    look = frame.style
    top = look.margin + look.size * ASCENT
    for index, line in enumerate(heads):
        frame.write(line, look.margin, top + index * look.leading, f"title-{index}", bold=True, size=look.size)
    top = look.margin + len(heads) * look.leading + 2.0 + look.small * ASCENT
    for index, line_of_key in enumerate(entries):
        _draw_key(frame, line_of_key, top + index * (look.small_leading + 1.0))
    _write_sides(frame, plans)
    for index, line in enumerate(small):
        y = down + 3.0 + look.small * ASCENT + index * look.small_leading
        frame.write(line, look.margin, y, f"note-{index}", color=look.palette.quiet)


def _row(row: Sequence[Plan], look: Style, room: float, down: float, placed: list[Any]) -> float:
    """Lay out one row of panels below `down`; return where it ends."""
    line = look.small_leading
    above = line * any(plan.heading for plan in row) + line * any(plan.y.label for plan in row) + CLEAR
    below = TICK + 2.0 + line * (1 + any(plan.x.label for plan in row)) + 4.0
    # a bare panel at the margin needs room for half of its first label
    gutters = [(0.0 if index else 10.0) if plan.bare else _gutter(plan, look) for index, plan in enumerate(row)]
    free = room - sum(gutters) - sum(plan.right for plan in row)
    shares = sum(plan.share for plan in row)
    left, tallest = look.margin, 0.0
    for plan, gutter in zip(row, gutters, strict=True):
        wide = free * plan.share / shares
        high = plan.height or wide
        box = (left + gutter, down + above, wide, high)
        placed.append((plan, plan.x.made(wide, look.small), plan.y.made(high, look.small), box))
        left += gutter + wide + plan.right
        tallest = max(tallest, high)
    return down + above + tallest + below


def _gutter(plan: Plan, look: Style) -> float:
    """Return the points that the labels of an upright axis take."""
    labels = plan.y.made(plan.height or 150.0, look.small).labels
    widest = max((width(text, look.small) for text in labels), default=0.0)
    return min(widest, plan.most) + TICK + 3.0


def _panel(
    drawing: Drawing,
    look: Style,
    size: tuple[float, float],
    plan: Plan,
    x: Axis,
    y: Axis,
    box: tuple[float, float, float, float],
) -> Panel:
    """Add the axes of a panel with their ticks."""
    (across, height), (left, top, wide, high) = size, box
    axes = drawing.add_axes(
        (left / across, 1.0 - (top + high) / height, wide / across, high / height), label=plan.key, zorder=1.0
    )
    axes.set_xlim(x.low, x.high)
    axes.set_ylim(*((y.high, y.low) if plan.y.flipped else (y.low, y.high)))
    axes.patch.set_visible(False)
    for side in ("right", "top"):
        axes.spines[side].set_visible(False)
    for side in ("bottom", "left"):
        axes.spines[side].set(linewidth=HAIR, color=look.palette.rule, zorder=2.5)
    axes.set_xticks(x.ticks, x.labels)
    labels = [] if plan.bare else [fit(text, plan.most, look.small) for text in y.labels]
    axes.set_yticks([] if plan.bare else y.ticks, labels)
    axes.spines["left"].set_visible(not plan.bare)
    axes.tick_params(length=TICK, width=HAIR, color=look.palette.rule, pad=2.0)
    if plan.y.names:
        axes.tick_params(axis="y", left=False)
    for label in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        label.set(fontproperties=font(look.small), color=look.palette.ink, parse_math=False)
    return Panel(
        key=plan.key,
        axes=axes,
        x=x,
        y=y,
        left=left,
        top=top,
        width=wide,
        height=high,
        flipped=plan.y.flipped,
        spare=plan.spare,
    )


def _write_sides(frame: Frame, plans: Sequence[Plan]) -> None:
    """Write headings and the names of the axes: that of an upright axis stands level above it."""
    look = frame.style
    for plan, panel in zip(plans, frame.panels, strict=True):
        baseline = panel.top - CLEAR - look.small * DESCENT
        if plan.y.label:
            start = panel.left - (0.0 if plan.bare else _gutter(plan, look))
            frame.write(plan.y.label, start, baseline, f"{plan.key}-y")
            baseline -= look.small_leading
        if plan.heading:
            frame.write(plan.heading, panel.left, baseline, f"{plan.key}-heading", bold=True)
        if plan.x.label:
            y = panel.top + panel.height + TICK + 2.0 + look.small_leading + look.small * ASCENT
            frame.write(plan.x.label, panel.left + panel.width / 2, y, f"{plan.key}-x", ha="center")


def _key_lines(entries: Sequence[Key], look: Style, room: float) -> list[list[tuple[float, Key]]]:
    """Return the entries of the key in lines, each with its distance from the margin."""
    lines: list[list[tuple[float, Key]]] = []
    across = math.inf
    for entry in entries:
        wide = SIGN + 3.0 + width(entry.text, look.small)
        if across + wide > room:
            lines.append([])
            across = 0.0
        lines[-1].append((across, entry))
        across += wide + 9.0
    return lines


SIGN: Final = 14.0
"""Width of a sign of the key, in points."""


def _draw_key(frame: Frame, entries: Sequence[tuple[float, Key]], baseline: float) -> None:
    look = frame.style
    middle = baseline - 0.36 * look.small
    for index, (across, entry) in enumerate(entries):
        left = look.margin + across
        gid = f"key-{round(baseline)}-{index}"
        if entry.kind == "line":
            dashes: Any = {"dashes": entry.dashes} if entry.dashes else {}
            ends = [left, left + SIGN]
            frame.page.add_line(Line2D(ends, [middle] * 2, color=entry.color, linewidth=LINE, gid=gid, **dashes))
        elif entry.kind == "area":
            box = Rectangle((left, middle - 3.0), SIGN, 6.0, facecolor=entry.color, linewidth=HAIR, gid=gid)
            box.set_edgecolor(entry.edge or look.palette.rule)
            frame.page.add_patch(box)
        else:
            fill = "white" if entry.kind == "ring" else entry.color
            edge = entry.color if entry.kind == "ring" else entry.edge or entry.color
            look_of: dict[str, Any] = {"s": 25.0, "facecolor": fill, "edgecolor": edge, "linewidths": HAIR * 1.5}
            marker = "D" if entry.kind == "diamond" else "o"
            frame.page.scatter([left + SIGN / 2], [middle], marker=marker, gid=gid, **look_of)
        frame.write(entry.text, left + SIGN + 3.0, baseline, f"{gid}-text")
