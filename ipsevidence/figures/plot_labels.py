"""Labels beside the marks of a panel, where there is room for them."""

import dataclasses
import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias

from matplotlib.lines import Line2D

from ipsevidence.figures.lettering import clean, fit, width
from ipsevidence.figures.plot_frame import ASCENT, DESCENT, HAIR, SHADES, Frame, Panel, Values

__all__ = ["Label", "bubbles", "write_labels"]

STEP: Final = 1.5
"""Points of the page between the points that stand for a line."""

CROSSED: Final = 1
"""Points of lines that a label may lie on: the tip of one, not more."""

CLEAR: Final = (4.0, 1.5)
"""How far from the marks of others a label stands, in points: beside its own mark, and at the end of a line to it."""

COST: Final = 2.5
"""How many points further off a label rather stands than on one more of these."""


Box: TypeAlias = tuple[float, float, float, float]
Point: TypeAlias = tuple[float, float]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A text beside a mark of a panel.

    Attributes
    ----------
    text : str
        What it says.
    x, y : float
        Where the mark is, in units of the axes.
    radius : float
        Of the mark, in points.
    """

    text: str
    x: float
    y: float
    radius: float = 3.0


def write_labels(
    frame: Frame,
    panel: Panel,
    wanted: Sequence[Label],
    *,
    marks: Sequence[Label],
    lines: Sequence[tuple[Values, Values]] = (),
    most: int = 8,
    furthest: float = 12.0,
    longest: float = 110.0,
) -> tuple[Label, ...]:
    """Write labels beside their marks where there is room: over no mark and no other label, on a line only at need.

    Parameters
    ----------
    frame : Frame
        The figure.
    panel : Panel
        The panel whose marks they are.
    wanted : sequence of Label
        The labels, the most important first.
    marks : sequence of Label
        All marks of the panel; their texts do not count.
    lines : sequence of (x, y)
        Lines of the panel that a label should not lie on.
    most : int
        The most labels to write.
    furthest : float
        How far from its mark a label may stand, in points; one that does not touch it has a thin line to it.
    longest : float
        Width from which a text is cut, in points.

    Returns
    -------
    tuple of Label
        Those that were written.
    """
    size = frame.style.small
    room = _Room(
        panel=panel,
        size=size,
        marks=[_around(*panel.place(mark.x, mark.y), mark.radius) for mark in marks if panel.holds(mark.x, mark.y)],
        dots=[point for x, y in lines for point in _along([panel.place(a, b) for a, b in zip(x, y, strict=True)])],
    )
    written: list[Label] = []
    for label in wanted:
        if len(written) == most or not panel.holds(label.x, label.y):
            continue
        text, gid = fit(clean(label.text), longest, size), f"label-{panel.key}-{len(written)}"
        place = room.find(label, width(text, size), furthest)
        if place is not None:
            room.take(place)
            frame.write(text, place.box[0], place.box[3] - DESCENT * size, gid)
            if place.leader:
                x, y = zip(*place.leader, strict=True)
                colour = frame.style.palette.quiet
                frame.page.add_line(Line2D(x, y, color=colour, linewidth=0.5, gid=f"{gid}-line"))
            written.append(label)
    return tuple(written)


def bubbles(
    frame: Frame, marks: Sequence[Label], *, lines: Sequence[tuple[Values, Values]] = (), most: int = 8
) -> None:
    """Draw bubbles in the main panel, the small ones over the large ones, and name the largest where there is room."""
    panel, look = frame.panel(), frame.style
    ordered = sorted(marks, key=lambda mark: -mark.radius)
    panel.dots(
        [mark.x for mark in ordered],
        [mark.y for mark in ordered],
        [(2.0 * mark.radius) ** 2 for mark in ordered],
        "studies",
        facecolor=SHADES[2],
        edgecolor=look.palette.ink,
        linewidths=HAIR,
    )
    write_labels(frame, panel, ordered, marks=ordered, lines=lines, most=most)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where a label can stand: its box, the line to its mark (empty where it needs none), the points it lies on."""

    box: Box
    leader: tuple[Point, ...]
    crossed: int


@dataclasses.dataclass(slots=True, kw_only=True)
class _Room:
    """What of a panel is taken, in points of the page: by marks, texts, lines, and the lines from labels to marks."""

    panel: Panel
    size: float
    marks: list[Box]
    dots: list[Point]
    texts: list[Box] = dataclasses.field(default_factory=list)
    leaders: list[Point] = dataclasses.field(default_factory=list)

    def find(self, label: Label, wide: float, furthest: float) -> _Place | None:
        """Return the best place of a label, near its mark and on no line if it can; None where there is no room."""
        best: _Place | None = None
        cost = math.inf
        for further in (step for step in (0.0, 6.0, 12.0, 22.0, 34.0, 48.0) if step <= furthest):
            for box in self._boxes(label, wide, further):
                place = self._tried(label, box, leads=further > 0)
                if place is not None and further + COST * place.crossed < cost:
                    best, cost = place, further + COST * place.crossed
        return best

    def take(self, place: _Place) -> None:
        """Note that a label stands there."""
        self.texts.append(place.box)
        self.leaders.extend(_along(place.leader))

    def _boxes(self, label: Label, wide: float, further: float) -> Iterator[Box]:
        x, y = self.panel.place(label.x, label.y)
        above, below = ASCENT * self.size, DESCENT * self.size
        gap = label.radius + 2.0 + further
        side = 0.75 * gap
        for left, baseline in (
            (x + gap, y + (above - below) / 2),
            (x - gap - wide, y + (above - below) / 2),
            (x - wide / 2, y - gap - below),
            (x - wide / 2, y + gap + above),
            (x + side, y - side),
            (x - side - wide, y - side),
            (x + side, y + side + 0.8 * above),
            (x - side - wide, y + side + 0.8 * above),
        ):
            yield left, baseline - above, left + wide, baseline + below

    def _tried(self, label: Label, box: Box, *, leads: bool) -> _Place | None:
        panel = self.panel
        on = box[0] >= panel.left + 2.0 and box[2] <= panel.left + panel.width + panel.spare
        on &= box[1] >= panel.top - 1.0 and box[3] <= panel.top + panel.height - 1.0
        own = _around(*panel.place(label.x, label.y), label.radius)
        marks = [mark for mark in self.marks if mark != own]
        wide = _grown(box, CLEAR[leads])
        if not on or any(_meet(wide, mark) for mark in marks) or any(_meet(box, other) for other in (own, *self.texts)):
            return None
        if any(_within(box, point) for point in self.leaders):
            return None
        crossed = sum(_within(box, point) for point in self.dots)
        leader = _leader(*panel.place(label.x, label.y), label.radius, box, self.size) if leads else ()
        passed = _along(leader)
        if crossed > CROSSED or any(_within(other, point) for other in (*self.texts, *marks) for point in passed):
            return None
        return _Place(box=box, leader=leader, crossed=crossed)


def _leader(x: float, y: float, radius: float, box: Box, size: float) -> tuple[Point, ...]:
    """Return the ends of a line from the edge of a mark to the nearest point of a text."""
    end_x = min(max(x, box[0]), box[2])
    end_y = min(max(y, box[1] + 0.2 * size), box[3] - 0.1 * size)
    away = math.hypot(end_x - x, end_y - y)
    if away <= radius + 1.0:
        return ()
    return (x + (end_x - x) * radius / away, y + (end_y - y) * radius / away), (end_x, end_y)


def _around(x: float, y: float, radius: float) -> Box:
    return x - radius, y - radius, x + radius, y + radius


def _grown(box: Box, by: float) -> Box:
    return box[0] - by, box[1] - by, box[2] + by, box[3] + by


def _meet(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _within(box: Box, point: Point) -> bool:
    return box[0] <= point[0] <= box[2] and box[1] <= point[1] <= box[3]


def _along(points: Sequence[Point]) -> list[Point]:
    """Return points of a line, `STEP` apart."""
    found: list[Point] = []
    for (x1, y1), (x2, y2) in itertools.pairwise(points):
        steps = min(400, max(1, math.ceil(math.hypot(x2 - x1, y2 - y1) / STEP)))
        found.extend((x1 + (x2 - x1) * i / steps, y1 + (y2 - y1) * i / steps) for i in range(steps + 1))
    return found
