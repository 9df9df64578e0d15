"""How trials are drawn, and what is true of them: four models of how effects vary between trials."""

from typing import NamedTuple

import numpy as np
from scipy import special

HIGHEST_RISK = 0.95  # under treatment, where a risk ratio would ask for more
EFFECT_NODES, RISK_NODES = 2000, 100


class Counts(NamedTuple):
    """Events and sizes of both arms, each of shape (repetitions, k)."""

    a: np.ndarray
    n1: np.ndarray
    c: np.ndarray
    n2: np.ndarray


class Truth(NamedTuple):
    """The mean of the true effects in the population of trials, and their distribution as equally likely values."""

    mean: float
    values: np.ndarray

    def share_within(self, low, high):
        """Return the probability that a new trial's true effect lies in each interval, bounds included."""
        upper = np.searchsorted(self.values, high, side="right")
        return (upper - np.searchsorted(self.values, low, side="left")) / self.values.size


def draw(cell, data, repetitions):
    """Return simulated trials; the first rows are the same however many repetitions are asked for."""
    pick, risk, effect, first, second = cell.generators(5)
    shape = (repetitions, cell.k)
    n1, n2 = data.sizes
    which = (pick.random(shape) * n1.size).astype(int)
    p2, p1 = risks(cell, data, which, risk.random(shape), effect.random(shape))
    n1, n2 = n1[which], n2[which]
    return Counts(first.binomial(n1, p1), n1, second.binomial(n2, p2), n2)


def risks(cell, data, which, risk_share, effect_share):
    """Return the true risks of the control and of the treated arm.

    Parameters
    ----------
    which : ndarray of int
        The trial of the base whose observed control risk is taken (where the model does not draw it).
    risk_share, effect_share : ndarray
        Where in their distributions control risk and effect stand, between 0 and 1.
    """
    tau = cell.tau2**0.5
    logit = special.logit(data.control_risks)[which]
    if cell.model == "normal":
        return _odds(logit, cell.mean + tau * special.ndtri(effect_share))
    if cell.model == "skewed":  # exponential with mean and standard deviation 1, moved to mean 0
        return _odds(logit, cell.mean + tau * (-np.log1p(-effect_share) - 1.0))
    if cell.model == "control-risk":
        gap = data.control_sd * special.ndtri(risk_share)
        rest = (cell.tau2 - (data.slope * data.control_sd) ** 2) ** 0.5
        effect = cell.mean + data.slope * gap + rest * special.ndtri(effect_share)
        return _odds(data.control_logit + gap, effect)
    p2 = data.control_risks[which]
    return p2, np.minimum(HIGHEST_RISK, p2 * np.exp(cell.mean + tau * special.ndtri(effect_share)))


def _odds(logit, effect):
    return special.expit(logit), special.expit(logit + effect)


def truth(cell, data, measure):
    """Return what is true on a measure, over trials, control risks and effects, by equally likely nodes."""
    effect_share = (np.arange(EFFECT_NODES) + 0.5) / EFFECT_NODES
    drawn = cell.model == "control-risk"
    n = RISK_NODES if drawn else len(data.trials)
    risk_share = (np.arange(n) + 0.5) / n
    which = np.zeros(n, dtype=int) if drawn else np.arange(n)
    p2, p1 = np.broadcast_arrays(*risks(cell, data, which[:, None], risk_share[:, None], effect_share[None, :]))
    values = np.log(p1 / p2) if measure == "RR" else special.logit(p1) - special.logit(p2)
    exact = measure == cell.measure and cell.model != "risk-ratio"
    if exact and cell.tau2 == 0.0:
        values = np.full(1, cell.mean)  # not the rounding of the logits
    return Truth(cell.mean if exact else float(values.mean()), np.sort(values, axis=None))


def share_capped(cell, data):
    """Return the share of trials whose risk under treatment is held at the highest."""
    effect_share = (np.arange(EFFECT_NODES) + 0.5) / EFFECT_NODES
    which = np.arange(len(data.trials))[:, None]
    return float((risks(cell, data, which, 0.5, effect_share[None, :])[1] >= HIGHEST_RISK).mean())
