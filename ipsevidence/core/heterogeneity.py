"""How much the studies differ: Cochran's Q, I2 and H2."""

from typing import Any

from scipy import special

from ipsevidence.core.inputs import check_effects
from ipsevidence.core.results import NotApplicable, TestResult
from ipsevidence.core.weighting import MeanModel, Model


def q_test(y: Any, v: Any) -> TestResult | NotApplicable:
    """Return Cochran's test that all studies share one effect.

    Parameters
    ----------
    y, v : array_like of shape (k,)
        Effects and sampling variances.

    Returns
    -------
    TestResult or NotApplicable
        Q, its degrees of freedom and p-value; not applicable to a single study.

    Raises
    ------
    InputError
        If a parameter cannot be used.

    Notes
    -----
    Q is summed over residuals from the weighted mean (two passes): the one-pass formula cancels
    when effects are large beside their differences.

    References
    ----------
    .. [1] Cochran WG. The combination of estimates from different experiments. Biometrics
       1954;10:101-129. doi:10.2307/3001666
    """
    y, v = check_effects(y, v)
    if y.size == 1:
        return NotApplicable(reason="one study says nothing about heterogeneity")
    model = MeanModel(y, v)
    q = model.sum_of_squares(1.0 / model.v)
    return TestResult(
        name="Cochran's Q",
        null="all studies share one effect",
        distribution="chi2",
        statistic=q,
        df=float(model.df),
        p=chi2_tail(q, model.df),
    )


def chi2_tail(statistic: float, df: float) -> float:
    """Return the probability of a chi-square variable above `statistic`."""
    return float(special.chdtrc(df, statistic))


def i2_from_q(q: float, df: float) -> float:
    """Return I2 in percent from Q: the excess of Q over its degrees of freedom, not below 0."""
    return 100.0 * max(0.0, 1.0 - df / q) if q > 0 else 0.0


def h2_from_q(q: float, df: float) -> float:
    """Return H2 from Q: Q over its degrees of freedom, which may be below 1."""
    return q / df


def i2_from_tau2(tau2: float, typical: float) -> float:
    """Return I2 in percent from tau2 and the typical within-study variance."""
    return 100.0 * tau2 / (tau2 + typical)


def h2_from_tau2(tau2: float, typical: float) -> float:
    """Return H2 from tau2 and the typical within-study variance."""
    return 1.0 + tau2 / typical


def typical_variance(model: Model) -> float:
    """Return the typical within-study variance, in internal units.

    Notes
    -----
    (k - p) / tr(P) at the weights 1/v, which for a mean is equation 9 of Higgins and Thompson.

    References
    ----------
    .. [1] Higgins JPT, Thompson SG. Quantifying heterogeneity in a meta-analysis. Stat Med
       2002;21:1539-1558. doi:10.1002/sim.1186
    """
    return model.df / model.score_terms(0.0, restricted=True)[0]
