"""Whether small studies differ from large ones, and what would follow if some were missing."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy import special

from ipsevidence.core.effects import check_two_by_two, correct_zeros, peto_terms
from ipsevidence.core.inputs import (
    check_array,
    check_effects,
    check_level,
    check_same_length,
    check_sizes_of_groups,
    check_word,
)
from ipsevidence.core.moderators import meta_regression
from ipsevidence.core.pooling import mean_interval, pool
from ipsevidence.core.results import (
    FloatArray,
    NotApplicable,
    TestResult,
)
from ipsevidence.core.results_of_sensitivity import PetPeeseResult, TrimFillResult
from ipsevidence.core.weighting import MeanModel, RegressionModel, sum_of_others

ENOUGH = 10  # studies below which funnel tests have too little power to be read (Sterne et al 2011)
LEAST = 3
EXACT_RANKS = 50  # studies up to which the exact distribution of Kendall's tau is used
ON_A_LINE = "the effects lie on a line: there is no error to compare its slope with"
SYMMETRY = "the funnel is symmetric"
TOO_FEW = f"a funnel test needs at least {LEAST} studies with different standard errors"


class _Line(NamedTuple):
    """A weighted straight line with multiplicative error: coefficients, standard errors, p-values, df."""

    b: FloatArray
    se: FloatArray
    p: FloatArray
    df: int


def egger(y: Any, v: Any, *, sizes: Any = None) -> TestResult | NotApplicable:
    """Return Egger's regression test of funnel asymmetry.

    Parameters
    ----------
    y, v : array_like of shape (k,)
        Effects and sampling variances.
    sizes : array_like of shape (k,), optional
        Participants of each study. If given, 1/sqrt(sizes) takes the place of the standard error.

    Returns
    -------
    TestResult or NotApplicable
        The slope on the standard error, or on 1/sqrt(sizes), with t(k - 2).

    Raises
    ------
    InputError
        If a parameter cannot be used.

    Notes
    -----
    The weighted regression of y on its standard error with multiplicative error, which is the same test as
    that of the intercept when y/se is regressed on 1/se. On odds ratios effect and standard error are
    correlated by construction: use `harbord`, `peters`, or this one on arcsine differences. A predictor from the
    sizes alone does not contain the effect, as the standard errors of odds ratios do [3]_.

    References
    ----------
    .. [1] Egger M, Davey Smith G, Schneider M, Minder C. BMJ 1997;315:629-634.
       doi:10.1136/bmj.315.7109.629
    .. [2] Sterne JAC, et al. BMJ 2011;343:d4002. doi:10.1136/bmj.d4002
    .. [3] Macaskill P, Walter SD, Irwig L. Stat Med 2001;20:641-654. doi:10.1002/sim.698
    """
    y, v = check_effects(y, v)
    if sizes is None:
        return _slope_test("Egger", y, np.sqrt(v), 1.0 / v)
    n = check_array("sizes", sizes)
    check_same_length(y=y, sizes=n)
    check_sizes_of_groups("sizes", n)
    return _slope_test("Egger, by size", y, 1.0 / np.sqrt(n), 1.0 / v)


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
        notes=few_studies(y.size),
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
    # v less the variance of the mean, which would cancel for a study that dominates
    spread = v * sum_of_others(w) / w.sum()
    standardised = MeanModel(y, v).residuals(w) / np.sqrt(spread)
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
        notes=few_studies(y.size),
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


def few_studies(k: int) -> tuple[str, ...]:
    """Return the caution that belongs to so few studies, if any."""
    return (f"Only {k} studies: funnel tests are not advised below {ENOUGH}.",) if k < ENOUGH else ()


def _slope_test(name: str, y: FloatArray, x: FloatArray, w: FloatArray) -> TestResult | NotApplicable:
    if y.size < LEAST or np.ptp(x) == 0.0:
        return NotApplicable(reason=TOO_FEW)
    line = _line(y, x, w)
    if line.se[1] == 0.0:
        return NotApplicable(reason=ON_A_LINE)
    return TestResult(
        name=name,
        null=SYMMETRY,
        distribution="t",
        statistic=float(line.b[1] / line.se[1]),
        df=float(line.df),
        p=float(line.p[1]),
        estimate=float(line.b[1]),
        se=float(line.se[1]),
        notes=few_studies(y.size),
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
        notes=("Asymmetry can have other causes than missing studies.", *few_studies(y.size)),
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
        found = k - 0.5 - math.sqrt(max(0.0, 2.0 * k * k - 4.0 * total + 0.25))
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
    if min(line.se.min() for line in lines.values()) == 0.0:
        return NotApplicable(reason=ON_A_LINE)
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
        notes=few_studies(y.size),
    )
