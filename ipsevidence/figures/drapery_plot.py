"""The drapery plot: the p-value of every value of the effect, for each study and for the mean."""

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from scipy.special import ndtri, stdtr, stdtrit

from ipsevidence import core
from ipsevidence.figures.forest_axis import Axis, Span, reach
from ipsevidence.figures.forest_scale import Scale
from ipsevidence.figures.plot_frame import HAIR, LINE, Key, Plan, frame_for, pooled, said, style_of
from ipsevidence.figures.plot_side import Side, effect_side, numerals_of
from ipsevidence.figures.saving import Drawing
from ipsevidence.figures.style import Style, context

if TYPE_CHECKING:
    from ipsevidence.analysis.running import AnalysisRun

__all__ = ["drapery"]

HEIGHT: Final = 165.0
TICKS: Final = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
QUIET: Final = "#a6a6a6"
"""Grey of the studies' curves: lighter than marks are, because many lie over one another."""

P_VALUES: Final = (1.0, 0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.15, 0.1, 0.07, 0.05, 0.03, 0.02, 0.01, 0.003)
"""Heights at which a curve has a corner, on either side: it is drawn through them by straight lines."""


def drapery(run: "AnalysisRun", *, style: str | Style = "default", wide: bool = False) -> Drawing:
    """Draw a drapery plot.

    Parameters
    ----------
    run : AnalysisRun
        The analysis.
    style : str or Style
        Key of `STYLES`, or a style of one's own.
    wide : bool
        Whether the figure has the width of a page instead of a column.

    Returns
    -------
    Drawing
        A study's curve is that of its Wald test, the mean's that of the test the analysis makes (t or normal): at a
        height of p the curve is as wide as the interval of level 1 - p.

    Raises
    ------
    InputError
        If nothing was pooled, or the mean has no interval.

    References
    ----------
    .. [1] Rücker G, Schwarzer G. Res Synth Methods 2021;12:8-19. doi:10.1002/jrsm.1435
    """
    fit, look = pooled(run), style_of(style)
    if fit.ci.missing:
        raise core.InputError(f"the mean has no interval: {fit.ci.why}", parameter="run")
    share = 1 - float(run.spec.model.level)
    write = numerals_of(run, look)
    upright = Axis(low=0.0, high=1.0, ticks=TICKS, labels=tuple(write.plain(tick) for tick in TICKS))
    across = effect_side(run, look, _reach(run), null=False, pad=2.0)
    note = (
        f"Where a curve meets the dotted line, at p = {write.plain(share)}, lie the ends of its"
        f" {write.level(1 - share)} interval."
    )
    with context():
        frame = frame_for(
            run,
            look,
            [[Plan(x=across, y=Side(label="p-value", axis=upright), height=HEIGHT)]],
            kind="Drapery plot",
            alternative=_alternative(run, look),
            wide=wide,
            key=(
                Key(text="a study", color=QUIET, kind="line"),
                Key(text=said(run, fit, look), color=look.palette.accent, kind="line"),
            ),
            notes=(note,),
        )
        panel = frame.panel()
        for index, (y, v) in enumerate(zip(run.y, run.v, strict=True)):
            panel.line(*_curve(y, v**0.5), f"study-{index}", color=QUIET, linewidth=HAIR)
        mean = _curve(fit.estimate, fit.se, fit.df)
        panel.line(*mean, "mean", color=look.palette.accent, linewidth=1.8 * LINE, zorder=3.0)
        panel.line([panel.x.low, panel.x.high], [share] * 2, "level", color=look.palette.ink, dashes=(1.0, 2.0))
        null = Scale(run.measure).null
        if panel.x.low <= null <= panel.x.high:
            panel.line([null] * 2, [0.0, 1.0], "no-effect", color=look.palette.ink)
    return frame.drawing


def _reach(run: "AnalysisRun") -> tuple[float, float]:
    """Return the part of the scale that is worth showing: without the far ends of the widest intervals."""
    fit, scale = pooled(run), Scale(run.measure)
    spans = [
        Span(estimate=y, low=low, high=high, weight=1 / v)
        for y, v, (low, high) in zip(run.y, run.v, run.intervals, strict=True)
    ]
    mean = Span(estimate=fit.estimate, low=fit.ci.low, high=fit.ci.high, pooled=True)
    return reach([*spans, mean], null=math.nan if scale.transformed else scale.null)


def _curve(estimate: float, se: float, df: float = math.nan) -> tuple[Any, Any]:
    """Return the corners of a curve: effects in rising order and their p-values; by t where there are df."""
    p = np.array(P_VALUES)
    z = ndtri(1 - p / 2) if math.isnan(df) else stdtrit(df, 1 - p / 2)
    far = 1.6 * z[-1]
    tail = 2 * (stdtr(df, -far) if not math.isnan(df) else float(stdtr(1e9, -far)))
    z, p = np.append(z, far), np.append(p, tail)
    offset = se * z[1:]
    return (
        [*(estimate - offset[::-1]), estimate, *(estimate + offset)],
        [*p[:0:-1], 1.0, *p[1:]],
    )


def _alternative(run: "AnalysisRun", look: Style) -> str:
    fit, write = pooled(run), numerals_of(run, look)
    null = Scale(run.measure).null
    against = "" if math.isnan(null) else f" No effect has p = {write.p_value(fit.p)} for the mean".replace("= <", "< ")
    if against:
        holds = sum(low <= null <= high for low, high in run.intervals)
        against += f"; the intervals of {holds} of {len(run.rows)} studies hold it."
    return (
        f"Drapery plot of {len(run.rows)} studies: p-value of each value of the {run.measure.label}, one curve a study"
        f" and one for the mean, {said(run, fit, look)}.{against}"
    )
