"""The bubble plot: effects against a moderator, with the line of the meta-regression."""

import dataclasses
import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ipsevidence import core
from ipsevidence.figures.forest_scale import Scale
from ipsevidence.figures.lettering import capital, clean
from ipsevidence.figures.numbers import NO_BREAK, Numerals
from ipsevidence.figures.plot_frame import (
    BAND,
    LINE,
    Frame,
    Key,
    Plan,
    Values,
    frame_for,
    listed,
    pooled,
    radii,
    style_of,
)
from ipsevidence.figures.plot_labels import Label, bubbles
from ipsevidence.figures.plot_side import Side, effect_side, numerals_of
from ipsevidence.figures.saving import Drawing
from ipsevidence.figures.style import Style, context

if TYPE_CHECKING:
    from ipsevidence.analysis.running import AnalysisRun

__all__ = ["bubble"]

HEIGHT: Final = 165.0
LARGEST: Final = 16.0
MOST: Final = 8
STEPS: Final = 40
NEAR: Final = 2.0
"""How many times the range of the effects the band of a new study may widen the axis; beyond, it is cut."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """A meta-regression on one moderator: the studies in it, their moderator, and what it predicts along the axis."""

    members: tuple[int, ...]
    x: tuple[float, ...]
    fit: core.RegressionResult
    at: Any
    predicted: core.Prediction

    @property
    def new(self) -> bool:
        """Whether there is a band of new studies."""
        return not np.isnan(self.predicted.prediction_low).any()


def bubble(
    run: "AnalysisRun", *, style: str | Style = "default", moderator: str = "year", wide: bool = False
) -> Drawing:
    """Draw the effects of an analysis against a moderator.

    Parameters
    ----------
    run : AnalysisRun
        The analysis; the meta-regression has its estimator of tau2, its interval and its level.
    style : str or Style
        Key of `STYLES`, or a style of one's own.
    moderator : str
        Name of a further column of the rows that holds numbers, ``year`` for instance; rows without are left out.
    wide : bool
        Whether the figure has the width of a page instead of a column.

    Returns
    -------
    Drawing
        The area of a bubble is proportional to the weight in the meta-regression, 1/(v + tau2).

    Raises
    ------
    InputError
        If fewer than three studies have the moderator, or it is the same in all.

    References
    ----------
    .. [1] Thompson SG, Higgins JPT. Stat Med 2002;21:1559-1573. doi:10.1002/sim.1187
    """
    pooled(run)  # nothing is drawn where nothing was pooled
    look = style_of(style)
    line = _regressed(run, moderator)
    name = clean(moderator.replace("_", " "), most=40)
    whole = all(value.is_integer() for value in line.x)
    plan = Plan(
        x=Side(label=capital(name), low=min(line.x), high=max(line.x), pad=10.0, whole=whole),
        y=effect_side(run, look, _reached(run, line), pad=8.0),
        height=HEIGHT,
    )
    with context():
        frame = frame_for(
            run,
            look,
            [[plan]],
            kind="Meta-regression",
            alternative=_alternative(run, look, line, name),
            wide=wide,
            key=_key(look, line),
            notes=_notes(run, look, line, name),
        )
        _draw(frame, run, line, LARGEST * (1.3 if wide else 1.0))
    return frame.drawing


def _draw(frame: Frame, run: "AnalysisRun", line: _Line, largest: float) -> None:
    """Draw the bands, the line and the bubbles."""
    panel, look, found = frame.panel(), frame.style, line.predicted
    if line.new:
        panel.band(line.at, found.prediction_low, found.prediction_high, "prediction", BAND)
    panel.band(line.at, found.low, found.high, "band", look.palette.accent_light)
    panel.line(line.at, found.estimate, "mean", color=look.palette.accent, linewidth=LINE, zorder=2.2)
    lines: list[tuple[Values, Values]] = [(line.at, found.estimate)]
    null = Scale(run.measure).null
    if panel.y.low <= null <= panel.y.high:
        lines.append(([panel.x.low, panel.x.high], [null] * 2))
        panel.line(*lines[1], "no-effect", color=look.palette.ink, zorder=1.0)
    size = radii([1.0 / (run.v[i] + line.fit.tau2) for i in line.members], largest)
    marks = [
        Label(text=run.rows[i].label, x=x, y=run.y[i], radius=r)
        for i, x, r in zip(line.members, line.x, size, strict=True)
    ]
    bubbles(frame, marks, lines=lines, most=MOST)


def _regressed(run: "AnalysisRun", moderator: str) -> _Line:
    """Fit the meta-regression on the rows that have the moderator."""
    values = [_number(row.extra.get(moderator)) for row in run.rows]
    members = tuple(index for index, value in enumerate(values) if math.isfinite(value))
    if len(members) < 3:
        known = sorted({key for row in run.rows for key, value in row.extra.items() if math.isfinite(_number(value))})
        rule = f"moderator must be a column that holds numbers for at least three studies: {', '.join(known) or 'none'}"
        raise core.InputError(f"{rule}; {moderator!r} does for {len(members)}", parameter="moderator")
    x = tuple(values[index] for index in members)
    if min(x) == max(x):
        raise core.InputError(f"moderator: {moderator!r} is {x[0]:g} in every study", parameter="moderator")
    model = run.spec.model
    y, v = np.array(run.y)[list(members)], np.array(run.v)[list(members)]
    # around its mean, so that a year is as good a moderator as any
    middle = math.fsum(x) / len(x)
    fit = core.meta_regression(
        y,
        v,
        np.column_stack([np.ones(len(x)), np.array(x) - middle]),
        tau2=model.tau2,
        interval=model.interval,
        level=float(model.level),
        names=("mean", moderator),
    )
    at = np.linspace(min(x), max(x), STEPS + 1)
    rule = "none" if model.tau2 == "common" or model.prediction not in ("normal", "t-k1", "t-k2") else model.prediction
    grid = np.column_stack([np.ones(at.size), at - middle])
    return _Line(members=members, x=x, fit=fit, at=at, predicted=core.predict_effects(fit, grid, prediction=rule))


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan


def _reached(run: "AnalysisRun", line: _Line) -> list[float]:
    """Return what the axis has to hold: the effects, and the bands as far as they do not dwarf them."""
    y = [run.y[i] for i in line.members]
    low, high = min(y), max(y)
    spare = NEAR * (high - low) / 2 or 1.0
    found = line.predicted
    ends = [*found.low, *found.high, *([*found.prediction_low, *found.prediction_high] if line.new else [])]
    finite = [float(end) for end in ends if math.isfinite(end)]
    return [max(min([low, *finite]), low - spare), min(max([high, *finite]), high + spare)]


def _key(look: Style, line: _Line) -> tuple[Key, ...]:
    level = look.numerals.level(line.predicted.level)
    keys = [
        Key(text="expected effect", color=look.palette.accent, kind="line"),
        Key(text=f"its {level}{NO_BREAK}CI", color=look.palette.accent_light),
    ]
    if line.new:
        keys.append(Key(text=f"{level} prediction interval", color=BAND))
    return tuple(keys)


def _slope(run: "AnalysisRun", look: Style, line: _Line, name: str) -> str:
    """Write the slope with its interval and test: of a ratio, as the factor for one more unit."""
    write: Numerals = dataclasses.replace(numerals_of(run, look), effect_digits=3)
    ratio = Scale(run.measure).ratio
    shown = [
        math.exp(value) if ratio else value for value in (line.fit.coefficients[1], line.fit.low[1], line.fit.high[1])
    ]
    unit = name if name in {"year", "month"} else f"unit of {name}"
    what = f"factor per {unit}" if ratio else f"change per {unit}"
    level = write.level(line.predicted.level)
    bounds = f" ({level}{NO_BREAK}CI {write.range(*shown[1:])})" if math.isfinite(shown[1]) else ""
    p = write.equation("p", write.p_value(float(line.fit.p[1])))
    return f"{what}: {write.effect(shown[0])}{bounds}, {p}"


def _notes(run: "AnalysisRun", look: Style, line: _Line, name: str) -> tuple[str, ...]:
    missing = [row.label for index, row in enumerate(run.rows) if index not in line.members]
    gone = f" Without {name}, and so left out: {listed(missing)}." if missing else ""
    r2 = "" if math.isnan(line.fit.r2) else f" The moderator accounts for {look.numerals.percent(line.fit.r2)} of τ²."
    cautions = " ".join(line.fit.notes)
    return (
        (
            f"{capital(_slope(run, look, line, name))}.{r2} Bubbles: area by weight; the heaviest are named where"
            f" there is room.{gone}"
        ),
        f"{cautions} A relation between studies is no proof of an effect of the moderator.".strip(),
    )


def _alternative(run: "AnalysisRun", look: Style, line: _Line, name: str) -> str:
    write = numerals_of(run, look)
    ends = []
    for index in (0, -1):
        found = [float(part[index]) for part in (line.predicted.estimate, line.predicted.low, line.predicted.high)]
        middle, low, high = (run.shown(value) for value in found)
        ends.append(f"{write.effect(middle)} ({write.range(low, high)}) at {write.plain(float(line.at[index]))}")
    return (
        f"Bubble plot of {len(line.x)} studies: {run.measure.label} against {name}. Expected: {ends[0]}, {ends[1]}."
        f" {' '.join(_notes(run, look, line, name))}"
    )
