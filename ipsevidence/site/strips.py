"""Strips: one estimate with its intervals on an axis, small enough for a cell of a table. Drawn, not computed, here."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup

from ipsevidence.figures.numbers import MINUS

__all__ = ["HEIGHT", "WIDTH", "Scale", "axis", "strip"]

WIDTH = 320.0
HEIGHT = 26.0
_EDGE = 14.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """An axis: its ends, ticks, the value of no effect, and whether it is logarithmic."""

    low: float
    high: float
    ticks: tuple[float, ...]
    null: float
    log: bool = False

    def at(self, value: float) -> float:
        """Return the place of a value in pixels from the left; beyond an end, that end."""
        low, high, here = (math.log(max(x, 1e-9)) if self.log else x for x in (self.low, self.high, value))
        return _EDGE + (WIDTH - 2 * _EDGE) * min(1.0, max(0.0, (here - low) / (high - low)))

    def inside(self, value: float) -> bool:
        """Whether a value lies on the axis."""
        return self.low <= value <= self.high


def axis(scale: Scale) -> Markup:
    """Draw the ticks of an axis with their labels, for the head of a column of strips."""
    parts = [
        Markup('<text x="{:.1f}" y="11">{}</text><path d="M{:.1f} 16v6"/>').format(
            scale.at(tick), f"{tick:g}".replace("-", MINUS), scale.at(tick)
        )
        for tick in scale.ticks
    ]
    return _drawing("axis", Markup("").join(parts), 22.0)


def strip(
    scale: Scale,
    *,
    value: float = math.nan,
    ci: tuple[float, float] | None = None,
    ahead: tuple[float, float] | None = None,
    kind: str = "pool",
    points: Iterable[float] = (),
) -> Markup:
    """Draw an estimate.

    Parameters
    ----------
    scale : Scale
        The axis.
    value : float
        The estimate; nan draws none.
    ci, ahead : (float, float), optional
        Confidence and prediction interval.
    kind : {'pool', 'trial', 'common'}
        A mean is a diamond, one trial a square, two trials' common effect a hollow diamond.
    points : iterable of float
        Further points, drawn as hollow circles.

    Returns
    -------
    Markup
        An SVG whose colours are those of the stylesheet; it says nothing to a screen reader, the text beside it does.
    """
    mid = HEIGHT / 2
    parts = [Markup('<path class="null" d="M{:.1f} 0V{:g}"/>').format(scale.at(scale.null), HEIGHT)]
    if ahead is not None:
        parts.append(_line("ahead", scale, ahead, mid))
    if ci is not None:
        parts.append(_line("ci", scale, ci, mid))
    parts += [
        Markup('<circle class="point" cx="{:.1f}" cy="{:g}" r="4.5"/>').format(scale.at(point), mid) for point in points
    ]
    if not math.isnan(value) and scale.inside(value):
        x = scale.at(value)
        if kind == "trial":
            parts.append(
                Markup('<rect class="trial" x="{:.1f}" y="{:g}" width="9" height="9"/>').format(x - 4.5, mid - 4.5)
            )
        else:
            diamond = Markup('<path class="{}" d="M{:.1f} {:g}l7 6.5 -7 6.5 -7 -6.5z"/>')
            parts.append(diamond.format(kind, x, mid - 6.5))
    return _drawing("strip", Markup("").join(parts), HEIGHT)


def _line(name: str, scale: Scale, ends: tuple[float, float], y: float) -> Markup:
    """Draw an interval; an end beyond the axis has the head of an arrow."""
    low, high = ends
    x1, x2 = scale.at(low), scale.at(high)
    line = Markup('<path class="{}" d="M{:.1f} {:g}H{:.1f}"/>').format(name, x1, y, x2)
    if low < scale.low:
        line += Markup('<path class="head" d="M{:.1f} {:g}l-6 4 6 4z"/>').format(x1, y - 4)
    if high > scale.high:
        line += Markup('<path class="head" d="M{:.1f} {:g}l6 4 -6 4z"/>').format(x2, y - 4)
    return line


def _drawing(name: str, inner: Markup, height: float) -> Markup:
    return Markup('<svg class="{}" viewBox="0 0 {:g} {:g}" aria-hidden="true" focusable="false">{}</svg>').format(
        name, WIDTH, height, inner
    )
