"""Effects that differ between kinds of studies: meta-regression and subgroups."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from ipsevidence.core.heterogeneity import chi2_tail, h2_from_q, h2_from_tau2, i2_from_q, i2_from_tau2, typical_variance
from ipsevidence.core.inputs import (
    LARGEST_MODERATOR,
    InputError,
    check_effects,
    check_given_tau2,
    check_level,
)
from ipsevidence.core.likelihood import deviance
from ipsevidence.core.pooling import INTERVALS, PREDICTIONS, Spread, mean_interval, pool, quantile
from ipsevidence.core.registry import Method, choose
from ipsevidence.core.results import (
    FloatArray,
    Interval,
    NotApplicable,
    PooledResult,
    PoolSettings,
    TestResult,
    frozen_array,
    no_interval,
)
from ipsevidence.core.results_of_moderators import (
    FitStatistics,
    Prediction,
    RegressionResult,
    SubgroupResult,
)
from ipsevidence.core.tau2 import GIVEN_TAU2, TAU2_ESTIMATORS, Tau2
from ipsevidence.core.tau2_bounds import q_profile_bounds
from ipsevidence.core.weighting import MeanModel, Model, RegressionModel, check_design

STUDIES_PER_MODERATOR = 10


def meta_regression(
    y: Any,
    v: Any,
    X: Any,
    *,
    tau2: str | float = "reml",
    interval: str = "hksj",
    level: float = 0.95,
    names: Sequence[str] | None = None,
) -> RegressionResult:
    """Return the regression of effects on moderators.

    Parameters
    ----------
    y, v : array_like of shape (k,)
        Effects and sampling variances.
    X : array_like of shape (k, p)
        Moderators, with the column of ones if there is to be an intercept.
    tau2 : str or float
        Key of `TAU2_ESTIMATORS`, or the between-study variance itself.
    interval : {'wald', 't', 'hksj', 'hksj-adhoc'}
        Confidence intervals of the coefficients, with k - p degrees of freedom for all but wald.
    level : float
        Level of the intervals, between 0 and 1.
    names : sequence of str, optional
        Names of the columns of X.

    Returns
    -------
    RegressionResult

    Raises
    ------
    InputError
        If a parameter cannot be used; the message names it, and the study.

    Notes
    -----
    ``hksj`` is the method of Knapp and Hartung: the covariance is multiplied by Q(tau2)/(k - p), and the
    test of all moderators is an F test. R2 compares tau2 with that of the model without moderators, by the
    same estimator; it is nan without intercept, for a common-effect model, and for a given tau2.

    References
    ----------
    .. [1] Knapp G, Hartung J. Improved tests for a random effects meta-regression with a single covariate.
       Stat Med 2003;22:2693-2710. doi:10.1002/sim.1482
    .. [2] Thompson SG, Higgins JPT. How should meta-regression analyses be undertaken and interpreted?
       Stat Med 2002;21:1559-1573. doi:10.1002/sim.1187
    """
    y, v = check_effects(y, v)
    design = check_design(X, y.size)
    columns = design.shape[1]
    labels = tuple(f"x{j}" for j in range(columns)) if names is None else tuple(names)
    if len(labels) != columns:
        raise InputError(f"names must have one entry per column of X ({columns}); got {len(labels)}", parameter="names")
    choose("interval", interval, INTERVALS)
    settings = PoolSettings(tau2=_estimator(tau2).key, interval=interval, prediction="none", level=check_level(level))
    model = RegressionModel(y, v, design)
    return regression_result(y, v, design, model, _between(model, tau2), settings, labels)


def _estimator(tau2: str | float) -> Method:
    return choose("tau2", tau2, TAU2_ESTIMATORS) if isinstance(tau2, str) else GIVEN_TAU2


def _between(model: Model, tau2: str | float) -> Tau2:
    """Return tau2 and its standard error in internal units."""
    if isinstance(tau2, str):
        found = _estimator(tau2).function(model)
        return Tau2(max(0.0, found.tau2), found.se)
    return Tau2(check_given_tau2(tau2, model.scale * model.v) / model.scale, math.nan)


def regression_result(
    y: FloatArray,
    v: FloatArray,
    X: FloatArray,
    model: RegressionModel,
    found: Tau2,
    settings: PoolSettings,
    names: tuple[str, ...],
) -> RegressionResult:
    """Return everything that follows from a regression and a between-study variance.

    Parameters
    ----------
    y, v : ndarray of shape (k,)
        Effects and variances as the caller gave them.
    X : ndarray of shape (k, p)
        Moderators, with the column of ones if there is an intercept.
    model : RegressionModel
        The studies; its rows need not be those of X.
    found : Tau2
        The variance between studies and its standard error, in internal units.
    settings : PoolSettings
        What was asked for.
    names : tuple of str
        Names of the columns of X.

    Returns
    -------
    RegressionResult
    """
    tau2 = found.tau2
    w = 1.0 / (model.v + tau2)
    spread: Spread = INTERVALS[settings.interval].function(model.sum_of_squares(w), model.df)
    covariance = spread.factor * model.covariance(w)
    coefficients, se = model.coefficients(w), np.sqrt(np.diag(covariance))
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = np.where(se > 0, coefficients / se, np.nan)
    reach = np.where(se > 0, quantile(settings.level, spread.df) * se, np.nan)
    tested = tested_columns(X)
    qm, qm_df, qm_df2, qm_p = _wald_test(coefficients[tested], covariance[np.ix_(tested, tested)], spread.df)
    qe, typical = model.sum_of_squares(1.0 / model.v), typical_variance(model)
    common = settings.tau2 == "common"
    return RegressionResult(
        names=names,
        coefficients=frozen_array(coefficients),
        se=frozen_array(se),
        low=frozen_array(coefficients - reach),
        high=frozen_array(coefficients + reach),
        statistic=frozen_array(statistic),
        p=frozen_array(_two_sided(statistic, spread.df)),
        vif=frozen_array(_inflation(covariance, tested)),
        covariance=frozen_array(covariance),
        df=spread.df,
        tau2=tau2 * model.scale,
        tau2_se=found.se * model.scale,
        tau2_ci=q_profile_bounds(model, typical, settings.level).tau2,
        i2=i2_from_q(qe, model.df) if common else i2_from_tau2(tau2, typical),
        h2=h2_from_q(qe, model.df) if common else h2_from_tau2(tau2, typical),
        r2=_explained(y, v, X, tau2 * model.scale, settings.tau2),
        qe=qe,
        qe_df=model.df,
        qe_p=chi2_tail(qe, model.df),
        qm=qm,
        qm_df=qm_df,
        qm_df2=qm_df2,
        qm_p=qm_p,
        k=model.k,
        p_columns=model.p,
        y=frozen_array(y),
        v=frozen_array(v),
        X=frozen_array(X),
        settings=settings,
        notes=_regression_notes(model.k, qm_df),
    )


def tested_columns(X: FloatArray) -> NDArray[np.intp]:
    """Return the indices of the moderators: all columns but an intercept, unless that is all there is."""
    constant = np.all(X[0] == X, axis=0)
    moderators = np.flatnonzero(~constant)
    return moderators if moderators.size else np.arange(X.shape[1])


def _has_intercept(X: FloatArray) -> bool:
    return bool(np.all(X[0] == X, axis=0).any())


def _two_sided(statistic: FloatArray, df: float) -> FloatArray:
    if math.isnan(df):
        p: FloatArray = special.erfc(np.abs(statistic) / math.sqrt(2.0))
    else:
        p = 2.0 * special.stdtr(df, -np.abs(statistic))
    return p


def _wald_test(b: FloatArray, covariance: FloatArray, df: float) -> tuple[float, int, float, float]:
    """Return statistic, degrees of freedom and p-value of the test that all of b are 0."""
    if np.diag(covariance).min() <= 0.0:
        return math.nan, b.size, df, math.nan
    qm = float(b @ np.linalg.solve(covariance, b))
    if math.isnan(df):
        return qm, b.size, math.nan, chi2_tail(qm, b.size)
    return qm / b.size, b.size, df, float(special.fdtrc(b.size, df, qm / b.size))


def _inflation(covariance: FloatArray, tested: NDArray[np.intp]) -> FloatArray:
    """Return the variance inflation factors of the tested coefficients, nan for the others."""
    found = np.full(covariance.shape[0], np.nan)
    part = covariance[np.ix_(tested, tested)]
    if np.diag(part).min() > 0.0:
        found[tested] = np.diag(part) * np.diag(np.linalg.inv(part))
    return found


def _explained(y: FloatArray, v: FloatArray, X: FloatArray, tau2: float, key: str) -> float:
    if key in {"common", GIVEN_TAU2.key} or not _has_intercept(X):
        return math.nan
    plain = MeanModel(y, v)
    total = max(0.0, TAU2_ESTIMATORS[key].function(plain).tau2) * plain.scale
    return 100.0 * max(0.0, 1.0 - tau2 / total) if total > 0.0 else 0.0


def _regression_notes(k: int, moderators: int) -> tuple[str, ...]:
    if k < STUDIES_PER_MODERATOR * moderators:
        return (f"Fewer than {STUDIES_PER_MODERATOR} studies per moderator ({k} for {moderators}): read with care.",)
    return ()


def predict_effects(fit: RegressionResult, X: Any, *, prediction: str = "t-k1") -> Prediction:
    """Return the effects a meta-regression predicts, with confidence and prediction bands.

    Parameters
    ----------
    fit : RegressionResult
        From `meta_regression`.
    X : array_like of shape (m, p)
        Moderators to predict at, with the intercept's 1.
    prediction : {'none', 'normal', 't-k1', 't-k2'}
        Prediction bands; ``t-k1`` has k - p degrees of freedom, ``t-k2`` one less.

    Returns
    -------
    Prediction
        Its ``why`` says why there are no prediction bands, where there are none.

    Raises
    ------
    InputError
        If X has another number of columns or is no matrix of finite numbers, or there is no such prediction band.
    """
    rows = _rows_of(X, fit.p_columns)
    chosen = choose("prediction", prediction, {key: m for key, m in PREDICTIONS.items() if key != "bootstrap"})
    df: float = chosen.function(fit.k - fit.p_columns)
    estimate = rows @ fit.coefficients
    se = np.sqrt(np.einsum("ij,jk,ik->i", rows, fit.covariance, rows))
    why = ""
    if chosen.key == "none":
        why = "not asked for"
    elif fit.settings.tau2 == "common":
        why = "a common-effect model has no distribution of effects to predict from"
    elif df <= 0.0:
        why = f"the prediction band {chosen.key!r} needs more studies"
    elif se.min() == 0.0:
        why = "the effects lie on a line, which makes a standard error 0"
    reach = quantile(fit.settings.level, fit.df) * se
    wide = np.full_like(se, np.nan) if why else quantile(fit.settings.level, df) * np.sqrt(fit.tau2 + se**2)
    return Prediction(
        estimate=frozen_array(estimate),
        se=frozen_array(se),
        low=frozen_array(estimate - reach),
        high=frozen_array(estimate + reach),
        prediction_low=frozen_array(estimate - wide),
        prediction_high=frozen_array(estimate + wide),
        level=fit.settings.level,
        why=why,
    )


def _rows_of(X: Any, columns: int) -> FloatArray:
    """Return values of moderators to predict at, shape (m, columns)."""
    try:
        rows = np.atleast_2d(np.asarray(X, dtype=float))
    except (TypeError, ValueError):
        raise InputError("X must be a matrix of numbers, one row per prediction", parameter="X") from None
    if rows.ndim != 2 or rows.shape[1] != columns:
        raise InputError(f"X must have {columns} columns; got {rows.shape[-1]}", parameter="X")
    if not (np.abs(rows) <= LARGEST_MODERATOR).all():
        raise InputError(f"X must be finite and at most {LARGEST_MODERATOR:g} in size", parameter="X")
    return rows


def fit_statistics(y: Any, v: Any, X: Any = None, *, method: str = "ml") -> FitStatistics:
    """Return log-likelihood and information criteria of a random-effects model at its maximum.

    Parameters
    ----------
    y, v : array_like of shape (k,)
        Effects and sampling variances; at least two studies.
    X : array_like of shape (k, p), optional
        Design matrix with its column of ones; a mean alone unless given.
    method : {'ml', 'reml'}
        Which likelihood. Restricted likelihoods compare only between models with the same X.

    Returns
    -------
    FitStatistics

    Raises
    ------
    InputError
        If a parameter cannot be used.

    Notes
    -----
    The restricted likelihood is that of Harville with the term log det(X'X) / 2, as R's ``metafor`` has it;
    its criteria count k - p observations.
    """
    choose("method", method, {key: TAU2_ESTIMATORS[key] for key in ("ml", "reml")})
    y, v = check_effects(y, v)
    design = check_design(np.ones(y.size) if X is None else X, y.size)
    model = RegressionModel(y, v, design)
    restricted = method == "reml"
    tau2 = TAU2_ESTIMATORS[method].function(model).tau2
    n = model.df if restricted else model.k
    twice = float(deviance(model, np.array([tau2]), restricted=restricted)[0]) + n * math.log(
        2.0 * math.pi * model.scale
    )
    if restricted:
        twice -= float(model.log_det(np.ones(model.k)))
    parameters = model.p + 1
    enough = max(n, parameters + 2)
    return FitStatistics(
        method=method,
        log_likelihood=-0.5 * twice,
        deviance=twice - (_saturated(model) if not restricted else 0.0),
        aic=twice + 2 * parameters,
        bic=twice + parameters * math.log(n),
        aicc=twice + 2 * parameters * enough / (enough - parameters - 1),
        parameters=parameters,
    )


def _saturated(model: RegressionModel) -> float:
    """Return -2 log-likelihood of the model that fits every study."""
    return float(np.log(2.0 * math.pi * model.scale * model.v).sum())


def likelihood_ratio_test(y: Any, v: Any, X: Any, smaller: Any = None) -> TestResult:
    """Return the likelihood-ratio test of nested models, by maximum likelihood.

    Parameters
    ----------
    y, v : array_like of shape (k,)
        Effects and sampling variances.
    X, smaller : array_like of shape (k, p)
        Designs of the larger and of the smaller model; the smaller is a mean alone unless given.

    Returns
    -------
    TestResult
    """
    large, small = fit_statistics(y, v, X), fit_statistics(y, v, smaller)
    df = large.parameters - small.parameters
    if df <= 0:
        raise InputError("smaller must have fewer columns than X", parameter="smaller")
    statistic = max(0.0, 2.0 * (large.log_likelihood - small.log_likelihood))
    return TestResult(
        name="likelihood ratio",
        null="the added moderators explain nothing",
        distribution="chi2",
        statistic=statistic,
        df=float(df),
        p=chi2_tail(statistic, df),
    )


def subgroups(
    y: Any,
    v: Any,
    groups: Sequence[Any],
    *,
    tau2: str | float = "reml",
    interval: str = "hksj",
    prediction: str = "t-k1",
    level: float = 0.95,
    common_tau2: bool = False,
) -> SubgroupResult:
    """Return one pool per group and the test that the groups share one effect.

    Parameters
    ----------
    y, v : array_like of shape (k,)
        Effects and sampling variances.
    groups : sequence of length k
        The group of each study.
    tau2, interval, prediction, level
        As in `pool`.
    common_tau2 : bool
        Whether the groups share one between-study variance, estimated with a coefficient per group.

    Returns
    -------
    SubgroupResult

    Raises
    ------
    InputError
        If a parameter cannot be used.

    Notes
    -----
    With separate variances the test is Cochran's Q of the group means, with the standard errors of the
    interval method asked for. With a common one it is the Wald test of the regression on the groups.

    References
    ----------
    .. [1] Borenstein M, Higgins JPT. Meta-analysis and subgroups. Prev Sci 2013;14:134-143.
       doi:10.1007/s11121-013-0377-7
    """
    y, v = check_effects(y, v)
    if len(groups) != y.size:
        raise InputError(f"groups must have as many entries as y ({y.size}); got {len(groups)}", parameter="groups")
    order = list(dict.fromkeys(groups))
    member = [np.array([g == group for g in groups]) for group in order]
    shared = math.nan
    if common_tau2 and len(order) < y.size:
        model = RegressionModel(y, v, np.column_stack(member).astype(float))
        shared = _between(model, tau2).tau2 * model.scale
    each = tau2 if math.isnan(shared) else shared
    pools = tuple(pool(y[m], v[m], tau2=each, interval=interval, prediction=prediction, level=level) for m in member)
    test = _between_groups(y, v, member, pools, shared, interval)
    small = [str(g) for g, fit in zip(order, pools, strict=True) if fit.k < 5]
    notes = (f"Groups with fewer than five studies ({', '.join(small)}): the test says little.",) if small else ()
    return SubgroupResult(groups=tuple(order), pools=pools, test=test, common_tau2=shared, notes=notes)


def _between_groups(
    y: FloatArray,
    v: FloatArray,
    member: list[Any],
    pools: tuple[PooledResult, ...],
    shared: float,
    interval: str,
) -> TestResult | NotApplicable:
    if len(pools) < 2:
        return NotApplicable(reason="one group has nothing to differ from")
    null = "all groups share one effect"
    if not math.isnan(shared):
        X = np.column_stack([np.ones(y.size), *member[1:]]).astype(float)
        fit = meta_regression(y, v, X, tau2=shared, interval=interval)
        kind, df = ("chi2", float(fit.qm_df)) if math.isnan(fit.qm_df2) else ("f", float(fit.qm_df))
        return TestResult(name="Q between", null=null, distribution=kind, statistic=fit.qm, df=df, p=fit.qm_p)
    se = np.array([fit.se for fit in pools])
    if se.min() == 0.0:
        return NotApplicable(reason="the effects within a group are identical, which makes its standard error 0")
    means = MeanModel(np.array([fit.estimate for fit in pools]), se**2)
    q = means.sum_of_squares(1.0 / means.v)
    return TestResult(
        name="Q between", null=null, distribution="chi2", statistic=q, df=float(means.df), p=chi2_tail(q, means.df)
    )


def difference(first: PooledResult, second: PooledResult, *, level: float = 0.95) -> tuple[float, Interval, float]:
    """Return the difference of two independent pooled effects, its interval and p-value.

    Parameters
    ----------
    first, second : PooledResult
        Pools that share no study.
    level : float
        Level of the interval.

    Returns
    -------
    tuple of (float, Interval, float)
        First less second; on log measures the logarithm of the ratio of effects. Without bounds, and the p-value
        nan, where a standard error is 0 or a pool has no interval.

    Notes
    -----
    The standard errors are those of the pools. Where these have degrees of freedom, as by Hartung and Knapp, the
    difference has Welch's and Satterthwaite's: (s1^2 + s2^2)^2 / (s1^4 / df1 + s2^4 / df2) [1]_ [2]_. A pool without
    any is normal and adds nothing to the second sum; of two such the difference is normal.

    References
    ----------
    .. [1] Satterthwaite FE. Biometrics Bull 1946;2:110-114. doi:10.2307/3002019
    .. [2] Welch BL. Biometrika 1947;34:28-35. doi:10.1093/biomet/34.1-2.28
    """
    level = check_level(level)
    gap, se = first.estimate - second.estimate, math.hypot(first.se, second.se)
    spreads = [(fit.se, fit.df) for fit in (first, second)]
    if any(not s > 0.0 or df <= 0.0 for s, df in spreads):
        return gap, no_interval(level, "a pool has no standard error, or no degrees of freedom"), math.nan
    doubt = math.fsum(s**4 / df for s, df in spreads if not math.isnan(df))
    ci, _, p = mean_interval(gap, se, se**4 / doubt if doubt > 0.0 else math.nan, level)
    return gap, ci, p
