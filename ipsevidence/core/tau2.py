"""Estimators of the between-study variance and their standard errors.

All root finding works in units of the data with relative tolerances, so that y -> c y and v -> c^2 v
give tau2 -> c^2 tau2 at any c.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from scipy import special

from ipsevidence.core.inputs import check_array, check_each, check_effects, check_same_length
from ipsevidence.core.likelihood import maximise
from ipsevidence.core.quadratic_forms import mixture_cdf
from ipsevidence.core.registry import Method, choose, registry
from ipsevidence.core.results import FloatArray
from ipsevidence.core.roots import falling_root
from ipsevidence.core.weighting import OUTWEIGHED, MeanModel, Model, RegressionModel, check_design

CONVERGED = 3e-8  # of the root: convergence is quadratic, and the step after one of this size would be lost in rounding
SAVED = 1e-9  # of a step that comes down from beyond the root, far more than its rounding


class Tau2(NamedTuple):
    """An estimate of the between-study variance and its standard error, nan where there is none."""

    tau2: float
    se: float


def estimate_tau2(
    y: Any,
    v: Any,
    X: Any = None,
    *,
    method: str = "reml",
    truncate: bool = True,
    weights: Any = None,
) -> Tau2:
    """Return an estimate of the between-study variance.

    Parameters
    ----------
    y, v : array_like of shape (k,)
        Effects and sampling variances.
    X : array_like of shape (k, p), optional
        Design matrix with its column of ones; the variance is then what moderators leave.
    method : {'common', 'dl', 'he', 'hs', 'sj', 'ml', 'reml', 'eb', 'pm', 'hsk', 'pmm', 'ca2', 'dl2', \
'sj2', 'genq', 'genqm'}
        Key of `TAU2_ESTIMATORS`.
    truncate : bool
        Whether an estimate below 0 becomes 0. Only the moment estimators (dl, he, hs, hsk, ca2, dl2, genq)
        can be negative; the others have no value below 0 to give back.
    weights : array_like of shape (k,), optional
        Weights of the generalised Q statistic for genq and genqm; 1/v unless given.

    Returns
    -------
    Tau2
        ``tau2`` and ``se`` in squared units of y; nan for a single study.

    Raises
    ------
    InputError
        If a parameter cannot be used.

    Notes
    -----
    Standard errors are those of Viechtbauer (2005): exact for normal effects for the moment estimators
    (the sampling variance of a quadratic form, taken at the truncated estimate), from the expected
    information for ml and reml, Morris's approximation for eb and pm, and for sj that of the second
    step with the first held fixed. The two-step ca2 and dl2 hold their first step fixed too, and pmm has
    that of pm.

    sj2 starts from he. Where he is not above 0 there is no second step to take, and it starts as sj does:
    the floor of 0.01 of its authors would depend on the unit of the outcome.

    References
    ----------
    .. [1] Viechtbauer W. Bias and efficiency of meta-analytic variance estimators in the random-effects
       model. J Educ Behav Stat 2005;30:261-293. doi:10.3102/10769986030003261
    """
    chosen = choose("method", method, TAU2_ESTIMATORS)
    model = model_of(y, v, X, weights)
    if model is None:
        return Tau2(math.nan, math.nan)
    tau2, se = chosen.function(model)
    if truncate:
        tau2 = max(0.0, tau2)
    return Tau2(tau2 * model.scale, se * model.scale)


def model_of(y: Any, v: Any, X: Any, weights: Any) -> Model | None:
    """Return the checked studies as a model, or None for a single study without moderators."""
    y, v = check_effects(y, v)
    if y.size == 1 and X is None:
        return None
    model = MeanModel(y, v) if X is None else RegressionModel(y, v, check_design(X, y.size))
    if weights is not None:
        given = check_array("weights", weights)
        check_same_length(y=y, weights=given)
        check_each("weights", given, np.isfinite(given) & (given > 0), "be finite and above 0")
        model.moment_weights = given / given.max()
    return model


def root_of_q(model: Model, target: float) -> float:
    """Return the tau2 at which Q(tau2) falls to `target`, or 0 where Q is below that from the start.

    Q(t) is a sum of c^2/(l + t), so its reciprocal is concave and increases: a step of Newton's method on 1/Q, from
    either side, ends left of the root. Of the steps from where Q is known already the farthest gives a near start, and
    the method climbs on without overshooting. No bracket is needed.
    """
    if model.q_and_slope(0.0)[0] <= target:
        return 0.0
    t = max(_step_of_newton(target, *look) for look in model.looks.items())
    while True:
        q, slope = model.q_and_slope(t)
        if q <= target:
            return t
        step = (q / target - 1.0) * q / slope
        t += step
        if step <= CONVERGED * t:
            return t


def _step_of_newton(target: float, t: float, look: tuple[float, float]) -> float:
    """Return where a step from t ends, at least 0; from beyond the root a little short of that, as digits are lost."""
    q, slope = look
    reach = q / slope
    return max(0.0, t + (q / target - 1.0) * reach - (SAVED * reach if q < target else 0.0))


def _quadratic_form(model: Model, w: FloatArray, tau2: float) -> float:
    """Return the standard deviation of y'Py for normal effects of variance v + tau2."""
    total = model.v + max(0.0, tau2)
    return math.sqrt(2.0 * model.trace2(w, total, total))


def _common(_model: Model) -> Tau2:
    return Tau2(0.0, math.nan)


def _dersimonian_laird(model: Model) -> Tau2:
    w = 1.0 / model.v
    trace = model.trace(w, np.ones(model.k))
    tau2 = (model.sum_of_squares(w) - model.df) / trace
    return Tau2(tau2, _quadratic_form(model, w, tau2) / trace)


def _hedges(model: Model) -> Tau2:
    w = np.ones(model.k)
    tau2 = (model.sum_of_squares(w) - model.trace(w, model.v)) / model.df
    return Tau2(tau2, _quadratic_form(model, w, tau2) / model.df)


def _hunter_schmidt(model: Model) -> Tau2:
    w = 1.0 / model.v
    total = float(w.sum())
    tau2 = (model.sum_of_squares(w) - model.k) / total
    return Tau2(tau2, _quadratic_form(model, w, tau2) / total)


def _hunter_schmidt_corrected(model: Model) -> Tau2:
    w = 1.0 / model.v
    total = float(w.sum())
    factor = model.k / model.df
    tau2 = (factor * model.sum_of_squares(w) - model.k) / total
    return Tau2(tau2, factor * _quadratic_form(model, w, tau2) / total)


def _generalised(model: Model, w: FloatArray) -> Tau2:
    """Return the moment estimate from the generalised Q statistic with weights w."""
    trace = model.trace(w, np.ones(model.k))
    tau2 = (model.sum_of_squares(w) - model.trace(w, model.v)) / trace
    return Tau2(tau2, _quadratic_form(model, w, tau2) / trace)


def moment_weights(model: Model) -> FloatArray:
    """Return the weights of the generalised Q statistic: those given, or 1/v."""
    return 1.0 / model.v if model.moment_weights is None else model.moment_weights


def _generalised_q(model: Model) -> Tau2:
    return _generalised(model, moment_weights(model))


def _hedges_two_step(model: Model) -> Tau2:
    return _generalised(model, 1.0 / (model.v + max(0.0, _hedges(model).tau2)))


def _dersimonian_laird_two_step(model: Model) -> Tau2:
    return _generalised(model, 1.0 / (model.v + max(0.0, _dersimonian_laird(model).tau2)))


def _generalised_q_median(model: Model) -> Tau2:
    w = moment_weights(model)
    return Tau2(root_of_tail(model, w, 0.5), math.nan)


def root_of_tail(model: Model, w: FloatArray, probability: float) -> float:
    """Return the tau2 at which the observed generalised Q is exceeded with 1 - `probability`."""
    q = model.sum_of_squares(w)

    def excess(tau2: float) -> float:
        return mixture_cdf(q, model.form_weights(w, tau2)) - probability

    return falling_root(excess, float(model.v.min()))


def _sidik_jonkman(model: Model) -> Tau2:
    return _sidik_jonkman_from(model, _crude_variance(model))


def _sidik_jonkman_from_hedges(model: Model) -> Tau2:
    first = _hedges(model).tau2
    return _sidik_jonkman_from(model, first if first > 0.0 else _crude_variance(model))


def _crude_variance(model: Model) -> float:
    centred = model.y - model.y.mean()
    return float(centred.dot(centred)) / model.k


def _sidik_jonkman_from(model: Model, first: float) -> Tau2:
    if first == 0.0:
        return Tau2(0.0, math.nan)
    # the authors' weights are these times the first step, which may be too small for a double to square
    w = 1.0 / (model.v + first)
    tau2 = first * model.sum_of_squares(w) / model.df
    return Tau2(tau2, first * _quadratic_form(model, w, tau2) / model.df)


def _maximum_likelihood(model: Model) -> Tau2:
    tau2 = maximise(model, restricted=False)
    w = 1.0 / (model.v + tau2)
    return Tau2(tau2, math.sqrt(2.0 / float(w.dot(w))))


def _restricted_maximum_likelihood(model: Model) -> Tau2:
    tau2 = maximise(model, restricted=True)
    w = 1.0 / (model.v + tau2)
    trace2 = model.score_terms(tau2, restricted=True)[2]
    if trace2 < OUTWEIGHED * float(w.dot(w)):  # a difference that has lost digits
        one = np.ones(model.k)
        trace2 = model.trace2(w, one, one)
    return Tau2(tau2, math.sqrt(2.0 / trace2))


def _paule_mandel(model: Model) -> Tau2:
    tau2 = root_of_q(model, float(model.df))
    total = float((1.0 / (model.v + tau2)).sum())
    return Tau2(tau2, model.k / total * math.sqrt(2.0 / model.df))


def _paule_mandel_median(model: Model) -> Tau2:
    tau2 = root_of_q(model, float(special.chdtri(model.df, 0.5)))
    total = float((1.0 / (model.v + tau2)).sum())
    return Tau2(tau2, model.k / total * math.sqrt(2.0 / model.df))


TAU2_ESTIMATORS = registry(
    Method(
        key="common",
        label="none (common effect)",
        function=_common,
        reference="Hedges LV, Vevea JL. Psychol Methods 1998;3:486-504. doi:10.1037/1082-989X.3.4.486",
        sentence="A common-effect model was used, in which all studies estimate one effect.",
    ),
    Method(
        key="dl",
        label="DerSimonian-Laird",
        function=_dersimonian_laird,
        reference="DerSimonian R, Laird N. Control Clin Trials 1986;7:177-188. doi:10.1016/0197-2456(86)90046-2",
        sentence="Between-study variance was estimated by the method of DerSimonian and Laird (1986).",
    ),
    Method(
        key="he",
        label="Hedges",
        function=_hedges,
        reference="Hedges LV. Psychol Bull 1983;93:388-395. doi:10.1037/0033-2909.93.2.388",
        sentence="Between-study variance was estimated by the unweighted moment method of Hedges (1983).",
    ),
    Method(
        key="hs",
        label="Hunter-Schmidt",
        function=_hunter_schmidt,
        reference="Viechtbauer W. J Educ Behav Stat 2005;30:261-293. doi:10.3102/10769986030003261",
        sentence="Between-study variance was estimated by the method of Hunter and Schmidt, as given by "
        "Viechtbauer (2005).",
    ),
    Method(
        key="sj",
        label="Sidik-Jonkman",
        function=_sidik_jonkman,
        reference="Sidik K, Jonkman JN. J R Stat Soc C 2005;54:367-384. doi:10.1111/j.1467-9876.2005.00489.x",
        sentence="Between-study variance was estimated by the method of Sidik and Jonkman (2005).",
    ),
    Method(
        key="ml",
        label="maximum likelihood",
        function=_maximum_likelihood,
        reference="Hardy RJ, Thompson SG. Stat Med 1996;15:619-629. "
        "doi:10.1002/(SICI)1097-0258(19960330)15:6<619::AID-SIM188>3.0.CO;2-A",
        sentence="Between-study variance was estimated by maximum likelihood.",
    ),
    Method(
        key="reml",
        label="restricted maximum likelihood",
        function=_restricted_maximum_likelihood,
        reference="Viechtbauer W. J Educ Behav Stat 2005;30:261-293. doi:10.3102/10769986030003261",
        sentence="Between-study variance was estimated by restricted maximum likelihood.",
    ),
    Method(
        key="eb",
        label="empirical Bayes",
        function=_paule_mandel,
        reference="Morris CN. J Am Stat Assoc 1983;78:47-55. doi:10.1080/01621459.1983.10477920",
        sentence="Between-study variance was estimated by the empirical Bayes method of Morris (1983).",
    ),
    Method(
        key="pm",
        label="Paule-Mandel",
        function=_paule_mandel,
        reference="Paule RC, Mandel J. J Res Natl Bur Stand 1982;87:377-385. doi:10.6028/jres.087.022",
        sentence="Between-study variance was estimated by the method of Paule and Mandel (1982).",
    ),
    Method(
        key="hsk",
        label="Hunter-Schmidt, corrected",
        function=_hunter_schmidt_corrected,
        reference="Brannick MT, Potter SM, Benitez B, Morris SB. Organ Res Methods 2019;22:490-514. "
        "doi:10.1177/1094428117741966",
        sentence="Between-study variance was estimated by the method of Hunter and Schmidt with the "
        "small-sample correction of Brannick et al (2019).",
    ),
    Method(
        key="pmm",
        label="Paule-Mandel, median-unbiased",
        function=_paule_mandel_median,
        reference="Viechtbauer W. Median-unbiased estimators for the amount of heterogeneity in "
        "meta-analysis. European Congress of Methodology, Valencia, 2021.",
        sentence="Between-study variance was estimated by the median-unbiased Paule-Mandel method.",
    ),
    Method(
        key="ca2",
        label="Hedges, two-step",
        function=_hedges_two_step,
        reference="DerSimonian R, Kacker R. Contemp Clin Trials 2007;28:105-114. doi:10.1016/j.cct.2006.04.004",
        sentence="Between-study variance was estimated by the two-step Hedges method of DerSimonian and Kacker (2007).",
    ),
    Method(
        key="dl2",
        label="DerSimonian-Laird, two-step",
        function=_dersimonian_laird_two_step,
        reference="DerSimonian R, Kacker R. Contemp Clin Trials 2007;28:105-114. doi:10.1016/j.cct.2006.04.004",
        sentence="Between-study variance was estimated by the two-step DerSimonian-Laird method of "
        "DerSimonian and Kacker (2007).",
    ),
    Method(
        key="sj2",
        label="Sidik-Jonkman from Hedges",
        function=_sidik_jonkman_from_hedges,
        reference="Sidik K, Jonkman JN. Stat Med 2007;26:1964-1981. doi:10.1002/sim.2688",
        sentence="Between-study variance was estimated by the method of Sidik and Jonkman (2007), starting "
        "from the estimate of Hedges.",
    ),
    Method(
        key="genq",
        label="generalised Q",
        function=_generalised_q,
        reference="DerSimonian R, Kacker R. Contemp Clin Trials 2007;28:105-114. doi:10.1016/j.cct.2006.04.004",
        sentence="Between-study variance was estimated from the generalised Q statistic.",
    ),
    Method(
        key="genqm",
        label="generalised Q, median-unbiased",
        function=_generalised_q_median,
        reference="Viechtbauer W. Median-unbiased estimators for the amount of heterogeneity in "
        "meta-analysis. European Congress of Methodology, Valencia, 2021.",
        sentence="Between-study variance was estimated by the median-unbiased generalised Q method.",
    ),
)

GIVEN_TAU2 = Method(
    key="given",
    label="given",
    function=_common,
    reference="",
    sentence="Between-study variance was fixed at a given value.",
)
