"""Confidence intervals that rest on the signs of the effects alone."""

from typing import Any

from ipsevidence.core.inputs import check_effects, check_level
from ipsevidence.core.moderators import permutation_test
from ipsevidence.core.pooling import pool
from ipsevidence.core.results import Interval, no_interval

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
        Missing where even the most extreme arrangement of signs is not rare enough: below six studies for 95%.

    Raises
    ------
    InputError
        If a parameter cannot be used.

    Notes
    -----
    From the estimate outwards in steps of half a standard error to the first mean that is rejected at 1 - level,
    then by halving. It takes some fifty permutation tests.

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

    def bound(direction: float) -> float:
        near, far = fit.estimate, fit.estimate + 0.5 * direction * fit.se
        while not rejected(far):
            near, far = far, far + 0.5 * direction * fit.se
        while abs(far - near) > DIGITS * fit.se:
            middle = 0.5 * (near + far)
            near, far = (near, middle) if rejected(middle) else (middle, far)
        return 0.5 * (near + far)

    return Interval(low=bound(-1.0), high=bound(1.0), level=level)
