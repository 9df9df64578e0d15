"""The funnel plot: effects against standard errors, with the test of asymmetry that applies."""

import dataclasses
import itertools
import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from scipy.special import ndtri

from ipsevidence import core
from ipsevidence.core.small_study import ENOUGH
from ipsevidence.figures.forest_scale import Scale
from ipsevidence.figures.numbers import NO_BREAK, Numerals
from ipsevidence.figures.plot_frame import (
    HAIR,
    LINE,
    SHADES,
    Frame,
    Key,
    Plan,
    enough,
    frame_for,
    pooled,
    said,
    style_of,
)
from ipsevidence.figures.plot_labels import Label, write_labels
from ipsevidence.figures.plot_side import Side, effect_side, numerals_of
from ipsevidence.figures.saving import Drawing
from ipsevidence.figures.style import Style, context

if TYPE_CHECKING:
    from ipsevidence.analysis.running import AnalysisRun

__all__ = ["CONTOURS", "funnel"]

CONTOURS: Final = (0.10, 0.05, 0.01)
"""Two-sided p-values of no effect at the edges of the contours."""

LEAST: Final = 3
HEIGHT: Final = 175.0
MARK: Final = 4.6
MOST: Final = 8
DEEPER: Final = 1.06
"""How far the funnel goes on below the largest standard error, as a factor."""


def funnel(
    run: "AnalysisRun",
    *,
    style: str | Style = "default",
    contours: bool = False,
    fill: bool = False,
    wide: bool = False,
) -> Drawing:
    """Draw a funnel plot.

    Parameters
    ----------
    run : AnalysisRun
        The analysis.
    style : str or Style
        Key of `STYLES`, or a style of one's own.
    contours : bool
        Whether regions of the p-value of each study (0.10, 0.05, 0.01) are shaded around no effect.
    fill : bool
        Whether the studies that trim and fill adds (L0, by the estimator of the analysis) are drawn, as rings.
    wide : bool
        Whether the figure has the width of a page instead of a column.

    Returns
    -------
    Drawing
        Dashed lines hold the share of studies that the level of the analysis names, were there no other
        differences between studies than chance; studies outside them are named.

    Raises
    ------
    InputError
        If there are fewer than three studies, or an option does not apply to the measure.

    References
    ----------
    .. [1] Sterne JAC, Sutton AJ, Ioannidis JPA, et al. BMJ 2011;343:d4002. doi:10.1136/bmj.d4002
    .. [2] Peters JL, Sutton AJ, Jones DR, Abrams KR, Rushton L. J Clin Epidemiol 2008;61:991-996.
       doi:10.1016/j.jclinepi.2007.11.010
    """
    enough(run, LEAST, "a funnel plot")
    fit, look = pooled(run), style_of(style)
    scale = Scale(run.measure)
    if contours and (math.isnan(scale.null) or scale.transformed):
        raise core.InputError(f"contours: {run.measure.label} has no value of no effect", parameter="contours")
    filled = _filled(run) if fill else None
    shape = _shape(run, filled)
    plan = Plan(
        x=effect_side(run, look, [*run.y, *shape.added, *shape.ends], null=contours, pad=3.0),
        y=Side(label="Standard error", low=0.0, high=shape.deepest, limits=(0.0, shape.deepest), pad=0.0, flipped=True),
        height=HEIGHT * (1.3 if wide else 1.0),
    )
    notes = _notes(run, look, filled, len(shape.outside))
    with context():
        frame = frame_for(
            run,
            look,
            [[plan]],
            kind="Funnel plot",
            alternative=_alternative(run, look, notes, len(shape.outside)),
            wide=wide,
            key=_key(look, contours=contours, fill=bool(shape.added)),
            notes=notes,
        )
        if contours:
            _shade(frame, scale.null, shape.deepest)
        _draw(frame, run, shape, fit.estimate)
    return frame.drawing


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Shape:
    """Where the sides end, at the largest standard error drawn; studies outside, furthest first; studies added."""

    deepest: float
    ends: tuple[float, float]
    outside: tuple[int, ...]
    added: tuple[float, ...]
    added_se: tuple[float, ...]


def _shape(run: "AnalysisRun", filled: core.TrimFillResult | None) -> _Shape:
    y, se, middle = np.array(run.y), np.sqrt(run.v), pooled(run).estimate
    deepest = float(se.max()) * DEEPER
    z = float(ndtri((1 + float(run.spec.model.level)) / 2))
    away = np.abs(y - middle) / se
    outside = [int(i) for i in np.argsort(-away, kind="stable") if away[i] > z]
    added = [] if filled is None else filled.fit.y[filled.filled].tolist()
    added_se = [] if filled is None else np.sqrt(filled.fit.v[filled.filled]).tolist()
    return _Shape(
        deepest=deepest,
        ends=(middle - z * deepest, middle + z * deepest),
        outside=tuple(outside),
        added=tuple(added),
        added_se=tuple(added_se),
    )


def _draw(frame: Frame, run: "AnalysisRun", shape: _Shape, middle: float) -> None:
    """Draw the sides, the mean, the studies, those added, and the names of those outside."""
    panel, colours = frame.panel(), frame.style.palette
    sides = [([end, middle], [shape.deepest, 0.0]) for end in shape.ends]
    for side, (across, down) in zip(("low", "high"), sides, strict=True):
        panel.line(across, down, f"limit-{side}", color=colours.ink, dashes=(4.0, 3.0))
    mean = ([middle] * 2, [0.0, shape.deepest])
    panel.line(*mean, "mean", color=colours.accent, linewidth=LINE)
    se = np.sqrt(run.v).tolist()
    panel.dots(run.y, se, MARK**2, "studies", facecolor=colours.ink, edgecolor="white", linewidths=0.4)
    ring = {"facecolor": "white", "edgecolor": colours.accent, "linewidths": 0.9}
    panel.dots(shape.added, shape.added_se, MARK**2, "filled", **ring)
    marks = [Label(text=row.label, x=a, y=b, radius=MARK / 2) for row, a, b in zip(run.rows, run.y, se, strict=True)]
    rings = [Label(text="", x=a, y=b, radius=MARK / 2) for a, b in zip(shape.added, shape.added_se, strict=True)]
    wanted = [marks[i] for i in shape.outside]
    write_labels(frame, panel, wanted, marks=[*marks, *rings], lines=[*sides, mean], most=MOST, furthest=34.0)


def _filled(run: "AnalysisRun") -> core.TrimFillResult:
    """Return the pool with the studies that trim and fill adds."""
    model = run.spec.model
    found = core.trim_and_fill(run.y, run.v, tau2=model.tau2, interval=model.interval, level=float(model.level))
    if isinstance(found, core.NotApplicable):
        raise core.InputError(f"fill: {found.reason}", parameter="fill")
    return found


def _shade(frame: Frame, null: float, deepest: float) -> None:
    """Shade the regions from the outside in: below the smallest p-value first, above the largest white."""
    panel = frame.panel()
    panel.axes.patch.set_visible(True)
    panel.axes.patch.set_facecolor(SHADES[0])
    for p, colour in zip(reversed(CONTOURS), (*SHADES[1:], "white"), strict=True):
        reach = -float(ndtri(p / 2)) * deepest
        corners = [(null, 0.0), (null - reach, deepest), (null + reach, deepest)]
        (shape,) = panel.axes.fill(*zip(*corners, strict=True), facecolor=colour, linewidth=0.0, zorder=0.5)
        shape.set_gid(f"contour-{p:g}")
    colour = frame.style.palette.quiet
    panel.line([null] * 2, [0.0, deepest], "no-effect", color=colour, linewidth=HAIR, zorder=1.0)


def _key(look: Style, *, contours: bool, fill: bool) -> tuple[Key, ...]:
    write = look.numerals
    rings = (Key(text="added by trim and fill", color=look.palette.accent, kind="ring"),) if fill else ()
    if not contours:
        return rings
    texts = [f"p{NO_BREAK}>{NO_BREAK}{write.fixed(CONTOURS[0], 2)}"]
    texts += [
        f"{write.fixed(a, 2)}{NO_BREAK}≥{NO_BREAK}p{NO_BREAK}>{NO_BREAK}{write.fixed(b, 2)}"
        for a, b in itertools.pairwise(CONTOURS)
    ]
    texts.append(f"p{NO_BREAK}≤{NO_BREAK}{write.fixed(CONTOURS[-1], 2)}")
    colours = ("white", *reversed(SHADES[1:]), SHADES[0])
    return (*(Key(text=text, color=colour) for text, colour in zip(texts, colours, strict=True)), *rings)


def _notes(run: "AnalysisRun", look: Style, filled: core.TrimFillResult | None, outside: int) -> tuple[str, ...]:
    fit, write = pooled(run), numerals_of(run, look)
    level = write.level(float(run.spec.model.level))
    named = " Studies outside are named where there is room." if outside else ""
    notes = [f"Line: {said(run, fit, look)}. Dashed: where {level} of studies lie if only chance differs.{named}"]
    notes.append(" ".join(_tests(run, write)))
    if filled is not None:
        added = f"{filled.k0} {'study' if filled.k0 == 1 else 'studies'}"
        where = f" on the {filled.side}, with {'it' if filled.k0 == 1 else 'them'} {said(run, filled.fit, look)}"
        notes.append(
            f"Trim and fill ({filled.estimator}) adds {added}{where if filled.k0 else ''}."
            " Asymmetry can have other causes than missing studies: this is no corrected effect."
        )
    return tuple(notes)


def _tests(run: "AnalysisRun", write: Numerals) -> list[str]:
    """Return the tests of asymmetry that apply, in words; or why none does."""
    k = len(run.rows)
    if k < ENOUGH:
        return [f"No test of asymmetry: {ENOUGH} studies are needed, there are {k}."]
    tables = [dataclasses.astuple(row.counts) for row in run.rows if row.counts is not None]
    if len(tables) < k:
        caution = " On odds ratios effect and standard error are correlated." if run.measure.key == "OR" else ""
        return [_sentence("Egger's test", core.egger(run.y, run.v), write) + caution]
    cells = np.array(tables).T
    arcsine = core.egger(*core.two_by_two("AS", *cells))
    return [
        _sentence("Egger's test on arcsine differences", arcsine, write),
        _sentence("Peters's test on odds ratios", core.peters(*cells), write),
    ]


def _sentence(name: str, test: Any, write: Numerals) -> str:
    if isinstance(test, core.NotApplicable):
        return f"{name}: {test.reason}."
    statistic = write.equation(f"t({test.df:g})", write.statistic(test.statistic))
    return f"{name}: {statistic}, {write.equation('p', write.p_value(test.p))}."


def _alternative(run: "AnalysisRun", look: Style, notes: tuple[str, ...], outside: int) -> str:
    write = numerals_of(run, look)
    k = len(run.rows)
    se = np.sqrt(run.v)
    shown = [run.shown(value) for value in run.y]
    spread = f"{write.effect(min(shown))} to {write.effect(max(shown))}"
    errors = f"{write.fixed(float(se.min()), 2)} to {write.fixed(float(se.max()), 2)}"
    return (
        f"Funnel plot of {k} studies: {run.measure.label} from {spread} against standard error from {errors},"
        f" smallest at the top. {outside} of {k} lie outside the dashed lines. {' '.join(notes)}"
    )
