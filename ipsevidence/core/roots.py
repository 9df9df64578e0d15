"""Where a function of one variable crosses zero, to relative precision."""

import math
from collections.abc import Callable


def crossing(function: Callable[[float], float], low: float, high: float) -> float:
    """Return where `function` changes sign between `low` and `high`.

    Parameters
    ----------
    function : callable
        A continuous function of one number, of different sign at the two ends.
    low, high : float
        The ends.

    Returns
    -------
    float
        The crossing, to about 15 digits.

    Notes
    -----
    Chandrupatla's method: inverse quadratic interpolation where that is safe, halving elsewhere.

    References
    ----------
    .. [1] Chandrupatla TR. A new hybrid quadratic/bisection algorithm for finding the zero of a nonlinear
       function without using derivatives. Adv Eng Softw 1997;28:145-149.
       doi:10.1016/S0965-9978(96)00051-8
    """
    a, b = low, high
    fa, fb = function(a), function(b)
    share = 0.5
    while True:
        t = a + share * (b - a)
        ft = function(t)
        if (ft > 0.0) == (fa > 0.0):
            c, fc = a, fa
        else:
            c, fc, b, fb = b, fb, a, fa
        a, fa = t, ft
        best, value = (a, fa) if abs(fa) < abs(fb) else (b, fb)
        tolerance = (4e-16 * abs(best) + 5e-324) / abs(b - a) if b != a else math.inf
        if value == 0.0 or tolerance > 0.5:
            return best
        share = 0.5
        if c == b or fc == fb:
            continue
        ratio, height = (a - b) / (c - b), (fa - fb) / (fc - fb)
        if height * height < ratio and (1.0 - height) ** 2 < 1.0 - ratio:
            share = fa / (fb - fa) * fc / (fb - fc) + (c - a) / (b - a) * fa / (fc - fa) * fb / (fc - fb)
        share = min(max(share, tolerance), 1.0 - tolerance)


def falling_root(function: Callable[[float], float], unit: float) -> float:
    """Return where a falling function of a non-negative number crosses zero, or 0 if it starts below.

    Parameters
    ----------
    function : callable
        A falling function that ends below zero.
    unit : float
        Where to look first; the search doubles from there.

    Returns
    -------
    float
    """
    if function(0.0) <= 0.0:
        return 0.0
    low, high = 0.0, unit
    while function(high) > 0.0:
        low, high = high, 2.0 * high
    return crossing(function, low, high)
