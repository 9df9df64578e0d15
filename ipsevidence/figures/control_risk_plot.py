"""Effect against control risk, with the line of the bivariate binomial model."""

import dataclasses
import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ipsevidence import core
from ipsevidence.analysis.arms import compared
from ipsevidence.figures.forest_axis import Axis
from ipsevidence.figures.lettering import width
from ipsevidence.figures.numbers import NO_BREAK, Numerals
from ipsevidence.figures.plot_frame import BAND, LINE, Key, Plan, frame_for, radii, style_of
from ipsevidence.figures.plot_labels import Label, bubbles
from ipsevidence.figures.plot_side import Side
from ipsevidence.figures.saving import Drawing
from ipsevidence.figures.style import Style, context

if TYPE_CHECKING:
    from ipsevidence.analysis.running import AnalysisRun

__all__ = ["control_risk"]

HEIGHT: Final = 165.0
LARGEST: Final = 16.0
MOST: Final = 8
STEPS: Final = 40
NEAR: Final = 1.0
"""How many times the range of the effects the band of a new study may widen the axis on either side."""

PERCENT: Final = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 98, 99, 99.5, 99.9)
"""Where ticks of a risk may stand on the axis of its log odds, in percent."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Model:
    """Observed log odds and log odds ratios, and what the model expects along the observed range."""

    labels: tuple[str, ...]
    logit: Any
    effect: Any
    size: Any
    fit: core.ControlRiskResult
    at: Any
    expected: tuple[core.ControlRiskEffect, ...]
    corrected: int


def control_risk(run: "AnalysisRun", *, style: str | Style = "default", wide: bool = False) -> Drawing:
    """Draw odds ratios against the risk in the control arm.

    Parameters
    ----------
    run : AnalysisRun
        The analysis; its rows need counts. Odds ratios are drawn, whatever the measure of the analysis.
    style : str or Style
        Key of `STYLES`, or a style of one's own.
    wide : bool
        Whether the figure has the width of a page instead of a column.

    Returns
    -------
    Drawing
        The axis of the control risk is that of its log odds; the line is the expected odds ratio at each *true* control
        risk (`core.control_risk`), which is flatter than a regression on observed risks; its bands are the confidence
        and the prediction interval by t(k-2). The area of a bubble is proportional to the participants.

    Raises
    ------
    InputError
        If the model does not apply: below five studies, without counts, or where control risks do not vary.

    References
    ----------
    .. [1] Sharp SJ, Thompson SG. Stat Med 2000;19:3251-3274.
       doi:10.1002/1097-0258(20001215)19:23<3251::AID-SIM625>3.0.CO;2-2
    """
    look = style_of(style)
    write = dataclasses.replace(look.numerals, ratio=True)
    model = _fitted(run)
    curves = _curves(model)
    low, high = _reached(model, curves)
    control = compared(run.spec, own_table=run.data is None).other
    plan = Plan(
        x=Side(label=f"Events in {control}, % (log odds scale)", axis=_risk_axis(model.logit, look)),
        y=Side(label="Odds ratio (log scale)", numerals=write, pad=8.0, low=low, high=high),
        height=HEIGHT,
    )
    with context():
        frame = frame_for(
            run,
            look,
            [[plan]],
            kind="Control risk",
            alternative=_alternative(model, write, control),
            wide=wide,
            key=_key(model, look),
            notes=_notes(model, write),
        )
        panel = frame.panel()
        panel.band(model.at, curves["new_low"], curves["new_high"], "prediction", BAND)
        panel.band(model.at, curves["low"], curves["high"], "band", look.palette.accent_light)
        panel.line(model.at, curves["mean"], "mean", color=look.palette.accent, linewidth=LINE, zorder=2.2)
        level = ([panel.x.low, panel.x.high], [0.0, 0.0])
        panel.line(*level, "no-effect", color=look.palette.ink, zorder=1.0)
        size = radii(model.size.tolist(), LARGEST * (1.3 if wide else 1.0))
        points = zip(model.labels, model.logit.tolist(), model.effect.tolist(), size, strict=True)
        marks = [Label(text=label, x=x, y=y, radius=radius) for label, x, y, radius in points]
        bubbles(frame, marks, lines=[(model.at, curves["mean"]), level], most=MOST)
    return frame.drawing


def _fitted(run: "AnalysisRun") -> _Model:
    """Fit the model to the rows with counts."""
    rows = [(row.label, row.counts) for row in run.rows if row.counts is not None]
    if not rows:
        raise core.InputError("the model of control risk needs events and persons of both arms", parameter="run")
    cells = np.array([dataclasses.astuple(counts) for _, counts in rows]).T
    fit = core.control_risk(*cells, level=float(run.spec.model.level))
    if isinstance(fit, core.NotApplicable):
        raise core.InputError(fit.reason, parameter="run")
    effect, v = core.two_by_two("OR", *cells)
    known = np.isfinite(v)
    a, n1, c, n2 = cells[:, known]
    odd = (a == 0) | (a == n1) | (c == 0) | (c == n2)
    shift = np.where(odd, 0.5, 0.0)
    logit = np.log((c + shift) / (n2 - c + shift))
    least, most = (math.log(risk / (1 - risk)) if 0 < risk < 1 else math.nan for risk in fit.observed)
    ends = (logit.min() if math.isnan(least) else least, logit.max() if math.isnan(most) else most)
    at = np.linspace(*ends, STEPS + 1)
    risks = np.clip(1 / (1 + np.exp(-at)), *fit.observed)
    labels = tuple(label for (label, _), keep in zip(rows, known, strict=True) if keep)
    return _Model(
        labels=labels,
        logit=logit,
        effect=effect[known],
        size=n1 + n2,
        fit=fit,
        at=at,
        expected=tuple(fit.at(risk) for risk in risks.tolist()),
        corrected=int(odd.sum()),
    )


def _curves(model: _Model) -> dict[str, list[float]]:
    found = model.expected
    return {
        "mean": [one.effect for one in found],
        "low": [one.effect_ci.low for one in found],
        "high": [one.effect_ci.high for one in found],
        "new_low": [one.effect_prediction.low for one in found],
        "new_high": [one.effect_prediction.high for one in found],
    }


def _reached(model: _Model, curves: dict[str, list[float]]) -> tuple[float, float]:
    """Return what the upright axis has to hold: the effects, and the bands as far as they do not dwarf them."""
    low, high = min(0.0, float(model.effect.min())), max(0.0, float(model.effect.max()))
    spare = NEAR * (high - low)
    ends = [end for key in curves for end in curves[key]]
    return max(min([low, *ends]), low - spare), min(max([high, *ends]), high + spare)


def _risk_axis(logit: Any, look: Style) -> Axis:
    """Return the axis of log odds with ticks at plain percentages that have room."""
    low, high = float(logit.min()), float(logit.max())
    spare = 0.07 * (high - low) + 0.05
    low, high = low - spare, high + spare
    ticks: list[float] = []
    labels: list[str] = []
    scale = 170.0 / (high - low)
    for percent in PERCENT:
        at, text = math.log(percent / (100 - percent)), look.numerals.plain(percent)
        room = width(text, look.small) + 5.0
        if low <= at <= high and (not ticks or (at - ticks[-1]) * scale >= room):
            ticks.append(at)
            labels.append(text)
    return Axis(low=low, high=high, ticks=tuple(ticks), labels=tuple(labels))


def _key(model: _Model, look: Style) -> tuple[Key, ...]:
    level, palette = look.numerals.level(model.fit.level), look.palette
    return (
        Key(text="expected odds ratio", color=palette.accent, kind="line"),
        Key(text=f"its {level}{NO_BREAK}CI", color=palette.accent_light),
        Key(text=f"{level}{NO_BREAK}prediction interval", color=BAND),
    )


def _slope(model: _Model, write: Numerals) -> str:
    fit = model.fit
    values = [
        math.exp(value)
        for value in (math.log(2) * fit.slope, *(math.log(2) * end for end in (fit.slope_ci.low, fit.slope_ci.high)))
    ]
    p = write.equation("p", write.p_value(fit.slope_p))
    return (
        f"Where the control odds are twice as high, the odds ratio is {write.effect(values[0])} times as high"
        f" ({write.level(fit.level)}{NO_BREAK}CI {write.range(*values[1:])}), {p}"
    )


def _notes(model: _Model, write: Numerals) -> tuple[str, ...]:
    zero = f" {model.corrected} with an empty cell drawn with 0.5 added." if model.corrected else ""
    cautions = " ".join(model.fit.notes)
    return (
        f"{_slope(model, write)}. Bivariate binomial model: the line is for true control risks, not observed ones.",
        f"The area of a bubble is proportional to the participants; the largest are named where there is room.{zero}"
        f" {cautions}".strip(),
    )


def _alternative(model: _Model, write: Numerals, control: str) -> str:
    ends = []
    for one in (model.expected[0], model.expected[-1]):
        low, middle, high = (math.exp(x) for x in (one.effect_ci.low, one.effect, one.effect_ci.high))
        where = write.fixed(100 * one.control_risk, 1)
        ends.append(f"{write.effect(middle)} ({write.range(low, high)}) at {where}%")
    mean = write.effect(math.exp(model.fit.effect))
    return (
        f"Odds ratio against events in {control}, {model.fit.k} studies. Mean odds ratio {mean}; expected {ends[0]} and"
        f" {ends[1]}. {' '.join(_notes(model, write))}"
    )
