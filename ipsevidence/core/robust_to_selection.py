"""The common-effect mean with an interval that allows for heterogeneity and for missing small studies."""

import dataclasses
import math
from typing import Any, ClassVar, NamedTuple

import numpy as np
from scipy import special

from ipsevidence.core.inputs import check_effects, check_level
from ipsevidence.core.results import FloatArray, Interval, NotApplicable, Result, number
from ipsevidence.core.roots import crossing

NODES, WEIGHTS = np.polynomial.legendre.leggauss(24)
GROWTH = 1.5
FAR = 40.0  # standard deviations: beyond, the normal density is 0 in doubles


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HenmiCopasResult(Result):
    """The mean of Henmi and Copas.

    Attributes
    ----------
    estimate : float
        Mean weighted by the inverse of the sampling variances, the common-effect one.
    se : float
        Its standard error where effects vary by `tau2`.
    ci : Interval
        The interval; it is not the estimate and a multiple of the normal quantile.
    tau2 : float
        Between-study variance by DerSimonian and Laird.
    k : int
        Number of studies.
    """

    columns: ClassVar[tuple[str, ...]] = ("estimate", "se", "low", "high", "tau2", "k")
    estimate: float
    se: float
    ci: Interval
    tau2: float
    k: int

    def to_rows(self) -> list[tuple[Any, ...]]:
        """Return one row."""
        return [(self.estimate, self.se, self.ci.low, self.ci.high, self.tau2, self.k)]

    def __str__(self) -> str:
        return f"Henmi-Copas: {number(self.estimate)} ({self.ci}), tau2 {number(self.tau2)}, {self.k} studies"


class _Moments(NamedTuple):
    """Q given the standardised mean: mean ``a + b z**2`` and variance ``c + d z**2``."""

    a: float
    b: float
    c: float
    d: float


def henmi_copas(y: Any, v: Any, *, level: float = 0.95) -> HenmiCopasResult | NotApplicable:
    """Return the common-effect mean with the interval of Henmi and Copas.

    Parameters
    ----------
    y, v : array_like of shape (k,)
        Effects and sampling variances.
    level : float
        Level of the interval.

    Returns
    -------
    HenmiCopasResult or NotApplicable
        The latter for a single study.

    Raises
    ------
    InputError
        If a parameter cannot be used.

    Notes
    -----
    Weights that ignore heterogeneity give small studies less, so that their selection moves the mean less; the
    interval allows for it. It follows from the joint distribution of the mean and Q, that of Q given the mean
    approximated by a gamma distribution with its first two moments (of quadratic forms in normal variables), at
    the estimate of tau2 by DerSimonian and Laird. Meant to stand beside a random-effects mean, not for it.

    References
    ----------
    .. [1] Henmi M, Copas JB. Confidence intervals for random effects meta-analysis and robustness to publication
       bias. Stat Med 2010;29:2969-2983. doi:10.1002/sim.4029
    """
    y, v = check_effects(y, v)
    level = check_level(level)
    if y.size < 2:
        return NotApplicable(reason="the interval of Henmi and Copas needs at least 2 studies")
    unit = float(v.min())
    w = unit / v
    total = float(w.sum())
    mean = float(w @ y) / total
    inner = float(w @ w) / total
    q = float(w @ (y - mean) ** 2) / unit
    tau2 = max(0.0, (q - (y.size - 1)) / (total - inner))  # in units of the smallest variance
    spread = math.sqrt(1.0 + tau2 * inner)
    moments = _moments(w, tau2, spread)
    factor = _quantile(moments, y.size - 1, total / inner - 1.0, 0.5 * (1.0 - level))
    se = spread * math.sqrt(unit / total)
    half = factor * spread * se
    ci = Interval(low=mean - half, high=mean + half, level=level)
    return HenmiCopasResult(estimate=mean, se=se, ci=ci, tau2=tau2 * unit, k=y.size)


def _moments(w: FloatArray, tau2: float, spread: float) -> _Moments:
    """Return the moments of Q given the mean, from those of quadratic forms in normal variables."""
    total = float(w.sum())
    variances = 1.0 / w + tau2
    form = np.diag(w) - np.outer(w, w) / total
    with_mean = variances * w / (spread * math.sqrt(total))  # covariance of each effect with the standardised mean
    rest = np.diag(variances) - np.outer(with_mean, with_mean)
    product = form @ rest
    return _Moments(
        a=float(np.trace(product)),
        b=float(with_mean @ form @ with_mean),
        c=2.0 * float(np.trace(product @ product)),
        d=4.0 * float(with_mean @ form @ rest @ form @ with_mean),
    )


def _quantile(moments: _Moments, df: int, ratio: float, tail: float) -> float:
    """Return what the mean over its estimated standard error passes with probability `tail`, over the true spread."""

    def beyond(x: float) -> float:
        # Panels that grow from x on, as the limit below changes with z / x.
        ends = np.append(np.minimum(x * GROWTH ** np.arange(math.ceil(math.log(FAR / x, GROWTH)) + 1), FAR), FAR)
        half = 0.5 * np.diff(ends)[:, None]
        z = ends[:-1, None] + half * (1.0 + NODES)
        # The estimated spread is below z / x where Q is below this.
        limit = df + ratio * ((z / x) ** 2 - 1.0)
        mean, variance = moments.a + moments.b * z * z, moments.c + moments.d * z * z
        chance = special.gammainc(mean * mean / variance, limit * mean / variance)
        return float((half * WEIGHTS * chance * np.exp(-0.5 * z * z)).sum()) / math.sqrt(2.0 * math.pi) - tail

    highest = float(-special.ndtri(tail))
    lowest = highest
    while beyond(lowest) < 0.0:
        lowest *= 0.5
    return crossing(beyond, lowest, highest) if lowest < highest else highest
