"""Many fits at once: selections of the same studies, or other effects in their place, as arrays and not as a loop.

One row per fit. A study that a fit leaves out has weight 0 there. Units are those of `MeanModel`.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from ipsevidence.core.inputs import InputError
from ipsevidence.core.results import FloatArray
from ipsevidence.core.tau2 import POINTS_PER_E_FOLD, TAU2_ESTIMATORS
from ipsevidence.core.weighting import MeanModel, in_units, unit

BoolArray = NDArray[np.bool_]
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
    k: NDArray[np.intp]


class _Rows:
    """The studies of each fit, in internal units; y and v have one row for all fits, or one for each."""

    __slots__ = ("chosen", "v", "y")

    def __init__(self, y: FloatArray, v: FloatArray, chosen: BoolArray) -> None:
        self.y, self.v, self.chosen = y, v, chosen

    def __getitem__(self, rows: NDArray[np.intp] | slice) -> "_Rows":
        y, v = (x if x.ndim == 1 else x[rows] for x in (self.y, self.v))
        return _Rows(y, v, self.chosen[rows])

    def weights(self, tau2: FloatArray) -> FloatArray:
        """Return 1/(v + tau2), 0 for studies left out, shape (m, k)."""
        w: FloatArray = self.chosen / (self.v + tau2[:, None])
        return w

    def mean(self, w: FloatArray) -> FloatArray:
        """Return the weighted mean of each fit, shape (m,)."""
        total = w @ self.y if self.y.ndim == 1 else np.einsum("ij,ij->i", w, self.y)
        found: FloatArray = total / w.sum(axis=1)
        return found

    def q(self, w: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return y'Py and y'PPy of each fit."""
        r = self.y - self.mean(w)[:, None]
        wr = w * r
        return np.einsum("ij,ij->i", wr, r), np.einsum("ij,ij->i", wr, wr)


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
    return _fits(_Rows(model.y, model.v, chosen), tau2, origin=np.array(model.centre), root=model.root)


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
    rows = _Rows(in_units(y - origin[:, None], root), v / root**2, np.ones(y.shape, dtype=bool))
    return _fits(rows, tau2, origin=origin, root=root)


def _fits(rows: _Rows, tau2: str, *, origin: FloatArray, root: float) -> Fits:
    k = rows.chosen.sum(axis=1)
    df = np.maximum(k - 1, 1)
    between = _ESTIMATORS[tau2](rows, df) if tau2 in _ESTIMATORS else _one_by_one(rows, tau2)
    found = np.where(k > 1, np.maximum(between, 0.0), 0.0)
    w = rows.weights(found)
    fixed = rows.weights(np.zeros(k.size))
    q = rows.q(fixed)[0]
    return Fits(
        estimate=origin + root * rows.mean(w),
        se=root / np.sqrt(w.sum(axis=1)),
        tau2=found * root**2,
        q=np.where(k > 1, q, 0.0),
        i2=np.where(k > 1, _i2(tau2, found, q, df, fixed), 0.0),
        q_tau2=rows.q(w)[0],
        k=k,
    )


def _one_by_one(rows: _Rows, tau2: str) -> FloatArray:
    """Return tau2 of each fit by an estimator that has no vectorised form; every study is in every fit."""
    pairs = zip(*np.broadcast_arrays(rows.y, rows.v), strict=True)
    models = [MeanModel(y, v) for y, v in pairs]
    return np.array([TAU2_ESTIMATORS[tau2].function(model).tau2 * model.scale for model in models])


def _i2(tau2: str, found: FloatArray, q: FloatArray, df: NDArray[np.intp], fixed: FloatArray) -> FloatArray:
    if tau2 == "common":
        share: FloatArray = 100.0 * np.maximum(0.0, 1.0 - df / np.where(q > 0, q, np.inf))
        return np.where(q > 0, share, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        typical = df / _trace(fixed)
        return np.where(found > 0, 100.0 * found / (found + typical), 0.0)


def _sum_of_others(x: FloatArray) -> FloatArray:
    """Return, for each entry, the sum of all others in its row, without cancelling for the largest."""
    rest: FloatArray = x.sum(axis=1, keepdims=True) - x
    rows, largest = np.arange(x.shape[0]), x.argmax(axis=1)
    without = x.copy()
    without[rows, largest] = 0.0
    rest[rows, largest] = without.sum(axis=1)
    return rest


def _trace(w: FloatArray) -> FloatArray:
    found: FloatArray = np.einsum("ij,ij->i", w, _sum_of_others(w)) / w.sum(axis=1)
    return found


def _common(_rows: _Rows, df: NDArray[np.intp]) -> FloatArray:
    return np.zeros(df.size)


def _dersimonian_laird(rows: _Rows, df: NDArray[np.intp]) -> FloatArray:
    w = rows.chosen / rows.v
    with np.errstate(divide="ignore", invalid="ignore"):
        found: FloatArray = (rows.q(w)[0] - df) / _trace(w)
    return found


def _hedges(rows: _Rows, df: NDArray[np.intp]) -> FloatArray:
    found: FloatArray = rows.q(rows.chosen.astype(float))[0] / df - (rows.chosen * rows.v).sum(axis=1) / (df + 1)
    return found


def _hunter_schmidt(rows: _Rows, df: NDArray[np.intp]) -> FloatArray:
    w = rows.chosen / rows.v
    found: FloatArray = (rows.q(w)[0] - (df + 1)) / w.sum(axis=1)
    return found


def _hunter_schmidt_corrected(rows: _Rows, df: NDArray[np.intp]) -> FloatArray:
    w = rows.chosen / rows.v
    found: FloatArray = (rows.q(w)[0] * (df + 1) / df - (df + 1)) / w.sum(axis=1)
    return found


def _sidik_jonkman(rows: _Rows, df: NDArray[np.intp]) -> FloatArray:
    first = rows.q(rows.chosen.astype(float))[0] / (df + 1)
    w = rows.weights(first)
    found = first * rows.q(w)[0] / df
    return np.where(first > 0, found, 0.0)


def _paule_mandel(rows: _Rows, df: NDArray[np.intp]) -> FloatArray:
    return _root_of_q(rows, df.astype(float))


def _paule_mandel_median(rows: _Rows, df: NDArray[np.intp]) -> FloatArray:
    return _root_of_q(rows, special.chdtri(df, 0.5))


def _root_of_q(rows: _Rows, target: FloatArray) -> FloatArray:
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


def _maximum_likelihood(rows: _Rows, _df: NDArray[np.intp]) -> FloatArray:
    return _maximise(rows, restricted=False)


def _restricted(rows: _Rows, _df: NDArray[np.intp]) -> FloatArray:
    return _maximise(rows, restricted=True)


def _maximise(rows: _Rows, *, restricted: bool) -> FloatArray:
    """Return the highest maximum of each profile likelihood: of a grid, then by Newton's method."""
    points = _grid(rows)
    m, k = rows.chosen.shape
    size = max(1, CHUNK // (points.size * k))
    parts = [_maximise_part(rows[i : i + size], points, restricted=restricted) for i in range(0, m, size)]
    return np.concatenate(parts)


def _grid(rows: _Rows) -> FloatArray:
    """Return points beyond the last stationary point of every fit, as for a single one."""
    centred = rows.y - rows.y.mean(axis=-1, keepdims=True)
    squares, smallest = float((centred * centred).sum(axis=-1).max()), float(rows.v.min())
    spread = float(rows.v.max()) - smallest
    top = (squares + math.sqrt(squares * (squares + 4.0 * spread))) / 2.0
    span = math.log(max(top / smallest, 1.0)) + 2.0 / POINTS_PER_E_FOLD
    return smallest * np.expm1(np.linspace(0.0, span, math.ceil(span * POINTS_PER_E_FOLD) + 1))


def _deviance(rows: _Rows, tau2: FloatArray, *, restricted: bool) -> FloatArray:
    """Return -2 log-likelihood for each row of tau2, shape (m, g) for tau2 of shape (m, g)."""
    y, v = (x if x.ndim == 1 else x[:, None, :] for x in (rows.y, rows.v))
    total = v + tau2[..., None]
    w = rows.chosen[:, None, :] / total
    sums = w.sum(axis=-1)
    weighted = w @ y if y.ndim == 1 else (w * y).sum(axis=-1)
    r = y - (weighted / sums)[..., None]
    value: FloatArray = (np.log(total) * rows.chosen[:, None, :]).sum(axis=-1) + np.einsum("...j,...j,...j", w, r, r)
    return value + np.log(sums) if restricted else value


def _maximise_part(rows: _Rows, points: FloatArray, *, restricted: bool) -> FloatArray:
    m, last = rows.chosen.shape[0], points.size - 1
    height = _deviance(rows, np.broadcast_to(points, (m, points.size)), restricted=restricted)
    rises = np.concatenate([height[:, 1:] >= height[:, :-1], np.ones((m, 1), dtype=bool)], axis=1)
    after_fall = np.concatenate([np.ones((m, 1), dtype=bool), ~rises[:, :-1]], axis=1)
    valleys = np.where(rises & after_fall, height, np.inf)
    # the two lowest valleys: the grid may order them wrongly where they are nearly level
    first = valleys.argmin(axis=1)
    valleys[np.arange(m), first] = np.inf
    second = np.where(np.isfinite(valleys.min(axis=1)), valleys.argmin(axis=1), first)
    found = np.column_stack(
        [
            _climb(
                rows,
                points[np.maximum(j - 1, 0)],
                points[j],
                points[np.minimum(j + 1, last)],
                restricted=restricted,
            )
            for j in (first, second)
        ]
    )
    better = _deviance(rows, found, restricted=restricted).argmin(axis=1)
    best: FloatArray = found[np.arange(m), better]
    return best


def _climb(rows: _Rows, low: FloatArray, start: FloatArray, high: FloatArray, *, restricted: bool) -> FloatArray:
    """Return the local maximum between `low` and `high` for each row, as the single fit finds it."""
    low, t, high = low.copy(), start.copy(), high.copy()
    active = np.arange(t.size)
    while active.size:
        score, bend = _score(rows[active], t[active], restricted=restricted)
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


def _score(rows: _Rows, tau2: FloatArray, *, restricted: bool) -> tuple[FloatArray, FloatArray]:
    """Return the derivative of -2 log-likelihood in tau2 and its derivative."""
    w = rows.weights(tau2)
    total = w.sum(axis=1)
    wr = w * (rows.y - rows.mean(w)[:, None])
    square = np.einsum("ij,ij->i", wr, wr)
    s2 = np.einsum("ij,ij->i", w, w)
    tilt = np.einsum("ij,ij->i", w, wr)
    third = np.einsum("ij,ij,ij->i", w, wr, wr) - tilt * tilt / total
    if not restricted:
        return total - square, 2.0 * third - s2
    trace2 = s2 - 2.0 * np.einsum("ij,ij,ij->i", w, w, w) / total + (s2 / total) ** 2
    return _trace(w) - square, 2.0 * third - trace2


_ESTIMATORS: dict[str, Callable[[_Rows, NDArray[np.intp]], FloatArray]] = {
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
