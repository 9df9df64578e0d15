"""How the effect depends on the risk in the control arm: the bivariate binomial model."""

import dataclasses
import math
from typing import Any, ClassVar

import numpy as np
from scipy import special

from ipsevidence.core.arm_likelihood import SMALL, ArmLikelihood, Peak, highest_peak
from ipsevidence.core.effects import check_two_by_two
from ipsevidence.core.inputs import InputError, check_level, check_number
from ipsevidence.core.pooling import mean_interval, quantile
from ipsevidence.core.results import (
    FloatArray,
    Interval,
    NotApplicable,
    Result,
    frozen_array,
    number,
    p_value,
)

FEWEST = 5  # studies below which five parameters are not fitted
FEW = 10  # studies below which the intervals carry a caution
CAUTION = "Fewer than ten studies: the intervals of the bivariate model may be too narrow."
# parameters: mean control log odds, mean log odds ratio, standard deviation of the control log odds, loadings of
# the log odds ratio on the first and on the second random effect
ARMS = (
    ((1, 0, 0), (1, 0, 0), (0, 1, 0), (0, 1, 0), (0, 0, 1)),
    ((1, 0, 0), (0, 0, 0), (0, 1, 0), (0, 0, 0), (0, 0, 0)),
)
LOADINGS = ((2, 3), (4,))
FIRST_LOADINGS = ((0.5, 0.0, 0.5), (1.0, -0.5, 0.2), (0.5, 0.3, 0.2))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ControlRiskEffect(Result):
    """What the bivariate model expects at one control risk.

    Attributes
    ----------
    control_risk : float
        Risk in the control arm, taken as known.
    effect : float
        Expected log odds ratio there.
    effect_ci, effect_prediction : Interval
        Of that expectation, and of the log odds ratio in a new study with this control risk.
    risk : float
        Risk under treatment in the median study.
    risk_ci, risk_prediction : Interval
        Of that risk, and of the risk under treatment in a new study with this control risk.
    difference : float
        That risk less the control risk.
    difference_ci : Interval
        Of the difference.
    """

    columns: ClassVar[tuple[str, ...]] = ("quantity", "value", "low", "high")
    control_risk: float
    effect: float
    effect_ci: Interval
    effect_prediction: Interval
    risk: float
    risk_ci: Interval
    risk_prediction: Interval
    difference: float
    difference_ci: Interval

    def to_rows(self) -> list[tuple[Any, ...]]:
        """Return one row each for the effect, the risk and the difference, with intervals, and the predictions."""
        return [
            ("log odds ratio", self.effect, self.effect_ci.low, self.effect_ci.high),
            ("log odds ratio, new study", self.effect, self.effect_prediction.low, self.effect_prediction.high),
            ("risk under treatment", self.risk, self.risk_ci.low, self.risk_ci.high),
            ("risk under treatment, new study", self.risk, self.risk_prediction.low, self.risk_prediction.high),
            ("risk difference", self.difference, self.difference_ci.low, self.difference_ci.high),
        ]

    def __str__(self) -> str:
        lines = [f"at a control risk of {number(self.control_risk)}"]
        lines += [
            f"  {name:<31} {number(value)} ({number(low)} to {number(high)})"
            for name, value, low, high in self.to_rows()
        ]
        return "\n".join(lines)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ControlRiskResult(Result):
    """The bivariate binomial model of control log odds and log odds ratios.

    Attributes
    ----------
    control_logit, control_logit_se : float
        Mean of the true log odds in the control arms, and its standard error.
    control_logit_ci : Interval
        Its interval by t with `df` degrees of freedom, as those of effect and slope.
    effect, effect_se : float
        Mean true log odds ratio, first arm against control, and its standard error.
    effect_ci : Interval
        Its interval.
    effect_p : float
        Test by the same t that it is 0.
    control_variance, tau2 : float
        Variances between studies of the control log odds and of the log odds ratio.
    correlation : float
        Between the two; nan where the effect does not vary.
    slope, slope_se : float
        Change of the expected log odds ratio per unit of the true control log odds, and its standard error.
    slope_ci : Interval
        Its interval.
    slope_p : float
        Test by the same t that it is 0.
    residual_tau2 : float
        Variance of the log odds ratio between studies of the same control risk.
    log_likelihood : float
        At the maximum.
    observed : tuple of float
        The lowest and highest risk observed in a control arm.
    parameters : ndarray of shape (5,)
        Mean control log odds, mean log odds ratio, standard deviation of the control log odds, covariance over
        that standard deviation, residual standard deviation of the log odds ratio.
    covariance : ndarray of shape (5, 5)
        Of the parameters.
    k : int
        Number of studies.
    level : float
        Level of the intervals.
    notes : tuple of str
        Cautions; one below ten studies.
    """

    columns: ClassVar[tuple[str, ...]] = ("quantity", "value", "low", "high")
    control_logit: float
    control_logit_se: float
    control_logit_ci: Interval
    effect: float
    effect_se: float
    effect_ci: Interval
    effect_p: float
    control_variance: float
    tau2: float
    correlation: float
    slope: float
    slope_se: float
    slope_ci: Interval
    slope_p: float
    residual_tau2: float
    log_likelihood: float
    observed: tuple[float, float]
    parameters: FloatArray
    covariance: FloatArray
    k: int
    level: float
    notes: tuple[str, ...] = ()

    @property
    def df(self) -> int:
        """Degrees of freedom of all intervals and tests: studies less the two coefficients of the line."""
        return self.k - 2

    def at(self, control_risk: float) -> ControlRiskEffect:
        """Return the effect and the risk under treatment that the model expects at a control risk.

        Parameters
        ----------
        control_risk : float
            A risk within the range observed in the control arms.

        Returns
        -------
        ControlRiskEffect

        Raises
        ------
        InputError
            If the risk lies outside the range observed in the control arms, or is 0 or 1.

        Notes
        -----
        For the median study: the risk is that at the expected log odds, which is the median and not the mean of
        the risks in studies with this control risk. Its interval is the delta method's on the log odds scale, by
        t(k-2), turned into risks; the control risk is taken as known.

        The variance of a new study's log odds ratio is that of the expectation, plus the residual variance, plus the
        sampling variance of the residual standard deviation: the square of an estimate is too small by as much on
        average, and maximum likelihood sets it to 0 in half of all sets of five studies. The quantile is t(k-2)'s.
        Coverage in simulated studies is on the page `absolute-effects` of the methods.
        """
        risk = check_number("control_risk", control_risk, above=0.0, below=1.0)
        low, high = self.observed
        if not low <= risk <= high:
            raise InputError(
                f"control_risk must lie between the lowest and the highest risk observed in the control arms, "
                f"{low:.4g} to {high:.4g}; got {risk:g}",
                parameter="control_risk",
            )
        logit = math.log(risk / (1.0 - risk))
        gap = logit - self.control_logit
        spread, tilt = float(self.parameters[2]), float(self.parameters[3])
        effect = self.effect + self.slope * gap
        turn = np.array([-self.slope, 1.0, -tilt * gap / spread**2, gap / spread, 0.0])
        variance = float(turn @ self.covariance @ turn)
        treated = float(special.expit(logit + effect))
        ahead = variance + self.residual_tau2 + float(self.covariance[4, 4])
        ci, prediction = (self._around(effect, math.sqrt(v)) for v in (variance, ahead))
        risk_ci, risk_prediction = (_risks(interval, logit) for interval in (ci, prediction))
        return ControlRiskEffect(
            control_risk=risk,
            effect=effect,
            effect_ci=ci,
            effect_prediction=prediction,
            risk=treated,
            risk_ci=risk_ci,
            risk_prediction=risk_prediction,
            difference=treated - risk,
            difference_ci=Interval(low=risk_ci.low - risk, high=risk_ci.high - risk, level=self.level),
        )

    def _around(self, middle: float, se: float) -> Interval:
        reach = quantile(self.level, self.df) * se
        return Interval(low=middle - reach, high=middle + reach, level=self.level)

    def to_rows(self) -> list[tuple[Any, ...]]:
        """Return one row for each parameter, with its interval where it has one."""
        nan = math.nan
        return [
            ("control log odds", self.control_logit, self.control_logit_ci.low, self.control_logit_ci.high),
            ("log odds ratio", self.effect, self.effect_ci.low, self.effect_ci.high),
            ("slope", self.slope, self.slope_ci.low, self.slope_ci.high),
            ("control variance", self.control_variance, nan, nan),
            ("tau2", self.tau2, nan, nan),
            ("correlation", self.correlation, nan, nan),
        ]

    def __str__(self) -> str:
        low, high = self.observed
        lines = [
            f"{self.k} studies, bivariate binomial model, control risks {low:.4g} to {high:.4g}",
            f"  control log odds  {number(self.control_logit)} ({self.control_logit_ci})",
            f"    variance        {number(self.control_variance)}",
            f"  log odds ratio    {number(self.effect)} ({self.effect_ci}), p {p_value(self.effect_p)}",
            f"    tau2            {number(self.tau2)}",
            f"  slope             {number(self.slope)} ({self.slope_ci}), p {p_value(self.slope_p)}",
            f"    correlation     {number(self.correlation)}",
        ]
        return "\n".join(lines + [f"  note: {note}" for note in self.notes])


def control_risk(ai: Any, n1i: Any, ci: Any, n2i: Any, *, level: float = 0.95) -> ControlRiskResult | NotApplicable:
    """Return how the log odds ratio depends on the true risk in the control arm.

    Parameters
    ----------
    ai, n1i, ci, n2i : array_like of shape (k,)
        Events and participants of the treated arm, then of the control arm.
    level : float
        Level of the intervals.

    Returns
    -------
    ControlRiskResult or NotApplicable
        Not applicable below five studies, where nobody or everybody in all first or all second arms had the
        event, where control risks do not vary beyond chance, and where the likelihood has no maximum.

    Raises
    ------
    InputError
        If a parameter cannot be used.

    Notes
    -----
    True control log odds and true log odds ratios are bivariate normal, the events in both arms binomial; the
    likelihood is by two-dimensional adaptive Gauss-Hermite quadrature with 31 x 31 nodes (to 1e-8 where standard
    deviations are below 2), the standard errors by the inverse of its exact Hessian. Intervals and tests are by t with
    k - 2 degrees of freedom: with the normal they cover too seldom in few studies. The slope is that of the
    expected effect on the *true* control log odds: it has neither the mathematical coupling nor the regression
    to the mean of a regression on observed control risks [1]_. Studies without events are kept: they tell of
    the control risk.

    References
    ----------
    .. [1] Sharp SJ, Thompson SG. Analysing the relationship between treatment effect and underlying risk in
       meta-analysis: comparison and development of approaches. Stat Med 2000;19:3251-3274.
       doi:10.1002/1097-0258(20001215)19:23<3251::AID-SIM625>3.0.CO;2-2
    .. [2] Van Houwelingen HC, Arends LR, Stijnen T. Advanced methods in meta-analysis: multivariate approach and
       meta-regression. Stat Med 2002;21:589-624. doi:10.1002/sim.1040
    """
    level = check_level(level)
    cells = check_two_by_two(ai, n1i, ci, n2i)
    k = cells.a.size
    if k < FEWEST:
        return NotApplicable(reason=f"{k} studies: the bivariate model is fitted from {FEWEST} on")
    if any(float(cell.sum()) == 0.0 for cell in cells):
        return NotApplicable(
            reason="nobody, or everybody, in all arms of one kind had the event: log odds are infinite"
        )
    control = np.log((cells.c + 0.5) / (cells.d + 0.5))
    effect = np.log((cells.a + 0.5) / (cells.b + 0.5)) - control
    starts = [np.array([control.mean(), effect.mean(), *loadings]) for loadings in FIRST_LOADINGS]
    peak = highest_peak(ArmLikelihood(cells, ARMS), starts, LOADINGS)
    if peak is None or peak.at[2] < SMALL:
        return NotApplicable(
            reason="control risks do not vary beyond chance, or the likelihood has no maximum: there is no slope"
        )
    risks = cells.c / (cells.c + cells.d)
    return _result(peak, (float(risks.min()), float(risks.max())), k, level)


def _result(peak: Peak, observed: tuple[float, float], k: int, level: float) -> ControlRiskResult:
    middle, effect, spread, tilt, rest = (float(x) for x in peak.at)
    control_se, effect_se = (math.sqrt(float(peak.covariance[j, j])) for j in (0, 1))
    slope = tilt / spread
    turn = np.array([0.0, 0.0, -slope / spread, 1.0 / spread, 0.0])
    slope_se = math.sqrt(float(turn @ peak.covariance @ turn))
    df = float(k - 2)
    effect_ci, _, effect_p = mean_interval(effect, effect_se, df, level)
    slope_ci, _, slope_p = mean_interval(slope, slope_se, df, level)
    tau2 = tilt**2 + rest**2
    edge = "The residual variance is estimated as 0; prediction intervals allow for the doubt about it."
    return ControlRiskResult(
        control_logit=middle,
        control_logit_se=control_se,
        control_logit_ci=mean_interval(middle, control_se, df, level)[0],
        effect=effect,
        effect_se=effect_se,
        effect_ci=effect_ci,
        effect_p=effect_p,
        control_variance=spread**2,
        tau2=tau2,
        correlation=tilt / math.sqrt(tau2) if tau2 > 0.0 else math.nan,
        slope=slope,
        slope_se=slope_se,
        slope_ci=slope_ci,
        slope_p=slope_p,
        residual_tau2=rest**2,
        log_likelihood=peak.log_likelihood,
        observed=observed,
        parameters=frozen_array(peak.at),
        covariance=frozen_array(peak.covariance),
        k=k,
        level=level,
        notes=(*((CAUTION,) if k < FEW else ()), *((edge,) if rest == 0.0 else ())),
    )


def _risks(interval: Interval, logit: float) -> Interval:
    """Return an interval of log odds ratios as one of risks under treatment."""
    low, high = (float(special.expit(logit + end)) for end in (interval.low, interval.high))
    return Interval(low=low, high=high, level=interval.level)
