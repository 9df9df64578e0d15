"""The normal-normal model with priors: what is known of the pooled effect at any between-study variance."""

import dataclasses
import math

import numpy as np

from ipsevidence.core.registry import Method, registry
from ipsevidence.core.results import FloatArray

LARGEST_LOG = 700.0  # what is beyond exp(700) is held there


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class BayesSettings:
    """The priors of a Bayesian model.

    Attributes
    ----------
    tau_prior : str
        Key of `TAU_PRIORS`.
    scale, df : float
        Its scale, in units of the effects, and the degrees of freedom of half-t.
    mu_mean : float
        Mean of the normal prior of the pooled effect.
    mu_sd : float or None
        Its standard deviation; None for a flat prior.
    """

    tau_prior: str
    scale: float
    df: float
    mu_mean: float
    mu_sd: float | None


class NormalModel:
    """Studies and priors, and what follows at any tau; effects are counted from `origin`."""

    def __init__(self, y: FloatArray, v: FloatArray, settings: BayesSettings) -> None:
        # counted from the most precise study, so that no digit of a difference is lost
        self.origin = float(y[int(v.argmin())])
        self.observed, self.y, self.v, self.settings = y, y - self.origin, v, settings
        self.mu_mean = settings.mu_mean - self.origin
        self.precision = 0.0 if settings.mu_sd is None else settings.mu_sd**-2

    def log_prior(self, tau: FloatArray) -> FloatArray:
        """Return the logarithm of the prior density of tau."""
        found: FloatArray = TAU_PRIORS[self.settings.tau_prior].function(tau, self.settings.scale, self.settings.df)
        return found

    def given(self, tau: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return mean and standard deviation of the effect at each tau, and the log marginal likelihood."""
        total = self.v + tau[:, None] ** 2
        w = 1.0 / total
        precision = w.sum(axis=1) + self.precision
        mean = (w @ self.y + self.precision * self.mu_mean) / precision
        gap = (w * (self.y - mean[:, None]) ** 2).sum(axis=1) + self.precision * (mean - self.mu_mean) ** 2
        log = -0.5 * (np.log(2.0 * math.pi * total).sum(axis=1) + np.log(precision) + gap)
        log += 0.5 * math.log(self.precision) if self.precision > 0.0 else 0.5 * math.log(2.0 * math.pi)
        return mean, precision**-0.5, log

    def height(self, tau: FloatArray, log_marginal: float) -> FloatArray:
        """Return the posterior density at each tau, by the log marginal likelihood that makes its integral 1."""
        with np.errstate(divide="ignore", over="ignore"):
            logs = self.given(tau)[2] + self.log_prior(tau) - log_marginal
        found: FloatArray = np.exp(np.minimum(logs, LARGEST_LOG))
        return found


def _half_normal(tau: FloatArray, scale: float, _df: float) -> FloatArray:
    return 0.5 * math.log(2.0 / math.pi) - math.log(scale) - 0.5 * (tau / scale) ** 2


def _half_cauchy(tau: FloatArray, scale: float, _df: float) -> FloatArray:
    found: FloatArray = math.log(2.0 / (math.pi * scale)) - np.log1p((tau / scale) ** 2)
    return found


def _half_t(tau: FloatArray, scale: float, df: float) -> FloatArray:
    constant = math.lgamma((df + 1.0) / 2.0) - math.lgamma(df / 2.0) - 0.5 * math.log(df * math.pi)
    found: FloatArray = math.log(2.0 / scale) + constant - 0.5 * (df + 1.0) * np.log1p((tau / scale) ** 2 / df)
    return found


def _uniform(tau: FloatArray, scale: float, _df: float) -> FloatArray:
    return np.where(tau <= scale, -math.log(scale), -np.inf)


def _flat(tau: FloatArray, _scale: float, _df: float) -> FloatArray:
    return np.zeros_like(tau)


TAU_PRIORS = registry(
    Method(
        key="half-normal",
        label="half-normal",
        function=_half_normal,
        reference="Friede T, Röver C, Wandel S, Neuenschwander B. Res Synth Methods 2017;8:79-91. "
        "doi:10.1002/jrsm.1217",
        sentence="The between-study standard deviation had a half-normal prior.",
    ),
    Method(
        key="half-cauchy",
        label="half-Cauchy",
        function=_half_cauchy,
        reference="Gelman A. Bayesian Anal 2006;1:515-534. doi:10.1214/06-BA117A",
        sentence="The between-study standard deviation had a half-Cauchy prior.",
    ),
    Method(
        key="half-t",
        label="half-t",
        function=_half_t,
        reference="Gelman A. Bayesian Anal 2006;1:515-534. doi:10.1214/06-BA117A",
        sentence="The between-study standard deviation had a half-t prior.",
    ),
    Method(
        key="uniform",
        label="uniform",
        function=_uniform,
        reference="Gelman A. Bayesian Anal 2006;1:515-534. doi:10.1214/06-BA117A",
        sentence="The between-study standard deviation had a uniform prior.",
    ),
    Method(
        key="flat",
        label="flat",
        function=_flat,
        reference="Gelman A. Bayesian Anal 2006;1:515-534. doi:10.1214/06-BA117A",
        sentence="The between-study standard deviation had an improper uniform prior.",
    ),
)
