"""What a random-effects model says of each single study: its effect, drawn towards the mean."""

import dataclasses
import math
from typing import Any, ClassVar

import numpy as np

from ipsevidence.core.pooling import quantile
from ipsevidence.core.results import (
    FloatArray,
    NotApplicable,
    PooledResult,
    Result,
    frozen_array,
    number,
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ShrunkenEffects(Result):
    """Best linear unbiased predictions of the studies' true effects.

    Attributes
    ----------
    estimate, se, low, high : ndarray of shape (k,)
        Prediction for each study, its standard error and interval.
    reliability : ndarray of shape (k,)
        Share of the study's own estimate in it; the rest is the pooled effect's.
    level : float
        Level of the intervals.
    """

    columns: ClassVar[tuple[str, ...]] = ("study", "estimate", "se", "low", "high", "reliability")
    estimate: FloatArray
    se: FloatArray
    low: FloatArray
    high: FloatArray
    reliability: FloatArray
    level: float

    def to_rows(self) -> list[tuple[Any, ...]]:
        """Return one row for each study."""
        numbers = zip(*(getattr(self, name).tolist() for name in self.columns[1:]), strict=True)
        return [(study, *row) for study, row in enumerate(numbers)]

    def __str__(self) -> str:
        return "\n".join(
            f"study {study}: {number(estimate)}, {number(low)} to {number(high)}"
            for study, estimate, _, low, high, _ in self.to_rows()
        )


def blups(fit: PooledResult) -> ShrunkenEffects | NotApplicable:
    """Return the best linear unbiased prediction of each study's true effect.

    Parameters
    ----------
    fit : PooledResult
        From `pool`.

    Returns
    -------
    ShrunkenEffects or NotApplicable
        Not applicable to a single study.

    Notes
    -----
    With s = tau2 / (tau2 + v): s y + (1 - s) mean, of variance s v + (1 - s)^2 se^2. The standard error and the
    quantile are those of the interval method of the fit; tau2 is taken as known.

    References
    ----------
    .. [1] Raudenbush SW, Bryk AS. Empirical Bayes meta-analysis. J Educ Stat 1985;10:75-98.
       doi:10.3102/10769986010002075
    """
    if math.isnan(fit.tau2):
        return NotApplicable(reason="one study cannot be drawn towards others")
    share = fit.tau2 / (fit.tau2 + fit.v)
    estimate = share * fit.y + (1.0 - share) * fit.estimate
    se = np.sqrt(share * fit.v + ((1.0 - share) * fit.se) ** 2)
    reach = quantile(fit.settings.level, fit.df) * se
    return ShrunkenEffects(
        estimate=frozen_array(estimate),
        se=frozen_array(se),
        low=frozen_array(estimate - reach),
        high=frozen_array(estimate + reach),
        reliability=frozen_array(share),
        level=fit.settings.level,
    )
