"""Binomial counts of two arms with normal random effects on the logit: their exact likelihood and its maximum."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from scipy import special

from ipsevidence.core.effects import Cells
from ipsevidence.core.results import FloatArray

NODES = {0: 1, 1: 61, 2: 31}  # per random effect, by the number of random effects
MODE_STEPS = (*[1.0] * 12, *0.8 ** np.arange(1.0, 20.0))
MOST_STEPS = 100
WIDEST = 20.0  # no log odds, and no standard deviation of log odds, that data could tell from infinity
NEAR = 1e-8  # square of the distance from the maximum, in standard errors
SMALL = 1e-5  # a standard deviation below this is 0: the likelihood is flat there


class Slopes(NamedTuple):
    """A log-likelihood with its first and second derivatives in all parameters."""

    value: float
    gradient: FloatArray
    hessian: FloatArray


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Peak:
    """The maximum of a likelihood.

    Attributes
    ----------
    at : ndarray of shape (p,)
        The parameters; standard deviations are never negative.
    covariance : ndarray of shape (p, p)
        Inverse of the negative Hessian there.
    log_likelihood : float
        Its height.
    """

    at: FloatArray
    covariance: FloatArray
    log_likelihood: float


class ArmLikelihood:
    """The likelihood of two-arm studies whose log odds are linear in the parameters and in normal random effects.

    Parameters
    ----------
    cells : Cells
        Events and non-events of the first arm, then of the second; counts need not be whole.
    design : array_like of shape (2, p, 1 + r)
        How the log odds of each arm come from the parameters: the first column of ``parameters @ design[arm]``
        is their mean, the others are the loadings on r (0, 1 or 2) independent standard normal random effects.
    own_intercepts : bool
        Whether each study has its own fixed intercept, too; these are the last k parameters.
    nodes : int, optional
        Quadrature nodes per random effect.

    Notes
    -----
    Adaptive Gauss-Hermite quadrature [1]_, centred and scaled at the mode of each study's integrand. As the
    log odds are linear in the parameters, the derivatives are moments of the random effects given the data
    [2]_ and need no differences.

    References
    ----------
    .. [1] Pinheiro JC, Chao EC. Efficient Laplacian and adaptive Gaussian quadrature algorithms for multilevel
       generalized linear mixed models. J Comput Graph Stat 2006;15:58-81. doi:10.1198/106186006X96962
    .. [2] Louis TA. J R Stat Soc B 1982;44:226-233. doi:10.1111/j.2517-6161.1982.tb01203.x
    """

    def __init__(
        self, cells: Cells, design: Sequence[object], *, own_intercepts: bool = False, nodes: int | None = None
    ) -> None:
        self.events = np.column_stack([cells.a, cells.c])
        self.sizes = self.events + np.column_stack([cells.b, cells.d])
        self.design = np.asarray(design, dtype=float)
        self.own_intercepts = own_intercepts
        self.shared, self.effects = self.design.shape[1], self.design.shape[2] - 1
        count = NODES[self.effects] if nodes is None else nodes
        x, w = np.polynomial.hermite.hermgauss(count)
        grid = np.meshgrid(*[x] * self.effects, indexing="ij")
        logs = np.meshgrid(*[np.log(w) + x * x] * self.effects, indexing="ij")
        self.nodes = np.stack([g.ravel() for g in grid], axis=-1) if grid else np.zeros((1, 0))
        # less the constant of the normal density, after a change of variable by the square root of 2
        per_effect = 0.5 * np.log(np.pi)
        self.log_weights = sum((g.ravel() for g in logs), np.zeros(len(self.nodes))) - self.effects * per_effect
        gamma = special.gammaln
        log_choose = gamma(self.sizes + 1) - gamma(self.events + 1) - gamma(self.sizes - self.events + 1)
        self.constant = float(log_choose.sum())

    def __call__(self, parameters: FloatArray) -> Slopes:
        """Return the log-likelihood with its derivatives."""
        p, k = self.shared, len(self.events)
        weights = np.einsum("p,apj->aj", parameters[:p], self.design)
        fixed = parameters[p:, None] if self.own_intercepts else np.zeros((k, 1))
        means, loadings = fixed + weights[:, 0], weights[:, 1:]
        z, log_scale = self._places(means, loadings)
        odds = means[:, None, :] + z @ loadings.T
        risk = special.expit(odds)
        n = self.sizes[:, None, :]
        logs = (self.events[:, None, :] * odds - n * np.logaddexp(0.0, odds)).sum(axis=-1)
        logs += self.log_weights - 0.5 * (z * z).sum(axis=-1)
        own = special.logsumexp(logs, axis=1)
        share = np.exp(logs - own[:, None])
        value = float((own + log_scale).sum()) + self.constant
        residual, curve = self.events[:, None, :] - n * risk, n * risk * (1.0 - risk)
        return Slopes(value, *self._derivatives(z, share, residual, curve))

    def _places(self, means: FloatArray, loadings: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the quadrature points of each study, of shape (k, nodes, r), and the log of their scale."""
        x, n = self.events, self.sizes
        observed = special.logit((x + 0.5) / (n + 1.0))
        inner = n * (x + 0.5) * (n - x + 0.5) / (n + 1.0) ** 2
        pull = (inner * (observed - means)) @ loadings
        z = np.linalg.solve(self._curvature(inner, loadings), pull[..., None])[..., 0]
        # near the mode of each study's concave integrand, by Newton's method with bounded, shrinking steps
        for bound in MODE_STEPS:
            risk = special.expit(means + z @ loadings.T)
            slope = (x - n * risk) @ loadings - z
            curvature = self._curvature(n * risk * (1.0 - risk), loadings)
            z = z + np.clip(np.linalg.solve(curvature, slope[..., None])[..., 0], -bound, bound)
        risk = special.expit(means + z @ loadings.T)
        root = np.linalg.cholesky(np.linalg.inv(self._curvature(n * risk * (1.0 - risk), loadings)))
        places = z[:, None, :] + np.sqrt(2.0) * np.einsum("kij,mj->kmi", root, self.nodes)
        return places, np.log(np.diagonal(root, axis1=1, axis2=2)).sum(axis=1)

    def _curvature(self, inner: FloatArray, loadings: FloatArray) -> FloatArray:
        found: FloatArray = np.eye(self.effects) + np.einsum("ka,ai,aj->kij", inner, loadings, loadings)
        return found

    def _derivatives(
        self, z: FloatArray, share: FloatArray, residual: FloatArray, curve: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return gradient and Hessian as moments over the random effects given the data."""
        p = self.shared
        basis = np.concatenate([np.ones((*z.shape[:2], 1)), z], axis=-1)
        change = np.einsum("apj,kmj->akmp", self.design, basis)
        if self.own_intercepts:
            change = np.concatenate([change, np.ones((*change.shape[:3], 1))], axis=-1)
        score = np.einsum("kma,akmp->kmp", residual, change)
        first = np.einsum("km,kmp->kp", share, score)
        second = np.einsum("km,kmp,kmq->kpq", share, score, score, optimize=True) - first[:, :, None] * first[:, None]
        weight = share[..., None] * curve
        for arm in (0, 1):
            second -= np.einsum("km,kmp,kmq->kpq", weight[..., arm], change[arm], change[arm], optimize=True)
        gradient, hessian = first[:, :p].sum(axis=0), second[:, :p, :p].sum(axis=0)
        if self.own_intercepts:
            across = second[:, :p, p]
            gradient = np.concatenate([gradient, first[:, p]])
            hessian = np.block([[hessian, across.T], [across, np.diag(second[:, p, p])]])
        return gradient, hessian


def highest_peak(
    likelihood: Callable[[FloatArray], Slopes], starts: Sequence[FloatArray], loadings: Sequence[Sequence[int]]
) -> Peak | None:
    """Return the highest maximum that can be reached from the starts.

    Parameters
    ----------
    likelihood : callable
        Log-likelihood with derivatives.
    starts : sequence of ndarray of shape (p,)
        Where to climb from.
    loadings : sequence of sequence of int
        For each random effect, the parameters that multiply it, the standard deviation first: changing the
        sign of them all changes nothing, and leaves a standard deviation that is not negative.

    Returns
    -------
    Peak or None
        None where no climb ended at a maximum with a curvature: the likelihood rises without end or is flat.
    """
    found = [peak for start in starts if (peak := _peak(likelihood, _climb(likelihood, start), loadings)) is not None]
    return max(found, key=lambda peak: peak.log_likelihood, default=None)


def _climb(likelihood: Callable[[FloatArray], Slopes], start: FloatArray) -> FloatArray:
    """Return where Newton's method ends, turned uphill where the likelihood is not concave."""
    at, here = start, likelihood(start)
    for _ in range(MOST_STEPS):
        curvatures, axes = np.linalg.eigh(-here.hessian)
        floor = max(1e-8 * float(np.abs(curvatures).max()), 1e-8)
        move = axes @ ((axes.T @ here.gradient) / np.maximum(np.abs(curvatures), floor))
        gain = float(here.gradient @ move)
        move /= max(1.0, float(np.abs(move).max()))
        there = likelihood(at + move)
        while gain > 1e-9 and there.value <= here.value and np.abs(move).max() > 1e-9:
            move /= 2.0
            there = likelihood(at + move)
        uphill = gain <= 1e-9 or there.value > here.value
        at, here = at + move, there
        if not uphill or np.abs(at).max() > WIDEST:
            break
        if gain < 1e-18 * (1.0 + abs(here.value)):
            curvatures, axes = np.linalg.eigh(-here.hessian)
            if curvatures[0] > -1e-6 * curvatures[-1]:
                break
            # a saddle, as wherever a standard deviation of 0 is not the best: leave it
            at = at + 0.1 * axes[:, 0]
            here = likelihood(at)
    return at


def _peak(
    likelihood: Callable[[FloatArray], Slopes], end: FloatArray, loadings: Sequence[Sequence[int]]
) -> Peak | None:
    """Return the end of a climb as a maximum, or None where it is not one."""
    at = end.copy()
    for own in loadings:
        if at[own[0]] < 0.0:
            at[list(own)] *= -1.0
        if at[own[0]] < SMALL:
            at[own[0]] = 0.0
    here = likelihood(at)
    curvatures = np.linalg.eigvalsh(-here.hessian)
    if np.abs(at).max() > WIDEST or curvatures[0] <= 1e-9 * curvatures[-1]:
        return None
    covariance = np.asarray(np.linalg.inv(-here.hessian), dtype=np.float64)
    if float(here.gradient @ covariance @ here.gradient) > NEAR:
        return None
    return Peak(at=at, covariance=covariance, log_likelihood=here.value)
