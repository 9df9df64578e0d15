"""The rate in one group and its interval, by statsmodels."""

import dataclasses
from typing import Any, ClassVar

from ipsevidence import core
from ipsevidence.core.inputs import check_level, check_number
from ipsevidence.core.registry import registry

__all__ = ["RATE_METHODS", "Rate", "rate_interval"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Rate(core.Result):
    """The share of a group that had the event.

    Attributes
    ----------
    events, n : float
        Events and participants.
    rate : float
        Events over participants, between 0 and 1.
    low, high : float
        Bounds of its confidence interval.
    level : float
        Confidence level.
    method : {'wilson', 'clopper-pearson'}
        Key of the interval in `RATE_METHODS`.
    """

    columns: ClassVar[tuple[str, ...]] = ("events", "n", "rate", "low", "high")
    events: float
    n: float
    rate: float
    low: float
    high: float
    level: float
    method: str

    @property
    def ci(self) -> core.Interval:
        """The bounds as an `Interval`."""
        return core.Interval(low=self.low, high=self.high, level=self.level)

    def to_rows(self) -> list[tuple[Any, ...]]:
        """Return one row."""
        return [(self.events, self.n, self.rate, self.low, self.high)]

    def __str__(self) -> str:
        label = RATE_METHODS[self.method].label
        return (
            f"{self.events:g} of {self.n:g}: {100 * self.rate:.1f}% "
            f"({100 * self.level:g}% CI {100 * self.low:.1f} to {100 * self.high:.1f}, {label})"
        )


def rate_interval(events: float, n: float, *, method: str = "wilson", level: float = 0.95) -> Rate:
    """Return the rate in one group with its confidence interval.

    Parameters
    ----------
    events, n : float
        Events, from 0 to n, and participants, above 0. They need not be whole, as after a correction for
        clusters.
    method : {'wilson', 'clopper-pearson'}
        The score interval without continuity correction, whose coverage is near the level on average, or the
        exact interval, whose coverage is never below it.
    level : float
        Confidence level, between 0 and 1.

    Returns
    -------
    Rate

    Raises
    ------
    core.InputError
        If a parameter cannot be used.

    References
    ----------
    .. [1] Newcombe RG. Two-sided confidence intervals for the single proportion: comparison of seven methods.
       Stat Med 1998;17:857-872. doi:10.1002/(SICI)1097-0258(19980430)17:8<857::AID-SIM777>3.0.CO;2-E

    Examples
    --------
    >>> print(rate_interval(81, 263))
    81 of 263: 30.8% (95% CI 25.5 to 36.6, Wilson)
    """
    chosen = core.choose("method", method, RATE_METHODS)
    size = check_number("n", n, above=0.0)
    count = check_number("events", events, least=0.0)
    if count > size:
        raise core.InputError(f"events must be at most n ({size:g}); got {count:g}", parameter="events")
    level = check_level(level)
    low, high = chosen.function(count, size, 1.0 - level)
    # at an edge rounding leaves Wilson's bound 1e-17 from 0, or from 1
    return Rate(
        events=count,
        n=size,
        rate=count / size,
        low=0.0 if count == 0.0 else low,
        high=1.0 if count == size else high,
        level=level,
        method=chosen.key,
    )


def _wilson(events: float, n: float, alpha: float) -> tuple[float, float]:
    return _by_statsmodels(events, n, alpha, "wilson")


def _clopper_pearson(events: float, n: float, alpha: float) -> tuple[float, float]:
    return _by_statsmodels(events, n, alpha, "beta")


def _by_statsmodels(events: float, n: float, alpha: float, method: str) -> tuple[float, float]:
    from statsmodels.stats.proportion import proportion_confint

    low, high = proportion_confint(events, n, alpha=alpha, method=method)
    return float(low), float(high)


RATE_METHODS = registry(
    core.Method(
        key="wilson",
        label="Wilson",
        function=_wilson,
        reference="Wilson EB. J Am Stat Assoc 1927;22:209-212. doi:10.1080/01621459.1927.10502953",
        sentence="Confidence intervals of single rates were Wilson score intervals.",
    ),
    core.Method(
        key="clopper-pearson",
        label="Clopper-Pearson",
        function=_clopper_pearson,
        reference="Clopper CJ, Pearson ES. Biometrika 1934;26:404-413. doi:10.1093/biomet/26.4.404",
        sentence="Confidence intervals of single rates were exact (Clopper and Pearson 1934).",
    ),
)
