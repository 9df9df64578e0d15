"""Confidence intervals of the between-study variance, and of what follows from it."""

import math
from typing import Any

import numpy as np
from scipy import special

from ipsevidence.core.heterogeneity import h2_from_tau2, i2_from_tau2, typical_variance
from ipsevidence.core.inputs import check_level
from ipsevidence.core.likelihood import POINTS_PER_E_FOLD, deviance, maximise
from ipsevidence.core.quadratic_forms import mixture_cdf
from ipsevidence.core.registry import Method, choose, registry
from ipsevidence.core.results import Interval, Tau2Interval, no_interval
from ipsevidence.core.roots import crossing, falling_root
from ipsevidence.core.tau2 import (
    TAU2_ESTIMATORS,
    Tau2,
    model_of,
    moment_weights,
    root_of_q,
    root_of_tail,
)
from ipsevidence.core.weighting import Model

EMPTY = "Q is so small that both bounds fall below 0: the interval is empty"


def tau2_interval(
    y: Any,
    v: Any,
    X: Any = None,
    *,
    method: str = "q-profile",
    level: float = 0.95,
    weights: Any = None,
) -> Tau2Interval:
    """Return a confidence interval for the between-study variance, and for tau, I2 and H2.

    Parameters
    ----------
    y, v : array_like of shape (k,)
        Effects and sampling variances.
    X : array_like of shape (k, p), optional
        Design matrix with its column of ones; the variance is then what moderators leave.
    method : {'q-profile', 'profile-ml', 'profile-reml', 'genq', 'gamma', 'sj', 'wald-ml', 'wald-reml'}
        Key of `TAU2_INTERVALS`.
    level : float
        Confidence level, between 0 and 1.
    weights : array_like of shape (k,), optional
        Weights of the generalised Q statistic for genq; 1/v unless given. Weights 1/sqrt(v) are often
        the better choice.

    Returns
    -------
    Tau2Interval
        Bounds of tau2 in squared units of y.

    Raises
    ------
    InputError
        If a parameter cannot be used.

    Notes
    -----
    The Q-profile interval inverts the generalised Q statistic Q(tau2), which follows a chi-square
    distribution with k - 1 degrees of freedom; equal tails. The generalised-Q interval inverts Q at fixed
    weights, whose exact distribution is a mixture of chi-squares; equal tails. If Q is so small that even
    the upper bound falls below 0 the interval is empty: both bounds are then 0 and ``why`` says so.

    The profile likelihood intervals hold the values around the maximum whose likelihood ratio is below
    the chi-square quantile with 1 degree of freedom.

    The others are there for comparison with older work. ``gamma`` takes Q at the weights 1/v to follow a gamma
    distribution with its mean and variance, which genq does not need. ``sj`` takes the estimate of Sidik and
    Jonkman to be a multiple of a chi-square variable, and covers too rarely where tau2 is small. The Wald
    intervals are symmetric on the scale of tau2 and end at 0.

    References
    ----------
    .. [1] Viechtbauer W. Confidence intervals for the amount of heterogeneity in meta-analysis.
       Stat Med 2007;26:37-52. doi:10.1002/sim.2514
    .. [2] Hardy RJ, Thompson SG. A likelihood approach to meta-analysis with random effects. Stat Med
       1996;15:619-629. doi:10.1002/(SICI)1097-0258(19960330)15:6<619::AID-SIM188>3.0.CO;2-A
    .. [3] Jackson D. Confidence intervals for the between-study variance in random effects meta-analysis
       using generalised Cochran heterogeneity statistics. Res Synth Methods 2013;4:220-229.
    """
    chosen = choose("method", method, TAU2_INTERVALS)
    level = check_level(level)
    model = model_of(y, v, X, weights)
    if model is None:
        none = no_interval(level, "one study says nothing about heterogeneity")
        return Tau2Interval(
            low=math.nan, high=math.nan, level=level, method=method, tau=none, i2=none, h2=none, why=none.why
        )
    low, high, why = chosen.function(model, level)
    return bounds_of_tau2(model, typical_variance(model), low, high, level=level, method=method, why=why)


def bounds_of_tau2(
    model: Model, typical: float, low: float, high: float, *, level: float, method: str, why: str
) -> Tau2Interval:
    """Return bounds in internal units as an interval in the caller's, with those of tau, I2 and H2."""

    def interval(a: float, b: float) -> Interval:
        return Interval(low=a, high=b, level=level, why=why)

    return Tau2Interval(
        low=low * model.scale,
        high=high * model.scale,
        level=level,
        method=method,
        tau=interval(math.sqrt(low) * model.root, math.sqrt(high) * model.root),
        i2=interval(i2_from_tau2(low, typical), i2_from_tau2(high, typical)),
        h2=interval(h2_from_tau2(low, typical), h2_from_tau2(high, typical)),
        why=why,
    )


def q_profile_bounds(model: Model, typical: float, level: float) -> Tau2Interval:
    """Return the Q-profile interval of a model whose typical within-study variance is known, in the caller's units."""
    low, high, why = _q_profile(model, level)
    return bounds_of_tau2(model, typical, low, high, level=level, method="q-profile", why=why)


def _q_profile(model: Model, level: float) -> tuple[float, float, str]:
    tail = (1.0 - level) / 2.0
    low = root_of_q(model, float(special.chdtri(model.df, tail)))
    least = float(special.chdtri(model.df, 1.0 - tail))
    high = root_of_q(model, least)
    empty = model.q_and_slope(0.0)[0] < least
    return low, high, EMPTY if empty else ""


def _generalised_q_interval(model: Model, level: float) -> tuple[float, float, str]:
    w = moment_weights(model)
    tail = (1.0 - level) / 2.0
    low, high = root_of_tail(model, w, 1.0 - tail), root_of_tail(model, w, tail)
    empty = mixture_cdf(model.sum_of_squares(w), model.form_weights(w, 0.0)) < tail
    return low, high, EMPTY if empty else ""


def _profile_ml(model: Model, level: float) -> tuple[float, float, str]:
    return _profile(model, level, restricted=False)


def _profile_reml(model: Model, level: float) -> tuple[float, float, str]:
    return _profile(model, level, restricted=True)


def _profile(model: Model, level: float, *, restricted: bool) -> tuple[float, float, str]:
    """Return where the likelihood ratio around its maximum reaches the chi-square quantile."""
    peak = maximise(model, restricted=restricted)
    limit = float(deviance(model, np.array([peak]), restricted=restricted)[0]) + float(special.chdtri(1, 1.0 - level))

    def excess(tau2: float) -> float:
        return float(deviance(model, np.array([tau2]), restricted=restricted)[0]) - limit

    smallest = float(model.v.min())
    step = math.exp(1.0 / POINTS_PER_E_FOLD)
    low = high = peak + smallest
    # outwards in steps too short to jump over a ridge
    while low > smallest and excess(low - smallest) < 0.0:
        low = max(low / step, smallest)
    while excess(high - smallest) < 0.0:
        high *= step
    lower = crossing(excess, low - smallest, peak) if excess(low - smallest) > 0.0 else 0.0
    return lower, crossing(excess, peak, high - smallest), ""


def _gamma(model: Model, level: float) -> tuple[float, float, str]:
    w, tail = 1.0 / model.v, (1.0 - level) / 2.0
    q = model.sum_of_squares(w)

    def below(tau2: float) -> float:
        """Return the probability of a smaller Q, whose gamma distribution has the mean and variance of Q."""
        total = model.v + tau2
        mean, variance = model.trace(w, total), 2.0 * model.trace2(w, total, total)
        return float(special.gammainc(mean * mean / variance, q * mean / variance))

    unit = float(model.v.min())
    low, high = (falling_root(lambda t, p=p: below(t) - p, unit) for p in (1.0 - tail, tail))  # type: ignore[misc]
    return low, high, EMPTY if below(0.0) < tail else ""


def _sidik_jonkman(model: Model, level: float) -> tuple[float, float, str]:
    tail = (1.0 - level) / 2.0
    total = model.df * _estimate(model, "sj").tau2
    low, high = (total / float(special.chdtri(model.df, p)) for p in (tail, 1.0 - tail))
    return low, high, "" if total > 0.0 else "the effects are identical, which makes both bounds 0"


def _wald_ml(model: Model, level: float) -> tuple[float, float, str]:
    return _wald(_estimate(model, "ml"), level)


def _wald_reml(model: Model, level: float) -> tuple[float, float, str]:
    return _wald(_estimate(model, "reml"), level)


def _wald(found: Tau2, level: float) -> tuple[float, float, str]:
    reach = -float(special.ndtri((1.0 - level) / 2.0)) * found.se
    return max(0.0, found.tau2 - reach), found.tau2 + reach, ""


def _estimate(model: Model, key: str) -> Tau2:
    found: Tau2 = TAU2_ESTIMATORS[key].function(model)
    return found


TAU2_INTERVALS = registry(
    Method(
        key="q-profile",
        label="Q-profile",
        function=_q_profile,
        reference="Viechtbauer W. Stat Med 2007;26:37-52. doi:10.1002/sim.2514",
        sentence="The confidence interval of the between-study variance was found by the Q-profile method.",
    ),
    Method(
        key="profile-ml",
        label="profile likelihood",
        function=_profile_ml,
        reference="Hardy RJ, Thompson SG. Stat Med 1996;15:619-629. "
        "doi:10.1002/(SICI)1097-0258(19960330)15:6<619::AID-SIM188>3.0.CO;2-A",
        sentence="The confidence interval of the between-study variance was found from the profile likelihood.",
    ),
    Method(
        key="profile-reml",
        label="profile restricted likelihood",
        function=_profile_reml,
        reference="Viechtbauer W. Stat Med 2007;26:37-52. doi:10.1002/sim.2514",
        sentence="The confidence interval of the between-study variance was found from the profile of the "
        "restricted likelihood.",
    ),
    Method(
        key="genq",
        label="generalised Q",
        function=_generalised_q_interval,
        reference="Jackson D. Res Synth Methods 2013;4:220-229.",
        sentence="The confidence interval of the between-study variance was found from the exact distribution "
        "of the generalised Q statistic.",
    ),
    Method(
        key="gamma",
        label="gamma approximation",
        function=_gamma,
        reference="Biggerstaff BJ, Tweedie RL. Stat Med 1997;16:753-768. PMID 9131763.",
        sentence="The confidence interval of the between-study variance was that of Biggerstaff and Tweedie (1997).",
    ),
    Method(
        key="sj",
        label="Sidik-Jonkman",
        function=_sidik_jonkman,
        reference="Sidik K, Jonkman JN. J R Stat Soc C 2005;54:367-384. doi:10.1111/j.1467-9876.2005.00489.x",
        sentence="The confidence interval of the between-study variance was that of Sidik and Jonkman (2005).",
    ),
    Method(
        key="wald-ml",
        label="Wald, maximum likelihood",
        function=_wald_ml,
        reference="Viechtbauer W. Stat Med 2007;26:37-52. doi:10.1002/sim.2514",
        sentence="The confidence interval of the between-study variance was a Wald interval around the maximum "
        "likelihood estimate.",
    ),
    Method(
        key="wald-reml",
        label="Wald, restricted maximum likelihood",
        function=_wald_reml,
        reference="Viechtbauer W. Stat Med 2007;26:37-52. doi:10.1002/sim.2514",
        sentence="The confidence interval of the between-study variance was a Wald interval around the restricted "
        "maximum likelihood estimate.",
    ),
)
