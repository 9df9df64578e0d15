"""What a pooled effect means in people: risks and differences at baselines that the trials have seen."""

import dataclasses
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np

from ipsevidence import core
from ipsevidence.analysis.risk_differences import number_needed, trial_difference, wilson
from ipsevidence.analysis.rows import StudyRow
from ipsevidence.analysis.spec import Spec
from ipsevidence.core.inputs import check_number

if TYPE_CHECKING:
    from ipsevidence.analysis.running import AnalysisRun

__all__ = [
    "CUT",
    "MODELS",
    "NO_REGRESSION",
    "ODDS_FIRST",
    "PERCENTILES",
    "AbsoluteAnswer",
    "Absolutes",
    "absolutes_of",
    "allowed_pool",
]

MODELS: Final[dict[str, str]] = {
    "bivariate": "bivariate binomial model",
    "RR": "risk ratio",
    "OR": "odds ratio",
    "trial": "the trial itself",
}
"""Where an answer can come from, in the order in which answers are listed."""

PERCENTILES: Final = (25, 50, 75)
"""Percentiles of the risks in the comparator arms that serve as baselines; each trial counts once."""

SMALLEST_RANDOM: Final = 5
"""Trials from which the bivariate model is fitted; below, answers carry a caution."""

SMALLEST_LEADING: Final = 10
"""Trials with counts from which the bivariate model's answers are read first."""

ODDS_FIRST: Final = (
    "The answers of the pooled odds ratio are read first; the bivariate model leads from ten trials with counts on. Of"
    " the two ratios the odds ratio is the safer summary: a risk ratio carried to a high baseline gives too many."
)

NO_REGRESSION: Final = (
    "Observed comparator risks are part of the observed effects: a regression of one on the other is biased and is"
    " not offered (Sharp and Thompson 2000)."
)

CUT: Final = "By the risk ratio some numbers would pass 100 of 100; they are cut there."


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class AbsoluteAnswer(core.Result):
    """What one model says at one baseline. Risks are shares between 0 and 1; rows of tables are per 100 people.

    Attributes
    ----------
    model : str
        Key of `MODELS`.
    k : int
        Trials that it rests on.
    baseline : float
        Risk without the intervention, taken as known.
    risk, difference : float
        Risk with the intervention, and that less the baseline.
    risk_ci, difference_ci : Interval
        Their confidence intervals; where the baseline is the trial's own, that of the difference allows for it.
    risk_prediction, difference_prediction : Interval
        In a new setting with this baseline; without bounds where the model predicts none.
    nnt : float
        Number needed to treat, negative for harm; nan where the interval of the difference holds 0, or that of the
        pooled effect no effect.
    nnt_text : str
        The same with its interval, in Altman's notation, which also serves where the interval holds 0.
    cut : bool
        Whether the risk or a bound would have passed 1 and was cut there.
    """

    columns: ClassVar[tuple[str, ...]] = (
        "model",
        "trials",
        "baseline",
        "with intervention",
        "more",
        "low",
        "high",
        "prediction low",
        "prediction high",
        "number needed",
        "cut",
    )
    model: str
    k: int
    baseline: float
    risk: float
    risk_ci: core.Interval
    risk_prediction: core.Interval
    difference: float
    difference_ci: core.Interval
    difference_prediction: core.Interval
    nnt: float
    nnt_text: str
    cut: bool

    @property
    def people(self) -> tuple[int, int]:
        """Of 100 people: those with the event anyway, and how many more (or fewer) there are; never above 100."""
        anyway = round(100 * self.baseline)
        return anyway, max(-anyway, min(round(100 * self.difference), 100 - anyway))

    def to_rows(self) -> list[tuple[Any, ...]]:
        """Return one row, per 100 people."""
        numbers = (self.baseline, self.risk, self.difference)
        bounds = (self.difference_ci.low, self.difference_ci.high)
        ahead = (self.difference_prediction.low, self.difference_prediction.high)
        return [(MODELS[self.model], self.k, *(100 * x for x in (*numbers, *bounds, *ahead)), self.nnt_text, self.cut)]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Absolutes(core.Result):
    """Absolute answers of an analysis.

    Attributes
    ----------
    k : int
        Trials in the pool.
    trials, left_out : tuple of str
        Labels of those with counts, which give the baselines, and of those that have an effect without counts.
    baselines : tuple of float
        Risks without the intervention.
    names : tuple of str
        What each baseline is: ``25th percentile``, ``given``, ``the trial``.
    observed : tuple of float
        The lowest and the highest risk in a comparator arm: no baseline lies outside.
    headline : str
        Key of the model whose answers are read first: the trial's own of one trial; from ten trials with counts on the
        bivariate model's; else the odds ratio's, or those of the measure of the spec where the odds ratio would leave
        fewer than five trials that it has.
    answers : tuple of AbsoluteAnswer
        By baseline, then in the order of `MODELS`.
    bivariate : ControlRiskResult or NotApplicable
        The model of effect and control risk, or why there is none.
    notes : tuple of str
        How to read them, cautions first.
    """

    columns: ClassVar[tuple[str, ...]] = AbsoluteAnswer.columns
    k: int
    trials: tuple[str, ...]
    left_out: tuple[str, ...]
    baselines: tuple[float, ...]
    names: tuple[str, ...]
    observed: tuple[float, float]
    headline: str
    answers: tuple[AbsoluteAnswer, ...]
    bivariate: core.ControlRiskResult | core.NotApplicable
    notes: tuple[str, ...]

    def at(self, baseline: float, model: str = "") -> AbsoluteAnswer | None:
        """Return the answer of a model, by default the headline, at one of the baselines; None where there is none."""
        wanted = model or self.headline
        return next((one for one in self.answers if (one.baseline, one.model) == (baseline, wanted)), None)

    @property
    def middle(self) -> float:
        """The baseline that is read first: the middle one."""
        return self.baselines[(len(self.baselines) - 1) // 2]

    def to_rows(self) -> list[tuple[Any, ...]]:
        """Return one row for each answer, per 100 people."""
        return [row for one in self.answers for row in one.to_rows()]

    def __str__(self) -> str:
        low, high = self.observed
        size = f"{len(self.trials)} of {self.k} trials with counts"
        lines = [f"{size}, comparator risks {low:.3g} to {high:.3g}; per 100 people:"]
        for one in self.answers:
            ci, anyway = one.difference_ci, 100 * one.baseline
            lines.append(
                f"  {anyway:5.1f} without, {100 * one.difference:+6.1f} with ({100 * ci.low:+.1f} to"
                f" {100 * ci.high:+.1f}), {MODELS[one.model]}"
            )
        return "\n".join(lines + [f"  note: {note}" for note in self.notes])


def absolutes_of(
    run: "AnalysisRun",
    baselines: float | Sequence[float] | None = None,
    *,
    bivariate: core.ControlRiskResult | core.NotApplicable | None = None,
) -> Absolutes | core.NotApplicable:
    """Return what the effect of an analysis means in people, at baselines that its trials have seen.

    Parameters
    ----------
    run : AnalysisRun
        The analysis; its rows with two-arm counts are used.
    baselines : float or sequence of float, optional
        Risks without the intervention, each within the range of the risks in the trials' comparator arms. By default
        the 25th, 50th and 75th percentile of those risks (linear between them, each trial counting once).
    bivariate : ControlRiskResult or NotApplicable, optional
        The bivariate model of these trials at this level, where an analysis of the same rows has fitted it before
        (`Absolutes.bivariate`): it depends neither on the measure nor on the pooling model, and takes longest.

    Returns
    -------
    Absolutes or NotApplicable
        Not applicable without counts, to single-arm rates, and where the trials count different things.

    Raises
    ------
    core.InputError
        If a baseline is no share, or lies outside the comparator risks of the trials; the message has their range.

    Notes
    -----
    From five trials on there are answers of the bivariate binomial model (`core.control_risk`), in which the effect
    may depend on the true risk in the comparator arm, for the median trial; they are read first from ten trials on,
    and below carry a caution. Beside them stand those of the pooled risk ratio and odds ratio
    (`core.absolute_effect`), by the model of the spec within the rules for few trials; of two to four trials only
    these, of two trials by the common effect. Of the two ratios the odds ratio's answers are read first: it is the
    safer summary where effects vary, and cannot lead beyond 1. The measure of the spec is pooled over all
    trials of the run, as it stands there; the other over those with counts. A single trial gives its own risk
    difference, with the interval of Newcombe's method 10. A baseline is taken as known. There is a number needed to
    treat only where both the interval of the difference and that of the pooled effect exclude no effect.

    Risk ratios can lead beyond 1, and are cut there. A regression on observed control risks is not offered: they
    are part of the observed effects [1]_.

    References
    ----------
    .. [1] Sharp SJ, Thompson SG. Stat Med 2000;19:3251-3274.
       doi:10.1002/1097-0258(20001215)19:23<3251::AID-SIM625>3.0.CO;2-2
    .. [2] Altman DG. Confidence intervals for the number needed to treat. BMJ 1998;317:1309-1312.
       doi:10.1136/bmj.317.7168.1309
    """
    reason = _not_countable(run)
    if reason:
        return core.NotApplicable(reason=reason)
    rows = [row for row in run.rows if row.counts is not None]
    cells = np.array([dataclasses.astuple(row.counts) for row in rows if row.counts]).T
    risks = cells[2] / cells[3]
    observed = (float(risks.min()), float(risks.max()))
    values, names = _baselines(baselines, risks, observed)
    if not values:
        return core.NotApplicable(reason="nobody, or everybody, in the comparator arms had the event")
    bivariate, found = _answers(run, rows, cells, values, bivariate)
    left_out = tuple(row.label for row in run.rows if row.counts is None)
    headline = _headline(run.spec, found, bivariate)
    said = _notes(len(run.rows), left_out, names, observed, found, bivariate)
    return Absolutes(
        k=len(run.rows),
        trials=tuple(row.label for row in rows),
        left_out=left_out,
        baselines=values,
        names=names,
        observed=observed,
        headline=headline,
        answers=tuple(found),
        bivariate=bivariate,
        notes=(ODDS_FIRST, *said) if headline == "OR" else said,
    )


def _answers(
    run: "AnalysisRun",
    rows: Sequence[StudyRow],
    cells: Any,
    baselines: Sequence[float],
    fitted: core.ControlRiskResult | core.NotApplicable | None,
) -> tuple[core.ControlRiskResult | core.NotApplicable, list[AbsoluteAnswer]]:
    """Return the bivariate model, or why there is none, and what all models answer."""
    level = float(run.spec.model.level)
    if len(rows) == 1:
        none = core.NotApplicable(reason="one trial with counts")
        one = len(run.rows) == 1
        return none, [_of_trial(rows[0], level, _doubt(run))] if one else _of_models(run, cells, baselines, none)
    bivariate = core.control_risk(*cells, level=level) if fitted is None else fitted
    return bivariate, _of_models(run, cells, baselines, bivariate)


def allowed_pool(spec: Spec, y: Any, v: Any) -> core.PooledResult:
    """Pool as the spec says; in a living analysis the headline that its rules for few trials leave.

    Parameters
    ----------
    spec : Spec
        Its purpose and model count.
    y, v : array_like of shape (k,)
        Effects and variances, k at least 1.

    Returns
    -------
    PooledResult
        Of one or two trials of a living analysis the common effect, which is a line and not a mean of several.
    """
    model, k = spec.model, len(y)
    level = float(model.level)
    few = core.Interval(low=math.nan, high=math.nan, level=level, why=f"fewer than {SMALLEST_RANDOM} trials")
    if spec.purpose == "living" and k <= 2:
        fit = core.pool(y, v, tau2="common", interval="wald", prediction="none", level=level)
        return dataclasses.replace(fit, prediction=few)
    ruled = spec.purpose == "living" and model.interval in ("hksj", "hksj-adhoc") and model.tau2 != "common"
    if not ruled:
        return core.pool(y, v, tau2=model.tau2, interval=model.interval, prediction=model.prediction, level=level)
    if k < SMALLEST_RANDOM:
        fit = core.pool(y, v, tau2=model.tau2, interval="hksj-adhoc", prediction="none", level=level)
        return dataclasses.replace(fit, prediction=few)
    allowed = core.small_k_pool(y, v, tau2=model.tau2, prediction=model.prediction, level=level)
    return dataclasses.replace(allowed.headline, prediction=allowed.prediction)


def _not_countable(run: "AnalysisRun") -> str:
    """Say why nothing can be counted in people; empty where it can."""
    if not run.rows:
        return "no trial is in the pool"
    if run.rows[0].unit == "arm" or run.measure.needs != "two-by-two":
        return "absolute effects are for two arms with counts"
    for what in ("concept", "window"):
        kinds = sorted({str(row.extra[what]) for row in run.rows if what in row.extra})
        if len(kinds) > 1:
            return f"the trials count {len(kinds)} different things ({', '.join(kinds)})"
    if all(row.counts is None for row in run.rows):
        return "no trial in the pool has counts, only printed effects"
    return ""


def _baselines(
    given: float | Sequence[float] | None, risks: Any, observed: tuple[float, float]
) -> tuple[tuple[float, ...], tuple[str, ...]]:
    """Return the baselines and what they are; refuse those that no trial comes near."""
    if given is None:
        if risks.size == 1:
            found = [(float(risks[0]), "the trial")]
        else:
            points = np.quantile(risks, [percentile / 100 for percentile in PERCENTILES])
            found = [
                (float(point), f"{percentile}th percentile")
                for percentile, point in zip(PERCENTILES, points, strict=True)
            ]
        inside = [(point, name) for point, name in found if 0.0 < point < 1.0 or risks.size == 1]
        points_used = tuple(sorted({point for point, _ in inside}))
        return points_used, tuple(" and ".join(name for at, name in inside if at == point) for point in points_used)
    several = [given] if isinstance(given, int | float) else list(given)
    if not several:
        raise core.InputError("baselines must name at least one risk; got none", parameter="baselines")
    values = []
    for value in several:
        checked = check_number("baseline", value, above=0.0, below=1.0)
        values.append(_within(checked, observed, one=risks.size == 1))
    return tuple(values), ("given",) * len(values)


def _within(value: float, observed: tuple[float, float], *, one: bool) -> float:
    low, high = observed
    if one:
        if abs(value - low) >= 0.0005:
            raise core.InputError(
                f"baseline must be the risk in the comparator arm of the only trial, {low:.3f}; got {value:g}",
                parameter="baselines",
            )
        return low
    if not low <= value <= high:
        # rounded inwards, so that the bounds as they are printed are themselves allowed
        shown = f"{math.ceil(low * 1000) / 1000:.3f} to {math.floor(high * 1000) / 1000:.3f}"
        raise core.InputError(
            f"baseline must lie within the risks in the trials' comparator arms, {shown}; got {value:g}",
            parameter="baselines",
        )
    return value


def _doubt(run: "AnalysisRun") -> str:
    """Say that the interval of the pooled effect, or of the only trial's, holds no effect; empty where it does not."""
    fit = allowed_pool(run.spec, run.y, run.v)
    alone = len(run.rows) == 1
    low, high = run.intervals[0] if alone else (fit.ci.low, fit.ci.high)
    name, null = run.measure.label.partition(" (")[0], run.measure.null
    if math.isnan(low):
        return f"the pooled {name} has no interval"
    of = "" if alone else "pooled "
    return f"the interval of the {of}{name} holds {null:g}" if run.shown(low) <= null <= run.shown(high) else ""


def _of_trial(row: StudyRow, level: float, doubt: str) -> AbsoluteAnswer:
    counts = row.counts
    assert counts is not None
    difference, gap = trial_difference(counts, level)
    needed, text = number_needed(difference, gap, doubt)
    none = core.Interval(low=math.nan, high=math.nan, level=level, why="one trial does not predict another")
    return AbsoluteAnswer(
        model="trial",
        k=1,
        baseline=counts.events2 / counts.n2,
        risk=counts.events1 / counts.n1,
        risk_ci=wilson(counts.events1, counts.n1, level),
        risk_prediction=none,
        difference=difference,
        difference_ci=gap,
        difference_prediction=none,
        nnt=needed,
        nnt_text=text,
        cut=False,
    )


def _of_models(
    run: "AnalysisRun", cells: Any, baselines: Sequence[float], bivariate: core.ControlRiskResult | core.NotApplicable
) -> list[AbsoluteAnswer]:
    """Return the answers at each baseline: of the bivariate model where there is one, of the two ratios."""
    pools = {}
    for measure in ("RR", "OR"):
        if measure == run.spec.effect.measure:
            pools[measure] = allowed_pool(run.spec, run.y, run.v)
            continue
        effect = run.spec.effect
        y, v = core.two_by_two(measure, *cells, add=float(effect.add), to=effect.to)
        kept = np.isfinite(v)
        if kept.sum() > 1:
            pools[measure] = allowed_pool(run.spec, y[kept], v[kept])
    found, doubt = [], _doubt(run)
    for baseline in baselines:
        if isinstance(bivariate, core.ControlRiskResult):
            found.append(_of_bivariate(bivariate.at(baseline), bivariate.k, doubt))
        found.extend(_of_ratio(fit, measure, baseline, doubt) for measure, fit in pools.items() if not fit.ci.missing)
    return found


def _of_bivariate(effect: core.ControlRiskEffect, k: int, doubt: str) -> AbsoluteAnswer:
    needed, text = number_needed(effect.difference, effect.difference_ci, doubt)
    return AbsoluteAnswer(
        model="bivariate",
        k=k,
        baseline=effect.control_risk,
        risk=effect.risk,
        risk_ci=effect.risk_ci,
        risk_prediction=effect.risk_prediction,
        difference=effect.difference,
        difference_ci=effect.difference_ci,
        difference_prediction=_less(effect.risk_prediction, effect.control_risk),
        nnt=needed,
        nnt_text=text,
        cut=False,
    )


def _of_ratio(fit: core.PooledResult, measure: str, baseline: float, doubt: str) -> AbsoluteAnswer:
    """Move a pooled ratio, its interval and its prediction interval to a baseline."""
    found = core.absolute_effect(fit, measure, baseline)
    assert isinstance(found, core.AbsoluteEffect)
    ahead = fit.prediction
    if not ahead.missing:
        # a prediction interval moves to the baseline as a confidence interval does
        moved = core.absolute_effect(dataclasses.replace(fit, ci=fit.prediction), measure, baseline)
        assert isinstance(moved, core.AbsoluteEffect)
        ahead = moved.risk_ci
    needed, text = number_needed(found.difference, found.difference_ci, doubt)
    tops = (found.risk, found.risk_ci.high, ahead.high)
    return AbsoluteAnswer(
        model=measure,
        k=fit.k,
        baseline=baseline,
        risk=found.risk,
        risk_ci=found.risk_ci,
        risk_prediction=ahead,
        difference=found.difference,
        difference_ci=found.difference_ci,
        difference_prediction=_less(ahead, baseline),
        nnt=needed,
        nnt_text=text,
        cut=measure == "RR" and any(top >= 1.0 for top in tops),
    )


def _less(interval: core.Interval, baseline: float) -> core.Interval:
    return dataclasses.replace(interval, low=interval.low - baseline, high=interval.high - baseline)


def _headline(
    spec: Spec, found: Sequence[AbsoluteAnswer], bivariate: core.ControlRiskResult | core.NotApplicable
) -> str:
    """Return whose answers are read first."""
    have = {one.model: one.k for one in found}
    own = spec.effect.measure
    by_odds = have.get("OR", 0)
    order = (
        "trial",
        "bivariate" if isinstance(bivariate, core.ControlRiskResult) and bivariate.k >= SMALLEST_LEADING else "",
        "OR" if by_odds >= min(have.get(own, 0), SMALLEST_RANDOM) else own,
        "OR",
        "RR",
    )
    return next((model for model in order if model in have), "")


def _notes(
    k: int,
    left_out: Sequence[str],
    names: Sequence[str],
    observed: tuple[float, float],
    found: Sequence[AbsoluteAnswer],
    bivariate: core.ControlRiskResult | core.NotApplicable,
) -> tuple[str, ...]:
    notes = []
    if k == 1:
        notes.append("One trial, not a pool: its own risk difference.")
    elif k == 2:
        notes.append("Two trials: by their common effect, which allows for no difference between them.")
    if 2 <= k < SMALLEST_RANDOM:
        notes.append(
            f"{k} trials: read with caution. The bivariate model is fitted from {SMALLEST_RANDOM} trials on; these"
            " answers suppose the same ratio at every baseline."
        )
    elif isinstance(bivariate, core.NotApplicable) and k >= SMALLEST_RANDOM:
        notes.append(f"No answer of the bivariate model: {bivariate.reason}.")
    elif isinstance(bivariate, core.ControlRiskResult):
        notes.extend(bivariate.notes)
    if any(one.cut for one in found):
        notes.append(CUT)
    if left_out:
        notes.append(
            f"Without counts, and so only in the answers of the measure that was pooled: {', '.join(left_out)}."
        )
    if "given" not in names and k - len(left_out) > 1:
        low, high = (round(100 * risk) for risk in observed)
        notes.append(
            f"Baselines: 25th, 50th and 75th percentile of the risks in the comparator arms of the"
            f" {k - len(left_out)} trials with counts"
            f" ({low} to {high} of 100)."
        )
    if k > 1:
        notes.append(NO_REGRESSION)
    return tuple(notes)
