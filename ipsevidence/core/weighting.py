"""What a set of study weights does to the data: the few quantities every estimator is made of.

With weights W and design X, P = W - W X (X'WX)^-1 X'W. Everything is held in units of the smallest
variance, so that no tolerance downstream depends on the scale of the outcome.
"""

import math
from abc import ABC, abstractmethod
from operator import mul
from typing import Any, TypeAlias

import numpy as np

from ipsevidence.core.inputs import LARGEST_MODERATOR, InputError
from ipsevidence.core.results import FloatArray

FEW = 25  # studies up to which sums of plain numbers are quicker
LONG = 4096  # numbers from which BLAS may start threads
OUTWEIGHED = 1e-3  # share of the weights that all studies but one have, below which digits are saved
NEGLIGIBLE = 1e-60  # a difference of effects, in standard errors of the most precise study, that is none


def unit(variance: float) -> float:
    """Return a power of two near the root of a variance: changing units back and forth then costs no rounding."""
    return math.ldexp(1.0, math.frexp(variance)[1] // 2)


def in_units(differences: FloatArray, root: float) -> FloatArray:
    """Return differences of effects in units of `root`; those too small for a double to square twice are 0."""
    scaled = differences / root
    return np.where(np.abs(scaled) < NEGLIGIBLE, 0.0, scaled)


def dot(a: FloatArray, b: FloatArray) -> float:
    """Return the sum of products; BLAS would start threads for long arrays, which costs more than it saves."""
    return float(a.dot(b) if a.size < LONG else np.einsum("i,i", a, b))


class _Studies(ABC):
    """Effects and variances in internal units, whose Q several methods ask for at the same values of tau2.

    Attributes
    ----------
    y, v : ndarray of shape (k,)
        Effects and variances in internal units: y is counted from `centre`, in units of `root`; v is in units of
        ``root**2``.
    centre, root, scale : float
        In the caller's units: where y is counted from, the unit of y, and that of v.
    smallest, largest : float
        Of the variances.
    k, p, df : int
        Studies, coefficients and their difference.
    moment_weights : ndarray of shape (k,) or None
        Weights of the generalised Q statistic, where they were given.
    looks : dict
        tau2 -> (Q, minus its derivative), wherever it was looked at: these bound every root of Q from below.
    """

    __slots__ = (
        "centre",
        "df",
        "k",
        "largest",
        "looks",
        "moment_weights",
        "p",
        "root",
        "scale",
        "smallest",
        "v",
        "y",
    )

    def __init__(self, y: FloatArray, v: FloatArray, *, p: int, centred: bool) -> None:
        # counted from the effect of the most precise study, whose own residual then loses no digits
        anchor = int(v.argmin())
        self.root = unit(float(v[anchor]))
        self.scale = self.root * self.root
        self.centre = float(y[anchor]) if centred else 0.0
        self.y = in_units(y - self.centre, self.root)
        self.v = v / self.scale
        self.smallest, self.largest = float(self.v[anchor]), float(self.v.max())
        self.k = v.size
        self.p = p
        self.df = self.k - p
        self.moment_weights: FloatArray | None = None
        self.looks: dict[float, tuple[float, float]] = {}

    def q_and_slope(self, tau2: float) -> tuple[float, float]:
        """Return Q(tau2) = y'Py at weights 1/(v + tau2), and y'PPy, which is minus its derivative."""
        found = self.looks.get(tau2)
        if found is None:
            found = self.looks[tau2] = self._look(tau2)
        return found

    @abstractmethod
    def _look(self, tau2: float) -> tuple[float, float]:
        """Compute Q(tau2) and minus its derivative."""


class MeanModel(_Studies):
    """Studies that share one mean: X is a column of ones."""

    __slots__ = ("_plain",)

    def __init__(self, y: FloatArray, v: FloatArray) -> None:
        super().__init__(y, v, p=1, centred=True)
        # plain numbers are quicker than short arrays
        self._plain = (self.y.tolist(), self.v.tolist()) if self.k <= FEW else None

    def coefficients(self, w: FloatArray) -> FloatArray:
        """Return the weighted mean, shape (1,), in the caller's units."""
        return np.array([self.centre + self.root * dot(w, self.y) / float(w.sum())])

    def covariance(self, w: FloatArray) -> FloatArray:
        """Return (X'WX)^-1, shape (1, 1), in the caller's units."""
        return np.array([[self.scale / float(w.sum())]])

    def residuals(self, w: FloatArray) -> FloatArray:
        """Return y less the weighted mean, shape (k,)."""
        r: FloatArray = self.y - dot(w, self.y) / np.add.reduce(w)
        return r

    def hat(self, w: FloatArray) -> FloatArray:
        """Return the diagonal of the hat matrix, shape (k,)."""
        h: FloatArray = w / w.sum()
        return h

    def sum_of_squares(self, w: FloatArray) -> float:
        """Return y'Py, the weighted sum of squared residuals (Q for weights 1/v), in two passes."""
        r = self.residuals(w)
        return dot(w * r, r)

    def plain_squares(self) -> float:
        """Return the sum of squared distances from the plain mean."""
        r = self.y - np.add.reduce(self.y) / self.k
        return dot(r, r)

    def trace(self, w: FloatArray, d: FloatArray) -> float:
        """Return tr(PD) for a diagonal D of shape (k,)."""
        return dot(w * d, sum_of_others(w)) / float(np.add.reduce(w))

    def trace2(self, w: FloatArray, d1: FloatArray, d2: FloatArray) -> float:
        """Return tr(P D1 P D2) for diagonals of shape (k,)."""
        total = np.add.reduce(w)
        own = w * sum_of_others(w)
        square = w * w
        mixed = dot(square * d2, sum_of_others(square * d1))
        return float((dot(d1 * d2, own * own) + mixed) / total**2)

    def form_weights(self, w: FloatArray, tau2: float) -> FloatArray:
        """Return the chi-square weights of y'Py for variances v + tau2, shape (df,)."""
        size = np.sqrt(w / w.sum())
        total = w * (self.v + tau2)
        form = np.diag(total) - np.outer(size * total, size) - np.outer(size, size * total)
        form += np.outer(size, size) * (size * size).dot(total)
        return np.asarray(np.maximum(np.linalg.eigvalsh(form)[1:], 0.0))

    def log_det(self, w: FloatArray) -> FloatArray:
        """Return log det(X'WX), shape (...), for weights of shape (..., k)."""
        logarithm: FloatArray = np.log(w.sum(axis=-1))
        return logarithm

    def _look(self, tau2: float) -> tuple[float, float]:
        if self._plain is not None:
            ys, vs = self._plain
            few = [1.0 / (v + tau2) for v in vs]
            mean = sum(map(mul, few, ys)) / sum(few)
            left = [y - mean for y in ys]
            weighted = list(map(mul, few, left))
            return sum(map(mul, weighted, left)), sum(map(mul, weighted, weighted))
        w = self.v + tau2
        np.divide(1.0, w, out=w)
        r = self.residuals(w)
        w *= r
        return dot(w, r), dot(w, w)

    def q_on_grid(self, w: FloatArray) -> FloatArray:
        """Return y'Py for each row of weights, shape (m,) for weights of shape (m, k)."""
        r = self.y - ((w @ self.y) / w.sum(axis=1))[:, None]
        q: FloatArray = np.einsum("ij,ij,ij->i", w, r, r)
        return q

    def score_terms(self, tau2: float, *, restricted: bool) -> tuple[float, float, float, float]:
        """Return tr(P), y'PPy, tr(PP) and y'PPPy at weights W = 1/(v + tau2); traces of W for the plain likelihood.

        The first two decide where the score vanishes and keep their digits; the others only steer.
        """
        if self._plain is not None:
            return self._score_terms_of_few(tau2, *self._plain, restricted=restricted)
        w = self.v + tau2
        np.divide(1.0, w, out=w)
        total, s2 = float(np.add.reduce(w)), dot(w, w)
        wr = self.residuals(w)
        wr *= w
        tilt, square = dot(w, wr), dot(wr, wr)
        np.multiply(wr, wr, out=wr)  # few arrays: beyond the cache each new one costs more than the sums
        third = dot(w, wr) - tilt * tilt / total
        if not restricted:
            return total, square, s2, third
        share = s2 / total
        np.multiply(w, w, out=wr)
        trace, trace2 = total - share, s2 - 2.0 * dot(w, wr) / total + share * share
        if trace < OUTWEIGHED * total:  # one study outweighs the others, and the difference has lost digits
            trace = dot(w, sum_of_others(w)) / total
        return trace, square, trace2, third

    def _score_terms_of_few(
        self, tau2: float, ys: list[float], vs: list[float], *, restricted: bool
    ) -> tuple[float, float, float, float]:
        w = [1.0 / (v + tau2) for v in vs]
        total = sum(w)
        mean = sum(map(mul, w, ys)) / total
        wr = [a * (y - mean) for a, y in zip(w, ys, strict=True)]
        w2, w2r = list(map(mul, w, w)), list(map(mul, w, wr))
        s2, tilt = sum(w2), sum(w2r)
        square, third = sum(map(mul, wr, wr)), sum(map(mul, w2r, wr)) - tilt * tilt / total
        if not restricted:
            return total, square, s2, third
        share = s2 / total
        trace, trace2 = total - share, s2 - 2.0 * sum(map(mul, w2, w)) / total + share * share
        if trace < OUTWEIGHED * total:  # one study outweighs the others, and the difference has lost digits
            trace = self.trace(np.array(w), np.ones(self.k))
        return trace, square, trace2, third


class RegressionModel(_Studies):
    """Studies whose means are a linear function of moderators: the same quantities for any X.

    All are written with an orthonormal basis Z of what W^(1/2) X leaves, since P = W^(1/2) Z Z' W^(1/2)
    then needs no difference of large numbers.

    Attributes
    ----------
    X : ndarray of shape (k, p)
        Design with columns scaled to a largest entry of 1.
    column_scale : ndarray of shape (p,)
        What they were divided by.
    shift : ndarray of shape (p,)
        The coefficients whose fitted values are all 1, where X has such.
    """

    __slots__ = ("X", "column_scale", "shift")

    def __init__(self, y: FloatArray, v: FloatArray, X: FloatArray) -> None:
        self.column_scale = np.abs(X).max(axis=0)
        self.X = X / self.column_scale
        # y can be counted from any origin that X can add back
        ones = np.ones(y.size)
        self.shift = np.linalg.lstsq(self.X, ones, rcond=None)[0]
        spans = bool(np.abs(self.X @ self.shift - ones).max() < 1e-10)
        super().__init__(y, v, p=X.shape[1], centred=spans)

    def _factor(self, w: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return the orthonormal basis of W^(1/2) X, its complement Z, and the triangular factor."""
        q, r = np.linalg.qr(np.sqrt(w)[:, None] * self.X, mode="complete")
        return q[:, : self.p], q[:, self.p :], r[: self.p]

    def coefficients(self, w: FloatArray) -> FloatArray:
        """Return the weighted least squares coefficients, shape (p,), in the caller's units."""
        basis, _, r = self._factor(w)
        b = np.linalg.solve(r, basis.T @ (np.sqrt(w) * self.y))
        found: FloatArray = (self.root * b + self.centre * self.shift) / self.column_scale
        return found

    def covariance(self, w: FloatArray) -> FloatArray:
        """Return (X'WX)^-1, shape (p, p), in the caller's units."""
        inverse = np.linalg.inv(self._factor(w)[2]) / self.column_scale[:, None]
        found: FloatArray = self.scale * (inverse @ inverse.T)
        return found

    def residuals(self, w: FloatArray) -> FloatArray:
        """Return y less its fitted values, shape (k,)."""
        rest = self._factor(w)[1]
        root = np.sqrt(w)
        r: FloatArray = (rest @ (rest.T @ (root * self.y))) / root
        return r

    def hat(self, w: FloatArray) -> FloatArray:
        """Return the diagonal of the hat matrix, shape (k,)."""
        basis = self._factor(w)[0]
        h: FloatArray = (basis * basis).sum(axis=1)
        return h

    def sum_of_squares(self, w: FloatArray) -> float:
        """Return y'Py, the weighted sum of squared residuals (Q for weights 1/v)."""
        s = self._factor(w)[1].T @ (np.sqrt(w) * self.y)
        return float(s @ s)

    def plain_squares(self) -> float:
        """Return the sum of squared residuals of the unweighted fit."""
        return self.sum_of_squares(np.ones(self.k))

    def trace(self, w: FloatArray, d: FloatArray) -> float:
        """Return tr(PD) for a diagonal D of shape (k,)."""
        rest = self._factor(w)[1]
        return float((w * d) @ (rest * rest).sum(axis=1))

    def trace2(self, w: FloatArray, d1: FloatArray, d2: FloatArray) -> float:
        """Return tr(P D1 P D2) for diagonals of shape (k,)."""
        rest = self._factor(w)[1]
        first, second = (rest.T @ ((w * d)[:, None] * rest) for d in (d1, d2))
        return float((first * second).sum())

    def form_weights(self, w: FloatArray, tau2: float) -> FloatArray:
        """Return the chi-square weights of y'Py for variances v + tau2, shape (df,)."""
        rest = self._factor(w)[1]
        form = rest.T @ ((w * (self.v + tau2))[:, None] * rest)
        return np.asarray(np.maximum(np.linalg.eigvalsh(form), 0.0))

    def log_det(self, w: FloatArray) -> FloatArray:
        """Return log det(X'WX), shape (...), for weights of shape (..., k)."""
        found: FloatArray = np.linalg.slogdet((self.X.T * w[..., None, :]) @ self.X)[1]
        return found

    def _look(self, tau2: float) -> tuple[float, float]:
        w = 1.0 / (self.v + tau2)
        root = np.sqrt(w)
        rest = self._factor(w)[1]
        s = rest.T @ (root * self.y)
        py = root * (rest @ s)
        return float(s @ s), float(py @ py)

    def q_on_grid(self, w: FloatArray) -> FloatArray:
        """Return y'Py for each row of weights, shape (m,) for weights of shape (m, k)."""
        root = np.sqrt(w)
        target = (root * self.y)[..., None]
        basis = np.linalg.qr(root[..., None] * self.X)[0]
        left = target - basis @ (np.swapaxes(basis, -1, -2) @ target)
        q: FloatArray = (left[..., 0] ** 2).sum(axis=-1)
        return q

    def score_terms(self, tau2: float, *, restricted: bool) -> tuple[float, float, float, float]:
        """Return tr(P), y'PPy, tr(PP) and y'PPPy at weights W = 1/(v + tau2); traces of W for the plain likelihood."""
        w = 1.0 / (self.v + tau2)
        rest = self._factor(w)[1]
        s = rest.T @ (np.sqrt(w) * self.y)
        inner = rest.T @ (w[:, None] * rest)
        turned = inner @ s
        square, third = float(s @ turned), float(turned @ turned)
        if not restricted:
            return float(w.sum()), square, float(w @ w), third
        return float(np.trace(inner)), square, float((inner * inner).sum()), third


Model: TypeAlias = MeanModel | RegressionModel


def check_design(X: Any, k: int) -> FloatArray:
    """Return a design matrix of full column rank, shape (k, p) with p < k.

    Parameters
    ----------
    X : array_like of shape (k, p) or (k,)
        Moderators, with the column of ones if there is to be an intercept.
    k : int
        Number of studies.

    Returns
    -------
    ndarray of shape (k, p)

    Raises
    ------
    InputError
        If X has another length, is not finite, leaves no degrees of freedom or is rank deficient.
    """
    try:
        design = np.asarray(X, dtype=float)
    except (TypeError, ValueError):
        raise InputError("X must be a matrix of numbers, one row per study", parameter="X") from None
    if design.ndim == 1:
        design = design[:, None]
    if design.ndim != 2 or design.shape[0] != k or design.shape[1] == 0:
        raise InputError(f"X must have one row per study ({k}); got shape {np.shape(X)}", parameter="X")
    if not np.isfinite(design).all():
        study = int(np.argmin(np.isfinite(design).all(axis=1)))
        raise InputError(f"X must be finite; it is not in study {study + 1} of {k}", parameter="X", study=study)
    if design.shape[1] >= k:
        raise InputError(f"X must have fewer columns than studies ({k}); got {design.shape[1]}", parameter="X")
    largest = np.abs(design).max(axis=0)
    if largest.max() > LARGEST_MODERATOR or 0.0 < largest[largest > 0.0].min(initial=1.0) < 1.0 / LARGEST_MODERATOR:
        least = 1.0 / LARGEST_MODERATOR
        raise InputError(
            f"X must have columns whose largest entry lies between {least:g} and {LARGEST_MODERATOR:g}", parameter="X"
        )
    if (largest == 0).any() or np.linalg.matrix_rank(design / largest, tol=1e-10) < design.shape[1]:
        raise InputError("X must have linearly independent columns", parameter="X")
    return design


def sum_of_others(x: FloatArray) -> FloatArray:
    """Return, for each entry of a non-negative array, the sum of all others.

    Subtracting from the total would cancel for an entry that dominates, so that one is summed anew.
    """
    rest: FloatArray = np.add.reduce(x) - x
    largest = int(x.argmax())
    rest[largest] = np.add.reduce(x[:largest]) + np.add.reduce(x[largest + 1 :])
    return rest
