"""Random-effects models of the counts themselves: generalised linear mixed models by quadrature."""

import math
from typing import Any

import numpy as np
from scipy import special

from ipsevidence.core.effects import Cells, check_proportions, check_two_by_two
from ipsevidence.core.inputs import check_level, check_word
from ipsevidence.core.pooling import mean_interval
from ipsevidence.core.registry import Method, choose, registry
from ipsevidence.core.results import FloatArray, NotApplicable
from ipsevidence.core.results_of_counts import GlmmResult, RandomStudiesResult
from ipsevidence.core.roots import crossing
from ipsevidence.core.unconditional import Fit, fixed_studies, random_studies

NODES, NODE_WEIGHTS = np.polynomial.hermite.hermgauss(61)
LOG_WEIGHTS = np.log(NODE_WEIGHTS) + NODES**2
MODE_STEPS = (*[1.0] * 12, *0.8 ** np.arange(1.0, 20.0))
WIDEST = 35.0  # log odds beyond which a probability rounds to 0 or 1
NO_MAXIMUM = "the likelihood has no maximum"
SMALL = 1e-5  # a between-study standard deviation below this is 0: the likelihood is flat there


class _Family:
    """Studies whose log-likelihood in theta is constant + a theta - K(theta).

    Subclasses give K and its first two derivatives for theta of shape (k, m).
    """

    def __init__(self, a: FloatArray, constant: float) -> None:
        self.a, self.constant = a, constant

    def cumulants(self, theta: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return K, K' and K''."""
        raise NotImplementedError


class _Binomial(_Family):
    """Events of n trials, log odds offset + theta."""

    def __init__(self, a: FloatArray, n: FloatArray, offset: FloatArray) -> None:
        log_choose = special.gammaln(n + 1) - special.gammaln(a + 1) - special.gammaln(n - a + 1)
        super().__init__(a, float((log_choose + a * offset).sum()))
        self.n, self.offset = n[:, None], offset[:, None]

    def cumulants(self, theta: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return K, K' and K''."""
        odds = theta + self.offset
        p = special.expit(odds)
        return self.n * np.logaddexp(0.0, odds), self.n * p, self.n * p * (1.0 - p)


class _Hypergeometric(_Family):
    """Events in the first arm given all margins, log odds ratio theta."""

    def __init__(self, a: FloatArray, n1: FloatArray, n2: FloatArray, events: FloatArray) -> None:
        least, most = np.maximum(0, events - n2), np.minimum(n1, events)
        self.u = least[:, None] + np.arange(int((most - least).max()) + 1)
        inside = np.minimum(self.u, most[:, None])
        logs = _log_choose(n1[:, None], inside) + _log_choose(n2[:, None], events[:, None] - inside)
        self.log_count = np.where(self.u <= most[:, None], logs, -np.inf)
        own = _log_choose(n1, a) + _log_choose(n2, events - a)
        super().__init__(a, float(own.sum()))

    def cumulants(self, theta: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return K, K' and K''."""
        logs = self.log_count[:, None, :] + self.u[:, None, :] * theta[..., None]
        k = special.logsumexp(logs, axis=-1)
        share = np.exp(logs - k[..., None])
        mean = (share * self.u[:, None, :]).sum(axis=-1)
        return k, mean, (share * (self.u[:, None, :] - mean[..., None]) ** 2).sum(axis=-1)


def _log_choose(n: FloatArray, x: FloatArray) -> FloatArray:
    found: FloatArray = special.gammaln(n + 1) - special.gammaln(x + 1) - special.gammaln(n - x + 1)
    return found


class _Mixed:
    """The marginal likelihood of a family with normal random effects, in (mean, tau)."""

    def __init__(self, family: _Family) -> None:
        self.family = family

    def value_and_gradient(self, mean: float, tau: float) -> tuple[float, FloatArray]:
        """Return the log-likelihood and its gradient, by adaptive Gauss-Hermite quadrature."""
        a = self.family.a[:, None]
        z = np.zeros_like(a)
        # near the mode of each study's concave integrand, by Newton's method with bounded, shrinking steps
        for bound in MODE_STEPS:
            _, first, second = self.family.cumulants(mean + tau * z)
            z = z + np.clip((tau * (a - first) - z) / (1.0 + tau * tau * second), -bound, bound)
        width = np.sqrt(2.0 / (1.0 + tau * tau * self.family.cumulants(mean + tau * z)[2]))
        at = z + width * NODES
        theta = mean + tau * at
        k, first, _ = self.family.cumulants(theta)
        logs = a * theta - k - 0.5 * at * at + LOG_WEIGHTS
        own = special.logsumexp(logs, axis=1)
        share = np.exp(logs - own[:, None])
        slope = a - first
        gradient = np.array([(share * slope).sum(), (share * slope * at).sum()])
        value = float((own + np.log(width[:, 0])).sum()) - 0.5 * math.log(2.0 * math.pi) * a.size
        return value + self.family.constant, gradient

    def hessian(self, mean: float, tau: float) -> FloatArray:
        """Return the negative Hessian in (mean, tau), by central differences of the gradient."""
        steps = (1e-4, min(1e-4, 0.5 * tau) if tau > 0.0 else 0.0)
        rows = [
            (self.value_and_gradient(mean + steps[0], tau)[1] - self.value_and_gradient(mean - steps[0], tau)[1])
            / (2.0 * steps[0])
        ]
        if steps[1] > 0.0:
            up, down = (self.value_and_gradient(mean, tau + sign * steps[1])[1] for sign in (1.0, -1.0))
            rows.append((up - down) / (2.0 * steps[1]))
            found = -np.array(rows)
            return 0.5 * (found + found.T)
        return -np.array(rows)[:, :1]

    def fit(self, *, random: bool) -> tuple[float, float]:
        """Return the mean and tau at the maximum."""
        from scipy.optimize import minimize

        def objective(x: FloatArray) -> tuple[float, FloatArray]:
            value, gradient = self.value_and_gradient(float(x[0]), float(x[1]))
            return -value, -gradient

        # without random effects the likelihood is concave: its slope crosses zero once
        mean = crossing(lambda m: float(self.value_and_gradient(m, 0.0)[1][0]), -WIDEST, WIDEST)
        tau = 0.0
        if random:
            found = minimize(
                objective,
                [mean, 0.5],
                jac=True,
                method="L-BFGS-B",
                bounds=[(mean - 5.0, mean + 5.0), (0.0, 10.0)],
                options={"ftol": 1e-15, "gtol": 1e-8, "maxiter": 1000},
            )
            mean, tau = float(found.x[0]), float(found.x[1])
        tau = 0.0 if tau < SMALL else tau
        for _ in range(4):  # Newton's method from a point that is nearly there
            gradient = self.value_and_gradient(mean, tau)[1]
            move = np.linalg.solve(self.hessian(mean, tau), gradient[: 2 if tau > 0.0 else 1])
            mean += float(move[0])
            tau = max(0.0, tau + float(move[1])) if tau > 0.0 else 0.0
        return mean, tau


def _fit(family: _Family, *, random: bool) -> Fit | None:
    """Return the maximum, or None where its curvature is lost in rounding."""
    mixed = _Mixed(family)
    mean, tau = mixed.fit(random=random)
    variance = float(np.linalg.inv(mixed.hessian(mean, tau))[0, 0])
    if variance <= 0.0:
        return None
    return Fit(
        estimate=mean,
        se=math.sqrt(variance),
        tau2=tau * tau,
        log_likelihood=mixed.value_and_gradient(mean, tau)[0],
    )


def _result(fit: Fit, model: str, level: float, k: int, dropped: tuple[int, ...] = ()) -> GlmmResult:
    ci, statistic, p = mean_interval(fit.estimate, fit.se, math.nan, level)
    listed = ", ".join(str(study) for study in dropped)
    notes = (f"Left out, as nobody or everybody had the event: study {listed} (counted from 0).",) if dropped else ()
    common: dict[str, Any] = {
        "model": model,
        "estimate": fit.estimate,
        "se": fit.se,
        "ci": ci,
        "statistic": statistic,
        "p": p,
        "tau2": fit.tau2,
        "log_likelihood": fit.log_likelihood,
        "k": k,
        "dropped": dropped,
        "notes": notes,
    }
    return GlmmResult(**common) if math.isnan(fit.sigma2) else RandomStudiesResult(**common, sigma2=fit.sigma2)


def glmm_proportion(xi: Any, ni: Any, *, tau2: str = "ml", level: float = 0.95) -> GlmmResult | NotApplicable:
    """Return the logistic model of single proportions with a normal random intercept.

    Parameters
    ----------
    xi, ni : array_like of shape (k,)
        Events and participants.
    tau2 : {'ml', 'common'}
        Whether there is between-study variance.
    level : float
        Level of the interval.

    Returns
    -------
    GlmmResult or NotApplicable
        The log odds; not applicable where nobody, or everybody, had the event.

    Raises
    ------
    InputError
        If a parameter cannot be used.

    References
    ----------
    .. [1] Stijnen T, Hamza TH, Ozdemir P. Stat Med 2010;29:3046-3067. doi:10.1002/sim.4040
    """
    x, n = check_proportions(xi, ni)
    check_word("tau2", tau2, ("ml", "common"))
    level = check_level(level)
    if x.sum() == 0.0 or x.sum() == n.sum():
        return NotApplicable(reason="nobody, or everybody, had the event: the log odds are infinite")
    fit = _fit(_Binomial(x, n, np.zeros_like(x)), random=tau2 == "ml")
    return NotApplicable(reason=NO_MAXIMUM) if fit is None else _result(fit, "logit", level, x.size)


def glmm(
    ai: Any, n1i: Any, ci: Any, n2i: Any, *, model: str = "cm.el", tau2: str = "ml", level: float = 0.95
) -> GlmmResult | NotApplicable:
    """Return a random-effects model of odds ratios on the counts.

    Parameters
    ----------
    ai, n1i, ci, n2i : array_like of shape (k,)
        Events and participants of the first arm, then of the second.
    model : {'cm.el', 'cm.al', 'um.fs', 'um.rs'}
        Conditional on the margins: exact (non-central hypergeometric), or the binomial approximation for rare
        events. Unconditional, binomial in both arms: with fixed study effects, or with random study effects
        that are independent of the random treatment effect.
    tau2 : {'ml', 'common'}
        Whether there is between-study variance.
    level : float
        Level of the interval.

    Returns
    -------
    GlmmResult, RandomStudiesResult or NotApplicable
        The log odds ratio, and with ``um.rs`` the variance of the study effects; not applicable where all
        events are in one arm, or where the likelihood has no maximum. Studies in which nobody or everybody
        had the event are left out and listed.

    Raises
    ------
    InputError
        If a parameter cannot be used.

    Notes
    -----
    The integrals over the random effects are by adaptive Gauss-Hermite quadrature with 61 nodes, or 31 x 31
    where there are two. In the unconditional models the arms are coded 1/2 and -1/2, so that study effects are
    mean log odds, half the random treatment effect falls on either arm, and swapping the arms changes no more
    than the sign. Fixed study effects are as many parameters as studies: in small studies they bias the odds
    ratio away from 1 and tau2 downwards [3]_.

    References
    ----------
    .. [1] Stijnen T, Hamza TH, Ozdemir P. Stat Med 2010;29:3046-3067. doi:10.1002/sim.4040
    .. [2] Van Houwelingen HC, Zwinderman KH, Stijnen T. Stat Med 1993;12:2273-2284.
       doi:10.1002/sim.4780122405
    .. [3] Jackson D, Law M, Stijnen T, Viechtbauer W, White IR. A comparison of seven random-effects models for
       meta-analyses that estimate the summary odds ratio. Stat Med 2018;37:1059-1085. doi:10.1002/sim.7588
    """
    chosen = choose("model", model, GLMM_MODELS)
    check_word("tau2", tau2, ("ml", "common"))
    level = check_level(level)
    a, b, c, d = check_two_by_two(ai, n1i, ci, n2i)
    counted = (a + c > 0) & (b + d > 0)
    dropped = tuple(int(study) for study in np.flatnonzero(~counted))
    a, b, c, d = (cell[counted] for cell in (a, b, c, d))
    least, most = np.maximum(0, c + a - (c + d)), np.minimum(a + b, a + c)
    if a.size == 0 or (a == least).all() or (a == most).all():
        return NotApplicable(reason="every study lies at the edge of its margins: the odds ratio is 0 or infinite")
    fit: Fit | None = chosen.function(Cells(a, b, c, d), random=tau2 == "ml")
    if fit is None:
        return NotApplicable(reason=NO_MAXIMUM)
    return _result(fit, model, level, a.size, dropped)


def _exact(cells: Cells, *, random: bool) -> Fit | None:
    a, b, c, d = cells
    return _fit(_Hypergeometric(a, a + b, c + d, a + c), random=random)


def _approximate(cells: Cells, *, random: bool) -> Fit | None:
    a, b, c, d = cells
    return _fit(_Binomial(a, a + c, np.log((a + b) / (c + d))), random=random)


GLMM_MODELS = registry(
    Method(
        key="cm.el",
        label="conditional, exact likelihood",
        function=_exact,
        reference="Van Houwelingen HC, Zwinderman KH, Stijnen T. Stat Med 1993;12:2273-2284. "
        "doi:10.1002/sim.4780122405",
        sentence="Odds ratios were pooled by the hypergeometric-normal model.",
    ),
    Method(
        key="cm.al",
        label="conditional, approximate likelihood",
        function=_approximate,
        reference="Stijnen T, Hamza TH, Ozdemir P. Stat Med 2010;29:3046-3067. doi:10.1002/sim.4040",
        sentence="Odds ratios were pooled by the conditional binomial-normal model.",
    ),
    Method(
        key="um.fs",
        label="unconditional, fixed study effects",
        function=fixed_studies,
        reference="Turner RM, Omar RZ, Yang M, Goldstein H, Thompson SG. Stat Med 2000;19:3417-3432. "
        "doi:10.1002/1097-0258(20001230)19:24<3417::AID-SIM614>3.0.CO;2-L",
        sentence="Odds ratios were pooled by a logistic mixed model with fixed study effects.",
    ),
    Method(
        key="um.rs",
        label="unconditional, random study effects",
        function=random_studies,
        reference="Turner RM, Omar RZ, Yang M, Goldstein H, Thompson SG. Stat Med 2000;19:3417-3432. "
        "doi:10.1002/1097-0258(20001230)19:24<3417::AID-SIM614>3.0.CO;2-L",
        sentence="Odds ratios were pooled by a logistic mixed model with random study effects.",
    ),
)
