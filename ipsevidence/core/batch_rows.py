"""What the weights of many fits do to their data: the quantities of `weighting`, with one row for each fit."""

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ipsevidence.core.results import FloatArray
from ipsevidence.core.weighting import MeanModel, Model, RegressionModel

BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.intp]


class Selections:
    """Means of the studies of each fit, in internal units.

    Attributes
    ----------
    y, v : ndarray of shape (k,) or (m, k)
        Effects and variances, one row for all fits or one for each.
    chosen : ndarray of bool, shape (m, k)
        Which studies each fit includes; the others have weight 0 there.
    """

    __slots__ = ("chosen", "v", "y")

    def __init__(self, y: FloatArray, v: FloatArray, chosen: BoolArray) -> None:
        self.y, self.v, self.chosen = y, v, chosen

    def __getitem__(self, rows: IntArray | slice) -> "Selections":
        y, v = (x if x.ndim == 1 else x[rows] for x in (self.y, self.v))
        return Selections(y, v, self.chosen[rows])

    @property
    def k(self) -> IntArray:
        """Studies in each fit, shape (m,)."""
        found: IntArray = self.chosen.sum(axis=1)
        return found

    @property
    def df(self) -> IntArray:
        """Degrees of freedom of each fit, shape (m,); 1 for a single study, whose tau2 is not looked at."""
        return np.maximum(self.k - 1, 1)

    def models(self) -> Iterator[Model]:
        """Return each fit by itself; every study must be in every fit."""
        return (MeanModel(y, v) for y, v in zip(*np.broadcast_arrays(self.y, self.v), strict=True))

    def weights(self, tau2: FloatArray) -> FloatArray:
        """Return 1/(v + tau2), 0 for studies left out, shape (m, k)."""
        w: FloatArray = self.chosen / (self.v + tau2[:, None])
        return w

    def equal_weights(self) -> FloatArray:
        """Return weights 1, 0 for studies left out, shape (m, k)."""
        return self.chosen.astype(float)

    def mean(self, w: FloatArray) -> FloatArray:
        """Return the weighted mean of each fit, shape (m,)."""
        total = w @ self.y if self.y.ndim == 1 else np.einsum("ij,ij->i", w, self.y)
        found: FloatArray = total / w.sum(axis=1)
        return found

    def q(self, w: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return y'Py and y'PPy of each fit."""
        r = self.y - self.mean(w)[:, None]
        wr = w * r
        return np.einsum("ij,ij->i", wr, r), np.einsum("ij,ij->i", wr, wr)

    def crude_variance(self) -> FloatArray:
        """Return the mean squared distance of the effects from their plain mean."""
        found: FloatArray = self.q(self.equal_weights())[0] / (self.df + 1)
        return found

    def trace(self, w: FloatArray) -> FloatArray:
        """Return tr(P) of each fit."""
        found: FloatArray = np.einsum("ij,ij->i", w, _sum_of_others(w)) / w.sum(axis=1)
        return found

    def mean_variance(self) -> FloatArray:
        """Return tr(PV) at equal weights over the degrees of freedom: the mean of the variances."""
        found: FloatArray = (self.chosen * self.v).sum(axis=1) / (self.df + 1)
        return found

    def highest_score(self) -> tuple[float, float]:
        """Return what bounds the last point where a score vanishes: squares about the mean, degrees of freedom."""
        centred = self.y - self.y.mean(axis=-1, keepdims=True)
        return float((centred * centred).sum(axis=-1).max()), 1.0

    def deviance(self, tau2: FloatArray, *, restricted: bool) -> FloatArray:
        """Return -2 log-likelihood for each row of tau2, shape (m, g) for tau2 of shape (m, g)."""
        y, v = (x if x.ndim == 1 else x[:, None, :] for x in (self.y, self.v))
        total = v + tau2[..., None]
        w = self.chosen[:, None, :] / total
        sums = w.sum(axis=-1)
        weighted = w @ y if y.ndim == 1 else (w * y).sum(axis=-1)
        r = y - (weighted / sums)[..., None]
        value: FloatArray = (np.log(total) * self.chosen[:, None, :]).sum(axis=-1) + np.einsum(
            "...j,...j,...j", w, r, r
        )
        return value + np.log(sums) if restricted else value

    def score(self, tau2: FloatArray, *, restricted: bool) -> tuple[FloatArray, FloatArray]:
        """Return the derivative of -2 log-likelihood in tau2 and its derivative."""
        w = self.weights(tau2)
        total = w.sum(axis=1)
        wr = w * (self.y - self.mean(w)[:, None])
        square = np.einsum("ij,ij->i", wr, wr)
        s2 = np.einsum("ij,ij->i", w, w)
        tilt = np.einsum("ij,ij->i", w, wr)
        third = np.einsum("ij,ij,ij->i", w, wr, wr) - tilt * tilt / total
        if not restricted:
            return total - square, 2.0 * third - s2
        trace2 = s2 - 2.0 * np.einsum("ij,ij,ij->i", w, w, w) / total + (s2 / total) ** 2
        return self.trace(w) - square, 2.0 * third - trace2


class Designs:
    """The same studies with another design in each fit, in internal units.

    Attributes
    ----------
    y, v : ndarray of shape (k,)
        Effects and variances.
    X : ndarray of shape (m, k, p)
        The design of each fit.
    """

    __slots__ = ("X", "v", "y")

    def __init__(self, y: FloatArray, v: FloatArray, X: FloatArray) -> None:
        self.y, self.v, self.X = y, v, X

    def __getitem__(self, rows: IntArray | slice) -> "Designs":
        return Designs(self.y, self.v, self.X[rows])

    @property
    def k(self) -> IntArray:
        """Studies in each fit, shape (m,)."""
        return np.full(self.X.shape[0], self.X.shape[1])

    @property
    def df(self) -> IntArray:
        """Degrees of freedom of each fit, shape (m,)."""
        return np.full(self.X.shape[0], self.X.shape[1] - self.X.shape[2])

    def models(self) -> Iterator[Model]:
        """Return each fit by itself."""
        return (RegressionModel(self.y, self.v, X) for X in self.X)

    def weights(self, tau2: FloatArray) -> FloatArray:
        """Return 1/(v + tau2), shape (m, k)."""
        w: FloatArray = 1.0 / (self.v + tau2[:, None])
        return w

    def equal_weights(self) -> FloatArray:
        """Return weights 1, shape (m, k)."""
        return np.ones(self.X.shape[:2])

    def factor(self, w: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return the basis of each W^(1/2) X, its complement Z, and the triangular factor."""
        p = self.X.shape[2]
        q, r = np.linalg.qr(np.sqrt(w)[..., None] * self.X, mode="complete")
        return q[..., :p], q[..., p:], r[:, :p]

    def coefficients(self, w: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the coefficients, shape (m, p), and (X'WX)^-1, shape (m, p, p)."""
        basis, _, r = self.factor(w)
        inverse = np.linalg.inv(r)
        b = inverse @ (np.swapaxes(basis, 1, 2) @ (np.sqrt(w) * self.y)[..., None])
        covariance = np.asarray(inverse @ np.swapaxes(inverse, 1, 2), dtype=np.float64)
        return b[..., 0], covariance

    def q(self, w: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return y'Py and y'PPy of each fit."""
        s, py = self._projected(self.factor(w)[1], np.sqrt(w))
        return np.einsum("ij,ij->i", s, s), np.einsum("ij,ij->i", py, py)

    def _projected(self, rest: FloatArray, root: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return Z'W^(1/2) y and Py of each fit."""
        s = np.swapaxes(rest, 1, 2) @ (root * self.y)[..., None]
        return s[..., 0], root * (rest @ s)[..., 0]

    def crude_variance(self) -> FloatArray:
        """Return the mean squared distance of the effects from their plain mean."""
        return np.full(self.X.shape[0], float(self.y.var()))

    def trace(self, w: FloatArray) -> FloatArray:
        """Return tr(P) of each fit."""
        rest = self.factor(w)[1]
        found: FloatArray = np.einsum("ij,ijk,ijk->i", w, rest, rest)
        return found

    def mean_variance(self) -> FloatArray:
        """Return tr(PV) at equal weights over the degrees of freedom."""
        rest = self.factor(self.equal_weights())[1]
        found: FloatArray = np.einsum("j,ijk,ijk->i", self.v, rest, rest) / self.df
        return found

    def highest_score(self) -> tuple[float, float]:
        """Return what bounds the last point where a score vanishes: squares of residuals, degrees of freedom."""
        return float(self.q(self.equal_weights())[0].max()), float(self.df[0])

    def deviance(self, tau2: FloatArray, *, restricted: bool) -> FloatArray:
        """Return -2 log-likelihood for each row of tau2, shape (m, g) for tau2 of shape (m, g)."""
        total = self.v + tau2[..., None]
        root = total**-0.5
        basis, r = np.linalg.qr(root[..., None] * self.X[:, None])
        target = (root * self.y)[..., None]
        left = (target - basis @ (np.swapaxes(basis, -1, -2) @ target))[..., 0]
        value: FloatArray = np.log(total).sum(axis=-1) + np.einsum("...j,...j", left, left)
        size = np.abs(np.diagonal(r, axis1=-2, axis2=-1))
        return value + 2.0 * np.log(size).sum(axis=-1) if restricted else value

    def score(self, tau2: FloatArray, *, restricted: bool) -> tuple[FloatArray, FloatArray]:
        """Return the derivative of -2 log-likelihood in tau2 and its derivative."""
        w = self.weights(tau2)
        root = np.sqrt(w)
        basis, rest, _ = self.factor(w)
        _, py = self._projected(rest, root)
        square = np.einsum("ij,ij->i", py, py)
        turned = np.swapaxes(rest, 1, 2) @ (root * py)[..., None]
        third = np.einsum("ijk,ijk->i", turned, turned)
        if not restricted:
            return w.sum(axis=1) - square, 2.0 * third - np.einsum("ij,ij->i", w, w)
        hat = np.einsum("ijk,ijk->ij", basis, basis)
        inner = np.swapaxes(basis, 1, 2) @ (w[..., None] * basis)
        # a sum that may cancel, but it only steers
        trace2 = np.einsum("ij,ij,ij->i", w, w, 1.0 - 2.0 * hat) + np.einsum("ijk,ijk->i", inner, inner)
        trace = np.einsum("ij,ijk,ijk->i", w, rest, rest)
        return trace - square, 2.0 * third - trace2


Rows: TypeAlias = Selections | Designs


def _sum_of_others(x: FloatArray) -> FloatArray:
    """Return, for each entry, the sum of all others in its row, without cancelling for the largest."""
    rest: FloatArray = x.sum(axis=1, keepdims=True) - x
    rows, largest = np.arange(x.shape[0]), x.argmax(axis=1)
    without = x.copy()
    without[rows, largest] = 0.0
    rest[rows, largest] = without.sum(axis=1)
    return rest
