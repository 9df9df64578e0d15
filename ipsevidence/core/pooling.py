"""One effect from several studies: the common-effect and random-effects models and their intervals."""

import math
from typing import Any, NamedTuple

from scipy import special

from ipsevidence.core.confidence_distribution import DRAWS, bootstrap_prediction
from ipsevidence.core.heterogeneity import (
    chi2_tail,
    h2_from_q,
    h2_from_tau2,
    i2_from_q,
    i2_from_tau2,
    typical_variance,
)
from ipsevidence.core.inputs import check_effects, check_given_tau2, check_level, check_whole
from ipsevidence.core.registry import Method, choose, registry
from ipsevidence.core.results import (
    FloatArray,
    Interval,
    PooledResult,
    PoolSettings,
    frozen_array,
    no_interval,
)
from ipsevidence.core.results_of_meaning import BayesResult, SmallKResult
from ipsevidence.core.tau2 import GIVEN_TAU2, TAU2_ESTIMATORS, Tau2
from ipsevidence.core.tau2_bounds import q_profile_bounds
from ipsevidence.core.weighting import MeanModel, Model

ONE_STUDY = "one study says nothing about heterogeneity"


class Spread(NamedTuple):
    """How an interval method widens the model's standard error, and the t degrees of freedom it uses."""

    factor: float
    df: float


def pool(
    y: Any,
    v: Any,
    *,
    tau2: str | float = "reml",
    interval: str = "hksj",
    prediction: str = "t-k1",
    level: float = 0.95,
    seed: int = 1,
) -> PooledResult:
    """Return the pooled effect of several studies.

    Parameters
    ----------
    y, v : array_like of shape (k,)
        Effects on the scale they are pooled on (log odds ratios, risk differences ...) and their
        sampling variances.
    tau2 : {'common', 'dl', 'he', 'hs', 'sj', 'ml', 'reml', 'eb', 'pm'} or float
        Estimator of the between-study variance, or the variance itself, in squared units of y.
    interval : {'wald', 't', 'hksj', 'hksj-adhoc'}
        Confidence interval of the mean.
    prediction : {'none', 'normal', 't-k1', 't-k2', 'bootstrap'}
        Prediction interval for the effect in a new study.
    level : float
        Level of all intervals, between 0 and 1.
    seed : int
        Seed of the bootstrap; without effect on the other methods.

    Returns
    -------
    PooledResult
        What does not apply (for a single study, nearly everything) is nan, with the reason beside it.

    Raises
    ------
    InputError
        If a parameter cannot be used; the message names it, and the study.

    Notes
    -----
    ``wald`` uses the normal distribution, ``t`` the same standard error with t(k-1). ``hksj`` multiplies
    the variance of the mean by Q(tau2)/(k-1), with t(k-1), and can be narrower than ``wald``;
    ``hksj-adhoc`` never multiplies by less than 1.

    The prediction interval is estimate +- quantile * sqrt(tau2 + se^2), where se is that of the interval
    method asked for: with ``wald`` and ``t-k2`` it is that of Higgins, Thompson and Spiegelhalter, with
    ``hksj`` and ``t-k2`` that of Partlett and Riley; ``t-k1`` is R metafor's default after ``test="knha"``,
    ``normal`` its default otherwise. ``bootstrap`` is that of Nagashima, Noma and Furukawa: it draws tau2 from
    its confidence distribution (of Cochran's Q, hence of DerSimonian and Laird's estimate) and the mean with
    Hartung's standard error, whatever `tau2` and `interval` are. It has 25,000 draws: another seed moves its
    bounds by about a hundredth of its width.

    I2 and H2 come from tau2 and the typical within-study variance, and again (``i2_q``, ``h2_q``) from Q.
    In a common-effect model, which has no tau2, the first are those from Q.

    References
    ----------
    .. [1] Hartung J, Knapp G. Stat Med 2001;20:3875-3889. doi:10.1002/sim.1009
    .. [2] Higgins JPT, Thompson SG, Spiegelhalter DJ. J R Stat Soc A 2009;172:137-159.
       doi:10.1111/j.1467-985X.2008.00552.x
    .. [3] Partlett C, Riley RD. Stat Med 2017;36:301-317. doi:10.1002/sim.7140
    .. [4] Nagashima K, Noma H, Furukawa TA. Prediction intervals for random-effects meta-analysis: a
       confidence distribution approach. Stat Methods Med Res 2019;28:1689-1702.
       doi:10.1177/0962280218773520

    Examples
    --------
    >>> fit = pool([0.1, 0.3, 0.35], [0.01, 0.02, 0.01], tau2="dl", interval="wald", prediction="none")
    >>> round(fit.estimate, 4), round(fit.tau2, 4)
    (0.2434, 0.0084)
    """
    y, v = check_effects(y, v)
    if isinstance(tau2, str):
        estimator = choose("tau2", tau2, TAU2_ESTIMATORS)
    else:
        tau2, estimator = check_given_tau2(tau2, v), GIVEN_TAU2
    choose("interval", interval, INTERVALS)
    choose("prediction", prediction, PREDICTIONS)
    settings = PoolSettings(tau2=estimator.key, interval=interval, prediction=prediction, level=check_level(level))
    seed = check_whole("seed", seed, least=0)
    if y.size == 1:
        return _single_study(y, v, settings, given=0.0 if isinstance(tau2, str) else tau2)
    model = MeanModel(y, v)
    found = Tau2(tau2 / model.scale, math.nan) if not isinstance(tau2, str) else estimator.function(model)
    found = Tau2(max(0.0, found.tau2), found.se)
    weights = 1.0 / (model.v + found.tau2)
    return pooled_result(model, found, settings, y=y, v=v, weights=weights, seed=seed)


def pooled_result(
    model: Model,
    found: Tau2,
    settings: PoolSettings,
    *,
    y: FloatArray,
    v: FloatArray,
    weights: FloatArray,
    origin: float = 0.0,
    seed: int = 1,
    notes: tuple[str, ...] = (),
) -> PooledResult:
    """Return everything that follows from a model of one mean and a between-study variance.

    Parameters
    ----------
    model : MeanModel or RegressionModel
        The studies, with one coefficient.
    found : Tau2
        The variance between them and its standard error, in internal units.
    settings : PoolSettings
        What was asked for.
    y, v, weights : ndarray of shape (k,)
        Effects and variances as the caller gave them, and the weight of each.
    origin : float
        What was taken from the effects before they were modelled.
    seed : int
        Seed of the bootstrap.
    notes : tuple of str
        Cautions to begin with.

    Returns
    -------
    PooledResult
    """
    w = 1.0 / (model.v + found.tau2)
    estimate = origin + float(model.coefficients(w)[0])
    spread: Spread = INTERVALS[settings.interval].function(model.q_and_slope(found.tau2)[0], model.df)
    wald = math.sqrt(float(model.covariance(w)[0, 0]))
    se = wald * math.sqrt(spread.factor)
    ci, statistic, p = mean_interval(estimate, se, spread.df, settings.level)
    common = settings.tau2 == "common"
    q, typical = model.q_and_slope(0.0)[0], typical_variance(model)
    bounds = q_profile_bounds(model, typical, settings.level)
    return PooledResult(
        estimate=estimate,
        se=se,
        ci=ci,
        statistic=statistic,
        df=spread.df,
        p=p,
        tau2=found.tau2 * model.scale,
        tau2_se=found.se * model.scale,
        tau2_ci=bounds.tau2,
        i2=i2_from_q(q, model.df) if common else i2_from_tau2(found.tau2, typical),
        i2_ci=bounds.i2,
        h2=h2_from_q(q, model.df) if common else h2_from_tau2(found.tau2, typical),
        h2_ci=bounds.h2,
        i2_q=i2_from_q(q, model.df),
        h2_q=h2_from_q(q, model.df),
        q=q,
        q_df=model.df,
        q_p=chi2_tail(q, model.df),
        prediction=prediction_interval(estimate, se, found.tau2 * model.scale, model, settings, seed),
        weights=frozen_array(100.0 * weights / weights.sum()),
        k=model.k,
        y=frozen_array(y),
        v=frozen_array(v),
        settings=settings,
        notes=(*notes, *_cautions(ci, se, wald, spread, settings)),
    )


def _single_study(y: FloatArray, v: FloatArray, settings: PoolSettings, given: float) -> PooledResult:
    """Return the study's own estimate; nothing else can be had from one study."""
    nan = math.nan
    none = no_interval(settings.level, ONE_STUDY)
    estimate, se = float(y[0]), math.sqrt(float(v[0]) + given)
    fixed = settings.tau2 in {"common", GIVEN_TAU2.key}
    if settings.interval == "wald":
        df = nan
        ci, statistic, p = mean_interval(estimate, se, df, settings.level)
    else:
        why = f"the interval {settings.interval!r} has k - 1 = 0 degrees of freedom for one study"
        ci, statistic, p, df = no_interval(settings.level, why), nan, nan, 0.0
    return PooledResult(
        estimate=estimate,
        se=se,
        ci=ci,
        statistic=statistic,
        df=df,
        p=p,
        tau2=given if fixed else nan,
        tau2_se=nan,
        tau2_ci=none,
        i2=nan,
        i2_ci=none,
        h2=nan,
        h2_ci=none,
        i2_q=nan,
        h2_q=nan,
        q=nan,
        q_df=0,
        q_p=nan,
        prediction=no_interval(settings.level, "one study cannot say how a new study would differ"),
        weights=frozen_array([100.0]),
        k=1,
        y=frozen_array(y),
        v=frozen_array(v),
        settings=settings,
        notes=("One study: this is its own estimate, nothing was pooled.",),
    )


def small_k_pool(
    y: Any,
    v: Any,
    *,
    tau2: str | float = "reml",
    prediction: str = "t-k1",
    level: float = 0.95,
    tau_scale: float = 0.5,
) -> SmallKResult:
    """Return what may be shown for the number of studies at hand.

    Parameters
    ----------
    y, v : array_like of shape (k,)
        Effects and sampling variances.
    tau2, prediction, level
        As in `pool`.
    tau_scale : float
        Scale of the half-normal prior of the between-study standard deviation, in units of y; 0.5 suits
        logarithms of ratios.

    Returns
    -------
    SmallKResult

    Raises
    ------
    InputError
        If a parameter cannot be used.

    Notes
    -----
    One study: the study, as a study. Two: the common effect as a line, with a Bayesian estimate, and no
    random-effects diamond. Three or four: the ad hoc Hartung-Knapp interval beside the Bayesian one. Five or
    more: Hartung-Knapp, or its ad hoc form where that is narrower than Wald or tau2 is 0. A prediction
    interval from five studies on, with a caution below ten.

    References
    ----------
    .. [1] Röver C, Knapp G, Friede T. BMC Med Res Methodol 2015;15:99. doi:10.1186/s12874-015-0091-1
    .. [2] Friede T, Röver C, Wandel S, Neuenschwander B. Res Synth Methods 2017;8:79-91.
       doi:10.1002/jrsm.1217
    """
    # the Bayesian model builds on this module
    from ipsevidence.core.bayesian import bayes

    y, v = check_effects(y, v)
    k = y.size
    notes = []

    def widened(interval: str) -> PooledResult:
        return pool(y, v, tau2=tau2, interval=interval, prediction=prediction, level=level)

    if k == 1:
        shown, headline = "study", pool(y, v, tau2="common", interval="wald", level=level)
    elif k == 2:
        shown, headline = "common", pool(y, v, tau2="common", interval="wald", prediction="none", level=level)
        notes.append("Two studies: no random-effects mean is shown.")
    else:
        shown, headline = "hksj-adhoc", widened("hksj-adhoc")
        if k >= 5:
            plain = widened("hksj")
            narrow = plain.ci.missing or bool(plain.notes) or plain.tau2 == 0.0
            shown, headline = (shown, headline) if narrow else ("hksj", plain)
            if narrow:
                notes.append("The Hartung-Knapp interval was not used as it stands: the ad hoc form is shown.")
    found = bayes(y, v, tau_prior="half-normal", scale=tau_scale, level=level) if 1 < k < 5 else None
    band = headline.prediction
    if 1 < k < 5:
        band = no_interval(headline.settings.level, "fewer than five studies")
        notes.append("Fewer than five studies: a wide interval does not mean that there is no effect.")
    elif 5 <= k < 10 and not band.missing:
        notes.append("Fewer than ten studies: read the prediction interval with care.")
    return SmallKResult(
        k=k,
        shown=shown,
        headline=headline,
        bayes=found if isinstance(found, BayesResult) else None,
        diamond=k > 2,
        prediction=band,
        notes=(*headline.notes, *notes),
    )


def quantile(level: float, df: float) -> float:
    """Return the two-sided quantile of t with `df` degrees of freedom, or of the normal where df is nan."""
    tail = (1.0 - level) / 2.0
    return -float(special.ndtri(tail) if math.isnan(df) else special.stdtrit(df, tail))


def mean_interval(estimate: float, se: float, df: float, level: float) -> tuple[Interval, float, float]:
    """Return the interval of an estimate, its test statistic and two-sided p-value.

    Parameters
    ----------
    estimate, se : float
        Estimate and standard error.
    df : float
        Degrees of freedom of t; nan for the normal.
    level : float
        Confidence level.

    Returns
    -------
    tuple of (Interval, float, float)
        All nan, with a reason, where the standard error is 0.
    """
    if se == 0.0:
        why = "the effects are identical, which makes this standard error 0; hksj-adhoc or wald has one"
        return no_interval(level, why), math.nan, math.nan
    reach = quantile(level, df) * se
    statistic = estimate / se
    if math.isnan(df):
        p = float(special.erfc(abs(statistic) / math.sqrt(2.0)))
    else:
        p = 2.0 * float(special.stdtr(df, -abs(statistic)))
    return Interval(low=estimate - reach, high=estimate + reach, level=level), statistic, p


def prediction_interval(
    estimate: float, se: float, tau2: float, model: Model, settings: PoolSettings, seed: int = 1
) -> Interval:
    """Return the prediction interval asked for, or one that says why there is none."""
    level = settings.level
    if settings.prediction == "none":
        return no_interval(level, "not asked for")
    if settings.tau2 == "common":
        return no_interval(level, "a common-effect model has no distribution of effects to predict from")
    if se == 0.0:
        return no_interval(level, "the effects are identical, which makes the standard error 0")
    if settings.prediction == "bootstrap":
        return _bootstrapped(model, level, seed)
    df: float = PREDICTIONS[settings.prediction].function(model.df)
    if df <= 0.0:
        return no_interval(level, f"the prediction interval {settings.prediction!r} needs more studies")
    reach = quantile(level, df) * math.hypot(math.sqrt(tau2), se)
    return Interval(low=estimate - reach, high=estimate + reach, level=level)


def _bootstrapped(model: Model, level: float, seed: int) -> Interval:
    if model.df < 2:
        return no_interval(level, "the prediction interval 'bootstrap' needs more studies")
    if model.sum_of_squares(1.0 / model.v) == 0.0:
        return no_interval(level, "the effects are identical, which makes Hartung's standard error 0")
    low, high = bootstrap_prediction(model, level, seed)
    return Interval(low=low, high=high, level=level, why=f"bootstrap of {DRAWS} draws, seed {seed}")


def _cautions(ci: Interval, se: float, wald: float, spread: Spread, settings: PoolSettings) -> tuple[str, ...]:
    reach = (ci.high - ci.low) / 2.0
    if spread.factor < 1.0 and reach < quantile(settings.level, math.nan) * wald and se > 0.0:
        other = INTERVALS["hksj-adhoc"].label
        return (f"The HKSJ interval is narrower than the Wald interval; {other}, would not be.",)
    return ()


def _wald(_q: float, _df: int) -> Spread:
    return Spread(1.0, math.nan)


def _t(_q: float, df: int) -> Spread:
    return Spread(1.0, float(df))


def _hksj(q: float, df: int) -> Spread:
    return Spread(q / df, float(df))


def _hksj_adhoc(q: float, df: int) -> Spread:
    return Spread(max(1.0, q / df), float(df))


def _no_prediction(_df: int) -> float:
    return 0.0


def _no_quantile(_df: int) -> float:
    """Return 0: drawn, not made of a quantile; where there is nothing to draw from, there is no interval."""
    return 0.0


def _normal(_df: int) -> float:
    return math.nan


def _t_k1(df: int) -> float:
    return float(df)


def _t_k2(df: int) -> float:
    return float(df - 1)


INTERVALS = registry(
    Method(
        key="wald",
        label="Wald",
        function=_wald,
        reference="DerSimonian R, Laird N. Control Clin Trials 1986;7:177-188. doi:10.1016/0197-2456(86)90046-2",
        sentence="Confidence intervals of pooled effects were Wald intervals.",
    ),
    Method(
        key="t",
        label="t",
        function=_t,
        reference="Follmann DA, Proschan MA. Biometrics 1999;55:732-737. doi:10.1111/j.0006-341X.1999.00732.x",
        sentence="Confidence intervals of pooled effects used the t distribution with k - 1 degrees of freedom.",
    ),
    Method(
        key="hksj",
        label="Hartung-Knapp-Sidik-Jonkman",
        function=_hksj,
        reference="Hartung J, Knapp G. Stat Med 2001;20:3875-3889. doi:10.1002/sim.1009",
        sentence="Confidence intervals of pooled effects were those of Hartung, Knapp, Sidik and Jonkman.",
    ),
    Method(
        key="hksj-adhoc",
        label="Hartung-Knapp-Sidik-Jonkman, ad hoc",
        function=_hksj_adhoc,
        reference="Röver C, Knapp G, Friede T. BMC Med Res Methodol 2015;15:99. doi:10.1186/s12874-015-0091-1",
        sentence="Confidence intervals of pooled effects were those of Hartung, Knapp, Sidik and Jonkman, "
        "with a variance factor of at least 1.",
    ),
)

PREDICTIONS = registry(
    Method(key="none", label="none", function=_no_prediction, reference="", sentence=""),
    Method(
        key="normal",
        label="normal",
        function=_normal,
        reference="Viechtbauer W. J Stat Softw 2010;36(3):1-48. doi:10.18637/jss.v036.i03",
        sentence="Prediction intervals used the normal distribution.",
    ),
    Method(
        key="t-k1",
        label="t with k - 1 degrees of freedom",
        function=_t_k1,
        reference="Viechtbauer W. J Stat Softw 2010;36(3):1-48. doi:10.18637/jss.v036.i03",
        sentence="Prediction intervals used the t distribution with k - 1 degrees of freedom.",
    ),
    Method(
        key="t-k2",
        label="t with k - 2 degrees of freedom",
        function=_t_k2,
        reference="Higgins JPT, Thompson SG, Spiegelhalter DJ. J R Stat Soc A 2009;172:137-159. "
        "doi:10.1111/j.1467-985X.2008.00552.x",
        sentence="Prediction intervals used the t distribution with k - 2 degrees of freedom (Higgins et al 2009).",
    ),
    Method(
        key="bootstrap",
        label="parametric bootstrap",
        function=_no_quantile,
        reference="Nagashima K, Noma H, Furukawa TA. Stat Methods Med Res 2019;28:1689-1702. "
        "doi:10.1177/0962280218773520",
        sentence="Prediction intervals were found by the parametric bootstrap of Nagashima, Noma and Furukawa (2019).",
    ),
)
