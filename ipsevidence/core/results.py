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
    prediction : {'none', 'normal', 't-k1', 't-k2'}
        Key of the prediction interval.
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


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CountResult(Result):
    """A common effect pooled from the counts themselves.

    Attributes
    ----------
    measure, method : str
        Keys of measure and method.
    estimate, se : float
        Pooled effect (ratios as logarithms) and its standard error.
    ci : Interval
        Wald confidence interval.
    statistic, p : float
        Wald test of no effect.
    q, q_df, q_p : float
        Heterogeneity of the studies' own estimates around the pooled one.
    i2_q, h2_q : float
        I2 (percent) and H2 from Q.
    weights : ndarray of shape (k,)
        Weight of each study in percent; 0 for a study that contributes nothing.
    k : int
        Number of studies given.
    tests : tuple of TestResult
        Tests of association and of homogeneity that belong to the method.
    notes : tuple of str
        Cautions.
    """

    columns: ClassVar[tuple[str, ...]] = ("quantity", "value", "low", "high")
    measure: str
    method: str
    estimate: float
    se: float
    ci: Interval
    statistic: float
    p: float
    q: float
    q_df: int
    q_p: float
    i2_q: float
    h2_q: float
    weights: FloatArray
    k: int
    tests: tuple[TestResult, ...] = ()
    notes: tuple[str, ...] = ()

    def to_rows(self) -> list[tuple[Any, ...]]:
        """Return one row each for the estimate, Q and I2."""
        nan = math.nan
        return [
            ("estimate", self.estimate, self.ci.low, self.ci.high),
            ("Q", self.q, nan, nan),
            ("I2", self.i2_q, nan, nan),
        ]

    def __str__(self) -> str:
        level = f"{100 * self.ci.level:g}%"
        lines = [
            f"{self.k} {'study' if self.k == 1 else 'studies'}, {self.method}, {self.measure}",
            "",
            f"  estimate    {number(self.estimate)}   {level} CI {self.ci}",
            f"  se          {number(self.se)}   z = {number(self.statistic)}, p {p_value(self.p)}",
            f"  Q           {number(self.q)} on {self.q_df} df, p {p_value(self.q_p)}",
            f"  I2, H2      {number(self.i2_q, 1)}%, {number(self.h2_q, 2)}",
        ]
        lines += [f"  {line}" for test in self.tests for line in str(test).splitlines()]
        return "\n".join(lines + [f"  note: {note}" for note in self.notes])


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FitStatistics(Result):
    """How well a model fits, by its likelihood.

    Attributes
    ----------
    method : {'ml', 'reml'}
        Which likelihood.
    log_likelihood, deviance, aic, bic, aicc : float
        Log-likelihood, -2 log-likelihood, and the information criteria.
    parameters : int
        Number of parameters, with the between-study variance.
    """

    columns: ClassVar[tuple[str, ...]] = ("statistic", "value")
    method: str
    log_likelihood: float
    deviance: float
    aic: float
    bic: float
    aicc: float
    parameters: int

    def to_rows(self) -> list[tuple[Any, ...]]:
        """Return one row for each statistic."""
        names = ("log_likelihood", "deviance", "aic", "bic", "aicc")
        return [(name, getattr(self, name)) for name in names]

    def __str__(self) -> str:
        return "\n".join(f"{name:<15} {number(value)}" for name, value in self.to_rows())


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RegressionResult(Result):
    """Effects as a linear function of moderators.

    Attributes
    ----------
    names : tuple of str
        Names of the coefficients.
    coefficients, se, low, high, statistic, p, vif : ndarray of shape (p,)
        Coefficients, their standard errors, intervals, tests and variance inflation factors (nan for the
        intercept).
    covariance : ndarray of shape (p, p)
        Covariance of the coefficients.
    df : float
        Degrees of freedom of t; nan where the reference distribution is the normal.
    tau2, tau2_se : float
        Between-study variance that the moderators leave, and its standard error.
    tau2_ci : Interval
        Its Q-profile interval.
    i2, h2 : float
        I2 (percent) and H2 of what the moderators leave.
    r2 : float
        Share of the between-study variance that the moderators account for, in percent.
    qe, qe_df, qe_p : float
        Test of residual heterogeneity.
    qm, qm_df, qm_df2, qm_p : float
        Test of all moderators: chi-square, or F where `qm_df2` is a number.
    k, p_columns : int
        Studies and columns of X.
    y, v, X : ndarray
        What was fitted.
    settings : PoolSettings
        What was asked for.
    notes : tuple of str
        Cautions.
    """

    columns: ClassVar[tuple[str, ...]] = ("term", "estimate", "se", "statistic", "p", "low", "high")
    names: tuple[str, ...]
    coefficients: FloatArray
    se: FloatArray
    low: FloatArray
    high: FloatArray
    statistic: FloatArray
    p: FloatArray
    vif: FloatArray
    covariance: FloatArray
    df: float
    tau2: float
    tau2_se: float
    tau2_ci: Interval
    i2: float
    h2: float
    r2: float
    qe: float
    qe_df: int
    qe_p: float
    qm: float
    qm_df: int
    qm_df2: float
    qm_p: float
    k: int
    p_columns: int
    y: FloatArray
    v: FloatArray
    X: FloatArray
    settings: PoolSettings
    notes: tuple[str, ...] = ()

    def to_rows(self) -> list[tuple[Any, ...]]:
        """Return one row for each coefficient."""
        numbers = (self.coefficients, self.se, self.statistic, self.p, self.low, self.high)
        return [(name, *map(float, row)) for name, *row in zip(self.names, *numbers, strict=True)]

    def __str__(self) -> str:
        asked = self.settings
        head = f"{self.k} studies, meta-regression, tau2 {asked.tau2}, interval {asked.interval}"
        width = max(len(name) for name in self.names)
        lines = [head, ""]
        for name, estimate, se, _, p, low, high in self.to_rows():
            lines.append(
                f"  {name:<{width}}  {number(estimate)}  se {number(se)}  "
                f"{number(low)} to {number(high)}  p {p_value(p)}"
            )
        test = f"chi2({self.qm_df})" if math.isnan(self.qm_df2) else f"F({self.qm_df}, {self.qm_df2:g})"
        residual = f"Q {number(self.qe)} on {self.qe_df} df, p {p_value(self.qe_p)}"
        lines += [
            f"  moderators  {test} = {number(self.qm)}, p {p_value(self.qm_p)}, R2 {number(self.r2, 1)}%",
            f"  residual    tau2 {number(self.tau2)}, I2 {number(self.i2, 1)}%, {residual}",
        ]
        return "\n".join(lines + [f"  note: {note}" for note in self.notes])


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prediction(Result):
    """What a meta-regression predicts at given values of the moderators.

    Attributes
    ----------
    estimate, se, low, high : ndarray of shape (m,)
        Predicted mean effects with their standard errors and confidence bands.
    prediction_low, prediction_high : ndarray of shape (m,)
        Prediction bands for the effect in a new study; nan where not asked for.
    level : float
        Level of the bands.
    """

    columns: ClassVar[tuple[str, ...]] = ("estimate", "se", "low", "high", "prediction_low", "prediction_high")
    estimate: FloatArray
    se: FloatArray
    low: FloatArray
    high: FloatArray
    prediction_low: FloatArray
    prediction_high: FloatArray
    level: float

    def to_rows(self) -> list[tuple[Any, ...]]:
        """Return one row for each row of moderators."""
        return [tuple(map(float, row)) for row in zip(*(getattr(self, name) for name in self.columns), strict=True)]

    def __str__(self) -> str:
        return "\n".join(
            f"{number(e)}  {number(low)} to {number(high)}  (prediction {number(pl)} to {number(ph)})"
            for e, _, low, high, pl, ph in self.to_rows()
        )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SubgroupResult(Result):
    """One pool per group, and the test that the groups share one effect.

    Attributes
    ----------
    groups : tuple
        The groups, in order of first appearance.
    pools : tuple of PooledResult
        The pool of each group.
    test : TestResult or NotApplicable
        Q between the groups.
    common_tau2 : float
        The between-study variance the groups share; nan where each has its own.
    notes : tuple of str
        Cautions.
    """

    columns: ClassVar[tuple[str, ...]] = ("group", "k", "estimate", "low", "high", "tau2", "i2")
    groups: tuple[Any, ...]
    pools: tuple[PooledResult, ...]
    test: TestResult | NotApplicable
    common_tau2: float
    notes: tuple[str, ...] = ()

    def to_rows(self) -> list[tuple[Any, ...]]:
        """Return one row for each group."""
        return [
            (group, fit.k, fit.estimate, fit.ci.low, fit.ci.high, fit.tau2, fit.i2)
            for group, fit in zip(self.groups, self.pools, strict=True)
        ]

    def __str__(self) -> str:
        lines = [
            f"{group}: k {k}, {number(estimate)} ({number(low)} to {number(high)}), "
            f"tau2 {number(tau2)}, I2 {number(i2, 1)}%"
            for group, k, estimate, low, high, tau2, i2 in self.to_rows()
        ]
        return "\n".join([*lines, str(self.test), *(f"  note: {note}" for note in self.notes)])


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PermutationResult(Result):
    """A permutation test of coefficients.

    Attributes
    ----------
    names : tuple of str
        Names of the coefficients.
    statistic, p : ndarray of shape (p,)
        Observed Wald statistics and their permutation p-values.
    qm, qm_p : float
        Test of all moderators and its permutation p-value; nan without moderators.
    permutations : int
        How many were evaluated.
    exact : bool
        Whether these were all there are.
    notes : tuple of str
        Cautions.
    """

    columns: ClassVar[tuple[str, ...]] = ("term", "statistic", "p")
    names: tuple[str, ...]
    statistic: FloatArray
    p: FloatArray
    qm: float
    qm_p: float
    permutations: int
    exact: bool
    notes: tuple[str, ...] = ()

    def to_rows(self) -> list[tuple[Any, ...]]:
        """Return one row for each coefficient."""
        return [(name, float(s), float(p)) for name, s, p in zip(self.names, self.statistic, self.p, strict=True)]

    def __str__(self) -> str:
        kind = "all" if self.exact else "random"
        lines = [f"permutation test, {self.permutations} {kind} permutations"]
        lines += [f"  {name}: {number(s)}, p {p_value(p)}" for name, s, p in self.to_rows()]
        return "\n".join(lines + [f"  note: {note}" for note in self.notes])


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SeriesResult(Result):
    """A series of pools: each study left out in turn, or studies added one by one.

    Attributes
    ----------
    kind : {'leave-one-out', 'cumulative'}
        What the series is.
    studies : ndarray of int, shape (m,)
        Index of the study left out, or added last.
    k, estimate, se, low, high, statistic, p, tau2, i2, h2, q, q_p : ndarray of shape (m,)
        As in `PooledResult`; nan where they do not apply.
    settings : PoolSettings
        What was asked for.
    """

    columns: ClassVar[tuple[str, ...]] = ("study", "k", "estimate", "se", "low", "high", "p", "tau2", "i2", "q")
    kind: str
    studies: NDArray[np.intp]
    k: NDArray[np.intp]
    estimate: FloatArray
    se: FloatArray
    low: FloatArray
    high: FloatArray
    statistic: FloatArray
    p: FloatArray
    tau2: FloatArray
    i2: FloatArray
    h2: FloatArray
    q: FloatArray
    q_p: FloatArray
    settings: PoolSettings

    def to_rows(self) -> list[tuple[Any, ...]]:
        """Return one row for each pool of the series."""
        names = ("estimate", "se", "low", "high", "p", "tau2", "i2", "q")
        numbers = zip(*(getattr(self, name).tolist() for name in names), strict=True)
        return [(study, k, *row) for study, k, row in zip(self.studies.tolist(), self.k.tolist(), numbers, strict=True)]

    def __str__(self) -> str:
        head = "without study" if self.kind == "leave-one-out" else "up to study"
        return "\n".join(
            f"{head} {study} (k = {k}): {number(estimate)}, {number(low)} to {number(high)}"
            for study, k, estimate, _, low, high, *_ in self.to_rows()
        )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class InfluenceResult(Result):
    """How much each study matters to the fit.

    Attributes
    ----------
    rstudent, dffits, cook, cov_ratio, tau2_deleted, q_deleted, hat, weight : ndarray of shape (k,)
        Studentised deleted residuals, change of the study's fitted value in its standard errors, Cook's
        distance, ratio of the determinants of the coefficients' covariance without and with the study, tau2
        and Q without it, hat value, weight in percent.
    dfbetas : ndarray of shape (k, p)
        Change of each coefficient in standard errors.
    influential : ndarray of bool, shape (k,)
        Whether a study passes one of the limits given in `influence`.
    """

    columns: ClassVar[tuple[str, ...]] = (
        "study",
        "rstudent",
        "dffits",
        "cook",
        "cov_ratio",
        "tau2_deleted",
        "q_deleted",
        "hat",
        "weight",
        "influential",
    )
    rstudent: FloatArray
    dffits: FloatArray
    cook: FloatArray
    cov_ratio: FloatArray
    tau2_deleted: FloatArray
    q_deleted: FloatArray
    hat: FloatArray
    weight: FloatArray
    dfbetas: FloatArray
    influential: NDArray[np.bool_]

    def to_rows(self) -> list[tuple[Any, ...]]:
        """Return one row for each study."""
        numbers = zip(*(getattr(self, name).tolist() for name in self.columns[1:]), strict=True)
        return [(study, *row) for study, row in enumerate(numbers)]

    def __str__(self) -> str:
        return "\n".join(
            f"study {study}: rstudent {number(r)}, Cook {number(c)}, hat {number(h)}{'  influential' if flag else ''}"
            for study, r, _, c, _, _, _, h, _, flag in self.to_rows()
        )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PointsResult(Result):
    """Points of a diagnostic plot, one per study.

    Attributes
    ----------
    kind : str
        Which plot.
    x, y : ndarray of shape (k,)
        Coordinates.
    """

    columns: ClassVar[tuple[str, ...]] = ("study", "x", "y")
    kind: str
    x: FloatArray
    y: FloatArray

    def to_rows(self) -> list[tuple[Any, ...]]:
        """Return one row for each study."""
        return [(study, *row) for study, row in enumerate(zip(self.x.tolist(), self.y.tolist(), strict=True))]

    def __str__(self) -> str:
        return "\n".join(f"study {study}: {number(x)}, {number(y)}" for study, x, y in self.to_rows())


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GoshResult(Result):
    """Fits of all, or many, selections of the studies.

    Attributes
    ----------
    estimate, tau2, i2 : ndarray of shape (m,)
        Pooled effect, between-study variance and I2 (percent) of each selection.
    chosen : ndarray of bool, shape (m, k)
        Which studies each selection holds.
    exhaustive : bool
        Whether these are all selections.
    """

    columns: ClassVar[tuple[str, ...]] = ("selections", "estimate", "low", "high")
    estimate: FloatArray
    tau2: FloatArray
    i2: FloatArray
    chosen: NDArray[np.bool_]
    exhaustive: bool

    def to_rows(self) -> list[tuple[Any, ...]]:
        """Return one row: how many selections, and median and range of their estimates."""
        spread = (float(np.median(self.estimate)), float(self.estimate.min()), float(self.estimate.max()))
        return [(self.estimate.size, *spread)]

    def __str__(self) -> str:
        ((size, median, low, high),) = self.to_rows()
        kind = "all" if self.exhaustive else "random"
        return f"{size} {kind} selections: median {number(median)}, from {number(low)} to {number(high)}"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrimFillResult(Result):
    """A pool to which the studies that asymmetry suggests are missing have been added.

    Attributes
    ----------
    k0 : int
        Number of studies added.
    side : {'left', 'right'}
        Where they were added.
    estimator : {'L0', 'R0', 'Q0'}
        Estimator of their number.
    fit : PooledResult
        The pool with them; the added ones are last in its `y` and `v`.
    filled : ndarray of bool, shape (k + k0,)
        Which entries of `fit.y` were added.
    notes : tuple of str
        Cautions.
    """

    columns: ClassVar[tuple[str, ...]] = ("k0", "side", "estimate", "low", "high", "tau2")
    k0: int
    side: str
    estimator: str
    fit: PooledResult
    filled: NDArray[np.bool_]
    notes: tuple[str, ...] = ()

    def to_rows(self) -> list[tuple[Any, ...]]:
        """Return one row."""
        return [(self.k0, self.side, self.fit.estimate, self.fit.ci.low, self.fit.ci.high, self.fit.tau2)]

    def __str__(self) -> str:
        head = f"trim and fill ({self.estimator}): {self.k0} studies added on the {self.side}"
        return "\n".join([head, str(self.fit), *(f"  note: {note}" for note in self.notes)])


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PetPeeseResult(Result):
    """Regressions on the standard error (PET) and on the variance (PEESE).

    Attributes
    ----------
    pet, peese : TestResult
        The intercept of each: the effect in a study of infinite size.
    pet_slope, peese_slope : TestResult
        Their slopes.
    chosen : {'pet', 'peese'}
        Which one the conditional rule takes.
    estimate : float
        Its intercept.
    ci : Interval
        Its t interval.
    notes : tuple of str
        Cautions.
    """

    columns: ClassVar[tuple[str, ...]] = ("model", "intercept", "se", "p")
    pet: TestResult
    peese: TestResult
    pet_slope: TestResult
    peese_slope: TestResult
    chosen: str
    estimate: float
    ci: Interval
    notes: tuple[str, ...] = ()

    def to_rows(self) -> list[tuple[Any, ...]]:
        """Return one row for each regression."""
        return [
            ("PET", self.pet.estimate, self.pet.se, self.pet.p),
            ("PEESE", self.peese.estimate, self.peese.se, self.peese.p),
        ]

    def __str__(self) -> str:
        lines = [f"{model}: {number(b)} (se {number(se)}), p {p_value(p)}" for model, b, se, p in self.to_rows()]
        lines += [f"  taken: {self.chosen}, {number(self.estimate)} ({self.ci})"]
        return "\n".join(lines + [f"  note: {note}" for note in self.notes])


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SelectionResult(Result):
    """A step-function selection model.

    Attributes
    ----------
    estimate, se : float
        Mean effect as it would be without selection, and its standard error.
    ci : Interval
        Wald interval.
    tau2 : float
        Between-study variance.
    steps : ndarray of shape (m,)
        Upper ends of the intervals of the one-sided p-value.
    delta, delta_se : ndarray of shape (m,)
        Relative probability of selection in each interval, 1 in the first, and standard errors.
    counts : ndarray of int, shape (m,)
        Studies in each interval.
    log_likelihood : float
        At the maximum.
    test : TestResult
        Likelihood-ratio test of no selection.
    notes : tuple of str
        Cautions.
    """

    columns: ClassVar[tuple[str, ...]] = ("step", "studies", "delta", "se")
    estimate: float
    se: float
    ci: Interval
    tau2: float
    steps: FloatArray
    delta: FloatArray
    delta_se: FloatArray
    counts: NDArray[np.intp]
    log_likelihood: float
    test: TestResult
    notes: tuple[str, ...] = ()

    def to_rows(self) -> list[tuple[Any, ...]]:
        """Return one row for each interval of p-values."""
        parts = (self.steps, self.counts, self.delta, self.delta_se)
        return list(zip(*(part.tolist() for part in parts), strict=True))

    def __str__(self) -> str:
        lines = [f"selection model: {number(self.estimate)} ({self.ci}), tau2 {number(self.tau2)}"]
        lines += [f"  p up to {step:g}: {n} studies, delta {number(d)}" for step, n, d, _ in self.to_rows()]
        return "\n".join([*lines, f"  {self.test}", *(f"  note: {note}" for note in self.notes)])


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BayesResult(Result):
    """The posterior of the normal-normal random-effects model.

    Attributes
    ----------
    mean, sd, median : float
        Posterior of the pooled effect; mean or sd nan where the posterior has none.
    ci, ci_central : Interval
        Its shortest and its central credible interval.
    tau_median : float
        Posterior median of the between-study standard deviation.
    tau_ci, tau_ci_central : Interval
        Its shortest and its central credible interval.
    prediction : Interval
        Central interval for the effect in a new study.
    below_zero : float
        Posterior probability that the pooled effect is below 0.
    shrunk, shrunk_sd, shrunk_low, shrunk_high : ndarray of shape (k,)
        Posterior means of the studies' own effects, standard deviations, central intervals.
    bf_tau, bf_mu : float
        Bayes factors of tau = 0 and of a pooled effect of 0 against the model; nan under improper priors.
    tau, weight, conditional_mean, conditional_sd : ndarray of shape (m,)
        The posterior as a mixture of normals over tau, for drawing.
    k : int
        Number of studies.
    prior : str
        The priors, in words.
    notes : tuple of str
        Cautions.
    """

    columns: ClassVar[tuple[str, ...]] = ("quantity", "value", "low", "high")
    mean: float
    sd: float
    median: float
    ci: Interval
    ci_central: Interval
    tau_median: float
    tau_ci: Interval
    tau_ci_central: Interval
    prediction: Interval
    below_zero: float
    shrunk: FloatArray
    shrunk_sd: FloatArray
    shrunk_low: FloatArray
    shrunk_high: FloatArray
    bf_tau: float
    bf_mu: float
    tau: FloatArray
    weight: FloatArray
    conditional_mean: FloatArray
    conditional_sd: FloatArray
    k: int
    prior: str
    notes: tuple[str, ...] = ()

    def to_rows(self) -> list[tuple[Any, ...]]:
        """Return one row each for the effect, tau and the prediction."""
        return [
            ("estimate", self.median, self.ci.low, self.ci.high),
            ("tau", self.tau_median, self.tau_ci.low, self.tau_ci.high),
            ("prediction", self.median, self.prediction.low, self.prediction.high),
        ]

    def density(self, mu: Any) -> FloatArray:
        """Return the posterior density of the pooled effect at each of `mu`, shape (n,)."""
        z = (np.asarray(mu, dtype=float)[..., None] - self.conditional_mean) / self.conditional_sd
        found: FloatArray = (self.weight * np.exp(-0.5 * z * z) / self.conditional_sd).sum(axis=-1)
        return found / math.sqrt(2.0 * math.pi)

    def __str__(self) -> str:
        level = f"{100 * self.ci.level:g}%"
        lines = [
            f"{self.k} {'study' if self.k == 1 else 'studies'}, Bayesian random effects, {self.prior}",
            "",
            f"  estimate    {number(self.median)}   {level} shortest interval {self.ci}",
            f"  tau         {number(self.tau_median)}   {level} shortest interval {self.tau_ci}",
            f"  prediction  {self.prediction}",
        ]
        return "\n".join(lines + [f"  note: {note}" for note in self.notes])


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SmallKResult(Result):
    """What may be shown for a given number of studies.

    Attributes
    ----------
    k : int
        Number of studies.
    shown : {'study', 'common', 'hksj-adhoc', 'hksj'}
        What the headline is.
    headline : PooledResult
        The pool to show; for two studies the common effect, which is a line and not a diamond.
    bayes : BayesResult or None
        The Bayesian estimate to show beside it, for two to four studies.
    diamond : bool
        Whether a random-effects diamond may be drawn.
    prediction : Interval
        The prediction interval to show; without bounds below five studies.
    notes : tuple of str
        What must be said.
    """

    columns: ClassVar[tuple[str, ...]] = ("quantity", "value", "low", "high")
    k: int
    shown: str
    headline: PooledResult
    bayes: BayesResult | None
    diamond: bool
    prediction: Interval
    notes: tuple[str, ...] = ()

    def to_rows(self) -> list[tuple[Any, ...]]:
        """Return one row each for headline, Bayesian estimate and prediction."""
        rows = [(self.shown, self.headline.estimate, self.headline.ci.low, self.headline.ci.high)]
        if self.bayes is not None:
            rows.append(("bayes", self.bayes.median, self.bayes.ci.low, self.bayes.ci.high))
        return [*rows, ("prediction", self.headline.estimate, self.prediction.low, self.prediction.high)]

    def __str__(self) -> str:
        lines = [
            f"{name}: {number(value)} ({number(low)} to {number(high)})" for name, value, low, high in self.to_rows()
        ]
        return "\n".join(lines + [f"  note: {note}" for note in self.notes])


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class AbsoluteEffect(Result):
    """What a relative effect means at one baseline risk.

    Attributes
    ----------
    baseline : float
        Risk without the intervention, between 0 and 1.
    risk, difference : float
        Risk with it, and the difference; risks are kept between 0 and 1.
    risk_ci, difference_ci : Interval
        Their intervals.
    nnt : float
        1 over the size of the difference; infinite where that is 0.
    nnt_text : str
        The number needed to treat with its interval, in the notation for benefit and harm; empty where the
        interval of the difference holds 0 and the notation is not asked for.
    notes : tuple of str
        Cautions.
    """

    columns: ClassVar[tuple[str, ...]] = ("quantity", "value", "low", "high")
    baseline: float
    risk: float
    risk_ci: Interval
    difference: float
    difference_ci: Interval
    nnt: float
    nnt_text: str
    notes: tuple[str, ...] = ()

    def to_rows(self) -> list[tuple[Any, ...]]:
        """Return one row each for risk and difference."""
        return [
            ("risk", self.risk, self.risk_ci.low, self.risk_ci.high),
            ("difference", self.difference, self.difference_ci.low, self.difference_ci.high),
        ]

    def __str__(self) -> str:
        gap = self.difference_ci
        line = (
            f"per 100 at a baseline of {100 * self.baseline:.0f}: {100 * self.difference:+.1f} "
            f"({100 * gap.low:+.1f} to {100 * gap.high:+.1f}); {self.nnt_text}"
        )
        return "\n".join([line, *(f"  note: {note}" for note in self.notes)])


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ProportionBeyond(Result):
    """Share of true effects beyond a threshold.

    Attributes
    ----------
    threshold : float
        On the pooled scale.
    tail : {'above', 'below'}
        Which side.
    share : float
        Estimated share, between 0 and 1.
    ci : Interval
        Bootstrap interval.
    calibrated : ndarray of shape (k,)
        The calibrated effects the share is counted from.
    notes : tuple of str
        Cautions.
    """

    columns: ClassVar[tuple[str, ...]] = ("quantity", "value", "low", "high")
    threshold: float
    tail: str
    share: float
    ci: Interval
    calibrated: FloatArray
    notes: tuple[str, ...] = ()

    def to_rows(self) -> list[tuple[Any, ...]]:
        """Return one row."""
        return [(f"share {self.tail} {self.threshold:g}", self.share, self.ci.low, self.ci.high)]

    def __str__(self) -> str:
        lines = [f"{100 * self.share:.0f}% of true effects {self.tail} {self.threshold:g} ({self.ci})"]
        return "\n".join(lines + [f"  note: {note}" for note in self.notes])


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class EValue(Result):
    """How strongly an unmeasured confounder would have to be associated to explain an effect away.

    Attributes
    ----------
    estimate, ci : float
        E-value of the estimate, and of the bound of its interval nearer to no effect (1 where it holds it).
    """

    columns: ClassVar[tuple[str, ...]] = ("quantity", "value")
    estimate: float
    ci: float

    def to_rows(self) -> list[tuple[Any, ...]]:
        """Return one row each for the estimate and the interval."""
        return [("estimate", self.estimate), ("interval", self.ci)]

    def __str__(self) -> str:
        return f"E-value {number(self.estimate, 2)} (interval: {number(self.ci, 2)})"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RobustResult(Result):
    """Coefficients with cluster-robust standard errors.

    Attributes
    ----------
    method : {'cr2', 'cr1'}
        Which correction for few clusters.
    coefficients, se, df, low, high, statistic, p : ndarray of shape (p,)
        As in `RegressionResult`, with the t degrees of freedom of each coefficient.
    covariance : ndarray of shape (p, p)
        Robust covariance of the coefficients.
    tau2 : float
        Between-study variance of the working model.
    clusters, k : int
        Numbers of clusters and of effects.
    notes : tuple of str
        Cautions.
    """

    columns: ClassVar[tuple[str, ...]] = ("term", "estimate", "se", "df", "statistic", "p", "low", "high")
    method: str
    coefficients: FloatArray
    se: FloatArray
    df: FloatArray
    low: FloatArray
    high: FloatArray
    statistic: FloatArray
    p: FloatArray
    covariance: FloatArray
    tau2: float
    clusters: int
    k: int
    notes: tuple[str, ...] = ()

    def to_rows(self) -> list[tuple[Any, ...]]:
        """Return one row for each coefficient."""
        names = ("coefficients", "se", "df", "statistic", "p", "low", "high")
        numbers = zip(*(getattr(self, name).tolist() for name in names), strict=True)
        return [(f"x{j}", *row) for j, row in enumerate(numbers)]

    def __str__(self) -> str:
        lines = [f"{self.k} effects in {self.clusters} clusters, {self.method.upper()}"]
        lines += [
            f"  {name}: {number(b)} (se {number(se)}, df {df:.1f}), {number(low)} to {number(high)}, p {p_value(p)}"
            for name, b, se, df, _, p, low, high in self.to_rows()
        ]
        return "\n".join(lines + [f"  note: {note}" for note in self.notes])


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class GlmmResult(Result):
    """A random-effects model of the counts themselves, by maximum likelihood.

    Attributes
    ----------
    model : str
        Key of the model.
    estimate, se : float
        Log odds (of a proportion) or log odds ratio, and its standard error.
    ci : Interval
        Wald interval.
    statistic, p : float
        Wald test that it is 0.
    tau2 : float
        Between-study variance on that scale.
    log_likelihood : float
        At the maximum.
    k : int
        Studies in the model.
    dropped : tuple of int
        Indices of studies that carry no information on the odds ratio and were left out.
    notes : tuple of str
        Cautions.
    """

    columns: ClassVar[tuple[str, ...]] = ("quantity", "value", "low", "high")
    model: str
    estimate: float
    se: float
    ci: Interval
    statistic: float
    p: float
    tau2: float
    log_likelihood: float
    k: int
    dropped: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()

    def to_rows(self) -> list[tuple[Any, ...]]:
        """Return one row each for the estimate and tau2."""
        nan = math.nan
        return [("estimate", self.estimate, self.ci.low, self.ci.high), ("tau2", self.tau2, nan, nan)]

    def __str__(self) -> str:
        lines = [
            f"{self.k} studies, generalised linear mixed model {self.model}",
            f"  estimate    {number(self.estimate)} ({self.ci}), p {p_value(self.p)}",
            f"  tau2        {number(self.tau2)}",
        ]
        return "\n".join(lines + [f"  note: {note}" for note in self.notes])
