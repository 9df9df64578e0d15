"""Common effects from the counts themselves: Mantel-Haenszel and Peto."""

import math
from typing import Any, NamedTuple

import numpy as np

from ipsevidence.core.effects import (
    MEASURES,
    Cells,
    check_two_by_two,
    correct_zeros,
    is_double_zero,
    peto_terms,
)
from ipsevidence.core.heterogeneity import chi2_tail, h2_from_q, i2_from_q
from ipsevidence.core.inputs import check_level
from ipsevidence.core.pooling import mean_interval
from ipsevidence.core.registry import Method, choose, registry
from ipsevidence.core.results import FloatArray, NotApplicable, TestResult, frozen_array
from ipsevidence.core.results_of_counts import CountResult

UNEQUAL_ARMS = 2.0  # Peto's estimate is known to be biased beyond; its authors used near-equal arms


class _Pooled(NamedTuple):
    estimate: float
    variance: float
    weights: FloatArray


def mantel_haenszel(
    measure: str, ai: Any, n1i: Any, ci: Any, n2i: Any, *, level: float = 0.95
) -> CountResult | NotApplicable:
    """Return a Mantel-Haenszel common effect.

    Parameters
    ----------
    measure : {'OR', 'RR', 'RD'}
        Odds ratio, risk ratio (both as logarithms) or risk difference.
    ai, n1i, ci, n2i : array_like of shape (k,)
        Events and participants of the first arm, then of the second.
    level : float
        Level of the interval, between 0 and 1.

    Returns
    -------
    CountResult or NotApplicable
        For the odds ratio with the tests of Cochran, Mantel and Haenszel (no association) and of Breslow
        and Day, and Tarone (one odds ratio). Not applicable where the ratio does not exist.

    Raises
    ------
    InputError
        If a parameter cannot be used; the message names it and the study.

    Notes
    -----
    No correction for zeros is made in the pooled estimate, which needs none: a double-zero study
    contributes nothing to a ratio and its size to a difference. Q compares the studies' own estimates,
    corrected by 1/2 where they have an empty cell, with the pooled one.

    Variances: Robins, Breslow and Greenland (OR), Greenland and Robins (RR), Sato, Greenland and Robins
    (RD). The association tests use a continuity correction of 1/2.

    References
    ----------
    .. [1] Mantel N, Haenszel W. J Natl Cancer Inst 1959;22:719-748. doi:10.1093/jnci/22.4.719
    .. [2] Robins J, Breslow N, Greenland S. Biometrics 1986;42:311-323. doi:10.2307/2531052
    .. [3] Greenland S, Robins JM. Biometrics 1985;41:55-68. doi:10.2307/2530643
    .. [4] Sato T, Greenland S, Robins JM. On the variance estimator for the Mantel-Haenszel risk difference.
       Biometrics 1989;45:1323-1324.
    """
    chosen = choose("measure", measure, MANTEL_HAENSZEL)
    level = check_level(level)
    cells = check_two_by_two(ai, n1i, ci, n2i)
    pooled: _Pooled | None = chosen.function(cells)
    if pooled is None:
        reason = f"the Mantel-Haenszel {MEASURES[measure].label} is 0, infinite or undefined: too few events"
        return NotApplicable(reason=reason)
    tests = _odds_ratio_tests(cells, math.exp(pooled.estimate)) if measure == "OR" else ()
    corrected = correct_zeros(cells, add=0.5, to="only0")
    return _result(cells, corrected, measure, "mantel-haenszel", pooled, level=level, tests=tests)


def peto(ai: Any, n1i: Any, ci: Any, n2i: Any, *, level: float = 0.95) -> CountResult | NotApplicable:
    """Return Peto's one-step common odds ratio.

    Parameters
    ----------
    ai, n1i, ci, n2i : array_like of shape (k,)
        Events and participants of the first arm, then of the second.
    level : float
        Level of the interval, between 0 and 1.

    Returns
    -------
    CountResult or NotApplicable
        The logarithm of the odds ratio; not applicable where no study has both events and non-events.

    Raises
    ------
    InputError
        If a parameter cannot be used; the message names it and the study.

    Notes
    -----
    Meant for rare events, small effects and arms of about equal size; a note says where arms differ by
    more than twofold or the estimate is beyond 2.7 either way.

    References
    ----------
    .. [1] Yusuf S, Peto R, Lewis J, Collins R, Sleight P. Prog Cardiovasc Dis 1985;27:335-371.
       doi:10.1016/S0033-0620(85)80003-7
    .. [2] Greenland S, Salvan A. Bias in the one-step method for pooling study results. Stat Med
       1990;9:247-252. doi:10.1002/sim.4780090307
    """
    level = check_level(level)
    cells = check_two_by_two(ai, n1i, ci, n2i)
    excess, variance = peto_terms(cells)
    if variance.sum() == 0.0:
        return NotApplicable(reason="no study has both events and non-events")
    total = float(variance.sum())
    pooled = _Pooled(float(excess.sum()) / total, 1.0 / total, variance)
    sizes = (cells.a + cells.b) / (cells.c + cells.d)
    notes = []
    if np.maximum(sizes, 1.0 / sizes).max() > UNEQUAL_ARMS:
        notes.append("Arms differ more than twofold in a study: Peto's odds ratio may be biased.")
    if abs(pooled.estimate) > 1.0:
        notes.append("The effect is large: Peto's odds ratio is biased towards 1.")
    return _result(cells, cells, "PETO", "peto", pooled, level=level, notes=tuple(notes))


def _result(
    cells: Cells,
    corrected: Cells,
    measure: str,
    method: str,
    pooled: _Pooled,
    *,
    level: float,
    tests: tuple[TestResult, ...] = (),
    notes: tuple[str, ...] = (),
) -> CountResult:
    se = math.sqrt(pooled.variance)
    ci, statistic, p = mean_interval(pooled.estimate, se, math.nan, level)
    with np.errstate(divide="ignore", invalid="ignore"):
        y, v = MEASURES[measure].function(corrected)
        parts = (y - pooled.estimate) ** 2 / v
    counted = np.isfinite(parts)
    if MEASURES[measure].scale == "log":
        counted &= ~is_double_zero(cells)
    q, df = float(parts[counted].sum()), int(counted.sum()) - 1
    return CountResult(
        measure=measure,
        method=method,
        estimate=pooled.estimate,
        se=se,
        ci=ci,
        statistic=statistic,
        p=p,
        q=q if df > 0 else math.nan,
        q_df=df,
        q_p=chi2_tail(q, df) if df > 0 else math.nan,
        i2_q=i2_from_q(q, df) if df > 0 else math.nan,
        h2_q=h2_from_q(q, df) if df > 0 else math.nan,
        weights=frozen_array(100.0 * pooled.weights / pooled.weights.sum()),
        k=cells.a.size,
        tests=tests,
        notes=notes,
    )


def _odds_ratio(cells: Cells) -> _Pooled | None:
    a, b, c, d = cells
    n = a + b + c + d
    r, s = a * d / n, b * c / n
    total_r, total_s = float(r.sum()), float(s.sum())
    if total_r == 0.0 or total_s == 0.0:
        return None
    agree, differ = (a + d) / n, (b + c) / n
    variance = float(
        agree.dot(r) / (2 * total_r**2)
        + (agree.dot(s) + differ.dot(r)) / (2 * total_r * total_s)
        + differ.dot(s) / (2 * total_s**2)
    )
    return _Pooled(math.log(total_r / total_s), variance, s)


def _risk_ratio(cells: Cells) -> _Pooled | None:
    a, b, c, d = cells
    n1, n2 = a + b, c + d
    n = n1 + n2
    total_r, total_s = float((a * n2 / n).sum()), float((c * n1 / n).sum())
    if total_r == 0.0 or total_s == 0.0:
        return None
    spread = float(((n1 * n2 * (a + c) - a * c * n) / n**2).sum())
    return _Pooled(math.log(total_r / total_s), spread / (total_r * total_s), c * n1 / n)


def _risk_difference(cells: Cells) -> _Pooled | None:
    a, b, c, d = cells
    n1, n2 = a + b, c + d
    n = n1 + n2
    weights = n1 * n2 / n
    total = float(weights.sum())
    difference = float(((a * n2 - c * n1) / n).sum()) / total
    p = (n1 * n1 * c - n2 * n2 * a + n1 * n2 * (n2 - n1) / 2) / n**2
    q = (a * d + b * c) / (2 * n)
    return _Pooled(difference, (difference * float(p.sum()) + float(q.sum())) / total**2, weights)


def _odds_ratio_tests(cells: Cells, odds_ratio: float) -> tuple[TestResult, ...]:
    """Return Cochran's and the Mantel-Haenszel test, and those of Breslow and Day and of Tarone."""
    a, b, c, d = cells
    n1, events = a + b, a + c
    n = n1 + c + d
    excess, variance = peto_terms(cells)
    gap = max(0.0, abs(float(excess.sum())) - 0.5) ** 2
    association = {
        "Cochran": gap / float((variance * (n - 1) / n).sum()),
        "Mantel-Haenszel": gap / float(variance.sum()),
    }
    counted = (events > 0) & (b + d > 0)
    expected = _expected_events(n1[counted], events[counted], n[counted], odds_ratio)
    others = (n1[counted] - expected, events[counted] - expected)
    cells_expected = (expected, *others, n[counted] - n1[counted] - events[counted] + expected)
    # an odds ratio beyond all measure leaves a cell that rounds to 0, and a table that says nothing
    open_tables = np.minimum.reduce(cells_expected) > 0.0
    spread = 1 / sum((1 / cell[open_tables] for cell in cells_expected), np.zeros(int(open_tables.sum())))
    gaps = (a[counted] - expected)[open_tables]
    breslow_day = float((gaps * gaps / spread).sum())
    df = int(open_tables.sum()) - 1
    tests = [_chi2_test(name, "no association", value, 1) for name, value in association.items()]
    if df > 0:
        tarone = breslow_day - float(gaps.sum()) ** 2 / float(spread.sum())
        homogeneity = {"Breslow-Day": breslow_day, "Tarone": tarone}
        tests += [_chi2_test(name, "one odds ratio", value, df) for name, value in homogeneity.items()]
    return tuple(tests)


def _chi2_test(name: str, null: str, statistic: float, df: int) -> TestResult:
    p = chi2_tail(statistic, df)
    return TestResult(name=name, null=null, distribution="chi2", statistic=statistic, df=float(df), p=p)


def _expected_events(n1: FloatArray, events: FloatArray, n: FloatArray, odds_ratio: float) -> FloatArray:
    """Return the events expected in the first arm, given the margins and a common odds ratio.

    The root of a quadratic, in the form that does not cancel for an odds ratio near 1.
    """
    free = n - n1 - events
    bend = 1.0 - odds_ratio
    slope = free + odds_ratio * (n1 + events)
    found: FloatArray = (
        2 * odds_ratio * n1 * events / (slope + np.sqrt(slope * slope + 4 * bend * odds_ratio * n1 * events))
    )
    return found


MANTEL_HAENSZEL = registry(
    Method(
        key="OR",
        label="Mantel-Haenszel odds ratio",
        function=_odds_ratio,
        reference="Robins J, Breslow N, Greenland S. Biometrics 1986;42:311-323. doi:10.2307/2531052",
        sentence="Odds ratios were pooled by the Mantel-Haenszel method.",
    ),
    Method(
        key="RR",
        label="Mantel-Haenszel risk ratio",
        function=_risk_ratio,
        reference="Greenland S, Robins JM. Biometrics 1985;41:55-68. doi:10.2307/2530643",
        sentence="Risk ratios were pooled by the Mantel-Haenszel method.",
    ),
    Method(
        key="RD",
        label="Mantel-Haenszel risk difference",
        function=_risk_difference,
        reference="Sato T, Greenland S, Robins JM. Biometrics 1989;45:1323-1324.",
        sentence="Risk differences were pooled by the Mantel-Haenszel method.",
    ),
)
