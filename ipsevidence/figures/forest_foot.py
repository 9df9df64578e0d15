"""The small print under a forest plot, and the words that stand in for the picture."""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ipsevidence.core import INTERVALS, PREDICTIONS, TAU2_ESTIMATORS, Measure, PooledResult
from ipsevidence.core.results import NotApplicable, PoolSettings
from ipsevidence.dataset.vocabulary import BASIS, BIAS_JUDGEMENT
from ipsevidence.figures.forest_columns import ROB
from ipsevidence.figures.forest_content import Favours
from ipsevidence.figures.forest_lines import MARKS, Line, heterogeneity, no_effect, no_pool, unfilled
from ipsevidence.figures.forest_scale import Scale
from ipsevidence.figures.lettering import clean, sentence
from ipsevidence.figures.numbers import MINUS, NO_BREAK
from ipsevidence.figures.style import Style

if TYPE_CHECKING:
    from ipsevidence.analysis.running import AnalysisRun

__all__ = ["alternative", "effects_in_words", "foot", "line_in_words", "methods", "notes"]

LONGEST = 800
"""Characters of one paragraph; what is longer ends in an ellipsis."""


def foot(run: "AnalysisRun", style: Style, *, clipped: bool, legend: tuple[str, ...]) -> tuple[str, ...]:
    """Return the paragraphs of the foot.

    Parameters
    ----------
    run : AnalysisRun
        The analysis.
    style : Style
        Its words and its numerals.
    clipped : bool
        Whether an interval goes on beyond the axis.
    legend : tuple of str
        What columns have to explain.

    Returns
    -------
    tuple of str
        Heterogeneity, model, test between groups, signs, columns, notes, and the caveats of the analysis last.
    """
    empty = unfilled(run)
    nobody = f"No trial in the pool: {'; '.join(empty)}." if empty else ""
    paragraphs = (
        *_pooled(run, style),
        _between(run, style),
        nobody,
        _signs(run, clipped=clipped),
        *legend,
        *notes(run),
    )
    return tuple(clean(paragraph, most=LONGEST) for paragraph in paragraphs if paragraph)


def notes(run: "AnalysisRun") -> tuple[str, ...]:
    """Return how the axis is read where that is not plain, the notes of an analysis, and its caveats last."""
    caveats = run.spec.report.caveats
    rest = (note for note in run.notes if note not in caveats and note != no_pool(run.fit))
    scale = run.measure.sentence if Scale(run.measure).transformed else ""
    return (scale, *(sentence(note) for note in rest), *(sentence(caveat) for caveat in caveats))


def _pooled(run: "AnalysisRun", style: Style) -> tuple[str, ...]:
    """Return what was found and how it was pooled; nothing where nothing was."""
    fit = run.fit
    if not isinstance(fit, PooledResult) or no_pool(fit):
        return ()
    said = style.words.found.format(heterogeneity(fit, style, bounds=True))
    if not math.isnan(run.measure.null):
        said += f" {no_effect(fit, style)}"
    return (said, methods(fit.settings, style, prediction=not fit.prediction.missing))


def methods(settings: PoolSettings, style: Style, *, prediction: bool = False) -> str:
    """Return how was pooled, in the words of the registries and of a style.

    Parameters
    ----------
    settings : PoolSettings
        What was asked for.
    style : Style
        Its words.
    prediction : bool
        Whether there is a prediction interval.

    Returns
    -------
    str
    """
    words, level = style.words, f"{style.numerals.level(settings.level)}{NO_BREAK}CI"
    common = settings.tau2 == "common"
    parts = [words.model.format(label="common effect" if common else "random effects")]
    if not common:
        known = TAU2_ESTIMATORS.get(settings.tau2)
        parts.append(words.variance.format(label=known.label if known else "given"))
    interval = words.interval.replace("{level} CI", level)
    parts.append(interval.format(label=INTERVALS[settings.interval].label))
    if prediction and settings.prediction != "none":
        parts.append(words.prediction.format(label=PREDICTIONS[settings.prediction].label))
    return words.stop.join(parts).replace(" - ", f"{NO_BREAK}{MINUS}{NO_BREAK}") + "."


def _between(run: "AnalysisRun", style: Style) -> str:
    if run.between is None:
        return ""
    if isinstance(run.between, NotApplicable):
        return sentence(run.between.reason)
    numerals = style.numerals
    return style.words.between.format(
        q=numerals.equation(style.words.q, numerals.statistic(run.between.statistic)),
        df=numerals.equation("df", numerals.count(run.between.df)),
        p=numerals.p(run.between.p),
    )


def _signs(run: "AnalysisRun", *, clipped: bool) -> str:
    """Return what the signs of the rows mean, those that occur, and how squares and arrows are read."""
    used = {row.basis for row in run.rows}
    marks = [f"{mark.sign}{NO_BREAK}{BASIS[key].label}: {mark.meaning}" for key, mark in MARKS.items() if key in used]
    said = [sentence("; ".join(marks))]
    if isinstance(run.fit, PooledResult) and not no_pool(run.fit):
        said.append("The area of a square is proportional to the weight.")
    if clipped:
        said.append("An arrow marks an interval that goes on beyond the axis.")
    return " ".join(part for part in said if part)


def alternative(run: "AnalysisRun", lines: tuple[Line, ...], style: Style, favours: Favours) -> str:
    """Return the figure in words and numbers, for those who do not see it."""
    kind = "studies" if len(run.rows) != 1 else "study"
    level = float(run.spec.model.level)
    said = [f"Forest plot of {len(run.rows)} {kind}: {effects_in_words(run.measure, level, style, favours)}"]
    if not isinstance(run.fit, PooledResult) or no_pool(run.fit):
        said.append(sentence(clean(no_pool(run.fit))))
    for line in lines:
        if line.kind == "heading":
            said.append(f"Group {line.label}.")
        elif line.kind == "note" and line.indent:
            said.append(sentence(line.label))
        elif line.span is not None:
            said.append(line_in_words(run.measure, line, style))
    said.extend(_pooled(run, style))
    return " ".join(said)


def effects_in_words(measure: Measure, level: float, style: Style, favours: Favours) -> str:
    """Return what is drawn, and what lies on either side of no effect."""
    said = f"{clean(Scale(measure).label)} with {style.numerals.level(level)} confidence interval."
    if favours:
        null = style.numerals.plain(measure.null)
        said += f" Values below {null}: {clean(favours[0])}; above: {clean(favours[1])}."
    return said


def line_in_words(measure: Measure, line: Line, style: Style) -> str:
    """Return one line of the plot: its name, its counts, its estimate and interval."""
    numerals = style.numerals
    assert line.span is not None
    shown = Scale(measure).shown
    bounds = numerals.range(shown(line.span.low), shown(line.span.high)) if line.span.whole else "none"
    if line.kind == "prediction":
        return f"{line.label} {bounds}."
    counts = ""
    if line.counts is not None and line.kind == "study":
        first, second = (line.counts.events1, line.counts.n1), (line.counts.events2, line.counts.n2)
        pairs = ["/".join(numerals.count(number) for number in pair) for pair in (first, second)]
        counts = f" {pairs[0]} against {pairs[1]},"
    mark = line.study.basis if line.study is not None and line.sign else ""
    name = f"{line.label} ({BASIS[mark].label})" if mark else line.label
    said = f"{name}:{counts} {numerals.effect(shown(line.span.estimate))} ({bounds})."
    return " ".join((said, *_columns_in_words(line, style)))


def _columns_in_words(line: Line, style: Style) -> Iterator[str]:
    """Yield what the columns for fidelity and risk of bias show of a study, where the style has them."""
    extra = line.study.extra if line.study is not None else {}
    if "fidelity" in style.columns and extra.get("fidelity"):
        yield f"Fidelity {clean(str(extra['fidelity']), most=40)}."
    judged = {key.removeprefix(ROB): str(value) for key, value in extra.items() if key.startswith(ROB) and value}
    if "rob" in style.columns and judged:
        words = (
            f"{clean(key.replace('-', ' '), most=60)} {BIAS_JUDGEMENT[value].label}" for key, value in judged.items()
        )
        yield f"Risk of bias: {', '.join(words)}."
