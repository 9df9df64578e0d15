"""Sentences made from a run: each says only what was done."""

from typing import TYPE_CHECKING, Final

from ipsevidence import __version__
from ipsevidence.analysis import answer_words
from ipsevidence.analysis.rows import shown
from ipsevidence.core import MEASURES, NotApplicable
from ipsevidence.report.tables import RATIOS, numerals, persons, shown_interval

if TYPE_CHECKING:
    from ipsevidence.analysis.examining import Examined
    from ipsevidence.analysis.running import AnalysisRun

__all__ = ["beside_line", "few_line", "plain_words", "reading_line", "stamp", "verdict_line"]

_READ: Final = {
    "RR": "A risk ratio of 1 means no difference, of 2 that twice as many people have the outcome.",
    "OR": "An odds ratio of 1 means no difference; where the outcome is common it is further from 1 than the ratio of"
    " the numbers of people.",
    "RD": "A risk difference of 0 means no difference, of 0.10 that 10 more of 100 people have the outcome.",
}


def verdict_line(analysis: "AnalysisRun") -> str:
    """Say the main result in one line: estimate, intervals, studies, participants."""
    fit, measure = analysis.fit, analysis.spec.effect.measure
    if isinstance(fit, NotApplicable):
        return _of_few(analysis, fit.reason)
    level = f"{100 * fit.ci.level:g}%"
    parts = [f"{analysis.measure.label.capitalize()} {numerals(measure).effect(shown(measure, fit.estimate))}"]
    if not fit.ci.missing:
        parts.append(f"{level} CI {shown_interval(measure, fit.ci)}")
    if not fit.prediction.missing:
        parts.append(f"{level} prediction interval {shown_interval(measure, fit.prediction)}")
    trials = "1\u00a0trial" if fit.k == 1 else f"{RATIOS.count(fit.k)}\u00a0trials"
    return f"{'; '.join(parts)}; {trials}, {persons(analysis.participants)}\u00a0participants."


def _of_few(analysis: "AnalysisRun", reason: str) -> str:
    """Say what one trial shows, or two together, which are no pool; else why there is none."""
    few, measure = analysis.few, analysis.spec.effect.measure
    if few is None or few.k > 2:
        return f"No pooled effect: {reason}."
    fit = few.headline
    what = f"{analysis.measure.label} {numerals(measure).effect(shown(measure, fit.estimate))}"
    start = "One trial, not a pool" if few.k == 1 else "Two trials, too few for a random-effects pool; common effect"
    ci = f"{100 * fit.ci.level:g}% CI {shown_interval(measure, fit.ci)}"
    return f"{start}: {what}; {ci}; {persons(analysis.participants)}\u00a0participants."


def few_line(analysis: "AnalysisRun") -> str:
    """Say the Bayesian estimate that the protocol sets beside two to four trials; empty elsewhere."""
    few, measure = analysis.few, analysis.spec.effect.measure
    if few is None or few.bayes is None:
        return ""
    found = few.bayes
    estimate = numerals(measure).effect(shown(measure, found.median))
    level = f"{100 * found.ci_central.level:g}%"
    return (
        f"Beside it, since trials are few, a Bayesian estimate (half-normal prior of scale 0.5 on \u03c4):"
        f" {analysis.measure.label} {estimate}, {level} credible interval {shown_interval(measure, found.ci_central)}."
    )


def reading_line(analysis: "AnalysisRun") -> str:
    """Say how the numbers of the verdict line are read; empty where it has none."""
    fit = analysis.fit
    if isinstance(fit, NotApplicable) and (analysis.few is None or analysis.few.k > 2):
        return ""
    parts = [_READ[analysis.measure.key]] if analysis.measure.key in _READ else []
    mean = "average" if not isinstance(fit, NotApplicable) else "effect"
    parts.append(f"The confidence interval (CI) shows how precisely the {mean} is known")
    if not isinstance(fit, NotApplicable) and not fit.prediction.missing:
        parts[-1] += ", the prediction interval where that of a new trial or place may lie"
    return f"{' '.join(parts)}."


def beside_line(analysis: "AnalysisRun") -> str:
    """Say the result of the variation that the spec puts beside the main one; empty where it names none."""
    wanted = analysis.spec.report.beside
    variation = next((v for v in analysis.sensitivity if v.id == wanted), None)
    if variation is None or isinstance(variation.fit, NotApplicable):
        return ""
    fit, measure = variation.fit, variation.measure
    estimate = numerals(measure).effect(shown(measure, fit.estimate))
    level = f"{100 * fit.ci.level:g}%"
    return (
        f"Beside it, {variation.because or variation.label} ({variation.label}): {MEASURES[measure].label} {estimate}, "
        f"{level} CI {shown_interval(measure, fit.ci)}, prediction interval {shown_interval(measure, fit.prediction)}."
    )


def plain_words(analysis: "AnalysisRun", examined: "Examined | None" = None) -> str:
    """Say what the result means in people, and why there is no absolute figure where there is none."""
    if analysis.spec.report.plain_words:
        return analysis.spec.report.plain_words
    concepts = {row.extra.get("concept") for row in analysis.rows}
    if len(concepts) > 1:
        return (
            f"No figure per 100 people is given: the trials count {len(concepts)} different things "
            f"({', '.join(sorted(str(concept) for concept in concepts))})."
        )
    if examined is None:
        return ""
    text = answer_words.sentence(analysis, examined.coverage, examined.absolutes)
    # The line above says already that it is one trial.
    rest = text.removeprefix("One trial, not a pool: ")
    return rest[:1].upper() + rest[1:]


def stamp(analysis: "AnalysisRun") -> str:
    """Name the versions and the digest that the numbers rest on."""
    text = f"ipsevidence {__version__}"
    if analysis.data is not None:
        count = analysis.data.records
        records = f"{count} {'record' if count == 1 else 'records'}"
        text += f"; dataset {analysis.data.version}, {records}, SHA-256 {analysis.data.digest}"
    return text
