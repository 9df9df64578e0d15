"""What is known of the between-study variance, as a distribution, and the prediction interval drawn from it."""

import math

import numpy as np
from scipy import special

from ipsevidence.core.quadratic_forms import mixture_cdf
from ipsevidence.core.results import FloatArray
from ipsevidence.core.weighting import Model

DRAWS = 25_000
POINTS_PER_E_FOLD = 16
CHUNK = 2_000_000  # numbers held at once


def tau2_quantiles(model: Model, share: FloatArray) -> FloatArray:
    """Return quantiles of the confidence distribution of tau2, in internal units.

    Parameters
    ----------
    model : MeanModel
        The studies.
    share : ndarray of shape (m,)
        Probabilities strictly between 0 and 1.

    Returns
    -------
    ndarray of shape (m,)
        0 where the distribution has that share below 0.

    Notes
    -----
    Its distribution function is the probability that Q, at tau2, exceeds the observed Q: a sum of weighted
    chi-squares, of which the moment estimator of DerSimonian and Laird is the mean-unbiased summary. It is
    tabulated over the range that `share` asks for and interpolated there.
    """
    w = 1.0 / model.v
    q = model.sum_of_squares(w)
    smallest = float(model.v.min())

    def above(tau2: float) -> float:
        return 1.0 - mixture_cdf(q, model.form_weights(w, tau2))

    top, most = smallest, float(share.max())
    while above(top) < most:
        top *= 2.0
    span = math.log1p(top / smallest)
    heights = np.linspace(0.0, span, math.ceil(span * POINTS_PER_E_FOLD) + 1)
    table = np.maximum.accumulate([above(t) for t in (smallest * np.expm1(heights)).tolist()])
    return np.where(share <= table[0], 0.0, smallest * np.expm1(np.interp(share, table, heights)))


def bootstrap_prediction(model: Model, level: float, seed: int, draws: int = DRAWS) -> tuple[float, float]:
    """Return the bounds of Nagashima's prediction interval, in the caller's units.

    Parameters
    ----------
    model : MeanModel
        The studies.
    level : float
        Level of the interval.
    seed : int
        Seed of the draws.
    draws : int
        How many there are.

    Returns
    -------
    tuple of (float, float)

    Notes
    -----
    Each draw takes tau2 from its confidence distribution, the mean at its weights less a t(k - 1) variable
    times Hartung's standard error there, and adds a normal deviate times tau.
    """
    uniform = np.random.default_rng(seed).integers(1, 2**52, size=(3, draws)) / 2.0**52
    tau2 = tau2_quantiles(model, uniform[0])
    deviate, t = special.ndtri(uniform[1]), special.stdtrit(model.df, uniform[2])
    drawn = np.empty(draws)
    rows = max(1, CHUNK // model.k)
    for i in range(0, draws, rows):
        part = slice(i, i + rows)
        w = 1.0 / (model.v + tau2[part, None])
        # sums of each draw by itself: the same digits in any chunks
        total = w.sum(axis=1)
        mean = (w * model.y).sum(axis=1) / total
        spread = (w * (model.y - mean[:, None]) ** 2).sum(axis=1) / (model.df * total)
        drawn[part] = mean + deviate[part] * np.sqrt(tau2[part]) - t[part] * np.sqrt(spread)
    tail = (1.0 - level) / 2.0
    low, high = (model.centre + model.root * np.quantile(drawn, [tail, 1.0 - tail])).tolist()
    return low, high
