"""The highest maximum of one profile likelihood of the between-study variance.

It may have several maxima, one of them at 0. The derivative of the deviance is A - B, with A = tr(P) (or the sum of
the weights) and B = y'PPy, both falling and convex in tau2. Intervals are halved until in each of them A - B is
proved to keep its sign or to rise, by the bounds that follow from this; then there is one maximum and it is known
between which points. Where an interval becomes too short before that, the likelihood is looked at on a grid over the
whole range, Newton's method refines each maximum there, and the highest wins.
"""

import math
from typing import NamedTuple

import numpy as np

from ipsevidence.core.results import FloatArray
from ipsevidence.core.weighting import Model

POINTS_PER_E_FOLD = 8  # a maximum of the likelihood is about one e-fold of (v + tau2) wide
LARGEST_GRID = 2_000_000  # numbers of it that are held at once
ROUNDING = 1e-12  # share of two sums that their difference must exceed to have a sign


class Point(NamedTuple):
    """What decides the sign of the score, and of its slope, at a value of tau2.

    Attributes
    ----------
    height : float
        log((v + tau2)/v) for the smallest v.
    tau2 : float
        The value.
    a, b : float
        The two parts of the score, which is a - b.
    fall_a, fall_b : float
        How fast they fall.
    """

    height: float
    tau2: float
    a: float
    b: float
    fall_a: float
    fall_b: float


def deviance(model: Model, tau2: FloatArray, *, restricted: bool) -> FloatArray:
    """Return -2 log-likelihood at each tau2, shape (m,), up to a constant; internal units.

    Parameters
    ----------
    model : MeanModel or RegressionModel
        The studies.
    tau2 : ndarray of shape (m,)
        Where to evaluate.
    restricted : bool
        Whether the likelihood is the restricted one.

    Returns
    -------
    ndarray of shape (m,)
    """
    total = model.v + tau2[:, None]
    w = 1.0 / total
    value: FloatArray = np.log(total).sum(axis=1) + model.q_on_grid(w)
    return value + model.log_det(w) if restricted else value


def maximise(model: Model, *, restricted: bool) -> float:
    """Return the tau2 at which the profile likelihood is largest.

    Parameters
    ----------
    model : MeanModel or RegressionModel
        The studies.
    restricted : bool
        Whether the likelihood is the restricted one.

    Returns
    -------
    float
        In internal units.
    """
    top, smallest = _last_stationary(model), model.smallest
    ends = _only_crossing(model, smallest, top, restricted=restricted)
    if ends is None:
        return _search(model, smallest, top, restricted=restricted)
    left, right = ends
    if left is right:
        return 0.0
    start = _between(left, right, smallest)
    return _climb(model, left.tau2, start, right.tau2, restricted=restricted)


def _last_stationary(model: Model) -> float:
    """Return a tau2 beyond which the score is positive: where df u^2 > squares (u + spread), u = tau2 + smallest."""
    squares, spread = model.plain_squares(), model.largest - model.smallest
    return (squares + math.sqrt(squares * (squares + 4.0 * model.df * spread))) / (2.0 * model.df)


def _only_crossing(model: Model, smallest: float, top: float, *, restricted: bool) -> tuple[Point, Point] | None:
    """Return between which points the score rises above zero, twice the first if it begins there; None if unproved."""

    def at(height: float) -> Point:
        tau2 = smallest * math.expm1(height)
        a, b, fall_a, third = model.score_terms(tau2, restricted=restricted)
        return Point(height, tau2, a, b, fall_a, 2.0 * third)

    left = at(0.0)
    ends = (left, left)
    rights = [at(math.log1p(top / smallest) + 1.0 / POINTS_PER_E_FOLD)]
    while rights:
        right = rights[-1]
        if _rises_through_zero_only(left, right, smallest):
            if left.a < left.b and right.a >= right.b:
                ends = (left, right)
            left = rights.pop()
        elif right.height - left.height < 1.0 / POINTS_PER_E_FOLD:
            return None
        else:
            rights.append(at(0.5 * (left.height + right.height)))
    return ends


def _rises_through_zero_only(left: Point, right: Point, smallest: float) -> bool:
    """Return whether it is proved that between two points the score keeps its sign or rises."""
    error = ROUNDING * (left.a + left.b)
    if right.a - left.b > error or right.b - left.a > error:
        return True
    if right.fall_b - left.fall_a > ROUNDING * (left.fall_a + left.fall_b):
        return True
    # u a, u^2 b, u^2 fall_a and u^3 fall_b rise, where u = smallest + tau2; so does u^2 (a - b) under the last of these
    u, w = smallest + left.tau2, smallest + right.tau2
    square, other = u * u, w * w
    if square * left.a - other * right.b > other * error or square * left.b - other * right.a > other * error:
        return True
    rise = (2.0 * u * left.a - other * right.fall_a) * u - 2.0 * other * right.b + square * u * left.fall_b
    if rise > other * error + ROUNDING * other * w * (left.fall_a + left.fall_b):
        return True
    return _stays_apart(left, right, error)


def _stays_apart(left: Point, right: Point, error: float) -> bool:
    """Return whether the tangents of the one part at the ends stay above the chord of the other."""
    gap, width = left.a - left.b, right.tau2 - left.tau2
    chord_a, chord_b = (left.a - right.a) / width, (left.b - right.b) / width
    if gap > error < right.a - right.b and left.fall_a > right.fall_a:
        meet = width * (chord_a - right.fall_a) / (left.fall_a - right.fall_a)
        return gap - meet * (left.fall_a - chord_b) > error
    if -gap > error < right.b - right.a and left.fall_b > right.fall_b:
        meet = width * (chord_b - right.fall_b) / (left.fall_b - right.fall_b)
        return meet * (left.fall_b - chord_a) - gap > error
    return False


def _between(left: Point, right: Point, smallest: float) -> float:
    """Return where the score is about zero: on a cubic through the ends with the slopes there.

    The cubic is of tau2 in u^2 times the score, u = v + tau2, which is straight where all v are equal.
    """
    (low, rise0), (high, rise1) = (_straightened(point, smallest) for point in (left, right))
    u, width = low / (low - high), right.tau2 - left.tau2
    if rise0 > 0.0 and rise1 > 0.0:
        straight = (high - low) / width
        share = u * u * (3.0 - 2.0 * u) + u * (1.0 - u) * straight * ((1.0 - u) / rise0 - u / rise1)
        u = share if 0.0 < share < 1.0 else u
    return left.tau2 + u * width


def _straightened(point: Point, smallest: float) -> tuple[float, float]:
    u, score = smallest + point.tau2, point.a - point.b
    return u * u * score, u * (2.0 * score + u * (point.fall_b - point.fall_a))


def _search(model: Model, smallest: float, top: float, *, restricted: bool) -> float:
    """Return the highest of all maxima that a grid over the whole range shows, evenly spaced in log(v + tau2)."""
    span = math.log(max(top / smallest, 1.0)) + 2.0 / POINTS_PER_E_FOLD
    points = smallest * np.expm1(np.linspace(0.0, span, math.ceil(span * POINTS_PER_E_FOLD) + 1))
    parts = np.array_split(points, math.ceil(points.size * model.k / LARGEST_GRID))
    height = np.concatenate([deviance(model, part, restricted=restricted) for part in parts])
    rises = np.append(height[1:] >= height[:-1], True)
    after_fall = np.append(True, ~rises[:-1])
    last = points.size - 1
    refined = [
        _climb(model, *points[[max(j - 1, 0), j, min(j + 1, last)]].tolist(), restricted=restricted)
        for j in np.flatnonzero(rises & after_fall).tolist()
    ]
    return refined[int(np.argmin(deviance(model, np.array(refined), restricted=restricted)))]


def _climb(model: Model, low: float, start: float, high: float, *, restricted: bool) -> float:
    """Return the local maximum between `low` and `high` by Newton's method, halving where it strays."""
    t = start
    while True:
        trace, square, trace2, third = model.score_terms(t, restricted=restricted)
        score = trace - square
        if score >= 0.0:
            high = t
        else:
            low = t
        # of u^2 times the score, u = v + tau2, which is straight where all v are equal
        u = model.smallest + t
        bend = 2.0 * score + u * (2.0 * third - trace2)
        new = t - u * score / bend if bend > 0.0 else low
        # convergence is quadratic: the next step would be lost in rounding
        small = bend > 0.0 and (new - t) ** 2 <= 1e-15 * t * u
        if small or high - low <= 4e-16 * high:
            return min(max(new, low), high)
        t = new if low < new < high else 0.5 * (low + high)
