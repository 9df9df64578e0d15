"""Effects that are nested in two levels: the three-level model, by maximum and restricted likelihood."""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import special

from ipsevidence.core.heterogeneity import chi2_tail, typical_variance
from ipsevidence.core.inputs import InputError, check_effects, check_level, check_word
from ipsevidence.core.pooling import quantile
from ipsevidence.core.results import (
    FloatArray,
    NotApplicable,
    Result,
    frozen_array,
    number,
    p_value,
)
from ipsevidence.core.weighting import RegressionModel, check_design

POINTS_PER_E_FOLD = 4  # in each direction; a maximum of the likelihood is about one e-fold wide
CHUNK = 2_000_000  # numbers held at once while the likelihood is looked at on its grid
FEW_UNITS = 10
MOST_STEPS = 200
FARTHEST = 1e14  # ratio of variances, and of a squared difference to a variance, beyond which digits are lost


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MultilevelResult(Result):
    """A three-level model: effects within inner units within outer units.

    Attributes
    ----------
    method : {'reml', 'ml'}
        Which likelihood.
    coefficients, se, low, high, statistic, p : ndarray of shape (p,)
        Coefficients with their Wald intervals and tests.
    covariance : ndarray of shape (p, p)
        Covariance of the coefficients.
    outer_variance, inner_variance : float
        Variance between outer units, and between inner units of one outer unit, in squared units of y.
    i2_outer, i2_inner : float
        Their shares, in percent, of the total with the typical sampling variance.
    log_likelihood : float
        At the maximum.
    q, q_df, q_p : float
        Residual heterogeneity around the coefficients at the weights 1/v.
    level : float
        Level of the intervals.
    outer_units, inner_units, k : int
        Numbers of units and of effects.
    notes : tuple of str
        Cautions.
    """

    columns: ClassVar[tuple[str, ...]] = ("term", "estimate", "se", "statistic", "p", "low", "high")
    method: str
    coefficients: FloatArray
    se: FloatArray
    low: FloatArray
    high: FloatArray
    statistic: FloatArray
    p: FloatArray
    covariance: FloatArray
    outer_variance: float
    inner_variance: float
    i2_outer: float
    i2_inner: float
    log_likelihood: float
    q: float
    q_df: int
    q_p: float
    level: float
    outer_units: int
    inner_units: int
    k: int
    notes: tuple[str, ...] = ()

    def to_rows(self) -> list[tuple[Any, ...]]:
        """Return one row for each coefficient, and one for each variance."""
        names = ("coefficients", "se", "statistic", "p", "low", "high")
        numbers = zip(*(getattr(self, name).tolist() for name in names), strict=True)
        none = (math.nan,) * 5
        return [
            *((f"x{j}", *row) for j, row in enumerate(numbers)),
            ("outer variance", self.outer_variance, *none),
            ("inner variance", self.inner_variance, *none),
        ]

    def __str__(self) -> str:
        lines = [f"{self.k} effects in {self.inner_units} inner and {self.outer_units} outer units, {self.method}"]
        lines += [
            f"  {name}: {number(b)} (se {number(se)}), {number(low)} to {number(high)}, p {p_value(p)}"
            for name, b, se, _, p, low, high in self.to_rows()[:-2]
        ]
        lines += [
            f"  variance between outer units {number(self.outer_variance)} (I2 {number(self.i2_outer, 1)}%)",
            f"  variance between inner units {number(self.inner_variance)} (I2 {number(self.i2_inner, 1)}%)",
            f"  Q {number(self.q)} on {self.q_df} df, p {p_value(self.q_p)}",
        ]
        return "\n".join(lines + [f"  note: {note}" for note in self.notes])


def multilevel(
    y: Any,
    v: Any,
    outer: Sequence[Any],
    inner: Sequence[Any],
    X: Any = None,
    *,
    method: str = "reml",
    level: float = 0.95,
) -> MultilevelResult | NotApplicable:
    """Return a mean, or a meta-regression, with random effects of two nested levels.

    Parameters
    ----------
    y, v : array_like of shape (k,)
        Effects and sampling variances.
    outer : sequence of length k
        Which outer unit (a district, a trial) each effect belongs to.
    inner : sequence of length k
        Which unit within the outer one (a school, a comparison); the same label in two outer units means
        two units. An inner unit may hold several effects.
    X : array_like of shape (k, p), optional
        Design matrix with its column of ones; a mean alone unless given.
    method : {'reml', 'ml'}
        Restricted or full maximum likelihood.
    level : float
        Level of the intervals.

    Returns
    -------
    MultilevelResult or NotApplicable
        Not applicable where the data cannot tell the two variances apart.

    Raises
    ------
    InputError
        If a parameter cannot be used.

    Notes
    -----
    The variance of effect i is v[i] + outer + inner; two effects share the outer variance within an outer
    unit, and both within an inner one. Sampling errors are independent. The likelihood may have several
    maxima, some at 0: a grid over the whole range finds them, Newton's method refines each, and the highest
    wins. The restricted likelihood has the term log det(X'X) / 2.

    References
    ----------
    .. [1] Konstantopoulos S. Fixed effects and variance components estimation in three-level meta-analysis.
       Res Synth Methods 2011;2:61-76. doi:10.1002/jrsm.35
    .. [2] Cheung MWL. Modeling dependent effect sizes with three-level meta-analyses. Psychol Methods
       2014;19:211-229. doi:10.1037/a0032968

    Examples
    --------
    >>> fit = multilevel([0.1, 0.2, 0.7, 0.9, -0.1, 0.1], [0.01] * 6, [1, 1, 2, 2, 3, 3], range(6))
    >>> round(float(fit.coefficients[0]), 4), round(fit.outer_variance, 4), round(fit.inner_variance, 4)
    (0.3167, 0.1733, 0.005)
    """
    y, v = check_effects(y, v)
    check_word("method", method, ("reml", "ml"))
    level = check_level(level)
    for name, labels in (("outer", outer), ("inner", inner)):
        if len(labels) != y.size:
            raise InputError(f"{name} must have as many entries as y ({y.size}); got {len(labels)}", parameter=name)
    if y.size < 3:
        return NotApplicable(reason="a three-level model needs at least three effects")
    if max(float(v.max()), float(np.ptp(y)) ** 2) > FARTHEST * float(v.min()):
        return NotApplicable(
            reason="the effects or their variances differ so much that the likelihood is lost in rounding"
        )
    design = check_design(np.ones(y.size) if X is None else X, y.size)
    nested = _Nested(RegressionModel(y, v, design), list(outer), list(inner), restricted=method == "reml")
    reason = nested.flaw()
    if reason:
        return NotApplicable(reason=reason)
    return _result(nested, nested.maximum(), method=method, level=level)


def _result(nested: "_Nested", found: FloatArray, *, method: str, level: float) -> MultilevelResult:
    model = nested.model
    b, covariance = nested.coefficients(found)
    se = np.sqrt(np.diag(covariance))
    reach = quantile(level, math.nan) * se
    n = model.df if method == "reml" else model.k
    twice = float(nested.deviance(found[None])[0]) + n * math.log(2.0 * math.pi * model.scale)
    if method == "reml":
        twice -= float(model.log_det(np.ones(model.k)))
    q = model.sum_of_squares(1.0 / model.v)
    total = typical_variance(model) + float(found.sum())
    few = nested.outer_units < FEW_UNITS
    return MultilevelResult(
        method=method,
        coefficients=frozen_array(b),
        se=frozen_array(se),
        low=frozen_array(b - reach),
        high=frozen_array(b + reach),
        statistic=frozen_array(b / se),
        p=frozen_array(special.erfc(np.abs(b / se) / math.sqrt(2.0))),
        covariance=frozen_array(covariance),
        outer_variance=float(found[0]) * model.scale,
        inner_variance=float(found[1]) * model.scale,
        i2_outer=100.0 * float(found[0]) / total,
        i2_inner=100.0 * float(found[1]) / total,
        log_likelihood=-0.5 * twice,
        q=q,
        q_df=model.df,
        q_p=chi2_tail(q, model.df),
        level=level,
        outer_units=nested.outer_units,
        inner_units=nested.inner_units,
        k=model.k,
        notes=("Few outer units: Wald intervals and tests are too narrow.",) if few else (),
    )


class _Nested:
    """The likelihood of two nested variances, in the internal units of `RegressionModel`.

    Variances are pairs (outer, inner). Within an inner unit with precision a the effects leave their weighted
    mean, with precision c = a/(1 + inner a); within an outer unit these leave theirs, with C/(1 + outer C).
    All sums are of squares, so that nothing cancels.
    """

    def __init__(self, model: RegressionModel, outer: list[Any], inner: list[Any], *, restricted: bool) -> None:
        self.model, self.restricted = model, restricted
        self.of_effect, self.inner_units = _numbered(list(zip(outer, inner, strict=True)))
        outer_of_effect, self.outer_units = _numbered(outer)
        self.of_inner = np.zeros(self.inner_units, dtype=np.intp)
        self.of_inner[self.of_effect] = outer_of_effect
        self.members = (np.eye(self.outer_units)[outer_of_effect], np.eye(self.inner_units)[self.of_effect])
        self.nesting = np.eye(self.outer_units)[self.of_inner]
        w = 1.0 / model.v
        self.precision = np.bincount(self.of_effect, w)
        self.units = 1.0 / np.array([np.bincount(self.of_inner, self.precision).max(), self.precision.max()])
        z = np.column_stack([model.X, model.y])
        self.means = (self.members[1].T @ (w[:, None] * z)) / self.precision[:, None]
        left = np.sqrt(w)[:, None] * (z - self.means[self.of_effect])
        self.within = left.T @ left
        self.of_v = float(np.log(model.v).sum())

    def flaw(self) -> str:
        """Return why the two variances cannot be told apart, or nothing."""
        if self.inner_units == self.outer_units:
            return "every outer unit holds one inner unit: the two variances cannot be told apart"
        basis = np.linalg.qr(self.model.X)[0]
        for members, name in zip(self.members, ("outer", "inner"), strict=True):
            left = members - basis @ (basis.T @ members)
            if np.abs(left).max() < 1e-9:
                return f"the moderators leave nothing of the differences between {name} units"
        return ""

    def deviance(self, variances: FloatArray) -> FloatArray:
        """Return -2 log-likelihood of each row of variances, shape (m,), up to a constant."""
        rows = max(1, CHUNK // (self.inner_units * self.means.shape[1]))
        parts = [self._deviance(variances[i : i + rows]) for i in range(0, len(variances), rows)]
        return np.concatenate(parts)

    def _deviance(self, variances: FloatArray) -> FloatArray:
        outer, inner = variances[:, :1], variances[:, 1:]
        p = self.model.p
        shrunk = 1.0 + inner * self.precision
        c = self.precision / shrunk
        total = c @ self.nesting
        mean = np.einsum("mj,jo,jz->moz", c, self.nesting, self.means, optimize=True) / total[..., None]
        left = np.sqrt(c)[..., None] * (self.means - mean[:, self.of_inner])
        widened = 1.0 + outer * total
        top = np.sqrt(total / widened)[..., None] * mean
        cross = self.within + np.swapaxes(left, 1, 2) @ left + np.swapaxes(top, 1, 2) @ top
        factor = np.linalg.cholesky(cross[:, :p, :p])
        slope = np.linalg.solve(factor, cross[:, :p, p:])[..., 0]
        q = np.maximum(cross[:, p, p] - (slope * slope).sum(axis=1), 0.0)
        value: FloatArray = self.of_v + np.log(shrunk).sum(axis=1) + np.log(widened).sum(axis=1) + q
        if self.restricted:
            value = value + 2.0 * np.log(np.diagonal(factor, axis1=1, axis2=2)).sum(axis=1)
        return value

    def _root(self, variances: FloatArray) -> FloatArray:
        """Return the lower triangular root of the covariance matrix of the effects."""
        outer, inner = (unit @ unit.T for unit in self.members)
        root: FloatArray = np.linalg.cholesky(np.diag(self.model.v) + variances[0] * outer + variances[1] * inner)
        return root

    def coefficients(self, variances: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return generalised least squares coefficients and their covariance, in the caller's units."""
        model, root = self.model, self._root(variances)
        basis, r = np.linalg.qr(np.linalg.solve(root, model.X))
        b = np.linalg.solve(r, basis.T @ np.linalg.solve(root, model.y))
        inverse = np.linalg.inv(r) / model.column_scale[:, None]
        return (model.root * b + model.centre * model.shift) / model.column_scale, model.scale * (inverse @ inverse.T)

    def derivatives(self, variances: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return gradient, second derivatives and expected information of -2 log-likelihood."""
        model, root = self.model, self._root(variances)
        basis = np.linalg.qr(np.linalg.solve(root, model.X), mode="complete")[0]
        rest = basis[:, model.p :]
        s = rest.T @ np.linalg.solve(root, model.y)
        plain = [np.linalg.solve(root, unit) for unit in self.members]
        parts = [rest.T @ each for each in plain]
        turned = [each @ (each.T @ s) for each in parts]
        counted = parts if self.restricted else plain
        gradient = np.array(
            [(a * a).sum() - float(np.square(b.T @ s).sum()) for a, b in zip(counted, parts, strict=True)]
        )
        information = np.array([[np.square(a.T @ b).sum() for b in counted] for a in counted])
        bend = 2.0 * np.array([[float(a @ b) for b in turned] for a in turned]) - information
        return gradient, bend, information

    def maximum(self) -> FloatArray:
        """Return the variances of the highest likelihood."""
        axes = self._axes()
        grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
        height = self.deviance(grid.reshape(-1, 2)).reshape(grid.shape[:2])
        walled = np.pad(height, 1, constant_values=np.inf)
        rows, columns = (axis.size for axis in axes)
        lowest = np.ones_like(height, dtype=bool)
        for i in range(3):
            for j in range(3):
                lowest &= height <= walled[i : i + rows, j : j + columns]
        found = np.array([self._descend(start) for start in grid[lowest]])
        best: FloatArray = found[int(self.deviance(found).argmin())]
        return best

    def _axes(self) -> list[FloatArray]:
        """Return points from 0 to beyond the last stationary point, evenly spaced in log(variance + unit)."""
        model = self.model
        squares = model.sum_of_squares(np.ones(model.k))
        spread = float(model.v.max() - model.v.min())
        axes = []
        for unit in self.units[::-1].tolist():
            # as for one variance; the outer one meets inner means whose variances differ by more
            top = 0.5 * (squares + math.sqrt(squares * (squares + 4.0 * spread)))
            span = math.log1p(top / unit) + 2.0 / POINTS_PER_E_FOLD
            axes.append(unit * np.expm1(np.linspace(0.0, span, math.ceil(span * POINTS_PER_E_FOLD) + 1)))
            spread += top
        return axes[::-1]

    def _descend(self, start: FloatArray) -> FloatArray:
        """Return the local minimum of the deviance near `start`: Newton's method within the bounds."""
        at, height = start, float(self.deviance(start[None])[0])
        small, turns = False, 0
        while not small and turns < MOST_STEPS:
            gradient, bend, information = self.derivatives(at)
            free = (at > 0.0) | (gradient < 0.0)
            step = np.zeros(2)
            step[free] = _downhill(gradient[free], bend[np.ix_(free, free)], information[np.ix_(free, free)])
            new, now = self._along(at, step, height, sure=-float(gradient @ step) < 1e-11 * (1.0 + abs(height)))
            # convergence is quadratic: the step after one of 1e-7 would be lost in rounding
            small = bool((np.abs(new - at) <= 1e-7 * at + 1e-12 * self.units).all())
            at, height, turns = new, now, turns + 1
        return at

    def _along(self, at: FloatArray, step: FloatArray, height: float, *, sure: bool) -> tuple[FloatArray, float]:
        """Return a lower point along `step`, short of it where a variance would fall below 0."""
        reach = np.full(2, np.inf)
        falls = step < 0.0
        reach[falls] = at[falls] / -step[falls]
        share = min(1.0, float(reach.min()))
        while True:
            # the variance that reaches 0 first is 0 exactly
            new = np.where(reach <= share, 0.0, at + share * step)
            now = float(self.deviance(new[None])[0])
            # where the step promises less than rounding, the heights cannot judge it
            if sure or now <= height or share < 1e-12:
                return new, now
            share *= 0.5


def _downhill(gradient: FloatArray, bend: FloatArray, information: FloatArray) -> FloatArray:
    """Return Newton's step, or where the surface bends the other way that of the expected information."""
    size = np.sqrt(np.diag(information))
    scaled = bend / np.outer(size, size)
    values, vectors = np.linalg.eigh(scaled)
    if values.size and values[0] <= 1e-8:
        values, vectors = np.linalg.eigh(information / np.outer(size, size))
        values = np.maximum(values, 1e-8)
    step: FloatArray = -(vectors @ ((vectors.T @ (gradient / size)) / values)) / size
    return step


def _numbered(labels: list[Any]) -> tuple[NDArray[np.intp], int]:
    """Return each label's number in order of appearance, and how many there are."""
    known = {label: j for j, label in enumerate(dict.fromkeys(labels))}
    return np.array([known[label] for label in labels], dtype=np.intp), len(known)
