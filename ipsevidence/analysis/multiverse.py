"""One analysis by other choices: of estimators, which answer one question, or of questions; never both at once."""

import dataclasses
import math
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from ipsevidence import core
from ipsevidence.analysis.choices import Cell, Choices, Excluded, Fork, Option
from ipsevidence.analysis.questions import Candidates, neighbours
from ipsevidence.analysis.rows import Counts, StudyRow, effects, shown
from ipsevidence.analysis.running import AnalysisRun
from ipsevidence.analysis.spec import Spec
from ipsevidence.core.batch import BATCH_ESTIMATORS, Fits, fit_selections
from ipsevidence.core.pooling import mean_interval, quantile
from ipsevidence.dataset.collection import Dataset

__all__ = ["THRESHOLD", "estimator_choices", "question_choices"]

THRESHOLD: Final = 1.5
"""What ratios are held against unless another threshold is given."""

FEWEST: Final = 3
"""Studies below which nothing is pooled in a living analysis."""

FEWEST_TO_PREDICT: Final = 5
"""Studies below which a living analysis has no prediction interval, and its interval is the ad hoc one."""

_SAME: Final = {"eb": "the same estimate as Paule-Mandel"}
_SPARE: Final = {
    "ca2": "a step of the two-step estimators",
    "dl2": "close to Paule-Mandel, which it approaches step by step",
    "sj2": "close to Paule-Mandel, which it approaches step by step",
    "genq": "DerSimonian-Laird with other weights, which have to be chosen",
    "genqm": "DerSimonian-Laird with other weights, which have to be chosen",
}
_ON_COUNTS: Final = {
    "mantel-haenszel": "Mantel-Haenszel",
    "peto": "Peto",
    "um.fs": "logistic, fixed study effects",
    "um.rs": "logistic, random study effects",
}
_CONDITIONAL: Final = {
    "cm.al": "an approximation for rare events, and these are common",
    "cm.el": "close to the unconditional models where events are common",
}


class _Summary(NamedTuple):
    """A pooled effect with its intervals, on the pooled scale."""

    estimate: float
    low: float
    high: float
    prediction_low: float = math.nan
    prediction_high: float = math.nan
    tau2: float = math.nan


def estimator_choices(
    run: AnalysisRun, *, measure: str | None = None, threshold: float | None = None
) -> Choices | core.NotApplicable:
    """Pool the studies of an analysis by every combination of equivalent methods.

    The decisions are the model (two-stage, or on the counts: Mantel-Haenszel, Peto, logistic with random effects), the
    estimator of tau2, the interval, and what is added to tables with an empty cell.

    Parameters
    ----------
    run : AnalysisRun
        An analysis of two-arm effects with three studies or more.
    measure : {'RR', 'OR', 'RD', ...}, optional
        A measure of two-by-two tables, by default that of the analysis; measures are never mixed.
    threshold : float, optional
        What estimates are held against, as shown; by default 1.5 for ratios, and nothing else.

    Returns
    -------
    Choices or NotApplicable

    Raises
    ------
    InputError
        If the measure is not one of two-by-two tables.

    Notes
    -----
    All cells of one estimator of tau2 are one vectorised fit (`core.batch.fit_selections`). The common effect, and the
    models on the counts, go with Wald's interval alone: the others spread by differences between studies. Models on the
    counts need no correction. Peto's odds ratio is left out where its own conditions (arms of about equal size, small
    effect) are not met.
    """
    key = measure or run.measure.key
    why = _not_for(run, key)
    if why:
        return core.NotApplicable(reason=why)
    corrections, excluded = _corrections(run, key)
    tau2, interval = _headline_methods(run)
    tau2s = [name for name in core.TAU2_ESTIMATORS if name not in {"common", *_SAME, *_SPARE}]
    tau2s, intervals = _first(tau2, tau2s), _first(interval, list(core.INTERVALS))
    on_counts, left_out = _models_on_counts(run, key)
    models = {"two-stage": "random effects", "common": "common effect", **on_counts}
    decisions = (
        Fork(key="model", label="Model", options=tuple(Option(key=k, label=v) for k, v in models.items())),
        Fork(key="tau2", label="\u03c4\u00b2", options=_named(tau2s, core.TAU2_ESTIMATORS)),
        Fork(key="interval", label="Interval", options=_named(intervals, core.INTERVALS)),
        Fork(key="zeros", label="Empty cells", options=tuple(one.option for one in corrections)),
    )
    cells = [
        *_two_stage(run, key, tau2s, intervals, corrections),
        *(_on_counts(run, key, model) for model in on_counts),
    ]
    skipped = {**_SAME, **_SPARE}
    excluded += [
        Excluded(decision="tau2", option=name, label=core.TAU2_ESTIMATORS[name].label, why=why)
        for name, why in skipped.items()
        if name not in tau2s
    ]
    return Choices(
        family="estimator",
        measure=key,
        decisions=decisions,
        excluded=(*excluded, *left_out),
        cells=tuple(cells),
        threshold=_threshold(threshold, key),
        level=float(run.spec.model.level),
    )


def _not_for(run: AnalysisRun, measure: str) -> str:
    """Say why an analysis has no choices of estimator on a measure; empty where it has."""
    core.choose("measure", measure, core.MEASURES)
    if core.MEASURES[measure].needs != "two-by-two":
        raise core.InputError(f"measure must be one of two-by-two tables; got {measure!r}", parameter="measure")
    if any(row.share is not None for row in run.rows):
        return "rates of single groups: these choices are of two-arm effects"
    if measure != run.measure.key and any(row.counts is None for row in run.rows):
        return "a study entered with its printed effect, which is on one measure only"
    if len(run.rows) < FEWEST:
        return f"{len(run.rows)} studies: nothing is pooled below {FEWEST}"
    if _headline_methods(run)[0] not in BATCH_ESTIMATORS[1:]:
        return f"the analysis has no vectorised estimator of tau2: {run.spec.model.tau2}"
    return ""


def _threshold(threshold: float | None, measure: str) -> float:
    if threshold is not None:
        return threshold
    return THRESHOLD if core.MEASURES[measure].scale == "log" else math.nan


def _first(chosen: str, others: Sequence[str]) -> list[str]:
    """Return the options with that of the analysis first."""
    return [chosen, *(one for one in others if one != chosen)]


def _named(keys: Sequence[str], methods: Any) -> tuple[Option, ...]:
    return tuple(Option(key=key, label=methods[key].label) for key in keys)


def _headline_methods(run: AnalysisRun) -> tuple[str, str]:
    """Return estimator and interval that the analysis was shown with: the rules for few studies may widen it."""
    if isinstance(run.fit, core.PooledResult):
        return run.fit.settings.tau2, run.fit.settings.interval
    return run.spec.model.tau2, run.spec.model.interval


class _Correction(NamedTuple):
    """What is added to which tables, and the effects that this gives."""

    option: Option
    y: Any
    v: Any


def _corrections(run: AnalysisRun, measure: str) -> tuple[list[_Correction], list[Excluded]]:
    """Return the ways to treat empty cells that differ in their effects, that of the analysis first."""
    asked = run.spec.effect
    options = {
        f"{asked.to}-{asked.add}": (float(asked.add), asked.to),
        "only0-0.5": (0.5, "only0"),
        "all-0.5": (0.5, "all"),
        "none": (0.0, "none"),
    }
    labels = {"only0": "{:g} added where one is", "all": "{:g} added everywhere", "none": "nothing added"}
    labels["if0all"] = "{:g} added everywhere if one is"
    kept: list[_Correction] = []
    excluded: list[Excluded] = []
    for key, (add, to) in options.items():
        y, v = effects(run.rows, measure, add=add, to=to)
        same = [one for one in kept if np.array_equal(one.y, y, equal_nan=True)]
        if same:
            why = f"the same effects as: {same[0].option.label}"
            excluded.append(Excluded(decision="zeros", option=key, label=labels[to].format(add), why=why))
        else:
            kept.append(_Correction(Option(key=key, label=labels[to].format(add)), y, v))
    return kept, excluded


def _two_stage(
    run: AnalysisRun, measure: str, tau2s: Sequence[str], intervals: Sequence[str], corrections: Sequence[_Correction]
) -> Iterator[Cell]:
    """Fit all corrections at once for each estimator: their effects are candidates, of which a fit takes its own."""
    k, level = len(run.rows), float(run.spec.model.level)
    prediction = "none" if run.spec.purpose == "living" and k < FEWEST_TO_PREDICT else run.spec.model.prediction
    y = np.concatenate([one.y for one in corrections])
    v = np.concatenate([one.v for one in corrections])
    usable = np.isfinite(v)
    masks = np.kron(np.eye(len(corrections), dtype=bool), np.ones(k, dtype=bool)).astype(bool) & usable
    for tau2 in (*tau2s, "common"):
        fits = fit_selections(y[usable], v[usable], masks[:, usable], tau2=tau2)
        for interval in intervals if tau2 != "common" else ("wald",):
            for index, one in enumerate(corrections):
                inside = [row for row, kept in zip(run.rows, np.isfinite(one.v), strict=True) if kept]
                summary = _summary(fits, index, interval, "none" if tau2 == "common" else prediction, level)
                named = ("common", "", "") if tau2 == "common" else ("two-stage", tau2, interval)
                yield _cell((*named, one.option.key), inside, measure, summary)


def _summary(fits: Fits, index: int, interval: str, prediction: str, level: float) -> _Summary:
    """Return the intervals of one of many fits, as `core.pool` makes them."""
    estimate, wald, tau2 = (float(part[index]) for part in (fits.estimate, fits.se, fits.tau2))
    k = int(fits.k[index])
    spread = core.INTERVALS[interval].function(float(fits.q_tau2[index]), k - 1)
    se = wald * math.sqrt(spread.factor)
    ci, _, _ = mean_interval(estimate, se, spread.df, level)
    low = high = math.nan
    df = math.nan if prediction == "normal" else float(core.PREDICTIONS[prediction].function(k - 1))
    if prediction in ("normal", "t-k1", "t-k2") and not df <= 0 and se > 0:
        reach = quantile(level, df) * math.hypot(math.sqrt(tau2), se)
        low, high = estimate - reach, estimate + reach
    return _Summary(estimate, ci.low, ci.high, low, high, tau2)


def _cell(options: tuple[str, ...], rows: Sequence[StudyRow], measure: str, found: _Summary) -> Cell:
    estimate, low, high, prediction_low, prediction_high = (shown(measure, value) for value in found[:5])
    return Cell(
        options=options,
        k=len(rows),
        participants=math.fsum(row.participants for row in rows),
        estimate=estimate,
        low=low,
        high=high,
        prediction_low=prediction_low,
        prediction_high=prediction_high,
        tau2=found.tau2,
    )


def _models_on_counts(run: AnalysisRun, measure: str) -> tuple[dict[str, str], list[Excluded]]:
    """Return the models on the counts that the measure has, and why others are left out."""
    fitting = {"mantel-haenszel": core.MANTEL_HAENSZEL, "peto": ("OR",), "um.fs": ("OR",), "um.rs": ("OR",)}
    reasons = {name: "" if measure in fitting[name] else f"has no {core.MEASURES[measure].label}" for name in fitting}
    reasons |= _CONDITIONAL if measure == "OR" else {}
    without = [row.label for row in run.rows if row.counts is None]
    whole = all(float(n).is_integer() for row in run.rows if row.counts for n in dataclasses.astuple(row.counts))
    if not reasons["peto"] and not without:
        fit = _fit_counts(run, measure, "peto")
        reasons["peto"] = fit.notes[0] if isinstance(fit, core.CountResult) and fit.notes else ""
    for name, why in reasons.items():
        if not why and without:
            reasons[name] = f"no counts of {', '.join(without)}: it would pool other studies"
        elif not why and not whole and name.startswith("um."):
            reasons[name] = "counts that were divided by a design effect are not whole"
    kept = {name: _ON_COUNTS[name] for name, why in reasons.items() if not why}
    labels = _ON_COUNTS | {name: core.GLMM_MODELS[name].label for name in _CONDITIONAL}
    excluded = [
        Excluded(decision="model", option=name, label=labels[name], why=why) for name, why in reasons.items() if why
    ]
    return kept, excluded


def _fit_counts(run: AnalysisRun, measure: str, model: str) -> Any:
    cells = np.array([dataclasses.astuple(row.counts) for row in run.rows if isinstance(row.counts, Counts)]).T
    level = float(run.spec.model.level)
    if model == "mantel-haenszel":
        return core.mantel_haenszel(measure, *cells, level=level)
    return core.peto(*cells, level=level) if model == "peto" else core.glmm(*cells, model=model, level=level)


def _on_counts(run: AnalysisRun, measure: str, model: str) -> Cell:
    fit = _fit_counts(run, measure, model)
    options = (model, "", "", "")
    if isinstance(fit, core.NotApplicable):
        return Cell(options=options, k=len(run.rows), participants=run.participants, why=fit.reason)
    found = _Summary(fit.estimate, fit.ci.low, fit.ci.high, tau2=getattr(fit, "tau2", math.nan))
    return _cell(options, run.rows, measure, found)


def question_choices(spec: Spec, dataset: Dataset, *, threshold: float | None = None) -> Choices | core.NotApplicable:
    """Pool by neighbouring questions: every single change of the analysis, and every pair of changes.

    The decisions are the outcome, the time rule, the denominator, plain or adapted IPS, the weakest basis of inputs,
    clusters and pilots, whether developers of IPS were among the trialists, size, and leaving out the largest or the
    most extreme trial (the one furthest from the mean in its own standard deviations, chance and differences between
    studies together).

    Parameters
    ----------
    spec : Spec
        An analysis of two-arm effects by a rule (`studies: where`).
    dataset : Dataset
        The records.
    threshold : float, optional
        What estimates are held against, as shown; by default 1.5 for ratios, and nothing else.

    Returns
    -------
    Choices or NotApplicable
        Cells of fewer than three trials are there with the reason why they are not pooled.

    Notes
    -----
    These are different questions, so that their spread is no uncertainty of one answer. Each cell is pooled as a living
    analysis is: ad hoc Hartung-Knapp below five trials and where the plain interval is narrower than Wald's or tau2 is
    0, a prediction interval from five trials on. All cells are one vectorised fit.
    """
    if spec.studies.where is None:
        return core.NotApplicable(reason="the analysis lists its studies by name: its question is fixed")
    if core.MEASURES[spec.effect.measure].needs != "two-by-two":
        return core.NotApplicable(reason="rates of single groups: these choices are of two-arm effects")
    if spec.model.tau2 not in BATCH_ESTIMATORS:
        return core.NotApplicable(reason=f"the estimator {spec.model.tau2!r} has no vectorised form")
    decisions, excluded, pools = neighbours(spec, dataset)
    return Choices(
        family="question",
        measure=spec.effect.measure,
        decisions=decisions,
        excluded=excluded,
        cells=_living_cells(spec, pools),
        threshold=_threshold(threshold, spec.effect.measure),
        level=float(spec.model.level),
    )


def _living_cells(spec: Spec, pools: Sequence[Candidates]) -> tuple[Cell, ...]:
    """Fit all cells at once: each distinct effect of a study is a candidate, of which a cell takes its own."""
    places: dict[tuple[str, float, float], int] = {}
    taken = [
        [places.setdefault((row.id, float(y), float(v)), len(places)) for row, y, v in zip(*pool[1:], strict=True)]
        for pool in pools
    ]
    enough = [index for index, pool in enumerate(pools) if len(pool.rows) >= FEWEST]
    masks = np.zeros((len(enough), len(places)), dtype=bool)
    for line, index in enumerate(enough):
        masks[line, taken[index]] = True
    lines = {index: line for line, index in enumerate(enough)}
    fits = None
    if enough:
        y, v = (np.array([place[part] for place in places]) for part in (1, 2))
        fits = fit_selections(y, v, masks, tau2=spec.model.tau2)
    cells = []
    for index, pool in enumerate(pools):
        if fits is None or index not in lines:
            persons = math.fsum(row.participants for row in pool.rows)
            trials = "1 trial" if len(pool.rows) == 1 else f"{len(pool.rows)} trials"
            why = f"{trials}: nothing is pooled below {FEWEST}"
            cells.append(Cell(options=pool.options, k=len(pool.rows), participants=persons, why=why))
        else:
            found = _by_the_rules(spec, fits, lines[index])
            cells.append(_cell(pool.options, pool.rows, spec.effect.measure, found))
    return tuple(cells)


def _by_the_rules(spec: Spec, fits: Fits, index: int) -> _Summary:
    """Return one of many fits with the interval that the rules for few studies give (`core.small_k_pool`)."""
    model, level = spec.model, float(spec.model.level)
    asked = _summary(fits, index, model.interval, model.prediction, level)
    if spec.purpose != "living" or model.tau2 == "common" or model.interval not in ("hksj", "hksj-adhoc"):
        return asked
    plain, wald = (_summary(fits, index, key, model.prediction, level) for key in ("hksj", "wald"))
    k = int(fits.k[index])
    narrow = not plain.high - plain.low >= wald.high - wald.low or plain.tau2 == 0.0
    kept = _summary(fits, index, "hksj-adhoc", model.prediction, level) if k < FEWEST_TO_PREDICT or narrow else plain
    return kept if k >= FEWEST_TO_PREDICT else kept._replace(prediction_low=math.nan, prediction_high=math.nan)
