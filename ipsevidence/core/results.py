"""What the engine returns: frozen records that keep their inputs, their settings and their notes."""

import dataclasses
import html
import math
from collections.abc import Mapping
from typing import Any, ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray

FloatArray: TypeAlias = NDArray[np.float64]


def frozen_array(values: Any) -> FloatArray:
    """Return a read-only float copy of `values`, so that a result cannot be changed from outside."""
    array = np.array(values, dtype=float)
    array.flags.writeable = False
    return array


def _plain(value: Any) -> Any:
    """Turn one field into what JSON can hold: nan and the infinities become None, arrays lists."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    missing = isinstance(value, float) and not math.isfinite(value)
    return None if missing else value


def number(value: float, digits: int = 4) -> str:
    """Write a number for reading: fixed decimals where that shows it, else significant digits.

    Parameters
    ----------
    value : float
        Any number; nan is written as an en dash.
    digits : int
        Decimals, or significant digits for the very small and the very large.

    Returns
    -------
    str
        For example ``-0.7145``, ``4.142e-15``, ``–``.
    """
    if math.isnan(value):
        return "–"
    if value == 0 or 10.0 ** (1 - digits) <= abs(value) < 1e6:
        return f"{value:.{digits}f}"
    return f"{value:.{digits}g}"


def p_value(p: float) -> str:
    """Write a p-value with its sign: ``= 0.0019``, ``< 0.0001``, ``= –`` where there is none."""
    return "< 0.0001" if p < 0.0001 else f"= {number(p)}"


class Result:
    """What every result can do: be read, be shown in a notebook, become JSON, become rows."""

    __slots__ = ()
    columns: ClassVar[tuple[str, ...]] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return all fields as plain Python for JSON; nan and the infinities become None."""
        plain: dict[str, Any] = _plain(self)
        return plain

    def to_rows(self) -> list[tuple[Any, ...]]:
        """Return the result as plain tuples, one per line of a table; `columns` names their entries."""
        raise NotImplementedError

    def _repr_html_(self) -> str:
        def cells(row: tuple[Any, ...]) -> str:
            shown = (number(cell) if isinstance(cell, float) else str(cell) for cell in row)
            return "".join(f"<td>{html.escape(text)}</td>" for text in shown)

        head = "".join(f"<th>{html.escape(name)}</th>" for name in self.columns)
        body = "".join(f"<tr>{cells(row)}</tr>" for row in self.to_rows())
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """An interval of a stated level.

    Attributes
    ----------
    low, high : float
        Bounds, on the scale of what the interval is about; nan where it does not apply.
    level : float
        Confidence (or prediction, or credible) level, between 0 and 1.
    why : str
        Why there are no bounds, or what to know about them; empty otherwise.
    """

    low: float
    high: float
    level: float
    why: str = ""

    @property
    def missing(self) -> bool:
        """True where a bound is nan."""
        return math.isnan(self.low) or math.isnan(self.high)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain Python for JSON; nan becomes None."""
        plain: dict[str, Any] = _plain(self)
        return plain

    def __str__(self) -> str:
        if self.missing:
            return f"– ({self.why})" if self.why else "–"
        return f"{number(self.low)} to {number(self.high)}"


def no_interval(level: float, why: str) -> Interval:
    """Return an interval without bounds, which says why it has none."""
    return Interval(low=math.nan, high=math.nan, level=level, why=why)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class NotApplicable:
    """A whole method that does not apply to these data: a value, not an error.

    Attributes
    ----------
    reason : str
        Why, in words that can be printed where the result would have stood.
    """

    reason: str

    def to_dict(self) -> dict[str, Any]:
        """Return the reason under the key ``not_applicable``."""
        return {"not_applicable": self.reason}

    def to_rows(self) -> list[tuple[Any, ...]]:
        """Return one row, the reason."""
        return [(self.reason,)]

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(str(self))}</p>"

    def __str__(self) -> str:
        return f"not applicable: {self.reason}"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TestResult(Result):
    """A test of a hypothesis.

    Attributes
    ----------
    name : str
        Name of the test.
    null : str
        The hypothesis tested, in words.
    distribution : {'z', 't', 'chi2', 'f', 'exact'}
        Reference distribution of the statistic.
    statistic, df, p : float
        Test statistic, degrees of freedom (nan where there are none) and two-sided p-value.
    estimate, se : float
        What the statistic is the ratio of, where it is one; nan otherwise.
    notes : tuple of str
        Cautions.
    """

    __test__: ClassVar[bool] = False  # the name is the field's, not pytest's
    columns: ClassVar[tuple[str, ...]] = ("test", "statistic", "df", "p")
    name: str
    null: str
    distribution: str
    statistic: float
    df: float
    p: float
    estimate: float = math.nan
    se: float = math.nan
    notes: tuple[str, ...] = ()

    def to_rows(self) -> list[tuple[Any, ...]]:
        """Return one row: name, statistic, degrees of freedom, p-value."""
        return [(self.name, self.statistic, self.df, self.p)]

    def __str__(self) -> str:
        df = "" if math.isnan(self.df) else f"({self.df:g})"
        line = f"{self.name}: {self.distribution}{df} = {number(self.statistic)}, p {p_value(self.p)}"
        return "\n".join([f"{line} (null: {self.null})", *(f"  note: {note}" for note in self.notes)])


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PoolSettings:
    """What was asked of a pool.

    Attributes
    ----------
    tau2 : str
        Key of the between-study variance estimator, or ``given`` where a number was.
    interval : {'wald', 't', 'hksj', 'hksj-adhoc'}
        Key of the confidence interval.
    prediction : {'none', 'normal', 't-k1', 't-k2', 'bootstrap'}
        Key of the prediction interval. That of ``bootstrap`` names the seed of its draws beside its bounds, in
        `PooledResult.prediction.why`.
    level : float
        Level of all intervals, between 0 and 1.
    """

    tau2: str
    interval: str
    prediction: str
    level: float


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Tau2Interval(Result):
    """A confidence interval for the between-study variance, and what follows from it.

    Attributes
    ----------
    low, high : float
        Bounds of tau2, in squared units of y; nan where there are none.
    level : float
        Confidence level.
    method : str
        Key of the method.
    tau, i2, h2 : Interval
        The same bounds as a standard deviation, as I2 in percent and as H2.
    why : str
        Why there are no bounds, or what to know about them.
    """

    columns: ClassVar[tuple[str, ...]] = ("quantity", "low", "high")
    low: float
    high: float
    level: float
    method: str
    tau: Interval
    i2: Interval
    h2: Interval
    why: str = ""

    @property
    def tau2(self) -> Interval:
        """The bounds of tau2 as an `Interval`."""
        return Interval(low=self.low, high=self.high, level=self.level, why=self.why)

    def to_rows(self) -> list[tuple[Any, ...]]:
        """Return one row each for tau2, tau, I2 and H2."""
        named = {"tau2": self.tau2, "tau": self.tau, "I2": self.i2, "H2": self.h2}
        return [(name, interval.low, interval.high) for name, interval in named.items()]

    def __str__(self) -> str:
        lines = [f"{100 * self.level:g}% confidence intervals ({self.method})"]
        lines += [f"  {name:<5} {number(low)} to {number(high)}" for name, low, high in self.to_rows()]
        return "\n".join([*lines, *([f"  {self.why}"] if self.why else [])])


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PooledResult(Result):
    """A pooled effect with its uncertainty, its heterogeneity and what it was made from.

    Attributes
    ----------
    estimate, se : float
        Pooled effect and its standard error (of the interval method asked for), in units of y.
    ci : Interval
        Confidence interval of the pooled effect.
    statistic, df, p : float
        Test of no effect; `df` is nan where the reference distribution is the normal.
    tau2, tau2_se : float
        Between-study variance and its standard error, in squared units of y.
    tau2_ci, i2_ci, h2_ci : Interval
        Q-profile intervals of tau2, I2 (percent) and H2.
    i2, h2 : float
        I2 (percent) and H2 from tau2 and the typical within-study variance.
    i2_q, h2_q : float
        I2 (percent) and H2 from Q and its degrees of freedom.
    q, q_df, q_p : float
        Cochran's Q, its degrees of freedom and p-value.
    prediction : Interval
        Prediction interval for the effect in a new study.
    weights : ndarray of shape (k,)
        Weight of each study in percent; they sum to 100.
    k : int
        Number of studies.
    y, v : ndarray of shape (k,)
        The effects and sampling variances that were pooled.
    settings : PoolSettings
        What was asked for.
    notes : tuple of str
        Cautions that a reader of the numbers should have read.
    """

    columns: ClassVar[tuple[str, ...]] = ("quantity", "value", "low", "high")
    estimate: float
    se: float
    ci: Interval
    statistic: float
    df: float
    p: float
    tau2: float
    tau2_se: float
    tau2_ci: Interval
    i2: float
    i2_ci: Interval
    h2: float
    h2_ci: Interval
    i2_q: float
    h2_q: float
    q: float
    q_df: int
    q_p: float
    prediction: Interval
    weights: FloatArray
    k: int
    y: FloatArray
    v: FloatArray
    settings: PoolSettings
    notes: tuple[str, ...] = ()

    def to_rows(self) -> list[tuple[Any, ...]]:
        """Return one row for each quantity: its name, its value and the bounds of its interval."""
        none = (math.nan, math.nan)
        return [
            ("estimate", self.estimate, self.ci.low, self.ci.high),
            ("prediction", self.estimate, self.prediction.low, self.prediction.high),
            ("tau2", self.tau2, self.tau2_ci.low, self.tau2_ci.high),
            ("I2", self.i2, self.i2_ci.low, self.i2_ci.high),
            ("H2", self.h2, self.h2_ci.low, self.h2_ci.high),
            ("Q", self.q, *none),
        ]

    def __str__(self) -> str:
        asked = self.settings
        level = f"{100 * asked.level:g}%"
        model = "common effect" if asked.tau2 == "common" else f"random effects, tau2 {asked.tau2}"
        test = f"z = {number(self.statistic)}"
        if not math.isnan(self.df):
            test = f"t({self.df:g}) = {number(self.statistic)}"
        lines = [
            f"{self.k} {'study' if self.k == 1 else 'studies'}, {model}, interval {asked.interval}",
            "",
            f"  estimate    {number(self.estimate)}   {level} CI {self.ci}",
            f"  se          {number(self.se)}   {test}, p {p_value(self.p)}",
            f"  prediction  {self.prediction}",
            f"  tau2        {number(self.tau2)}   {level} CI {self.tau2_ci}   se {number(self.tau2_se)}",
            f"  I2, H2      {number(self.i2, 1)}%, {number(self.h2, 2)}",
            f"  Q           {number(self.q)} on {self.q_df} df, p {p_value(self.q_p)}",
        ]
        return "\n".join(lines + [f"  note: {note}" for note in self.notes])
