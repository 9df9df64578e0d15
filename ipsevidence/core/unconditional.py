"""Odds ratios from the counts of both arms: binomial models with fixed, or with random, study effects."""

import math
from typing import NamedTuple

import numpy as np

from ipsevidence.core.arm_likelihood import ArmLikelihood, Peak, highest_peak
from ipsevidence.core.effects import Cells
from ipsevidence.core.results import FloatArray

FIRST_SPREADS = ((0.5, 0.5), (1.0, 0.2), (0.2, 1.0))  # where the search for the two standard deviations begins


class Fit(NamedTuple):
    """The maximum of a model of odds ratios; sigma2 is nan where the model has none."""

    estimate: float
    se: float
    tau2: float
    log_likelihood: float
    sigma2: float = math.nan


def fixed_studies(cells: Cells, *, random: bool) -> Fit | None:
    """Return the model with a fixed log odds for each study and a random treatment effect.

    Parameters
    ----------
    cells : Cells
        Events and non-events of both arms.
    random : bool
        Whether the treatment effect varies between studies.

    Returns
    -------
    Fit or None
        None where the likelihood has no maximum.
    """
    columns = 1 + random
    arms = [half * np.eye(columns) for half in (0.5, -0.5)]
    mean, effect = _observed(cells)
    starts = [
        np.concatenate([[effect.mean()], [spread] * random, mean]) for spread in ((0.5, 0.1) if random else (0.0,))
    ]
    likelihood = ArmLikelihood(cells, arms, own_intercepts=True)
    peak = highest_peak(likelihood, starts, [(1,)] if random else [])
    return None if peak is None else _fit(peak, 0, tau=1 if random else None)


def random_studies(cells: Cells, *, random: bool) -> Fit | None:
    """Return the model with random study effects, independent of the random treatment effect.

    Parameters
    ----------
    cells : Cells
        Events and non-events of both arms.
    random : bool
        Whether the treatment effect varies between studies.

    Returns
    -------
    Fit or None
        None where the likelihood has no maximum.
    """
    mean, effect = _observed(cells)
    means = [mean.mean(), effect.mean()]
    if random:
        # parameters: mean log odds, log odds ratio, sigma, tau
        arms = [[[1, 0, 0], [half, 0, 0], [0, 1, 0], [0, 0, half]] for half in (0.5, -0.5)]
        starts = [np.array([*means, *spread]) for spread in FIRST_SPREADS]
    else:
        arms = [[[1, 0], [half, 0], [0, 1]] for half in (0.5, -0.5)]
        starts = [np.array([*means, 0.5])]
    peak = highest_peak(ArmLikelihood(cells, arms), starts, [(2,), (3,)] if random else [(2,)])
    return None if peak is None else _fit(peak, 1, tau=3 if random else None, sigma=2)


def _observed(cells: Cells) -> tuple[FloatArray, FloatArray]:
    """Return each study's mean log odds and log odds ratio, with a half added to each cell."""
    first, second = (np.log((x + 0.5) / (y + 0.5)) for x, y in ((cells.a, cells.b), (cells.c, cells.d)))
    return (first + second) / 2.0, first - second


def _fit(peak: Peak, effect: int, *, tau: int | None, sigma: int | None = None) -> Fit:
    def variance(index: int | None, absent: float) -> float:
        return absent if index is None else float(peak.at[index]) ** 2

    return Fit(
        estimate=float(peak.at[effect]),
        se=math.sqrt(float(peak.covariance[effect, effect])),
        tau2=variance(tau, 0.0),
        log_likelihood=peak.log_likelihood,
        sigma2=variance(sigma, math.nan),
    )
