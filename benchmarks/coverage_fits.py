"""Many meta-analyses at once: one row each, trials of weight 0 where a row has none.

The same estimators as `ipsevidence.core.pool` and `ipsevidence.core.bayes`, written for arrays of shape (m, k); the
tests hold them to those, row by row. No row depends on another.
"""

from typing import NamedTuple

import numpy as np
from scipy import special

POINTS = 40  # of tau2, on which the likelihood is looked at before it is climbed
TAU_NODES, TAU_REACH = 48, 5.5  # of the prior's scale
STEPS = 60


class Studies(NamedTuple):
    """Effects and variances, and which are there: a trial in which nobody, or everybody, had the event is not."""

    y: np.ndarray
    v: np.ndarray
    here: np.ndarray


class Fit(NamedTuple):
    """One entry a row: tau2, mean, its Wald standard error, Q(tau2), and how many trials were pooled."""

    tau2: np.ndarray
    mean: np.ndarray
    se: np.ndarray
    q: np.ndarray
    k: np.ndarray


def studies(y, v):
    """Return rows of studies; an effect that is nan is not there."""
    here = np.isfinite(y) & np.isfinite(v)
    return Studies(np.where(here, y, 0.0), np.where(here, v, 1.0), here.astype(float))


def fit_rows(data, estimator):
    """Return the random-effects fits by an estimator of tau2; rows with fewer than two trials come as nan."""
    k = data.here.sum(axis=1)
    tau2 = np.maximum(TAU2[estimator](data), 0.0)
    w = data.here / (data.v + tau2[:, None])
    with np.errstate(divide="ignore", invalid="ignore"):
        mean, q, _ = _moments(data, w)
        se = 1.0 / np.sqrt(w.sum(axis=1))
    return Fit(*(np.where(k >= 2, x, np.nan) for x in (tau2, mean, se, q)), k)


def _moments(data, w):
    """Return the weighted mean, Q = y'Py, and y'PPy of each row."""
    mean = (w * data.y).sum(axis=1) / w.sum(axis=1)
    r = data.y - mean[:, None]
    wr = w * r
    return mean, (wr * r).sum(axis=1), (wr * wr).sum(axis=1)


def _df(data):
    return np.maximum(data.here.sum(axis=1) - 1.0, 1.0)


def _common(data):
    return np.zeros(data.y.shape[0])


@np.errstate(divide="ignore", invalid="ignore")
def _dersimonian_laird(data):
    w = data.here / data.v
    total = w.sum(axis=1)
    found = (_moments(data, w)[1] - _df(data)) / (total - (w * w).sum(axis=1) / total)
    return np.where(np.isfinite(found), found, 0.0)


@np.errstate(divide="ignore", invalid="ignore")
def _sidik_jonkman(data):
    first = _moments(data, data.here)[1] / (_df(data) + 1.0)
    w = data.here * first[:, None] / (data.v + first[:, None])
    found = _moments(data, w)[1] / _df(data)
    return np.where(np.isfinite(found), found, 0.0)


@np.errstate(divide="ignore", invalid="ignore")
def _paule_mandel(data):
    """Return where Q(tau2) falls to its degrees of freedom, by Newton's method on 1/Q, which cannot overshoot."""
    t, df = np.zeros(data.y.shape[0]), _df(data)
    active = np.flatnonzero(data.here.sum(axis=1) >= 2)
    while active.size:
        part = Studies(*(x[active] for x in data))
        _, q, slope = _moments(part, part.here / (part.v + t[active, None]))
        step = np.where(q > df[active], (q / df[active] - 1.0) * q / slope, 0.0)
        t[active] += step
        active = active[step > 1e-10 * t[active]]
    return t


def _maximum_likelihood(data):
    return _maximise(data, restricted=False)


def _restricted(data):
    return _maximise(data, restricted=True)


def _maximise(data, *, restricted):
    """Return the highest maximum of the (restricted) likelihood: of a grid, then between its neighbours."""
    result = np.zeros(data.y.shape[0])
    enough = np.flatnonzero(data.here.sum(axis=1) >= 2)
    data = Studies(*(x[enough] for x in data))
    points = _grid(data)
    height = np.stack([_deviance(data, points[:, j], restricted=restricted) for j in range(POINTS)], axis=1)
    best = height.argmin(axis=1)
    rows = np.arange(best.size)
    low, high = points[rows, np.maximum(best - 1, 0)], points[rows, np.minimum(best + 1, POINTS - 1)]
    result[enough] = _climb(data, low, points[rows, best], high, restricted=restricted)
    return result


def _grid(data):
    """Return points of tau2 for each row, from 0 to beyond the last stationary point, dense near 0."""
    k = data.here.sum(axis=1)
    centred = data.here * (data.y - ((data.here * data.y).sum(axis=1) / k)[:, None])
    squares = (centred * centred).sum(axis=1)
    least = np.where(data.here > 0, data.v, np.inf).min(axis=1)
    spread = np.where(data.here > 0, data.v, 0.0).max(axis=1) - least
    top = (squares + np.sqrt(squares * (squares + 4.0 * spread))) / 2.0
    span = np.log(np.maximum(top / least, 1.0)) + 0.2
    return least[:, None] * np.expm1(span[:, None] * np.linspace(0.0, 1.0, POINTS))


def _deviance(data, tau2, *, restricted):
    total = data.v + tau2[:, None]
    w = data.here / total
    _, q, _ = _moments(data, w)
    value = (data.here * np.log(total)).sum(axis=1) + q
    return value + np.log(w.sum(axis=1)) if restricted else value


def _climb(data, low, t, high, *, restricted):
    """Return the maximum between two points, by Newton's method that never leaves them."""
    t, low, high = t.copy(), low.copy(), high.copy()
    active = np.arange(t.size)
    for _ in range(STEPS):
        part = Studies(*(x[active] for x in data))
        score, bend = _score(part, t[active], restricted=restricted)
        up = score >= 0.0
        high[active[up]], low[active[~up]] = t[active[up]], t[active[~up]]
        with np.errstate(divide="ignore", invalid="ignore"):
            new = np.where(bend > 0.0, t[active] - score / bend, -1.0)
        middle = 0.5 * (low[active] + high[active])
        new = np.where((low[active] < new) & (new < high[active]), new, middle)
        at_zero = (t[active] == 0.0) & up
        moved = np.where(at_zero, 0.0, new)
        step = np.abs(moved - t[active])
        t[active] = moved
        active = active[(step > 1e-9 * (moved + 1e-6)) & ~at_zero]
        if not active.size:
            break
    return t


def _score(data, tau2, *, restricted):
    """Return the derivative of the deviance in tau2, and its derivative."""
    w = data.here / (data.v + tau2[:, None])
    total = w.sum(axis=1)
    wr = w * (data.y - ((w * data.y).sum(axis=1) / total)[:, None])
    square, s2 = (wr * wr).sum(axis=1), (w * w).sum(axis=1)
    tilt = (w * wr).sum(axis=1)
    third = (w * wr * wr).sum(axis=1) - tilt * tilt / total
    if not restricted:
        return total - square, 2.0 * third - s2
    trace2 = s2 - 2.0 * (w**3).sum(axis=1) / total + (s2 / total) ** 2
    return total - s2 / total - square, 2.0 * third - trace2


TAU2 = {
    "common": _common,
    "dl": _dersimonian_laird,
    "sj": _sidik_jonkman,
    "pm": _paule_mandel,
    "ml": _maximum_likelihood,
    "reml": _restricted,
}


def mean_intervals(fit, level=0.95):
    """Return the half-widths of the intervals of the mean, by method.

    ``protocol`` is what `ipsevidence.core.small_k_pool` shows from three trials on; for two it shows the common
    effect, which is an estimator of its own here.
    """
    df = np.maximum(fit.k - 1.0, 1.0)
    z, t = _quantiles(np.inf, level), _quantiles(df, level)
    factor = np.sqrt(fit.q / df)
    hksj, adhoc = t * factor * fit.se, t * np.maximum(1.0, factor) * fit.se
    few = fit.k < 5
    return {
        "wald": z * fit.se,
        "t": t * fit.se,
        "hksj": hksj,
        "hksj-adhoc": adhoc,
        "protocol": np.where(few | switched(fit, level), adhoc, hksj),
    }


def switched(fit, level=0.95):
    """Return where the rule takes the ad hoc form from five trials on: narrower than Wald, or tau2 estimated as 0."""
    df = np.maximum(fit.k - 1.0, 1.0)
    return (fit.tau2 == 0.0) | (_quantiles(df, level) * np.sqrt(fit.q / df) < _quantiles(np.inf, level))


def prediction_half_width(fit, interval, prediction, level=0.95):
    """Return the half-width of the prediction interval made with the standard error of an interval of the mean."""
    df = np.maximum(fit.k - 1.0, 1.0)
    z, t = _quantiles(np.inf, level), _quantiles(df, level)
    se = mean_intervals(fit, level)[interval] / (z if interval == "wald" else t)
    quantile = {"normal": z, "t-k1": t}.get(prediction)
    if quantile is None:
        quantile = np.where(df >= 2, _quantiles(np.maximum(df - 1.0, 1.0), level), np.nan)
    return quantile * np.sqrt(fit.tau2 + se * se)


def _quantiles(df, level):
    tail = (1.0 - level) / 2.0
    return -special.ndtri(tail) if np.isscalar(df) else -special.stdtrit(df, tail)


class Posterior(NamedTuple):
    """Median and bounds (equal tails) of the mean, and of the effect in a new trial; one entry a row."""

    median: np.ndarray
    ci: tuple
    prediction: tuple


def bayes_rows(data, scale=0.5, level=0.95):
    """Return the posterior under a half-normal prior of tau and a flat one of the mean, by quadrature over tau."""
    x, size = np.polynomial.legendre.leggauss(TAU_NODES)
    tau = 0.5 * TAU_REACH * scale * (1.0 + x)
    logs, mean, sd = (np.empty((data.y.shape[0], TAU_NODES)) for _ in range(3))
    with np.errstate(divide="ignore", invalid="ignore"):
        for j, t in enumerate(tau):
            w = data.here / (data.v + t * t)
            mean[:, j], q, _ = _moments(data, w)
            total = w.sum(axis=1)
            sd[:, j] = 1.0 / np.sqrt(total)
            logs[:, j] = -0.5 * ((data.here * np.log(data.v + t * t)).sum(axis=1) + np.log(total) + q)
    logs -= 0.5 * (tau / scale) ** 2
    enough = data.here.sum(axis=1) >= 2
    logs[~enough], mean[~enough], sd[~enough] = 0.0, 0.0, 1.0
    weight = size * np.exp(logs - logs.max(axis=1, keepdims=True))
    weight /= weight.sum(axis=1, keepdims=True)
    wide, tail = np.sqrt(sd**2 + tau**2), (1.0 - level) / 2.0

    def at(spread, p):
        return np.where(enough, _mixture_quantile(weight, mean, spread, p), np.nan)

    return Posterior(at(sd, 0.5), (at(sd, tail), at(sd, 1.0 - tail)), (at(wide, tail), at(wide, 1.0 - tail)))


def _mixture_quantile(weight, mean, sd, p):
    """Return the quantile of each row's mixture of normals, by Newton's method within its bracket."""
    ends = mean + sd * special.ndtri(p)
    low, high = ends.min(axis=1), ends.max(axis=1)
    x = (weight * ends).sum(axis=1)
    for _ in range(STEPS):
        z = (x[:, None] - mean) / sd
        gap = (weight * special.ndtr(z)).sum(axis=1) - p
        slope = (weight / sd * np.exp(-0.5 * z * z)).sum(axis=1) / np.sqrt(2.0 * np.pi)
        low, high = np.where(gap < 0.0, x, low), np.where(gap > 0.0, x, high)
        new = x - gap / slope
        new = np.where((low <= new) & (new <= high), new, 0.5 * (low + high))
        moving = np.abs(new - x) > 1e-10
        if not moving.any():
            break
        x = np.where(moving, new, x)  # a row that has arrived stays, whatever the others do
    return x
