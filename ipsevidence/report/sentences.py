"""Sentences made from a run: each says only what was done."""

from typing import TYPE_CHECKING

from ipsevidence import __version__
from ipsevidence.analysis import answer_words
from ipsevidence.analysis.rows import shown
from ipsevidence.core import MEASURES, NotApplicable
from ipsevidence.report.tables import RATIOS, numerals, persons, shown_interval

if TYPE_CHECKING:
    from ipsevidence.analysis.examining import Examined
    from ipsevidence.analysis.running import AnalysisRun

__all__ = ["beside_line", "plain_words", "stamp", "verdict_line"]


def verdict_line(analysis: "AnalysisRun") -> str:
    """Say the main result in one line: estimate, intervals, studies, participants."""
    fit, measure = analysis.fit, analysis.spec.effect.measure
    if isinstance(fit, NotApplicable):
        return f"No pooled effect: {fit.reason}."
    level = f"{100 * fit.ci.level:g}%"
    parts = [f"{analysis.measure.label.capitalize()} {numerals(measure).effect(shown(measure, fit.estimate))}"]
    if not fit.ci.missing:
        parts.append(f"{level} CI {shown_interval(measure, fit.ci)}")
    if not fit.prediction.missing:
        parts.append(f"{level} prediction interval {shown_interval(measure, fit.prediction)}")
    trials = "1\u00a0trial" if fit.k == 1 else f"{RATIOS.count(fit.k)}\u00a0trials"
    return f"{'; '.join(parts)}; {trials}, {persons(analysis.participants)}\u00a0participants."


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
    return answer_words.sentence(analysis, examined.coverage, examined.absolutes)


def stamp(analysis: "AnalysisRun") -> str:
    """Name the versions and the digest that the numbers rest on."""
    text = f"ipsevidence {__version__}"
    if analysis.data is not None:
        text += f"; dataset {analysis.data.version}, {analysis.data.records} records, SHA-256 {analysis.data.digest}"
    return text
