"""Beyond the pooled mean: absolute effects, shares of true effects, E-values, missing outcomes."""

import math
from typing import Any

import numpy as np
from scipy import special

from ipsevidence.core.batch import Fits, fit_samples
from ipsevidence.core.effects import check_two_by_two, choose_measure
from ipsevidence.core.inputs import (
    LARGEST_COUNT,
    InputError,
    check_array,
    check_each,
    check_effects,
    check_level,
    check_number,
    check_same_length,
    check_whole,
    check_word,
)
from ipsevidence.core.registry import choose
from ipsevidence.core.results import (
    FloatArray,
    Interval,
    NotApplicable,
    PooledResult,
    frozen_array,
    no_interval,
)
from ipsevidence.core.results_of_meaning import AbsoluteEffect, EValue, ProportionBeyond
from ipsevidence.core.roots import crossing
from ipsevidence.core.tau2 import TAU2_ESTIMATORS

NODES, NODE_WEIGHTS = np.polynomial.hermite_e.hermegauss(41)
ENOUGH = 10  # studies below which the share of true effects is not advised (Mathur and VanderWeele 2020)
_RATIOS = ("OR", "RR", "PETO")


def absolute_effect(
    fit: PooledResult,
    measure: str,
    baseline: float,
    *,
    baseline_se: float = 0.0,
    nnt_beyond_doubt: bool = True,
) -> AbsoluteEffect | NotApplicable:
    """Return what a pooled relative effect means at a baseline risk, with the uncertainty of both.

    Parameters
    ----------
    fit : PooledResult
        A pool on `measure`.
    measure : {'OR', 'RR', 'PETO', 'RD'}
        The measure that was pooled.
    baseline : float
        Risk without the intervention, strictly between 0 and 1.
    baseline_se : float
        Standard error of its logit; 0 where the baseline is taken as known.
    nnt_beyond_doubt : bool
        Whether the number needed to treat is printed only where the interval of the difference excludes 0.

    Returns
    -------
    AbsoluteEffect or NotApplicable
        Not applicable where the pool has no interval.

    Raises
    ------
    InputError
        If a parameter cannot be used.

    Notes
    -----
    Effect and baseline are independent: the effect t or normal, as its interval, the logit of the baseline
    normal. The intervals are the exact quantiles of the difference and of the risk under both, by
    Gauss-Hermite quadrature; with a known baseline they are the bounds of the relative effect, moved.
    """
    check_word("measure", measure, (*_RATIOS, "RD"))
    baseline = check_number("baseline", baseline, above=0.0, below=1.0)
    baseline_se = check_number("baseline_se", baseline_se, least=0.0, below=100.0)
    if fit.ci.missing:
        return NotApplicable(reason=f"the pooled effect has no interval: {fit.ci.why}")
    logit = math.log(baseline / (1.0 - baseline))
    risks = special.expit(logit + baseline_se * NODES) if baseline_se > 0.0 else np.array([baseline])
    weights = NODE_WEIGHTS / NODE_WEIGHTS.sum() if baseline_se > 0.0 else np.ones(1)

    gap = _interval(measure, risks, weights, fit, origin=risks)
    risk = float(_with_effect(measure, np.array([baseline]), fit.estimate)[0])
    difference = risk - baseline
    top = float(_with_effect(measure, np.array([baseline]), fit.ci.high)[0])
    notes = () if 0.0 < top < 1.0 else ("The effect at this baseline reaches a risk of 0 or 1 and was cut there.",)
    return AbsoluteEffect(
        baseline=baseline,
        risk=risk,
        risk_ci=_interval(measure, risks, weights, fit, origin=np.zeros_like(risks)),
        difference=difference,
        difference_ci=gap,
        nnt=1.0 / abs(difference) if difference != 0.0 else math.inf,
        nnt_text=_nnt(difference, gap, certain_only=nnt_beyond_doubt),
        notes=notes,
    )


def _with_effect(measure: str, baseline: FloatArray, effect: float) -> FloatArray:
    if measure in {"OR", "PETO"}:
        found: FloatArray = special.expit(special.logit(baseline) + effect)
    elif measure == "RR":
        found = np.minimum(1.0, baseline * math.exp(min(effect, 700.0)))
    else:
        found = np.asarray(np.clip(baseline + effect, 0.0, 1.0))
    return found


def _interval(
    measure: str, risks: FloatArray, weights: FloatArray, fit: PooledResult, *, origin: FloatArray
) -> Interval:
    """Return the central interval of the risk less its origin, mixed over the baseline risks."""
    level = fit.ci.level
    if weights.size == 1:
        low, high = (float((_with_effect(measure, risks, end) - origin)[0]) for end in (fit.ci.low, fit.ci.high))
        return Interval(low=low, high=high, level=level)

    def cdf(target: float) -> float:
        z = (_effect_for(measure, risks, target + origin) - fit.estimate) / fit.se
        share = special.ndtr(z) if math.isnan(fit.df) else special.stdtr(fit.df, z)
        return float(weights @ share)

    def end(p: float) -> float:
        return crossing(lambda target: cdf(target) - p, -1.0, 1.0)

    tail = (1.0 - level) / 2.0
    return Interval(low=end(tail), high=end(1.0 - tail), level=level)


def _effect_for(measure: str, baseline: FloatArray, risk: FloatArray) -> FloatArray:
    """Return the effect that turns each baseline into a risk; infinite for risks out of reach."""
    inside = np.clip(risk, 0.0, 1.0)
    # what is infinite or undefined here is out of reach, and replaced below
    with np.errstate(divide="ignore", invalid="ignore"):
        if measure == "RR":
            found = np.log(inside / baseline)
        elif measure == "RD":
            found = inside - baseline
        else:
            found = special.logit(inside) - special.logit(baseline)
    return np.where(risk >= 1.0, np.inf, np.where(risk <= 0.0, -np.inf, found))


def _nnt(difference: float, gap: Interval, *, certain_only: bool) -> str:
    """Return the number needed to treat in Altman's notation."""

    def one(value: float) -> str:
        return "∞" if value == 0.0 else f"{'NNTB' if value > 0.0 else 'NNTH'} {1.0 / abs(value):.1f}"

    if gap.low <= 0.0 <= gap.high:
        if certain_only:
            return ""
        return f"{one(difference)} ({one(gap.low)} to ∞ to {one(gap.high)})"
    ends = sorted((abs(1.0 / gap.low), abs(1.0 / gap.high)))
    return f"{one(difference)} ({ends[0]:.1f} to {ends[1]:.1f})"


def proportion_beyond(
    y: Any,
    v: Any,
    threshold: float,
    *,
    tail: str = "above",
    tau2: str = "reml",
    draws: int = 1000,
    seed: int = 1,
    level: float = 0.95,
) -> ProportionBeyond | NotApplicable:
    """Return the share of true effects beyond a threshold, by the calibrated method.

    Parameters
    ----------
    y, v : array_like of shape (k,)
        Effects and sampling variances.
    threshold : float
        On the pooled scale.
    tail : {'above', 'below'}
        Which side of it.
    tau2 : str
        Key of `TAU2_ESTIMATORS`.
    draws, seed : int
        Bootstrap samples of the studies, and their seed.
    level : float
        Level of the percentile interval.

    Returns
    -------
    ProportionBeyond or NotApplicable
        Not applicable to a single study.

    Raises
    ------
    InputError
        If a parameter cannot be used.

    References
    ----------
    .. [1] Mathur MB, VanderWeele TJ. Robust metrics and sensitivity analyses for meta-analyses of heterogeneous
       effects. Epidemiology 2020;31:356-358. doi:10.1097/EDE.0000000000001180
    .. [2] Wang CC, Lee WC. A simple method to estimate prediction intervals and predictive distributions. Res
       Synth Methods 2019;10:255-266. doi:10.1002/jrsm.1345
    """
    y, v = check_effects(y, v)
    threshold = check_number("threshold", threshold)
    level = check_level(level)
    check_word("tail", tail, ("above", "below"))
    choose("tau2", tau2, TAU2_ESTIMATORS)
    draws, seed = check_whole("draws", draws, least=1), check_whole("seed", seed, least=0)
    if y.size == 1:
        return NotApplicable(reason="one study has no distribution of true effects")
    turn = 1.0 if tail == "above" else -1.0

    fit = fit_samples(y[None], v, tau2=tau2)
    calibrated = _calibrated(y[None], v, fit)[0]
    if np.ptp(calibrated) == 0.0:
        ci = no_interval(level, "tau2 is 0: all true effects are taken to be the same")
    else:
        picks = np.random.default_rng(seed).integers(y.size, size=(draws, y.size))
        effects, variances = y[picks], v[picks]
        drawn = _calibrated(effects, variances, fit_samples(effects, variances, tau2=tau2))
        shares = (turn * drawn > turn * threshold).mean(axis=1)
        ends = np.quantile(shares, [(1.0 - level) / 2.0, (1.0 + level) / 2.0])
        ci = Interval(low=float(ends[0]), high=float(ends[1]), level=level)
    few = f"Only {y.size} studies: the share is not advised below {ENOUGH}."
    return ProportionBeyond(
        threshold=threshold,
        tail=tail,
        share=float((turn * calibrated > turn * threshold).mean()),
        ci=ci,
        calibrated=frozen_array(calibrated),
        notes=(few,) if y.size < ENOUGH else (),
    )


def _calibrated(y: FloatArray, v: FloatArray, fits: Fits) -> FloatArray:
    """Return the effects of each fit drawn towards its mean until they vary by tau2, shape (m, k)."""
    between, mean = fits.tau2[:, None], fits.estimate[:, None]
    found: FloatArray = mean + np.sqrt(between / (between + v)) * (y - mean)
    return found


def e_value(measure: str, estimate: float, low: float, high: float, *, rare: bool = False) -> EValue:
    """Return the E-value of an effect.

    Parameters
    ----------
    measure : {'RR', 'OR', 'PETO'}
        The ratio that is given.
    estimate, low, high : float
        The ratio and its interval, as ratios.
    rare : bool
        Whether the outcome is rare, so that an odds ratio stands for a risk ratio; otherwise its square root
        does.

    Returns
    -------
    EValue

    Raises
    ------
    InputError
        If a parameter cannot be used.

    References
    ----------
    .. [1] VanderWeele TJ, Ding P. Ann Intern Med 2017;167:268-274. doi:10.7326/M16-2607
    """
    check_word("measure", measure, _RATIOS)
    numbers = [
        check_number(n, x, above=1e-300, below=1e300) for n, x in (("estimate", estimate), ("low", low), ("high", high))
    ]
    if not numbers[1] <= numbers[0] <= numbers[2]:
        raise InputError(f"estimate must lie between low and high; got {estimate!r}", parameter="estimate")
    if measure != "RR" and not rare:
        numbers = [math.sqrt(x) for x in numbers]
    ratio, lower, upper = numbers
    nearer = lower if ratio >= 1.0 else upper
    holds = lower <= 1.0 <= upper
    return EValue(estimate=_e(ratio), ci=1.0 if holds else _e(nearer))


def _e(ratio: float) -> float:
    beyond = max(ratio, 1.0 / ratio)
    return beyond + math.sqrt(beyond) * math.sqrt(beyond - 1.0)


def missing_outcomes(
    measure: str,
    ai: Any,
    n1i: Any,
    ci: Any,
    n2i: Any,
    missing1: Any,
    missing2: Any,
    *,
    imor1: float = 1.0,
    imor2: float = 1.0,
) -> tuple[FloatArray, FloatArray]:
    """Return effects that allow for missing outcomes by informative-missingness odds ratios.

    Parameters
    ----------
    measure : {'OR', 'RR', 'RD'}
        Ratios come as logarithms.
    ai, n1i, ci, n2i : array_like of shape (k,)
        Events and participants with a known outcome in the first arm, then in the second.
    missing1, missing2 : array_like of shape (k,)
        Participants whose outcome is missing.
    imor1, imor2 : float
        Odds of the event among the missing over the odds among the observed, per arm: 1 leaves the observed
        risk, 0 counts the missing as failures.

    Returns
    -------
    y, v : ndarray of shape (k,)
        Effects and variances; nan where there is no finite estimate.

    Raises
    ------
    InputError
        If a parameter cannot be used.

    Notes
    -----
    The variance takes the odds ratios as known, and the share of the missing as estimated. No correction for
    zeros is made.

    References
    ----------
    .. [1] White IR, Higgins JPT, Wood AM. Allowing for uncertainty due to missing data in meta-analysis - part
       1: two-stage methods. Stat Med 2008;27:711-727. doi:10.1002/sim.3008
    """
    choose_measure(measure, "two-by-two")
    check_word("measure", measure, ("OR", "RR", "RD"))
    cells = check_two_by_two(ai, n1i, ci, n2i)
    gaps = {"missing1": check_array("missing1", missing1), "missing2": check_array("missing2", missing2)}
    check_same_length(ai=cells.a, **gaps)
    for name, values in gaps.items():
        check_each(name, values, np.isfinite(values) & (values >= 0), "be finite and at least 0")
        check_each(name, values, values <= LARGEST_COUNT, f"be at most {LARGEST_COUNT:g}")
    odds = [check_number(name, x, least=0.0, below=LARGEST_COUNT) for name, x in (("imor1", imor1), ("imor2", imor2))]
    p1, v1 = _arm(cells.a, cells.b, gaps["missing1"], odds[0])
    p2, v2 = _arm(cells.c, cells.d, gaps["missing2"], odds[1])
    with np.errstate(divide="ignore", invalid="ignore"):
        if measure == "RD":
            y, v = p1 - p2, v1 + v2
        elif measure == "RR":
            y, v = np.log(p1) - np.log(p2), v1 / p1**2 + v2 / p2**2
        else:
            y = np.log(p1 / (1 - p1)) - np.log(p2 / (1 - p2))
            v = v1 / (p1 * (1 - p1)) ** 2 + v2 / (p2 * (1 - p2)) ** 2
    unusable = ~(np.isfinite(y) & np.isfinite(v) & (v > 0))
    return np.where(unusable, np.nan, y), np.where(unusable, np.nan, v)


def _arm(events: FloatArray, others: FloatArray, missing: FloatArray, imor: float) -> tuple[FloatArray, FloatArray]:
    """Return the risk in an arm with its missing participants, and its variance."""
    known = events + others
    total = known + missing
    risk, absent = events / known, missing / total
    if imor == 0.0:
        among_missing, slope = np.zeros_like(risk), 1 - absent
    else:
        denominator = 1 - risk + imor * risk
        among_missing, slope = imor * risk / denominator, (1 - absent) + absent * imor / denominator**2
    variance = slope**2 * risk * (1 - risk) / known + (among_missing - risk) ** 2 * absent * (1 - absent) / total
    return (1 - absent) * risk + absent * among_missing, variance
