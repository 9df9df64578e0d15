"""The L'Abbé plot: the rate of events in one arm against that in the other."""

import dataclasses
import math
from typing import TYPE_CHECKING, Final

import numpy as np

from ipsevidence import core
from ipsevidence.figures.forest_axis import Axis
from ipsevidence.figures.forest_plot import arms_of
from ipsevidence.figures.plot_frame import LINE, Key, Plan, enough, frame_for, pooled, radii, said, style_of
from ipsevidence.figures.plot_labels import Label, bubbles
from ipsevidence.figures.plot_side import Side
from ipsevidence.figures.saving import Drawing
from ipsevidence.figures.style import Style, context

if TYPE_CHECKING:
    from ipsevidence.analysis.running import AnalysisRun

__all__ = ["labbe"]

LEAST: Final = 2
LARGEST: Final = 17.0
"""Diameter of the bubble of the largest study, in points."""

MOST: Final = 10
STEPS: Final = 60
DRAWN: Final = frozenset({"OR", "PETO", "RR", "RD"})
"""Measures whose pooled effect is a curve between rates."""


def labbe(
    run: "AnalysisRun", *, style: str | Style = "default", arms: tuple[str, str] | None = None, wide: bool = False
) -> Drawing:
    """Draw a L'Abbé plot.

    Parameters
    ----------
    run : AnalysisRun
        The analysis; rows without counts are left out, and the figure says how many.
    style : str or Style
        Key of `STYLES`, or a style of one's own.
    arms : tuple of str, optional
        What the first and the second arm are called: IPS and comparator for the dataset.
    wide : bool
        Whether the figure has the width of a page instead of a column.

    Returns
    -------
    Drawing
        The area of a bubble is proportional to the participants; the curve is the pooled effect at each rate.

    Raises
    ------
    InputError
        If there are fewer than two studies, or no row has counts.

    References
    ----------
    .. [1] L'Abbé KA, Detsky AS, O'Rourke K. Ann Intern Med 1987;107:224-233. doi:10.7326/0003-4819-107-2-224
    """
    enough(run, LEAST, "a L'Abbé plot")
    fit, look = pooled(run), style_of(style)
    rates = tuple(
        _Rates(label=row.label, first=100 * c.events1 / c.n1, second=100 * c.events2 / c.n2, size=c.n1 + c.n2)
        for row in run.rows
        if (c := row.counts) is not None
    )
    if not rates:
        raise core.InputError("a L'Abbé plot needs events and persons of both arms", parameter="run")
    names = arms or arms_of(run)
    axis = _axis(max(max(one.first, one.second) for one in rates))
    curve = _curve(run, axis.high)
    key = [Key(text="no effect", color=look.palette.ink, kind="line", dashes=(4.0, 3.0))]
    if curve:
        key.append(Key(text=said(run, fit, look), color=look.palette.accent, kind="line"))
    note = "The area of a bubble is proportional to the participants; the largest are named where there is room."
    if left_out := len(run.rows) - len(rates):
        note += f" {left_out} {'study' if left_out == 1 else 'studies'} without counts cannot be shown."
    sides = [Side(label=f"{name[:1].upper()}{name[1:]}: events, %", axis=axis) for name in (names[1], names[0])]
    with context():
        frame = frame_for(
            run,
            look,
            [[Plan(x=sides[0], y=sides[1])]],
            kind="L'Abbé plot",
            alternative=_alternative(run, look, names, rates),
            wide=wide,
            key=key,
            notes=(note,),
        )
        panel = frame.panel()
        diagonal = ([0.0, axis.high], [0.0, axis.high])
        panel.line(*diagonal, "no-effect", color=look.palette.ink, dashes=(4.0, 3.0))
        if curve:
            panel.line(*curve, "mean", color=look.palette.accent, linewidth=LINE)
        size = radii([one.size for one in rates], LARGEST * (1.4 if wide else 1.0))
        marks = [Label(text=a.label, x=a.second, y=a.first, radius=r) for a, r in zip(rates, size, strict=True)]
        bubbles(frame, marks, lines=[diagonal, *([curve] if curve else [])], most=MOST)
    return frame.drawing


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Rates:
    """Events of a study in percent of its first and its second arm, and its participants."""

    label: str
    first: float
    second: float
    size: float


def _axis(highest: float) -> Axis:
    """Return an axis in percent from 0 to a tick beyond the highest rate."""
    step = 20.0 if highest > 50 else 10.0 if highest > 20 else 5.0 if highest > 10 else 2.0 if highest > 3 else 1.0
    end = min(100.0, step * math.ceil(highest * 1.04 / step))
    ticks = tuple(float(tick) for tick in np.arange(0.0, end + step / 2, step))
    return Axis(low=0.0, high=end, ticks=ticks, labels=tuple(f"{tick:g}" for tick in ticks))


def _curve(run: "AnalysisRun", highest: float) -> tuple[list[float], list[float]] | None:
    """Return the rates of the second and the first arm, in percent, that the pooled effect joins."""
    key = run.measure.key
    if key not in DRAWN:
        return None
    rates = np.linspace(0.0, highest / 100, STEPS + 1)
    rates[0], rates[-1] = 1e-4, min(float(rates[-1]), 1.0 - 1e-4)
    found = [core.absolute_effect(pooled(run), key, rate) for rate in rates.tolist()]
    risks = [100 * effect.risk for effect in found if isinstance(effect, core.AbsoluteEffect)]
    return ((100 * rates).tolist(), risks) if len(risks) == rates.size else None


def _alternative(run: "AnalysisRun", look: Style, names: tuple[str, str], rates: tuple[_Rates, ...]) -> str:
    write, k = look.numerals, len(rates)
    above = sum(one.first > one.second for one in rates)
    digits = 0 if max(one.second for one in rates) > 10 else 1
    pairs = [f"{a.label} {write.fixed(a.first, digits)}% against {write.fixed(a.second, digits)}%" for a in rates]
    return (
        f"L'Abbé plot of {k} studies: events in {names[0]} against {names[1]}. {above} of {k} lie above the line of no"
        f" effect; {said(run, pooled(run), look)}. {'; '.join(pairs)}."
    )
