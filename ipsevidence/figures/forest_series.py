"""Forest plots of a series of pools: studies added one by one, and each study left out in turn.

The rows are pools rather than studies; all else is the forest plot's own layout.
"""

import dataclasses
import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from ipsevidence import core
from ipsevidence.core import InputError, NotApplicable, SeriesResult
from ipsevidence.core.pooling import mean_interval
from ipsevidence.core.results import Interval
from ipsevidence.figures.forest_content import Content, Favours
from ipsevidence.figures.forest_foot import LONGEST, effects_in_words, line_in_words, methods, notes
from ipsevidence.figures.forest_lines import Line, span_of, study_label, total_lines
from ipsevidence.figures.forest_plot import USUAL, draw, style_for
from ipsevidence.figures.lettering import clean
from ipsevidence.figures.saving import Drawing
from ipsevidence.figures.style import Heading, Style

if TYPE_CHECKING:
    from ipsevidence.analysis.running import AnalysisRun

__all__ = ["cumulative", "leave_one_out"]

COLUMNS: Final = ("study", "k", "plot", "effect", "i2", "tau2")


def cumulative(
    run: "AnalysisRun",
    *,
    by: str = "year",
    style: str | Style = "default",
    palette: str | None = None,
    favours: tuple[str, str] | Literal["usual"] | None = USUAL,
) -> Drawing:
    """Draw the pools of the first study, the first two, and so on, by the model of the analysis.

    Parameters
    ----------
    run : AnalysisRun
        The analysis.
    by : str
        Further column of the rows by which studies are added, the smallest first; equals by name.
    style, palette, favours
        As in `forest`; the columns are those of a series in every style.

    Returns
    -------
    Drawing

    Raises
    ------
    InputError
        If there are fewer than two studies, a row says nothing under `by`, or some say words and some numbers.
    """
    if len(run.rows) < 2:
        raise InputError("one study: there is nothing to add to it", parameter="run")
    keys = _order(run, by)
    order = sorted(range(len(run.rows)), key=lambda index: (keys[index], study_label(run.rows[index]), index))
    series = core.cumulative(np.array(run.y), np.array(run.v), order=order, **_settings(run))
    labels: list[str] = []
    for index in series.studies.tolist():
        name, key = study_label(run.rows[index]), keys[index]
        shown = f"{key:g}" if isinstance(key, float) else clean(key, most=20)
        labels.append(f"{'+ ' if labels else ''}{name}{'' if shown in name else f' ({shown})'}")
    what = f"each row pools its study with all above it, in the order of {clean(by.replace('_', ' '), most=40)}."
    look = style_for(style, palette=palette, columns=None)
    return _drawn(run, series, labels, f"Cumulative: {what}", "Study added", look, favours)


def leave_one_out(
    run: "AnalysisRun",
    *,
    style: str | Style = "default",
    palette: str | None = None,
    favours: tuple[str, str] | Literal["usual"] | None = USUAL,
) -> Drawing:
    """Draw the pools with each study left out in turn, by the model of the analysis.

    Parameters
    ----------
    run : AnalysisRun
        The analysis.
    style, palette, favours
        As in `forest`; the columns are those of a series in every style.

    Returns
    -------
    Drawing

    Raises
    ------
    InputError
        If there are fewer than three studies: without one of two, nothing is pooled.
    """
    if len(run.rows) < 3:
        raise InputError("fewer than three studies: without one of them nothing would be pooled", parameter="run")
    series = core.leave_one_out(np.array(run.y), np.array(run.v), **_settings(run))
    if isinstance(series, NotApplicable):
        raise InputError(series.reason, parameter="run")
    labels = [f"Without {study_label(run.rows[index])}" for index in series.studies.tolist()]
    what = "Leave-one-out: each row pools all studies but the one it names."
    look = style_for(style, palette=palette, columns=None)
    return _drawn(run, series, labels, what, "Study left out", look, favours)


def _settings(run: "AnalysisRun") -> dict[str, Any]:
    """Return the model as it was used in the end: few studies may have asked for another interval."""
    model, fit = run.spec.model, run.fit
    used = fit.settings if isinstance(fit, core.PooledResult) else model
    return {"tau2": model.tau2, "interval": used.interval, "prediction": "none", "level": float(model.level)}


def _order(run: "AnalysisRun", by: str) -> list[Any]:
    """Return what each row says under `by`: all numbers or all words."""
    keys: list[Any] = []
    for row in run.rows:
        value = row.extra.get(by, "")
        missing = value == "" or (not isinstance(value, str) and math.isnan(value))
        if missing:
            known = ", ".join(sorted(row.extra)) or "nothing"
            raise InputError(f"{study_label(row)} says nothing under {by!r}; it has {known}", parameter="by")
        try:
            keys.append(float(value))
        except ValueError:
            keys.append(str(value))
    if len({type(key) for key in keys}) > 1:
        raise InputError(f"{by!r} holds words for some studies and numbers for others", parameter="by")
    return keys


def _drawn(
    run: "AnalysisRun",
    series: SeriesResult,
    labels: Sequence[str],
    what: str,
    heading: str,
    style: Style,
    favours: tuple[str, str] | Literal["usual"] | None,
) -> Drawing:
    """Draw a series as a forest plot whose rows are its pools."""
    level = float(run.spec.model.level)

    def lines(style: Style) -> tuple[Line, ...]:
        return (*_steps(run, series, labels), *total_lines(run, style))

    def foot(style: Style, *, clipped: bool, legend: tuple[str, ...]) -> tuple[str, ...]:
        arrow = " An arrow marks an interval that goes on beyond the axis." if clipped else ""
        single = " A study on its own is shown with its Wald interval." if 1 in series.k else ""
        said = (f"{what}{single}{arrow}", methods(series.settings, style), *legend, *notes(run))
        return tuple(clean(paragraph, most=LONGEST) for paragraph in said if paragraph)

    def alternative(lines: tuple[Line, ...], style: Style, favours: Favours) -> str:
        drawn = [line_in_words(run.measure, line, style) for line in lines if line.span is not None]
        effects = effects_in_words(run.measure, level, style, favours)
        return " ".join((f"Forest plot of {len(labels)} pools. {what}", effects[:1].upper() + effects[1:], *drawn))

    headings = {**style.words.headings, "study": Heading(name=heading)}
    look = dataclasses.replace(style, columns=COLUMNS, words=dataclasses.replace(style.words, headings=headings))
    common = run.spec.model.tau2 == "common"
    content = Content(measure=run.measure, level=level, common=common, lines=lines, foot=foot, alternative=alternative)
    return draw(run, look, content, arms=None, favours=favours)


def _steps(run: "AnalysisRun", series: SeriesResult, labels: Sequence[str]) -> Iterator[Line]:
    common = series.settings.tau2 == "common"
    for number, label in enumerate(labels):
        level, k = series.settings.level, int(series.k[number])
        if k == 1:
            index = int(series.studies[number])
            interval, _, _ = mean_interval(run.y[index], math.sqrt(run.v[index]), math.nan, level)
        else:
            low, high = float(series.low[number]), float(series.high[number])
            interval = Interval(level=level, low=low, high=high)
        yield Line(
            kind="step",
            label=clean(label, most=140),
            span=span_of(run, float(series.estimate[number]), interval, weight=1.0, pooled=False),
            k=k,
            i2=math.nan if k == 1 else float(series.i2[number]),
            tau2=math.nan if k == 1 or common else float(series.tau2[number]),
        )
