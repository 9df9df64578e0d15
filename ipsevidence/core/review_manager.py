"""Random effects as Review Manager 5 computes them: the between-study variance from Q about Mantel-Haenszel."""

import dataclasses
from typing import Any

import numpy as np
from scipy import special

from ipsevidence.core.counts import mantel_haenszel
from ipsevidence.core.effects import two_by_two
from ipsevidence.core.pooling import pool
from ipsevidence.core.results import NotApplicable, PooledResult

__all__ = ["mantel_haenszel_random"]


def mantel_haenszel_random(
    measure: str, ai: Any, n1i: Any, ci: Any, n2i: Any, *, prediction: str = "none", level: float = 0.95
) -> PooledResult | NotApplicable:
    """Return the random-effects mean that Review Manager 5 calls Mantel-Haenszel.

    Parameters
    ----------
    measure : {'OR', 'RR', 'RD'}
        Odds ratio, risk ratio (both as logarithms) or risk difference.
    ai, n1i, ci, n2i : array_like of shape (k,)
        Events and participants of the first arm, then of the second.
    prediction : {'none', 'normal', 't-k1', 't-k2'}
        As in `pool`.
    level : float
        Level of the intervals, between 0 and 1.

    Returns
    -------
    PooledResult or NotApplicable
        Not applicable where the Mantel-Haenszel effect does not exist.

    Raises
    ------
    InputError
        If a parameter cannot be used; the message names it and the study.

    Notes
    -----
    Studies are weighted by inverse variance and the interval is Wald's, as in the method of DerSimonian and Laird. The
    one difference is that Q, and with it tau2 and I2, are taken about the Mantel-Haenszel mean instead of the inverse-
    variance mean, so that both are a little larger [1]_. Studies with an empty cell have 0.5 added to each cell, and
    double-zero studies are left out of ratios.

    References
    ----------
    .. [1] Deeks JJ, Higgins JPT, on behalf of the Statistical Methods Group of The Cochrane Collaboration. Statistical
       algorithms in Review Manager 5. August 2010.
    """
    common = mantel_haenszel(measure, ai, n1i, ci, n2i, level=level)
    if isinstance(common, NotApplicable):
        return common
    y, v = two_by_two(measure, ai, n1i, ci, n2i)
    kept = np.isfinite(v)
    y, v = y[kept], v[kept]
    weights = 1.0 / v
    df = y.size - 1
    q = float(weights @ (y - common.estimate) ** 2)
    spread = float(weights.sum() - (weights @ weights) / weights.sum())
    tau2 = max(0.0, (q - df) / spread) if df > 0 else 0.0
    fit = pool(y, v, tau2=tau2, interval="wald", prediction=prediction, level=level)
    return dataclasses.replace(
        fit,
        q=q,
        q_p=float(special.chdtrc(df, q)) if df > 0 else float("nan"),
        i2_q=max(0.0, 100.0 * (q - df) / q) if q > 0 else 0.0,
        h2_q=q / df if df > 0 else float("nan"),
        notes=(*fit.notes, "Q and tau2 are taken about the Mantel-Haenszel mean, as in Review Manager 5."),
    )
