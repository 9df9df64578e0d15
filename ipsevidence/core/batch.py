"""Many fits at once: selections of the same studies, other effects or other designs, as arrays and not as a loop.

One row per fit. Units are those of `MeanModel`.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
from scipy import special

from ipsevidence.core.batch_rows import BoolArray, Designs, IntArray, Means, Rows, selections, total
from ipsevidence.core.inputs import InputError
from ipsevidence.core.maxima import maximise
from ipsevidence.core.repeating import ranges
from ipsevidence.core.results import FloatArray
from ipsevidence.core.tau2 import TAU2_ESTIMATORS
from ipsevidence.core.weighting import MeanModel, RegressionModel, in_units, unit

CHUNK = 131_072  # numbers of a matrix that is worked on at once: several of them stay in the cache of a core


class Fits(NamedTuple):
    """Many random-effects fits, one entry each, in the caller's units.

    Attributes
    ----------
    estimate, se, tau2, q, i2 : ndarray of shape (m,)
        As in `PooledResult`, with Wald standard errors.
    q_tau2 : ndarray of shape (m,)
        Q at the estimated tau2, from which Hartung-Knapp intervals follow.
    k : ndarray of shape (m,)
        Studies in each fit.
    """

    estimate: FloatArray
    se: FloatArray
    tau2: FloatArray
    q: FloatArray
    i2: FloatArray
    q_tau2: FloatArray
    k: IntArray


class Regressions(NamedTuple):
    """Many random-effects regressions, one entry each, in the caller's units.

    Attributes
    ----------
    coefficients : ndarray of shape (m, p)
        Coefficients.
    covariance : ndarray of shape (m, p, p)
        Their Wald covariance.
    q_tau2 : ndarray of shape (m,)
        Q at the estimated tau2, from which Knapp and Hartung's covariance follows.
    """

    coefficients: FloatArray
    covariance: FloatArray
    q_tau2: FloatArray


BATCH_ESTIMATORS = ("common", "dl", "he", "hs", "hsk", "sj", "ml", "reml", "eb", "pm", "pmm")


def fit_selections(y: FloatArray, v: FloatArray, chosen: BoolArray, *, tau2: str = "reml") -> Fits:
    """Return the fits of many selections of the same studies.

    Parameters
    ----------
    y, v : ndarray of shape (k,)
        Effects and sampling variances, already checked.
    chosen : ndarray of bool, shape (m, k)
        Which studies each fit includes; at least one each.
    tau2 : str
        One of `BATCH_ESTIMATORS`.

    Returns
    -------
    Fits
        For a selection of one study tau2, I2 and Q are 0. No fit depends on those beside it.

    Raises
    ------
    InputError
        If the estimator has no vectorised form.
    """
    if tau2 not in BATCH_ESTIMATORS:
        raise InputError(f"tau2 must be one of {BATCH_ESTIMATORS} here; got {tau2!r}", parameter="tau2")
    model = MeanModel(y, v)
    blocks = ranges(chosen.shape[0], max(1, CHUNK // model.k))
    parts = (selections(model.y, model.v, chosen[block.start : block.stop].T) for block in blocks)
    return _fits(parts, tau2, origin=np.array(model.centre), root=model.root)


def fit_samples(y: FloatArray, v: FloatArray, *, tau2: str = "reml") -> Fits:
    """Return the fits of many samples of as many studies.

    Parameters
    ----------
    y : ndarray of shape (m, k)
        Effects, one row for each fit; at least two studies.
    v : ndarray of shape (k,) or (m, k)
        Their sampling variances.
    tau2 : str
        Key of `TAU2_ESTIMATORS`. Those that are not among `BATCH_ESTIMATORS` are fitted one by one.

    Returns
    -------
    Fits
        No fit depends on those beside it, but by the unit of its variances.
    """
    m, k = y.shape
    wide = np.broadcast_to(v, y.shape)
    origin = y[np.arange(m), wide.argmin(axis=1)]
    root = unit(float(wide.min()))
    effects = np.ascontiguousarray(in_units(y - origin[:, None], root).T)
    variances = np.ascontiguousarray(np.atleast_2d(v).T / root**2)
    rows = Means(effects, variances, np.full(m, k))
    blocks = ranges(m, max(1, CHUNK // k))
    return _fits((rows[block.start : block.stop] for block in blocks), tau2, origin=origin, root=root)


def fit_designs(model: RegressionModel, orders: IntArray, *, tau2: str = "reml") -> Regressions:
    """Return the regressions of the same effects on the rows of a design in other orders.

    Parameters
    ----------
    model : RegressionModel
        The studies and the design.
    orders : ndarray of int, shape (m, k)
        Which row of the design belongs to each study, one row for each fit.
    tau2 : str
        Key of `TAU2_ESTIMATORS`. Those that are not among `BATCH_ESTIMATORS` are fitted one by one.

    Returns
    -------
    Regressions
        No fit depends on those beside it.
    """
    parts = []
    for block in ranges(len(orders), max(1, CHUNK // model.k**2)):
        rows = Designs(model.y, model.v, model.X[orders[block.start : block.stop]])
        w = rows.weights(_between(rows, tau2))
        parts.append((*rows.coefficients(w), rows.q(w)[0]))
    b, covariance, q = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Regressions(
        coefficients=(model.root * b + model.centre * model.shift) / model.column_scale,
        covariance=model.scale * covariance / np.outer(model.column_scale, model.column_scale),
        q_tau2=q,
    )


def _between(rows: Rows, tau2: str) -> FloatArray:
    """Return the estimate of tau2 in each fit, at least 0."""
    return np.maximum(_ESTIMATORS[tau2](rows) if tau2 in _ESTIMATORS else _one_by_one(rows, tau2), 0.0)


def _fits(parts: Iterable[Means], tau2: str, *, origin: FloatArray, root: float) -> Fits:
    found = [_block(rows, tau2) for rows in parts]
    mean, se, between, q, i2, q_tau2, k = (np.concatenate(columns) for columns in zip(*found, strict=True))
    return Fits(origin + root * mean, root * se, between * root**2, q, i2, q_tau2, k)


def _block(rows: Means, tau2: str) -> Fits:
    """Return fits in internal units."""
    k, df = rows.k, rows.df
    found = np.where(k > 1, _between(rows, tau2), 0.0)
    w = rows.weights(found)
    fixed = rows.weights(np.zeros(k.size))
    q = rows.q(fixed)[0]
    return Fits(
        estimate=rows.mean(w),
        se=1.0 / np.sqrt(total(w)),
        tau2=found,
        q=np.where(k > 1, q, 0.0),
        i2=np.where(k > 1, _i2(tau2, found, q, df, rows.trace(fixed)), 0.0),
        q_tau2=rows.q(w)[0],
        k=k,
    )


def _one_by_one(rows: Rows, tau2: str) -> FloatArray:
    """Return tau2 of each fit by an estimator that has no vectorised form; every study is in every fit."""
    function = TAU2_ESTIMATORS[tau2].function
    return np.array([function(model).tau2 * model.scale for model in rows.models()])


def _i2(tau2: str, found: FloatArray, q: FloatArray, df: IntArray, trace: FloatArray) -> FloatArray:
    if tau2 == "common":
        share: FloatArray = 100.0 * np.maximum(0.0, 1.0 - df / np.where(q > 0, q, np.inf))
        return np.where(q > 0, share, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        typical = df / trace
        return np.where(found > 0, 100.0 * found / (found + typical), 0.0)


def _common(rows: Rows) -> FloatArray:
    return np.zeros(rows.k.size)


def _precisions(rows: Rows) -> FloatArray:
    """Return the weights 1/v of the common-effect model."""
    return rows.weights(np.zeros(rows.k.size))


def _dersimonian_laird(rows: Rows) -> FloatArray:
    w = _precisions(rows)
    with np.errstate(divide="ignore", invalid="ignore"):
        found: FloatArray = (rows.q(w)[0] - rows.df) / rows.trace(w)
    return found


def _hedges(rows: Rows) -> FloatArray:
    found: FloatArray = rows.q(rows.equal_weights())[0] / rows.df - rows.mean_variance()
    return found


def _hunter_schmidt(rows: Rows) -> FloatArray:
    w = _precisions(rows)
    found: FloatArray = (rows.q(w)[0] - rows.k) / rows.total_weight(w)
    return found


def _hunter_schmidt_corrected(rows: Rows) -> FloatArray:
    w = _precisions(rows)
    found: FloatArray = (rows.q(w)[0] * rows.k / rows.df - rows.k) / rows.total_weight(w)
    return found


def _sidik_jonkman(rows: Rows) -> FloatArray:
    first = rows.crude_variance()
    found = first * rows.q(rows.weights(first))[0] / rows.df
    return np.where(first > 0, found, 0.0)


def _paule_mandel(rows: Rows) -> FloatArray:
    return _root_of_q(rows, rows.df.astype(float))


def _paule_mandel_median(rows: Rows) -> FloatArray:
    return _root_of_q(rows, special.chdtri(rows.df, 0.5))


def _root_of_q(rows: Rows, target: FloatArray) -> FloatArray:
    """Return where Q(tau2) falls to its target, by Newton's method on 1/Q, which cannot overshoot."""
    t = np.zeros(target.size)
    active = np.arange(t.size)
    while active.size:
        part = rows[active]
        q, slope = part.q(part.weights(t[active]))
        over = q > target[active]
        step = np.zeros(active.size)
        step[over] = (q[over] / target[active][over] - 1.0) * q[over] / slope[over]
        t[active] += step
        active = active[step > 1e-9 * t[active]]
    return t


def _maximum_likelihood(rows: Rows) -> FloatArray:
    return maximise(rows, restricted=False)


def _restricted(rows: Rows) -> FloatArray:
    return maximise(rows, restricted=True)


_ESTIMATORS: dict[str, Callable[[Rows], FloatArray]] = {
    "common": _common,
    "dl": _dersimonian_laird,
    "he": _hedges,
    "hs": _hunter_schmidt,
    "hsk": _hunter_schmidt_corrected,
    "sj": _sidik_jonkman,
    "ml": _maximum_likelihood,
    "reml": _restricted,
    "eb": _paule_mandel,
    "pm": _paule_mandel,
    "pmm": _paule_mandel_median,
}
