"""The tables of an analysis: verdicts, results, inputs, outcomes, participants, decisions."""

from typing import TYPE_CHECKING

from ipsevidence.analysis.rows import shown
from ipsevidence.analysis.selection import NOT_LISTED
from ipsevidence.core import (
    INTERVALS,
    MEASURES,
    TAU2_ESTIMATORS,
    Interval,
    NotApplicable,
    PooledResult,
    TestResult,
)
from ipsevidence.dataset.vocabulary import BASIS
from ipsevidence.figures.numbers import EN_DASH, Numerals
from ipsevidence.report.table import Table, make

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ipsevidence.analysis.reproduction import Reproduction
    from ipsevidence.analysis.rows import StudyRow
    from ipsevidence.analysis.running import AnalysisRun, Fit
    from ipsevidence.analysis.scoreboard import Score

__all__ = [
    "board",
    "decisions",
    "groups",
    "heterogeneity",
    "inputs",
    "left_out",
    "outcomes",
    "participants",
    "results",
    "sensitivity",
    "verdicts",
]


RATIOS = Numerals()
DIFFERENCES = Numerals(ratio=False)


def persons(value: float) -> str:
    """Write a number of people, with commas between thousands."""
    return EN_DASH if value != value else f"{value:,.0f}"  # noqa: PLR0124 (nan is the one number that is not itself)


def numerals(measure: str) -> Numerals:
    """Return how effects of a measure are written."""
    return RATIOS if MEASURES[measure].scale == "log" else DIFFERENCES


def verdicts(reproduction: "Reproduction") -> Table:
    """Published against computed, one row a figure."""
    known = {"read": "read", "second-hand": "second-hand", "not-read": "not read"}
    return make(
        "Published against computed",
        "Figure|#Published|#Computed|Published figure was|Verdict|Why",
        (
            (
                f"{v.label}: {v.target.text}" if v.target.text else v.label,
                v.published or EN_DASH,
                v.shown or EN_DASH,
                known[v.target.target],
                v.verdict,
                v.target.because or "",
            )
            for v in reproduction.verdicts
        ),
        notes=("unverified: the figure was not read, or an input was chosen to match it; agreement is in brackets.",),
    )


def board(scores: "Iterable[Score]") -> Table:
    """Every published review: run again with its verdicts, or what would unlock a check."""
    rows = ((s.label, s.spec, s.published, s.computed or EN_DASH, s.verdict, s.counts or s.missing) for s in scores)
    return make(
        "Published reviews",
        "Review|Analysis|Main result|Computed|Verdict|All verdicts, or what is wanted",
        rows,
        notes=("One review in full: ipsevidence reproduce ID.",),
    )


def inputs(analysis: "AnalysisRun") -> Table:
    """What each study brings in: counts, effect, weight, basis of the weakest number."""
    fit = analysis.fit
    weights = fit.weights if isinstance(fit, PooledResult) else [float("nan")] * len(analysis.rows)
    write = numerals(analysis.spec.effect.measure)
    arms = _arms_of(analysis)
    rows = []
    for row, y, (low, high), weight in zip(analysis.rows, analysis.y, analysis.intervals, weights, strict=True):
        rows.append(
            (
                row.label,
                *_events(row)[:arms],
                write.effect(analysis.shown(y)),
                write.range(analysis.shown(low), analysis.shown(high)),
                write.weight(weight),
                BASIS[row.basis].label if row.basis else "",
            ),
        )
    measure = analysis.spec.effect.measure
    heads = "|".join(("Study", "#Events/n", "#Events/n, other arm")[: arms + 1])
    return make(
        "Studies",
        f"{heads}|#{measure}|#{_level(analysis)} CI|#Weight, %|Basis",
        rows,
    )


def _arms_of(analysis: "AnalysisRun") -> int:
    """Return how many arms the counts of the rows are of: none where the studies gave an effect alone."""
    if any(row.counts for row in analysis.rows) or not analysis.rows:
        return 2
    return 1 if any(row.share for row in analysis.rows) else 0


def _events(row: "StudyRow") -> tuple[str, str]:
    """Write the counts of a row, one arm after the other; empty where there are none."""
    if row.share:
        return f"{RATIOS.count(row.share.events)}/{RATIOS.count(row.share.n)}", ""
    c = row.counts
    if c is None:
        return "", ""
    first, second = (f"{RATIOS.count(e)}/{RATIOS.count(n)}" for e, n in ((c.events1, c.n1), (c.events2, c.n2)))
    return first, second


def _level(analysis: "AnalysisRun") -> str:
    return f"{100 * float(analysis.spec.model.level):g}%"


def results(analysis: "AnalysisRun") -> Table:
    """The main result, the groups and every sensitivity analysis, one row each."""
    spec = analysis.spec
    measure, level = spec.effect.measure, float(spec.model.level)
    main = f"all trials ({method_line(analysis)})"
    rows = [_result_row(main, measure, analysis.participants, analysis.fit, level)]
    for group in analysis.groups:
        people = sum(analysis.rows[i].participants for i in group.members)
        rows.append(_result_row(group.label, measure, people, group.fit, level))
    rows.extend(_result_row(v.label, v.measure, v.participants, v.fit, level) for v in analysis.sensitivity)
    return make("Results", _result_heading("Analysis", analysis), rows, _between_notes(analysis))


def groups(analysis: "AnalysisRun") -> Table:
    """Each group of the analysis that has a study, with its own between-study variance, and the test between them."""
    measure, level = analysis.spec.effect.measure, float(analysis.spec.model.level)
    there = [group for group in analysis.groups if group.members]
    rows = [
        _result_row(group.label, measure, sum(analysis.rows[i].participants for i in group.members), group.fit, level)
        for group in there
    ]
    empty = [group.label for group in analysis.groups if not group.members]
    between = [f"{note[:1].upper()}{note[1:]}." for note in _between_notes(analysis)]
    notes = [*between, *([f"Groups without a study: {', '.join(empty)}."] if empty else [])]
    return make("Groups", _result_heading("Group", analysis), rows, notes)


def sensitivity(analysis: "AnalysisRun") -> Table:
    """One row for each decision that was changed, below the analysis as it is."""
    measure, level = analysis.spec.effect.measure, float(analysis.spec.model.level)
    main = _result_row(f"as it is ({method_line(analysis)})", measure, analysis.participants, analysis.fit, level)
    rows = [main]
    for v in analysis.sensitivity:
        label = f"{v.label} ({v.because})" if v.because else v.label
        rows.append(_result_row(label, v.measure, v.participants, v.fit, level))
    return make("Sensitivity analyses", _result_heading("What is changed, and why", analysis), rows)


def heterogeneity(analysis: "AnalysisRun") -> Table:
    """How far the studies differ beyond chance: Q, τ² and I² with their intervals, the prediction interval."""
    fit, level = analysis.fit, _level(analysis)
    if isinstance(fit, NotApplicable):
        return make("Heterogeneity", f"Quantity|#Value|#{level} CI", ())
    q = f"{RATIOS.statistic(fit.q)} (df\u00a0=\u00a0{RATIOS.count(fit.q_df)}, {RATIOS.p(fit.q_p)})"
    spread = EN_DASH if fit.tau2_ci.missing else RATIOS.tau2_range(fit.tau2_ci.low, fit.tau2_ci.high)
    shares = [EN_DASH] if fit.i2_ci.missing else map(RATIOS.percent, (fit.i2_ci.low, fit.i2_ci.high))
    rows = [
        ("Cochran's Q", q, ""),
        (f"τ² ({TAU2_ESTIMATORS[analysis.spec.model.tau2].label})", RATIOS.tau2(fit.tau2), spread),
        ("I²", RATIOS.percent(fit.i2), EN_DASH.join(shares)),
    ]
    measure, beyond = analysis.spec.effect.measure, fit.prediction
    rows.append((f"Prediction interval of the {analysis.measure.label}", shown_interval(measure, beyond), ""))
    notes = [f"No prediction interval: {beyond.why}."] if beyond.missing and beyond.why else []
    notes += ["The intervals of τ² and I² are by the Q-profile method."] if not fit.tau2_ci.missing else []
    return make("Heterogeneity", f"Quantity|#Value|#{level} CI", rows, notes)


def _between_notes(analysis: "AnalysisRun") -> list[str]:
    between = analysis.between
    notes = [between.reason] if isinstance(between, NotApplicable) else []
    if isinstance(between, TestResult):
        q, p = RATIOS.statistic(between.statistic), RATIOS.equation("p", RATIOS.p_value(between.p))
        notes.append(f"test between groups: Q = {q}, df = {RATIOS.count(between.df)}, {p}")
    return notes


def _result_heading(first: str, analysis: "AnalysisRun") -> str:
    return f"{first}|Measure|#k|#Participants|#Estimate|#{_level(analysis)} CI|#Prediction interval|#τ²|#I²|#p"


def _result_row(label: str, measure: str, people: float, fit: "Fit", level: float) -> tuple[str, ...]:
    if isinstance(fit, NotApplicable):
        return (label, measure, "", persons(people), fit.reason, "", "", "", "", "")
    return (
        label,
        measure,
        RATIOS.count(fit.k),
        persons(people),
        numerals(measure).effect(shown(measure, fit.estimate)),
        shown_interval(measure, fit.ci) + _other_level(fit, level),
        shown_interval(measure, fit.prediction) + _other_level(fit, level),
        RATIOS.tau2(fit.tau2),
        RATIOS.percent(fit.i2),
        RATIOS.p_value(fit.p),
    )


def _other_level(fit: PooledResult, level: float) -> str:
    return "" if fit.settings.level == level else f" ({100 * fit.settings.level:g}%)"


def shown_interval(measure: str, bounds: Interval) -> str:
    """Write an interval of the pooled scale as it is shown; a dash where there is none."""
    if bounds.missing:
        return EN_DASH
    return numerals(measure).range(shown(measure, bounds.low), shown(measure, bounds.high))


def method_line(analysis: "AnalysisRun") -> str:
    """Name the estimator and the interval in a few words."""
    model = analysis.spec.model
    return f"{TAU2_ESTIMATORS[model.tau2].label}, {INTERVALS[model.interval].label}"


def outcomes(analysis: "AnalysisRun") -> Table:
    """What each study's outcome is, for they need not be the same."""
    rows = (
        (
            row.label,
            str(row.extra.get("concept", "")),
            str(row.extra.get("window", "")),
            f"{row.extra['months']:g}" if isinstance(row.extra.get("months"), float) else "",
            str(row.extra.get("definition", "")),
            str(row.extra.get("denominator", "")),
        )
        for row in analysis.rows
    )
    return make("What the outcomes are", "Study|Concept|When|#Months|Definition in the source|Denominator", rows)


def participants(analysis: "AnalysisRun") -> Table:
    """Headline and analysed participants, with the reason where they differ."""
    rows = []
    for row in analysis.rows:
        analysed = row.counts.n1 + row.counts.n2 if row.counts else float("nan")
        because = str(row.extra.get("because", "")) if row.participants != analysed else ""
        rows.append((row.label, persons(row.participants), persons(analysed), because))
    rows.append(("Sum", persons(analysis.participants), persons(analysis.analysed), ""))
    return make("Participants", "Study|#Headline|#In the counts|Why they differ", rows)


def decisions(analysis: "AnalysisRun", *, included: bool) -> Table:
    """Studies in, or out, with the reason; what a list does not name is only counted."""
    rows = [(d.label, d.reason) for d in analysis.decisions if d.included == included and d.reason != NOT_LISTED]
    unnamed = sum(d.reason == NOT_LISTED for d in analysis.decisions)
    notes = [f"{unnamed} other studies of the dataset are {NOT_LISTED}."] if unnamed and not included else []
    return make("Studies in" if included else "Studies out", "Study|Reason", rows, notes)


def left_out(analysis: "AnalysisRun") -> Table:
    """Studies out by reason, those that answer the question first; what a list does not name is only counted."""
    out = [one for one in analysis.decisions if not one.included and one.reason != NOT_LISTED]
    kinds = {(one.eligible, one.reason) for one in out}
    found = [(*kind, [one.label for one in out if (one.eligible, one.reason) == kind]) for kind in kinds]
    rows = [
        (reason, "yes" if eligible else "no", RATIOS.count(len(labels)), "; ".join(labels))
        for eligible, reason, labels in sorted(found, key=lambda kind: (not kind[0], -len(kind[2]), kind[1]))
    ]
    unnamed = sum(one.reason == NOT_LISTED for one in analysis.decisions)
    notes = [f"{unnamed} other studies of the dataset are {NOT_LISTED}."] if unnamed else []
    return make("Studies out", "Reason|Answers the question|#Studies|Which", rows, notes)
