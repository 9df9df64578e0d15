"""The words of an answer: what to know first, one sentence in people, what bears on certainty."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from ipsevidence import core
from ipsevidence.analysis.absent_trials import AbsentTrial
from ipsevidence.analysis.absolutes import MODELS, SMALLEST_RANDOM, Absolutes
from ipsevidence.analysis.covering import Coverage
from ipsevidence.analysis.denominators import MissingParticipants, arms_of
from ipsevidence.analysis.rows import StudyRow
from ipsevidence.dataset.collection import Dataset
from ipsevidence.dataset.vocabulary import CONCEPT, COUNTRY, DIRECTION, TREATMENT

if TYPE_CHECKING:
    from ipsevidence.analysis.running import AnalysisRun

__all__ = ["caveats", "certainty", "in_work", "more", "people", "sentence"]

CURATED: Final = (
    "A curated collection, not a systematic search: trials may be missing. Each release is another look at data that"
    " grow, and is not corrected for."
)
WEAK: Final = ("bounded", "approximate", "reconstructed")
NAMED: Final = 3
"""Absent trials that a caveat names, the largest first."""

ROUNDING: Final = 0.05
"""How far a printed bound may lie from that in the pool before it is said to be another, as a share."""

_IN_WORK: Final = {
    CONCEPT["competitive-employment"].label: "in competitive work",
    CONCEPT["any-paid-work"].label: "in paid work",
    CONCEPT["steady-employment"].label: "in steady work",
    CONCEPT["employed-at-date"].label: "in work",
    CONCEPT["work-or-education"].label: "in work or education",
    CONCEPT["education"].label: "in education",
}


def caveats(
    run: "AnalysisRun", coverage: Coverage | core.NotApplicable, missing: MissingParticipants | core.NotApplicable
) -> tuple[str, ...]:
    """Return what a reader should know before the numbers, the gravest first.

    Parameters
    ----------
    run : AnalysisRun
        The analysis.
    coverage : Coverage or NotApplicable
        What is absent from it.
    missing : MissingParticipants or NotApplicable
        Who is missing from its denominators.

    Returns
    -------
    tuple of str
    """
    found = [_few(len(run.rows)), _absent(run, coverage), *_inputs(run), _lost(missing)]
    own = list(run.spec.report.caveats)
    found += own if any("not a systematic search" in text for text in own) else [CURATED, *own]
    return tuple(text for text in found if text)


def _few(k: int) -> str:
    if k == 0:
        return "No trial gives a usable number."
    if k == 1:
        return "One trial, not a pool: it says what happened there. A wide interval leaves the question open."
    if k == 2:
        return (
            "Two trials: a common-effect line, and a Bayesian estimate beside it; no random-effects mean. A wide"
            " interval here leaves the question open."
        )
    if k < SMALLEST_RANDOM:
        return (
            f"Only {k} trials: differences between them can hardly be estimated. A wide interval here leaves the"
            " question open."
        )
    return "Fewer than ten trials: read the prediction interval with care." if k < 10 else ""


def _absent(run: "AnalysisRun", coverage: Coverage | core.NotApplicable) -> str:
    if isinstance(coverage, core.NotApplicable) or not coverage.absent:
        return ""
    count = len(coverage.absent)
    trials = "1 eligible trial is" if count == 1 else f"{count} of {coverage.eligible} eligible trials are"
    sizes = "; ".join(f"{one.label}, {_described(one)}" for one in coverage.absent[:NAMED])
    return (
        f"{trials} not in the estimate{'; the largest' if count > NAMED else ''}: {sizes}.{_with_them(run, coverage)}"
    )


def _with_them(run: "AnalysisRun", coverage: Coverage) -> str:
    """Say what the estimate were with the absent trials in it."""
    parts = []
    for bound, condition in zip(coverage.bounds, ("it were 1 in each", "it were as stated of each"), strict=False):
        if isinstance(bound.fit, core.PooledResult) and not bound.fit.ci.missing:
            value, low, high = (run.shown(x) for x in (bound.fit.estimate, bound.fit.ci.low, bound.fit.ci.high))
            parts.append(f"{value:.2f} ({low:.2f} to {high:.2f}) if {condition}")
    return f" With them the {run.measure.label} would be {' and '.join(parts)}." if parts else ""


def _described(one: AbsentTrial) -> str:
    size = "size not known" if math.isnan(one.size) else f"{one.size:,.0f} people"
    return f"{size}, stated: {DIRECTION[one.direction].label}" if one.direction in DIRECTION else size


def _inputs(run: "AnalysisRun") -> list[str]:
    found = []
    for basis in WEAK:
        labels = [row.label for row in run.rows if row.basis == basis]
        if labels:
            found.append(f"Counts that are {basis}: {', '.join(labels)}.")
    printed = [row.label for row in run.rows if row.counts is None]
    if printed:
        found.append(f"Entered as a printed effect, without counts: {', '.join(printed)}.")
    lopsided = [row.label for row, ends in zip(run.rows, run.intervals, strict=True) if _moved(run, row, ends)]
    if lopsided:
        found.append(
            "A printed interval does not lie around its estimate, and was pooled by its width alone:"
            f" {', '.join(lopsided)}."
        )
    return found


def _moved(run: "AnalysisRun", row: StudyRow, ends: tuple[float, float]) -> bool:
    """Whether the interval that a printed effect has in the pool is another than the printed one."""
    if row.counts is not None or math.isnan(row.low) or row.level != float(run.spec.model.level):
        return False
    pairs = zip((row.low, row.high), map(run.shown, ends), strict=True)
    return not all(math.isclose(printed, pooled, rel_tol=ROUNDING) for printed, pooled in pairs)


def _lost(missing: MissingParticipants | core.NotApplicable) -> str:
    if isinstance(missing, core.NotApplicable) or missing.missing == 0:
        return ""
    failure, low, high = missing.by("randomised-missing-as-failure"), *missing.range
    return (
        f"Denominators are participants analysed; {missing.missing:,.0f} of {missing.randomised:,.0f} randomised are"
        f" known to be missing. Counted as not in work they give {failure.estimate:.2f}; at odds of a quarter to four"
        f" times those of the others, {low:.2f} to {high:.2f}."
    )


def sentence(
    run: "AnalysisRun", coverage: Coverage | core.NotApplicable, absolutes: Absolutes | core.NotApplicable
) -> str:
    """Return one statement in absolute numbers, or why there is none.

    Parameters
    ----------
    run : AnalysisRun
        The analysis.
    coverage : Coverage or NotApplicable
        For the trials that have no numbers, where no trial has.
    absolutes : Absolutes or NotApplicable
        The absolute answers.

    Returns
    -------
    str
    """
    if not run.rows:
        return _nobody(coverage)
    if isinstance(absolutes, core.NotApplicable):
        return f"No figure per 100 people: {absolutes.reason}."
    if absolutes.headline == "trial":
        return _trial(run, absolutes)
    middle = absolutes.middle
    first = absolutes.at(middle)
    if first is None:
        return "No figure per 100 people: the pooled effect has no interval."
    name = absolutes.names[absolutes.baselines.index(middle)]
    known = {"given": "as given", "the trial": "as in the comparator arm of the trial with counts"}
    of = known.get(name, "the median of the trials' comparator arms")
    anyway, extra = first.people
    start = f"Of 100 people, of whom {anyway} would be {in_work(run.rows)} without IPS ({of}), about"
    if first.model == "bivariate":
        level = f"{100 * first.difference_ci.level:g}%"
        return (
            f"{start} {_count(extra)} would be so with IPS: {people(first.difference_ci)} ({level} CI); in a new"
            f" setting, {people(first.difference_prediction)} ({level} prediction interval)."
        )
    caution = " Few trials: read with caution." if absolutes.k < SMALLEST_RANDOM else ""
    return f"{start} {_by_ratio(absolutes, middle)} would be so with IPS.{caution}"


def _nobody(coverage: Coverage | core.NotApplicable) -> str:
    if isinstance(coverage, core.NotApplicable) or not coverage.absent:
        return "The collection has no eligible trial for this population."
    names = [f"{one.label} ({_described(one)}; {one.reason})" for one in coverage.absent]
    return f"Eligible, and without a usable number: {'; '.join(names)}."


def _trial(run: "AnalysisRun", absolutes: Absolutes) -> str:
    (row,), (one,) = run.rows, absolutes.answers
    counts = row.counts
    assert counts is not None
    return (
        f"One trial, not a pool: in {row.label}, {counts.events1:g} of {counts.n1:g} with IPS and {counts.events2:g}"
        f" of {counts.n2:g} without were {in_work(run.rows)}. Of 100 people, that is {_count(one.people[1])}:"
        f" {people(one.difference_ci)} ({100 * one.difference_ci.level:g}% CI)."
    )


def _by_ratio(absolutes: Absolutes, baseline: float) -> str:
    """Write the answers of the pooled ratios; of how many trials, where these differ."""
    both = [one for model in ("RR", "OR") if (one := absolutes.at(baseline, model)) is not None]
    differ = len({one.k for one in both}) > 1
    parts = [
        f"{_count(one.people[1])} by the {MODELS[one.model]}{f' of {one.k} trials' if differ else ''}"
        f" ({people(one.difference_ci)}, {100 * one.difference_ci.level:g}% CI)"
        for one in both
    ]
    return " or ".join(parts)


def _count(extra: int) -> str:
    return f"{abs(extra)} {'more' if extra >= 0 else 'fewer'}"


def more(low: float, high: float) -> str:
    """Write a range of differences in whole people: ``26 to 45 more``, ``3 fewer to 40 more``.

    Parameters
    ----------
    low, high : float
        People of 100, negative for fewer.

    Returns
    -------
    str
    """
    one, two = round(low), round(high)
    if one >= 0:
        return f"{one} to {two} more"
    if two <= 0:
        return f"{-two} to {-one} fewer"
    return f"{-one} fewer to {two} more"


def people(interval: core.Interval) -> str:
    """Write an interval of risk differences in people of 100; say why it has no bounds where it has none.

    Parameters
    ----------
    interval : Interval
        Of shares.

    Returns
    -------
    str
    """
    if interval.missing:
        return f"not given ({interval.why})" if interval.why else "not given"
    return f"from {more(100 * interval.low, 100 * interval.high)}"


def in_work(rows: Sequence[StudyRow]) -> str:
    """Say what is counted, and by when: ``in competitive work within 12 to 24 months``.

    Parameters
    ----------
    rows : sequence of StudyRow
        Rows of one concept and window.

    Returns
    -------
    str
    """
    concept = next((str(row.extra["concept"]) for row in rows if "concept" in row.extra), "")
    what = _IN_WORK.get(concept, f"counted as having the outcome ({concept})" if concept else "counted")
    months = sorted({float(row.extra["months"]) for row in rows if "months" in row.extra})
    if not months:
        return what
    span = f"{months[0]:g}" if len(months) == 1 else f"{months[0]:g} to {months[-1]:g}"
    windows = {str(row.extra.get("window", "")) for row in rows}
    return f"{what} {'within' if windows == {'at any time up to then'} else 'at'} {span} months"


def certainty(
    run: "AnalysisRun", dataset: Dataset, coverage: Coverage | core.NotApplicable
) -> tuple[tuple[str, str], ...]:
    """Return what bears on certainty, by domain; the judgement itself is for people.

    Parameters
    ----------
    run : AnalysisRun
        The analysis.
    dataset : Dataset
        Its records.
    coverage : Coverage or NotApplicable
        What is absent.

    Returns
    -------
    tuple of (str, str)
        Domain and text; empty where no trial gives a number.
    """
    if not run.rows:
        return ()
    missing = ""
    if isinstance(coverage, Coverage):
        give = "gives" if len(coverage.absent) == 1 else "give"
        missing = f"{len(coverage.absent)} of {coverage.eligible} eligible trials {give} no usable number"
    return (
        ("risk of bias", _bias(run, dataset)),
        ("inconsistency", _inconsistency(run)),
        ("imprecision", _imprecision(run)),
        ("indirectness", _indirectness(run, dataset)),
        ("missing evidence", missing or "not known"),
    )


def _bias(run: "AnalysisRun", dataset: Dataset) -> str:
    judged = 0
    for row in run.rows:
        if row.id in dataset and "outcome" in row.extra:
            judged += dataset[row.id].outcome(str(row.extra["outcome"])).risk_of_bias is not None
    return f"assessed by two people in {judged} of {len(run.rows)} trials" if judged else "not assessed"


def _inconsistency(run: "AnalysisRun") -> str:
    fit = run.fit
    if isinstance(fit, core.NotApplicable) or math.isnan(fit.tau2):
        return f"not to be judged from {_trials(len(run.rows))}"
    text = f"I2 {fit.i2:.0f}%, tau2 {fit.tau2:.3f}"
    if fit.prediction.missing:
        return f"{text}; no prediction interval: {fit.prediction.why}"
    low, high = (run.shown(end) for end in (fit.prediction.low, fit.prediction.high))
    return f"{text}; {100 * fit.prediction.level:g}% prediction interval {low:.2f} to {high:.2f}"


def _imprecision(run: "AnalysisRun") -> str:
    fit = run.few.headline if run.few is not None and run.few.k <= 2 else run.fit
    tables = [row.counts for row in run.rows if row.counts is not None]
    events = sum(one.events1 + one.events2 for one in tables)
    size = f"{_trials(len(run.rows))}, {run.participants:,.0f} participants, {events:,.0f} of them {in_work(run.rows)}"
    if any(row.counts is None for row in run.rows):
        size += " where counts are known"
    if isinstance(fit, core.NotApplicable) or fit.ci.missing:
        return size
    low, high = (run.shown(end) for end in (fit.ci.low, fit.ci.high))
    return f"{100 * fit.ci.level:g}% CI {low:.2f} to {high:.2f}; {size}"


def _indirectness(run: "AnalysisRun", dataset: Dataset) -> str:
    against: Counter[str] = Counter()
    places: Counter[str] = Counter()
    for row in run.rows:
        if row.id not in dataset:
            continue
        study = dataset[row.id]
        arms = arms_of(study, str(row.extra.get("comparator", "")))
        against.update({TREATMENT[arm.treatment].label for arm in arms})
        places.update({COUNTRY[country].label for country in study.design.countries})
    months = sorted({float(row.extra["months"]) for row in run.rows if "months" in row.extra})
    span = f"; {months[0]:g} to {months[-1]:g} months" if months and months[0] < months[-1] else ""
    span = span or (f"; {months[0]:g} months" if months else "")
    return f"against {_tally(against)}{span}; {_tally(places)}"


def _tally(found: Counter[str]) -> str:
    """Write what was counted, the commonest first: four by name."""
    ranked = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    named, rest = ranked[:4], len(ranked) - 4
    more_of_them = [f"{rest} more"] if rest > 0 else []
    return ", ".join([*(f"{name} ({count})" for name, count in named), *more_of_them]) or "not known"


def _trials(count: int) -> str:
    return "1 trial" if count == 1 else f"{count} trials"
