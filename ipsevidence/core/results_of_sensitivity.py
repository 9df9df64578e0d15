"""What a pool rests on, and what small studies do to it, as results."""

import dataclasses
from typing import Any, ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ipsevidence.core.results import (
    FloatArray,
    Interval,
    PooledResult,
    PoolSettings,
    Result,
    TestResult,
    number,
    p_value,
)

Bytes: TypeAlias = NDArray[np.uint8]
BITS = np.array([number.bit_count() for number in range(256)], dtype=np.uint8)  # set in each byte


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
    members : ndarray of uint8, shape (m, ceil(k/8))
        Which studies each selection holds, a bit for each: study i is bit i % 8 of byte i // 8.
    studies : int
        How many there are, k.
    exhaustive : bool
        Whether these are all selections.
    kind : str
        Which they are, in words: all, random ones, the first of all, or those that leave out so many studies.
    notes : tuple of str
        Cautions.
    """

    columns: ClassVar[tuple[str, ...]] = ("selections", "estimate", "low", "high")
    estimate: FloatArray
    tau2: FloatArray
    i2: FloatArray
    members: Bytes
    studies: int
    exhaustive: bool
    kind: str
    notes: tuple[str, ...] = ()

    @property
    def sizes(self) -> NDArray[np.intp]:
        """Number of studies in each selection, shape (m,)."""
        found: NDArray[np.intp] = BITS[self.members].sum(axis=1, dtype=np.intp)
        return found

    def holds(self, study: int) -> NDArray[np.bool_]:
        """Return which selections hold a study, by its index from 0, shape (m,)."""
        found: NDArray[np.bool_] = (self.members[:, study // 8] >> np.uint8(study % 8)) & 1 == 1
        return found

    def to_rows(self) -> list[tuple[Any, ...]]:
        """Return one row: how many selections, and median and range of their estimates."""
        spread = (float(np.median(self.estimate)), float(self.estimate.min()), float(self.estimate.max()))
        return [(self.estimate.size, *spread)]

    def __str__(self) -> str:
        ((size, median, low, high),) = self.to_rows()
        line = f"{size} {self.kind}: median {number(median)}, from {number(low)} to {number(high)}"
        return "\n".join([line, *(f"  note: {note}" for note in self.notes)])


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
class ExcessSignificance(Result):
    """How many studies are significant, and how many their power leads to expect.

    Attributes
    ----------
    observed : int
        Significant studies.
    expected : float
        Sum of the powers.
    p, p_binomial, p_chi2 : float
        One-sided p-values: exact, binomial with the mean power, chi-square.
    chi2 : float
        The chi-square statistic, with one degree of freedom.
    effect : float
        The true effect at which power was reckoned.
    power : ndarray of shape (k,)
        Power of each study.
    k : int
        Number of studies.
    notes : tuple of str
        Cautions.
    """

    columns: ClassVar[tuple[str, ...]] = ("observed", "expected", "p", "p_binomial", "p_chi2")
    observed: int
    expected: float
    p: float
    p_binomial: float
    p_chi2: float
    chi2: float
    effect: float
    power: FloatArray
    k: int
    notes: tuple[str, ...] = ()

    def to_rows(self) -> list[tuple[Any, ...]]:
        """Return one row."""
        return [(self.observed, self.expected, self.p, self.p_binomial, self.p_chi2)]

    def __str__(self) -> str:
        line = f"{self.observed} of {self.k} studies significant, {number(self.expected, 1)} expected at an effect of"
        lines = [f"{line} {number(self.effect)}: p {p_value(self.p)}"]
        return "\n".join(lines + [f"  note: {note}" for note in self.notes])
