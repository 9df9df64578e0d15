"""What is counted: bias, coverage, width, tests, failures, each with its Monte Carlo standard error."""

import dataclasses

import numpy as np

from benchmarks.coverage_fits import (
    Studies,
    bayes_rows,
    fit_rows,
    mean_intervals,
    prediction_half_width,
    studies,
    switched,
)
from benchmarks.coverage_models import draw, truth
from ipsevidence import core

ESTIMATORS = ("reml", "dl", "pm", "sj", "ml")
PREDICTIONS = (
    ("wald", "normal"),
    ("wald", "t-k2"),
    ("hksj", "t-k2"),
    ("hksj", "t-k1"),
    ("hksj-adhoc", "t-k1"),
    ("protocol", "t-k1"),
)
FEWER_PREDICTIONS = (("wald", "t-k2"), ("hksj", "t-k1"))  # of the estimators beside REML
SWITCHED = ("hksj", "hksj-adhoc")  # of REML also among those meta-analyses in which the rule prefers the second
OTHER_INTERVALS = ("wald", "hksj", "protocol")  # on the measure that the model does not draw on
MOST_FOR_BAYES = 12
CHUNK = 100_000  # effects held at once


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the results: an interval of the mean, or (where `prediction` is given) for a new trial.

    Attributes
    ----------
    model, effect, variance, k
        The cell.
    measure, estimator, interval, prediction : str
        The method, in the keys of `ipsevidence.core.pool` where it has them.
    repetitions, failed : int
        Meta-analyses drawn, and those without this interval; for an interval whose name ends in ``, switched`` those
        in which the rule for few trials would not have taken the ad hoc form.
    coverage, coverage_se : float
        Share of intervals that hold the true mean; for a new trial the mean probability that its true effect lies
        within. Failures are left out.
    width, mean_width, width_se : float
        Median and mean width on the log scale, and the standard error of the mean.
    excludes_null : float
        Share of intervals without 0; nan for a new trial.
    """

    model: str
    effect: str
    variance: str
    k: int
    measure: str
    estimator: str
    interval: str
    prediction: str
    repetitions: int
    failed: int
    coverage: float
    coverage_se: float
    width: float
    mean_width: float
    width_se: float
    excludes_null: float


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Bias:
    """Bias and spread of an estimator of the mean, and the mean of its tau2.

    Attributes
    ----------
    truth : float
        Mean of the true effects, on the log scale.
    bias, bias_se, sd : float
        Mean error, its Monte Carlo standard error, and the standard deviation of the estimates.
    tau2 : float
        Mean estimate of the between-study variance; nan where there is none.
    tau2_zero : float
        Share of meta-analyses whose estimate is 0.
    """

    model: str
    effect: str
    variance: str
    k: int
    measure: str
    estimator: str
    repetitions: int
    failed: int
    truth: float
    bias: float
    bias_se: float
    sd: float
    tau2: float
    tau2_zero: float


def effects(counts, measure):
    """Return the rows of studies that counts give, by `ipsevidence.core.two_by_two`."""
    y, v = core.two_by_two(measure, *(x.ravel() for x in counts))
    return studies(y.reshape(counts.a.shape), v.reshape(counts.a.shape))


def simulate(cell, base, repetitions, chunk=CHUNK):
    """Return all lines and biases of a cell; the same numbers whatever the chunk."""
    counts = draw(cell, base, repetitions)
    lines, biases = [], []
    for measure in ("OR", "RR"):
        data = effects(counts, measure)
        rows = max(1, chunk // cell.k)
        parts = [Studies(*(x[i : i + rows] for x in data)) for i in range(0, repetitions, rows)]
        found = _own(cell, parts) if measure == cell.measure else _other(parts)
        true = truth(cell, base, measure)
        for estimator, (middle, tau2, bands) in found.items():
            names = {"measure": measure, "estimator": estimator}
            biases.append(bias(cell, names, true, middle, tau2))
            lines += [line(cell, names, key, true, bounds) for key, bounds in bands.items()]
    return lines, biases


def _own(cell, parts):
    """Return estimates, tau2 and the bounds of every method, for the measure on which the model draws."""
    found = {}
    for estimator in ESTIMATORS:
        predictions = PREDICTIONS if estimator == "reml" else FEWER_PREDICTIONS
        fitted = (_bands(part, estimator, None, predictions) for part in parts)
        found[estimator] = _joined(fitted)
    found["common"] = _joined(_bands(part, "common", ("wald",), ()) for part in parts)
    if cell.k <= MOST_FOR_BAYES:
        found["bayes"] = _joined(_posterior_bands(part) for part in parts)
    return found


def _other(parts):
    return {"reml": _joined(_bands(part, "reml", OTHER_INTERVALS, ()) for part in parts)}


def _bands(data, estimator, intervals, predictions):
    fit = fit_rows(data, estimator)
    halves = {(name, ""): half for name, half in mean_intervals(fit).items() if intervals is None or name in intervals}
    halves |= {key: prediction_half_width(fit, *key) for key in predictions}
    if estimator == "reml" and intervals is None:
        chosen = switched(fit)
        halves |= {(f"{name}, switched", ""): np.where(chosen, halves[name, ""], np.nan) for name in SWITCHED}
    return fit.mean, fit.tau2, {key: (fit.mean - half, fit.mean + half) for key, half in halves.items()}


def _posterior_bands(data):
    posterior = bayes_rows(data)
    bands = {("bayes", ""): posterior.ci, ("bayes", "bayes"): posterior.prediction}
    return posterior.median, np.full(posterior.median.size, np.nan), bands


def _joined(parts):
    middles, tau2, bands = zip(*parts, strict=True)
    together = {key: tuple(np.concatenate([band[key][j] for band in bands]) for j in (0, 1)) for key in bands[0]}
    return np.concatenate(middles), np.concatenate(tau2), together


def line(cell, names, key, true, bounds):
    """Return the line of one method; `key` is its interval and its prediction, `bounds` two arrays."""
    interval, prediction = key
    fine = np.isfinite(bounds[0]) & np.isfinite(bounds[1])
    low, high = bounds[0][fine], bounds[1][fine]
    held = true.share_within(low, high) if prediction else ((low <= true.mean) & (true.mean <= high)).astype(float)
    width = high - low
    n = low.size
    return Line(
        **_names(cell),
        **names,
        interval=interval,
        prediction=prediction,
        repetitions=fine.size,
        failed=fine.size - n,
        coverage=held.mean() if n else np.nan,
        coverage_se=_error(held),
        width=np.median(width) if n else np.nan,
        mean_width=width.mean() if n else np.nan,
        width_se=_error(width),
        excludes_null=np.nan if prediction or not n else ((low > 0.0) | (high < 0.0)).mean(),
    )


def bias(cell, names, true, middle, tau2):
    """Return the bias of one estimator of the mean."""
    fine = np.isfinite(middle)
    middle, known = middle[fine], tau2[np.isfinite(tau2)]
    return Bias(
        **_names(cell),
        **names,
        repetitions=fine.size,
        failed=fine.size - middle.size,
        truth=true.mean,
        bias=middle.mean() - true.mean if middle.size else np.nan,
        bias_se=_error(middle),
        sd=middle.std(ddof=1) if middle.size > 1 else np.nan,
        tau2=known.mean() if known.size else np.nan,
        tau2_zero=(known == 0.0).mean() if known.size else np.nan,
    )


def _names(cell):
    return {"model": cell.model, "effect": cell.effect, "variance": cell.variance, "k": cell.k}


def _error(x):
    return x.std(ddof=1) / np.sqrt(x.size) if x.size > 1 else np.nan
