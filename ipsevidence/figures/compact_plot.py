"""The compact summary: one row for each estimate, drawn by the package ``forestplot`` on our page.

Text, columns and the axis are those of the forest plot. The package draws the marks: intervals, squares and the line
at no effect. Left alone, it would put rows of equal labels on top of each other, print "nan" for what is missing, and
leave a logarithmic axis without labels and without that line.
"""

import dataclasses
import math
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator

from ipsevidence.analysis.rows import StudyRow
from ipsevidence.analysis.running import AnalysisRun
from ipsevidence.core import MEASURES, InputError, Measure, PooledResult
from ipsevidence.core.registry import choose
from ipsevidence.figures.forest_axis import Span
from ipsevidence.figures.forest_content import Content, Favours
from ipsevidence.figures.forest_foot import LONGEST, effects_in_words, line_in_words, methods, notes
from ipsevidence.figures.forest_layout import Layout
from ipsevidence.figures.forest_lines import Line, no_pool
from ipsevidence.figures.forest_plot import (
    GROUPS,
    HAIR,
    LINE,
    USUAL,
    add_arrow,
    arms_of,
    directions,
    page_for,
    set_labels,
    style_for,
)
from ipsevidence.figures.forest_scale import Scale
from ipsevidence.figures.lettering import clean, sentence
from ipsevidence.figures.saving import Drawing
from ipsevidence.figures.style import Heading, Style, context

if TYPE_CHECKING:
    from ipsevidence.analysis.running import Fit

__all__ = ["Estimate", "compact", "estimates"]

MARK: Final = 4.0
"""Side of a square in points."""

EACH: Final = {
    "groups": "Each row is a pool of its own.",
    "sensitivity": "The first row is the main result; each other row changes what it names.",
}
"""What the rows of an analysis are."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """One row.

    Attributes
    ----------
    label : str
        Its name.
    estimate, low, high : float
        On the pooled scale (logarithms of ratios); nan where there is none.
    k : int
        Number of studies.
    note : str
        What is to be known of it; without an estimate, why there is none.
    overall : bool
        Whether it is the pool of all.
    """

    label: str
    estimate: float = math.nan
    low: float = math.nan
    high: float = math.nan
    k: int
    note: str = ""
    overall: bool = False


def compact(
    source: AnalysisRun | Sequence[Estimate],
    *,
    of: Literal["groups", "sensitivity"] = "groups",
    measure: str = "OR",
    level: float = 0.95,
    title: str = "Estimates",
    style: str | Style = "default",
    palette: str | None = None,
    favours: tuple[str, str] | Literal["usual"] | None = USUAL,
) -> Drawing:
    """Draw one row for each estimate.

    Parameters
    ----------
    source : AnalysisRun or sequence of Estimate
        An analysis, or rows of one's own.
    of : {'groups', 'sensitivity'}
        Which estimates of an analysis: its groups and their total, or its sensitivity analyses below the main one.
    measure, level, title : str, float, str
        Of rows of one's own: key of `core.MEASURES`, level of their intervals, title of the figure.
    style, palette : str or Style, str
        As in `forest`; the columns are the same in every style.
    favours : tuple of str, 'usual' or None
        As in `forest`; rows of one's own have no usual words.

    Returns
    -------
    Drawing

    Raises
    ------
    InputError
        If there is no estimate to draw, or an option cannot be used.
    """
    look = style_for(style, palette=palette, columns=None)
    run = source if isinstance(source, AnalysisRun) else None
    if run is not None:
        rows, kind = estimates(run, of=of), run.measure
        level, title = float(run.spec.model.level), clean(run.spec.title, most=300)
    else:
        rows, kind = tuple(source), choose("measure", measure, MEASURES)  # type: ignore[arg-type]
    if not any(math.isfinite(row.estimate) for row in rows):
        raise InputError("there is no estimate to draw", parameter="source")
    if favours == USUAL:
        favours = directions(run, None, look) if run is not None else None
    if favours is not None and math.isnan(kind.null):
        raise InputError(f"favours cannot be used: {kind.key} has no value of no effect", parameter="favours")
    content = _content(rows, kind, level, run, EACH[of] if run is not None else "")
    arms = arms_of(run) if run is not None else GROUPS
    with context():
        drawing, axes, layout = page_for(content, _look(look, rows), title=title, arms=arms, favours=favours)
        _marks(drawing, axes, layout, rows, Scale(kind))
    return drawing


def estimates(run: AnalysisRun, *, of: Literal["groups", "sensitivity"]) -> tuple[Estimate, ...]:
    """Return the estimates of an analysis: groups and their total, or the main result and its variations.

    Parameters
    ----------
    run : AnalysisRun
        The analysis.
    of : {'groups', 'sensitivity'}
        Which.

    Returns
    -------
    tuple of Estimate

    Raises
    ------
    InputError
        If the analysis has none of these.
    """
    main = len(run.rows)
    if of == "groups" and run.groups:
        found = tuple(_estimate(group.label, group.fit, len(group.members)) for group in run.groups)
        return (*found, _estimate("All", run.fit, main, overall=True))
    if of == "sensitivity" and run.sensitivity:
        first = _estimate("As specified", run.fit, main, overall=True)
        return (first, *(_varied(run, index) for index in range(len(run.sensitivity))))
    if of not in {"groups", "sensitivity"}:
        raise InputError(f"of must be 'groups' or 'sensitivity'; got {of!r}", parameter="of")
    what = "groups" if of == "groups" else "sensitivity analyses"
    raise InputError(f"the analysis has no {what}", parameter="of")


def _estimate(label: str, fit: "Fit", k: int, *, note: str = "", overall: bool = False) -> Estimate:
    reason = no_pool(fit)
    if not isinstance(fit, PooledResult) or reason:
        return Estimate(label=label, k=k, note=reason, overall=overall)
    return Estimate(
        label=label, estimate=fit.estimate, low=fit.ci.low, high=fit.ci.high, k=fit.k, note=note, overall=overall
    )


def _varied(run: AnalysisRun, index: int) -> Estimate:
    """Return a variation; one whose effects cannot stand on the axis of the main result only says so."""
    variation = run.sensitivity[index]
    k = variation.fit.k if isinstance(variation.fit, PooledResult) else variation.k
    other = MEASURES[variation.measure]
    if other.scale != run.measure.scale:
        return Estimate(label=variation.label, k=k, note=f"on another scale: {other.label}")
    note = "" if other.key == run.measure.key else other.label
    return _estimate(variation.label, variation.fit, k, note=note)


def _look(style: Style, rows: Sequence[Estimate]) -> Style:
    """Return a style with the columns and headings of the summary."""
    noted = any(row.note and math.isfinite(row.estimate) for row in rows)
    columns = ("study", "k", "plot", "effect", *(("extra:note",) if noted else ()))
    words = dataclasses.replace(style.words, headings={**style.words.headings, "study": Heading(name="Analysis")})
    return dataclasses.replace(style, columns=columns, words=words)


def _content(rows: Sequence[Estimate], measure: Measure, level: float, run: AnalysisRun | None, what: str) -> Content:
    scale = Scale(measure)
    pooled = run.fit if run is not None and isinstance(run.fit, PooledResult) else None

    def lines(style: Style) -> tuple[Line, ...]:
        del style
        return tuple(_line(row, scale) for row in rows)

    def foot(style: Style, *, clipped: bool, legend: tuple[str, ...]) -> tuple[str, ...]:
        arrow = "An arrow marks an interval that goes on beyond the axis." if clipped else ""
        how = methods(pooled.settings, style) if pooled else ""
        said = (f"{what} {arrow}".strip(), how, *legend, *(notes(run) if run else ()))
        return tuple(clean(paragraph, most=LONGEST) for paragraph in said if paragraph)

    def alternative(lines: tuple[Line, ...], style: Style, favours: Favours) -> str:
        said = [f"{len(rows)} estimates: {effects_in_words(measure, level, style, favours)}"]
        for row, line in zip(rows, lines, strict=True):
            words = line_in_words(measure, line, style) if line.span else f"{line.label}: {sentence(line.reason)}"
            said.append(words if line.span is None or not row.note else f"{words} {sentence(clean(row.note))}")
        return " ".join(said)

    common = run is not None and run.spec.model.tau2 == "common"
    return Content(
        measure=measure, level=level, common=common, lines=lines, foot=foot, alternative=alternative, even=True
    )


def _line(row: Estimate, scale: Scale) -> Line:
    span = None
    if math.isfinite(row.estimate):
        low, high = scale.place(row.low), scale.place(row.high)
        span = Span(estimate=scale.place(row.estimate), low=low, high=high, pooled=True)
    label = clean(row.label[:1].upper() + row.label[1:], most=90)
    note = {"note": clean(row.note)} if row.note and span else {}
    return Line(
        kind="total" if row.overall else "step",
        label=label,
        span=span,
        k=row.k,
        study=StudyRow(id="row", label=label, extra=note),
        reason="" if span else clean(row.note or "no estimate"),
    )


def _marks(drawing: Drawing, axes: Axes, layout: Layout, rows: Sequence[Estimate], scale: Scale) -> None:
    """Let the package draw intervals, squares and the line at no effect; set the axis again as the page has it."""
    style, axis, spans = layout.style, layout.axis, [row.line.span for row in layout.rows]
    nothing = Span(estimate=math.nan, low=math.nan, high=math.nan)
    table = {
        name: [scale.shown(getattr(span or nothing, name)) for span in spans] for name in ("estimate", "low", "high")
    }
    ends = (scale.shown(axis.low), scale.shown(axis.high))
    ticks = [scale.shown(tick) for tick in axis.ticks]
    axes.cla()
    _draw(
        drawing,
        axes,
        {"row": [str(number) for number in range(len(rows))], **table},
        logscale=scale.ratio,
        xline=None if math.isnan(layout.null) else scale.shown(layout.null),
        xlinecolor=style.palette.ink,
        xlinewidth=HAIR,
        xticks=ticks,
        xticklabels=list(axis.labels),
        xlim=ends,
        linecolor=style.palette.accent,
        lw=LINE,
        marker="s",
        markersize=MARK**2,
        markercolor=style.palette.accent,
        markeralpha=1.0,
    )
    height = layout.rows[0].height
    below = layout.bottom - layout.rows[-1].top - height
    axes.set_ylim(-0.5 - below / height, len(rows) - 0.5 + (layout.rows[0].top - layout.top) / height)
    axes.set_xlim(ends)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.patch.set_visible(False)
    axes.yaxis.set_visible(False)
    for side in ("left", "right", "top"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set(linewidth=HAIR, color=style.palette.rule)
    axes.tick_params(axis="x", length=3.0, width=HAIR, color=style.palette.rule, pad=2.0)
    set_labels(axes, style)
    for number, span in enumerate(spans):
        for beyond, end, side in zip(axis.clips(span) if span else (), ends, ("low", "high"), strict=False):
            if beyond:
                y = len(rows) - 1 - number
                add_arrow(axes, end, y, side, style.palette.accent, f"line-{number}-arrow-{side}")


def _draw(drawing: Drawing, axes: Axes, table: dict[str, list[Any]], **look: Any) -> None:
    """Call the package; its import changes NumPy's handling of errors, warnings and fonts, which is undone."""
    with np.errstate(), warnings.catch_warnings(), _current(drawing):
        warnings.simplefilter("ignore")
        import forestplot
        import pandas as pd

        forestplot.forestplot(
            pd.DataFrame(table),
            estimate="estimate",
            ll="low",
            hl="high",
            varlabel="row",
            form_ci_report=False,
            ci_report=False,
            flush=False,
            ax=axes,
            **look,
        )


@contextmanager
def _current(drawing: Drawing) -> Iterator[None]:
    """Make a figure the current one of pyplot, which the package asks for, and no longer."""
    from matplotlib._pylab_helpers import Gcf
    from matplotlib.backend_bases import FigureManagerBase

    number = -1
    Gcf.set_active(FigureManagerBase(drawing.canvas, number))
    try:
        yield
    finally:
        Gcf.figs.pop(number, None)
        drawing.canvas.manager = None
