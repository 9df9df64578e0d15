"""The coverage bar: participants in the pool and in trials absent from it, and what the pool were with them."""

import dataclasses
import math
from typing import TYPE_CHECKING, Final

from matplotlib.patches import Rectangle

from ipsevidence.analysis.absent_trials import AbsentTrial
from ipsevidence.analysis.covering import KINDS, Coverage, coverage_of
from ipsevidence.core import InputError, NotApplicable, PooledResult
from ipsevidence.figures.forest_axis import Axis
from ipsevidence.figures.forest_scale import Scale
from ipsevidence.figures.lettering import clean, width
from ipsevidence.figures.numbers import NO_BREAK
from ipsevidence.figures.plot_frame import ASCENT, HAIR, LINE, SHADES, Frame, Key, Panel, Plan, frame_for, style_of
from ipsevidence.figures.plot_side import Side, effect_side, numerals_of
from ipsevidence.figures.saving import Drawing
from ipsevidence.figures.style import Style, context

if TYPE_CHECKING:
    from ipsevidence.analysis.running import AnalysisRun
    from ipsevidence.dataset.collection import Dataset

__all__ = ["coverage_bar"]

BAR: Final = 30.0
ROW: Final = 15.0
MARK: Final = 5.0
"""Heights of the bar and of a row of estimates, and diameter of a mark, in points."""

LEAST: Final = 0.012
"""Share of all participants from which an absent trial has a label of its own."""

MOST: Final = 9
"""The most absent trials with a label of their own."""

INDENT: Final = 10.0
"""What the frame keeps free to the left of the bar, in points."""

DIRECTIONS: Final = {
    "favours-intervention": "in favour",
    "favours-comparator": "against",
    "no-difference": "no difference",
    "mixed": "mixed",
    "not-stated": "direction not stated",
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """A part of the bar: where it starts, its width in participants, its text and its colour."""

    key: str
    start: float
    size: float
    lines: tuple[str, ...]
    color: str
    light: bool = False

    @property
    def middle(self) -> float:
        return self.start + self.size / 2


def coverage_bar(run: "AnalysisRun", coverage: "Coverage | Dataset", style: str | Style = "default") -> Drawing:
    """Draw how much of the evidence is in a pool.

    Parameters
    ----------
    run : AnalysisRun
        An analysis by rule.
    coverage : Coverage or Dataset
        What `coverage_of` returned for it, or the records it was run on.
    style : str or Style
        Key of `STYLES`, or a style of one's own.

    Returns
    -------
    Drawing
        One bar of participants: those of the pool, then each absent trial, the largest first, coloured by the
        direction in which it was said, or printed, to point. Below, the pooled estimate with its interval, and what
        it were if the absent trials had no effect, and if they had their stated effect: points, for these have no
        interval.

    Raises
    ------
    InputError
        If the analysis is of a list of studies or a user's own table, or if no size is known.
    """
    found = coverage if isinstance(coverage, Coverage) else coverage_of(run, coverage)
    if isinstance(found, NotApplicable):
        raise InputError(f"no coverage can be drawn: {found.reason}", parameter="run")
    if not found.known:
        raise InputError("no coverage can be drawn: no trial is of known size", parameter="run")
    look = style_of(style)
    parts = _parts(run, found, look)
    long = [part for part in parts if part.lines]
    room = look.width - 2 * look.margin - INDENT
    outside = [part for part in long if not _fits(part, found.known, room, look)]
    rows = [[_bar_plan(found, outside, look)]]
    estimates = _estimates(run, found)
    if estimates:
        rows.append([_estimates_plan(run, estimates, look)])
    notes = _notes(found)
    with context():
        frame = frame_for(
            run,
            look,
            rows,
            kind="Coverage",
            alternative=_alternative(run, found, estimates, notes),
            wide=True,
            key=_key(run, found, look),
            notes=notes,
        )
        _draw_bar(frame, parts, outside)
        if estimates:
            _draw_estimates(frame, run, estimates)
    return frame.drawing


def _parts(run: "AnalysisRun", coverage: Coverage, look: Style) -> list[_Part]:
    """Return the parts of the bar, the pool first; the last, without a colour, only names the small trials."""
    pool = ("In the pool", f"{coverage.headline:,.0f}")
    parts = [_Part(key="pool", start=0.0, size=coverage.headline, lines=pool, color=look.palette.accent, light=True)]
    sized = [one for one in coverage.absent if not math.isnan(one.size)]
    named = sum(one.size >= LEAST * coverage.known for one in sized)
    named = min(named, MOST) if len(sized) - min(named, MOST) != 1 else len(sized)
    start = coverage.headline
    for index, one in enumerate(sized):
        lines = (clean(one.label, most=40), _size_and_said(run, one, look)) if index < named else ()
        parts.append(_Part(key=one.id, start=start, size=one.size, lines=lines, color=_colour(one, look)))
        start += one.size
    few = sized[named:]
    if few:
        size = math.fsum(one.size for one in few)
        text = (f"{len(few)} further", f"{size:,.0f} participants")
        parts.append(_Part(key="further", start=start - size, size=size, lines=text, color=""))
    return parts


def _points(one: AbsentTrial) -> str:
    """Return in which direction a trial points: as stated, else by the number that was read; empty for neither."""
    if one.source == "set-aside":
        return ""
    if one.direction or math.isnan(one.y) or one.source in {"stated", "silent"}:
        return one.direction
    return "favours-intervention" if one.y > 0 else "favours-comparator" if one.y < 0 else "no-difference"


def _size_and_said(run: "AnalysisRun", one: AbsentTrial, look: Style) -> str:
    """Return size and direction; of a single arm only the size, for it has no direction."""
    size = f"{one.size:,.0f}"
    return f"{size}, {_said(run, one, look)}" if Scale(run.measure).compares else size


def _said(run: "AnalysisRun", one: AbsentTrial, look: Style) -> str:
    star = "" if one.same_concept or not one.concept else "*"
    if one.source == "set-aside":
        return "set aside"
    if one.direction:
        return DIRECTIONS[one.direction] + star
    if one.source in {"printed", "counts", "percents", "converted"} and not math.isnan(one.y):
        return f"{run.measure.key}{NO_BREAK}{numerals_of(run, look).effect(run.shown(one.y))}{star}"
    return f"{clean(one.as_printed, most=30)}{star}" if one.as_printed else "nothing usable read"


def _colour(one: AbsentTrial, look: Style) -> str:
    direction = _points(one)
    if direction == "favours-intervention":
        return look.palette.accent_light
    return SHADES[2] if direction in {"no-difference", "mixed", "favours-comparator"} else "white"


def _key(run: "AnalysisRun", coverage: Coverage, look: Style) -> tuple[Key, ...]:
    points = {_points(one) for one in coverage.absent if not math.isnan(one.size)}
    entries = [Key(text="in the pool", color=look.palette.accent)] if coverage.k else []
    if "favours-intervention" in points:
        entries.append(Key(text="absent, in favour", color=look.palette.accent_light))
    if points & {"no-difference", "mixed", "favours-comparator"}:
        entries.append(Key(text="absent, no difference, mixed or against", color=SHADES[2]))
    if points & {"", "not-stated"}:
        unknown = "absent, no direction known" + (" or set aside" if coverage.set_aside else "")
        text = unknown if Scale(run.measure).compares else "absent"
        entries.append(Key(text=text, color="white"))
    return tuple(entries)


def _fits(part: _Part, known: float, room: float, look: Style) -> bool:
    """Whether the text of a part stands within it; that of several trials never does."""
    return bool(part.color) and max(width(line, look.small) for line in part.lines) + 6.0 <= part.size / known * room


def _bar_plan(coverage: Coverage, outside: list[_Part], look: Style) -> Plan:
    """Return the panel of the bar: above it a line for each label that does not fit into its part."""
    lines = sum(part.key != "pool" for part in outside)
    side = Side(label="Participants", low=0.0, high=coverage.known, limits=(0.0, coverage.known), pad=0.0)
    made = side.made(look.width - 2 * look.margin - INDENT, look.small)
    # thousands are parted as in the labels
    axis = dataclasses.replace(made, labels=tuple(f"{tick:,.0f}" for tick in made.ticks))
    return Plan(
        key="participants",
        x=dataclasses.replace(side, axis=axis),
        y=Side(label="", axis=Axis(low=0.0, high=1.0, ticks=(), labels=())),
        height=BAR + lines * (look.small_leading + 1.0) + (4.0 if lines else 0.0) + 2.0,
        heading=_parts_of_sentence(coverage)[0],
        bare=True,
        right=0.0,
    )


def _parts_of_sentence(coverage: Coverage) -> tuple[str, str]:
    """Return what the pool holds, for one line above the bar, and what is not settled, for a note."""
    held, _, open_ = coverage.sentence.partition("; ")
    return held, f"{open_[:1].upper()}{open_[1:]}." if open_ else ""


def _draw_bar(frame: Frame, parts: list[_Part], outside: list[_Part]) -> None:
    panel, look = frame.panel("participants"), frame.style
    top = BAR / panel.height
    for part in parts:
        if part.color:
            box = Rectangle((part.start, 0.0), part.size, top, facecolor=part.color, linewidth=HAIR, zorder=1.0)
            box.set(edgecolor=look.palette.rule, gid=f"part-{part.key}", clip_on=False)
            panel.axes.add_patch(box)
    for part in parts:
        if not part.lines or part in outside:
            continue
        x, bottom = panel.place(part.middle, 0.0)
        first = bottom - BAR / 2 - 1.5
        colour = "white" if part.light else look.palette.ink
        for index, line in enumerate(part.lines):
            y = first + index * look.small_leading
            frame.write(line, x, y, f"label-{part.key}-{index}", ha="center", color=colour)
    # from left to right ever higher, each text to the left of its line: no line crosses a text
    for number, part in enumerate(part for part in outside if part.key != "pool"):
        _draw_outside(frame, panel, part, number)


def _draw_outside(frame: Frame, panel: Panel, part: _Part, number: int) -> None:
    look = frame.style
    x, bottom = panel.place(part.middle, 0.0)
    baseline = bottom - BAR - 5.0 - number * (look.small_leading + 1.0)
    text = ": ".join(part.lines)
    left = x - 3.0 - width(text, look.small)
    colour = look.palette.quiet
    if left < look.margin:
        frame.write(text, look.margin, baseline, f"label-{part.key}")
    else:
        frame.write(text, x - 3.0, baseline, f"label-{part.key}", ha="right")
    up = (bottom - baseline + look.small * ASCENT * 0.5) / panel.height
    panel.line([part.middle] * 2, [BAR / panel.height, up], f"leader-{part.key}", color=colour)


def _estimates(run: "AnalysisRun", coverage: Coverage) -> list[tuple[str, str, PooledResult]]:
    """Return what stands in each row of the lower panel: its name, its numbers, the pool."""
    if not isinstance(run.fit, PooledResult):
        return []
    rows = [("pool", f"The pool ({coverage.k} {coverage.what})", run.fit)]
    absent = sum(one.enters for one in coverage.absent)
    if_they = {
        "no-effect": f"If {absent} absent had no effect",
        "stated": f"If {absent} absent had {'its' if absent == 1 else 'their'} stated effect",
    }
    rows.extend(
        (bound.key, if_they[bound.key], bound.fit) for bound in coverage.bounds if isinstance(bound.fit, PooledResult)
    )
    return rows


def _interval(key: str, fit: PooledResult) -> tuple[float, ...]:
    """Return the bounds of the pool's interval; a pool under an assumption has none."""
    return () if key != "pool" or fit.ci.missing else (fit.ci.low, fit.ci.high)


def _numbers(run: "AnalysisRun", key: str, fit: PooledResult, look: Style) -> str:
    write = numerals_of(run, look)
    value = write.effect(run.shown(fit.estimate))
    if not _interval(key, fit):
        return value
    return f"{value} ({write.range(run.shown(fit.ci.low), run.shown(fit.ci.high))})"


def _estimates_plan(run: "AnalysisRun", rows: list[tuple[str, str, PooledResult]], look: Style) -> Plan:
    scale = Scale(run.measure)
    values = [value for key, _, fit in rows for value in (fit.estimate, *_interval(key, fit)) if math.isfinite(value)]
    ticks = tuple(float(index) for index in range(len(rows)))
    names = tuple(name for _, name, _ in rows)
    axis = Axis(low=-0.6, high=len(rows) - 0.4, ticks=ticks, labels=names)
    return Plan(
        x=effect_side(run, look, [scale.place(value) for value in values]),
        y=Side(label="", axis=axis, flipped=True),
        height=ROW * len(rows),
        right=max(width(_numbers(run, key, fit, look), look.small) for key, _, fit in rows) + 8.0,
        most=220.0,
    )


def _draw_estimates(frame: Frame, run: "AnalysisRun", rows: list[tuple[str, str, PooledResult]]) -> None:
    panel, look, scale = frame.panel(), frame.style, Scale(run.measure)
    panel.axes.tick_params(axis="y", length=0.0)
    panel.axes.spines["left"].set_visible(False)
    if math.isfinite(scale.null) and not scale.transformed:
        panel.line([scale.null] * 2, [panel.y.low, panel.y.high], "no-effect", color=look.palette.rule, zorder=1.0)
    for index, (key, _, fit) in enumerate(rows):
        colour = look.palette.accent if key == "pool" else look.palette.ink
        fill = colour if key == "pool" else "white"
        x = scale.place(fit.estimate)
        ends = [scale.place(value) for value in _interval(key, fit)]
        if ends:
            panel.line(ends, [index, index], f"interval-{key}", color=colour, linewidth=LINE)
        panel.dots([x], [index], MARK**2, f"estimate-{key}", facecolor=fill, edgecolor=colour, linewidths=LINE)
        _, middle = panel.place(x, index)
        numbers = _numbers(run, key, fit, look)
        frame.write(numbers, panel.left + panel.width + 6.0, middle + 0.36 * look.small, f"numbers-{key}")


def _notes(coverage: Coverage) -> tuple[str, ...]:
    """Say what was assumed, in numbers of trials; the names are in the table of absent trials."""
    notes = [note for note in _parts_of_sentence(coverage)[1:] if note]
    if any(not one.same_concept and one.concept and not math.isnan(one.size) for one in coverage.absent):
        notes.append("* Said or printed of another outcome than that of the analysis.")
    if coverage.bounds:
        notes.append(
            f"Absent trials have the median control risk of the pool ({coverage.control_risk:.2f}) and a variance from"
            " their size, and lie exactly at their effects, so that the lower two have no interval. These are"
            " assumptions on what is absent, not estimates of it, and no limits to it."
        )
        entering = [one for one in coverage.absent if one.enters]
        assumed = [*entering, *coverage.set_aside]
        kinds = [(words, sum(belongs(one) for one in assumed)) for words, _, belongs in KINDS]
        said = "; ".join(f"{words} ({number})" for words, number in kinds if number)
        notes.append(f"Stated effect (trials): {said}.")
    else:
        notes.append(f"Not pooled again with absent trials: {coverage.why_no_bounds}.")
    return tuple(notes)


def _alternative(
    run: "AnalysisRun", coverage: Coverage, rows: list[tuple[str, str, PooledResult]], notes: tuple[str, ...]
) -> str:
    look = style_of("default")
    absent = [f"{one.label} {_size_and_said(run, one, look)}" for one in coverage.absent if not math.isnan(one.size)]
    said = [f"A bar of participants: {_parts_of_sentence(coverage)[0]}."]
    if absent:
        said.append(f"Absent, the largest first: {'; '.join(absent[:MOST])}.")
    said.extend(f"{name}: {run.measure.label} {_numbers(run, key, fit, look)}." for key, name, fit in rows)
    return " ".join([*said, *notes])
