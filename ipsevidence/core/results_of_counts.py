"""Models of the counts themselves, as results."""

import dataclasses
import math
from typing import Any, ClassVar

from ipsevidence.core.results import (
    FloatArray,
    Interval,
    Result,
    TestResult,
    number,
    p_value,
)


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


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RandomStudiesResult(GlmmResult):
    """A random-effects model of the counts in which the studies' mean log odds are random, too.

    Attributes
    ----------
    sigma2 : float
        Variance between studies of the mean log odds of the two arms.
    """

    columns: ClassVar[tuple[str, ...]] = GlmmResult.columns
    sigma2: float

    def to_rows(self) -> list[tuple[Any, ...]]:
        """Return one row each for the estimate, tau2 and sigma2."""
        return [*GlmmResult.to_rows(self), ("sigma2", self.sigma2, math.nan, math.nan)]

    def __str__(self) -> str:
        head, estimate, between, *notes = GlmmResult.__str__(self).splitlines()
        return "\n".join([head, estimate, between, f"  sigma2      {number(self.sigma2)}", *notes])
