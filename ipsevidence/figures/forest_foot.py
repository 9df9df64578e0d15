"""The small print under a forest plot, and the words that stand in for the picture."""

import math
from typing import TYPE_CHECKING

from ipsevidence.core import INTERVALS, PREDICTIONS, TAU2_ESTIMATORS, PooledResult
from ipsevidence.core.results import NotApplicable
from ipsevidence.dataset.vocabulary import BASIS
from ipsevidence.figures.forest_lines import MARKS, Line, heterogeneity, no_pool
from ipsevidence.figures.forest_scale import Scale
from ipsevidence.figures.lettering import clean, sentence
from ipsevidence.figures.numbers import MINUS, NO_BREAK, Numerals

if TYPE_CHECKING:
    from ipsevidence.analysis.running import AnalysisRun

__all__ = ["alternative", "foot"]

LONGEST = 800
"""Characters of one paragraph; what is longer ends in an ellipsis."""


def foot(run: "AnalysisRun", numerals: Numerals, *, clipped: bool) -> tuple[str, ...]:
    """Return the paragraphs of the foot.

    Parameters
    ----------
    run : AnalysisRun
        The analysis.
    numerals : Numerals
        Writes the numbers.
    clipped : bool
        Whether an interval goes on beyond the axis.

    Returns
    -------
    tuple of str
        Heterogeneity, model, test between groups, signs, notes, and the caveats of the analysis last.
    """
    caveats = run.spec.report.caveats
    notes = (note for note in run.notes if note not in caveats and note != no_pool(run.fit))
    paragraphs = (
        *_pooled(run, numerals),
        run.measure.sentence if Scale(run.measure).transformed else "",
        _between(run, numerals),
        _signs(run, clipped=clipped),
        *(sentence(note) for note in notes),
        *(sentence(caveat) for caveat in caveats),
    )
    return tuple(clean(paragraph, most=LONGEST) for paragraph in paragraphs if paragraph)


def _pooled(run: "AnalysisRun", numerals: Numerals) -> tuple[str, ...]:
    """Return what was found and how it was pooled; nothing where nothing was."""
    fit = run.fit
    if not isinstance(fit, PooledResult) or no_pool(fit):
        return ()
    level = numerals.level(fit.settings.level)
    found = ", ".join(heterogeneity(fit, numerals, bounds=True))
    said = f"Heterogeneity: {found}."
    if not math.isnan(run.measure.null):
        name = "z" if math.isnan(fit.df) else f"t({fit.df:g})"
        test = numerals.equation(name, numerals.statistic(fit.statistic))
        said += f" Test of no effect: {test}, {numerals.equation('p', numerals.p_value(fit.p))}."
    return (said, _model(fit, level))


def _model(fit: PooledResult, level: str) -> str:
    """Return the model in the words of the registries."""
    settings = fit.settings
    if settings.tau2 == "common":
        model = "common effect"
    elif settings.tau2 in TAU2_ESTIMATORS:
        model = f"random effects; \u03c4\u00b2: {TAU2_ESTIMATORS[settings.tau2].label}"
    else:
        model = "random effects; \u03c4\u00b2: given"
    parts = [f"Model: {model}", f"{level}{NO_BREAK}CI: {INTERVALS[settings.interval].label}"]
    if settings.prediction != "none" and not fit.prediction.missing:
        parts.append(f"prediction interval: {PREDICTIONS[settings.prediction].label}")
    return "; ".join(parts).replace(" - ", f"{NO_BREAK}{MINUS}{NO_BREAK}") + "."


def _between(run: "AnalysisRun", numerals: Numerals) -> str:
    if run.between is None:
        return ""
    if isinstance(run.between, NotApplicable):
        return sentence(run.between.reason)
    parts = (
        numerals.equation("Q", numerals.statistic(run.between.statistic)),
        numerals.equation("df", numerals.count(run.between.df)),
        numerals.equation("p", numerals.p_value(run.between.p)),
    )
    return f"Test between groups: {', '.join(parts)}."


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


def alternative(
    run: "AnalysisRun", lines: tuple[Line, ...], numerals: Numerals, favours: tuple[str, str] | None
) -> str:
    """Return the figure in words and numbers, for those who do not see it."""
    level = numerals.level(float(run.spec.model.level))
    label = clean(Scale(run.measure).label)
    kind = "studies" if len(run.rows) != 1 else "study"
    said = [f"Forest plot of {len(run.rows)} {kind}: {label} with {level} confidence interval."]
    if favours:
        null = numerals.plain(run.measure.null)
        said.append(f"Values below {null}: {clean(favours[0])}; above: {clean(favours[1])}.")
    if not isinstance(run.fit, PooledResult) or no_pool(run.fit):
        said.append(sentence(clean(no_pool(run.fit))))
    for line in lines:
        if line.kind == "heading":
            said.append(f"Group {line.label}.")
        elif line.kind == "note" and line.indent:
            said.append(sentence(line.label))
        elif line.span is not None:
            said.append(_said(run, line, numerals))
    said.extend(_pooled(run, numerals))
    return " ".join(said)


def _said(run: "AnalysisRun", line: Line, numerals: Numerals) -> str:
    assert line.span is not None
    shown = Scale(run.measure).shown
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
    return f"{name}:{counts} {numerals.effect(shown(line.span.estimate))} ({bounds})."
