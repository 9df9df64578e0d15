"""Fits of effects that differ between kinds of studies, as results."""

import dataclasses
import math
from typing import Any, ClassVar

from ipsevidence.core.results import (
    FloatArray,
    Interval,
    NotApplicable,
    PooledResult,
    PoolSettings,
    Result,
    TestResult,
    number,
    p_value,
)


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
    why : str
        Why there are no prediction bands; empty where there are.
    """

    columns: ClassVar[tuple[str, ...]] = ("estimate", "se", "low", "high", "prediction_low", "prediction_high")
    estimate: FloatArray
    se: FloatArray
    low: FloatArray
    high: FloatArray
    prediction_low: FloatArray
    prediction_high: FloatArray
    level: float
    why: str = ""

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
