"""The highest maximum of many profile likelihoods of the between-study variance.

A likelihood may have several maxima. On a coarse grid it is proved, for nearly every fit, that there is one only, and
between which points; the likelihoods of the others are looked at on the fine grid of the single fit.

The proof. The derivative of the deviance is A - B, with A = tr(P) (or the sum of the weights) and B = y'PPy. Both
fall and are convex in tau2, as P does: between two points each lies below its chord and above its tangents. So A - B
is positive between them if the tangents of A stay above the chord of B, and negative if the chord of A stays below
the tangents of B. Where neither holds A - B still rises if 2 y'PPPy at the right end is above tr(PP) at the left end,
since these fall too, and then it crosses zero once at most. If one of the three holds in every interval, it crosses
zero upwards only, hence once.
"""

import math
from typing import NamedTuple, TypeAlias

import numpy as np

from ipsevidence.core.batch_rows import BoolArray, IntArray, Rows, Terms
from ipsevidence.core.likelihood import POINTS_PER_E_FOLD
from ipsevidence.core.repeating import ranges
from ipsevidence.core.results import FloatArray

COARSE = 4  # points for each e-fold of (v + tau2) on which the proof is tried
CHUNK = 16_384  # effects that are looked at together: their sums at all points stay in the cache of a core
BITS = 20  # of a starting value


Ends: TypeAlias = tuple[FloatArray, FloatArray]
"""Values at the two ends of intervals."""


class Bracket(NamedTuple):
    """Where each deviance has a minimum: between low and high, near start; shape (m,)."""

    low: FloatArray
    start: FloatArray
    high: FloatArray


def maximise(rows: Rows, *, restricted: bool) -> FloatArray:
    """Return the tau2 at which each profile likelihood is highest.

    Parameters
    ----------
    rows : Means or Designs
        The fits; not empty.
    restricted : bool
        Whether the likelihood is the restricted one.

    Returns
    -------
    ndarray of shape (m,)
    """
    m = rows.k.size
    best, alone = np.zeros(m), np.zeros(m, dtype=bool)
    for block in ranges(m, max(1, CHUNK // rows.y.shape[0])):
        here = slice(block.start, block.stop)
        best[here], alone[here] = _proved(rows[here], restricted=restricted)
    left = np.flatnonzero(~alone)
    if left.size:
        best[left] = _search(rows[left], restricted=restricted)
    return best


def _proved(rows: Rows, *, restricted: bool) -> tuple[FloatArray, BoolArray]:
    """Return the maximum of each likelihood, and where it is proved that there is no other; 0 where it is not."""
    top = rows.last_stationary()
    points = _grid(rows, top, COARSE)
    terms = rows.terms(points, restricted=restricted)
    alone = np.logical_and.reduce(_one_crossing(terms, points) | (points[:-1] > top), axis=0)
    found, bracket = _crossing(terms, points)
    inside = np.flatnonzero(alone & found)
    best = np.zeros(alone.size)
    if inside.size:
        best[inside] = _climb(rows[inside], Bracket(*(x[inside] for x in bracket)), restricted=restricted)
    return best, alone


def _grid(rows: Rows, top: FloatArray, density: int) -> FloatArray:
    """Return points from 0 to beyond the last stationary point of every fit, shape (g, 1) or (g, m).

    They are evenly spaced in log(v + tau2) by a step that no fit decides, so that none depends on the others.
    """
    smallest = rows.smallest
    steps = math.ceil(density * math.log1p(float((top / smallest).max()))) + 2
    return smallest * np.expm1(np.arange(steps + 1) / density)[:, None]


def _one_crossing(terms: Terms, points: FloatArray) -> BoolArray:
    """Return in which intervals it is proved that the score crosses zero upwards only, shape (g - 1, m)."""
    a, b, slope_a, slope_b = terms.trace, terms.square, terms.trace2, 2.0 * terms.third
    error = terms.error[:-1]
    # what needs no tangent: both fall
    proved: BoolArray = a[1:] - b[:-1] > error
    proved |= b[1:] - a[:-1] > error
    proved |= slope_b[1:] - slope_a[:-1] > 2.0 * terms.error2[:-1]
    left = np.nonzero(~proved)
    right = (left[0] + 1, left[1])
    width = (points[1:] - points[:-1])[left if points.shape[1] > 1 else (left[0], 0)]
    allowed = error[left if error.shape[1] > 1 else (left[0], 0)]
    ends_a, falls_a, ends_b, falls_b = ((part[left], part[right]) for part in (a, slope_a, b, slope_b))
    above = _stays_above(ends_a, falls_a, ends_b, width) > allowed
    below = _stays_above(ends_b, falls_b, ends_a, width) > allowed
    proved[left] = above | below
    return proved


@np.errstate(divide="ignore", invalid="ignore")
def _stays_above(one: Ends, fall: Ends, other: Ends, width: FloatArray) -> FloatArray:
    """Return by how much the tangents of the one, which falls so fast, stay above the chord of the other."""
    (a0, a1), (b0, b1) = one, other
    meet = (a0 - a1 - width * fall[1]) / (fall[0] - fall[1])  # from the left end; nan proves nothing
    there = a0 - b0 - meet * (fall[0] - (b0 - b1) / width)
    least: FloatArray = np.minimum(np.minimum(a0 - b0, a1 - b1), there)
    return least


@np.errstate(divide="ignore", invalid="ignore")
def _crossing(terms: Terms, points: FloatArray) -> tuple[BoolArray, Bracket]:
    """Return which scores begin below zero, and between which points each first rises above it.

    The start is the crossing of the cubic through the ends with the slopes there, of tau2 in the score.
    """
    score = terms.trace - terms.square
    every = np.arange(score.shape[1])
    right = np.maximum((score >= 0.0).argmax(axis=0), 1)
    ends = (right - 1, right)
    low, high = (points[j, every if points.shape[1] > 1 else 0] for j in ends)
    s0, s1 = (score[j, every] for j in ends)
    rise0, rise1 = (2.0 * terms.third[j, every] - terms.trace2[j, every] for j in ends)
    u, width = s0 / (s0 - s1), high - low
    straight = (s1 - s0) / width
    bend0, bend1 = straight / rise0, straight / rise1
    share = u * u * (3.0 - 2.0 * u) + u * (1.0 - u) * ((1.0 - u) * bend0 - u * bend1)
    good = (rise0 > 0.0) & (rise1 > 0.0) & (share > 0.0) & (share < 1.0)
    start = _rounded(low + np.where(good, share, 0.5) * width)
    return score[0] < 0.0, Bracket(low, np.clip(start, low, high), high)


def _rounded(x: FloatArray) -> FloatArray:
    """Return numbers of few bits, so that sums that were rounded otherwise, in other company, lead to the same."""
    share, exponent = np.frexp(x)
    found: FloatArray = np.ldexp(np.rint(np.ldexp(share, BITS)), exponent - BITS)
    return found


def _search(rows: Rows, *, restricted: bool) -> FloatArray:
    """Return the highest maximum of each likelihood, of those that a fine grid shows."""
    m = rows.k.size
    points = _grid(rows, rows.last_stationary(), POINTS_PER_E_FOLD)
    points = np.broadcast_to(points, (points.shape[0], m))
    height = np.array([rows.deviance(t, restricted=restricted) for t in points])
    rises = np.concatenate([height[1:] >= height[:-1], np.ones((1, m), dtype=bool)])
    after_fall = np.concatenate([np.ones((1, m), dtype=bool), ~rises[:-1]])
    valleys = np.where(rises & after_fall, height, np.inf)
    # the two lowest valleys: the grid may order them wrongly where they are nearly level
    every = np.arange(m)
    first = valleys.argmin(axis=0)
    valleys[first, every] = np.inf
    several = np.flatnonzero(np.isfinite(valleys.min(axis=0)))

    def climb(part: Rows, j: IntArray, rows_of: IntArray) -> FloatArray:
        ends = np.maximum(j - 1, 0), j, np.minimum(j + 1, points.shape[0] - 1)
        return _climb(part, Bracket(*(points[i, rows_of] for i in ends)), restricted=restricted)

    best = climb(rows, first, every)
    if several.size:
        part = rows[several]
        other = climb(part, valleys[:, several].argmin(axis=0), several)
        both = np.array([best[several], other])
        higher = np.array([part.deviance(t, restricted=restricted) for t in both]).argmin(axis=0)
        best[several] = both[higher, np.arange(several.size)]
    return best


def _climb(rows: Rows, bracket: Bracket, *, restricted: bool) -> FloatArray:
    """Return the local maximum in each bracket by Newton's method, halving where it strays."""
    low, t, high = (x.copy() for x in bracket)
    scale = np.broadcast_to(rows.smallest, t.shape)
    active = np.arange(t.size)
    part = rows
    while active.size:
        here, unit = t[active], scale[active]
        score, bend = part.score(here, restricted=restricted)
        up = score >= 0.0
        high[active[up]], low[active[~up]] = here[up], here[~up]
        a, b = low[active], high[active]
        with np.errstate(divide="ignore", invalid="ignore"):
            new = np.where(bend > 0.0, here - score / bend, a)
            step = np.abs(new - here)
            # convergence is quadratic in units of v + tau2: the next step would be lost in rounding
            small = (bend > 0.0) & (step * step <= 1e-14 * here * (unit + here))
        done = (b - a <= 4e-16 * b) | small
        inside = (a < new) & (new < b)
        t[active] = np.where(done, np.clip(new, a, b), np.where(inside, new, 0.5 * (a + b)))
        active = active[~done]
        if active.size and done.any():
            part = part[np.flatnonzero(~done)]
    return t
