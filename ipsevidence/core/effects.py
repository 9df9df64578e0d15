"""From what a study reports to its effect and sampling variance. NumPy only."""

import dataclasses
import math
from collections.abc import Callable
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np

from ipsevidence.core.inputs import (
    LARGEST_COUNT,
    InputError,
    check_array,
    check_each,
    check_number,
    check_same_length,
    check_size,
    check_sizes_of_groups,
    check_word,
)
from ipsevidence.core.registry import Method, choose, registry
from ipsevidence.core.results import FloatArray

CORRECTED_STUDIES = ("only0", "all", "if0all", "none")
DOUBLE_ZEROS = ("drop", "keep")


class Cells(NamedTuple):
    """The four counts of 2x2 tables: events and non-events in the first arm, then in the second."""

    a: FloatArray
    b: FloatArray
    c: FloatArray
    d: FloatArray


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Measure(Method):
    """An effect measure.

    Attributes
    ----------
    needs : {'two-by-two', 'proportion', 'two-means', 'correlation', 'effect'}
        What it is computed from.
    scale : {'log', 'identity', 'logit', 'arcsine', 'fisher-z'}
        The scale that is pooled on; ``log`` measures are shown as their exponential.
    null : float
        The value that means no difference, on the scale it is shown on; nan where there is none.
    back : callable
        From the pooled scale to the one it is shown on.
    corrected : bool
        Whether a correction for zeros applies.
    """

    needs: str
    scale: str
    null: float
    back: Callable[[Any], FloatArray]
    corrected: bool = False


def two_by_two(
    measure: str,
    ai: Any,
    n1i: Any,
    ci: Any,
    n2i: Any,
    *,
    add: float = 0.5,
    to: str = "only0",
    double_zeros: str = "drop",
    correct_difference: bool = False,
) -> tuple[FloatArray, FloatArray]:
    """Return effects and sampling variances from events and sizes of two arms.

    Parameters
    ----------
    measure : {'OR', 'RR', 'RD', 'AS', 'PETO'}
        Odds ratio, risk ratio and Peto's odds ratio come as natural logarithms, the risk difference and
        the arcsine difference as they are. Values above the null mean more events in the first arm.
    ai, ci : array_like of shape (k,)
        Events in the first and second arm; they need not be whole.
    n1i, n2i : array_like of shape (k,)
        Participants in the first and second arm, above 0.
    add : float
        What the correction for zeros adds to each of the four cells.
    to : {'only0', 'all', 'if0all', 'none'}
        Which studies are corrected: those with an empty cell, all, all as soon as one has an empty
        cell, or none.
    double_zeros : {'drop', 'keep'}
        What becomes of a study in which nobody, or everybody, in both arms had the event. ``drop``
        gives nan on the relative measures, for the caller to leave out and to list; ``keep`` treats
        it as any other.
    correct_difference : bool
        Whether the correction also moves the risk difference itself. By default only its variance is
        corrected.

    Returns
    -------
    y, v : ndarray of shape (k,)
        Effects and variances; nan where a study has no finite estimate.

    Raises
    ------
    InputError
        If a parameter cannot be used; the message names it and the study.

    Notes
    -----
    Variances are the large-sample ones (Woolf; Katz; the binomial one for the difference). A risk
    difference needs no correction: 0 of 20 against 4 of 20 is -0.20. Only its variance would be
    too small, so that alone is taken from the corrected cells, as R's ``meta`` does; R's
    ``metafor`` moves the difference too, which `correct_difference` asks for. The arcsine difference
    needs no correction and gets none. Peto's odds ratio needs one only for a study in which nobody or
    everybody had the event, but is corrected as the others are unless ``to="none"``.

    References
    ----------
    .. [1] Sweeting MJ, Sutton AJ, Lambert PC. What to add to nothing? Stat Med 2004;23:1351-1375.
       doi:10.1002/sim.1761

    Examples
    --------
    >>> y, v = two_by_two("RR", [4], [123], [11], [139])
    >>> round(float(y[0]), 6), round(float(v[0]), 6)
    (-0.889311, 0.325585)
    """
    chosen = choose_measure(measure, "two-by-two")
    check_word("to", to, CORRECTED_STUDIES)
    check_word("double_zeros", double_zeros, DOUBLE_ZEROS)
    add = check_number("add", add, least=0, below=LARGEST_COUNT)
    plain = check_two_by_two(ai, n1i, ci, n2i)
    corrected = correct_zeros(plain, add=add, to=to) if chosen.corrected else plain
    with np.errstate(divide="ignore", invalid="ignore"):
        y, v = chosen.function(corrected)
        if chosen.key == "RD" and not correct_difference:
            y = _risk_difference(plain)[0]
    dropped = is_double_zero(plain) if double_zeros == "drop" and chosen.scale == "log" else None
    return _usable(y, v, dropped)


def proportion(measure: str, xi: Any, ni: Any, *, add: float = 0.5, to: str = "only0") -> tuple[FloatArray, FloatArray]:
    """Return effects and sampling variances from events and sizes of single groups.

    Parameters
    ----------
    measure : {'PR', 'PLO', 'PAS', 'PFT'}
        Raw proportion, log odds, arcsine of the square root, Freeman-Tukey double arcsine.
    xi, ni : array_like of shape (k,)
        Events, which need not be whole, and participants.
    add : float
        What the correction adds to events and to non-events, for PR and PLO.
    to : {'only0', 'all', 'if0all', 'none'}
        Which groups are corrected: those in which nobody or everybody had the event, all, all as soon
        as there is one of those, or none.

    Returns
    -------
    y, v : ndarray of shape (k,)
        Effects and variances; nan where a group has no finite estimate.

    Raises
    ------
    InputError
        If a parameter cannot be used; the message names it and the group.

    Notes
    -----
    The raw proportion is moved by the correction as R's ``metafor`` does. The Freeman-Tukey value is the
    half sum of the two arcsines, with variance 1/(4n + 2). Turning a pooled one back into a proportion
    needs one size for many (see `freeman_tukey_back`), which can mislead when sizes differ.

    References
    ----------
    .. [1] Freeman MF, Tukey JW. Ann Math Stat 1950;21:607-611. doi:10.1214/aoms/1177729756
    .. [2] Schwarzer G, et al. Seriously misleading results using inverse of Freeman-Tukey double arcsine
       transformation. Res Synth Methods 2019;10:476-483. doi:10.1002/jrsm.1348
    """
    chosen = choose_measure(measure, "proportion")
    check_word("to", to, CORRECTED_STUDIES)
    add = check_number("add", add, least=0, below=LARGEST_COUNT)
    x, n = check_proportions(xi, ni)
    if chosen.corrected and to != "none":
        extreme = (x == 0) | (x == n)
        selected = {"only0": extreme, "all": np.full_like(extreme, True), "if0all": extreme | extreme.any()}[to]
        x, n = x + add * selected, n + 2 * add * selected
    with np.errstate(divide="ignore", invalid="ignore"):
        return _usable(*chosen.function(x, n))


def two_means(
    measure: str,
    m1i: Any,
    sd1i: Any,
    n1i: Any,
    m2i: Any,
    sd2i: Any,
    n2i: Any,
    *,
    pooled_sd: bool = False,
    exact: bool = True,
) -> tuple[FloatArray, FloatArray]:
    """Return effects and sampling variances from means and standard deviations of two arms.

    Parameters
    ----------
    measure : {'MD', 'SMD', 'ROM'}
        Mean difference, standardised mean difference (Hedges's g), logarithm of the ratio of means.
    m1i, sd1i, n1i, m2i, sd2i, n2i : array_like of shape (k,)
        Mean, standard deviation and size of the first arm, then of the second.
    pooled_sd : bool
        For MD: whether the variance takes both arms to share one standard deviation.
    exact : bool
        For SMD: whether the small-sample factor is the exact one with gamma functions, or its
        approximation 1 - 3/(4m - 1) with m = n1 + n2 - 2.

    Returns
    -------
    y, v : ndarray of shape (k,)
        Effects (first arm less second) and variances; nan where there is no finite estimate.

    Raises
    ------
    InputError
        If a parameter cannot be used; the message names it and the study.

    Notes
    -----
    The variance of g is 1/n1 + 1/n2 + g^2 / (2 (n1 + n2)).

    References
    ----------
    .. [1] Hedges LV. J Educ Stat 1981;6:107-128. doi:10.3102/10769986006002107
    .. [2] Hedges LV, Gurevitch J, Curtis PS. Ecology 1999;80:1150-1156.
       doi:10.1890/0012-9658(1999)080[1150:TMAORR]2.0.CO;2
    """
    chosen = choose_measure(measure, "two-means")
    names = ("m1i", "sd1i", "n1i", "m2i", "sd2i", "n2i")
    given = (m1i, sd1i, n1i, m2i, sd2i, n2i)
    arms = {name: check_array(name, values) for name, values in zip(names, given, strict=True)}
    check_same_length(**arms)
    for name, values in arms.items():
        if name.startswith("n"):
            check_each(name, values, np.isfinite(values) & (values > 1), "be finite and above 1")
            check_sizes_of_groups(name, values)
        else:
            check_size(name, values)
        if name.startswith("sd"):
            check_each(name, values, values >= 0, "be finite and at least 0")
    with np.errstate(divide="ignore", invalid="ignore"):
        return _usable(*chosen.function(*arms.values(), pooled_sd=pooled_sd, exact=exact))


def correlation(measure: str, ri: Any, ni: Any) -> tuple[FloatArray, FloatArray]:
    """Return effects and sampling variances from correlations.

    Parameters
    ----------
    measure : {'ZCOR'}
        Fisher's z.
    ri, ni : array_like of shape (k,)
        Correlations, strictly between -1 and 1, and sizes, above 3.

    Returns
    -------
    y, v : ndarray of shape (k,)
        z = atanh(r) and 1/(n - 3).

    Raises
    ------
    InputError
        If a parameter cannot be used; the message names it and the study.

    References
    ----------
    .. [1] Fisher RA. Metron 1921;1:3-32.
    """
    chosen = choose_measure(measure, "correlation")
    r, n = check_array("ri", ri), check_array("ni", ni)
    check_same_length(ri=r, ni=n)
    check_each("ri", r, np.abs(r) < 1, "lie strictly between -1 and 1")
    check_each("ni", n, np.isfinite(n) & (n > 3), "be finite and above 3")
    check_sizes_of_groups("ni", n)
    y, v = chosen.function(r, n)
    return y, v


def published_effect(
    measure: str,
    estimate: Any,
    *,
    low: Any = None,
    high: Any = None,
    p: Any = None,
    level: float = 0.95,
) -> tuple[FloatArray, FloatArray]:
    """Return effects and sampling variances from printed estimates with an interval or a p-value.

    Parameters
    ----------
    measure : str
        Key of `MEASURES`; ratios are given as ratios and come back as logarithms, correlations as
        Fisher's z; every other measure is taken on the scale it is pooled on.
    estimate : array_like of shape (k,)
        Printed estimates.
    low, high : array_like of shape (k,), optional
        Printed bounds, both or none.
    p : array_like of shape (k,), optional
        Printed two-sided p-values, where there are no bounds.
    level : float
        Level of the printed intervals.

    Returns
    -------
    y, v : ndarray of shape (k,)
        Effects and variances.

    Raises
    ------
    InputError
        If a parameter cannot be used, or if an estimate lies outside its bounds.

    Notes
    -----
    Intervals and tests are taken to be Wald ones on the pooled scale. The standard error comes from the
    width of the interval, so that rounding of the estimate does not enter.
    """
    chosen = choose("measure", measure, MEASURES)
    transform = _FORWARD.get(chosen.scale, _check_finite)
    y = transform("estimate", check_array("estimate", estimate))
    if p is None:
        if low is None or high is None:
            raise InputError("low and high must be given together, or else p", parameter="low")
        lower, upper = transform("low", check_array("low", low)), transform("high", check_array("high", high))
        check_same_length(estimate=y, low=lower, high=upper)
        check_each("low", lower, lower < upper, "lie below high (on the pooled scale)")
        check_each("estimate", y, (lower <= y) & (y <= upper), "lie between low and high (on the pooled scale)")
        quantile = NormalDist().inv_cdf(0.5 + check_number("level", level, above=0, below=1) / 2)
        return y, ((upper - lower) / (2 * quantile)) ** 2
    if low is not None or high is not None:
        raise InputError("p must not be given beside low and high", parameter="p")
    probability = check_array("p", p)
    check_same_length(estimate=y, p=probability)
    check_each("p", probability, (probability > 0) & (probability < 1), "lie strictly between 0 and 1")
    check_each("estimate", y, y != 0, "differ from the null where only p is given")
    z = np.array([-NormalDist().inv_cdf(value / 2) for value in probability])
    return y, (y / z) ** 2


def freeman_tukey_back(y: Any, n: Any) -> FloatArray:
    """Return the proportion that belongs to a Freeman-Tukey value for one size n.

    Parameters
    ----------
    y : array_like
        Freeman-Tukey values (half sums of arcsines, between 0 and pi/2).
    n : array_like
        Size; for a pooled value the harmonic mean of the sizes.

    Returns
    -------
    ndarray
        Proportions. A value beyond what 0 or n events of n would give is returned as 0 or 1.

    Notes
    -----
    For pooled values the answer depends on the n chosen and can mislead when sizes differ greatly
    (Schwarzer et al 2019): prefer log odds.

    References
    ----------
    .. [1] Miller JJ. The inverse of the Freeman-Tukey double arcsine transformation. Am Stat
       1978;32:138. doi:10.1080/00031305.1978.10479283
    """
    y, n = np.asarray(y, dtype=float), np.asarray(n, dtype=float)
    check_size("y", np.atleast_1d(y).ravel())
    check_sizes_of_groups("n", np.atleast_1d(n).ravel())
    least = _freeman_tukey(np.zeros_like(n), n)[0]
    most = _freeman_tukey(n, n)[0]
    sine, cosine = np.sin(2 * y), np.cos(2 * y)
    with np.errstate(divide="ignore", invalid="ignore"):
        root = np.sqrt(np.maximum(0.0, 1 - (sine + (sine - 1 / sine) / n) ** 2))
    inside: FloatArray = 0.5 * (1 - np.sign(cosine) * root)
    return np.where(y <= least, 0.0, np.where(y >= most, 1.0, inside))


def harmonic_mean(n: Any) -> float:
    """Return the harmonic mean of sizes."""
    sizes = check_array("n", n)
    check_sizes_of_groups("n", sizes)
    return float(sizes.size / (1 / sizes).sum())


def choose_measure(measure: Any, needs: str) -> "Measure":
    """Return the measure that `measure` names among those computed from `needs`."""
    return choose("measure", measure, {key: m for key, m in MEASURES.items() if m.needs == needs})


def check_two_by_two(ai: Any, n1i: Any, ci: Any, n2i: Any) -> Cells:
    """Return the cells of 2x2 tables, or raise `InputError` for counts that cannot be.

    Parameters
    ----------
    ai, n1i, ci, n2i : array_like of shape (k,)
        Events and participants of the first arm, then of the second.

    Returns
    -------
    Cells
    """
    counts = {name: check_array(name, given) for name, given in zip(_COUNTS, (ai, n1i, ci, n2i), strict=True)}
    check_same_length(**counts)
    for events, size in (("ai", "n1i"), ("ci", "n2i")):
        check_sizes_of_groups(size, counts[size])
        check_each(
            events,
            counts[events],
            np.isfinite(counts[events]) & (counts[events] >= 0),
            "be finite and at least 0",
        )
        check_each(events, counts[events], counts[events] <= counts[size], f"be at most {size}")
        check_each(events, counts[events], _countable(counts[events]), f"be 0 or at least {1 / LARGEST_COUNT:g}")
    a, n1, c, n2 = counts.values()
    return Cells(a, n1 - a, c, n2 - c)


def correct_zeros(cells: Cells, *, add: float, to: str) -> Cells:
    """Return the cells with `add` added to all four of the studies that `to` selects."""
    if to == "none":
        return cells
    has_zero = np.minimum.reduce(cells) == 0
    selected = {
        "only0": has_zero,
        "all": np.full_like(has_zero, True),
        "if0all": np.full_like(has_zero, has_zero.any()),
    }
    return Cells(*(cell + add * selected[to] for cell in cells))


def is_double_zero(cells: Cells) -> Any:
    """Return, for each study, whether nobody or everybody in both arms had the event."""
    return ((cells.a == 0) & (cells.c == 0)) | ((cells.b == 0) & (cells.d == 0))


def check_proportions(xi: Any, ni: Any) -> tuple[FloatArray, FloatArray]:
    """Return events and sizes of single groups, or raise `InputError` for counts that cannot be."""
    x, n = check_array("xi", xi), check_array("ni", ni)
    check_same_length(xi=x, ni=n)
    check_sizes_of_groups("ni", n)
    check_each("xi", x, np.isfinite(x) & (x >= 0), "be finite and at least 0")
    check_each("xi", x, x <= n, "be at most ni")
    check_each("xi", x, _countable(x), f"be 0 or at least {1 / LARGEST_COUNT:g}")
    return x, n


def _countable(events: FloatArray) -> Any:
    return (events == 0.0) | (events >= 1.0 / LARGEST_COUNT)


def _usable(y: FloatArray, v: FloatArray, dropped: Any = None) -> tuple[FloatArray, FloatArray]:
    """Return nan in both places for studies without a finite estimate of positive variance."""
    unusable = ~(np.isfinite(y) & np.isfinite(v) & (v > 0))
    if dropped is not None:
        unusable |= dropped
    return np.where(unusable, np.nan, y), np.where(unusable, np.nan, v)


def _odds_ratio(cells: Cells) -> tuple[FloatArray, FloatArray]:
    a, b, c, d = cells
    return (np.log(a) - np.log(b)) - (np.log(c) - np.log(d)), (1 / a + 1 / b) + (1 / c + 1 / d)


def _risk_ratio(cells: Cells) -> tuple[FloatArray, FloatArray]:
    a, b, c, d = cells
    y = np.log(a / (a + b)) - np.log(c / (c + d))
    # 1/a - 1/n would cancel where nearly everybody has the event
    return y, b / (a * (a + b)) + d / (c * (c + d))


def _risk_difference(cells: Cells) -> tuple[FloatArray, FloatArray]:
    a, b, c, d = cells
    return a / (a + b) - c / (c + d), a * b / (a + b) ** 3 + c * d / (c + d) ** 3


def _arcsine_difference(cells: Cells) -> tuple[FloatArray, FloatArray]:
    a, b, c, d = cells
    y = np.arcsin(np.sqrt(a / (a + b))) - np.arcsin(np.sqrt(c / (c + d)))
    return y, 1 / (4 * (a + b)) + 1 / (4 * (c + d))


def _peto(cells: Cells) -> tuple[FloatArray, FloatArray]:
    excess, v = peto_terms(cells)
    return excess / v, 1 / v


def peto_terms(cells: Cells) -> tuple[FloatArray, FloatArray]:
    """Return observed less expected events in the first arm, and their hypergeometric variance."""
    a, b, c, d = cells
    n1, n2, events = a + b, c + d, a + c
    n = n1 + n2
    # a - n1 events / n would cancel where the arms agree
    return (a * n2 - c * n1) / n, n1 * n2 * events * (b + d) / (n * n * (n - 1))


def _raw_proportion(x: FloatArray, n: FloatArray) -> tuple[FloatArray, FloatArray]:
    return x / n, x * (n - x) / n**3


def _log_odds(x: FloatArray, n: FloatArray) -> tuple[FloatArray, FloatArray]:
    return np.log(x) - np.log(n - x), 1 / x + 1 / (n - x)


def _arcsine(x: FloatArray, n: FloatArray) -> tuple[FloatArray, FloatArray]:
    return np.arcsin(np.sqrt(x / n)), 1 / (4 * n)


def _freeman_tukey(x: FloatArray, n: FloatArray) -> tuple[FloatArray, FloatArray]:
    y = 0.5 * (np.arcsin(np.sqrt(x / (n + 1))) + np.arcsin(np.sqrt((x + 1) / (n + 1))))
    return y, 1 / (4 * n + 2)


def _mean_difference(*arms: FloatArray, pooled_sd: bool, exact: bool) -> tuple[FloatArray, FloatArray]:
    m1, sd1, n1, m2, sd2, n2 = arms
    del exact
    if pooled_sd:
        return m1 - m2, _pooled_variance(sd1, n1, sd2, n2) * (1 / n1 + 1 / n2)
    return m1 - m2, sd1**2 / n1 + sd2**2 / n2


def _standardised(*arms: FloatArray, pooled_sd: bool, exact: bool) -> tuple[FloatArray, FloatArray]:
    m1, sd1, n1, m2, sd2, n2 = arms
    del pooled_sd
    factor = np.array([_hedges_factor(m, exact=exact) for m in n1 + n2 - 2])
    y = factor * (m1 - m2) / np.sqrt(_pooled_variance(sd1, n1, sd2, n2))
    return y, 1 / n1 + 1 / n2 + y**2 / (2 * (n1 + n2))


def _hedges_factor(m: float, *, exact: bool) -> float:
    if not exact:
        return 1 - 3 / (4 * m - 1)
    return math.exp(math.lgamma(m / 2) - math.lgamma((m - 1) / 2) - 0.5 * math.log(m / 2)) if m > 1 else math.nan


def _pooled_variance(sd1: FloatArray, n1: FloatArray, sd2: FloatArray, n2: FloatArray) -> FloatArray:
    variance: FloatArray = ((n1 - 1) * sd1**2 + (n2 - 1) * sd2**2) / (n1 + n2 - 2)
    return variance


def _ratio_of_means(*arms: FloatArray, pooled_sd: bool, exact: bool) -> tuple[FloatArray, FloatArray]:
    m1, sd1, n1, m2, sd2, n2 = arms
    del pooled_sd, exact
    return np.log(m1 / m2), sd1**2 / (n1 * m1**2) + sd2**2 / (n2 * m2**2)


def _fisher_z(r: FloatArray, n: FloatArray) -> tuple[FloatArray, FloatArray]:
    return np.arctanh(r), 1 / (n - 3)


def _as_given(y: FloatArray, v: FloatArray) -> tuple[FloatArray, FloatArray]:
    return y, v


def _check_finite(parameter: str, values: FloatArray) -> FloatArray:
    check_size(parameter, values)
    return values


def _check_log(parameter: str, values: FloatArray) -> FloatArray:
    check_each(parameter, values, np.isfinite(values) & (values > 0), "be finite and above 0, as a ratio is")
    return np.log(values)


def _check_atanh(parameter: str, values: FloatArray) -> FloatArray:
    check_each(parameter, values, np.abs(values) < 1, "lie strictly between -1 and 1, as a correlation does")
    return np.arctanh(values)


def _same(y: Any) -> FloatArray:
    return np.asarray(y, dtype=float)


def _expit(y: Any) -> FloatArray:
    p: FloatArray = 0.5 * (1 + np.tanh(0.5 * _same(y)))
    return p


def _sine_squared(y: Any) -> FloatArray:
    p: FloatArray = np.sin(np.clip(y, 0.0, math.pi / 2)) ** 2
    return p


_FORWARD = {"log": _check_log, "fisher-z": _check_atanh}

_COUNTS = ("ai", "n1i", "ci", "n2i")

MEASURES = registry(
    Measure(
        key="OR",
        label="odds ratio",
        function=_odds_ratio,
        reference="Woolf B. Ann Hum Genet 1955;19:251-253. doi:10.1111/j.1469-1809.1955.tb01348.x",
        sentence="Effects were expressed as odds ratios and pooled as their logarithms.",
        needs="two-by-two",
        scale="log",
        null=1.0,
        back=np.exp,
        corrected=True,
    ),
    Measure(
        key="RR",
        label="risk ratio",
        function=_risk_ratio,
        reference="Katz D, Baptista J, Azen SP, Pike MC. Biometrics 1978;34:469-474. doi:10.2307/2530610",
        sentence="Effects were expressed as risk ratios and pooled as their logarithms.",
        needs="two-by-two",
        scale="log",
        null=1.0,
        back=np.exp,
        corrected=True,
    ),
    Measure(
        key="RD",
        label="risk difference",
        function=_risk_difference,
        reference="Sweeting MJ, Sutton AJ, Lambert PC. Stat Med 2004;23:1351-1375. doi:10.1002/sim.1761",
        sentence="Effects were expressed as risk differences.",
        needs="two-by-two",
        scale="identity",
        null=0.0,
        back=_same,
        corrected=True,
    ),
    Measure(
        key="AS",
        label="arcsine difference",
        function=_arcsine_difference,
        reference="Rücker G, Schwarzer G, Carpenter J, Olkin I. Stat Med 2009;28:721-738. doi:10.1002/sim.3511",
        sentence="Effects were expressed as differences of arcsine-transformed risks.",
        needs="two-by-two",
        scale="identity",
        null=0.0,
        back=_same,
    ),
    Measure(
        key="PETO",
        label="Peto odds ratio",
        function=_peto,
        reference="Yusuf S, Peto R, Lewis J, Collins R, Sleight P. Prog Cardiovasc Dis 1985;27:335-371. "
        "doi:10.1016/S0033-0620(85)80003-7",
        sentence="Effects were expressed as odds ratios by Peto's one-step method.",
        needs="two-by-two",
        scale="log",
        null=1.0,
        back=np.exp,
        corrected=True,
    ),
    Measure(
        key="PR",
        label="proportion",
        function=_raw_proportion,
        reference="Schwarzer G, Rücker G. Methods Mol Biol 2022;2345:159-172. doi:10.1007/978-1-0716-1566-9_10",
        sentence="Proportions were pooled untransformed.",
        needs="proportion",
        scale="identity",
        null=math.nan,
        back=_same,
        corrected=True,
    ),
    Measure(
        key="PLO",
        label="proportion (logit)",
        function=_log_odds,
        reference="Schwarzer G, Rücker G. Methods Mol Biol 2022;2345:159-172. doi:10.1007/978-1-0716-1566-9_10",
        sentence="Proportions were pooled on the logit scale.",
        needs="proportion",
        scale="logit",
        null=math.nan,
        back=_expit,
        corrected=True,
    ),
    Measure(
        key="PAS",
        label="proportion (arcsine)",
        function=_arcsine,
        reference="Schwarzer G, Rücker G. Methods Mol Biol 2022;2345:159-172. doi:10.1007/978-1-0716-1566-9_10",
        sentence="Proportions were pooled after arcsine transformation.",
        needs="proportion",
        scale="arcsine",
        null=math.nan,
        back=_sine_squared,
    ),
    Measure(
        key="PFT",
        label="proportion (Freeman-Tukey)",
        function=_freeman_tukey,
        reference="Freeman MF, Tukey JW. Ann Math Stat 1950;21:607-611. doi:10.1214/aoms/1177729756",
        sentence="Proportions were pooled after Freeman-Tukey double arcsine transformation.",
        needs="proportion",
        scale="arcsine",
        null=math.nan,
        back=_sine_squared,
    ),
    Measure(
        key="MD",
        label="mean difference",
        function=_mean_difference,
        reference="Normand SLT. Stat Med 1999;18:321-359. "
        "doi:10.1002/(SICI)1097-0258(19990215)18:3<321::AID-SIM28>3.0.CO;2-P",
        sentence="Effects were expressed as mean differences.",
        needs="two-means",
        scale="identity",
        null=0.0,
        back=_same,
    ),
    Measure(
        key="SMD",
        label="standardised mean difference",
        function=_standardised,
        reference="Hedges LV. J Educ Stat 1981;6:107-128. doi:10.3102/10769986006002107",
        sentence="Effects were expressed as standardised mean differences (Hedges's g).",
        needs="two-means",
        scale="identity",
        null=0.0,
        back=_same,
    ),
    Measure(
        key="ROM",
        label="ratio of means",
        function=_ratio_of_means,
        reference="Hedges LV, Gurevitch J, Curtis PS. Ecology 1999;80:1150-1156. "
        "doi:10.1890/0012-9658(1999)080[1150:TMAORR]2.0.CO;2",
        sentence="Effects were expressed as ratios of means and pooled as their logarithms.",
        needs="two-means",
        scale="log",
        null=1.0,
        back=np.exp,
    ),
    Measure(
        key="ZCOR",
        label="correlation",
        function=_fisher_z,
        reference="Fisher RA. Metron 1921;1:3-32.",
        sentence="Correlations were pooled as Fisher's z.",
        needs="correlation",
        scale="fisher-z",
        null=0.0,
        back=np.tanh,
    ),
    Measure(
        key="GEN",
        label="effect",
        function=_as_given,
        reference="Borenstein M, Hedges LV, Higgins JPT, Rothstein HR. Introduction to Meta-Analysis. 2009.",
        sentence="Effects were pooled as they were given.",
        needs="effect",
        scale="identity",
        null=0.0,
        back=_same,
    ),
)
