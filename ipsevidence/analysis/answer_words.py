"""The words of an answer: what to know first, one sentence in people, what bears on certainty."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from ipsevidence import core
from ipsevidence.analysis.absent_trials import AbsentTrial
from ipsevidence.analysis.absolutes import MODELS, SMALLEST_RANDOM, AbsoluteAnswer, Absolutes
from ipsevidence.analysis.arms import compared
from ipsevidence.analysis.covering import Coverage
from ipsevidence.analysis.denominators import MissingParticipants, arms_of
from ipsevidence.analysis.rows import StudyRow
from ipsevidence.dataset.collection import Dataset
from ipsevidence.dataset.vocabulary import CONCEPT, COUNTRY, DIRECTION, TREATMENT

if TYPE_CHECKING:
    from ipsevidence.analysis.running import AnalysisRun

__all__ = ["caveats", "certainty", "in_work", "more", "people", "sentence", "with_absent"]

CURATED: Final = (
    "A curated collection, not a systematic search: trials may be missing. Each release is another look at data that"
    " grow, and is not corrected for."
)
WEAK: Final = ("bounded", "approximate", "reconstructed")
NAMED: Final = 3
"""Absent trials that a caveat names, the largest first."""

ROUNDING: Final = 0.05
"""How far a printed bound may lie from that in the pool before it is said to be another, as a share."""

HELD: Final = "t with k-1; in simulations of this evidence base it held 82 to 93 of 100"
"""What a 95% prediction interval by t(k-1) is, from five trials on: decision 6."""

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
    count = sum(one.enters for one in coverage.absent)
    parts = [
        f"{run.shown(bound.fit.estimate):.2f} if {_supposed(bound.key, count)}"
        for bound in coverage.bounds
        if isinstance(bound.fit, core.PooledResult)
    ]
    return f" With them the {run.measure.label} would be {', and '.join(parts)}." if parts else ""


def _supposed(key: str, count: int) -> str:
    stated = "it had the effect that is stated of it" if count == 1 else "each had the effect that is stated of it"
    return {"no-effect": f"{'its' if count == 1 else 'their'} arms did not differ", "stated": stated}[key]


def _if_absent(run: "AnalysisRun", coverage: Coverage | core.NotApplicable, baseline: float) -> str:
    """Say how many more people it were with the absent trials in the pool, by the points of its bounds alone."""
    found = with_absent(run, coverage, baseline)
    if isinstance(coverage, core.NotApplicable) or not found:
        return ""
    count = sum(one.enters for one in coverage.absent)
    parts = [f"{_count(extra)} if {_supposed(key, count)}" for key, extra in found.items()]
    added = "1 absent trial" if count == 1 else f"{count} absent trials"
    return f" With {added} added it would be about {', and '.join(parts)}."


def with_absent(run: "AnalysisRun", coverage: Coverage | core.NotApplicable, baseline: float) -> dict[str, int]:
    """Return how many more of 100 people it were with the absent trials in the pool, under each assumption.

    Parameters
    ----------
    run : AnalysisRun
        The analysis.
    coverage : Coverage or NotApplicable
        Its absent trials.
    baseline : float
        Risk without the intervention.

    Returns
    -------
    dict of str to int
        By key of `covering.BOUNDS`; of the bounds only the points are used. Empty where there are none.
    """
    found: dict[str, int] = {}
    if isinstance(coverage, core.NotApplicable):
        return found
    for bound in coverage.bounds:
        if isinstance(bound.fit, core.PooledResult):
            risk = _carried(run.measure.key, bound.fit.estimate, coverage.control_risk, baseline)
            if not math.isnan(risk):
                found[bound.key] = round(100 * (risk - baseline))
    return found


def _carried(measure: str, effect: float, control: float, baseline: float) -> float:
    """Move a pooled effect to a baseline; a risk ratio as the odds ratio that it is at the control risk of the pool."""
    if measure == "RD":
        return min(1.0, max(0.0, baseline + effect))
    risk = control * math.exp(effect) if measure == "RR" else math.nan
    if measure not in ("OR", "PETO") and not risk < 1.0:
        return math.nan
    odds = math.exp(effect) if measure != "RR" else risk / (1 - risk) / (control / (1 - control))
    odds *= baseline / (1 - baseline)
    return odds / (1 + odds)


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
    if isinstance(missing, core.NotApplicable):
        return ""
    k, others = len(missing.trials), len(missing.unknown)
    start = f"{k - others} of {k} trials print{'s' if k - others == 1 else ''} how many had no outcome"
    if k == 1:
        start = f"The trial {'does not print' if others else 'prints'} how many had no outcome"
    if missing.missing == 0:
        return f"{start}." if others == k else f"{start}: nobody{' in these' if others else ''}."
    failure, worst, low, high = missing.by("randomised-missing-as-failure"), missing.by("worst-case"), *missing.range
    bounds = "" if worst.ci.missing else f" ({worst.ci.low:.2f} to {worst.ci.high:.2f})"
    rest = "" if not others else f" The other {'one stays as it is' if others == 1 else f'{others} stay as they are'}."
    return (
        f"{start}: {missing.missing:,.0f} of {missing.randomised:,.0f} randomised. Counted as not in work they give"
        f" {failure.estimate:.2f}; at odds of a quarter to four times those of the others, {low:.2f} to {high:.2f}; in"
        f" the worst case, all of them against the effect, {worst.estimate:.2f}{bounds}.{rest}"
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
        For the trials that have no numbers, and what the sentence would be with them.
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
    words = compared(run.spec, own_table=run.data is None)
    start = f"Of 100 people, {anyway} would be {in_work(run.rows)} {words.without} ({of}), and {words.with_it} about"
    if absolutes.k < SMALLEST_RANDOM:
        said = f"{start} {_by_ratio(absolutes, middle)}. Few trials: read with caution."
    else:
        by = (
            ""
            if first.model == "bivariate"
            else f" by the pooled {MODELS[first.model]}{_of_how_many(absolutes, first)}"
        )
        said = f"{start} {_count(extra)}{by}: {_bounds(first)}.{_beside(absolutes, middle)}"
    return said + _if_absent(run, coverage, middle)


def _of_how_many(absolutes: Absolutes, one: AbsoluteAnswer) -> str:
    return f" of {one.k} trials" if one.k < absolutes.k else ""


def _bounds(one: AbsoluteAnswer) -> str:
    """Write the confidence interval and, where there is one, the prediction interval."""
    level = f"{100 * one.difference_ci.level:g}%"
    ahead = one.difference_prediction
    new = "" if ahead.missing else f"; in a new setting, {people(ahead)} ({level} prediction interval)"
    return f"{people(one.difference_ci)} ({level} CI){new}"


def _beside(absolutes: Absolutes, baseline: float) -> str:
    """Write the bivariate model's answer where it is not read first."""
    one = absolutes.at(baseline, "bivariate")
    if one is None or absolutes.headline == "bivariate":
        return ""
    return (
        f" By the {MODELS['bivariate']}{_of_how_many(absolutes, one)}, {_count(one.people[1])}:"
        f" {people(one.difference_ci)}; of fewer than ten trials its intervals may be too narrow."
    )


def _nobody(coverage: Coverage | core.NotApplicable) -> str:
    if isinstance(coverage, core.NotApplicable) or not coverage.absent:
        return "The collection has no eligible trial for this population."
    names = [f"{one.label} ({_described(one)}; {one.reason})" for one in coverage.absent]
    return f"Eligible, and without a usable number: {'; '.join(names)}."


def _trial(run: "AnalysisRun", absolutes: Absolutes) -> str:
    (row,), (one,) = run.rows, absolutes.answers
    counts = row.counts
    assert counts is not None
    words = compared(run.spec, own_table=run.data is None)
    return (
        f"One trial, not a pool: in {row.label}, {counts.events1:g} of {counts.n1:g} {words.with_it} and"
        f" {counts.events2:g} of {counts.n2:g} {words.without} were {in_work(run.rows)}. Of 100 people, that is"
        f" {_count(one.people[1])}: {people(one.difference_ci)} ({100 * one.difference_ci.level:g}% CI)."
    )


def _by_ratio(absolutes: Absolutes, baseline: float) -> str:
    """Write the answers of the pooled ratios; of how many trials, where these differ."""
    both = [one for model in ("OR", "RR") if (one := absolutes.at(baseline, model)) is not None]
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
    concepts = {str(row.extra["concept"]) for row in rows if "concept" in row.extra}
    if len(concepts) > 1:
        return "counted as having the outcome"
    concept = next(iter(concepts), "")
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
    known = run.spec.model.prediction == "t-k1" and fit.prediction.level == 0.95 and fit.k >= SMALLEST_RANDOM
    held = f" ({HELD})" if known else ""
    return f"{text}; {100 * fit.prediction.level:g}% prediction interval{held} {low:.2f} to {high:.2f}"


def _imprecision(run: "AnalysisRun") -> str:
    fit = run.few.headline if run.few is not None and run.few.k <= 2 else run.fit
    tables = [row.counts for row in run.rows if row.counts is not None]
    events = sum(one.events1 + one.events2 for one in tables)
    size = f"{_trials(len(run.rows))}, {run.participants:,.0f} participants"
    if tables:
        size += f", {events:,.0f} of them {in_work(run.rows)}"
    if tables and any(row.counts is None for row in run.rows):
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
