"""Confidence intervals that rest on the signs of the effects alone."""

import math
from typing import Any

import numpy as np

from ipsevidence.core.inputs import check_effects, check_level
from ipsevidence.core.moderators import permutation_test
from ipsevidence.core.pooling import pool
from ipsevidence.core.results import Interval, no_interval

SHORT_STEPS = 40  # after which they double
FAR = 100.0  # times the farthest effect, where the search for a mean that is rejected ends
DIGITS = 1e-7  # of a standard error, to which the bounds are found


def permutation_interval(
    y: Any,
    v: Any,
    *,
    tau2: str = "reml",
    statistic: str = "test",
    level: float = 0.95,
    exact_limit: int = 5040,
    permutations: int = 1000,
    seed: int = 1,
) -> Interval:
    """Return the means that a permutation test of the effects' signs does not reject.

    Parameters
    ----------
    y, v : array_like of shape (k,)
        Effects and sampling variances.
    tau2, statistic, exact_limit, permutations, seed
        As in `permutation_test`.
    level : float
        Level of the interval.

    Returns
    -------
    Interval
        Missing where even the most extreme arrangement of signs is not rare enough: below six studies for 95%,
        or where few studies outweigh the others.

    Raises
    ------
    InputError
        If a parameter cannot be used.

    Notes
    -----
    From the estimate outwards in steps of half a standard error to the first mean that is rejected at 1 - level,
    then by halving; from the fortieth step on they double. It takes some fifty permutation tests.

    References
    ----------
    .. [1] Follmann DA, Proschan MA. Valid inference in random effects meta-analysis. Biometrics
       1999;55:732-737. doi:10.1111/j.0006-341X.1999.00732.x
    """
    y, v = check_effects(y, v)
    level = check_level(level)
    if 2.0 ** (1 - y.size) > 1.0 - level:
        return no_interval(level, f"{y.size} studies have too few arrangements of signs for this level")
    fit = pool(y, v, tau2=tau2, interval="wald", prediction="none")

    def rejected(mean: float) -> bool:
        test = permutation_test(
            y - mean,
            v,
            tau2=tau2,
            statistic=statistic,
            exact_limit=exact_limit,
            permutations=permutations,
            seed=seed,
        )
        return bool(test.p[0] <= 1.0 - level)

    # far beyond all effects the test hardly changes
    end = FAR * (float(np.abs(y - fit.estimate).max()) + fit.se)

    def bound(direction: float) -> float:
        near, step, steps = fit.estimate, 0.5 * direction * fit.se, 0
        far = near + step
        while not rejected(far):
            if abs(far - fit.estimate) > end:
                return math.nan
            steps += 1
            step = step if steps < SHORT_STEPS else 2.0 * step
            near, far = far, far + step
        while abs(far - near) > DIGITS * max(fit.se, abs(far - fit.estimate)):
            middle = 0.5 * (near + far)
            near, far = (near, middle) if rejected(middle) else (middle, far)
        return 0.5 * (near + far)

    low, high = bound(-1.0), bound(1.0)
    if math.isnan(low) or math.isnan(high):
        return no_interval(level, "few studies outweigh the others: no mean is so far off that the test rejects it")
    return Interval(low=low, high=high, level=level)
