"""What a set of study weights does to the data: the few quantities every estimator is made of.

With weights W and design X, P = W - W X (X'WX)^-1 X'W. Everything is held in units of the smallest
variance, so that no tolerance downstream depends on the scale of the outcome.
"""

import math

import numpy as np

from ipsevidence.core.results import FloatArray


class MeanModel:
    """Studies that share one mean: X is a column of ones.

    Attributes
    ----------
    y, v : ndarray of shape (k,)
        Effects and variances in internal units: y is counted from the effect of the most precise study
        (so that its own residual loses no digits), in units of `root`; v is in units of ``root**2``.
    k, p, df : int
        Studies, coefficients and their difference.
    """

    __slots__ = ("centre", "df", "k", "p", "root", "scale", "v", "y")

    def __init__(self, y: FloatArray, v: FloatArray) -> None:
        anchor = int(v.argmin())
        # a power of two: changing units back and forth then costs no rounding
        self.root = math.ldexp(1.0, math.frexp(v[anchor])[1] // 2)
        self.scale = self.root * self.root
        self.centre = float(y[anchor])
        self.y = (y - self.centre) / self.root
        self.v = v / self.scale
        self.k = v.size
        self.p = 1
        self.df = self.k - 1

    def coefficients(self, w: FloatArray) -> FloatArray:
        """Return the weighted mean, shape (1,), in the caller's units."""
        return np.array([self.centre + self.root * float(w.dot(self.y) / w.sum())])

    def covariance(self, w: FloatArray) -> FloatArray:
        """Return (X'WX)^-1, shape (1, 1), in the caller's units."""
        return np.array([[self.scale / float(w.sum())]])

    def residuals(self, w: FloatArray) -> FloatArray:
        """Return y less the weighted mean, shape (k,)."""
        r: FloatArray = self.y - w.dot(self.y) / np.add.reduce(w)
        return r

    def sum_of_squares(self, w: FloatArray) -> float:
        """Return y'Py, the weighted sum of squared residuals (Q for weights 1/v), in two passes."""
        r = self.residuals(w)
        return float((w * r).dot(r))

    def trace(self, w: FloatArray, d: FloatArray) -> float:
        """Return tr(PD) for a diagonal D of shape (k,)."""
        return float((w * d).dot(_sum_of_others(w)) / np.add.reduce(w))

    def trace2(self, w: FloatArray, d1: FloatArray, d2: FloatArray) -> float:
        """Return tr(P D1 P D2) for diagonals of shape (k,)."""
        total = np.add.reduce(w)
        own = w * _sum_of_others(w)
        square = w * w
        mixed = (square * d2).dot(_sum_of_others(square * d1))
        return float(((d1 * d2).dot(own * own) + mixed) / total**2)

    def log_det(self, w: FloatArray) -> FloatArray:
        """Return log det(X'WX), shape (...), for weights of shape (..., k)."""
        logarithm: FloatArray = np.log(w.sum(axis=-1))
        return logarithm

    def q_and_slope(self, tau2: float) -> tuple[float, float]:
        """Return Q(tau2) = y'Py at weights 1/(v + tau2), and y'PPy, which is minus its derivative."""
        w = 1.0 / (self.v + tau2)
        r = self.residuals(w)
        wr = w * r
        return float(wr.dot(r)), float(wr.dot(wr))

    def q_on_grid(self, w: FloatArray) -> FloatArray:
        """Return y'Py for each row of weights, shape (m,) for weights of shape (m, k)."""
        r = self.y - ((w @ self.y) / w.sum(axis=1))[:, None]
        q: FloatArray = np.einsum("ij,ij,ij->i", w, r, r)
        return q

    def score_terms(self, w: FloatArray) -> tuple[float, float, float, float]:
        """Return tr(P), y'PPy, tr(PP) and y'PPPy at weights 1/(v + tau2).

        The first two decide where the score vanishes and keep their digits; the others only steer.
        """
        total = float(np.add.reduce(w))
        wr = w * self.residuals(w)
        trace = float(w.dot(_sum_of_others(w))) / total
        square = w * w
        s2 = float(np.add.reduce(square))
        trace2 = s2 - 2.0 * float(square.dot(w)) / total + (s2 / total) ** 2
        tilt = float(w.dot(wr))
        third = float((w * wr).dot(wr)) - tilt * tilt / total
        return trace, float(wr.dot(wr)), trace2, third


def _sum_of_others(x: FloatArray) -> FloatArray:
    """Return, for each entry of a non-negative array, the sum of all others.

    Subtracting from the total would cancel for an entry that dominates, so that one is summed anew.
    """
    rest: FloatArray = np.add.reduce(x) - x
    largest = int(x.argmax())
    rest[largest] = np.add.reduce(x[:largest]) + np.add.reduce(x[largest + 1 :])
    return rest
