"""Many fits at once: selections of the same studies, other effects or other designs, as arrays and not as a loop.

One row per fit. Units are those of `MeanModel`.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import special

from ipsevidence.core.batch_rows import BoolArray, Designs, IntArray, Rows, Selections
from ipsevidence.core.inputs import InputError
from ipsevidence.core.results import FloatArray
from ipsevidence.core.tau2 import POINTS_PER_E_FOLD, TAU2_ESTIMATORS
from ipsevidence.core.weighting import MeanModel, RegressionModel, in_units, unit

CHUNK = 2_000_000  # numbers held at once while a likelihood is looked at on its grid


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
        For a selection of one study tau2, I2 and Q are 0.

    Raises
    ------
    InputError
        If the estimator has no vectorised form.
    """
    if tau2 not in BATCH_ESTIMATORS:
        raise InputError(f"tau2 must be one of {BATCH_ESTIMATORS} here; got {tau2!r}", parameter="tau2")
    model = MeanModel(y, v)
    return _fits(Selections(model.y, model.v, chosen), tau2, origin=np.array(model.centre), root=model.root)


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
    """
    wide = np.broadcast_to(v, y.shape)
    anchor = wide.argmin(axis=1)
    origin = y[np.arange(len(y)), anchor]
    root = unit(float(wide.min()))
    rows = Selections(in_units(y - origin[:, None], root), v / root**2, np.ones(y.shape, dtype=bool))
    return _fits(rows, tau2, origin=origin, root=root)


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
    """
    size = max(1, CHUNK // model.k**2)
    parts = []
    for start in range(0, len(orders), size):
        rows = Designs(model.y, model.v, model.X[orders[start : start + size]])
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


def _fits(rows: Selections, tau2: str, *, origin: FloatArray, root: float) -> Fits:
    k, df = rows.k, rows.df
    found = np.where(k > 1, _between(rows, tau2), 0.0)
    w = rows.weights(found)
    fixed = rows.weights(np.zeros(k.size))
    q = rows.q(fixed)[0]
    return Fits(
        estimate=origin + root * rows.mean(w),
        se=root / np.sqrt(w.sum(axis=1)),
        tau2=found * root**2,
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
    found: FloatArray = (rows.q(w)[0] - rows.k) / w.sum(axis=1)
    return found


def _hunter_schmidt_corrected(rows: Rows) -> FloatArray:
    w = _precisions(rows)
    found: FloatArray = (rows.q(w)[0] * rows.k / rows.df - rows.k) / w.sum(axis=1)
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
    return _maximise(rows, restricted=False)


def _restricted(rows: Rows) -> FloatArray:
    return _maximise(rows, restricted=True)


def _maximise(rows: Rows, *, restricted: bool) -> FloatArray:
    """Return the highest maximum of each profile likelihood: of a grid, then by Newton's method."""
    points = _grid(rows)
    m, k = rows.equal_weights().shape
    size = max(1, CHUNK // (points.size * k))
    parts = [_maximise_part(rows[i : i + size], points, restricted=restricted) for i in range(0, m, size)]
    return np.concatenate(parts)


def _grid(rows: Rows) -> FloatArray:
    """Return points beyond the last stationary point of every fit, as for a single one."""
    squares, df = rows.highest_score()
    smallest = float(rows.v.min())
    spread = float(rows.v.max()) - smallest
    top = (squares + math.sqrt(squares * (squares + 4.0 * df * spread))) / (2.0 * df)
    span = math.log(max(top / smallest, 1.0)) + 2.0 / POINTS_PER_E_FOLD
    return smallest * np.expm1(np.linspace(0.0, span, math.ceil(span * POINTS_PER_E_FOLD) + 1))


def _maximise_part(rows: Rows, points: FloatArray, *, restricted: bool) -> FloatArray:
    m, last = rows.k.size, points.size - 1
    height = rows.deviance(np.broadcast_to(points, (m, points.size)), restricted=restricted)
    rises = np.concatenate([height[:, 1:] >= height[:, :-1], np.ones((m, 1), dtype=bool)], axis=1)
    after_fall = np.concatenate([np.ones((m, 1), dtype=bool), ~rises[:, :-1]], axis=1)
    valleys = np.where(rises & after_fall, height, np.inf)
    # the two lowest valleys: the grid may order them wrongly where they are nearly level
    first = valleys.argmin(axis=1)
    valleys[np.arange(m), first] = np.inf
    several = np.flatnonzero(np.isfinite(valleys.min(axis=1)))

    def climb(part: Rows, j: IntArray) -> FloatArray:
        low, high = points[np.maximum(j - 1, 0)], points[np.minimum(j + 1, last)]
        return _climb(part, low, points[j], high, restricted=restricted)

    best = climb(rows, first)
    other = climb(rows[several], valleys[several].argmin(axis=1))
    both = np.column_stack([best[several], other])
    better = rows[several].deviance(both, restricted=restricted).argmin(axis=1)
    best[several] = both[np.arange(several.size), better]
    return best


def _climb(rows: Rows, low: FloatArray, start: FloatArray, high: FloatArray, *, restricted: bool) -> FloatArray:
    """Return the local maximum between `low` and `high` for each row, as the single fit finds it."""
    low, t, high = low.copy(), start.copy(), high.copy()
    active = np.arange(t.size)
    while active.size:
        score, bend = rows[active].score(t[active], restricted=restricted)
        up = score >= 0.0
        high[active[up]], low[active[~up]] = t[active[up]], t[active[~up]]
        a, b = low[active], high[active]
        with np.errstate(divide="ignore", invalid="ignore"):
            new = np.where(bend > 0.0, t[active] - score / bend, a)
        done = (b - a <= 4e-16 * b) | ((bend > 0.0) & (np.abs(new - t[active]) <= 1e-9 * t[active]))
        inside = (a < new) & (new < b)
        t[active] = np.where(done, np.clip(new, a, b), np.where(inside, new, 0.5 * (a + b)))
        active = active[~done]
    return t


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
