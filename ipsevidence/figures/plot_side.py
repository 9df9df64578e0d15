"""The side of a plot: what an axis shows, its ticks, and the side of the effects of an analysis."""

import dataclasses
import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ipsevidence.figures.forest_axis import LINEAR_STEPS, Axis, Span, axis_for
from ipsevidence.figures.forest_scale import Scale
from ipsevidence.figures.lettering import capital, width
from ipsevidence.figures.numbers import Numerals
from ipsevidence.figures.style import Style

if TYPE_CHECKING:
    from ipsevidence.analysis.running import AnalysisRun

__all__ = ["Side", "effect_side", "numerals_of"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """What an axis of a panel has to show.

    Attributes
    ----------
    label : str
        What it measures; empty for none.
    low, high : float
        What has to lie on it, in units of the axis (logarithms for ratios).
    numerals : Numerals
        Writes its ticks, and says whether they are ratios.
    limits : tuple of float
        What a value can be; the axis ends there.
    pad : float
        Points between the values and the ends.
    axis : Axis or None
        The axis itself, where its ticks are known beforehand.
    flipped : bool
        Whether an upright axis has its low end at the top.
    whole : bool
        Whether only whole numbers have ticks, as years do.
    names : bool
        Whether the labels are names of rows, which need no ticks.
    """

    label: str
    low: float = 0.0
    high: float = 1.0
    numerals: Numerals = dataclasses.field(default_factory=lambda: Numerals(ratio=False))
    limits: tuple[float, float] = (-math.inf, math.inf)
    pad: float = 6.0
    axis: Axis | None = None
    flipped: bool = False
    whole: bool = False
    names: bool = False

    def made(self, length: float, size: float) -> Axis:
        """Return limits and ticks for a length in points and labels of a size."""
        if self.axis is not None:
            return self.axis
        span = Span(estimate=(self.low + self.high) / 2, low=self.low, high=self.high)
        found = axis_for(
            [span],
            null=math.nan,
            length=length,
            pad=self.pad,
            numerals=self.numerals,
            size=size,
            limits=self.limits,
        )
        low, high = max(found.low, self.limits[0]), min(found.high, self.limits[1])
        if len(found.ticks) == 1 and not self.numerals.ratio:
            return _sparse(low, high, length, size, self.numerals)
        kept = [
            (tick, text) for tick, text in zip(found.ticks, found.labels, strict=True) if self._has(tick, low, high)
        ]
        ticks, labels = zip(*kept, strict=True) if kept else ((), ())
        return Axis(low=low, high=high, ticks=ticks, labels=labels)

    def _has(self, tick: float, low: float, high: float) -> bool:
        return low <= tick <= high and not (self.whole and abs(tick - round(tick)) > 1e-9)


def _sparse(low: float, high: float, length: float, size: float, numerals: Numerals) -> Axis:
    """Return an axis too short for a row of ticks: two round numbers far apart, or the roundest there is."""
    one: tuple[float, ...] = ()
    for step in LINEAR_STEPS:
        first, last = math.ceil(low / step), math.floor(high / step)
        if first > last or (one and step < (high - low) / 1000):
            continue
        ends = (first * step, last * step)
        wide = [width(numerals.plain(end), size) for end in ends]
        if first < last and (ends[1] - ends[0]) * length / (high - low) >= sum(wide) / 2 + 4.0:
            return Axis(low=low, high=high, ticks=ends, labels=tuple(numerals.plain(end) for end in ends))
        one = one or ends[:1]
    return Axis(low=low, high=high, ticks=one, labels=tuple(numerals.plain(end) for end in one))


def numerals_of(run: "AnalysisRun", look: Style) -> Numerals:
    """Return what writes the effects of an analysis in a style."""
    return dataclasses.replace(look.numerals, ratio=Scale(run.measure).ratio)


def effect_side(run: "AnalysisRun", look: Style, values: Iterable[float], *, null: bool = True, **more: Any) -> Side:
    """Return the axis of the effects of an analysis.

    Parameters
    ----------
    run : AnalysisRun
        The analysis.
    look : Style
        Its style.
    values : iterable of float
        What has to lie on the axis, on the pooled scale.
    null : bool
        Whether no effect has to lie on it as well.
    **more
        Further attributes of `Side`.

    Returns
    -------
    Side
    """
    scale = Scale(run.measure)
    label = capital(run.measure.label) + (" (log scale)" if scale.ratio else "")
    wanted = [*values, *([scale.null] if null and not scale.transformed else [])]
    finite = [value for value in wanted if math.isfinite(value)]
    return Side(label=label, low=min(finite), high=max(finite), numerals=numerals_of(run, look), **more)
