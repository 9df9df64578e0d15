"""The normal-normal random-effects model with priors, by quadrature: no simulation."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special

from ipsevidence.core.bayes_model import LARGEST_LOG, TAU_PRIORS, BayesSettings, NormalModel
from ipsevidence.core.inputs import check_effects, check_level, check_number
from ipsevidence.core.registry import choose
from ipsevidence.core.results import FloatArray, Interval, NotApplicable, frozen_array
from ipsevidence.core.results_of_meaning import BayesResult
from ipsevidence.core.roots import crossing
from ipsevidence.core.tau2 import root_of_q
from ipsevidence.core.weighting import MeanModel

PANEL_COUNT, REACH = 80, 4.0  # exp(pi/2 sinh 4) is 4e18 units: beyond lies nothing
NODES, NODE_WEIGHTS = np.polynomial.legendre.leggauss(8)
FARTHEST = 1e10  # the ratio of the scales of prior and data beyond which the panels are too wide
NEGLIGIBLE = 1e-17  # share of the posterior below which a node is not kept


def bayes(
    y: Any,
    v: Any,
    *,
    tau_prior: str = "half-normal",
    scale: float = 0.5,
    df: float = 4.0,
    mu_mean: float = 0.0,
    mu_sd: float | None = None,
    level: float = 0.95,
) -> BayesResult | NotApplicable:
    """Return the posterior of the normal-normal random-effects model.

    Parameters
    ----------
    y, v : array_like of shape (k,)
        Effects and sampling variances.
    tau_prior : {'half-normal', 'half-cauchy', 'half-t', 'uniform', 'flat'}
        Prior of the between-study standard deviation; ``flat`` is uniform on all positive numbers.
    scale : float
        Scale of the prior, in units of y: its upper end for ``uniform``; without meaning for ``flat``.
    df : float
        Degrees of freedom of ``half-t``.
    mu_mean, mu_sd : float
        Mean and standard deviation of the normal prior of the pooled effect; flat where no `mu_sd` is given.
    level : float
        Level of the intervals, between 0 and 1.

    Returns
    -------
    BayesResult or NotApplicable
        Not applicable where a flat prior of tau leaves no posterior, with fewer than three studies, or where the
        scales of a prior and of the data are more than 1e10 apart.

    Raises
    ------
    InputError
        If a parameter cannot be used.

    Notes
    -----
    Given tau, the pooled effect is normal; tau is integrated over with Gauss-Legendre panels on a doubly
    exponential scale, to about 12 digits. 0.5 is a common scale for logarithms of ratios.

    Bayes factors compare the model with tau = 0, and with a pooled effect of 0, against itself, above 1 in
    favour of these; they need proper priors (bf_tau of tau, bf_mu of both). Mean and standard deviation of
    the effect are nan where heavy tails leave none.

    References
    ----------
    .. [1] Röver C. Bayesian random-effects meta-analysis using the bayesmeta R package. J Stat Softw
       2020;93(6):1-51. doi:10.18637/jss.v093.i06
    .. [2] Friede T, Röver C, Wandel S, Neuenschwander B. Meta-analysis of few small studies in orphan
       diseases. Res Synth Methods 2017;8:79-91. doi:10.1002/jrsm.1217
    """
    y, v = check_effects(y, v)
    level = check_level(level)
    chosen = choose("tau_prior", tau_prior, TAU_PRIORS)
    scale, df = check_number("scale", scale, above=1e-100, below=1e100), check_number("df", df, above=0.0, below=1e6)
    mu_mean = check_number("mu_mean", mu_mean, least=-1e60, below=1e60)
    sd0 = math.inf if mu_sd is None else check_number("mu_sd", mu_sd, above=1e-100, below=1e100)
    if chosen.key == "flat" and y.size < 3:
        return NotApplicable(reason="a flat prior of tau has no posterior with fewer than three studies")
    given = None if mu_sd is None else sd0
    settings = BayesSettings(tau_prior=chosen.key, scale=scale, df=df, mu_mean=mu_mean, mu_sd=given)
    posterior = _Posterior(y, v, settings)
    for value in (scale, sd0):
        if value < math.inf and not 1.0 / FARTHEST <= value / posterior.unit <= FARTHEST:
            return NotApplicable(reason=f"the prior ({value:g}) and the data are of different orders of magnitude")
    words = f"tau {chosen.label}" + ("" if chosen.key == "flat" else f" ({scale:g})")
    words += ", mean flat" if mu_sd is None else f", mean normal ({mu_mean:g}, {sd0:g})"
    tail = {"half-cauchy": 2.0, "half-t": df + 1.0, "flat": 0.0}.get(chosen.key, math.inf)
    # with a flat prior the effect's moments of order r exist where tau^(r - k + 1 - tail) can be integrated
    moments = math.inf if mu_sd is not None else y.size - 2.0 + tail
    return _summary(posterior, level, words, proper=chosen.key != "flat", moments=moments)


class _Posterior(NormalModel):
    """The posterior as a mixture of normals over tau."""

    def __init__(self, y: FloatArray, v: FloatArray, settings: BayesSettings) -> None:
        super().__init__(y, v, settings)
        limit = settings.scale if settings.tau_prior == "uniform" else math.inf
        model = MeanModel(y, v)
        spread = root_of_q(model, float(model.df)) if y.size > 1 else 0.0
        self.unit = math.sqrt((spread + y.size / float((1.0 / model.v).sum())) * model.scale)
        # a prior that ends somewhere ends at the edge of a panel
        last = REACH if limit == math.inf else min(REACH, math.asinh(2.0 / math.pi * math.log(limit / self.unit)))
        self.panels = np.linspace(min(-REACH, last - 1.0), last, PANEL_COUNT + 1)
        half = 0.5 * np.diff(self.panels)[:, None]
        nodes = (self.panels[:-1, None] + half * (1.0 + NODES)).ravel()
        size = (half * NODE_WEIGHTS).ravel()
        self.nodes, self.size = nodes, size
        logs = self._log_integrand(nodes)
        self.peak = float(logs.max())
        mass = size * np.exp(logs - self.peak)
        self.total = float(mass.sum())
        self.cumulated = np.concatenate([[0.0], mass.reshape(-1, NODES.size).sum(axis=1).cumsum()]) / self.total
        share = mass / self.total
        kept = share > NEGLIGIBLE
        self.tau, self.weight = self._tau(nodes)[kept], share[kept]
        self.mean, self.sd, _ = self.given(self.tau)

    def _tau(self, u: FloatArray) -> FloatArray:
        tau: FloatArray = self.unit * np.exp(0.5 * math.pi * np.sinh(u))
        return tau

    def _log_integrand(self, u: FloatArray) -> FloatArray:
        tau = self._tau(u)
        with np.errstate(divide="ignore", over="ignore"):
            logs: FloatArray = self.given(tau)[2] + self.log_prior(tau) + np.log(tau * np.cosh(u))
        return logs

    @property
    def log_marginal(self) -> float:
        """The log marginal likelihood of the model (under proper priors)."""
        return self.peak + math.log(self.total * 0.5 * math.pi)

    def log_marginal_without_tau(self) -> float:
        """Return the log marginal likelihood at tau = 0."""
        return float(self.given(np.zeros(1))[2][0])

    def log_marginal_without_mu(self) -> float:
        """Return the log marginal likelihood at a pooled effect of 0."""
        tau = self._tau(self.nodes)
        total = self.v + tau[:, None] ** 2
        with np.errstate(divide="ignore", over="ignore"):
            logs = self.log_prior(tau) + np.log(tau * np.cosh(self.nodes))
        logs = logs - 0.5 * (np.log(2.0 * math.pi * total) + (self.y + self.origin) ** 2 / total).sum(axis=1)
        return float(special.logsumexp(logs, b=self.size)) + math.log(0.5 * math.pi)

    def tau_cdf(self, tau: float) -> float:
        """Return the posterior probability that tau is at most this."""
        u = math.asinh(2.0 / math.pi * math.log(tau / self.unit)) if tau > 0.0 else -math.inf
        if u <= self.panels[0]:
            return 0.0
        if u >= self.panels[-1]:
            return 1.0
        panel = int(np.searchsorted(self.panels, u, side="right")) - 1
        half = 0.5 * (u - self.panels[panel])
        logs = self._log_integrand(self.panels[panel] + half * (1.0 + NODES))
        return float(self.cumulated[panel] + half * (NODE_WEIGHTS @ np.exp(logs - self.peak)) / self.total)

    def tau_quantile(self, p: float) -> float:
        """Return the posterior quantile of tau."""
        if p <= 0.0 or p >= 1.0:
            return 0.0 if p <= 0.0 else float(self._tau(self.panels[-1]))
        low, high = (float(self._tau(np.array(u))) for u in (self.panels[0], self.panels[-1]))
        log_tau = crossing(lambda t: self.tau_cdf(math.exp(t)) - p, math.log(low), math.log(high))
        return math.exp(log_tau)

    def tau_density(self, tau: float) -> float:
        """Return the posterior density of tau."""
        return float(self.height(np.array([tau]), self.log_marginal)[0])


def _quantile(weight: FloatArray, mean: FloatArray, sd: FloatArray, p: float) -> float:
    """Return a quantile of a mixture of normals."""
    z = float(special.ndtri(p))
    ends = mean + sd * z
    low, high = float(ends.min()), float(ends.max())
    if low == high:
        return low
    return crossing(lambda x: float(weight @ special.ndtr((x - mean) / sd)) - p, low, high)


def _shortest(
    quantile: Callable[[float], float], density: Callable[[float], float], level: float
) -> tuple[float, float]:
    """Return the shortest interval of a distribution with one mode: its ends have equal density."""
    edge = 1e-9 * (1.0 - level)

    def tilt(p: float) -> float:
        return density(quantile(p)) - density(quantile(p + level))

    first, last = edge, (1.0 - level) * (1.0 - 1e-9)
    if tilt(first) >= 0.0:  # the density falls from the start
        return quantile(0.0), quantile(level)
    if tilt(last) <= 0.0:  # it still rises where a prior ends
        return quantile(1.0 - level), quantile(1.0)
    p = crossing(tilt, first, last)
    return quantile(p), quantile(p + level)


def _summary(posterior: _Posterior, level: float, words: str, *, proper: bool, moments: float) -> BayesResult:
    weight, mean, sd = posterior.weight, posterior.mean, posterior.sd
    tail = (1.0 - level) / 2.0

    def mu_quantile(p: float) -> float:
        return _quantile(weight, mean, sd, p)

    def mu_density(x: float) -> float:
        return float((weight / sd) @ np.exp(-0.5 * ((x - mean) / sd) ** 2))

    def interval(ends: tuple[float, float], origin: float = 0.0) -> Interval:
        return Interval(low=origin + ends[0], high=origin + ends[1], level=level)

    origin = posterior.origin

    average = float(weight @ mean)
    tau2 = posterior.tau[:, None] ** 2
    share = tau2 / (tau2 + posterior.v)  # of a study's own effect in its shrunk one
    own = share * posterior.y + (1.0 - share) * mean[:, None]
    own_sd = np.sqrt(share * posterior.v + (1.0 - share) ** 2 * sd[:, None] ** 2)
    shrunk = weight @ own
    ends = [
        [_quantile(weight, own[:, i], own_sd[:, i], p) for i in range(posterior.y.size)] for p in (tail, 1.0 - tail)
    ]
    wide = np.sqrt(sd**2 + posterior.tau**2)
    both = proper and posterior.precision > 0.0

    def factor(log_marginal: float) -> float:
        return math.exp(min(log_marginal - posterior.log_marginal, LARGEST_LOG))

    without_tau = factor(posterior.log_marginal_without_tau()) if proper else math.nan
    without_mu = factor(posterior.log_marginal_without_mu()) if both else math.nan
    return BayesResult(
        mean=origin + average if moments > 1.0 else math.nan,
        sd=math.sqrt(float(weight @ (sd**2 + (mean - average) ** 2))) if moments > 2.0 else math.nan,
        median=origin + mu_quantile(0.5),
        ci=interval(_shortest(mu_quantile, mu_density, level), origin),
        ci_central=interval((mu_quantile(tail), mu_quantile(1.0 - tail)), origin),
        tau_median=posterior.tau_quantile(0.5),
        tau_ci=interval(_shortest(posterior.tau_quantile, posterior.tau_density, level)),
        tau_ci_central=interval((posterior.tau_quantile(tail), posterior.tau_quantile(1.0 - tail))),
        prediction=interval((_quantile(weight, mean, wide, tail), _quantile(weight, mean, wide, 1.0 - tail)), origin),
        below_zero=float(weight @ special.ndtr(-(origin + mean) / sd)),
        shrunk=frozen_array(origin + shrunk),
        shrunk_sd=frozen_array(np.sqrt(weight @ (own_sd**2 + (own - shrunk) ** 2))),
        shrunk_low=frozen_array(origin + np.array(ends[0])),
        shrunk_high=frozen_array(origin + np.array(ends[1])),
        bf_tau=without_tau,
        bf_mu=without_mu,
        tau=frozen_array(posterior.tau),
        weight=frozen_array(weight),
        conditional_mean=frozen_array(origin + mean),
        conditional_sd=frozen_array(sd),
        log_marginal=posterior.log_marginal,
        k=posterior.y.size,
        y=frozen_array(posterior.observed),
        v=frozen_array(posterior.v),
        settings=posterior.settings,
        prior=words,
    )
