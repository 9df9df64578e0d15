"""Many meta-analyses at once: one row each, trials of weight 0 where a row has none.

The fits are those of `ipsevidence.core.batch`. Intervals and the posterior of `ipsevidence.core.bayes` are written here
for arrays; the tests hold them to the engine's, row by row. No row depends on another.
"""

from typing import NamedTuple

import numpy as np
from scipy import special

from ipsevidence.core.batch import fit_samples

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
    k = data.here.sum(axis=1).astype(int)
    found = np.full((4, k.size), np.nan)
    for size in np.unique(k[k >= 2]):
        rows = np.flatnonzero(k == size)
        there = data.here[rows] > 0.0
        y, v = (x[rows][there].reshape(-1, size) for x in (data.y, data.v))
        fits = fit_samples(y, v, tau2=estimator)
        found[:, rows] = fits.tau2, fits.estimate, fits.se, fits.q_tau2
    return Fit(*found, k.astype(float))


def _moments(data, w):
    """Return the weighted mean and Q = y'Py of each row."""
    mean = (w * data.y).sum(axis=1) / w.sum(axis=1)
    r = data.y - mean[:, None]
    return mean, (w * r * r).sum(axis=1)


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
            mean[:, j], q = _moments(data, w)
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
