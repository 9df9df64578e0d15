"""The influence panel: eight diagnostics of every study, side by side."""

import dataclasses
import math
from typing import TYPE_CHECKING, Final

import numpy as np
from matplotlib.patches import Rectangle

from ipsevidence import core
from ipsevidence.figures.forest_axis import Axis
from ipsevidence.figures.lettering import clean
from ipsevidence.figures.plot_frame import HAIR, SHADES, Key, Panel, Plan, frame_for, listed, pooled, said, style_of
from ipsevidence.figures.plot_side import Side
from ipsevidence.figures.saving import Drawing
from ipsevidence.figures.style import Style, context

if TYPE_CHECKING:
    from ipsevidence.analysis.running import AnalysisRun

__all__ = ["influence"]

ROW: Final = 10.0
TIGHT: Final = 8.4
"""Height of the row of a study, in points, and of many studies."""

MANY: Final = 30
HALF: Final = 0.45494
"""Median of chi-square with one degree of freedom: Cook's distance beyond it is called influential."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    """A diagnostic: its name above the panel, its values, where limits stand, and where the whole pool stands."""

    key: str
    name: str
    values: tuple[float, ...]
    limits: tuple[float, ...] = ()
    whole: float = math.nan


def influence(run: "AnalysisRun", *, style: str | Style = "default") -> Drawing:
    """Draw the deletion diagnostics of a pool.

    Parameters
    ----------
    run : AnalysisRun
        The analysis; its estimator of tau2 is used.
    style : str or Style
        Key of `STYLES`, or a style of one's own.

    Returns
    -------
    Drawing
        One row a study; influential ones, by the rules of `core.influence`, are shaded and have a diamond.

    Raises
    ------
    InputError
        If there are too few studies to leave one out.

    References
    ----------
    .. [1] Viechtbauer W, Cheung MWL. Res Synth Methods 2010;1:112-125. doi:10.1002/jrsm.11
    """
    pooled(run)  # nothing is drawn where nothing was pooled
    look = style_of(style)
    found = core.influence(run.y, run.v, tau2=run.spec.model.tau2)
    if isinstance(found, core.NotApplicable):
        raise core.InputError(found.reason, parameter="run")
    k = len(run.rows)
    columns = _columns(run, found)
    labels = tuple(clean(row.label, most=60) for row in run.rows)
    names = Axis(low=0.4, high=k + 0.6, ticks=tuple(range(1, k + 1)), labels=labels)
    height = (k + 0.2) * (ROW if k <= MANY else TIGHT)
    rows = Side(label="", axis=names, flipped=True, names=True)
    plans = [
        Plan(
            key=column.key,
            x=_side(column),
            y=rows,
            heading=column.name,
            height=height,
            bare=index > 0,
            right=12.0,
            most=105.0,
        )
        for index, column in enumerate(columns)
    ]
    with context():
        frame = frame_for(
            run,
            look,
            [plans],
            kind="Influence",
            alternative=_alternative(run, look, found),
            wide=True,
            key=(
                Key(text="a study left out", color=look.palette.ink, kind="dot"),
                Key(text="influential", color=look.palette.accent, kind="diamond"),
                Key(text="limit", color=look.palette.ink, kind="line", dashes=(1.0, 2.0)),
                Key(text="all studies", color=look.palette.accent, kind="line", dashes=(4.0, 3.0)),
            ),
            notes=(_note(found),),
        )
        for column, panel in zip(columns, frame.panels, strict=True):
            _draw(panel, column, found.influential.tolist(), look)
    return frame.drawing


def _columns(run: "AnalysisRun", found: core.InfluenceResult) -> tuple[_Column, ...]:
    """Return the diagnostics with the limits of `core.influence` for one mean."""
    k = len(run.rows)
    # the pool with the same weights: what the diagnostics leave a study out of
    fit = core.pool(run.y, run.v, tau2=run.spec.model.tau2, interval="wald", prediction="none")
    reach = 3.0 * math.sqrt(1.0 / (k - 1))

    def column(key: str, name: str, limits: tuple[float, ...] = (), whole: float = math.nan) -> _Column:
        return _Column(key=key, name=name, values=tuple(getattr(found, key).tolist()), limits=limits, whole=whole)

    return (
        column("rstudent", "Residual", (-1.96, 1.96), 0.0),
        column("dffits", "DFFITS", (-reach, reach), 0.0),
        column("cook", "Cook", (HALF,)),
        column("cov_ratio", "Cov. ratio", (), 1.0),
        column("tau2_deleted", "τ²", (), fit.tau2),
        column("q_deleted", "Q", (), fit.q),
        column("hat", "Hat", (3.0 / k,)),
        column("weight", "Weight, %", (), 100.0 / k),
    )


def _side(column: _Column) -> Side:
    """Return an axis that holds the values and what they are compared with; a limit far off stays off it."""
    finite = [value for value in column.values if math.isfinite(value)] or [0.0]
    if math.isfinite(column.whole):
        finite.append(column.whole)
    low, high = min(*finite, 0.0 if column.key in {"cook", "hat", "weight"} else math.inf), max(finite)
    spare = 0.6 * (high - low)
    near = [limit for limit in column.limits if low - spare <= limit <= high + spare]
    low, high = min([low, *near]), max([high, *near])
    if high - low < 1e-12 * max(1.0, abs(high)):
        low, high = (0.0, 2.0 * high or 1.0) if low >= 0.0 else (low - 0.5, high + 0.5)
    return Side(label="", low=low, high=high, pad=6.0)


def _draw(panel: Panel, column: _Column, influential: list[bool], look: Style) -> None:
    k = len(influential)
    for row, flag in enumerate(influential, start=1):
        if flag:
            box = Rectangle((panel.x.low, row - 0.5), panel.x.high - panel.x.low, 1.0, zorder=0.1)
            box.set(facecolor=SHADES[0], edgecolor="none", gid=f"{column.key}-shade-{row}")
            panel.axes.add_patch(box)
    rows = np.repeat(np.arange(1.0, k + 1), 3)
    across = np.tile([panel.x.low, panel.x.high, math.nan], k)  # one path with gaps, not a path for each row
    panel.line(across, rows, f"{column.key}-rows", color=SHADES[1], linewidth=0.4, zorder=0.5)
    for index, limit in enumerate(column.limits):
        if panel.x.low <= limit <= panel.x.high:
            panel.line([limit] * 2, [0.4, k + 0.6], f"{column.key}-limit-{index}", color=look.palette.ink,
                       linewidth=0.8, dashes=(1.0, 2.0))  # fmt: skip
    if math.isfinite(column.whole):
        panel.line([column.whole] * 2, [0.4, k + 0.6], f"{column.key}-whole", color=look.palette.accent,
                   linewidth=HAIR, dashes=(4.0, 3.0))  # fmt: skip
    for flag, marker, size, colour, name in (
        (False, "o", 9.0, look.palette.ink, "usual"),
        (True, "D", 16.0, look.palette.accent, "influential"),
    ):
        shown = [
            (value, row)
            for row, (value, this) in enumerate(zip(column.values, influential, strict=True), start=1)
            if this == flag and math.isfinite(value)
        ]
        if shown:
            x, y = zip(*shown, strict=True)
            panel.dots(x, y, size, f"{column.key}-{name}", marker=marker, color=colour, linewidths=0.0)


def _note(found: core.InfluenceResult) -> str:
    flagged = int(found.influential.sum())
    return (
        f"{flagged or 'No'} {'study is' if flagged == 1 else 'studies are'} influential: DFFITS or Cook's distance or"
        " hat value beyond its limit, or the mean moved by over one standard error. Residual: studentised, of the study"
        " against the others. Cov. ratio: below 1 the mean is more precise without the study. τ² and Q: without it."
    )


def _alternative(run: "AnalysisRun", look: Style, found: core.InfluenceResult) -> str:
    write = look.numerals
    lines = [
        f"{row.label}: residual {write.fixed(float(found.rstudent[i]), 2)}, Cook's distance"
        f" {write.fixed(float(found.cook[i]), 2)}, τ² without it {write.tau2(float(found.tau2_deleted[i]))}, weight"
        f" {write.weight(float(found.weight[i]))}%"
        for i, row in enumerate(run.rows)
    ]
    flagged = [run.rows[i].label for i in np.flatnonzero(found.influential)]
    who = f"Influential: {listed(flagged)}." if flagged else "No study is influential."
    return (
        f"Influence of each of {len(run.rows)} studies on the {said(run, pooled(run), look)}. {who} {'; '.join(lines)}."
    )
