"""Many fits at once: the same studies in many selections, as arrays rather than as a loop.

One row per fit. A study that a fit leaves out has weight 0 there. Units are those of `MeanModel`.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from ipsevidence.core.inputs import InputError
from ipsevidence.core.results import FloatArray
from ipsevidence.core.tau2 import POINTS_PER_E_FOLD
from ipsevidence.core.weighting import MeanModel

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
    k = chosen.sum(axis=1)
    df = np.maximum(k - 1, 1)
    found = np.where(k > 1, np.maximum(_ESTIMATORS[tau2](model, chosen, df), 0.0), 0.0)
    w = _weights(model, chosen, found)
    total = w.sum(axis=1)
    mean = (w @ model.y) / total
    fixed = chosen / model.v
    q, slope = _q(model, fixed)
    del slope
    i2 = _i2(tau2, found, q, df, fixed)
    q = np.where(k > 1, q, 0.0)
    return Fits(
        estimate=model.centre + model.root * mean,
        se=model.root / np.sqrt(total),
        tau2=found * model.scale,
        q=q,
        i2=np.where(k > 1, i2, 0.0),
        q_tau2=_q(model, w)[0],
        k=k,
    )


def _i2(tau2: str, found: FloatArray, q: FloatArray, df: NDArray[np.intp], fixed: FloatArray) -> FloatArray:
    if tau2 == "common":
        share: FloatArray = 100.0 * np.maximum(0.0, 1.0 - df / np.where(q > 0, q, np.inf))
        return np.where(q > 0, share, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        typical = df / _trace(fixed)
        return np.where(found > 0, 100.0 * found / (found + typical), 0.0)


def _weights(model: MeanModel, chosen: BoolArray, tau2: FloatArray) -> FloatArray:
    w: FloatArray = chosen / (model.v + tau2[:, None])
    return w


def _q(model: MeanModel, w: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return y'Py and y'PPy for each row of weights."""
    r = model.y - ((w @ model.y) / w.sum(axis=1))[:, None]
    wr = w * r
    return np.einsum("ij,ij->i", wr, r), np.einsum("ij,ij->i", wr, wr)


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


def _common(model: MeanModel, chosen: BoolArray, df: NDArray[np.intp]) -> FloatArray:
    del model, df
    return np.zeros(chosen.shape[0])


def _dersimonian_laird(model: MeanModel, chosen: BoolArray, df: NDArray[np.intp]) -> FloatArray:
    w = chosen / model.v
    with np.errstate(divide="ignore", invalid="ignore"):
        found: FloatArray = (_q(model, w)[0] - df) / _trace(w)
    return found


def _hedges(model: MeanModel, chosen: BoolArray, df: NDArray[np.intp]) -> FloatArray:
    found: FloatArray = _q(model, chosen.astype(float))[0] / df - (chosen @ model.v) / (df + 1)
    return found


def _hunter_schmidt(model: MeanModel, chosen: BoolArray, df: NDArray[np.intp]) -> FloatArray:
    w = chosen / model.v
    found: FloatArray = (_q(model, w)[0] - (df + 1)) / w.sum(axis=1)
    return found


def _hunter_schmidt_corrected(model: MeanModel, chosen: BoolArray, df: NDArray[np.intp]) -> FloatArray:
    w = chosen / model.v
    found: FloatArray = (_q(model, w)[0] * (df + 1) / df - (df + 1)) / w.sum(axis=1)
    return found


def _sidik_jonkman(model: MeanModel, chosen: BoolArray, df: NDArray[np.intp]) -> FloatArray:
    first = _q(model, chosen.astype(float))[0] / (df + 1)
    w = chosen * first[:, None] / (model.v + first[:, None])
    with np.errstate(divide="ignore", invalid="ignore"):
        found = _q(model, w)[0] / df
    return np.where(first > 0, found, 0.0)


def _paule_mandel(model: MeanModel, chosen: BoolArray, df: NDArray[np.intp]) -> FloatArray:
    return _root_of_q(model, chosen, df.astype(float))


def _paule_mandel_median(model: MeanModel, chosen: BoolArray, df: NDArray[np.intp]) -> FloatArray:
    return _root_of_q(model, chosen, special.chdtri(df, 0.5))


def _root_of_q(model: MeanModel, chosen: BoolArray, target: FloatArray) -> FloatArray:
    """Return where Q(tau2) falls to its target, by Newton's method on 1/Q, which cannot overshoot."""
    t = np.zeros(chosen.shape[0])
    active = np.arange(t.size)
    while active.size:
        q, slope = _q(model, _weights(model, chosen[active], t[active]))
        over = q > target[active]
        step = np.zeros(active.size)
        step[over] = (q[over] / target[active][over] - 1.0) * q[over] / slope[over]
        t[active] += step
        active = active[step > 1e-9 * t[active]]
    return t


def _maximum_likelihood(model: MeanModel, chosen: BoolArray, df: NDArray[np.intp]) -> FloatArray:
    return _maximise(model, chosen, df, restricted=False)


def _restricted(model: MeanModel, chosen: BoolArray, df: NDArray[np.intp]) -> FloatArray:
    return _maximise(model, chosen, df, restricted=True)


def _maximise(model: MeanModel, chosen: BoolArray, df: NDArray[np.intp], *, restricted: bool) -> FloatArray:
    """Return the highest maximum of each profile likelihood: of a grid, then by Newton's method."""
    points = _grid(model)
    rows = max(1, CHUNK // (points.size * model.k))
    parts = [
        _maximise_part(model, chosen[i : i + rows], points, restricted=restricted)
        for i in range(0, chosen.shape[0], rows)
    ]
    del df
    return np.concatenate(parts)


def _grid(model: MeanModel) -> FloatArray:
    """Return points beyond the last stationary point of every selection, as for a single fit."""
    centred = model.y - model.y.mean()
    squares, smallest = float(centred @ centred), float(model.v.min())
    spread = float(model.v.max()) - smallest
    top = (squares + math.sqrt(squares * (squares + 4.0 * spread))) / 2.0
    span = math.log(max(top / smallest, 1.0)) + 2.0 / POINTS_PER_E_FOLD
    return smallest * np.expm1(np.linspace(0.0, span, math.ceil(span * POINTS_PER_E_FOLD) + 1))


def _deviance(model: MeanModel, chosen: BoolArray, tau2: FloatArray, *, restricted: bool) -> FloatArray:
    """Return -2 log-likelihood for each row of tau2, shape (m, g) for tau2 of shape (m, g)."""
    total = model.v + tau2[..., None]
    w = chosen[:, None, :] / total
    sums = w.sum(axis=-1)
    r = model.y - ((w @ model.y) / sums)[..., None]
    value: FloatArray = (np.log(total) * chosen[:, None, :]).sum(axis=-1) + np.einsum("...j,...j,...j", w, r, r)
    return value + np.log(sums) if restricted else value


def _maximise_part(model: MeanModel, chosen: BoolArray, points: FloatArray, *, restricted: bool) -> FloatArray:
    m, last = chosen.shape[0], points.size - 1
    height = _deviance(model, chosen, np.broadcast_to(points, (m, points.size)), restricted=restricted)
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
                model,
                chosen,
                points[np.maximum(j - 1, 0)],
                points[j],
                points[np.minimum(j + 1, last)],
                restricted=restricted,
            )
            for j in (first, second)
        ]
    )
    better = _deviance(model, chosen, found, restricted=restricted).argmin(axis=1)
    best: FloatArray = found[np.arange(m), better]
    return best


def _climb(
    model: MeanModel, chosen: BoolArray, low: FloatArray, start: FloatArray, high: FloatArray, *, restricted: bool
) -> FloatArray:
    """Return the local maximum between `low` and `high` for each row, as the single fit finds it."""
    low, t, high = low.copy(), start.copy(), high.copy()
    active = np.arange(t.size)
    while active.size:
        w = _weights(model, chosen[active], t[active])
        score, bend = _score(model, w, restricted=restricted)
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


def _score(model: MeanModel, w: FloatArray, *, restricted: bool) -> tuple[FloatArray, FloatArray]:
    """Return the derivative of -2 log-likelihood in tau2 and its derivative."""
    total = w.sum(axis=1)
    wr = w * (model.y - ((w @ model.y) / total)[:, None])
    square = np.einsum("ij,ij->i", wr, wr)
    s2 = np.einsum("ij,ij->i", w, w)
    tilt = np.einsum("ij,ij->i", w, wr)
    third = np.einsum("ij,ij,ij->i", w, wr, wr) - tilt * tilt / total
    if not restricted:
        return total - square, 2.0 * third - s2
    trace2 = s2 - 2.0 * np.einsum("ij,ij,ij->i", w, w, w) / total + (s2 / total) ** 2
    return _trace(w) - square, 2.0 * third - trace2


_ESTIMATORS = {
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
