"""The radial plot of Galbraith: each study as a ray whose slope is its effect."""

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from matplotlib.lines import Line2D
from scipy.special import ndtri

from ipsevidence.figures.forest_axis import Axis
from ipsevidence.figures.lettering import capital, width
from ipsevidence.figures.plot_frame import HAIR, LINE, Frame, Plan, enough, frame_for, listed, pooled, said, style_of
from ipsevidence.figures.plot_labels import Label, write_labels
from ipsevidence.figures.plot_side import Side, numerals_of
from ipsevidence.figures.saving import Drawing
from ipsevidence.figures.style import Style, context

if TYPE_CHECKING:
    from ipsevidence.analysis.running import AnalysisRun

__all__ = ["radial"]

LEAST: Final = 3
HEIGHT: Final = 170.0
MARK: Final = 4.6
MOST: Final = 8
RULER: Final = 34.0
"""Points to the right for the ruler of effects."""


def radial(run: "AnalysisRun", *, style: str | Style = "default", wide: bool = False) -> Drawing:
    """Draw a radial plot.

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
        Across: 1/sqrt(v + tau2), with the tau2 of the analysis; up: the effect times it. A ray from the origin through
        a study meets the ruler at the right at the study's effect. Studies outside the band, as wide as the level of
        the analysis says, are named.

    Raises
    ------
    InputError
        If there are fewer than three studies.

    References
    ----------
    .. [1] Galbraith RF. Stat Med 1988;7:889-894. doi:10.1002/sim.4780070807
    """
    enough(run, LEAST, "a radial plot")
    fit, look = pooled(run), style_of(style)
    precision = 1.0 / np.sqrt(np.array(run.v) + fit.tau2)
    reach = float(ndtri((1 + float(run.spec.model.level)) / 2))
    away = np.abs(np.array(run.y) - fit.estimate) * precision
    outside = [int(i) for i in np.argsort(-away, kind="stable") if away[i] > reach]
    level = look.numerals.level(float(run.spec.model.level))
    named = " Studies outside are named where there is room." if outside else ""
    note = (
        f"Line: {said(run, fit, look)}. Dashed: {level} of studies if the model holds. A ray from the origin through a"
        f" study meets the ruler at its effect.{named}"
    )
    with context():
        frame = frame_for(
            run,
            look,
            [[_plan(run, precision, reach)]],
            kind="Radial plot",
            alternative=_alternative(run, look, outside),
            wide=wide,
            notes=(note,),
        )
        _ruler(frame, run)
        _draw(frame, run, precision, reach, outside)
    return frame.drawing


def _plan(run: "AnalysisRun", precision: Any, reach: float) -> Plan:
    """Return a panel that holds the studies and the band."""
    fit = pooled(run)
    last = float(precision.max()) * 1.08
    edges = [offset + fit.estimate * x for offset in (-reach, reach) for x in (0.0, last)]
    values = [*(np.array(run.y) * precision).tolist(), *edges]
    name = "Precision (1/standard error, τ² included)" if fit.tau2 > 0 else "Precision (1/standard error)"
    return Plan(
        x=Side(label=name, low=0.0, high=last, limits=(0.0, last), pad=0.0),
        y=Side(label="Effect × precision", low=min(values), high=max(values), pad=3.0),
        height=HEIGHT,
        right=RULER,
        spare=0.0,
    )


def _draw(frame: Frame, run: "AnalysisRun", precision: Any, reach: float, outside: list[int]) -> None:
    """Draw the line with its band, the studies, and the names of those outside."""
    panel, colours, fit = frame.panel(), frame.style.palette, pooled(run)
    last = panel.x.high
    lines = [([0.0, last], [offset, offset + fit.estimate * last]) for offset in (-reach, 0.0, reach)]
    panel.line(*lines[1], "mean", color=colours.accent, linewidth=LINE)
    for side, line in (("low", lines[0]), ("high", lines[2])):
        panel.line(*line, f"limit-{side}", color=colours.ink, dashes=(4.0, 3.0))
    x, z = precision.tolist(), (np.array(run.y) * precision).tolist()
    panel.dots(x, z, MARK**2, "studies", facecolor=colours.ink, edgecolor="white", linewidths=0.4)
    marks = [Label(text=row.label, x=a, y=b, radius=MARK / 2) for row, a, b in zip(run.rows, x, z, strict=True)]
    write_labels(frame, panel, [marks[i] for i in outside], marks=marks, lines=lines, most=MOST)


def _ruler(frame: Frame, run: "AnalysisRun") -> None:
    """Draw the ruler of effects: where the ray of an effect leaves the panel."""
    panel, look = frame.panel(), frame.style
    last = panel.x.high
    right = panel.left + panel.width
    side = Side(label="", low=panel.y.low / last, high=panel.y.high / last, numerals=numerals_of(run, look), pad=0.0)
    axis: Axis = side.made(panel.height, look.small)
    colour = look.palette.rule
    frame.page.add_line(
        Line2D([right] * 2, [panel.top, panel.top + panel.height], color=colour, linewidth=HAIR, gid="ruler")
    )
    for index, (tick, label) in enumerate(zip(axis.ticks, axis.labels, strict=True)):
        if panel.y.low <= tick * last <= panel.y.high and width(label, look.small) <= RULER - 7.0:
            _, y = panel.place(last, tick * last)
            frame.page.add_line(
                Line2D([right, right + 3.0], [y, y], color=colour, linewidth=HAIR, gid=f"ruler-tick-{index}")
            )
            frame.write(label, right + 5.0, y + 0.36 * look.small, f"ruler-{index}")
    name = capital(run.measure.key if width(run.measure.label, look.small) > 2 * RULER else run.measure.label)
    end = right + RULER - 2.0
    frame.write(name, end, panel.top - 5.0 - 0.24 * look.small, "ruler-label", ha="right")


def _alternative(run: "AnalysisRun", look: Style, outside: list[int]) -> str:
    fit = pooled(run)
    names = [run.rows[i].label for i in outside]
    far = f"Outside the band: {listed(names)}." if names else "No study lies outside the band."
    most = 1.0 / math.sqrt(min(run.v) + fit.tau2)
    return (
        f"Radial plot of {len(run.rows)} studies: effect times precision against precision, up to"
        f" {look.numerals.fixed(most, 2)}; the slope of the line is the {said(run, fit, look)}. {far}"
    )
