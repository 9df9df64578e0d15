"""The card of a trial: what it found, as one trial; and two trials side by side, with what may be said of both."""

import dataclasses
import math
from typing import TYPE_CHECKING, Any, Final

from ipsevidence import core
from ipsevidence.analysis.answer_words import more
from ipsevidence.analysis.risk_differences import trial_difference, wilson
from ipsevidence.analysis.rows import StudyRow
from ipsevidence.dataset.vocabulary import ANALYSIS_GROUP, BASIS
from ipsevidence.figures.forest_axis import Axis, Span, axis_for
from ipsevidence.figures.lettering import capital, width
from ipsevidence.figures.numbers import NO_BREAK, Numerals
from ipsevidence.figures.plot_frame import COLUMN_MM, style_of
from ipsevidence.figures.sheet import HAIR, Sheet
from ipsevidence.figures.style import POINTS_PER_MM, Style, context

if TYPE_CHECKING:
    from ipsevidence.analysis.running import AnalysisRun
    from ipsevidence.dataset.collection import Dataset
    from ipsevidence.figures.saving import Drawing

__all__ = ["card"]

INSET: Final = 6.0
"""Points between the frame of a card and what stands in it."""

BAR: Final = 7.0
"""Height of the bar of an arm's risk, in points."""

PALE: Final = "#d9d9d9"
"""Bar of the comparator."""

ONE: Final = "One trial, not a pool"
TWO: Final = "Two trials: no random-effects mean"


def card(
    run: "AnalysisRun", *, dataset: "Dataset | None" = None, style: str | Style = "default", wide: bool = False
) -> "Drawing":
    """Draw the card of the one trial of an analysis, or those of its two.

    Parameters
    ----------
    run : AnalysisRun
        The analysis, with one or two trials on OR, RR or RD.
    dataset : Dataset, optional
        Its records, for who took part; without them the analysis group is named.
    style : str or Style
        Key of `STYLES`, or a style of one's own.
    wide : bool
        Whether the figure has the width of a page instead of a column. Two trials stand side by side where it has,
        one below the other where it has not.

    Returns
    -------
    Drawing
        Risks with Wilson intervals; risk ratio and odds ratio with Wald intervals on the log scale; the risk
        difference with Newcombe's. For two trials the common effect as a line and the Bayesian estimate (half-normal
        prior of scale 0.5 for tau) below.

    Raises
    ------
    InputError
        If there is no trial, or more than two, or the measure is another.
    """
    k = len(run.rows)
    if k not in (1, 2) or run.rows[0].unit == "arm":
        raise core.InputError(f"a card shows one or two trials with two arms; there are {k}", parameter="run")
    if run.measure.key not in ("OR", "RR", "RD"):
        raise core.InputError(f"a card is for OR, RR and RD; this analysis is on {run.measure.key}", parameter="run")
    look = style_of(style)
    sheet = Sheet(style=look, width=look.width if wide else min(look.width, COLUMN_MM * POINTS_PER_MM))
    with context():
        room = sheet.width - 2 * look.margin
        top = sheet.paragraph(run.spec.title, look.margin, look.margin, room, "title", size=look.size, bold=True)
        accent = look.palette.accent
        banner = ONE if k == 1 else TWO
        top = sheet.paragraph(banner, look.margin, top, room, "banner", size=look.size, bold=True, color=accent) + 3.0
        bottom = _cards(sheet, run, dataset, top, side_by_side=wide and k == 2)
        if k == 2:
            bottom = _both(sheet, run, bottom + 6.0)
        for index, note in enumerate(_notes(run)):
            bottom = sheet.paragraph(
                note, look.margin, bottom + (3.0 if index == 0 else 0.0), room, f"note-{index}", quiet=True
            )
        title = f"{banner}: {run.spec.title}"
        return sheet.drawn(bottom + look.margin, title=title, alternative=_alternative(run, banner, look.numerals))


def _cards(sheet: Sheet, run: "AnalysisRun", dataset: "Dataset | None", top: float, *, side_by_side: bool) -> float:
    """Draw the cards beside or below one another, in frames of one height per row; return where they end."""
    look = sheet.style
    room = sheet.width - 2 * look.margin
    wide = (room - 8.0) / 2 if side_by_side else room
    bottom = top
    places = []
    for index, row in enumerate(run.rows):
        left = look.margin + (wide + 8.0) * index if side_by_side else look.margin
        if index and not side_by_side:
            top = bottom + 6.0
        end = _card(sheet, row, run, dataset, left + INSET, top + INSET, wide - 2 * INSET, f"card-{index}") + INSET
        bottom = max(bottom, end)
        places.append((left, top, end))
    for index, (left, start, end) in enumerate(places):
        down = bottom if side_by_side else end
        rule = {"facecolor": "none", "edgecolor": look.palette.rule, "linewidth": HAIR}
        sheet.box(left, start, wide, down - start, f"card-{index}-frame", **rule)
    return bottom


def _card(
    sheet: Sheet,
    row: StudyRow,
    run: "AnalysisRun",
    dataset: "Dataset | None",
    left: float,
    top: float,
    room: float,
    key: str,
) -> float:
    """Write one trial: who, what against what, what was found, on what it rests; return where it ends."""
    look = sheet.style
    down = sheet.paragraph(row.label, left, top, room, f"{key}-label", size=look.size + 1.0, bold=True)
    who = _population(row, run, dataset)
    if who:
        down = sheet.paragraph(capital(who), left, down, room, f"{key}-who", most=3) + 3.0
    level = float(run.spec.model.level)
    if row.counts is None:
        arms = (str(row.extra.get("intervention", "IPS")), str(row.extra.get("comparator", "comparator")))
        down = sheet.paragraph(capital(f"{arms[0]} against {arms[1]}"), left, down, room, f"{key}-arms", most=3)
    else:
        cells = row.counts
        sides = (
            ("intervention", cells.events1, cells.n1, look.palette.accent_light),
            ("comparator", cells.events2, cells.n2, PALE),
        )
        for side, events, n, fill in sides:
            name = str(row.extra.get(side, side))
            down = _arm(sheet, name, events, n, level, left, down, room, f"{key}-{side}", fill=fill)
    down = _effects(sheet, row, run, left, down + 1.0, room, key)
    for index, (name, text) in enumerate(_facts(row)):
        gap = 2.0 if index == 0 else 0.0
        down = sheet.paragraph(f"{name}: {text}", left, down + gap, room, f"{key}-fact-{index}", quiet=True, most=4)
    return down


def _population(row: StudyRow, run: "AnalysisRun", dataset: "Dataset | None") -> str:
    if dataset is not None and row.id in dataset:
        return dataset[row.id].population.description
    return ANALYSIS_GROUP[row.group].label if row.group in ANALYSIS_GROUP else run.spec.question.population


def _arm(
    sheet: Sheet,
    name: str,
    events: float,
    n: float,
    level: float,
    left: float,
    top: float,
    room: float,
    key: str,
    *,
    fill: str,
) -> float:
    """Draw the risk in one arm as a bar on a scale of 0 to 100, with its interval; the numbers beside it."""
    look, write = sheet.style, sheet.style.numerals
    down = sheet.paragraph(capital(name), left, top, room, f"{key}-name", most=2) + 1.0
    ci = wilson(events, n, level)
    numbers = f"{write.count(events)}/{write.count(n)}, {_percent(events / n)} ({_percent_range(ci)})"
    widest = width("000/000, 100% (100\u2013100)", look.small) + 6.0
    long = room - widest
    middle = down + BAR / 2
    sheet.box(left, down, long, BAR, f"{key}-scale", facecolor="none", edgecolor=PALE, linewidth=HAIR)
    sheet.box(left, down, long * events / n, BAR, f"{key}-bar", facecolor=fill, zorder=1.2)
    ends = [left + long * ci.low, left + long * ci.high]
    sheet.line(ends, [middle] * 2, f"{key}-interval", color=look.palette.ink, linewidth=1.0)
    sheet.write(numbers, left + room, down + BAR / 2 - 0.58 * look.small, f"{key}-numbers", ha="right")
    return down + BAR + 3.0


def _percent(share: float) -> str:
    return f"{round(100 * share)}%"


def _percent_range(interval: core.Interval) -> str:
    return f"{round(100 * interval.low)}\u2013{round(100 * interval.high)}"


def _effects(sheet: Sheet, row: StudyRow, run: "AnalysisRun", left: float, top: float, room: float, key: str) -> float:
    """Write risk ratio, odds ratio and risk difference, each on a line; a printed effect as it was printed."""
    look, level = sheet.style, float(run.spec.model.level)
    write = dataclasses.replace(look.numerals, ratio=True)
    head = f"[{write.level(level)}{NO_BREAK}CI]"
    lines = []
    if row.counts is None:
        printed = f"[{write.level(row.level)}{NO_BREAK}CI]"
        value = f"{write.effect(row.estimate)} {write.interval(row.low, row.high)}"
        lines.append((f"{capital(run.measure.label)} {printed}, as printed", value))
        lines += _as_pooled(row, run, write)
    else:
        for measure in ("RR", "OR"):
            ratio, low, high = _ratio_of(row, run, measure)
            label = core.MEASURES[measure].label
            text = "\u2013" if math.isnan(ratio) else f"{write.effect(ratio)} {write.interval(low, high)}"
            lines.append((f"{capital(label)} {head}", text))
        difference, gap = trial_difference(row.counts, level)
        extra = round(100 * difference)
        people = f"{abs(extra)} {'more' if extra >= 0 else 'fewer'} [{more(100 * gap.low, 100 * gap.high)}]"
        lines.append(("Of 100 people", people))
    down = top
    for index, (name, text) in enumerate(lines):
        sheet.write(name, left, down, f"{key}-effect-{index}")
        sheet.write(text, left + room, down, f"{key}-effect-{index}-value", ha="right", bold=True)
        down += look.small_leading
    return down


def _as_pooled(row: StudyRow, run: "AnalysisRun", write: Numerals) -> list[tuple[str, str]]:
    """Return the interval with which a printed effect is pooled, where that is another: none is symmetric by force."""
    index = run.rows.index(row)
    low, high = (run.shown(end) for end in run.intervals[index])
    printed, pooled = write.interval(row.low, row.high), write.interval(low, high)
    same = math.isclose(low, row.low, rel_tol=0.03) and math.isclose(high, row.high, rel_tol=0.03)
    return [] if same else [("As pooled: that interval is not symmetric", pooled)] if printed != pooled else []


def _ratio_of(row: StudyRow, run: "AnalysisRun", measure: str) -> tuple[float, float, float]:
    """Return the risk ratio or odds ratio of a trial with counts and its Wald interval; nan where there is none."""
    assert row.counts is not None
    effect, level = run.spec.effect, float(run.spec.model.level)
    cells = [[x] for x in dataclasses.astuple(row.counts)]
    y, v = core.two_by_two(measure, *cells, add=float(effect.add), to=effect.to)
    if not math.isfinite(v[0]):
        return math.nan, math.nan, math.nan
    fit = core.pool(y, v, tau2="common", interval="wald", prediction="none", level=level)
    return math.exp(fit.estimate), math.exp(fit.ci.low), math.exp(fit.ci.high)


def _facts(row: StudyRow) -> list[tuple[str, str]]:
    found = []
    if "definition" in row.extra:
        found.append(("Outcome", str(row.extra["definition"])))
    if row.basis in BASIS:
        kind = "effect" if row.counts is None else "counts"
        of = str(row.extra.get("denominator", ""))
        found.append(("Rests on", f"{BASIS[row.basis].label} {kind}{f', of those {of}' if row.counts and of else ''}"))
    if "citation" in row.extra:
        found.append(("Source", str(row.extra["citation"])))
    return found


def _both(sheet: Sheet, run: "AnalysisRun", top: float) -> float:
    """Draw both trials, the common effect and the Bayesian estimate on one axis."""
    look, colours = sheet.style, sheet.style.palette
    rows = _lines_of(run)
    write = dataclasses.replace(look.numerals, ratio=run.measure.scale == "log")
    texts = [
        f"{write.effect(run.shown(span.estimate))} {write.interval(run.shown(span.low), run.shown(span.high))}"
        for _, span, _ in rows
    ]
    room = sheet.width - 2 * look.margin
    names = max(width(name, look.small) for name, _, _ in rows) + 8.0
    numbers = max(width(text, look.small) for text in texts) + 8.0
    left, long = look.margin + names, room - names - numbers
    null = math.log(run.measure.null) if write.ratio else run.measure.null
    axis = axis_for([span for _, span, _ in rows], null=null, length=long, pad=4.0, numerals=write, size=look.small)

    def place(value: float) -> float:
        return left + long * (min(max(value, axis.low), axis.high) - axis.low) / (axis.high - axis.low)

    down = top
    middles = [down + (index + 0.5) * look.row for index in range(len(rows))]
    bottom = down + len(rows) * look.row
    sheet.line([place(null)] * 2, [top, bottom], "no-effect", color=colours.ink)
    common = next(span for _, span, kind in rows if kind == "common")
    dashed = {"color": colours.accent, "dashes": (4.0, 3.0), "zorder": 1.5}
    sheet.line([place(common.estimate)] * 2, [top, bottom], "common-line", **dashed)
    for index, ((name, span, kind), text, middle) in enumerate(zip(rows, texts, middles, strict=True)):
        _row(sheet, span, kind, middle, place, f"both-{index}")
        sheet.write(name, look.margin, middle - 0.58 * look.small, f"both-{index}-name")
        sheet.write(text, look.margin + room, middle - 0.58 * look.small, f"both-{index}-value", ha="right")
    return _axis(sheet, axis, place, bottom, capital(run.measure.label))


def _lines_of(run: "AnalysisRun") -> list[tuple[str, Span, str]]:
    """Return what stands on the axis: name, estimate with its interval, kind."""
    rows = [
        (row.label, Span(estimate=y, low=low, high=high), "trial")
        for row, y, (low, high) in zip(run.rows, run.y, run.intervals, strict=True)
    ]
    level = float(run.spec.model.level)
    few = run.few or core.small_k_pool(run.y, run.v, level=level)
    common = few.headline
    if common.settings.tau2 != "common":
        common = core.pool(run.y, run.v, tau2="common", interval="wald", prediction="none", level=level)
    span = Span(estimate=common.estimate, low=common.ci.low, high=common.ci.high, pooled=True)
    rows.append(("Common effect", span, "common"))
    if few.bayes is not None:
        ci = few.bayes.ci_central
        rows.append(("Bayesian", Span(estimate=few.bayes.median, low=ci.low, high=ci.high, pooled=True), "bayes"))
    return rows


def _row(sheet: Sheet, span: Span, kind: str, middle: float, place: Any, key: str) -> None:
    colours = sheet.style.palette
    colour = colours.ink if kind == "trial" else colours.accent
    dashes = {"dashes": (2.0, 1.5)} if kind == "bayes" else {}
    ends = [place(span.low), place(span.high)]
    sheet.line(ends, [middle] * 2, f"{key}-interval", color=colour, linewidth=1.0, zorder=3.0, **dashes)
    looks = {
        "trial": {"marker": "s", "s": 20.0, "facecolor": colours.square, "edgecolor": "none"},
        "common": {"marker": "|", "s": 36.0, "color": colour, "linewidths": 1.4},
        "bayes": {"marker": "o", "s": 18.0, "facecolor": "white", "edgecolor": colour, "linewidths": 1.0},
    }
    sheet.marks([place(span.estimate)], [middle], f"{key}-mark", **{"zorder": 4.0, **looks[kind]})


def _axis(sheet: Sheet, axis: Axis, place: Any, top: float, label: str) -> float:
    look = sheet.style
    sheet.line([place(axis.low), place(axis.high)], [top] * 2, "axis", color=look.palette.rule)
    for index, (tick, text) in enumerate(zip(axis.ticks, axis.labels, strict=True)):
        sheet.line([place(tick)] * 2, [top, top + 3.0], f"tick-{index}", color=look.palette.rule)
        sheet.write(text, place(tick), top + 4.0, f"tick-{index}-label", ha="center")
    middle = (place(axis.low) + place(axis.high)) / 2
    sheet.write(label, middle, top + 4.0 + look.small_leading, "axis-label", ha="center")
    return top + 5.0 + 2 * look.small_leading


def _notes(run: "AnalysisRun") -> list[str]:
    level = f"{100 * float(run.spec.model.level):g}%"
    notes = []
    if any(row.counts is not None for row in run.rows):
        intervals = f"intervals: {level} CI, of risks Wilson's, of the difference Newcombe's"
        notes.append(f"Bars reach from 0 to 100%; {intervals}.")
    if len(run.rows) == 2:
        notes.append("Dashed line: the common effect, which allows for no difference between the trials.")
        prior = "half-normal prior of scale 0.5 for tau"
        notes.append(f"Bayesian: random effects, {prior}; median and central {level} credible interval.")
        notes.append("Two trials leave the question open where intervals are wide.")
    return notes


def _alternative(run: "AnalysisRun", banner: str, numerals: Numerals) -> str:
    write = dataclasses.replace(numerals, ratio=run.measure.scale == "log")
    parts = []
    for row, y, (low, high) in zip(run.rows, run.y, run.intervals, strict=True):
        text = f"{row.label}: "
        if row.counts is not None:
            one = row.counts
            text += f"{one.events1:g} of {one.n1:g} against {one.events2:g} of {one.n2:g}, "
        effect = f"{write.effect(run.shown(y))} ({write.range(run.shown(low), run.shown(high))})"
        parts.append(f"{text}{run.measure.label} {effect}")
    for name, span, kind in _lines_of(run) if len(run.rows) == 2 else ():
        if kind != "trial":
            bounds = write.range(run.shown(span.low), run.shown(span.high))
            parts.append(f"{name} {write.effect(run.shown(span.estimate))} ({bounds})")
    return f"{banner}. {run.spec.title}. {'; '.join(parts)}."
