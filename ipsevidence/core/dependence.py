"""Effects that are not independent: shared control arms, cluster trials, cluster-robust tests."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import special

from ipsevidence.core.inputs import (
    InputError,
    check_array,
    check_each,
    check_effects,
    check_level,
    check_number,
    check_same_length,
    check_sizes_of_groups,
    check_word,
)
from ipsevidence.core.registry import choose
from ipsevidence.core.results import FloatArray, NotApplicable, frozen_array
from ipsevidence.core.results_of_moderators import RobustResult
from ipsevidence.core.tau2 import TAU2_ESTIMATORS
from ipsevidence.core.weighting import RegressionModel, check_design

FEW_DEGREES = 4.0  # below these the t approximation no longer holds (Tipton 2015)


def split_control(ci: Any, n2i: Any, sharing: Any) -> tuple[FloatArray, FloatArray]:
    """Return control arms divided among the comparisons that share them.

    Parameters
    ----------
    ci, n2i : array_like of shape (k,)
        Events and participants of the control arm of each comparison.
    sharing : array_like of shape (k,)
        How many comparisons share that arm, at least 1.

    Returns
    -------
    ci, n2i : ndarray of shape (k,)
        Events and participants divided by that number; they need not be whole.

    Raises
    ------
    InputError
        If a parameter cannot be used.

    References
    ----------
    .. [1] Higgins JPT, et al. Cochrane Handbook for Systematic Reviews of Interventions, section 23.3.4.
    """
    arms = {"ci": check_array("ci", ci), "n2i": check_array("n2i", n2i), "sharing": check_array("sharing", sharing)}
    check_same_length(**arms)
    check_sizes_of_groups("n2i", arms["n2i"])
    good = np.isfinite(arms["ci"]) & (arms["ci"] >= 0) & (arms["ci"] <= arms["n2i"])
    check_each("ci", arms["ci"], good, "be finite, at least 0 and at most n2i")
    shares = arms["sharing"]
    check_each("sharing", shares, np.isfinite(shares) & (shares >= 1), "be finite and at least 1")
    return arms["ci"] / shares, arms["n2i"] / shares


def design_effect(n: Any, cluster_size: Any, icc: float) -> FloatArray:
    """Return the effective sizes of arms that were randomised in clusters.

    Parameters
    ----------
    n : array_like of shape (k,)
        Events or participants.
    cluster_size : array_like of shape (k,)
        Mean number of participants in a cluster.
    icc : float
        Intra-cluster correlation, at least 0 and below 1.

    Returns
    -------
    ndarray of shape (k,)
        n / (1 + (cluster_size - 1) icc).

    Raises
    ------
    InputError
        If a parameter cannot be used.

    References
    ----------
    .. [1] Donner A, Klar N. Issues in the meta-analysis of cluster randomized trials. Stat Med
       2002;21:2971-2980. doi:10.1002/sim.1301
    """
    sizes, clusters = check_array("n", n), check_array("cluster_size", cluster_size)
    check_same_length(n=sizes, cluster_size=clusters)
    check_each("n", sizes, np.isfinite(sizes) & (sizes >= 0), "be finite and at least 0")
    check_each("cluster_size", clusters, np.isfinite(clusters) & (clusters >= 1), "be finite and at least 1")
    found: FloatArray = sizes / (1.0 + (clusters - 1.0) * check_number("icc", icc, least=0.0, below=1.0))
    return found


def cluster_robust(
    y: Any,
    v: Any,
    clusters: Sequence[Any],
    X: Any = None,
    *,
    tau2: str = "reml",
    method: str = "cr2",
    level: float = 0.95,
) -> RobustResult | NotApplicable:
    """Return a mean, or a meta-regression, with cluster-robust standard errors.

    Parameters
    ----------
    y, v : array_like of shape (k,)
        Effects and sampling variances.
    clusters : sequence of length k
        Which effects belong together.
    X : array_like of shape (k, p), optional
        Design matrix with its column of ones; a mean alone unless given.
    tau2 : str
        Key of `TAU2_ESTIMATORS`, for the working model of independent effects.
    method : {'cr2', 'cr1', 'cr0'}
        Bias-reduced linearisation with Satterthwaite degrees of freedom, the plain sandwich multiplied by
        m/(m - p) with m - p degrees of freedom, for m clusters, or the plain sandwich as it is (of Huber and
        White where every effect is a cluster), with the same degrees of freedom.
    level : float
        Level of the intervals.

    Returns
    -------
    RobustResult or NotApplicable
        Not applicable where there are no more clusters than coefficients.

    Raises
    ------
    InputError
        If a parameter cannot be used.

    Notes
    -----
    The working model takes effects as independent with variances v + tau2; the weights are its inverse.

    References
    ----------
    .. [1] Tipton E. Small sample adjustments for robust variance estimation with meta-regression. Psychol
       Methods 2015;20:375-393. doi:10.1037/met0000011
    .. [2] Pustejovsky JE, Tipton E. J Bus Econ Stat 2018;36:672-683. doi:10.1080/07350015.2016.1247004
    """
    y, v = check_effects(y, v)
    check_word("method", method, ("cr2", "cr1", "cr0"))
    level = check_level(level)
    if len(clusters) != y.size:
        raise InputError(
            f"clusters must have as many entries as y ({y.size}); got {len(clusters)}", parameter="clusters"
        )
    names = list(dict.fromkeys(clusters))
    if y.size < 2:
        return NotApplicable(reason="one effect has no clusters")
    design = check_design(np.ones(y.size) if X is None else X, y.size)
    m, p = len(names), design.shape[1]
    if m <= p:
        return NotApplicable(reason=f"robust tests need more clusters than coefficients; there are {m} and {p}")
    model = RegressionModel(y, v, design)
    between = max(0.0, choose("tau2", tau2, TAU2_ESTIMATORS).function(model).tau2)
    w = 1.0 / (model.v + between)
    members = [np.array([c == name for c in clusters]) for name in names]
    parts, df = _sandwich(model, w, members, method)
    b = model.coefficients(w)
    covariance = (parts.T @ parts) * model.scale
    covariance = covariance / np.outer(model.column_scale, model.column_scale)
    if method == "cr1":
        covariance *= m / (m - p)
    se = np.sqrt(np.diag(covariance))
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = np.where(se > 0, b / se, np.nan)
    reach = -special.stdtrit(df, (1.0 - level) / 2.0) * se
    notes = ("Few degrees of freedom: the test may reject too often.",) if df.min() < FEW_DEGREES else ()
    return RobustResult(
        method=method,
        coefficients=frozen_array(b),
        se=frozen_array(se),
        df=frozen_array(df),
        low=frozen_array(b - reach),
        high=frozen_array(b + reach),
        statistic=frozen_array(statistic),
        p=frozen_array(2.0 * special.stdtr(df, -np.abs(statistic))),
        covariance=frozen_array(covariance),
        tau2=between * model.scale,
        clusters=m,
        k=y.size,
        notes=notes,
    )


def _sandwich(model: RegressionModel, w: FloatArray, members: list[Any], method: str) -> tuple[FloatArray, FloatArray]:
    """Return each cluster's share of every coefficient's error, shape (m, p), and degrees of freedom."""
    X, k, p = model.X, model.k, model.p
    bread = np.linalg.inv((X.T * w) @ X)
    r = model.residuals(w)
    hat = X @ bread @ X.T
    phi = 1.0 / w
    leaves = np.eye(k) - hat * w  # I - H: residuals are (I - H) y
    gradients = np.empty((len(members), p, k))
    parts = np.empty((len(members), p))
    for j, chosen in enumerate(members):
        adjust = np.eye(int(chosen.sum()))
        if method == "cr2":
            root = np.sqrt(phi[chosen])
            inner = root[:, None] * (np.diag(phi[chosen]) - hat[np.ix_(chosen, chosen)]) * root
            adjust = root[:, None] * _inverse_root(inner) * root
        loads = bread @ (X[chosen].T * w[chosen]) @ adjust
        parts[j] = loads @ r[chosen]
        gradients[j] = loads @ leaves[chosen]
    if method != "cr2":
        return parts, np.full(p, float(len(members) - p))
    spread = gradients * np.sqrt(phi)
    df = np.empty(p)
    for c in range(p):
        cross = spread[:, c, :] @ spread[:, c, :].T
        df[c] = np.trace(cross) ** 2 / (cross * cross).sum()
    return parts, df


def _inverse_root(matrix: FloatArray) -> FloatArray:
    """Return the inverse of the symmetric square root, on the space where the matrix is not 0."""
    values, vectors = np.linalg.eigh(matrix)
    kept = values > 1e-10 * values.max()
    found: FloatArray = (vectors[:, kept] / np.sqrt(values[kept])) @ vectors[:, kept].T
    return found
