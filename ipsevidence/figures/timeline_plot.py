"""The timeline of the evidence: what was known at the end of each year, and which studies changed it."""

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from ipsevidence import core
from ipsevidence.figures.forest_scale import Scale
from ipsevidence.figures.lettering import clean
from ipsevidence.figures.numbers import NO_BREAK, Numerals
from ipsevidence.figures.plot_frame import (
    HAIR,
    SHADES,
    Frame,
    Key,
    Plan,
    Values,
    enough,
    frame_for,
    listed,
    pooled,
    radii,
    said,
    style_of,
)
from ipsevidence.figures.plot_labels import Label, write_labels
from ipsevidence.figures.plot_side import Side, effect_side, numerals_of
from ipsevidence.figures.saving import Drawing
from ipsevidence.figures.style import Style, context

if TYPE_CHECKING:
    from ipsevidence.analysis.running import AnalysisRun

__all__ = ["timeline"]

LEAST: Final = 3
HEIGHT: Final = 165.0
LARGEST: Final = 12.0
NAMED: Final = 4
"""How many of the studies that moved the mean most are named."""

FEWEST: Final = 3
"""Studies from which a living analysis pools: before, it shows no mean."""


def timeline(run: "AnalysisRun", *, style: str | Style = "default") -> Drawing:
    """Draw the cumulative pool by year.

    Parameters
    ----------
    run : AnalysisRun
        The analysis; the rows need a year. Estimator, interval and level are those of the analysis.
    style : str or Style
        Key of `STYLES`, or a style of one's own.

    Returns
    -------
    Drawing
        A stepped line with its interval; studies of one year follow one another in the order of the rows. The studies
        that moved the mean most are named, with the mean before and after.

    Raises
    ------
    InputError
        If there are fewer than three studies, or a row has no year.

    References
    ----------
    .. [1] Lau J, Schmid CH, Chalmers TC. J Clin Epidemiol 1995;48:45-57. doi:10.1016/0895-4356(94)00106-Z
    """
    enough(run, LEAST, "a timeline")
    fit, look = pooled(run), style_of(style)
    years = _years(run)
    found = _cumulative(run, years)
    when = _when([years[i] for i in found.studies.tolist()])
    first = FEWEST - 1 if run.spec.purpose == "living" else 0
    moved = _moved(found, first)
    level = look.numerals.level(float(run.spec.model.level))
    plan = Plan(
        x=Side(label="Year", low=min(when), high=math.floor(max(when)) + 1.0, pad=6.0, whole=True),
        y=effect_side(run, look, [*run.y, *found.estimate[first:].tolist(), fit.ci.low, fit.ci.high], pad=12.0),
        height=HEIGHT,
    )
    with context():
        frame = frame_for(
            run,
            look,
            [[plan]],
            kind="Timeline",
            alternative=_alternative(run, look, found, years, moved),
            wide=True,
            key=(
                Key(text="mean of the studies so far", color=look.palette.accent, kind="line"),
                Key(text=f"its {level}{NO_BREAK}CI", color=look.palette.accent_light),
                Key(text="a study", color=SHADES[2], kind="dot", edge=look.palette.ink),
            ),
            notes=(_note(run, look, first),),
        )
        lines = _draw(frame, run, found, when, first)
        _name(frame, run, found, when, moved, lines)
    return frame.drawing


def _draw(
    frame: Frame, run: "AnalysisRun", found: core.SeriesResult, when: list[float], first: int
) -> list[tuple[Values, Values]]:
    """Draw the stepped line with its band, and the studies; return the lines that no name should lie on."""
    panel, look = frame.panel(), frame.style
    x, mean, low, high = _steps(when, found, first, math.floor(max(when)) + 1.0)
    panel.band(x, low, high, "band", look.palette.accent_light)
    panel.line(x, mean, "mean", color=look.palette.accent, linewidth=1.8, zorder=2.2)
    lines: list[tuple[Values, Values]] = [(x, mean)]
    null = Scale(run.measure).null
    if panel.y.low <= null <= panel.y.high:
        lines.append(([panel.x.low, panel.x.high], [null] * 2))
        panel.line(*lines[1], "no-effect", color=look.palette.ink, zorder=1.0)
    order = found.studies.tolist()
    area = [(2.0 * radius) ** 2 for radius in _sizes(run, order)]
    own = [run.y[i] for i in order]
    panel.dots(when, own, area, "studies", facecolor=SHADES[2], edgecolor=look.palette.ink, linewidths=HAIR)
    return lines


def _sizes(run: "AnalysisRun", order: list[int]) -> list[float]:
    weights = pooled(run).weights
    return radii([float(weights[i]) for i in order], LARGEST)


def _name(
    frame: Frame,
    run: "AnalysisRun",
    found: core.SeriesResult,
    when: list[float],
    moved: list[int],
    lines: list[tuple[Values, Values]],
) -> None:
    """Mark and name the steps that moved the mean most."""
    panel, write, order = frame.panel(), numerals_of(run, frame.style), found.studies.tolist()
    labels = [
        Label(text=_change(run, write, found, step), x=when[step], y=float(found.estimate[step]), radius=2.0)
        for step in moved
    ]
    across, up = [label.x for label in labels], [label.y for label in labels]
    panel.dots(across, up, 14.0, "moved", color=frame.style.palette.accent, linewidths=0.0, zorder=4.0)
    marks = [
        Label(text="", x=x, y=run.y[i], radius=radius)
        for x, i, radius in zip(when, order, _sizes(run, order), strict=True)
    ]
    write_labels(frame, panel, labels, marks=[*marks, *labels], lines=lines, most=NAMED, furthest=48.0, longest=220.0)


def _years(run: "AnalysisRun") -> list[float]:
    """Return the year of each row."""
    found = []
    for row in run.rows:
        try:
            found.append(float(row.extra["year"]))
        except (KeyError, ValueError):
            rule = f"a timeline needs a column 'year' with a number in every row; {row.label} has none"
            raise core.InputError(rule, parameter="run") from None
    return found


def _cumulative(run: "AnalysisRun", years: list[float]) -> core.SeriesResult:
    """Pool the studies of each year with all before; a living analysis by the interval it shows."""
    model = run.spec.model
    # of few studies a living analysis shows the ad hoc form, which at the end is its headline or wider
    interval = pooled(run).settings.interval if run.spec.purpose == "living" else model.interval
    order = np.argsort(years, kind="stable").tolist()
    settings = {"tau2": model.tau2, "interval": interval, "prediction": "none", "level": float(model.level)}
    return core.cumulative(run.y, run.v, order=order, **settings)


def _when(years: list[float]) -> list[float]:
    """Return where studies stand on the axis: those of one year side by side within it."""
    found = []
    for index, year in enumerate(years):
        found.append(year + years[:index].count(year) / years.count(year))
    return found


def _moved(found: core.SeriesResult, first: int) -> list[int]:
    """Return the steps that moved the mean most, the greatest first."""
    change = np.abs(np.diff(found.estimate))
    steps = [step for step in range(first + 1, found.estimate.size) if change[step - 1] > 0]
    return sorted(steps, key=lambda step: -change[step - 1])[:NAMED] or [found.estimate.size - 1]


def _steps(
    when: list[float], found: core.SeriesResult, first: int, end: float
) -> tuple[list[float], list[float], list[float], list[float]]:
    """Return the corners of the stepped line and of its band; the band is missing where there is no interval."""
    starts = np.array(when[first:])
    x = np.repeat(np.append(starts, end), 2)[1:-1]
    mean, low, high = (np.repeat(part[first:], 2) for part in (found.estimate, found.low, found.high))
    return x.tolist(), mean.tolist(), low.tolist(), high.tolist()


def _change(run: "AnalysisRun", write: Numerals, found: core.SeriesResult, step: int) -> str:
    label = clean(run.rows[int(found.studies[step])].label, most=34)
    before, after = (write.effect(run.shown(float(found.estimate[i]))) for i in (step - 1, step))
    return f"{label}: {before}{NO_BREAK}→{NO_BREAK}{after}"


def _note(run: "AnalysisRun", look: Style, first: int) -> str:
    start = f" The line begins with {first + 1} studies." if first else ""
    return (
        f"At the end: {said(run, pooled(run), look)}.{start} Studies of one year follow one another in the order of the"
        f" table. Named where there is room: the {NAMED} that moved the mean most, with the mean before and after."
        " Area of a dot: weight at the end."
    )


def _alternative(
    run: "AnalysisRun", look: Style, found: core.SeriesResult, years: list[float], moved: list[int]
) -> str:
    write = numerals_of(run, look)
    last: dict[float, int] = {years[study]: step for step, study in enumerate(found.studies.tolist())}
    known = []
    for year, step in last.items():
        value = write.effect(run.shown(float(found.estimate[step])))
        low, high = (run.shown(float(part[step])) for part in (found.low, found.high))
        bounds = "" if math.isnan(low) else f" ({write.range(low, high)})"
        known.append(f"{year:g} {value}{bounds}, {step + 1} {'study' if step == 0 else 'studies'}")
    return (
        f"Timeline of {len(run.rows)} studies: cumulative {run.measure.label} at the end of each year."
        f" {'; '.join(known)}. Moved it most: {listed([_change(run, write, found, step) for step in moved])}."
    )
