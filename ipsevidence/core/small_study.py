"""Whether small studies differ from large ones, and what would follow if some were missing."""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy import special

from ipsevidence.core.effects import check_two_by_two, correct_zeros, peto_terms
from ipsevidence.core.heterogeneity import chi2_tail
from ipsevidence.core.inputs import InputError, check_effects, check_level, check_number, check_word
from ipsevidence.core.moderators import meta_regression
from ipsevidence.core.pooling import mean_interval, pool, quantile
from ipsevidence.core.results import (
    FloatArray,
    Interval,
    NotApplicable,
    PetPeeseResult,
    SelectionResult,
    TestResult,
    TrimFillResult,
    frozen_array,
)
from ipsevidence.core.weighting import RegressionModel

ENOUGH = 10  # studies below which funnel tests have too little power to be read (Sterne et al 2011)
LEAST = 3
EXACT_RANKS = 50  # studies up to which the exact distribution of Kendall's tau is used
SYMMETRY = "the funnel is symmetric"
TOO_FEW = f"a funnel test needs at least {LEAST} studies with different standard errors"


class _Line(NamedTuple):
    """A weighted straight line with multiplicative error: coefficients, standard errors, p-values, df."""

    b: FloatArray
    se: FloatArray
    p: FloatArray
    df: int


def egger(y: Any, v: Any) -> TestResult | NotApplicable:
    """Return Egger's regression test of funnel asymmetry.

    Parameters
    ----------
    y, v : array_like of shape (k,)
        Effects and sampling variances.

    Returns
    -------
    TestResult or NotApplicable
        The slope on the standard error, with t(k - 2).

    Raises
    ------
    InputError
        If a parameter cannot be used.

    Notes
    -----
    The weighted regression of y on its standard error with multiplicative error, which is the same test as
    that of the intercept when y/se is regressed on 1/se. On odds ratios effect and standard error are
    correlated by construction: use `harbord`, `peters`, or this one on arcsine differences.

    References
    ----------
    .. [1] Egger M, Davey Smith G, Schneider M, Minder C. BMJ 1997;315:629-634.
       doi:10.1136/bmj.315.7109.629
    .. [2] Sterne JAC, et al. BMJ 2011;343:d4002. doi:10.1136/bmj.d4002
    """
    y, v = check_effects(y, v)
    return _slope_test("Egger", y, np.sqrt(v), 1.0 / v)


def egger_mixed(y: Any, v: Any, *, tau2: str = "reml") -> TestResult | NotApplicable:
    """Return Egger's test within a mixed-effects meta-regression on the standard error.

    Parameters
    ----------
    y, v : array_like of shape (k,)
        Effects and sampling variances.
    tau2 : str
        Key of `TAU2_ESTIMATORS`.

    Returns
    -------
    TestResult or NotApplicable
        The slope on the standard error, with the normal distribution.

    References
    ----------
    .. [1] Sterne JAC, Egger M. In: Rothstein HR, et al. Publication Bias in Meta-Analysis. 2005.
    """
    y, v = check_effects(y, v)
    if y.size < LEAST or np.ptp(v) == 0.0:
        return NotApplicable(reason=TOO_FEW)
    fit = meta_regression(y, v, np.column_stack([np.ones(y.size), np.sqrt(v)]), tau2=tau2, interval="wald")
    return TestResult(
        name="Egger, mixed effects",
        null=SYMMETRY,
        distribution="z",
        statistic=float(fit.statistic[1]),
        df=math.nan,
        p=float(fit.p[1]),
        estimate=float(fit.coefficients[1]),
        se=float(fit.se[1]),
        notes=_few(y.size),
    )


def begg(y: Any, v: Any) -> TestResult | NotApplicable:
    """Return the rank correlation test of Begg and Mazumdar.

    Parameters
    ----------
    y, v : array_like of shape (k,)
        Effects and sampling variances.

    Returns
    -------
    TestResult or NotApplicable
        Kendall's tau as the estimate; exact p-value up to 50 studies without ties, else the normal one,
        corrected for ties.

    Raises
    ------
    InputError
        If a parameter cannot be used.

    References
    ----------
    .. [1] Begg CB, Mazumdar M. Biometrics 1994;50:1088-1101. doi:10.2307/2533446
    """
    y, v = check_effects(y, v)
    if y.size < LEAST or np.ptp(v) == 0.0:
        return NotApplicable(reason=TOO_FEW)
    w = 1.0 / v
    spread = v - 1.0 / w.sum()
    standardised = (y - (w @ y) / w.sum()) / np.sqrt(spread)
    if np.ptp(standardised) == 0.0:
        return NotApplicable(reason="the effects are identical")
    score, tau, ties = _kendall(standardised, v)
    statistic, p, distribution = tau, math.nan, "exact"
    if ties or y.size > EXACT_RANKS:
        statistic = score / math.sqrt(_kendall_variance(standardised, v))
        p, distribution = float(special.erfc(abs(statistic) / math.sqrt(2.0))), "z"
    else:
        p = _kendall_p(score, y.size)
    return TestResult(
        name="Begg",
        null=SYMMETRY,
        distribution=distribution,
        statistic=statistic,
        df=math.nan,
        p=p,
        estimate=tau,
        notes=_few(y.size),
    )


def harbord(ai: Any, n1i: Any, ci: Any, n2i: Any) -> TestResult | NotApplicable:
    """Return Harbord's score-based test of funnel asymmetry for odds ratios.

    Parameters
    ----------
    ai, n1i, ci, n2i : array_like of shape (k,)
        Events and participants of the first arm, then of the second.

    Returns
    -------
    TestResult or NotApplicable
        The slope, with t(k - 2). Studies without events, or without non-events, are left out.

    Raises
    ------
    InputError
        If a parameter cannot be used.

    References
    ----------
    .. [1] Harbord RM, Egger M, Sterne JAC. Stat Med 2006;25:3443-3457. doi:10.1002/sim.2380
    """
    excess, variance = peto_terms(check_two_by_two(ai, n1i, ci, n2i))
    counted = variance > 0.0
    z, information = excess[counted], variance[counted]
    return _slope_test("Harbord", z / information, 1.0 / np.sqrt(information), information)


def peters(ai: Any, n1i: Any, ci: Any, n2i: Any) -> TestResult | NotApplicable:
    """Return Peters's test of funnel asymmetry for odds ratios: regression on the inverse of the size.

    Parameters
    ----------
    ai, n1i, ci, n2i : array_like of shape (k,)
        Events and participants of the first arm, then of the second.

    Returns
    -------
    TestResult or NotApplicable
        The slope, with t(k - 2). Studies with an empty cell are corrected by 1/2; studies without events,
        or without non-events, are left out.

    Raises
    ------
    InputError
        If a parameter cannot be used.

    References
    ----------
    .. [1] Peters JL, et al. JAMA 2006;295:676-680. doi:10.1001/jama.295.6.676
    """
    plain = check_two_by_two(ai, n1i, ci, n2i)
    events, others = plain.a + plain.c, plain.b + plain.d
    counted = (events > 0.0) & (others > 0.0)
    a, b, c, d = (cell[counted] for cell in correct_zeros(plain, add=0.5, to="only0"))
    y = (np.log(a) - np.log(b)) - (np.log(c) - np.log(d))
    size = (events + others)[counted]
    return _slope_test("Peters", y, 1.0 / size, 1.0 / (1.0 / (a + c) + 1.0 / (b + d)))


def _few(k: int) -> tuple[str, ...]:
    return (f"Only {k} studies: funnel tests are not advised below {ENOUGH}.",) if k < ENOUGH else ()


def _slope_test(name: str, y: FloatArray, x: FloatArray, w: FloatArray) -> TestResult | NotApplicable:
    if y.size < LEAST or np.ptp(x) == 0.0:
        return NotApplicable(reason=TOO_FEW)
    line = _line(y, x, w)
    if line.se[1] == 0.0:
        return NotApplicable(reason="the effects lie on a line: there is no error to compare its slope with")
    return TestResult(
        name=name,
        null=SYMMETRY,
        distribution="t",
        statistic=float(line.b[1] / line.se[1]),
        df=float(line.df),
        p=float(line.p[1]),
        estimate=float(line.b[1]),
        se=float(line.se[1]),
        notes=_few(y.size),
    )


def _line(y: FloatArray, x: FloatArray, w: FloatArray) -> _Line:
    """Return the weighted regression of y on x; the error variance is estimated, as in ordinary regression."""
    model = RegressionModel(y, 1.0 / w, np.column_stack([np.ones(y.size), x]))
    weights = 1.0 / model.v
    factor = model.sum_of_squares(weights) / model.df
    b = model.coefficients(weights)
    se = np.sqrt(factor * np.diag(model.covariance(weights)))
    with np.errstate(divide="ignore", invalid="ignore"):
        p = 2.0 * special.stdtr(model.df, -np.abs(b / se))
    return _Line(b, se, p, model.df)


def _kendall(x: FloatArray, y: FloatArray) -> tuple[float, float, bool]:
    """Return Kendall's score, tau-b, and whether there are ties."""
    above = np.triu_indices(x.size, 1)
    dx, dy = (np.sign(z[:, None] - z)[above] for z in (x, y))
    score = float(dx @ dy)
    pairs_x, pairs_y = float(np.abs(dx).sum()), float(np.abs(dy).sum())
    return score, score / math.sqrt(pairs_x * pairs_y), min(pairs_x, pairs_y) < dx.size


def _kendall_variance(x: FloatArray, y: FloatArray) -> float:
    """Return the variance of Kendall's score under independence, with ties."""
    n = x.size
    (tx, ty) = (np.unique(z, return_counts=True)[1].astype(float) for z in (x, y))

    def third(t: FloatArray) -> float:
        return float((t * (t - 1) * (2 * t + 5)).sum())

    def product(f: Callable[[FloatArray], FloatArray]) -> float:
        return float(f(tx).sum() * f(ty).sum())

    variance = (n * (n - 1) * (2 * n + 5) - third(tx) - third(ty)) / 18.0
    variance += product(lambda t: t * (t - 1)) / (2.0 * n * (n - 1))
    return variance + product(lambda t: t * (t - 1) * (t - 2)) / (9.0 * n * (n - 1) * (n - 2))


def _kendall_p(score: float, n: int) -> float:
    """Return the exact two-sided p-value of Kendall's score without ties."""
    counts = np.ones(1)
    for size in range(2, n + 1):
        counts = np.convolve(counts, np.full(size, 1.0 / size))
    pairs = n * (n - 1) // 2
    concordant = round((score + pairs) / 2)
    tail = counts[: min(concordant, pairs - concordant) + 1].sum()
    return float(min(1.0, 2.0 * tail))


def trim_and_fill(
    y: Any,
    v: Any,
    *,
    estimator: str = "L0",
    side: str | None = None,
    tau2: str = "reml",
    interval: str = "wald",
    level: float = 0.95,
) -> TrimFillResult | NotApplicable:
    """Return the pool to which trim and fill has added studies.

    Parameters
    ----------
    y, v : array_like of shape (k,)
        Effects and sampling variances.
    estimator : {'L0', 'R0', 'Q0'}
        Estimator of the number of missing studies.
    side : {'left', 'right'}, optional
        Where studies are taken to be missing; opposite to where Egger's test points unless given.
    tau2, interval, level
        As in `pool`.

    Returns
    -------
    TrimFillResult or NotApplicable

    Raises
    ------
    InputError
        If a parameter cannot be used.

    Notes
    -----
    A sensitivity analysis that takes any asymmetry for missing studies: not a corrected effect.

    References
    ----------
    .. [1] Duval S, Tweedie R. Biometrics 2000;56:455-463. doi:10.1111/j.0006-341X.2000.00455.x
    """
    y, v = check_effects(y, v)
    check_word("estimator", estimator, ("L0", "R0", "Q0"))
    if side is None:
        test = egger_mixed(y, v, tau2=tau2)
        if isinstance(test, NotApplicable):
            return test
        side = "left" if test.statistic > 0.0 else "right"
    check_word("side", side, ("left", "right"))
    if y.size < LEAST:
        return NotApplicable(reason=f"trim and fill needs at least {LEAST} studies")
    turn = 1.0 if side == "left" else -1.0
    order = np.argsort(turn * y, kind="stable")
    effects, variances = turn * y[order], v[order]
    k0, centre = _trimmed(effects, variances, estimator, tau2)
    mirrored = 2.0 * centre - effects[effects.size - k0 :]
    filled = np.concatenate([y, turn * mirrored])
    fit = pool(
        filled,
        np.concatenate([v, variances[effects.size - k0 :]]),
        tau2=tau2,
        interval=interval,
        level=level,
    )
    return TrimFillResult(
        k0=k0,
        side=side,
        estimator=estimator,
        fit=fit,
        filled=np.arange(filled.size) >= y.size,
        notes=("Asymmetry can have other causes than missing studies.", *_few(y.size)),
    )


def _trimmed(effects: FloatArray, variances: FloatArray, estimator: str, tau2: str) -> tuple[int, float]:
    """Return the number of studies without a counterpart and the centre of the others, in rising order."""
    k, k0, seen = effects.size, 0, set[int]()
    while True:
        kept = k - k0
        fit = pool(effects[:kept], variances[:kept], tau2=tau2, interval="wald", prediction="none")
        centred = effects - fit.estimate
        ranks = np.empty(k)
        ranks[np.argsort(np.abs(centred), kind="stable")] = np.arange(1, k + 1)
        found = _missing(ranks * np.sign(centred), estimator)
        found = min(found, k - LEAST + 1)
        # the iteration can alternate between two numbers: the larger ends it
        if found == k0 or found in seen:
            return k0, fit.estimate
        seen.add(k0)
        k0 = found


def _missing(ranks: FloatArray, estimator: str) -> int:
    """Return the estimated number of missing studies from the signed ranks."""
    k = ranks.size
    total = float(ranks[ranks > 0].sum())
    if estimator == "R0":
        found = k - float(np.max(-ranks, initial=0.0)) - 1.0
    elif estimator == "L0":
        found = (4.0 * total - k * (k + 1)) / (2.0 * k - 1.0)
    else:
        found = k - 0.5 - math.sqrt(2.0 * k * k - 4.0 * total + 0.25)
    return max(0, round(found))


def pet_peese(y: Any, v: Any, *, level: float = 0.95) -> PetPeeseResult | NotApplicable:
    """Return the precision-effect estimates of Stanley and Doucouliagos.

    Parameters
    ----------
    y, v : array_like of shape (k,)
        Effects and sampling variances.
    level : float
        Level of the interval.

    Returns
    -------
    PetPeeseResult or NotApplicable

    Raises
    ------
    InputError
        If a parameter cannot be used.

    Notes
    -----
    Weighted regressions with multiplicative error. PEESE is taken where the intercept of PET differs from 0
    with two-sided p < 0.10, else PET. Unreliable with few studies and with much heterogeneity.

    References
    ----------
    .. [1] Stanley TD, Doucouliagos H. Res Synth Methods 2014;5:60-78. doi:10.1002/jrsm.1095
    """
    y, v = check_effects(y, v)
    level = check_level(level)
    if y.size < LEAST or np.ptp(v) == 0.0:
        return NotApplicable(reason=TOO_FEW)
    lines = {"pet": _line(y, np.sqrt(v), 1.0 / v), "peese": _line(y, v, 1.0 / v)}
    chosen = "peese" if lines["pet"].p[0] < 0.10 else "pet"
    b, se, df = lines[chosen].b[0], lines[chosen].se[0], lines[chosen].df
    ci, _, _ = mean_interval(float(b), float(se), float(df), level)

    def term(kind: str, j: int, null: str) -> TestResult:
        line = lines[kind]
        with np.errstate(divide="ignore", invalid="ignore"):
            statistic = float(line.b[j] / line.se[j])
        return TestResult(
            name=kind.upper(),
            null=null,
            distribution="t",
            statistic=statistic,
            df=float(line.df),
            p=float(line.p[j]),
            estimate=float(line.b[j]),
            se=float(line.se[j]),
        )

    return PetPeeseResult(
        pet=term("pet", 0, "no effect in a study of infinite size"),
        peese=term("peese", 0, "no effect in a study of infinite size"),
        pet_slope=term("pet", 1, SYMMETRY),
        peese_slope=term("peese", 1, SYMMETRY),
        chosen=chosen,
        estimate=float(b),
        ci=ci,
        notes=_few(y.size),
    )


def fail_safe_n(
    y: Any, v: Any, *, method: str = "rosenthal", alpha: float = 0.05, target: float | None = None
) -> float:
    """Return how many studies without effect would undo a finding.

    Parameters
    ----------
    y, v : array_like of shape (k,)
        Effects and sampling variances.
    method : {'rosenthal', 'rosenberg', 'orwin'}
        Stouffer's test; the common-effect test with average weights; the unweighted mean brought to `target`.
    alpha : float
        One-sided level of the first two.
    target : float, optional
        For orwin: the mean that would no longer matter; half the observed mean unless given.

    Returns
    -------
    float
        A whole number, 0 where the finding does not reach the level.

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
    check_word("method", method, ("rosenthal", "rosenberg", "orwin"))
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
        mean = abs(float(y.mean()))
        goal = abs(check_number("target", mean / 2.0 if target is None else target))
        found = k * (mean - goal) / goal if goal > 0.0 else math.inf
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
        Not applicable where an interval of p-values holds no study.

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
    theta, hessian = model.fit()
    value = model.log_likelihood(theta)
    plain = model.without_selection()
    free = model.free(theta)
    inverse = np.linalg.inv(hessian[np.ix_(free, free)])
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
        notes=("Asymmetry can have other causes than selection.", *_few(y.size)),
    )


def _check_steps(steps: Sequence[float]) -> FloatArray:
    cuts = np.asarray(steps, dtype=float)
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
            move = np.linalg.solve(hessian[np.ix_(free, free)], self.gradient(theta)[free])
            new = theta.copy()
            new[free] += move
            if new[1] < 0.0 or self.log_likelihood(new) < self.log_likelihood(theta):
                break
            theta = new
        return theta, self.hessian(theta)

    def without_selection(self) -> float:
        """Return the highest log-likelihood with all delta equal to 1."""
        fit = pool(self.y, self.v, tau2="ml" if self.random else "common", interval="wald")
        theta = np.array([fit.estimate, fit.tau2, *np.zeros(self.limits.shape[1])])
        return float(self.log_likelihood(theta))
