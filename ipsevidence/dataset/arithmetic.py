"""The arithmetic of printed numbers: which counts give a printed percent, and which effect given counts have.

What is printed is rounded. A count fits a percent, and counts give an effect, when rounding to the printed digits
gives what is printed; nothing here is compared any closer, or any less closely, than that.
"""

import math
import re
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ipsevidence.dataset.record import Published

__all__ = [
    "RATIOS",
    "RECOMPUTABLE",
    "Effects",
    "RuleResult",
    "Table",
    "agrees",
    "chi_square_p",
    "continuity_corrected",
    "estimate_agrees",
    "fitting_counts",
    "half_unit",
    "interval_agrees",
    "is_hedged",
    "is_rounded_to",
    "log_symmetric",
    "nearest_counts",
    "p_values",
    "printed_p",
    "printed_percent",
    "recompute",
    "rule_result",
]

RATIOS = frozenset({"OR", "RR", "HR"})
"""The measures that are ratios: above 0, and symmetric on the log scale."""
RECOMPUTABLE = frozenset({"OR", "RR", "RD", "percentage-points", "chi-square", "NNT"})
"""The measures that two arms' counts determine."""

_SLACK = 1e-9
_Z_95 = 1.959963984540054
_LEAST_DF = 3
_MOST_TABLES = 100_000
_TIE = 1e-7

_PERCENT = re.compile(
    r"(?<![\d.,\u00b7])(\d{1,3}(?:[.,\u00b7]\d{1,6})?)\s*(?:%|per\s?cent\b)(?!\s*(?:CI\b|confidence))", re.IGNORECASE
)
# What stands before a percent and makes it a bound, a range or an approximation: such a percent rules nothing out.
_HEDGED = re.compile(
    r"(?:[<>\u2264\u2265~\u2248\u00b1]|\d%?\s*(?:[-\u2013]|to)"
    r"|\b(?:about|around|approx\.?|approximately|circa|ca\.?|roughly|nearly|almost|over|under|above|below|up to"
    r"|at (?:least|most)|(?:more|less|fewer) than))\s*$",
    re.IGNORECASE,
)
# What a printed number may start with that is no exact number: "over half", "about 40%".
_NOT_EXACT = re.compile(
    r"\W*?(?:[<>\u2264\u2265~\u2248]|(?:about|around|approx\.?|approximately|circa|ca\.?|roughly|nearly|almost|over|under"
    r"|above|below|up to|upwards of|at (?:least|most)|(?:more|less|fewer) than)(?!\w))",
    re.IGNORECASE,
)
_P_VALUE = re.compile(r"\s*(?:p\s*)?([<>=\u2264\u2265]?)\s*(\d{0,3}\.\d{1,12}|\d{1,3})\s*", re.IGNORECASE)
_LONGEST_P = 40
_LONGEST_RULE = 200
_TERM = r"(?:\d{1,3}(?:,\d{3})+|\d{1,15})(?:\.\d{1,15})?"
_SUM = re.compile(rf"\s*{_TERM}(?:\s*[-+*/\u2212\u00d7\u00f7]\s*{_TERM})+\s*(?:=\s*{_TERM}\s*)?")
_SHARE = re.compile(rf"\s*({_TERM})\s*%\s*of\s*({_TERM})\s*")
_TOKEN = re.compile(rf"{_TERM}|[-+*/\u2212\u00d7\u00f7]")
_PLAIN_SIGN = {"\u2212": "-", "\u00d7": "*", "\u00f7": "/"}


class Table(NamedTuple):
    """Events and persons of the arm an effect is of, then of the arm it is against."""

    events: int
    n: int
    other_events: int
    other_n: int

    def __str__(self) -> str:
        return f"{self.events}/{self.n} v {self.other_events}/{self.other_n}"


class RuleResult(NamedTuple):
    """What a rule comes to, and the numbers it is made of."""

    value: Fraction
    operands: tuple[Fraction, ...]


class Effects(NamedTuple):
    """An effect of each of k tables, with its interval; nan where there is none.

    ``t_low`` and ``t_high`` are the bounds of a difference by Student's t in place of the normal distribution.
    """

    estimate: "NDArray[np.float64]"
    low: "NDArray[np.float64]"
    high: "NDArray[np.float64]"
    t_low: "NDArray[np.float64]"
    t_high: "NDArray[np.float64]"


def fitting_counts(percent: Decimal, n: int) -> range:
    """Return the whole numbers of n persons that give a printed percent.

    Parameters
    ----------
    percent : Decimal
        The percent with its printed digits: 76 has none after the point, 76.0 has one.
    n : int
        The number of persons, at least 0.

    Returns
    -------
    range
        Empty where no whole number fits.

    Notes
    -----
    A share that lies exactly between two printed values may have been rounded up, to the even one, or as the binary
    number that a program holds for it, which is a little less or more; all are in use, so all fit: 5 of 40 (12.5%) fits
    13 and 12, 11 of 40 (27.5%) fits 28 only, 971 of 2000 (48.55%) fits 48.6 and 48.5, since C, R and Python print 48.5.

    Examples
    --------
    >>> list(fitting_counts(Decimal("76"), 42)), list(fitting_counts(Decimal("27.1"), 183))
    ([32], [])
    """
    decimals = _decimals(percent)
    printed = int(percent.scaleb(decimals))
    # events / n = printed / (100 * 10^decimals), half a unit either way, in whole numbers
    scale = 200 * 10**decimals
    low = -(-n * (2 * printed - 1) // scale)
    high, rest = divmod(n * (2 * printed + 1), scale)
    if rest == 0 and printed % 2 and not _prints(high, n, percent, decimals):
        high -= 1
    return range(max(low, 0), min(high, n) + 1)


def _prints(events: int, n: int, percent: Decimal, decimals: int) -> bool:
    """Tell whether binary arithmetic, in either order, prints the percent for a share that lies between two values."""
    shares = (100 * events / n, 100 * (events / n)) if n else ()
    return any(f"{share:.{decimals}f}" == f"{percent:f}" for share in shares)


def nearest_counts(percent: Decimal, n: int) -> tuple[int, ...]:
    """Return the whole numbers of n persons on either side of a printed percent.

    Parameters
    ----------
    percent : Decimal
        The printed percent.
    n : int
        The number of persons.

    Returns
    -------
    tuple of int
        One or two numbers between 0 and n.

    Examples
    --------
    >>> nearest_counts(Decimal("27.1"), 183)
    (49, 50)
    """
    exact = Fraction(percent) * n / 100
    sides = (math.floor(exact), math.ceil(exact))
    return tuple(sorted({min(max(side, 0), n) for side in sides}))


def printed_percent(text: str) -> Decimal | None:
    """Read the one percent that a printed text gives.

    Parameters
    ----------
    text : str
        Text as printed, such as ``"76%"``, ``"42·4%"`` or ``"32 (76 per cent)"``.

    Returns
    -------
    Decimal or None
        None where the text gives no percent, more than one, or only a bound, a range or an approximation.

    Examples
    --------
    >>> printed_percent("32 (76.2%)"), printed_percent("about 76%"), printed_percent("44.2% v 37.2%")
    (Decimal('76.2'), None, None)
    """
    found = list(_PERCENT.finditer(text))
    if len(found) != 1 or _HEDGED.search(text[max(found[0].start() - 40, 0) : found[0].start()]):
        return None
    return Decimal(found[0][1].replace(",", ".").replace("\u00b7", "."))


def printed_p(text: str) -> tuple[str, Decimal] | None:
    """Read a p value as printed.

    Parameters
    ----------
    text : str
        Text as printed, such as ``"<.001"``, ``"0.015"`` or ``"p = .03"``.

    Returns
    -------
    tuple of (str, Decimal) or None
        ``<``, ``>`` or ``=``, and the value; None where the text is something else.
    """
    match = _P_VALUE.fullmatch(text) if len(text) <= _LONGEST_P else None
    if match is None:
        return None
    sign = {"\u2264": "<", "\u2265": ">", "": "="}.get(match[1], match[1])
    return sign, Decimal(match[2])


def is_hedged(text: str) -> bool:
    """Tell whether a number as printed is a bound or an approximation, such as ``"over half"`` or ``"about 40%"``.

    Parameters
    ----------
    text : str
        A number as printed; what stands before the number says how exact it is.

    Returns
    -------
    bool

    Examples
    --------
    >>> is_hedged("over half"), is_hedged("half"), is_hedged("overall 40%")
    (True, False, False)
    """
    return _NOT_EXACT.match(text) is not None


def rule_result(rule: str) -> RuleResult | None:
    """Compute a rule that is a sum, a difference, a product or a quotient of numbers.

    Parameters
    ----------
    rule : str
        A rule such as ``541 - 270``, ``42 + 43 = 85`` or ``69% of 271``; no brackets.

    Returns
    -------
    RuleResult or None
        None where the rule is in words.

    Raises
    ------
    ZeroDivisionError
        If the rule divides by 0.

    Examples
    --------
    >>> rule_result("541 - 270").value, rule_result("percent-of-n")
    (Fraction(271, 1), None)
    """
    if len(rule) > _LONGEST_RULE:
        return None
    share = _SHARE.fullmatch(rule)
    if share:
        percent, of = _fraction(share[1]), _fraction(share[2])
        return RuleResult(percent * of / 100, (percent, of))
    if _SUM.fullmatch(rule) is None:
        return None
    tokens = _TOKEN.findall(rule.partition("=")[0])
    operands = tuple(map(_fraction, tokens[::2]))
    total, term, sign = Fraction(0), operands[0], 1
    for operator, operand in zip(tokens[1::2], operands[1:], strict=True):
        plain = _PLAIN_SIGN.get(operator, operator)
        if plain == "*":
            term *= operand
        elif plain == "/":
            term /= operand
        else:
            total, term, sign = total + sign * term, operand, 1 if plain == "+" else -1
    return RuleResult(total + sign * term, operands)


def log_symmetric(estimate: Decimal, low: Decimal, high: Decimal) -> bool:
    """Return whether a ratio lies midway between its bounds on the log scale, as far as the printed digits can tell.

    Parameters
    ----------
    estimate, low, high : Decimal
        A ratio with its interval, as printed.

    Returns
    -------
    bool
        False as well where the bounds are not above 0 or do not hold the estimate.
    """
    if not 0 < low <= estimate <= high:
        return False
    least = math.sqrt(math.prod(max(float(bound) - half_unit(bound), 0.0) for bound in (low, high)))
    most = math.sqrt(math.prod(float(bound) + half_unit(bound) for bound in (low, high)))
    half = half_unit(estimate)
    return least - half <= float(estimate) <= most + half


def half_unit(printed: Decimal) -> float:
    """Return half a unit of the last printed digit: 0.005 for 2.73."""
    return float(Decimal("0.5").scaleb(-_decimals(printed)))


def is_rounded_to(exact: float, printed: Decimal) -> bool:
    """Tell whether a number rounds to what is printed, at the printed digits.

    Parameters
    ----------
    exact : float
        The unrounded number; nan never agrees.
    printed : Decimal
        The number as printed.

    Returns
    -------
    bool
    """
    return abs(exact - float(printed)) <= half_unit(printed) + _SLACK


def chi_square_p(statistic: float) -> float:
    """Return the p value of a chi-square statistic with one degree of freedom."""
    return math.erfc(math.sqrt(max(statistic, 0.0) / 2))


def continuity_corrected(table: Table) -> float:
    """Return the chi-square of a table with Yates's continuity correction; nan without events or without others."""
    return _statistic(table, (table.n + table.other_n) / 2)


def p_values(table: Table) -> dict[str, float]:
    """Return the p values that are commonly printed for a table of counts, by the name of the test.

    Parameters
    ----------
    table : Table
        Counts; events at most n, n at least 1.

    Returns
    -------
    dict of str to float
        Pearson's chi-square, the same with continuity correction, and Fisher's exact test, two-sided: the sum of all
        tables no likelier than the one seen. Fisher's test is left out where more than 100,000 tables are possible.

    Examples
    --------
    >>> {test: round(p, 4) for test, p in p_values(Table(3, 10, 0, 10)).items()}
    {'Pearson': 0.0603, 'Pearson with correction': 0.2104, 'Fisher': 0.2105}
    """
    plain, corrected = _statistic(table, 0), continuity_corrected(table)
    found = {
        "Pearson": 1.0 if math.isnan(plain) else chi_square_p(plain),
        "Pearson with correction": 1.0 if math.isnan(corrected) else chi_square_p(corrected),
    }
    possible = _possible_events(table)
    if len(possible) <= _MOST_TABLES:
        found["Fisher"] = _fisher(table, possible)
    return found


def _statistic(table: Table, correction: float) -> float:
    a, n, c, m = table
    total, events = n + m, a + c
    margins = n * m * events * (total - events)
    return total * max(abs(a * m - c * n) - correction, 0) ** 2 / margins if margins else math.nan


def _possible_events(table: Table) -> range:
    """Return the events that the first arm can have when all four margins are those of the table."""
    events = table.events + table.other_events
    return range(max(0, events - table.other_n), min(events, table.n) + 1)


def _fisher(table: Table, possible: range) -> float:
    events = table.events + table.other_events

    def log_ways(n: int, k: int) -> float:
        return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)

    def weight(first: int) -> float:
        return log_ways(table.n, first) + log_ways(table.other_n, events - first)

    weights = [weight(first) for first in possible]
    most, seen = max(weights), weight(table.events)
    # tables as likely as the one seen count, whatever the last digits of their logarithms
    tail = math.fsum(math.exp(one - most) for one in weights if one <= seen + _TIE)
    return tail / math.fsum(math.exp(one - most) for one in weights)


def recompute(measure: str, tables: "Sequence[Table] | NDArray[np.float64]", level: Decimal | None = None) -> Effects:
    """Compute an effect from the counts of two arms, for each of several sets of counts.

    Parameters
    ----------
    measure : {'OR', 'RR', 'RD', 'percentage-points', 'chi-square', 'NNT'}
        What is printed. Chi-square is Pearson's, without continuity correction.
    tables : sequence of Table, or ndarray of shape (k, 4)
        Counts; events at most n, n at least 1.
    level : Decimal, optional
        Level of the interval in percent, 95 by default.

    Returns
    -------
    Effects
        Ratios as ratios, not as logarithms. The interval is the large-sample one (Woolf, Katz, Wald); nan for
        chi-square and NNT. The t interval of a difference has the same standard error and n1 + n2 - 2 degrees of
        freedom; nan below 3 of them, and for everything else.
    """
    import numpy as np  # only where there is an effect to compute

    from ipsevidence.core.effects import two_by_two

    counts = np.asarray(tables, dtype=float).reshape(-1, 4).T
    if measure == "chi-square":
        statistic = _chi_square(*counts)
        none = np.full_like(statistic, np.nan)
        return Effects(statistic, none, none, none, none)
    y, v = two_by_two(measure if measure in RATIOS else "RD", *counts)
    none = np.full_like(y, np.nan)
    z = _quantile(level)
    half = z * np.sqrt(v)
    if measure in RATIOS:
        return Effects(np.exp(y), np.exp(y - half), np.exp(y + half), none, none)
    if measure == "NNT":
        with np.errstate(divide="ignore"):
            return Effects(1 / y, none, none, none, none)
    unit = 100 if measure == "percentage-points" else 1
    t_half = _t_quantile(z, counts[1] + counts[3] - 2) * np.sqrt(v)
    bounds = (y - half, y + half, y - t_half, y + t_half)
    return Effects(unit * y, *(unit * bound for bound in bounds))


def agrees(published: "Published", tables: "Sequence[Table] | NDArray[np.float64]") -> "NDArray[np.bool_]":
    """Tell for each table whether it gives a printed effect: the estimate and the interval.

    Parameters
    ----------
    published : Published
        The effect as printed, of a measure in `RECOMPUTABLE`.
    tables : sequence of Table, or ndarray of shape (k, 4)
        Counts; events at most n, n at least 1.

    Returns
    -------
    ndarray of shape (k,)
    """
    import numpy as np

    if len(tables) == 0:
        return np.full(0, fill_value=True)
    effects = recompute(published.measure, tables, published.level)
    return estimate_agrees(published, effects) & interval_agrees(published, effects)


def estimate_agrees(published: "Published", effects: Effects) -> "NDArray[np.bool_]":
    """Tell for each table whether it gives the printed estimate; a printed effect without one agrees with all.

    Parameters
    ----------
    published : Published
        The effect as printed.
    effects : Effects
        The same measure, recomputed from k tables.

    Returns
    -------
    ndarray of shape (k,)

    Notes
    -----
    A number needed to treat is printed rounded, or rounded up to the next whole number; both agree.
    """
    import numpy as np

    if published.estimate is None:
        return np.full(effects.estimate.shape, fill_value=True)
    same = _rounded(effects.estimate, published.estimate)
    if published.measure == "NNT":
        same |= np.ceil(effects.estimate - _SLACK) == float(published.estimate)
    return same


def interval_agrees(published: "Published", effects: Effects) -> "NDArray[np.bool_]":
    """Tell for each table whether it gives the printed interval; where none can be compared, all agree.

    The interval of a difference may be that of the normal or of the t distribution.

    Parameters
    ----------
    published : Published
        The effect as printed.
    effects : Effects
        The same measure, recomputed from k tables.

    Returns
    -------
    ndarray of shape (k,)
    """
    import numpy as np

    if published.ci is None or published.measure in {"chi-square", "NNT"}:
        return np.full(effects.estimate.shape, fill_value=True)
    low, high = published.ci
    by_normal = _rounded(effects.low, low) & _rounded(effects.high, high)
    return by_normal | (_rounded(effects.t_low, low) & _rounded(effects.t_high, high))


def _rounded(exact: "NDArray[np.float64]", printed: Decimal) -> "NDArray[np.bool_]":
    same: NDArray[np.bool_] = abs(exact - float(printed)) <= half_unit(printed) + _SLACK
    return same


def _chi_square(
    a: "NDArray[np.float64]", n1: "NDArray[np.float64]", c: "NDArray[np.float64]", n2: "NDArray[np.float64]"
) -> "NDArray[np.float64]":
    import numpy as np

    total, events = n1 + n2, a + c
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic: NDArray[np.float64] = total * (a * n2 - c * n1) ** 2 / (n1 * n2 * events * (total - events))
    return statistic


def _quantile(level: Decimal | None) -> float:
    if level is None or level == 95:
        return _Z_95
    if not 0 < level < 100:
        return math.nan
    from statistics import NormalDist  # hardly ever another level

    return NormalDist().inv_cdf(0.5 + float(level) / 200)


def _t_quantile(z: float, df: "NDArray[np.float64]") -> "NDArray[np.float64]":
    """Return the quantile of Student's t at the level of a normal quantile, by the expansion in 1/df."""
    import numpy as np

    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    enough = np.where(df >= _LEAST_DF, df, np.nan)
    quantile = np.full_like(enough, z)
    for power, term in enumerate(terms, start=1):
        quantile += term / enough**power
    return quantile


def _decimals(printed: Decimal) -> int:
    exponent = printed.as_tuple().exponent
    return -exponent if isinstance(exponent, int) and exponent < 0 else 0


def _fraction(text: str) -> Fraction:
    return Fraction(text.replace(",", ""))
