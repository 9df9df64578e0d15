"""The effect axis of a forest plot: how far it reaches and where its ticks stand.

Everything is in units of the axis: logarithms for ratios, so that no exponential can overflow, else what is written.
"""

import dataclasses
import math
from collections.abc import Iterator, Sequence
from typing import Final

from ipsevidence.core import InputError
from ipsevidence.figures.lettering import width
from ipsevidence.figures.numbers import Numerals

__all__ = ["Axis", "Span", "axis_for", "reach"]

NEAR: Final = 5.0
"""Bounds of intervals this many typical half-widths beyond the mean and the null are shown; wider ones get arrows."""

FAR: Final = 8.0
"""The same for estimates, which matter more, and for the interval of the mean itself."""

CHEAP: Final = 0.1
"""Bounds beyond that are shown all the same where they make the axis longer by no more than this share."""

MOST_TICKS: Final = 8
MOST_DOUBLINGS: Final = 10
PLAINEST: Final = 15 * math.log(10.0)
"""Ratios beyond, in either direction, have no tick: nobody reads their zeros."""

SNAP: Final = 0.25
"""The axis goes on to the next tick where less than this share of a step is missing."""

LINEAR_STEPS: Final = tuple(
    float(f"{digit}e{power}") for power in range(15, -19, -1) for digit in ("5", "2.5", "2", "1")
)
RATIO_BASES: Final = (2.0, 10.0, 100.0, 1e3, 1e4, 1e6, 1e9, 1e12, 1e20, 1e50)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """An estimate with its interval, in units of the axis: of a study, with its weight, or of what was pooled."""

    estimate: float
    low: float
    high: float
    weight: float = 1.0
    pooled: bool = False

    @property
    def whole(self) -> bool:
        """Whether both bounds are known."""
        return math.isfinite(self.low) and math.isfinite(self.high)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """Limits, ticks and their labels; limits and ticks in units of the axis."""

    low: float
    high: float
    ticks: tuple[float, ...]
    labels: tuple[str, ...]

    def clips(self, span: Span) -> tuple[bool, bool]:
        """Return whether an interval goes on beyond the left end and beyond the right end."""
        return span.low < self.low, span.high > self.high


def axis_for(
    spans: Sequence[Span],
    *,
    null: float,
    length: float,
    pad: float,
    numerals: Numerals,
    size: float,
    limits: tuple[float, float] = (-math.inf, math.inf),
) -> Axis:
    """Choose limits and ticks.

    Parameters
    ----------
    spans : sequence of Span
        Studies, and whatever was pooled, the mean of all last.
    null : float
        Where no effect stands: always on the axis; nan where there is no such value.
    length : float
        Length of the axis in points.
    pad : float
        Points between an estimate and the end of the axis, so that no square is cut.
    numerals : Numerals
        Writes the labels, and says whether effects are ratios.
    size : float
        Size of the labels in points.
    limits : tuple of float
        What an effect can be; no tick stands beyond.

    Returns
    -------
    Axis

    Raises
    ------
    InputError
        If effects are so far apart that there is no number for the length of the axis.
    """
    low, high = reach(spans, null=null)
    room = (high - low) * pad / max(length - 2 * pad, 1.0)
    low, high = low - room, high + room
    if not math.isfinite(high - low):
        raise InputError("the effects are too large to be drawn on one axis", parameter="run")
    lowest, highest = (-PLAINEST, PLAINEST) if numerals.ratio else limits
    for every, step in _families(low, high, ratio=numerals.ratio):
        ticks = tuple(tick for tick in every if lowest <= tick <= highest)
        labels = _labels(ticks, numerals)
        scale = length / (high - low)
        if _clear(ticks, labels, scale, size):
            first, last, shown = _snapped(low, high, ticks, step, null, (lowest, highest))
            labels = _labels(shown, numerals)
            if _clear(shown, labels, length / (last - first), size):
                return Axis(low=first, high=last, ticks=shown, labels=labels)
    only = ((low + high) / 2 if math.isnan(null) else null,)
    return Axis(low=low, high=high, ticks=only, labels=_labels(only, numerals))


def _labels(ticks: Sequence[float], numerals: Numerals) -> tuple[str, ...]:
    return tuple(numerals.plain(math.exp(tick) if numerals.ratio else tick) for tick in ticks)


def reach(spans: Sequence[Span], *, null: float) -> tuple[float, float]:
    """Return the part of the scale that is worth showing, before any padding.

    The wide interval of one small trial must not squeeze all others: bounds count up to `NEAR` typical
    half-widths beyond the mean and the null, estimates up to `FAR`. Typical is the weighted median.
    """
    studies = [span for span in spans if not span.pooled]
    whole = [span for span in (studies or spans) if span.whole]
    if not whole:
        middle = 0.0 if math.isnan(null) else null
        return middle - 1.0, middle + 1.0
    typical = _weighted_median([((span.high - span.low) / 2, span.weight) for span in whole])
    pooled = [span.estimate for span in spans if span.pooled and math.isfinite(span.estimate)]
    centre = pooled[-1] if pooled else _weighted_median([(span.estimate, span.weight) for span in whole])
    left, right = (centre, centre) if math.isnan(null) else (min(null, centre), max(null, centre))
    values: list[float] = [left, right]
    beyond: list[float] = []
    for span in spans:
        far = FAR if span.pooled else NEAR
        for value, share in ((span.estimate, FAR), (span.low, far), (span.high, far)):
            if math.isfinite(value):
                near = left - share * typical <= value <= right + share * typical
                (values if near else beyond).append(value)
    low, high = min(values), max(values)
    if high == low:
        half = typical if low - typical < low else max(1.0, abs(low)) / 2
        low, high = low - half, high + half
    spare = CHEAP * (high - low)
    return (
        min((value for value in beyond if low - spare <= value < low), default=low),
        max((value for value in beyond if high < value <= high + spare), default=high),
    )


def _weighted_median(pairs: Sequence[tuple[float, float]]) -> float:
    """Return the smallest value that has half of the weight at or below it."""
    ordered = sorted(pairs)
    half = sum(weight for _, weight in ordered) / 2
    total = 0.0
    for value, weight in ordered:
        total += weight
        if total >= half:
            return value
    return ordered[-1][0]


def _families(low: float, high: float, *, ratio: bool) -> Iterator[tuple[tuple[float, ...], float]]:
    """Yield ticks with their step (in units of the axis, nan where it varies), the best first."""
    if not ratio:
        for step in reversed(LINEAR_STEPS):
            if (high - low) / step <= MOST_TICKS + 1:
                yield _multiples(low, high, step), step
        return
    if (high - low) / math.log(2.0) < 3.0 and high < 700:
        start, end = math.exp(low), math.exp(high)
        for step in reversed(LINEAR_STEPS):
            if (end - start) / step <= MOST_TICKS and step <= 0.5:
                yield tuple(math.log(tick) for tick in _multiples(start, end, step) if tick > 0), math.nan
    for base in RATIO_BASES:
        if (high - low) / math.log(base) <= MOST_DOUBLINGS:
            yield _multiples(low, high, math.log(base)), math.log(base)
        if base == 2.0 and (high - low) / math.log(10.0) <= 4.0:
            yield _decades(low, high), math.nan


def _multiples(low: float, high: float, step: float) -> tuple[float, ...]:
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return tuple(index * step for index in range(first, last + 1))


def _decades(low: float, high: float) -> tuple[float, ...]:
    """Return the logarithms of ..., 0.1, 0.2, 0.5, 1, 2, 5, 10, ... between two of them."""
    powers = range(math.floor(low / math.log(10.0)), math.ceil(high / math.log(10.0)) + 1)
    every = (math.log(digit) + power * math.log(10.0) for power in powers for digit in (1.0, 2.0, 5.0))
    return tuple(tick for tick in every if low <= tick <= high)


def _snapped(
    low: float, high: float, ticks: tuple[float, ...], step: float, null: float, limits: tuple[float, float]
) -> tuple[float, float, tuple[float, ...]]:
    """Extend the axis to the next tick where little is missing, or where no effect would have none beyond it."""
    if math.isnan(step) or not ticks:
        return low, high, ticks
    before, after = ticks[0] - step, ticks[-1] + step
    if before >= limits[0] and (low - before < SNAP * step or ticks[0] > null - step / 2):
        low, ticks = before, (before, *ticks)
    if after <= limits[1] and (after - high < SNAP * step or ticks[-1] < null + step / 2):
        high, ticks = after, (*ticks, after)
    return low, high, ticks


def _clear(ticks: Sequence[float], labels: Sequence[str], scale: float, size: float) -> bool:
    """Return whether there are at least two labels and the space of two digits between neighbours."""
    widths = [width(label, size) for label in labels]
    space = width("00", size)
    gaps = ((ticks[i + 1] - ticks[i]) * scale - (widths[i] + widths[i + 1]) / 2 - space for i in range(len(ticks) - 1))
    return len(ticks) >= 2 and all(gap >= 0 for gap in gaps)
