"""What the weights of many fits do to their data: the quantities of `weighting`, with one column for each fit.

Studies run along the first axis and fits along the last, so that every sum over studies adds whole rows of numbers:
quick, and in the same order for a fit whatever other fits stand beside it.
"""

from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ipsevidence.core.results import FloatArray
from ipsevidence.core.weighting import OUTWEIGHED, MeanModel, Model, RegressionModel

BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.intp]

ROUNDING = 1e-13  # of the sum of the sizes of all terms, beyond which a sum of them is off by no rounding


class Terms(NamedTuple):
    """What decides the sign of the score, and of its slope, at some values of tau2; each of shape (g, m).

    Attributes
    ----------
    trace, square : ndarray of shape (g, m)
        The derivative of the log-determinants in tau2 (tr(P) for the restricted likelihood) and y'PPy: the score of
        the deviance is their difference.
    trace2, third : ndarray of shape (g, m)
        tr(PP), or its like, and y'PPPy: minus the derivatives of the first two, of the second by half.
    error, error2 : ndarray of shape (g, 1)
        What rounding may have done to the score, and to its slope.
    """

    trace: FloatArray
    square: FloatArray
    trace2: FloatArray
    third: FloatArray
    error: FloatArray
    error2: FloatArray


def total(x: FloatArray) -> FloatArray:
    """Return the sum over studies for each fit, shape (m,), added in the order of the studies."""
    if x.shape[1] == 1:  # numpy would add a single column in another order
        x = np.repeat(x, 2, axis=1)
        alone: FloatArray = np.add.reduce(x, axis=0)[:1]
        return alone
    found: FloatArray = np.add.reduce(x, axis=0)
    return found


def _columns(x: FloatArray, rows: IntArray | slice) -> FloatArray:
    """Return some columns, stored study by study: sums over studies rely on it."""
    return x[:, rows] if isinstance(rows, slice) else np.take(x, rows, axis=1)


class Means:
    """Means of the studies of each fit, in internal units.

    Attributes
    ----------
    y, v : ndarray of shape (k, 1) or (k, m)
        Effects and variances, one column for all fits or one for each. The variance of a study that a fit leaves
        out is infinite.
    k : ndarray of shape (m,)
        Studies in each fit.
    """

    __slots__ = ("k", "v", "y")

    def __init__(self, y: FloatArray, v: FloatArray, k: IntArray) -> None:
        self.y, self.v, self.k = y, v, k

    def __getitem__(self, rows: IntArray | slice) -> "Means":
        y, v = (x if x.shape[1] == 1 else _columns(x, rows) for x in (self.y, self.v))
        return Means(y, v, self.k[rows])

    @property
    def df(self) -> IntArray:
        """Degrees of freedom of each fit, shape (m,); 1 for a single study, whose tau2 is not looked at."""
        return np.maximum(self.k - 1, 1)

    @property
    def smallest(self) -> FloatArray:
        """Smallest variance, of all fits or of each, shape (1,) or (m,)."""
        found: FloatArray = self.v.min(axis=0)
        return found

    def models(self) -> Iterator[Model]:
        """Return each fit by itself; every study must be in every fit."""
        return (MeanModel(y, v) for y, v in zip(*np.broadcast_arrays(self.y.T, self.v.T), strict=True))

    def weights(self, tau2: FloatArray) -> FloatArray:
        """Return 1/(v + tau2), 0 for studies left out, shape (k, m)."""
        w: FloatArray = self.v + tau2
        return np.divide(1.0, w, out=w)

    def equal_weights(self) -> FloatArray:
        """Return weights 1, 0 for studies left out, shape (k, m)."""
        here = np.broadcast_to(np.isfinite(self.v), (self.v.shape[0], self.k.size))
        return here.astype(np.float64)

    def total_weight(self, w: FloatArray) -> FloatArray:
        """Return the sum of the weights of each fit, shape (m,)."""
        return total(w)

    def mean(self, w: FloatArray) -> FloatArray:
        """Return the weighted mean of each fit, shape (m,)."""
        return total(w * self.y) / total(w)

    def q(self, w: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return y'Py and y'PPy of each fit."""
        r = self.y - self.mean(w)
        wr = w * r
        return total(wr * r), total(wr * wr)

    def crude_variance(self) -> FloatArray:
        """Return the mean squared distance of the effects from their plain mean."""
        return self.q(self.equal_weights())[0] / (self.df + 1)

    def trace(self, w: FloatArray) -> FloatArray:
        """Return tr(P) of each fit."""
        return _trace(w, total(w), total(w * w))

    def mean_variance(self) -> FloatArray:
        """Return tr(PV) at equal weights over the degrees of freedom: the mean of the variances."""
        found = np.broadcast_to(np.where(np.isfinite(self.v), self.v, 0.0), (self.v.shape[0], self.k.size))
        return total(found) / (self.df + 1)

    def last_stationary(self) -> FloatArray:
        """Return a tau2 beyond which no likelihood has a stationary point, shape (m,)."""
        squares = self.q(self.equal_weights())[0]
        spread = np.where(np.isfinite(self.v), self.v, 0.0).max(axis=0) - self.smallest
        return last_stationary(squares, spread, 1)

    def deviance(self, tau2: FloatArray, *, restricted: bool) -> FloatArray:
        """Return -2 log-likelihood of each fit at its tau2, shape (m,)."""
        w = self.weights(tau2)
        value = self.q(w)[0] - total(np.log(np.where(w > 0.0, w, 1.0)))
        return value + np.log(total(w)) if restricted else value

    def score(self, tau2: FloatArray, *, restricted: bool) -> tuple[FloatArray, FloatArray]:
        """Return the derivative of -2 log-likelihood in tau2 and its derivative."""
        trace, square, trace2, third = self._score_terms(tau2, restricted=restricted)
        return trace - square, 2.0 * third - trace2

    def _score_terms(self, tau2: FloatArray, *, restricted: bool) -> tuple[FloatArray, ...]:
        w = self.weights(tau2)
        sum1, square_w = total(w), w * w
        sum2 = total(square_w)
        wr = self.y - total(w * self.y) / sum1
        wr *= w
        product = w * wr
        tilt = total(product)
        product *= wr
        third = total(product) - tilt * tilt / sum1
        wr *= wr
        square = total(wr)
        if not restricted:
            return sum1, square, sum2, third
        square_w *= w
        ratio = sum2 / sum1
        return _trace(w, sum1, sum2), square, sum2 - 2.0 * total(square_w) / sum1 + ratio * ratio, third

    def terms(self, points: FloatArray, *, restricted: bool) -> Terms:
        """Return what decides the sign of the score at each of the points, which are of shape (g, 1) or (g, m)."""
        m = self.k.size
        found = [self._score_terms(np.broadcast_to(t, m), restricted=restricted) for t in points]
        trace, square, trace2, third = (np.array(part) for part in zip(*found, strict=True))
        return Terms(trace, square, trace2, third, ROUNDING * (trace + square), ROUNDING * (trace2 + third))


class Selections(Means):
    """Means of selections of the same studies, in internal units.

    Attributes
    ----------
    every : ndarray of shape (k, 1)
        Variances of all studies.
    """

    __slots__ = ("every",)

    def __init__(self, y: FloatArray, v: FloatArray, k: IntArray, every: FloatArray) -> None:
        super().__init__(y, v, k)
        self.every = every

    def __getitem__(self, rows: IntArray | slice) -> "Selections":
        return Selections(self.y, _columns(self.v, rows), self.k[rows], self.every)

    @property
    def smallest(self) -> FloatArray:
        """Smallest variance of all studies, shape (1,)."""
        found: FloatArray = self.every.min(axis=0)
        return found

    def last_stationary(self) -> FloatArray:
        """Return a tau2 beyond which no likelihood has a stationary point, the same for all, shape (1,)."""
        # of all selections, that of the two farthest effects has the largest variance
        return last_stationary(0.5 * np.ptp(self.y, axis=0) ** 2, np.ptp(self.every, axis=0), 1)

    @np.errstate(divide="ignore", invalid="ignore", over="ignore")  # what is no number proves nothing
    def terms(self, points: FloatArray, *, restricted: bool) -> Terms:
        """Return what decides the sign of the score at each of the points, of shape (g, 1): by sums over studies."""
        w = 1.0 / (self.every.T + points)
        y = self.y.T
        w2 = w * w
        w3 = w2 * w
        parts = np.stack([w, w2, w3, w * y, w2 * y, w3 * y, w2 * y * y, w3 * y * y], axis=1)
        # one product for each point: so small that no BLAS starts threads for it
        s1, s2, s3, y1, y2, y3, q2, q3 = (parts @ np.isfinite(self.v).astype(np.float64)).swapaxes(0, 1)
        mean = y1 / s1
        tilt = y2 - mean * s2
        square = q2 - mean * (y2 + tilt)
        third = q3 - mean * (2.0 * y3 - mean * s3) - tilt * tilt / s1
        trace, trace2 = s1, s2
        if restricted:
            ratio = s2 / s1
            trace, trace2 = s1 - ratio, s2 - 2.0 * s3 / s1 + ratio * ratio
        farthest = float(np.abs(self.y).max()) ** 2
        error = ROUNDING * (w + 4.0 * farthest * w2).sum(axis=1, keepdims=True)
        error2 = ROUNDING * (w2 + 8.0 * farthest * w3).sum(axis=1, keepdims=True)
        return Terms(trace, square, trace2, third, error, error2)


def selections(y: FloatArray, v: FloatArray, chosen: BoolArray) -> Selections:
    """Return selections of studies, from effects and variances of shape (k,) and from who is chosen, shape (k, m)."""
    every = v[:, None]
    left = np.ascontiguousarray(np.where(chosen, every, np.inf))
    return Selections(y[:, None], left, np.count_nonzero(chosen, axis=0), every)


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

    @property
    def smallest(self) -> FloatArray:
        """Smallest variance, shape (1,)."""
        return np.array([self.v.min()])

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

    def total_weight(self, w: FloatArray) -> FloatArray:
        """Return the sum of the weights of each fit, shape (m,)."""
        found: FloatArray = w.sum(axis=1)
        return found

    def factor(self, w: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return the basis of each W^(1/2) X, its complement Z, and the triangular factor."""
        p = self.X.shape[2]
        q, r = np.linalg.qr(np.sqrt(w)[..., None] * self.X, mode="complete")
        return q[..., :p], q[..., p:], r[:, :p]

    def coefficients(self, w: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the coefficients, shape (m, p), and (X'WX)^-1, shape (m, p, p)."""
        basis, r = np.linalg.qr(np.sqrt(w)[..., None] * self.X)
        inverse = np.linalg.inv(r)
        b = inverse @ (np.swapaxes(basis, 1, 2) @ (np.sqrt(w) * self.y)[..., None])
        covariance = np.asarray(inverse @ np.swapaxes(inverse, 1, 2), dtype=np.float64)
        return b[..., 0], covariance

    def q(self, w: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return y'Py and y'PPy of each fit."""
        s, py = self.projected(self.factor(w)[1], np.sqrt(w))
        return np.einsum("ij,ij->i", s, s), np.einsum("ij,ij->i", py, py)

    def projected(self, rest: FloatArray, root: FloatArray) -> tuple[FloatArray, FloatArray]:
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

    def last_stationary(self) -> FloatArray:
        """Return a tau2 beyond which no likelihood has a stationary point, shape (m,)."""
        squares = self._left(np.linalg.qr(self.X)[0], np.broadcast_to(self.y, self.X.shape[:2]))
        return last_stationary((squares * squares).sum(axis=1), np.ptp(self.v, keepdims=True), int(self.df[0]))

    def _left(self, basis: FloatArray, x: FloatArray) -> FloatArray:
        """Return what an orthonormal basis leaves of each row of x, shape (m, k)."""
        column = x[..., None]
        found: FloatArray = (column - basis @ (np.swapaxes(basis, 1, 2) @ column))[..., 0]
        return found

    def deviance(self, tau2: FloatArray, *, restricted: bool) -> FloatArray:
        """Return -2 log-likelihood of each fit at its tau2, shape (m,)."""
        sums = self.v + tau2[:, None]
        root = sums**-0.5
        basis, r = np.linalg.qr(root[..., None] * self.X)
        target = (root * self.y)[..., None]
        left = (target - basis @ (np.swapaxes(basis, -1, -2) @ target))[..., 0]
        value: FloatArray = np.log(sums).sum(axis=-1) + np.einsum("...j,...j", left, left)
        size = np.abs(np.diagonal(r, axis1=-2, axis2=-1))
        return value + 2.0 * np.log(size).sum(axis=-1) if restricted else value

    def score(self, tau2: FloatArray, *, restricted: bool) -> tuple[FloatArray, FloatArray]:
        """Return the derivative of -2 log-likelihood in tau2 and its derivative."""
        w = self.weights(tau2)
        root = np.sqrt(w)
        basis = np.linalg.qr(root[..., None] * self.X)[0]
        free = 1.0 - (basis * basis).sum(axis=2)
        trace, every = (w * free).sum(axis=1), w.sum(axis=1)
        py = root * self._left(basis, root * self.y)
        square = (py * py).sum(axis=1)
        few = np.flatnonzero(trace < OUTWEIGHED * every)
        if few.size:  # some studies outweigh the others, and differences have lost digits
            part = self[few]
            rest = part.factor(w[few])[1]
            trace[few] = (w[few] * (rest * rest).sum(axis=2)).sum(axis=1)
            square[few] = (part.projected(rest, root[few])[1] ** 2).sum(axis=1)
        # what only steers
        turned = self._left(basis, root * py)
        third = (turned * turned).sum(axis=1)
        if not restricted:
            return every - square, 2.0 * third - (w * w).sum(axis=1)
        inner = np.swapaxes(basis, 1, 2) @ (w[..., None] * basis)
        trace2 = (w * w * (2.0 * free - 1.0)).sum(axis=1) + (inner * inner).sum(axis=(1, 2))
        return trace - square, 2.0 * third - trace2

    @np.errstate(divide="ignore", invalid="ignore", over="ignore")  # what is no number proves nothing
    def terms(self, points: FloatArray, *, restricted: bool) -> Terms:
        """Return what decides the sign of the score at each of the points, of shape (g, 1): by sums over studies."""
        # P is the same for any basis of the design; of an orthonormal one X'WX loses no more digits than W does
        basis = np.linalg.qr(self.X)[0].transpose(2, 1, 0)
        p, k, m = basis.shape
        w = 1.0 / (self.v + points)
        g = len(points)
        powers = np.stack([w, w * w, w * w * w], axis=1)
        # one product for each point and pair of columns: so small that no BLAS starts threads for it
        pairs = (basis[:, None] * basis).reshape(p * p, k, m)
        xx1, xx2, xx3 = (powers[:, None] @ pairs).reshape(g, p, p, 3, m).transpose(3, 1, 2, 0, 4)
        xy1, xy2, xy3 = (powers[:, None] @ (basis * self.y[:, None])).transpose(2, 1, 0, 3)
        _, yy2, yy3 = (powers @ (self.y * self.y)).T[..., None]
        inverse = _inverse(xx1)
        b = (inverse * xy1).sum(axis=1)
        z = xy2 - (xx2 * b).sum(axis=1)
        square = yy2 - (b * (xy2 + z)).sum(axis=0)
        third = (
            yy3 - (b * (2.0 * xy3 - (xx3 * b).sum(axis=1))).sum(axis=0) - (z * (inverse * z).sum(axis=1)).sum(axis=0)
        )
        w1, w2 = w.sum(axis=1, keepdims=True), (w * w).sum(axis=1, keepdims=True)
        trace, trace2 = np.broadcast_to(w1, (g, m)), np.broadcast_to(w2, (g, m))
        if restricted:
            inner = np.einsum("abgm,bcgm->acgm", inverse, xx2)
            trace = w1 - np.einsum("aagm->gm", inner)
            trace2 = w2 - 2.0 * np.einsum("abgm,abgm->gm", inverse, xx3) + np.einsum("abgm,bagm->gm", inner, inner)
        # rounding grows with the ratio of the weights, to which X'WX is conditioned
        lost = ROUNDING * p * (w.max(axis=1, keepdims=True) / w.min(axis=1, keepdims=True))
        farthest = float(np.abs(self.y).max()) ** 2
        error = lost * (w1 + 4.0 * farthest * w2)
        error2 = lost * (w2 + 8.0 * farthest * (w * w * w).sum(axis=1, keepdims=True))
        return Terms(trace, square, trace2, third, error, error2)


Rows: TypeAlias = Means | Designs


def last_stationary(squares: FloatArray, spread: FloatArray, df: int) -> FloatArray:
    """Return the tau2 beyond which a score is positive: df u^2 > squares (u + spread), u = tau2 + smallest."""
    top: FloatArray = (squares + np.sqrt(squares * (squares + 4.0 * df * spread))) / (2.0 * df)
    return top


def _trace(w: FloatArray, sum1: FloatArray, sum2: FloatArray) -> FloatArray:
    """Return tr(P) of each fit from its weights, their sum and the sum of their squares."""
    found = sum1 - sum2 / sum1
    few = np.flatnonzero(found < OUTWEIGHED * sum1)
    if few.size:  # one study outweighs the others, and the difference has lost digits
        part = w[:, few]
        largest = part.max(axis=0)
        part[part.argmax(axis=0), np.arange(few.size)] = 0.0
        rest = total(part)
        found[few] = (2.0 * largest * rest + (rest * rest - total(part * part))) / (largest + rest)
    return found


def _inverse(x: FloatArray) -> FloatArray:
    """Return the inverses of positive definite matrices of shape (p, p, ...), by Gauss and Jordan."""
    inverse = x.copy()
    for j in range(x.shape[0]):
        pivot = 1.0 / inverse[j, j]
        column = inverse[:, j].copy()
        row = inverse[j] * pivot
        inverse -= column[:, None] * row[None]
        inverse[j] = row
        inverse[:, j] = -column * pivot
        inverse[j, j] = pivot
    return inverse
