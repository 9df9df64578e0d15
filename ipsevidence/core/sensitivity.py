"""What a pooled effect rests on: each study left out, added in turn, and what it does to the fit."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from scipy import special

from ipsevidence.core.inputs import InputError, check_effects
from ipsevidence.core.pooling import pool
from ipsevidence.core.registry import choose
from ipsevidence.core.results import FloatArray, NotApplicable, frozen_array
from ipsevidence.core.results_of_sensitivity import InfluenceResult, PointsResult, SeriesResult
from ipsevidence.core.tau2 import TAU2_ESTIMATORS
from ipsevidence.core.weighting import MeanModel, Model, RegressionModel, check_design


def leave_one_out(y: Any, v: Any, **settings: Any) -> SeriesResult | NotApplicable:
    """Return the pools with each study left out in turn.

    Parameters
    ----------
    y, v : array_like of shape (k,)
        Effects and sampling variances.
    **settings
        Settings of `pool`: tau2, interval, prediction, level.

    Returns
    -------
    SeriesResult or NotApplicable
        Not applicable to a single study.

    Raises
    ------
    InputError
        If a parameter cannot be used.
    """
    y, v = check_effects(y, v)
    if y.size == 1:
        return NotApplicable(reason="one study cannot be left out: nothing would remain")
    every = np.arange(y.size)
    return _series("leave-one-out", y, v, ((study, every != study) for study in every), settings)


def cumulative(y: Any, v: Any, *, order: Sequence[int] | None = None, **settings: Any) -> SeriesResult:
    """Return the pools of the first study, the first two, and so on.

    Parameters
    ----------
    y, v : array_like of shape (k,)
        Effects and sampling variances.
    order : sequence of int, optional
        Indices of the studies in the order in which they are added, for example ``numpy.argsort(year)``;
        as given unless stated.
    **settings
        Settings of `pool`: tau2, interval, prediction, level.

    Returns
    -------
    SeriesResult

    Raises
    ------
    InputError
        If a parameter cannot be used.
    """
    y, v = check_effects(y, v)
    steps = np.arange(y.size) if order is None else np.asarray(order)
    if sorted(steps.tolist()) != list(range(y.size)):
        raise InputError(f"order must hold each of the indices 0 to {y.size - 1} once", parameter="order")
    return _series("cumulative", y, v, ((int(steps[n]), steps[: n + 1]) for n in range(y.size)), settings)


def _series(
    kind: str, y: FloatArray, v: FloatArray, selections: Iterable[tuple[Any, Any]], settings: dict[str, Any]
) -> SeriesResult:
    studies, members = zip(*selections, strict=True)
    fits = [pool(y[m], v[m], **settings) for m in members]
    names = ("estimate", "se", "statistic", "p", "tau2", "i2", "h2", "q", "q_p")
    return SeriesResult(
        kind=kind,
        studies=np.array(studies),
        k=np.array([fit.k for fit in fits]),
        low=frozen_array([fit.ci.low for fit in fits]),
        high=frozen_array([fit.ci.high for fit in fits]),
        settings=fits[-1].settings,
        **{name: frozen_array([getattr(fit, name) for fit in fits]) for name in names},
    )


def influence(y: Any, v: Any, X: Any = None, *, tau2: str = "reml") -> InfluenceResult | NotApplicable:
    """Return deletion diagnostics of a pooled mean or a meta-regression.

    Parameters
    ----------
    y, v : array_like of shape (k,)
        Effects and sampling variances.
    X : array_like of shape (k, p), optional
        Design matrix with its column of ones.
    tau2 : str
        Key of `TAU2_ESTIMATORS`; estimated anew without each study.

    Returns
    -------
    InfluenceResult or NotApplicable
        Not applicable where leaving a study out leaves no degrees of freedom.

    Raises
    ------
    InputError
        If a parameter cannot be used.

    Notes
    -----
    A study is called influential if its dffits is beyond 3 sqrt(p/(k - p)), the chi-square probability (p df)
    below its Cook's distance is above 1/2, its hat value is above 3p/k, or a dfbeta is beyond 1. Wald standard
    errors throughout.

    References
    ----------
    .. [1] Viechtbauer W, Cheung MWL. Outlier and influence diagnostics for meta-analysis. Res Synth Methods
       2010;1:112-125. doi:10.1002/jrsm.11
    """
    y, v = check_effects(y, v)
    estimator = choose("tau2", tau2, TAU2_ESTIMATORS)
    design = None if X is None else check_design(X, y.size)
    p = 1 if design is None else design.shape[1]
    if y.size <= p + 1:
        return NotApplicable(reason=f"leaving a study out needs at least {p + 2} studies")
    whole = _model(y, v, design)
    w = 1.0 / (whole.v + max(0.0, estimator.function(whole).tau2))
    b, covariance, hat = whole.coefficients(w), whole.covariance(w), whole.hat(w)
    inverse, area = np.linalg.inv(covariance), np.linalg.slogdet(covariance)[1]
    rows = np.ones((y.size, 1)) if design is None else design
    found = np.empty((y.size, 6))
    dfbetas = np.empty((y.size, p))
    for study in range(y.size):
        kept = np.arange(y.size) != study
        try:
            rest = _model(y[kept], v[kept], None if design is None else check_design(design[kept], y.size - 1))
        except InputError:
            found[study], dfbetas[study] = np.nan, np.nan
            continue
        tau2_rest = max(0.0, estimator.function(rest).tau2)
        w_rest = 1.0 / (rest.v + tau2_rest)
        tau2_rest *= rest.scale
        b_rest, covariance_rest = rest.coefficients(w_rest), rest.covariance(w_rest)
        x, change = rows[study], b - b_rest
        total = v[study] + tau2_rest
        found[study] = (
            (y[study] - x @ b_rest) / math.sqrt(total + x @ covariance_rest @ x),
            (x @ change) / math.sqrt(hat[study] * total) if hat[study] > 0.0 else 0.0,
            change @ inverse @ change,
            math.exp(np.linalg.slogdet(covariance_rest)[1] - area),
            tau2_rest,
            rest.sum_of_squares(1.0 / rest.v),
        )
        spread = whole.covariance(1.0 / (whole.v + tau2_rest / whole.scale))
        dfbetas[study] = change / np.sqrt(np.diag(spread))
    return _influence_result(found, dfbetas, hat, w, whole)


def _model(y: FloatArray, v: FloatArray, X: FloatArray | None) -> Model:
    return MeanModel(y, v) if X is None else RegressionModel(y, v, X)


def _influence_result(
    found: FloatArray, dfbetas: FloatArray, hat: FloatArray, w: FloatArray, model: Model
) -> InfluenceResult:
    k, p = model.k, model.p
    rstudent, dffits, cook, cov_ratio, tau2_deleted, q_deleted = found.T
    influential = (
        (np.abs(dffits) > 3.0 * math.sqrt(p / (k - p)))
        | (special.chdtr(p, cook) > 0.5)
        | (hat > 3.0 * p / k)
        | (np.abs(dfbetas) > 1.0).any(axis=1)
        | np.isnan(cook)  # the model cannot be fitted without it
    )
    return InfluenceResult(
        rstudent=frozen_array(rstudent),
        dffits=frozen_array(dffits),
        cook=frozen_array(cook),
        cov_ratio=frozen_array(cov_ratio),
        tau2_deleted=frozen_array(tau2_deleted),
        q_deleted=frozen_array(q_deleted),
        hat=frozen_array(hat),
        weight=frozen_array(100.0 * w / w.sum()),
        dfbetas=frozen_array(dfbetas),
        influential=influential,
    )


def baujat(y: Any, v: Any, *, tau2: str = "reml") -> PointsResult | NotApplicable:
    """Return the points of a Baujat plot.

    Parameters
    ----------
    y, v : array_like of shape (k,)
        Effects and sampling variances.
    tau2 : str
        Key of `TAU2_ESTIMATORS`; ``common`` gives the plot of Baujat et al.

    Returns
    -------
    PointsResult or NotApplicable
        x is the squared Pearson residual of each study (its share of Q, for a common effect), y the squared
        change of the pooled effect without it, in variances of the effect without it.

    Raises
    ------
    InputError
        If a parameter cannot be used.

    References
    ----------
    .. [1] Baujat B, Mahe C, Pignon JP, Hill C. A graphical method for exploring heterogeneity in
       meta-analyses. Stat Med 2002;21:2641-2652. doi:10.1002/sim.1221
    """
    y, v = check_effects(y, v)
    if y.size < 3:
        return NotApplicable(reason="a Baujat plot needs at least three studies")
    whole = pool(y, v, tau2=tau2, interval="wald", prediction="none")
    rest = leave_one_out(y, v, tau2=tau2, interval="wald", prediction="none")
    assert isinstance(rest, SeriesResult)
    return PointsResult(
        kind="baujat",
        x=frozen_array((y - whole.estimate) ** 2 / (v + whole.tau2)),
        y=frozen_array((whole.estimate - rest.estimate) ** 2 / rest.se**2),
    )
