"""Tables of what surrounds a pool: coverage, bounds, absolute answers, readings, absences, moderators, contrasts."""

import math
from typing import TYPE_CHECKING

from ipsevidence.analysis.absolutes import MODELS, Absolutes
from ipsevidence.analysis.covering import Coverage
from ipsevidence.analysis.denominators import MissingParticipants
from ipsevidence.analysis.readings import ReadingsRange
from ipsevidence.analysis.rows import shown
from ipsevidence.core import Interval, NotApplicable
from ipsevidence.dataset.vocabulary import CONCEPT, DIRECTION, SIGNIFICANT
from ipsevidence.figures.numbers import EN_DASH
from ipsevidence.report.table import Table, make
from ipsevidence.report.tables import DIFFERENCES, RATIOS, numerals, persons, shown_interval

if TYPE_CHECKING:
    from ipsevidence.analysis.examining import Examined
    from ipsevidence.analysis.running import AnalysisRun

__all__ = ["absent", "absolutes", "bounds", "contrasts", "missing", "moderators", "readings", "unlocks"]


def absent(coverage: Coverage) -> Table:
    """Eligible trials that are not in the pool, the largest first."""
    rows = (
        (
            one.label,
            persons(one.size),
            _stated(one.direction, one.significant) or one.as_printed or "nothing read",
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
    """The pool as it is, and with the absent trials under each assumption."""
    measure = analysis.spec.effect.measure
    rows = [("as it is", analysis.fit, len(analysis.rows), analysis.participants)]
    rows += [(bound.label, bound.fit, bound.k, bound.participants) for bound in coverage.bounds]
    cells = (
        (label, RATIOS.count(k), persons(people), fit.reason, "", "")
        if isinstance(fit, NotApplicable)
        else (
            label,
            RATIOS.count(k),
            persons(people),
            numerals(measure).effect(shown(measure, fit.estimate)),
            shown_interval(measure, fit.ci),
            shown_interval(measure, fit.prediction),
        )
        for label, fit, k, people in rows
    )
    heading = f"Pool|#k|#Participants|#{measure}|#CI|#Prediction interval"
    notes = [coverage.why_no_bounds] if coverage.why_no_bounds else list(coverage.assumptions)
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
    return make("Of 100 people", heading, rows, found.notes)


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
