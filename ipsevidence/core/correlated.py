"""Effects whose sampling errors are correlated in a known way: several arms against one control, and their pool."""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ipsevidence.core.effects import two_by_two
from ipsevidence.core.inputs import (
    LARGEST_VARIANCE,
    InputError,
    check_array,
    check_each,
    check_effects,
    check_level,
    check_number,
    check_word,
)
from ipsevidence.core.moderators import regression_result
from ipsevidence.core.pooling import INTERVALS, PREDICTIONS, pooled_result
from ipsevidence.core.registry import choose
from ipsevidence.core.results import FloatArray, PooledResult, PoolSettings
from ipsevidence.core.results_of_moderators import RegressionResult
from ipsevidence.core.tau2 import GIVEN_TAU2, TAU2_ESTIMATORS, Tau2
from ipsevidence.core.weighting import RegressionModel, check_design

# the estimators that depend on the effects only through what a rotation leaves unchanged
CORRELATED_ESTIMATORS = {key: TAU2_ESTIMATORS[key] for key in ("common", "dl", "he", "ml", "reml", "pm")}
CORRELATED_PREDICTIONS = {key: PREDICTIONS[key] for key in ("none", "normal", "t-k1", "t-k2")}
CORRELATED = "Sampling errors are correlated: weights are those of generalised least squares, and may be negative."


def shared_control_covariance(
    measure: str,
    ai: Any,
    n1i: Any,
    ci: Any,
    n2i: Any,
    control: Sequence[Any],
    *,
    add: float = 0.5,
) -> tuple[FloatArray, FloatArray]:
    """Return effects of arms that share controls, and the covariance matrix of their sampling errors.

    Parameters
    ----------
    measure : {'OR', 'RR', 'RD'}
        Odds and risk ratios come as natural logarithms.
    ai, n1i : array_like of shape (k,)
        Events and participants of each arm.
    ci, n2i : array_like of shape (k,)
        Events and participants of the control it is compared with.
    control : sequence of length k
        Which control that is; arms with the same label share it, and give the same ci and n2i.
    add : float
        What is added to every cell of all arms that share a control, where one of their cells is empty;
        0 for no correction.

    Returns
    -------
    y : ndarray of shape (k,)
        Effects.
    V : ndarray of shape (k, k)
        Covariance matrix: the usual variances, and between arms that share a control the variance that is
        the control's.

    Raises
    ------
    InputError
        If a parameter cannot be used, or arms with the same label give different controls.

    Notes
    -----
    The control's part is 1/c + 1/(n - c) for log odds ratios, 1/c - 1/n for log risk ratios and
    c (n - c)/n^3 for differences. A correction for zeros is made in all arms that share the control, since
    it would otherwise be two controls; it leaves risk differences as they are and moves their variances.

    References
    ----------
    .. [1] Gleser LJ, Olkin I. Stochastically dependent effect sizes. In: Cooper H, Hedges LV, Valentine JC
       (eds) The handbook of research synthesis and meta-analysis, 2nd ed. Russell Sage, 2009:357-376.
    """
    check_word("measure", measure, ("OR", "RR", "RD"))
    add = check_number("add", add, least=0.0)
    two_by_two(measure, ai, n1i, ci, n2i)  # checks the counts
    a, n1, c, n2 = (check_array("counts", counts) for counts in (ai, n1i, ci, n2i))
    if len(control) != a.size:
        raise InputError(f"control must have as many entries as ai ({a.size}); got {len(control)}", parameter="control")
    first = {label: j for j, label in reversed(list(enumerate(control)))}
    home = np.array([first[label] for label in control])
    check_each("ci", c, c == c[home], "be the same in all arms that share a control")
    check_each("n2i", n2, n2 == n2[home], "be the same in all arms that share a control")
    shared = home[:, None] == home
    empty = np.minimum.reduce([a, n1 - a, c, n2 - c]) == 0
    more = add * (shared & empty).any(axis=1)
    cells = (a + more, n1 + 2.0 * more, c + more, n2 + 2.0 * more)
    y, v = two_by_two(measure, *cells, to="none", double_zeros="keep")
    if measure == "RD":
        y = a / n1 - c / n2
    c, n2 = cells[2:]
    with np.errstate(divide="ignore"):
        own = {"OR": 1.0 / c + 1.0 / (n2 - c), "RR": 1.0 / c - 1.0 / n2, "RD": c * (n2 - c) / n2**3}[measure]
    covariance = np.where(shared, own, 0.0)
    np.fill_diagonal(covariance, v)
    return y, covariance


def pool_correlated(
    y: Any,
    V: Any,
    *,
    tau2: str | float = "reml",
    interval: str = "hksj",
    prediction: str = "t-k1",
    level: float = 0.95,
) -> PooledResult:
    """Return the pooled effect of estimates whose sampling errors are correlated.

    Parameters
    ----------
    y : array_like of shape (k,)
        Effects, at least two.
    V : array_like of shape (k, k)
        Covariance matrix of their sampling errors, as `shared_control_covariance` gives it.
    tau2 : {'common', 'dl', 'he', 'ml', 'reml', 'pm'} or float
        Estimator of the variance of the true effects, or the variance itself.
    interval, prediction, level
        As in `pool`, without the bootstrap.

    Returns
    -------
    PooledResult
        ``v`` holds the diagonal of V.

    Raises
    ------
    InputError
        If a parameter cannot be used.

    Notes
    -----
    Generalised least squares with covariance V + tau2 I: the true effects are independent, their estimates
    are not. In the coordinates of V's eigenvectors this is a regression of independent effects through the
    origin, so that the estimators are those of `meta_regression`, with Q = (y - mean)' V^-1 (y - mean). Those
    are offered that do not change under a rotation.

    References
    ----------
    .. [1] Gleser LJ, Olkin I. Stochastically dependent effect sizes. In: Cooper H, Hedges LV, Valentine JC
       (eds) The handbook of research synthesis and meta-analysis, 2nd ed. Russell Sage, 2009:357-376.
    """
    y, covariance = _check_covariance(y, V)
    if y.size < 2:
        raise InputError("y must have at least two effects; got 1", parameter="y")
    settings = _settings(tau2, interval, prediction, level)
    origin = float(y[int(np.diag(covariance).argmin())])
    turned = _turned(y - origin, covariance, np.ones((y.size, 1)))
    model, found = turned.model, _between(turned.model, tau2)
    w = 1.0 / (model.v + found.tau2)
    weights = turned.vectors @ (w * turned.vectors.sum(axis=0))
    v = np.diag(covariance)
    return pooled_result(model, found, settings, y=y, v=v, weights=weights, origin=origin, notes=(CORRELATED,))


def correlated_regression(
    y: Any,
    V: Any,
    X: Any,
    *,
    tau2: str | float = "reml",
    interval: str = "hksj",
    level: float = 0.95,
) -> RegressionResult:
    """Return the regression of effects on moderators where sampling errors are correlated.

    Parameters
    ----------
    y, V, tau2, interval, level
        As in `pool_correlated`.
    X : array_like of shape (k, p)
        Moderators, with the column of ones if there is to be an intercept; columns that mark treatments
        give one effect for each.

    Returns
    -------
    RegressionResult
        As from `meta_regression`; R2 is not given.

    Raises
    ------
    InputError
        If a parameter cannot be used.
    """
    y, covariance = _check_covariance(y, V)
    design = check_design(X, y.size)
    settings = _settings(tau2, interval, "none", level)
    model = _turned(y, covariance, design).model
    found = _between(model, tau2)
    names = tuple(f"x{j}" for j in range(model.p))
    fit = regression_result(y, np.diag(covariance), design, model, found, settings, names)
    return dataclasses.replace(fit, r2=math.nan)


class _Turned(NamedTuple):
    """A model in the coordinates of the covariance's eigenvectors, which are the columns of `vectors`."""

    model: RegressionModel
    vectors: FloatArray


def _turned(y: FloatArray, covariance: FloatArray, X: FloatArray) -> _Turned:
    """Return the model whose errors are independent; each block of the covariance is turned by itself."""
    linked = covariance != 0.0
    np.fill_diagonal(linked, val=True)
    values, vectors = np.empty(y.size), np.zeros(covariance.shape)
    left = set(range(y.size))
    while left:
        block = np.array([min(left)])
        while (wider := np.flatnonzero(linked[block].any(axis=0))).size > block.size:
            block = wider
        part = np.ix_(block, block)
        values[block], vectors[part] = np.linalg.eigh(covariance[part])
        if values[block].min() <= 1e-12 * values[block].max():
            raise InputError("V must be positive definite, as a covariance matrix is", parameter="V")
        left -= set(block.tolist())
    return _Turned(RegressionModel(vectors.T @ y, values, vectors.T @ X), vectors)


def _between(model: RegressionModel, tau2: str | float) -> Tau2:
    """Return the variance of the true effects in internal units."""
    if not isinstance(tau2, str):
        return Tau2(tau2 / model.scale, math.nan)
    found = CORRELATED_ESTIMATORS[tau2].function(model)
    return Tau2(max(0.0, found.tau2), found.se)


def _settings(tau2: str | float, interval: str, prediction: str, level: float) -> PoolSettings:
    if isinstance(tau2, str):
        key = choose("tau2", tau2, CORRELATED_ESTIMATORS).key
    else:
        key = GIVEN_TAU2.key
        check_number("tau2", tau2, least=0.0, below=LARGEST_VARIANCE)
    choose("interval", interval, INTERVALS)
    choose("prediction", prediction, CORRELATED_PREDICTIONS)
    return PoolSettings(tau2=key, interval=interval, prediction=prediction, level=check_level(level))


def _check_covariance(y: Any, V: Any) -> tuple[FloatArray, FloatArray]:
    """Return effects and a symmetric covariance matrix of theirs."""
    y = check_array("y", y)
    check_each("y", y, np.isfinite(y), "be finite")
    try:
        covariance = np.array(V, dtype=float)
    except (TypeError, ValueError):
        raise InputError("V must be a matrix of numbers, one row and one column per effect", parameter="V") from None
    if covariance.shape != (y.size, y.size):
        raise InputError(
            f"V must have one row and one column per effect ({y.size}); got shape {covariance.shape}", parameter="V"
        )
    _, variances = check_effects(y, np.diag(covariance), name="V")
    if not np.isfinite(covariance).all():
        raise InputError("V must be finite throughout", parameter="V")
    limit = 1e-10 * np.sqrt(np.outer(variances, variances))
    if (np.abs(covariance - covariance.T) > limit).any():
        raise InputError("V must be symmetric, as a covariance matrix is", parameter="V")
    return y, covariance
