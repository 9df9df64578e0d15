"""Methods that have no form for many meta-analyses at once: fitted one by one, on fewer repetitions.

The meta-analyses are the first of those that the other methods were given, and REML is repeated on them, so that the
lines can be compared.
"""

import warnings

import numpy as np

from benchmarks.coverage_measures import bias, effects, line
from benchmarks.coverage_models import Counts, draw, truth
from ipsevidence import core

COUNT_VARIANCES, COUNT_TRIALS = ("zero", "middle", "high"), (5, 12)
PREDICTION_TRIALS = (3, 5, 8, 12, 30)
GLMMS = ("um.fs", "um.rs")
PREDICTIONS = (("hksj", "t-k1"), ("wald", "t-k2"), ("bootstrap", "bootstrap"))


def wanted(cell):
    """Return whether the methods are tried in a cell."""
    return cell.model == "normal" and cell.effect == "data" and cell.k in PREDICTION_TRIALS


def simulate_single(cell, base, count_repetitions, prediction_repetitions):
    """Return the lines and biases of a cell for the methods that are fitted one by one."""
    lines, biases = _counts(cell, base, count_repetitions) if _has_counts(cell) else ([], [])
    return lines + _new_trials(cell, base, prediction_repetitions), biases


def _has_counts(cell):
    return cell.k in COUNT_TRIALS and cell.variance in COUNT_VARIANCES


def _counts(cell, base, repetitions):
    """Return the lines and biases of the methods on the counts, and of REML."""
    counts, true = draw(cell, base, repetitions), truth(cell, base, "OR")
    lines, biases = [], []
    fits = [_count_fits(Counts(*(x[i] for x in counts))) for i in range(repetitions)]
    for estimator, interval in fits[0]:
        middle, tau2, *bounds = np.array([fit[estimator, interval] for fit in fits]).T
        names = {"measure": "OR", "estimator": estimator}
        lines.append(line(cell, names, (interval, ""), true, bounds))
        if (estimator, interval) != ("reml", "wald"):
            biases.append(bias(cell, names, true, middle, tau2))
    return lines, biases


def _new_trials(cell, base, repetitions):
    """Return the lines of the prediction intervals, the bootstrap's among them."""
    data, true = effects(draw(cell, base, repetitions), "OR"), truth(cell, base, "OR")
    bands = np.array([_predictions(data, i) for i in range(repetitions)])
    lines = []
    for j, key in enumerate(PREDICTIONS):
        names = {"measure": "OR", "estimator": "none" if key[1] == "bootstrap" else "reml"}
        lines.append(line(cell, names, key, true, bands[:, j].T))
    return lines


def _count_fits(counts):
    """Return estimate, tau2 and bounds of one meta-analysis by method and interval."""
    found = {("mantel-haenszel", "wald"): _numbers(core.mantel_haenszel("OR", *counts))}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found |= {(model, "wald"): _numbers(core.glmm(*counts, model=model)) for model in GLMMS}
    y, v = core.two_by_two("OR", *counts)
    there = np.isfinite(y)
    for interval in ("wald", "hksj"):
        fit = core.pool(y[there], v[there], tau2="reml", interval=interval)
        found["reml", interval] = _numbers(fit)
    return found


def _numbers(fit):
    if isinstance(fit, core.NotApplicable):
        return (np.nan,) * 4
    return fit.estimate, getattr(fit, "tau2", np.nan), fit.ci.low, fit.ci.high


def _predictions(data, i):
    """Return the bounds of the prediction intervals of one meta-analysis, in the order of `PREDICTIONS`."""
    there = data.here[i] > 0
    y, v = data.y[i][there], data.v[i][there]
    found = []
    for interval, prediction in PREDICTIONS:
        drawn = prediction == "bootstrap"
        fit = core.pool(y, v, tau2="reml", interval="hksj" if drawn else interval, prediction=prediction, seed=i)
        found.append((fit.prediction.low, fit.prediction.high))
    return found
