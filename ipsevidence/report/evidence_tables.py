"""Tables of what surrounds a pool: coverage, bounds, absolute answers, readings, absences, moderators, contrasts."""

import dataclasses
import math
from typing import TYPE_CHECKING, Any

from ipsevidence import core
from ipsevidence.analysis.absolutes import MODELS, Absolutes
from ipsevidence.analysis.choices import CRITERIA, Choices
from ipsevidence.analysis.covering import Coverage
from ipsevidence.analysis.denominators import MissingParticipants
from ipsevidence.analysis.readings import ReadingsRange
from ipsevidence.analysis.rows import shown
from ipsevidence.core import Interval, NotApplicable
from ipsevidence.dataset.vocabulary import CONCEPT, DIRECTION, SIGNIFICANT
from ipsevidence.figures.numbers import EN_DASH
from ipsevidence.report.certainty_tables import rating, rating_notes
from ipsevidence.report.table import Table, make
from ipsevidence.report.tables import DIFFERENCES, RATIOS, numerals, persons, shown_interval

if TYPE_CHECKING:
    from ipsevidence.analysis.examining import Examined
    from ipsevidence.analysis.running import AnalysisRun

__all__ = [
    "absent",
    "absolutes",
    "bounds",
    "choices",
    "contrasts",
    "missing",
    "moderators",
    "readings",
    "small_studies",
    "summary",
    "unlocks",
]


def absent(coverage: Coverage) -> Table:
    """Eligible trials that are not in the pool, the largest first."""
    rows = (
        (
            one.label,
            persons(one.size),
            "; ".join(part for part in (_stated(one.direction, one.significant), one.as_printed) if part)
            or "nothing read",
            CONCEPT[one.concept].label if one.concept else "",
            one.reason,
        )
        for one in coverage.absent
    )
    return make("Absent trials", "Trial|#Participants|What is stated|Of what|Why it is absent", rows)


def _stated(direction: str, significant: str) -> str:
    if not direction:
        return ""
    said = DIRECTION[direction].label
    return said if significant in ("", "not-stated") else f"{said} ({SIGNIFICANT[significant].label})"


def bounds(analysis: "AnalysisRun", coverage: Coverage) -> Table:
    """The pool as it is, and as it would be with the absent trials under each assumption: a point, no interval."""
    measure = analysis.spec.effect.measure
    rows = [("as it is", analysis.fit, len(analysis.rows), analysis.participants, True)]
    rows += [(bound.label, bound.fit, bound.k, bound.participants, False) for bound in coverage.bounds]
    cells = (
        (label, RATIOS.count(k), persons(people), fit.reason, "", "")
        if isinstance(fit, NotApplicable)
        else (
            label,
            RATIOS.count(k),
            persons(people),
            numerals(measure).effect(shown(measure, fit.estimate)),
            shown_interval(measure, fit.ci) if as_it_is else EN_DASH,
            shown_interval(measure, fit.prediction) if as_it_is else EN_DASH,
        )
        for label, fit, k, people, as_it_is in rows
    )
    heading = f"Pool|#k|#Participants|#{measure}|#CI|#Prediction interval"
    notes = list(coverage.assumptions)
    return make("The pool with the absent trials", heading, cells, notes)


def absolutes(found: Absolutes) -> Table:
    """Of 100 people: in work without, in work with, how many more, for each baseline and model."""
    rows = (
        (
            _per100(one.baseline),
            MODELS[one.model],
            RATIOS.count(one.k),
            _per100(one.risk),
            _per100(one.difference),
            _span(one.difference_ci),
            _span(one.difference_prediction),
            one.nnt_text,
        )
        for one in found.answers
    )
    heading = "#Without|Model|#Trials|#With|#More|#CI|#Prediction interval|Number needed to treat"
    notes = list(found.notes)
    if any(one.nnt_text.startswith("NNT") for one in found.answers):
        notes.insert(0, "NNTB, NNTH: how many people are served for one more to benefit, or to be harmed.")
    return make("Of 100 people", heading, rows, notes)


def _per100(share: float) -> str:
    return DIFFERENCES.fixed(100 * share, 0)


def _span(interval: Interval) -> str:
    if interval.missing:
        return EN_DASH
    return f"{_per100(interval.low)}\u00a0to\u00a0{_per100(interval.high)}"


def readings(analysis: "AnalysisRun", found: ReadingsRange) -> Table:
    """Range of the pooled effect over the readings of each trial, and over all together."""
    measure = analysis.spec.effect.measure
    write = numerals(measure)

    def span(low: float, high: float) -> str:
        return write.range(shown(measure, low), shown(measure, high))

    rows = [
        (one.label, RATIOS.count(len(one.counts)), "; ".join(one.counts), span(one.low, one.high))
        for one in found.trials
    ]
    rows.append(("all together", RATIOS.count(found.combinations), "", span(found.low, found.high)))
    notes = [f"{label}: left at the reading of the pool, {why}." for label, why in found.left]
    if found.seed is not None:
        notes.append(f"{found.fitted:,} of {found.combinations:,} combinations were drawn (seed {found.seed}).")
    notes.append("A range over what the sources leave open; no interval.")
    return make("Range over readings", f"Trial|#Readings|Counts|#Range of {measure}", rows, notes)


def missing(found: MissingParticipants) -> Table:
    """The pool by what is supposed of participants without an outcome."""
    write = numerals(found.measure)
    rows = [
        (
            one.label,
            RATIOS.count(one.k),
            write.effect(one.estimate),
            EN_DASH if one.ci.missing else write.range(one.ci.low, one.ci.high),
        )
        for one in found.results
        if one.key != "imor"
    ]
    low, high = found.range
    odds = "odds among the missing from a quarter to four times those of the others, in each arm"
    rows.append((odds, "", write.range(low, high), EN_DASH))
    notes = [*found.notes, f"{found.tipping_why[:1].upper()}{found.tipping_why[1:]}."]
    heading = f"Participants without an outcome|#k|#{found.measure}|#CI"
    return make("Participants without an outcome", heading, rows, notes)


def unlocks(analysis: "AnalysisRun", examined: "Examined", most: int = 15) -> Table:
    """Absent trials whose numbers are wanted, the largest first, with what each would do to the pool."""
    measure = analysis.spec.effect.measure
    write = numerals(measure)
    found = examined.unlocks if isinstance(examined.unlocks, tuple) else ()

    def effect(value: float) -> str:
        return EN_DASH if math.isnan(value) else write.effect(shown(measure, value))

    rows = (
        (
            one.label,
            persons(one.participants),
            "; ".join(dict.fromkeys(wanted.what for wanted in one.wanted)),
            "; ".join(dict.fromkeys(wanted.where for wanted in one.wanted)),
            effect(one.at_no_effect),
            effect(one.at_stated),
            one.assumed,
        )
        for one in found[:most]
    )
    heading = f"Trial|#Participants|What is wanted|Where|#{measure} at no effect|#{measure} as stated|As stated means"
    return make("What would change this", heading, rows)


def moderators(analysis: "AnalysisRun") -> Table:
    """The slope of the effect on each moderator, or why there is none."""
    rows = (
        (
            fit.label,
            RATIOS.count(fit.k),
            DIFFERENCES.fixed(fit.slope, 3),
            EN_DASH if math.isnan(fit.low) else DIFFERENCES.range(fit.low, fit.high),
            EN_DASH if math.isnan(fit.p) else RATIOS.p_value(fit.p),
            EN_DASH if math.isnan(fit.p_permutation) else RATIOS.p_value(fit.p_permutation),
            fit.because,
        )
        for fit in analysis.moderators
    )
    scale = "on the log scale" if analysis.measure.scale == "log" else ""
    heading = "Moderator|#k|#Slope|#CI|#p|#p by permutation|Why there is none"
    notes = (
        f"Slopes are per unit {scale}. Trials differ in more than one thing: a slope is no effect of its moderator.",
    )
    return make("Moderators", heading, rows, notes)


def contrasts(analysis: "AnalysisRun") -> Table:
    """Groups of five trials or more against the first of them: for ratios the ratio of the effects."""
    ratio = analysis.measure.scale == "log"
    write = RATIOS if ratio else DIFFERENCES
    back = math.exp if ratio else float
    rows = (
        (
            f"{one.first} against: {one.second}",
            write.effect(back(one.difference)),
            write.range(back(one.ci.low), back(one.ci.high)),
            RATIOS.p_value(one.p),
        )
        for one in analysis.contrasts
    )
    return make("Groups compared", f"Groups|#{'Ratio of effects' if ratio else 'Difference'}|#CI|#p", rows)


def summary(analysis: "AnalysisRun", found: Absolutes | NotApplicable) -> Table:
    """Summary of findings for the main outcome, with GRADE's columns.

    One row for each baseline of the model whose answers are read first; one row without people where there is none.
    What is the same in every row, the outcome, the evidence, the effect and its certainty, stands in the first.
    """
    answers = [one for one in found.answers if one.model == found.headline] if isinstance(found, Absolutes) else []
    names = dict(zip(found.baselines, found.names, strict=True)) if isinstance(found, Absolutes) else {}
    evidence = f"{RATIOS.count(len(analysis.rows))} ({persons(analysis.participants)})"
    level = f"{100 * float(analysis.spec.model.level):g}%"
    effect, label = _effect_cell(analysis), analysis.measure.label.partition(" (")[0]
    people = [
        (
            f"{_per100(one.baseline)} ({names[one.baseline]})",
            _per100(one.risk),
            f"{_per100(one.difference)} ({_span(one.difference_ci)})",
        )
        for one in answers
    ] or [(EN_DASH, EN_DASH, EN_DASH)]
    first = (analysis.spec.question.outcome, evidence, effect)
    rated = rating(analysis.spec.certainty)
    rows = [
        (*(first if number == 0 else ("", "", "")), *cells, rated if number == 0 else "")
        for number, cells in enumerate(people)
    ]
    notes = rating_notes(analysis.spec.certainty)
    if answers and isinstance(found, Absolutes):
        source = MODELS[found.headline] if found.headline == "trial" else f"the {MODELS[found.headline]}"
        where = "" if found.headline == "trial" else "; the baselines are those of the trials"
        notes.append(f"Of 100 people, by {source}{where}.")
    elif isinstance(found, NotApplicable):
        notes.append(f"No figures per 100 people: {found.reason}.")
    heading = (
        f"Outcome|#Studies (participants)|#{label[:1].upper()}{label[1:]} ({level} CI)|#Of 100 without|#Of 100 with"
        f"|#Difference ({level} CI)|Certainty"
    )
    return make("Summary of findings", heading, rows, notes)


def _effect_cell(analysis: "AnalysisRun") -> str:
    fit, measure = analysis.fit, analysis.spec.effect.measure
    if isinstance(fit, NotApplicable):
        if analysis.few is None or analysis.few.k > 2:
            return f"not pooled: {fit.reason}"
        fit = analysis.few.headline
    estimate = numerals(measure).effect(shown(measure, fit.estimate))
    return estimate if fit.ci.missing else f"{estimate} ({shown_interval(measure, fit.ci)})"


def small_studies(analysis: "AnalysisRun") -> Table | NotApplicable:
    """Tests of funnel asymmetry that apply to the measure, and the pool of large rows where the spec asks for it."""
    fewest, k = 10, len(analysis.rows)
    if isinstance(analysis.fit, NotApplicable):
        return NotApplicable(reason="there is no pool")
    if k < fewest:
        return NotApplicable(reason=f"{fewest} studies are needed for a test of asymmetry, there are {k}")
    tables = [dataclasses.astuple(row.counts) for row in analysis.rows if row.counts is not None]
    notes = ["Asymmetry can have other causes than missing studies, and a test of few studies misses most of it."]
    tests: list[tuple[str, Any]] = [("Egger's test", core.egger(analysis.y, analysis.v))]
    if len(tables) == k:
        cells = tuple(zip(*tables, strict=True))
        arcsine = core.egger(*core.two_by_two("AS", *cells))
        tests = [("Egger's test on arcsine differences", arcsine)]
        tests.append(("Peters's test on odds ratios", core.peters(*cells)))
    elif analysis.measure.key in ("OR", "RR"):
        notes.append("Effect and standard error of a ratio are correlated, which makes Egger's test reject too often.")
    rows = [_test_row(name, test) for name, test in tests]
    large = (one for one in analysis.spec.sensitivity if one.where and one.where.participants_from)
    rows += [_large_row(analysis, one) for one in large]
    if len(rows) == len(tests):
        notes.append("The analysis has no pool of large rows to set beside this one.")
    return make("Small-study effects", "Test or pool|#Result|#p|Beside it", rows, notes)


def _test_row(name: str, test: Any) -> tuple[str, str, str, str]:
    if isinstance(test, NotApplicable):
        return (name, test.reason, "", "")
    result = RATIOS.equation(f"t({test.df:g})", DIFFERENCES.statistic(test.statistic))
    return (name, result, RATIOS.p_value(test.p), "")


def _large_row(analysis: "AnalysisRun", variation: Any) -> tuple[str, str, str, str]:
    found = next(one for one in analysis.sensitivity if one.id == variation.id)
    if isinstance(found.fit, NotApplicable):
        return (f"pool of {found.label}", found.fit.reason, "", "")
    cell = numerals(found.measure).effect(shown(found.measure, found.fit.estimate))
    text = f"{found.measure} {cell} ({shown_interval(found.measure, found.fit.ci)})"
    return (f"pool of {found.label}", text, RATIOS.p_value(found.fit.p), f"all: {_effect_cell(analysis)}")


def choices(found: Choices) -> Table:
    """Range of the pooled effect over equivalent methods, by each single decision and over all together."""
    write = numerals(found.measure)
    rows = []
    for fork in found.decisions:
        values = [cell.estimate for key, _, cell in found.singles if key == fork.key]
        tried = f"{len(values)} beside that of the analysis"
        span = write.range(min(values), max(values)) if values else EN_DASH
        rows.append((fork.label, tried, span))
    low, high = found.range
    rows.append(("all together", f"{len(found.estimated)} combinations", write.range(low, high)))
    labels = {(fork.key, option.key): option.label for fork in found.decisions for option in fork.options}
    flips = [f"{labels[flip.decision, flip.option]} alone changes {CRITERIA[flip.criterion]}." for flip in found.flips]
    notes = flips or ["No single decision changes whether no effect is excluded."]
    notes.append("These are equivalent methods for one question; their range is what the answer owes to the method.")
    return make("Other methods", f"Decision|Options that were tried|#Range of {found.measure}", rows, notes)
