"""The distribution of a sum of weighted chi-square variables."""

import numpy as np

from ipsevidence.core.results import FloatArray


def mixture_cdf(value: float, weights: FloatArray) -> float:
    """Return the probability that a weighted sum of chi-square(1) variables is at most `value`.

    Parameters
    ----------
    value : float
        Where to evaluate; 0 below it.
    weights : ndarray of shape (m,)
        Positive weights.

    Returns
    -------
    float
        Probability, to about 1e-11.

    Notes
    -----
    The Laplace transform prod (1 + 2 w s)^(-1/2) / s has all its singularities on the negative real axis, so
    that Talbot's contour inverts it with an error that falls exponentially in the number of nodes.

    References
    ----------
    .. [1] Trefethen LN, Weideman JAC, Schmelzer T. Talbot quadratures and rational approximations. BIT
       2006;46:653-670. doi:10.1007/s10543-006-0077-9
    """
    if value <= 0.0:
        return 0.0
    nodes = 24 + 2 * (weights.size // 4)  # many weights make a steeper integrand; even, to miss angle 0
    angle = (2 * np.arange(nodes) + 1) * np.pi / nodes - np.pi
    tangent = np.tan(0.6407 * angle)
    contour = nodes * (-0.6122 + 0.5017 * angle / tangent + 0.2645j * angle)
    slope = nodes * (0.5017 / tangent - 0.5017 * 0.6407 * angle / np.sin(0.6407 * angle) ** 2 + 0.2645j)
    factors = 0.5 * np.log(1 + 2 * weights * (contour / value)[:, None]).sum(axis=1)
    terms = np.exp(contour - factors) * slope / contour
    return float(min(max((terms.sum() / (1j * nodes)).real, 0.0), 1.0))
