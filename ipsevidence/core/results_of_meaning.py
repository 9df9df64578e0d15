"""Posteriors, and what a pooled effect means in practice, as results."""

import dataclasses
import math
from typing import Any, ClassVar

import numpy as np

from ipsevidence.core.bayes_model import BayesSettings, NormalModel
from ipsevidence.core.results import (
    FloatArray,
    Interval,
    PooledResult,
    Result,
    number,
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BayesResult(Result):
    """The posterior of the normal-normal random-effects model.

    Attributes
    ----------
    mean, sd, median : float
        Posterior of the pooled effect; mean or sd nan where the posterior has none.
    ci, ci_central : Interval
        Its shortest and its central credible interval.
    tau_median : float
        Posterior median of the between-study standard deviation.
    tau_ci, tau_ci_central : Interval
        Its shortest and its central credible interval.
    prediction : Interval
        Central interval for the effect in a new study.
    below_zero : float
        Posterior probability that the pooled effect is below 0.
    shrunk, shrunk_sd, shrunk_low, shrunk_high : ndarray of shape (k,)
        Posterior means of the studies' own effects, standard deviations, central intervals.
    bf_tau, bf_mu : float
        Bayes factors of tau = 0 and of a pooled effect of 0 against the model; nan under improper priors.
    tau, weight, conditional_mean, conditional_sd : ndarray of shape (m,)
        The posterior as a mixture of normals over tau, for drawing.
    log_marginal : float
        Logarithm of the marginal likelihood; up to a constant under improper priors.
    k : int
        Number of studies.
    y, v : ndarray of shape (k,)
        Their effects and variances, as given.
    settings : BayesSettings
        The priors.
    prior : str
        The priors, in words.
    notes : tuple of str
        Cautions.
    """

    columns: ClassVar[tuple[str, ...]] = ("quantity", "value", "low", "high")
    mean: float
    sd: float
    median: float
    ci: Interval
    ci_central: Interval
    tau_median: float
    tau_ci: Interval
    tau_ci_central: Interval
    prediction: Interval
    below_zero: float
    shrunk: FloatArray
    shrunk_sd: FloatArray
    shrunk_low: FloatArray
    shrunk_high: FloatArray
    bf_tau: float
    bf_mu: float
    tau: FloatArray
    weight: FloatArray
    conditional_mean: FloatArray
    conditional_sd: FloatArray
    log_marginal: float
    k: int
    y: FloatArray
    v: FloatArray
    settings: BayesSettings
    prior: str
    notes: tuple[str, ...] = ()

    def to_rows(self) -> list[tuple[Any, ...]]:
        """Return one row each for the effect, tau and the prediction."""
        return [
            ("estimate", self.median, self.ci.low, self.ci.high),
            ("tau", self.tau_median, self.tau_ci.low, self.tau_ci.high),
            ("prediction", self.median, self.prediction.low, self.prediction.high),
        ]

    def density(self, mu: Any) -> FloatArray:
        """Return the posterior density of the pooled effect at each of `mu`, shape (n,)."""
        z = (np.asarray(mu, dtype=float)[..., None] - self.conditional_mean) / self.conditional_sd
        found: FloatArray = (self.weight * np.exp(-0.5 * z * z) / self.conditional_sd).sum(axis=-1)
        return found / math.sqrt(2.0 * math.pi)

    def tau_density(self, tau: Any) -> FloatArray:
        """Return the posterior density of the between-study standard deviation at each of `tau`; 0 below 0."""
        at = np.asarray(tau, dtype=float)
        model = NormalModel(self.y, self.v, self.settings)
        found = model.height(np.abs(at).ravel(), self.log_marginal).reshape(at.shape)
        return np.where(at < 0.0, 0.0, found)

    def __str__(self) -> str:
        level = f"{100 * self.ci.level:g}%"
        lines = [
            f"{self.k} {'study' if self.k == 1 else 'studies'}, Bayesian random effects, {self.prior}",
            "",
            f"  estimate    {number(self.median)}   {level} shortest interval {self.ci}",
            f"  tau         {number(self.tau_median)}   {level} shortest interval {self.tau_ci}",
            f"  prediction  {self.prediction}",
        ]
        return "\n".join(lines + [f"  note: {note}" for note in self.notes])


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SmallKResult(Result):
    """What may be shown for a given number of studies.

    Attributes
    ----------
    k : int
        Number of studies.
    shown : {'study', 'common', 'hksj-adhoc', 'hksj'}
        What the headline is.
    headline : PooledResult
        The pool to show; for two studies the common effect, which is a line and not a diamond.
    bayes : BayesResult or None
        The Bayesian estimate to show beside it, for two to four studies.
    diamond : bool
        Whether a random-effects diamond may be drawn.
    prediction : Interval
        The prediction interval to show; without bounds below five studies.
    notes : tuple of str
        What must be said.
    """

    columns: ClassVar[tuple[str, ...]] = ("quantity", "value", "low", "high")
    k: int
    shown: str
    headline: PooledResult
    bayes: BayesResult | None
    diamond: bool
    prediction: Interval
    notes: tuple[str, ...] = ()

    def to_rows(self) -> list[tuple[Any, ...]]:
        """Return one row each for headline, Bayesian estimate and prediction."""
        rows = [(self.shown, self.headline.estimate, self.headline.ci.low, self.headline.ci.high)]
        if self.bayes is not None:
            rows.append(("bayes", self.bayes.median, self.bayes.ci.low, self.bayes.ci.high))
        return [*rows, ("prediction", self.headline.estimate, self.prediction.low, self.prediction.high)]

    def __str__(self) -> str:
        lines = [
            f"{name}: {number(value)} ({number(low)} to {number(high)})" for name, value, low, high in self.to_rows()
        ]
        return "\n".join(lines + [f"  note: {note}" for note in self.notes])


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class AbsoluteEffect(Result):
    """What a relative effect means at one baseline risk.

    Attributes
    ----------
    baseline : float
        Risk without the intervention, between 0 and 1.
    risk, difference : float
        Risk with it, and the difference; risks are kept between 0 and 1.
    risk_ci, difference_ci : Interval
        Their intervals.
    nnt : float
        1 over the size of the difference; infinite where that is 0.
    nnt_text : str
        The number needed to treat with its interval, in the notation for benefit and harm; empty where the
        interval of the difference holds 0 and the notation is not asked for.
    notes : tuple of str
        Cautions.
    """

    columns: ClassVar[tuple[str, ...]] = ("quantity", "value", "low", "high")
    baseline: float
    risk: float
    risk_ci: Interval
    difference: float
    difference_ci: Interval
    nnt: float
    nnt_text: str
    notes: tuple[str, ...] = ()

    def to_rows(self) -> list[tuple[Any, ...]]:
        """Return one row each for risk and difference."""
        return [
            ("risk", self.risk, self.risk_ci.low, self.risk_ci.high),
            ("difference", self.difference, self.difference_ci.low, self.difference_ci.high),
        ]

    def __str__(self) -> str:
        gap = self.difference_ci
        line = (
            f"per 100 at a baseline of {100 * self.baseline:.0f}: {100 * self.difference:+.1f} "
            f"({100 * gap.low:+.1f} to {100 * gap.high:+.1f}); {self.nnt_text}"
        )
        return "\n".join([line, *(f"  note: {note}" for note in self.notes)])


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ProportionBeyond(Result):
    """Share of true effects beyond a threshold.

    Attributes
    ----------
    threshold : float
        On the pooled scale.
    tail : {'above', 'below'}
        Which side.
    share : float
        Estimated share, between 0 and 1.
    ci : Interval
        Bootstrap interval.
    calibrated : ndarray of shape (k,)
        The calibrated effects the share is counted from.
    notes : tuple of str
        Cautions.
    """

    columns: ClassVar[tuple[str, ...]] = ("quantity", "value", "low", "high")
    threshold: float
    tail: str
    share: float
    ci: Interval
    calibrated: FloatArray
    notes: tuple[str, ...] = ()

    def to_rows(self) -> list[tuple[Any, ...]]:
        """Return one row."""
        return [(f"share {self.tail} {self.threshold:g}", self.share, self.ci.low, self.ci.high)]

    def __str__(self) -> str:
        lines = [f"{100 * self.share:.0f}% of true effects {self.tail} {self.threshold:g} ({self.ci})"]
        return "\n".join(lines + [f"  note: {note}" for note in self.notes])


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class EValue(Result):
    """How strongly an unmeasured confounder would have to be associated to explain an effect away.

    Attributes
    ----------
    estimate, ci : float
        E-value of the estimate, and of the bound of its interval nearer to no effect (1 where it holds it).
    """

    columns: ClassVar[tuple[str, ...]] = ("quantity", "value")
    estimate: float
    ci: float

    def to_rows(self) -> list[tuple[Any, ...]]:
        """Return one row each for the estimate and the interval."""
        return [("estimate", self.estimate), ("interval", self.ci)]

    def __str__(self) -> str:
        return f"E-value {number(self.estimate, 2)} (interval: {number(self.ci, 2)})"
