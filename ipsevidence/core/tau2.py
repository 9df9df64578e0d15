"""Estimators of the between-study variance, their standard errors and intervals.

All root finding works in units of the data with relative tolerances, so that y -> c y and v -> c^2 v
give tau2 -> c^2 tau2 at any c.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from scipy import special

from ipsevidence.core.heterogeneity import h2_from_tau2, i2_from_tau2, typical_variance
from ipsevidence.core.inputs import check_array, check_each, check_effects, check_level, check_same_length
from ipsevidence.core.quadratic_forms import mixture_cdf
from ipsevidence.core.registry import Method, choose, registry
from ipsevidence.core.results import FloatArray, Interval, Tau2Interval, no_interval
from ipsevidence.core.roots import crossing, falling_root
from ipsevidence.core.weighting import MeanModel, Model, RegressionModel, check_design

POINTS_PER_E_FOLD = 8  # a maximum of the likelihood is about one e-fold of (v + tau2) wide


class Tau2(NamedTuple):
    """An estimate of the between-study variance and its standard error, nan where there is none."""

    tau2: float
    se: float


def estimate_tau2(
    y: Any,
    v: Any,
    X: Any = None,
    *,
    method: str = "reml",
    truncate: bool = True,
    weights: Any = None,
) -> Tau2:
    """Return an estimate of the between-study variance.

    Parameters
    ----------
    y, v : array_like of shape (k,)
        Effects and sampling variances.
    X : array_like of shape (k, p), optional
        Design matrix with its column of ones; the variance is then what moderators leave.
    method : {'common', 'dl', 'he', 'hs', 'sj', 'ml', 'reml', 'eb', 'pm', 'hsk', 'pmm', 'ca2', 'dl2', \
'sj2', 'genq', 'genqm'}
        Key of `TAU2_ESTIMATORS`.
    truncate : bool
        Whether an estimate below 0 becomes 0. Only the moment estimators (dl, he, hs, hsk, ca2, dl2, genq)
        can be negative; the others have no value below 0 to give back.
    weights : array_like of shape (k,), optional
        Weights of the generalised Q statistic for genq and genqm; 1/v unless given.

    Returns
    -------
    Tau2
        ``tau2`` and ``se`` in squared units of y; nan for a single study.

    Raises
    ------
    InputError
        If a parameter cannot be used.

    Notes
    -----
    Standard errors are those of Viechtbauer (2005): exact for normal effects for the moment estimators
    (the sampling variance of a quadratic form, taken at the truncated estimate), from the expected
    information for ml and reml, Morris's approximation for eb and pm, and for sj that of the second
    step with the first held fixed. The two-step ca2 and dl2 hold their first step fixed too, and pmm has
    that of pm.

    sj2 starts from he. Where he is not above 0 there is no second step to take, and it starts as sj does:
    the floor of 0.01 of its authors would depend on the unit of the outcome.

    References
    ----------
    .. [1] Viechtbauer W. Bias and efficiency of meta-analytic variance estimators in the random-effects
       model. J Educ Behav Stat 2005;30:261-293. doi:10.3102/10769986030003261
    """
    chosen = choose("method", method, TAU2_ESTIMATORS)
    model = _model(y, v, X, weights)
    if model is None:
        return Tau2(math.nan, math.nan)
    tau2, se = chosen.function(model)
    if truncate:
        tau2 = max(0.0, tau2)
    return Tau2(tau2 * model.scale, se * model.scale)


def _model(y: Any, v: Any, X: Any, weights: Any) -> Model | None:
    """Return the checked studies as a model, or None for a single study without moderators."""
    y, v = check_effects(y, v)
    if y.size == 1 and X is None:
        return None
    model = MeanModel(y, v) if X is None else RegressionModel(y, v, check_design(X, y.size))
    if weights is not None:
        given = check_array("weights", weights)
        check_same_length(y=y, weights=given)
        check_each("weights", given, np.isfinite(given) & (given > 0), "be finite and above 0")
        model.moment_weights = given / given.max()
    return model


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
    method : {'q-profile', 'profile-ml', 'profile-reml', 'genq'}
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

    References
    ----------
    .. [1] Viechtbauer W. Confidence intervals for the amount of heterogeneity in meta-analysis.
       Stat Med 2007;26:37-52. doi:10.1002/sim.2514
    .. [2] Hardy RJ, Thompson SG. A likelihood approach to meta-analysis with random effects. Stat Med
       1996;15:619-629. doi:10.1002/(SICI)1097-0258(19960330)15:6<619::AID-SIM188>3.0.CO;2-A
    .. [3] Jackson D. Confidence intervals for the between-study variance in random effects meta-analysis
       using generalised Cochran heterogeneity statistics. Res Synth Methods 2013;4:220-229.
       doi:10.1002/jrsm.1081
    """
    chosen = choose("method", method, TAU2_INTERVALS)
    level = check_level(level)
    model = _model(y, v, X, weights)
    if model is None:
        none = no_interval(level, "one study says nothing about heterogeneity")
        return Tau2Interval(
            low=math.nan, high=math.nan, level=level, method=method, tau=none, i2=none, h2=none, why=none.why
        )
    low, high, why = chosen.function(model, level)
    return bounds_of_tau2(model, low, high, level=level, method=method, why=why)


def bounds_of_tau2(model: Model, low: float, high: float, *, level: float, method: str, why: str) -> Tau2Interval:
    """Return bounds in internal units as an interval in the caller's, with those of tau, I2 and H2."""
    typical = typical_variance(model)

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


def root_of_q(model: Model, target: float) -> float:
    """Return the tau2 at which Q(tau2) falls to `target`, or 0 where it starts below.

    Q(t) is a sum of c^2/(l + t), so its reciprocal is concave and increases: Newton's method on 1/Q
    climbs to the root from 0 and cannot overshoot. No bracket is needed.
    """
    t = step = 0.0
    q, slope = model.q_and_slope(t)
    # convergence is quadratic: the step after one of 1e-9 would be lost in rounding
    while q > target and (step > 1e-9 * t or t == 0.0):
        step = (q / target - 1.0) * q / slope
        t += step
        q, slope = model.q_and_slope(t)
    return t


def _quadratic_form(model: Model, w: FloatArray, tau2: float) -> float:
    """Return the standard deviation of y'Py for normal effects of variance v + tau2."""
    total = model.v + max(0.0, tau2)
    return math.sqrt(2.0 * model.trace2(w, total, total))


def _common(_model: Model) -> Tau2:
    return Tau2(0.0, math.nan)


def _dersimonian_laird(model: Model) -> Tau2:
    w = 1.0 / model.v
    trace = model.trace(w, np.ones(model.k))
    tau2 = (model.sum_of_squares(w) - model.df) / trace
    return Tau2(tau2, _quadratic_form(model, w, tau2) / trace)


def _hedges(model: Model) -> Tau2:
    w = np.ones(model.k)
    tau2 = (model.sum_of_squares(w) - model.trace(w, model.v)) / model.df
    return Tau2(tau2, _quadratic_form(model, w, tau2) / model.df)


def _hunter_schmidt(model: Model) -> Tau2:
    w = 1.0 / model.v
    total = float(w.sum())
    tau2 = (model.sum_of_squares(w) - model.k) / total
    return Tau2(tau2, _quadratic_form(model, w, tau2) / total)


def _hunter_schmidt_corrected(model: Model) -> Tau2:
    w = 1.0 / model.v
    total = float(w.sum())
    factor = model.k / model.df
    tau2 = (factor * model.sum_of_squares(w) - model.k) / total
    return Tau2(tau2, factor * _quadratic_form(model, w, tau2) / total)


def _generalised(model: Model, w: FloatArray) -> Tau2:
    """Return the moment estimate from the generalised Q statistic with weights w."""
    trace = model.trace(w, np.ones(model.k))
    tau2 = (model.sum_of_squares(w) - model.trace(w, model.v)) / trace
    return Tau2(tau2, _quadratic_form(model, w, tau2) / trace)


def _moment_weights(model: Model) -> FloatArray:
    return 1.0 / model.v if model.moment_weights is None else model.moment_weights


def _generalised_q(model: Model) -> Tau2:
    return _generalised(model, _moment_weights(model))


def _hedges_two_step(model: Model) -> Tau2:
    return _generalised(model, 1.0 / (model.v + max(0.0, _hedges(model).tau2)))


def _dersimonian_laird_two_step(model: Model) -> Tau2:
    return _generalised(model, 1.0 / (model.v + max(0.0, _dersimonian_laird(model).tau2)))


def _generalised_q_median(model: Model) -> Tau2:
    w = _moment_weights(model)
    return Tau2(_root_of_tail(model, w, 0.5), math.nan)


def _root_of_tail(model: Model, w: FloatArray, probability: float) -> float:
    """Return the tau2 at which the observed generalised Q is exceeded with 1 - `probability`."""
    q = model.sum_of_squares(w)

    def excess(tau2: float) -> float:
        return mixture_cdf(q, model.form_weights(w, tau2)) - probability

    return falling_root(excess, float(model.v.min()))


def _sidik_jonkman(model: Model) -> Tau2:
    return _sidik_jonkman_from(model, _crude_variance(model))


def _sidik_jonkman_from_hedges(model: Model) -> Tau2:
    first = _hedges(model).tau2
    return _sidik_jonkman_from(model, first if first > 0.0 else _crude_variance(model))


def _crude_variance(model: Model) -> float:
    centred = model.y - model.y.mean()
    return float(centred.dot(centred)) / model.k


def _sidik_jonkman_from(model: Model, first: float) -> Tau2:
    if first == 0.0:
        return Tau2(0.0, math.nan)
    w = first / (model.v + first)
    tau2 = model.sum_of_squares(w) / model.df
    return Tau2(tau2, _quadratic_form(model, w, tau2) / model.df)


def _maximum_likelihood(model: Model) -> Tau2:
    tau2 = _maximise(model, restricted=False)
    w = 1.0 / (model.v + tau2)
    return Tau2(tau2, math.sqrt(2.0 / float(w.dot(w))))


def _restricted_maximum_likelihood(model: Model) -> Tau2:
    tau2 = _maximise(model, restricted=True)
    one = np.ones(model.k)
    return Tau2(tau2, math.sqrt(2.0 / model.trace2(1.0 / (model.v + tau2), one, one)))


def _paule_mandel(model: Model) -> Tau2:
    tau2 = root_of_q(model, float(model.df))
    total = float((1.0 / (model.v + tau2)).sum())
    return Tau2(tau2, model.k / total * math.sqrt(2.0 / model.df))


def _paule_mandel_median(model: Model) -> Tau2:
    tau2 = root_of_q(model, float(special.chdtri(model.df, 0.5)))
    total = float((1.0 / (model.v + tau2)).sum())
    return Tau2(tau2, model.k / total * math.sqrt(2.0 / model.df))


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


def _maximise(model: Model, *, restricted: bool) -> float:
    """Return the tau2 at which the profile likelihood is largest.

    It may have several local maxima, one of them at 0: a grid over the whole range in which the score
    can vanish finds them, Newton's method refines each, and the highest wins.
    """
    points = _grid(model)
    height = deviance(model, points, restricted=restricted)
    rises = np.append(height[1:] >= height[:-1], True)
    after_fall = np.append(True, ~rises[:-1])
    last = points.size - 1
    refined = [
        _climb(model, *points[[max(j - 1, 0), j, min(j + 1, last)]].tolist(), restricted=restricted)
        for j in np.flatnonzero(rises & after_fall).tolist()
    ]
    if len(refined) == 1:
        return refined[0]
    return refined[int(np.argmin(deviance(model, np.array(refined), restricted=restricted)))]


def _grid(model: Model) -> FloatArray:
    """Return points from 0 to beyond the last stationary point, evenly spaced in log(v + tau2)."""
    squares = model.sum_of_squares(np.ones(model.k))
    smallest = float(model.v.min())
    spread = float(model.v.max()) - smallest
    # the score is positive once df u^2 > squares (u + spread), with u = tau2 + smallest
    top = (squares + math.sqrt(squares * (squares + 4.0 * model.df * spread))) / (2.0 * model.df)
    span = math.log(max(top / smallest, 1.0)) + 2.0 / POINTS_PER_E_FOLD
    return smallest * np.expm1(np.linspace(0.0, span, math.ceil(span * POINTS_PER_E_FOLD) + 1))


def _climb(model: Model, low: float, start: float, high: float, *, restricted: bool) -> float:
    """Return the local maximum between `low` and `high` by Newton's method, halving where it strays."""
    t = start
    while True:
        w = 1.0 / (model.v + t)
        trace, square, trace2, third = model.score_terms(w)
        if not restricted:
            trace, trace2 = float(np.add.reduce(w)), float(w.dot(w))
        score = trace - square
        if score >= 0.0:
            high = t
        else:
            low = t
        bend = 2.0 * third - trace2
        new = t - score / bend if bend > 0.0 else low
        # convergence is quadratic: the step after one of 1e-9 would be lost in rounding
        if high - low <= 4e-16 * high or (bend > 0.0 and abs(new - t) <= 1e-9 * t):
            return min(max(new, low), high)
        t = new if low < new < high else 0.5 * (low + high)


def _q_profile(model: Model, level: float) -> tuple[float, float, str]:
    tail = (1.0 - level) / 2.0
    low = root_of_q(model, float(special.chdtri(model.df, tail)))
    least = float(special.chdtri(model.df, 1.0 - tail))
    high = root_of_q(model, least)
    empty = model.q_and_slope(0.0)[0] < least
    why = "Q is so small that both bounds fall below 0: the interval is empty" if empty else ""
    return low, high, why


def _generalised_q_interval(model: Model, level: float) -> tuple[float, float, str]:
    w = _moment_weights(model)
    tail = (1.0 - level) / 2.0
    low, high = _root_of_tail(model, w, 1.0 - tail), _root_of_tail(model, w, tail)
    empty = mixture_cdf(model.sum_of_squares(w), model.form_weights(w, 0.0)) < tail
    why = "Q is so small that both bounds fall below 0: the interval is empty" if empty else ""
    return low, high, why


def _profile_ml(model: Model, level: float) -> tuple[float, float, str]:
    return _profile(model, level, restricted=False)


def _profile_reml(model: Model, level: float) -> tuple[float, float, str]:
    return _profile(model, level, restricted=True)


def _profile(model: Model, level: float, *, restricted: bool) -> tuple[float, float, str]:
    """Return where the likelihood ratio around its maximum reaches the chi-square quantile."""
    peak = _maximise(model, restricted=restricted)
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


TAU2_ESTIMATORS = registry(
    Method(
        key="common",
        label="none (common effect)",
        function=_common,
        reference="Hedges LV, Vevea JL. Psychol Methods 1998;3:486-504. doi:10.1037/1082-989X.3.4.486",
        sentence="A common-effect model was used, in which all studies estimate one effect.",
    ),
    Method(
        key="dl",
        label="DerSimonian-Laird",
        function=_dersimonian_laird,
        reference="DerSimonian R, Laird N. Control Clin Trials 1986;7:177-188. doi:10.1016/0197-2456(86)90046-2",
        sentence="Between-study variance was estimated by the method of DerSimonian and Laird (1986).",
    ),
    Method(
        key="he",
        label="Hedges",
        function=_hedges,
        reference="Hedges LV. Psychol Bull 1983;93:388-395. doi:10.1037/0033-2909.93.2.388",
        sentence="Between-study variance was estimated by the unweighted moment method of Hedges (1983).",
    ),
    Method(
        key="hs",
        label="Hunter-Schmidt",
        function=_hunter_schmidt,
        reference="Viechtbauer W. J Educ Behav Stat 2005;30:261-293. doi:10.3102/10769986030003261",
        sentence="Between-study variance was estimated by the method of Hunter and Schmidt, as given by "
        "Viechtbauer (2005).",
    ),
    Method(
        key="sj",
        label="Sidik-Jonkman",
        function=_sidik_jonkman,
        reference="Sidik K, Jonkman JN. J R Stat Soc C 2005;54:367-384. doi:10.1111/j.1467-9876.2005.00489.x",
        sentence="Between-study variance was estimated by the method of Sidik and Jonkman (2005).",
    ),
    Method(
        key="ml",
        label="maximum likelihood",
        function=_maximum_likelihood,
        reference="Hardy RJ, Thompson SG. Stat Med 1996;15:619-629. "
        "doi:10.1002/(SICI)1097-0258(19960330)15:6<619::AID-SIM188>3.0.CO;2-A",
        sentence="Between-study variance was estimated by maximum likelihood.",
    ),
    Method(
        key="reml",
        label="restricted maximum likelihood",
        function=_restricted_maximum_likelihood,
        reference="Viechtbauer W. J Educ Behav Stat 2005;30:261-293. doi:10.3102/10769986030003261",
        sentence="Between-study variance was estimated by restricted maximum likelihood.",
    ),
    Method(
        key="eb",
        label="empirical Bayes",
        function=_paule_mandel,
        reference="Morris CN. J Am Stat Assoc 1983;78:47-55. doi:10.1080/01621459.1983.10477920",
        sentence="Between-study variance was estimated by the empirical Bayes method of Morris (1983).",
    ),
    Method(
        key="pm",
        label="Paule-Mandel",
        function=_paule_mandel,
        reference="Paule RC, Mandel J. J Res Natl Bur Stand 1982;87:377-385. doi:10.6028/jres.087.022",
        sentence="Between-study variance was estimated by the method of Paule and Mandel (1982).",
    ),
    Method(
        key="hsk",
        label="Hunter-Schmidt, corrected",
        function=_hunter_schmidt_corrected,
        reference="Brannick MT, Potter SM, Benitez B, Morris SB. Organ Res Methods 2019;22:490-514. "
        "doi:10.1177/1094428117741966",
        sentence="Between-study variance was estimated by the method of Hunter and Schmidt with the "
        "small-sample correction of Brannick et al (2019).",
    ),
    Method(
        key="pmm",
        label="Paule-Mandel, median-unbiased",
        function=_paule_mandel_median,
        reference="Viechtbauer W. Median-unbiased estimators for the amount of heterogeneity in "
        "meta-analysis. European Congress of Methodology, Valencia, 2021.",
        sentence="Between-study variance was estimated by the median-unbiased Paule-Mandel method.",
    ),
    Method(
        key="ca2",
        label="Hedges, two-step",
        function=_hedges_two_step,
        reference="DerSimonian R, Kacker R. Contemp Clin Trials 2007;28:105-114. doi:10.1016/j.cct.2006.04.004",
        sentence="Between-study variance was estimated by the two-step Hedges method of DerSimonian and Kacker (2007).",
    ),
    Method(
        key="dl2",
        label="DerSimonian-Laird, two-step",
        function=_dersimonian_laird_two_step,
        reference="DerSimonian R, Kacker R. Contemp Clin Trials 2007;28:105-114. doi:10.1016/j.cct.2006.04.004",
        sentence="Between-study variance was estimated by the two-step DerSimonian-Laird method of "
        "DerSimonian and Kacker (2007).",
    ),
    Method(
        key="sj2",
        label="Sidik-Jonkman from Hedges",
        function=_sidik_jonkman_from_hedges,
        reference="Sidik K, Jonkman JN. Stat Med 2007;26:1964-1981. doi:10.1002/sim.2688",
        sentence="Between-study variance was estimated by the method of Sidik and Jonkman (2007), starting "
        "from the estimate of Hedges.",
    ),
    Method(
        key="genq",
        label="generalised Q",
        function=_generalised_q,
        reference="DerSimonian R, Kacker R. Contemp Clin Trials 2007;28:105-114. doi:10.1016/j.cct.2006.04.004",
        sentence="Between-study variance was estimated from the generalised Q statistic.",
    ),
    Method(
        key="genqm",
        label="generalised Q, median-unbiased",
        function=_generalised_q_median,
        reference="Viechtbauer W. Median-unbiased estimators for the amount of heterogeneity in "
        "meta-analysis. European Congress of Methodology, Valencia, 2021.",
        sentence="Between-study variance was estimated by the median-unbiased generalised Q method.",
    ),
)

GIVEN_TAU2 = Method(
    key="given",
    label="given",
    function=_common,
    reference="",
    sentence="Between-study variance was fixed at a given value.",
)

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
        reference="Jackson D. Res Synth Methods 2013;4:220-229. doi:10.1002/jrsm.1081",
        sentence="The confidence interval of the between-study variance was found from the exact distribution "
        "of the generalised Q statistic.",
    ),
)
