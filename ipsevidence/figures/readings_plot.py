"""The range over readings: the effects that the sources of each trial leave open, and what they do to the pool."""

import math
from typing import TYPE_CHECKING, Final

from ipsevidence.analysis.readings import OpenTrial, ReadingsRange
from ipsevidence.core import InputError, NotApplicable
from ipsevidence.figures.forest_axis import Axis
from ipsevidence.figures.forest_scale import Scale
from ipsevidence.figures.lettering import capital, clean, width
from ipsevidence.figures.plot_frame import BAND, HAIR, LINE, Frame, Key, Plan, frame_for, pooled, said, style_of
from ipsevidence.figures.plot_side import Side, effect_side, numerals_of
from ipsevidence.figures.saving import Drawing
from ipsevidence.figures.style import Style, context

if TYPE_CHECKING:
    from ipsevidence.analysis.running import AnalysisRun

__all__ = ["readings_range"]

ROW: Final = 16.0
MARK: Final = 5.0
THICK: Final = 4.0
"""Height of a row, diameter of a mark and width of the line of a range, in points."""

ALL: Final = "All together"


def readings_range(
    run: "AnalysisRun", ranges: ReadingsRange | NotApplicable, style: str | Style = "default"
) -> Drawing:
    """Draw the range of a pool over the readings of its trials.

    Parameters
    ----------
    run : AnalysisRun
        The analysis.
    ranges : ReadingsRange or NotApplicable
        What `range_over_readings` returned for it.
    style : str or Style
        Key of `STYLES`, or a style of one's own.

    Returns
    -------
    Drawing
        To the left the effects of each trial that the sources leave open, that of the pool filled; to the right the
        range of the pooled estimate when only this trial varies, and when all do. A grey band is the confidence
        interval of the pool, for comparison: the range is none.

    Raises
    ------
    InputError
        If there is no range, with the reason.
    """
    if isinstance(ranges, NotApplicable):
        raise InputError(f"no range can be drawn: {ranges.reason}", parameter="ranges")
    look = style_of(style)
    ranged = [*((one.low, one.high) for one in ranges.trials), (ranges.low, ranges.high)]
    numbers = [_numbers(run, *one, look) for one in ranged]
    notes = _notes(run, ranges, look)
    with context():
        frame = frame_for(
            run,
            look,
            [_plans(run, ranges, numbers, look)],
            kind="Range over readings",
            alternative=_alternative(run, ranges, notes, look),
            wide=True,
            key=_key(look, band=not pooled(run).ci.missing),
            notes=notes,
        )
        _draw_trials(frame, run, ranges)
        _draw_ranges(frame, run, ranges, numbers)
    return frame.drawing


def _plans(run: "AnalysisRun", ranges: ReadingsRange, numbers: list[str], look: Style) -> list[Plan]:
    """Return the panel of the trials and that of the pool, with the same rows."""
    scale, ci = Scale(run.measure), pooled(run).ci
    names = [f"{clean(one.label, most=40)} ({len(one.counts)})" for one in ranges.trials]
    places = tuple(float(index) for index in range(len(names) + 1))
    axis = Axis(low=-0.6, high=len(names) + 0.6, ticks=places, labels=(*names, f"{ALL} ({ranges.combinations:,})"))
    y, height = Side(label="", axis=axis, flipped=True), ROW * len(places)
    effects = [scale.place(value) for one in ranges.trials for value in one.y]
    ends = [scale.place(value) for value in (ranges.low, ranges.high, ci.low, ci.high) if math.isfinite(value)]
    trials = Plan(
        key="trials",
        x=effect_side(run, look, effects),
        y=y,
        height=height,
        heading="Each trial",
        most=150.0,
        right=14.0,
    )
    pool = Plan(
        x=effect_side(run, look, ends, null=False),
        y=y,
        height=height,
        heading="Pooled estimate when it varies",
        bare=True,
        right=max(width(text, look.small) for text in numbers) + 8.0,
    )
    return [trials, pool]


def _key(look: Style, *, band: bool) -> tuple[Key, ...]:
    entries = [
        Key(text="reading of the pool", color=look.palette.ink, kind="dot"),
        Key(text="other readings", color=look.palette.ink, kind="ring"),
        Key(text="pooled estimate", color=look.palette.accent, kind="line"),
    ]
    return (*entries, Key(text="its confidence interval", color=BAND)) if band else tuple(entries)


def _numbers(run: "AnalysisRun", low: float, high: float, look: Style) -> str:
    """Write a range; one number where its ends are written alike."""
    write = numerals_of(run, look)
    ends = [write.effect(run.shown(value)) for value in (low, high)]
    return ends[0] if ends[0] == ends[1] else write.range(run.shown(low), run.shown(high))


def _draw_trials(frame: Frame, run: "AnalysisRun", ranges: ReadingsRange) -> None:
    panel, look, scale = frame.panel("trials"), frame.style, Scale(run.measure)
    panel.axes.tick_params(axis="y", length=0.0)
    panel.axes.spines["left"].set_visible(False)
    if math.isfinite(scale.null) and not scale.transformed:
        panel.line([scale.null] * 2, [panel.y.low, panel.y.high], "no-effect", color=look.palette.rule, zorder=1.0)
    for index, one in enumerate(ranges.trials):
        x = [scale.place(value) for value in one.y]
        ink = look.palette.ink
        panel.line([min(x), max(x)], [index, index], f"strip-{one.id}", color=ink, linewidth=HAIR, zorder=2.0)
        panel.dots(x[1:], [index] * (len(x) - 1), MARK**2, f"others-{one.id}", facecolor="white", edgecolor=ink)
        panel.dots(x[:1], [index], MARK**2, f"own-{one.id}", facecolor=ink, edgecolor=ink, zorder=4.0)


def _draw_ranges(frame: Frame, run: "AnalysisRun", ranges: ReadingsRange, numbers: list[str]) -> None:
    panel, look, scale, fit = frame.panel(), frame.style, Scale(run.measure), pooled(run)
    rows = (panel.y.low, panel.y.high)
    if not fit.ci.missing:
        ends = [scale.place(fit.ci.low), scale.place(fit.ci.high)]
        panel.band(ends, [rows[0]] * 2, [rows[1]] * 2, "interval", BAND)
    panel.line([scale.place(ranges.estimate)] * 2, rows, "mean", color=look.palette.accent, linewidth=LINE)
    each = [(one.id, one.low, one.high) for one in ranges.trials]
    for index, (key, low, high) in enumerate([*each, ("all", ranges.low, ranges.high)]):
        whole = index == len(each)
        colour = look.palette.accent if whole else look.palette.ink
        ends = [scale.place(low), scale.place(high)]
        panel.line(ends, [index, index], f"range-{key}", color=colour, linewidth=THICK)
        # short strokes at the ends: a range of no width is still seen
        for end, x in zip(("low", "high"), ends, strict=True):
            panel.line([x, x], [index - 0.22, index + 0.22], f"end-{end}-{key}", color=colour, linewidth=LINE)
        _, middle = panel.place(ends[0], index)
        across = panel.left + panel.width + 6.0
        frame.write(numbers[index], across, middle + 0.36 * look.small, f"numbers-{key}", bold=whole)


def _notes(run: "AnalysisRun", ranges: ReadingsRange, look: Style) -> tuple[str, ...]:
    fitted = (
        f"All {ranges.combinations:,} combinations of readings"
        if ranges.seed is None
        else f"A sample of {ranges.fitted:,} of {ranges.combinations:,} combinations of readings (seed {ranges.seed})"
    )
    most = ranges.most
    meaning = "The range says how far unclear sources move the result; it is no interval"
    notes = [
        f"{fitted}. In brackets: sets of counts that the sources leave open. {meaning}. {most.label} moves it most.",
    ]
    if not ranges.note:
        lower, upper = (_numbers(run, *ends, look) for ends in (ranges.ci_low, ranges.ci_high))
        tau2 = look.numerals.tau2_range(*ranges.tau2)
        notes.append(f"Over the readings the lower bound of the interval is {lower}, the upper {upper}, tau² {tau2}.")
    if ranges.left:
        notes.append("Left at the reading of the pool: " + "; ".join(f"{who}: {why}" for who, why in ranges.left) + ".")
    return tuple(notes)


def _alternative(run: "AnalysisRun", ranges: ReadingsRange, notes: tuple[str, ...], look: Style) -> str:
    def each(one: OpenTrial) -> str:
        effects, estimates = _numbers(run, min(one.y), max(one.y), look), _numbers(run, one.low, one.high, look)
        return f"{one.label}, {len(one.counts)} readings, effect {effects}, pooled {estimates}"

    whole = _numbers(run, ranges.low, ranges.high, look)
    trials = "; ".join(each(one) for one in ranges.trials)
    return (
        f"{capital(said(run, pooled(run), look))} as pooled; range over readings {whole}. By trial: {trials}."
        f" {' '.join(notes)}"
    )
