"""The risk difference of one trial, and how many people need the intervention for one more to have the outcome."""

import math

from scipy.special import ndtri

from ipsevidence import core
from ipsevidence.analysis.rows import Counts

__all__ = ["number_needed", "trial_difference", "wilson"]


def wilson(events: float, n: float, level: float = 0.95) -> core.Interval:
    """Return Wilson's score interval of a share.

    Parameters
    ----------
    events, n : float
        Events and participants, n above 0.
    level : float
        Confidence level.

    Returns
    -------
    Interval

    References
    ----------
    .. [1] Wilson EB. J Am Stat Assoc 1927;22:209-212. doi:10.1080/01621459.1927.10502953
    """
    z = float(ndtri((1 + level) / 2))
    share, spread = events / n, z * z / n
    centre = (share + spread / 2) / (1 + spread)
    reach = z * math.sqrt(share * (1 - share) / n + spread / (4 * n)) / (1 + spread)
    low, high = (0.0 if events == 0 else centre - reach), (1.0 if events == n else centre + reach)
    return core.Interval(low=low, high=high, level=level)


def trial_difference(counts: Counts, level: float = 0.95) -> tuple[float, core.Interval]:
    """Return the risk difference of one trial with the interval of Newcombe's method 10.

    Parameters
    ----------
    counts : Counts
        The two-by-two table.
    level : float
        Confidence level.

    Returns
    -------
    float, Interval
        Both between -1 and 1.

    References
    ----------
    .. [1] Newcombe RG. Interval estimation for the difference between independent proportions: comparison of eleven
       methods. Stat Med 1998;17:873-890. doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I
    """
    p1, p2 = counts.events1 / counts.n1, counts.events2 / counts.n2
    one, two = wilson(counts.events1, counts.n1, level), wilson(counts.events2, counts.n2, level)
    low = p1 - p2 - math.hypot(p1 - one.low, two.high - p2)
    high = p1 - p2 + math.hypot(one.high - p1, p2 - two.low)
    return p1 - p2, core.Interval(low=low, high=high, level=level)


def number_needed(difference: float, interval: core.Interval, doubt: str = "") -> tuple[float, str]:
    """Return the number needed to treat, and its text with the interval.

    Parameters
    ----------
    difference : float
        Risk difference, where more events are better.
    interval : Interval
        Of that difference.
    doubt : str
        Why there is none even where the interval excludes 0, such as that of the pooled ratio holds 1.

    Returns
    -------
    number : float
        Negative for harm; nan where the interval holds 0, and where there is a doubt.
    text : str
        Altman's notation: ``NNTB 3.1 (2.4 to 4.0)``, or through infinity where the interval holds 0:
        ``NNTB 11.0 (NNTH 30.0 to ∞ to NNTB 4.6)``. Empty where there is no interval; the doubt where only that speaks
        against a number.

    References
    ----------
    .. [1] Altman DG. BMJ 1998;317:1309-1312. doi:10.1136/bmj.317.7168.1309
    """
    if interval.missing:
        return math.nan, ""
    if interval.low <= 0.0 <= interval.high:
        return math.nan, f"{_needed(difference)} ({_needed(interval.low)} to ∞ to {_needed(interval.high)})"
    if doubt:
        return math.nan, f"none: {doubt}"
    ends = sorted((abs(1.0 / interval.low), abs(1.0 / interval.high)))
    return 1.0 / difference, f"{_needed(difference)} ({ends[0]:.1f} to {ends[1]:.1f})"


def _needed(value: float) -> str:
    return "∞" if value == 0.0 else f"{'NNTB' if value > 0.0 else 'NNTH'} {1.0 / abs(value):.1f}"
