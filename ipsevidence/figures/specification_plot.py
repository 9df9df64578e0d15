"""The specification curve: estimates by every set of choices, sorted, above what was chosen in each."""

import dataclasses
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from matplotlib.collections import LineCollection
from matplotlib.patches import Rectangle

from ipsevidence import core
from ipsevidence.analysis.choices import CRITERIA, Cell, Choices
from ipsevidence.figures.forest_axis import Axis, Span, axis_for
from ipsevidence.figures.forest_scale import Scale
from ipsevidence.figures.lettering import capital
from ipsevidence.figures.numbers import NO_BREAK, Numerals
from ipsevidence.figures.plot_frame import HAIR, LINE, SHADES, Frame, Key, Panel, Plan, frame_for, listed, style_of
from ipsevidence.figures.plot_side import Side, numerals_of
from ipsevidence.figures.saving import Drawing
from ipsevidence.figures.style import Style, context

if TYPE_CHECKING:
    from ipsevidence.analysis.running import AnalysisRun

__all__ = ["specification"]

CURVE: Final = 165.0
"""Height of the curve, in points."""

STEP: Final = 9.5
"""Height of a row of the matrix."""

APART: Final = 3.0
"""Points between two decisions."""

GAP: Final = 14.0
"""Points between the curve and the matrix."""

WIDE: Final = 20
"""One interval in this many may be cut where it is wide."""

LONGEST_LABEL: Final = 168.0
THICKEST: Final = 4.0
LEAST: Final = 2

FAMILIES: Final = {
    "estimator": ("Choices of method", "Equivalent answers to one question."),
    "question": (
        "Choices of question",
        "Answers to neighbouring questions, by one or two changes: their spread is no uncertainty of one answer.",
    ),
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """A row of the matrix: an option of a decision, and the decision where it begins."""

    place: int
    option: str
    label: str
    heading: str
    y: float


def specification(run: "AnalysisRun", choices: Choices, *, style: str | Style = "default") -> Drawing:
    """Draw a specification curve.

    Parameters
    ----------
    run : AnalysisRun
        The analysis, which gives title and style of its numbers.
    choices : Choices
        One family of choices; estimator and question choices never share a curve.
    style : str or Style
        Key of `STYLES`, or a style of one's own.

    Returns
    -------
    Drawing
        Above, the estimates with their intervals in the order of the estimates; below, a mark for each option that a
        column has. The column of the analysis is shaded.

    Raises
    ------
    InputError
        If fewer than two sets of choices have an estimate, or the analysis itself has none.

    References
    ----------
    .. [1] Simonsohn U, Simmons JP, Nelson LD. Specification curve analysis. Nat Hum Behav 2020;4:1208-1214.
       doi:10.1038/s41562-020-0912-z
    """
    cells = sorted(choices.estimated, key=lambda cell: (cell.estimate, cell.low, cell.options))
    if len(cells) < LEAST or choices.headline.why:
        why = choices.headline.why or f"sets of choices with an estimate: {len(cells)}"
        raise core.InputError(f"a specification curve needs the analysis and another; {why}", parameter="choices")
    look = style_of(style)
    scale = Scale(core.MEASURES[choices.measure])
    write = dataclasses.replace(numerals_of(run, look), ratio=scale.ratio)
    lines, down = _lines(choices)
    curve = _curve_axis(cells, choices, scale, write, look)
    plan = _plan(cells, lines, curve, down)
    cut = any(_beyond(cell, curve, scale) != (False, False) for cell in cells)
    notes = _notes(choices, write, cut=cut)
    kind = FAMILIES[choices.family][0]
    with context():
        frame = frame_for(
            run,
            look,
            [[plan]],
            kind=kind,
            alternative=f"{kind}: a curve of {len(cells)} estimates above the choices of each. {' '.join(notes)}",
            wide=True,
            key=_key(look, choices, write),
            notes=notes,
        )
        panel = frame.panel()
        _shade(panel, frame, lines, cells, choices)
        _draw_curve(frame, panel, cells, choices, curve, down, scale)
        _draw_matrix(frame, panel, lines, cells, choices)
        _write_headings(frame, panel, lines, scale)
    return frame.drawing


def _lines(choices: Choices) -> tuple[list[_Line], float]:
    """Return the rows of the matrix from the bottom up, and where the curve begins, in points."""
    used = [{cell.options[place] for cell in choices.estimated} for place in range(len(choices.decisions))]
    found: list[_Line] = []
    up = 0.0
    for place, fork in reversed(list(enumerate(choices.decisions))):
        here = [option for option in fork.options if option.key in used[place]]
        for option in reversed(here):
            heading = fork.label if option is here[0] and len(here) > 1 else ""
            if len(here) > 1:
                found.append(
                    _Line(place=place, option=option.key, label=option.label, heading=heading, y=up + STEP / 2)
                )
                up += STEP
        up += (STEP + APART) * (len(here) > 1)
    return found, up - STEP + GAP


def _curve_axis(cells: Sequence[Cell], choices: Choices, scale: Scale, write: Numerals, look: Style) -> Axis:
    """Return the axis of the effects: all estimates and most intervals are on it; a few wide ones are cut."""
    low = sorted(_place(cell.low, scale) for cell in cells if not math.isnan(cell.low))
    high = sorted(_place(cell.high, scale) for cell in cells if not math.isnan(cell.high))
    placed = [_place(cell.estimate, scale) for cell in cells]
    few = len(low) // WIDE
    ends = (min([*placed, *low[few:]]), max([*placed, *high[: len(high) - few]]))
    if not math.isnan(choices.threshold):
        threshold = _place(choices.threshold, scale)
        ends = (min(ends[0], threshold), max(ends[1], threshold))
    span = Span(estimate=sum(ends) / 2, low=ends[0], high=ends[1])
    return axis_for([span], null=scale.null, length=CURVE, pad=5.0, numerals=write, size=look.small)


def _beyond(cell: Cell, curve: Axis, scale: Scale) -> tuple[bool, bool]:
    """Return whether an interval goes on below and above the axis."""
    return _place(cell.low, scale) < curve.low, _place(cell.high, scale) > curve.high


def _place(value: float, scale: Scale) -> float:
    return math.log(value) if scale.ratio else value


def _height(placed: float, curve: Axis, down: float) -> float:
    """Return how high a value of the curve stands on the panel, in points, cut at the ends of its axis."""
    inside = min(max(placed, curve.low), curve.high)
    return down + (inside - curve.low) / (curve.high - curve.low) * CURVE


def _plan(cells: Sequence[Cell], lines: Sequence[_Line], curve: Axis, down: float) -> Plan:
    """Return the one panel: its upright axis is in points, with the options below and the effects above."""
    ticks = [*(line.y for line in lines), *(_height(tick, curve, down) for tick in curve.ticks)]
    labels = [*(line.label for line in lines), *curve.labels]
    upright = Axis(low=0.0, high=down + CURVE, ticks=tuple(ticks), labels=tuple(labels))
    across = Axis(low=-0.7, high=len(cells) - 0.3, ticks=(), labels=())
    return Plan(
        x=Side(label=f"{len(cells)} sets of choices, in the order of their estimates", axis=across),
        y=Side(label="", axis=upright),
        height=down + CURVE,
        most=LONGEST_LABEL,
    )


def _key(look: Style, choices: Choices, write: Numerals) -> list[Key]:
    palette = look.palette
    level = write.level(choices.level)
    entries = [
        Key(text="the analysis", color=palette.accent, kind="dot"),
        Key(text=f"another choice, with its {level}{NO_BREAK}CI", color=palette.ink, kind="dot"),
    ]
    if any(not choices.answers(cell)["no-effect-excluded"] for cell in choices.estimated):
        entries.append(Key(text="CI reaches no effect", color=palette.ink, kind="ring"))
    if not math.isnan(choices.threshold):
        text = f"threshold {write.effect(choices.threshold)}"
        entries.append(Key(text=text, color=palette.quiet, kind="line", dashes=(3.0, 2.0)))
    return entries


def _shade(panel: Panel, frame: Frame, lines: Sequence[_Line], cells: Sequence[Cell], choices: Choices) -> None:
    """Shade every other row of the matrix, and the column of the analysis."""
    axes = panel.axes
    for index, line in enumerate(lines):
        if index % 2 == 0:
            corner = (panel.x.low, line.y - STEP / 2)
            wide = panel.x.high - panel.x.low
            axes.add_patch(Rectangle(corner, wide, STEP, facecolor=SHADES[0], linewidth=0.0, zorder=0.3))
    at = cells.index(choices.headline)
    half = max(0.5, 1.5 * (panel.x.high - panel.x.low) / panel.width)
    box = Rectangle((at - half, 0.0), 2 * half, panel.y.high, facecolor=frame.style.palette.accent_light)
    box.set(linewidth=0.0, zorder=0.4, gid="analysis")
    axes.add_patch(box)


def _draw_curve(
    frame: Frame, panel: Panel, cells: Sequence[Cell], choices: Choices, curve: Axis, down: float, scale: Scale
) -> None:
    palette = frame.style.palette
    ends = [panel.x.low, panel.x.high]
    if math.isfinite(scale.null):
        panel.line(ends, [_height(scale.null, curve, down)] * 2, "no-effect", color=palette.ink, linewidth=HAIR)
    if not math.isnan(choices.threshold):
        y = _height(_place(choices.threshold, scale), curve, down)
        panel.line(ends, [y] * 2, "threshold", color=palette.quiet, linewidth=HAIR, dashes=(5.0, 4.0))
    thick = min(LINE, 0.6 * panel.width / len(cells))
    bars = [
        [(x, _height(_place(cell.low, scale), curve, down)), (x, _height(_place(cell.high, scale), curve, down))]
        for x, cell in enumerate(cells)
        if not math.isnan(cell.low)
    ]
    panel.axes.add_collection(LineCollection(bars, colors=palette.square, linewidths=thick, zorder=1.5, gid="bars"))
    for side, marker in ((0, "v"), (1, "^")):
        gone = [x for x, cell in enumerate(cells) if _beyond(cell, curve, scale)[side]]
        edge = down if side == 0 else down + CURVE
        panel.dots(
            gone, [edge] * len(gone), 9.0, f"cut-{side}", facecolor=palette.square, linewidths=0.0, marker=marker
        )
    size = min(THICKEST, max(1.8, 0.9 * panel.width / len(cells)))
    at = cells.index(choices.headline)
    for clear, key in ((True, "clear"), (False, "unclear")):
        chosen = [x for x, cell in enumerate(cells) if choices.answers(cell)["no-effect-excluded"] is clear and x != at]
        heights = [_height(_place(cells[x].estimate, scale), curve, down) for x in chosen]
        fill = palette.ink if clear else "white"
        panel.dots(chosen, heights, size**2, key, facecolor=fill, edgecolor=palette.ink)
    y_here = _height(_place(cells[at].estimate, scale), curve, down)
    panel.dots([at], [y_here], (size + 2.4) ** 2, "headline", facecolor=palette.accent, edgecolor="white", zorder=4.0)


def _draw_matrix(frame: Frame, panel: Panel, lines: Sequence[_Line], cells: Sequence[Cell], choices: Choices) -> None:
    palette = frame.style.palette
    thick = min(THICKEST, 0.75 * panel.width / len(cells))
    tall = 0.31 * STEP
    for line in lines:
        own = choices.headline.options[line.place] == line.option
        marks = [
            [(x, line.y - tall), (x, line.y + tall)]
            for x, cell in enumerate(cells)
            if cell.options[line.place] == line.option
        ]
        colour = palette.square if own else palette.ink
        key = f"option-{choices.decisions[line.place].key}-{line.option}"
        panel.axes.add_collection(LineCollection(marks, colors=colour, linewidths=thick, zorder=2.0, gid=key))


def _write_headings(frame: Frame, panel: Panel, lines: Sequence[_Line], scale: Scale) -> None:
    """Write at the edge of the page what the curve shows, and each decision above its options."""
    size, left = frame.style.small, frame.style.margin
    frame.write(capital(scale.label), left, panel.top + size, "effect", bold=True)
    if scale.ratio:
        frame.write("log scale", left, panel.top + size + frame.style.small_leading, "effect-scale")
    for line in lines:
        if line.heading:
            _, y = panel.place(panel.x.low, line.y + STEP)
            frame.write(line.heading, left, y + 0.34 * size, f"fork-{line.place}", bold=True)


def _notes(choices: Choices, write: Numerals, *, cut: bool) -> list[str]:
    low, high = choices.range
    here = choices.headline
    label = core.MEASURES[choices.measure].label
    bounds = write.range(here.low, here.high)
    first = (
        f"{FAMILIES[choices.family][1]} Estimates from {write.effect(low)} to {write.effect(high)}; the analysis:"
        f" {label} {write.effect(here.estimate)} ({write.level(choices.level)}{NO_BREAK}CI {bounds}), {here.k} trials."
    )
    notes = [first, " ".join([_moves(choices, write), _flips(choices, write)])]
    left = len(choices.cells) - len(choices.estimated)
    if left:
        of = "set of choices is" if left == 1 else "sets of choices are"
        notes.append(f"{left} {of} not drawn: too few trials, or no estimate by that model.")
    if cut:
        notes[-1] += " Arrows: intervals that go on beyond the axis."
    return notes


def _moves(choices: Choices, write: Numerals) -> str:
    moves = choices.moves_most
    if moves is None:
        return "No single decision moves the estimate."
    decision, option, _ = moves
    value = next(cell.estimate for key, name, cell in choices.singles if (key, name) == (decision, option))
    return f"The decision that alone moves it most is {_quoted(choices, decision, option)}, to {write.effect(value)}."


def _flips(choices: Choices, write: Numerals) -> str:
    sentences = []
    for criterion, words in CRITERIA.items():
        if criterion == "above-threshold" and math.isnan(choices.threshold):
            continue
        named = words.replace("the threshold", write.effect(choices.threshold))
        by = [flip for flip in choices.flips if flip.criterion == criterion]
        found = listed(list(dict.fromkeys(_quoted(choices, flip.decision, flip.option) for flip in by)))
        by_whom = f"{found} alone" if found else "no single decision"
        sentences.append(f"{capital(named)} is turned round by {by_whom}.")
    return " ".join(sentences)


def _quoted(choices: Choices, decision: str, option: str) -> str:
    return f"\u201c{choices.label(decision, option)}\u201d"
