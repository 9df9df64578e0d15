"""What the p-values of the studies say of studies that are missing: three ways to look, none of them a correction."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import special

from ipsevidence.core.heterogeneity import chi2_tail
from ipsevidence.core.inputs import InputError, check_effects, check_level, check_number, check_word
from ipsevidence.core.pooling import pool, quantile
from ipsevidence.core.results import FloatArray, Interval, NotApplicable, TestResult, frozen_array
from ipsevidence.core.results_of_sensitivity import ExcessSignificance, SelectionResult
from ipsevidence.core.small_study import few_studies

VARY = "The effects vary by more than chance: the excess may be heterogeneity."


def excess_significance(
    y: Any,
    v: Any,
    *,
    alternative: str = "two-sided",
    alpha: float = 0.05,
    effect: float | None = None,
    tau2: float = 0.0,
) -> ExcessSignificance | NotApplicable:
    """Return whether more studies are significant than their power leads to expect.

    Parameters
    ----------
    y, v : array_like of shape (k,)
        Effects and sampling variances.
    alternative : {'two-sided', 'greater', 'less'}
        The test that the studies made of their own effects.
    alpha : float
        Its level.
    effect : float, optional
        The true effect at which power is reckoned; the common effect of the studies unless given.
    tau2 : float
        Variance of the true effects around it.

    Returns
    -------
    ExcessSignificance or NotApplicable
        Not applicable to a single study, and where the power of every study rounds to 0, or to 1.

    Raises
    ------
    InputError
        If a parameter cannot be used.

    Notes
    -----
    The one-sided p-value is the probability of at least as many significant studies, from the exact
    distribution of their number; beside it stand the binomial one with the mean power, and the chi-square one
    of the authors. Heterogeneity makes studies significant, too: with an effect that varies the test without
    its tau2 finds an excess where there is none.

    References
    ----------
    .. [1] Ioannidis JPA, Trikalinos TA. An exploratory test for an excess of significant findings. Clin Trials
       2007;4:245-253. doi:10.1177/1740774507079441
    """
    y, v = check_effects(y, v)
    check_word("alternative", alternative, ("two-sided", "greater", "less"))
    alpha = check_number("alpha", alpha, above=0.0, below=1.0)
    tau2 = check_number("tau2", tau2, least=0.0)
    if y.size == 1:
        return NotApplicable(reason="one study has no number of significant studies to compare")
    common = pool(y, v, tau2="common", interval="wald", prediction="none")
    effect = common.estimate if effect is None else check_number("effect", effect)
    se, sd = np.sqrt(v), np.sqrt(v + tau2)
    limit = -float(special.ndtri(alpha / 2.0 if alternative == "two-sided" else alpha))
    turns = {"two-sided": (1.0, -1.0), "greater": (1.0,), "less": (-1.0,)}[alternative]
    power = sum((special.ndtr((turn * effect - limit * se) / sd) for turn in turns), np.zeros(y.size))
    observed = int(sum((turn * y / se > limit).sum() for turn in turns))
    expected = float(power.sum())
    rest = float((1.0 - power).sum())
    if min(expected, rest) <= 0.0:
        return NotApplicable(reason="the power of every study rounds to 0, or to 1")
    gap = observed - expected
    deviate = gap / math.sqrt(expected) * math.sqrt(y.size / rest)
    return ExcessSignificance(
        observed=observed,
        expected=expected,
        p=float(_number_of_successes(power)[observed:].sum()),
        p_binomial=float(special.betainc(observed, y.size - observed + 1, expected / y.size)) if observed else 1.0,
        p_chi2=float(special.ndtr(-deviate)),
        chi2=deviate * deviate,
        effect=effect,
        power=frozen_array(power),
        k=y.size,
        notes=(VARY,) if tau2 == 0.0 and common.q_p < 0.1 else (),
    )


def _number_of_successes(chances: FloatArray) -> FloatArray:
    """Return the distribution of the number of successes in independent trials, shape (k + 1,)."""
    found = np.ones(1)
    for chance in chances.tolist():
        found = np.convolve(found, [1.0 - chance, chance])
    return found


def fail_safe_n(
    y: Any, v: Any, *, method: str = "rosenthal", alpha: float = 0.05, target: float | None = None
) -> float:
    """Return how many studies without effect would undo a finding.

    Parameters
    ----------
    y, v : array_like of shape (k,)
        Effects and sampling variances.
    method : {'rosenthal', 'rosenberg', 'orwin', 'orwin-weighted'}
        Stouffer's test; the common-effect test with average weights; the unweighted mean brought to `target`; the
        common-effect mean brought there by studies of average weight.
    alpha : float
        One-sided level of rosenthal, two-sided of rosenberg; the others have none.
    target : float, optional
        For orwin and orwin-weighted: the mean that would no longer matter; half the observed mean unless given.

    Returns
    -------
    float
        A whole number, 0 where the finding does not reach the level, infinite for a target of 0.

    Raises
    ------
    InputError
        If a parameter cannot be used.

    Notes
    -----
    Kept for comparison with older reviews; it says nothing about whether studies are missing.

    References
    ----------
    .. [1] Rosenthal R. Psychol Bull 1979;86:638-641. doi:10.1037/0033-2909.86.3.638
    .. [2] Rosenberg MS. Evolution 2005;59:464-468. doi:10.1111/j.0014-3820.2005.tb01004.x
    .. [3] Orwin RG. J Educ Stat 1983;8:157-159. doi:10.3102/10769986008002157
    """
    y, v = check_effects(y, v)
    check_word("method", method, ("rosenthal", "rosenberg", "orwin", "orwin-weighted"))
    alpha = check_number("alpha", alpha, above=0.0, below=1.0)
    k = y.size
    if method == "rosenthal":
        z = -float(special.ndtri(alpha))
        found = (float((y / np.sqrt(v)).sum()) / z) ** 2 - k
    elif method == "rosenberg":
        z = -float(special.ndtri(alpha / 2.0))
        w = 1.0 / v
        found = (float(w @ y) ** 2 / z**2 - float(w.sum())) * k / float(w.sum())
    else:
        mean = abs(float(np.average(y, weights=1.0 / v if method == "orwin-weighted" else None)))
        goal = abs(check_number("target", mean / 2.0 if target is None else target))
        found = 0.0 if mean <= goal else k * (mean - goal) / goal if goal > 0.0 else math.inf
    return float(max(0, math.ceil(found))) if math.isfinite(found) else found


def selection_model(
    y: Any,
    v: Any,
    *,
    steps: Sequence[float] = (0.025,),
    alternative: str = "greater",
    tau2: str = "ml",
    level: float = 0.95,
) -> SelectionResult | NotApplicable:
    """Return a step-function selection model, fitted by maximum likelihood.

    Parameters
    ----------
    y, v : array_like of shape (k,)
        Effects and sampling variances.
    steps : sequence of float
        Where the probability of selection changes: one-sided p-values between 0 and 1, rising. One step is
        the three-parameter model.
    alternative : {'greater', 'less'}
        The direction in which small p-values lie.
    tau2 : {'ml', 'common'}
        Whether there is between-study variance.
    level : float
        Level of the interval.

    Returns
    -------
    SelectionResult or NotApplicable
        Not applicable where an interval of p-values holds no study, or the likelihood has no maximum.

    Raises
    ------
    InputError
        If a parameter cannot be used.

    Notes
    -----
    A sensitivity analysis that takes the selection for the only cause of asymmetry, not a corrected effect.
    Standard errors come from the observed information; where tau2 is 0 it is held there.

    References
    ----------
    .. [1] Vevea JL, Hedges LV. Psychometrika 1995;60:419-435. doi:10.1007/BF02294384
    """
    y, v = check_effects(y, v)
    check_word("alternative", alternative, ("greater", "less"))
    check_word("tau2", tau2, ("ml", "common"))
    level = check_level(level)
    cuts = _check_steps(steps)
    turn = 1.0 if alternative == "greater" else -1.0
    p = special.ndtr(-turn * y / np.sqrt(v))
    group = np.searchsorted(cuts, p, side="left")
    counts = np.bincount(group, minlength=cuts.size + 1)
    if counts.min() == 0:
        empty = int(np.argmin(counts))
        return NotApplicable(reason=f"no study has its p-value in interval {empty + 1} of {counts.size}")
    unit = float(np.sqrt(np.median(v)))
    model = _Selection(turn * y / unit, v / unit**2, special.ndtri(1.0 - cuts), group, random=tau2 == "ml")
    fitted = _with_curvature(model)
    if fitted is None:
        return NotApplicable(reason="the likelihood has no maximum with a curvature")
    theta, inverse = fitted
    value = model.log_likelihood(theta)
    plain = model.without_selection()
    free = model.free(theta)
    variance = np.full(theta.size, np.nan)
    variance[free] = np.diag(inverse)
    estimate, se = turn * unit * theta[0], unit * math.sqrt(variance[0])
    reach = quantile(level, math.nan) * se
    delta = np.exp(theta[2:])
    statistic = max(0.0, 2.0 * (value - plain))
    return SelectionResult(
        estimate=float(estimate),
        se=se,
        ci=Interval(low=float(estimate - reach), high=float(estimate + reach), level=level),
        tau2=float(theta[1]) * unit**2,
        steps=frozen_array([*cuts, 1.0]),
        delta=frozen_array([1.0, *delta]),
        delta_se=frozen_array([np.nan, *(delta * np.sqrt(variance[2:]))]),
        counts=counts,
        log_likelihood=value - y.size * math.log(unit),
        test=TestResult(
            name="likelihood ratio",
            null="no selection",
            distribution="chi2",
            statistic=statistic,
            df=float(cuts.size),
            p=chi2_tail(statistic, cuts.size),
        ),
        notes=("Asymmetry can have other causes than selection.", *few_studies(y.size)),
    )


def _with_curvature(model: "_Selection") -> tuple[FloatArray, FloatArray] | None:
    """Return the maximum and the covariance of what is free there, or None where the likelihood is flat."""
    theta, hessian = model.fit()
    free = model.free(theta)
    part = hessian[np.ix_(free, free)]
    if np.linalg.eigvalsh(part)[0] <= 0.0:
        return None
    return theta, np.asarray(np.linalg.inv(part), dtype=np.float64)


def _check_steps(steps: Sequence[float]) -> FloatArray:
    try:
        cuts = np.asarray(steps, dtype=float)
    except (TypeError, ValueError):
        raise InputError(f"steps must be rising numbers between 0 and 1; got {steps!r}", parameter="steps") from None
    cuts = cuts[cuts < 1.0] if cuts.ndim == 1 else cuts
    if cuts.ndim != 1 or cuts.size == 0 or cuts.min() <= 0.0 or (np.diff(cuts) <= 0.0).any():
        raise InputError(f"steps must be rising numbers between 0 and 1; got {steps!r}", parameter="steps")
    return cuts


class _Selection:
    """The likelihood of a step-function selection model in theta = (mean, tau2, log delta_2, ...)."""

    def __init__(self, y: FloatArray, v: FloatArray, quantiles: FloatArray, group: Any, *, random: bool) -> None:
        self.y, self.v, self.group, self.random = y, v, group, random
        self.limits = np.sqrt(v)[:, None] * quantiles

    def log_likelihood(self, theta: Any) -> Any:
        """Return the log-likelihood; complex theta give its derivative by the complex step."""
        total = self.v + theta[1]
        sd = np.sqrt(total)
        above = special.ndtr((theta[0] - self.limits) / sd[:, None])
        edge = np.zeros((self.y.size, 1))
        shares = np.diff(np.concatenate([edge, above, edge + 1.0], axis=1), axis=1)
        log_delta = np.concatenate([[0.0], theta[2:]])
        normal = -0.5 * np.log(2.0 * math.pi * total) - 0.5 * (self.y - theta[0]) ** 2 / total
        value = (log_delta[self.group] + normal - np.log(shares @ np.exp(log_delta))).sum()
        return value if np.iscomplexobj(theta) else float(value)

    def gradient(self, theta: FloatArray) -> FloatArray:
        """Return the gradient, exact to rounding."""
        step = 1e-30
        moved = theta + 1j * step * np.eye(theta.size)
        return np.array([self.log_likelihood(row).imag / step for row in moved])

    def hessian(self, theta: FloatArray) -> FloatArray:
        """Return the negative Hessian, by central differences of the exact gradient."""
        step = 1e-5 * np.maximum(1.0, np.abs(theta))
        step[1] = min(step[1], theta[1]) if theta[1] > 0.0 else 0.0
        rows = [
            (self.gradient(theta + move) - self.gradient(theta - move)) / (2.0 * h) if h > 0.0 else 0.0 * theta
            for h, move in zip(step, np.diag(step), strict=True)
        ]
        found = -np.array(rows)
        symmetric: FloatArray = 0.5 * (found + found.T)
        return symmetric

    def free(self, theta: FloatArray) -> Any:
        """Return which parameters are not held at a boundary."""
        return np.flatnonzero((np.arange(theta.size) != 1) | (self.random and theta[1] > 0.0))

    def fit(self) -> tuple[FloatArray, FloatArray]:
        """Return the maximum and the negative Hessian there."""
        from scipy.optimize import minimize

        start = pool(self.y, self.v, tau2="ml" if self.random else "common", interval="wald")
        size = 2 + self.limits.shape[1]
        begin = np.array([start.estimate, start.tau2, *np.zeros(size - 2)])
        highest = max(10.0 * start.tau2, float(np.ptp(self.y)) ** 2) if self.random else 0.0
        bounds = [(None, None), (0.0, highest), *[(-30.0, 30.0)] * (size - 2)]
        found = minimize(
            lambda t: -self.log_likelihood(t),
            begin,
            jac=lambda t: -self.gradient(t),
            method="L-BFGS-B",
            bounds=bounds,
            options={"maxiter": 10_000, "ftol": 1e-15, "gtol": 1e-9},
        )
        theta: FloatArray = found.x
        if theta[1] < 1e-10:
            theta[1] = 0.0
        for _ in range(5):  # Newton's method from a point that is nearly there
            free = self.free(theta)
            hessian = self.hessian(theta)
            move = np.linalg.lstsq(hessian[np.ix_(free, free)], self.gradient(theta)[free], rcond=None)[0]
            new = theta.copy()
            new[free] += move
            if new[1] < 0.0 or np.abs(new[2:]).max() > 30.0 or self.log_likelihood(new) < self.log_likelihood(theta):
                break
            theta = new
        return theta, self.hessian(theta)

    def without_selection(self) -> float:
        """Return the highest log-likelihood with all delta equal to 1."""
        fit = pool(self.y, self.v, tau2="ml" if self.random else "common", interval="wald")
        theta = np.array([fit.estimate, fit.tau2, *np.zeros(self.limits.shape[1])])
        return float(self.log_likelihood(theta))
