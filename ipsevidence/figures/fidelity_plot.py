"""Trials by their fidelity: score on its own scale, with the scale's bands, beside the effect. It only describes."""

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from ipsevidence.core import InputError
from ipsevidence.dataset.fidelity import SCALES, Band
from ipsevidence.dataset.fidelity import Scale as FidelityScale
from ipsevidence.dataset.vocabulary import INTERVENTIONS
from ipsevidence.figures.forest_axis import Axis
from ipsevidence.figures.forest_scale import Scale
from ipsevidence.figures.lettering import clean, fit, width
from ipsevidence.figures.numbers import EN_DASH, NO_BREAK
from ipsevidence.figures.plot_frame import SHADES, style_of
from ipsevidence.figures.plot_side import Side, effect_side, numerals_of
from ipsevidence.figures.saving import Drawing
from ipsevidence.figures.sheet import Sheet
from ipsevidence.figures.style import Style, context

if TYPE_CHECKING:
    from ipsevidence.analysis.running import AnalysisRun
    from ipsevidence.dataset.collection import Dataset
    from ipsevidence.dataset.record import Study

__all__ = ["fidelity_strip"]

ROW: Final = 14.0
"""Height of a trial, in points."""

DOT: Final = 5.0
"""Diameter of a dot, in points."""

RANGE: Final = 4.0
"""Width of the bar of a range, in points."""

APART: Final = 9.0
BETWEEN: Final = 30.0
"""Space between columns, and between the two panels of a row, in points."""

BEYOND: Final = 24.0
"""How far the name of a band may stand out of its panel on the right, in points."""

SHARE: Final = 0.58
"""Part of the panels' width that the scores have."""

NAMES: Final = 110.0
"""The widest that the column of trials is, in points."""

UNREAD: Final = "*"
"""Behind the name of a band whose cut-offs were not read."""

CANNOT: Final = (
    "This strip describes trials. It cannot show what fidelity does: trials differ in people, comparator and follow-up"
    " as well, and their scores were given at different times."
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Trial:
    """A trial with scores on one scale: its position in the run, and lowest and highest of each score."""

    index: int
    label: str
    scores: tuple[tuple[float, float], ...]

    @property
    def middle(self) -> float:
        return math.fsum((low + high) / 2 for low, high in self.scores) / len(self.scores)

    @property
    def text(self) -> str:
        return ", ".join(f"{low:g}" if low == high else f"{low:g}{EN_DASH}{high:g}" for low, high in self.scores)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Placed:
    """The name of a band: its middle on the page, in points, and its line."""

    band: Band
    middle: float
    lane: int


def fidelity_strip(run: "AnalysisRun", dataset: "Dataset", style: str | Style = "default") -> Drawing:
    """Draw the effects of trials beside their fidelity scores.

    Parameters
    ----------
    run : AnalysisRun
        The analysis, whose rows are records.
    dataset : Dataset
        The records, which have the scores.
    style : str or Style
        Key of `STYLES`, or a style of one's own.

    Returns
    -------
    Drawing
        For each scale a panel of scores over the bands of that scale and a panel of effects with their intervals, one
        row a trial, the highest score first. A range of scores is a bar. Scores of different scales are never put on
        one axis, no line is fitted, and nothing is tested.

    Raises
    ------
    InputError
        If no trial of the analysis has a score on a named scale.
    """
    studies = {study.id: study for study in dataset}
    trials = _trials(run, studies)
    if not trials:
        rule = "there is no strip to draw: no trial of this analysis has a fidelity score on a named scale"
        raise InputError(rule, parameter="run")
    look = style_of(style)
    notes = (_counted(run, studies, trials), *_bands_note(trials))
    title = f"Fidelity: {run.spec.title}"
    with context():
        columns = _columns(run, trials, look)
        sheet = Sheet(style=look, width=columns.numbers + columns.numbers_wide + look.margin)
        room = sheet.width - 2 * look.margin
        down = sheet.paragraph(title, look.margin, look.margin, room, "title", size=look.size, bold=True)
        down = sheet.paragraph(CANNOT, look.margin, down, room, "cannot") + 6.0
        for scale, rows in trials.items():
            down = _strip(sheet, run, columns, scale, rows, down) + 8.0
        for index, note in enumerate(notes):
            down = sheet.paragraph(note, look.margin, down, room, f"note-{index}", quiet=True)
        said = _alternative(run, trials, look, (CANNOT, *notes))
        return sheet.drawn(down + look.margin, title=title, alternative=said)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Columns:
    """Where the columns start and how wide they are, in points; the axis of the effects, which all scales share."""

    names_wide: float
    score: float
    scores: float
    scores_wide: float
    effects: float
    effects_wide: float
    numbers: float
    numbers_wide: float
    axis: Axis


def _columns(run: "AnalysisRun", trials: dict[str, list[_Trial]], look: Style) -> _Columns:
    """Return where the columns stand: what the text leaves free is parted between scores and effects."""
    drawn = [trial for rows in trials.values() for trial in rows]
    names = min(NAMES, max(width(trial.label, look.small) for trial in drawn))
    texts = max(width(text, look.small, bold=True) for text in ("Score", *(trial.text for trial in drawn)))
    head = width(_heading(run, look), look.small, bold=True)
    numbers = max(head, *(width(_numbers(run, look, trial.index), look.small) for trial in drawn))
    free = max(look.width - 2 * look.margin - names - texts - numbers - 3 * APART - BETWEEN, 230.0)
    score = look.margin + names + APART
    scores = score + texts + APART
    effects = scores + SHARE * free + BETWEEN
    place = Scale(run.measure).place
    ends = [place(end) for trial in drawn for end in (run.y[trial.index], *run.intervals[trial.index])]
    side = effect_side(run, look, [end for end in ends if math.isfinite(end)])
    return _Columns(
        names_wide=names,
        score=score,
        scores=scores,
        scores_wide=SHARE * free,
        effects=effects,
        effects_wide=(1 - SHARE) * free,
        numbers=effects + (1 - SHARE) * free + APART,
        numbers_wide=numbers,
        axis=side.made((1 - SHARE) * free, look.small),
    )


def _heading(run: "AnalysisRun", look: Style) -> str:
    return f"{run.measure.key} ({look.numerals.level(float(run.spec.model.level))}{NO_BREAK}CI)"


def _trials(run: "AnalysisRun", studies: "dict[str, Study]") -> dict[str, list[_Trial]]:
    """Return the trials of the run by scale, those with the highest score first."""
    found: dict[str, list[_Trial]] = {}
    for scale in SCALES:
        rows = []
        for index, row in enumerate(run.rows):
            scores = _scores(studies[row.id], scale) if row.id in studies else ()
            if scores:
                rows.append(_Trial(index=index, label=clean(row.label, most=60), scores=scores))
        if rows:
            found[scale] = sorted(rows, key=lambda trial: (-trial.middle, trial.label))
    return found


def _scores(study: "Study", scale: str) -> tuple[tuple[float, float], ...]:
    """Return the scores of what was given, as lowest and highest, in the order of the record."""
    given = {arm.id for arm in study.arms if arm.treatment in INTERVENTIONS}
    found = []
    for one in study.fidelity:
        if one.scale != scale or one.score is None or (one.arm is not None and one.arm not in given):
            continue
        low, high = one.score.low, one.score.high
        if one.score.value is not None:
            low = high = one.score.value
        if low is not None and high is not None:
            found.append((float(low), float(high)))
    return tuple(found)


def _range(scale: FidelityScale) -> str:
    return f", {scale.lowest:g}{EN_DASH}{scale.highest:g}" if scale.items is not None else ""


def _ends(scale: FidelityScale, rows: Sequence[_Trial]) -> tuple[float, float]:
    """Return the whole scale, or as much as the scores need where its ends were not read."""
    if scale.lowest is not None and scale.highest is not None:
        return scale.lowest, scale.highest
    values = [end for trial in rows for score in trial.scores for end in score]
    return min(values) - 5.0, max(values) + 5.0


def _spans(scale: FidelityScale) -> list[tuple[Band, float, float]]:
    """Return the bands with where they start and end on the axis: each up to the start of the next."""
    starts = [band.low for band in scale.bands]
    ends = [scale.highest or scale.bands[0].high, *starts[:-1]] if scale.bands else []
    return [(band, start, end) for band, start, end in zip(scale.bands, starts, ends, strict=True)]


def _name(band: Band) -> str:
    return band.label + ("" if band.read else UNREAD)


def _lanes(scale: FidelityScale, look: Style, place: Callable[[float], float], last: float) -> list[_Placed]:
    """Return where the name of each band stands: over its band where there is room, else a little to the right.

    A name that would stand further than `last` is set in a line of its own, so that no two overlap.
    """
    edges: list[float] = []
    found = []
    for band, start, end in reversed(_spans(scale)):
        half = width(_name(band), look.small) / 2
        middle = (place(start) + place(end)) / 2
        for lane in range(len(edges) + 1):
            free = edges[lane] + 3.0 + half if lane < len(edges) else -math.inf
            if max(middle, free) + half <= last or lane == len(edges):
                break
        middle = min(max(middle, free), last - half)
        edges[lane : lane + 1] = [middle + half]
        found.append(_Placed(band=band, middle=middle, lane=lane))
    return found


def _strip(
    sheet: Sheet, run: "AnalysisRun", columns: _Columns, scale: str, rows: Sequence[_Trial], top: float
) -> float:
    """Draw the trials of one scale: names, scores over the bands, effects; return where they end."""
    look, known = sheet.style, SCALES[scale]
    ends = _ends(known, rows)

    def place(score: float) -> float:
        return columns.scores + (score - ends[0]) / (ends[1] - ends[0]) * columns.scores_wide

    for key, text, x in (
        ("trial", "Trial", look.margin),
        ("score", "Score", columns.score),
        ("scale", f"{known.label}{_range(known)}", columns.scores),
        ("numbers", _heading(run, look), columns.numbers),
    ):
        sheet.write(text, x, top, f"{scale}-head-{key}", bold=True)
    names = _lanes(known, look, place, columns.scores + columns.scores_wide + BEYOND)
    start = top + look.small_leading + 3.0
    first = start + max((one.lane + 1 for one in names), default=0) * look.small_leading + 3.0
    bottom = first + len(rows) * ROW
    _bands(sheet, scale, place, (start, bottom))
    for one in names:
        y = start + 2.0 + one.lane * look.small_leading
        sheet.write(_name(one.band), one.middle, y, f"{scale}-band-{one.band.label}-name", ha="center")
    ticks = [(place(tick), text) for tick, text in _ticks(known, ends, columns.scores_wide, look)]
    _axis(sheet, ticks, (place(ends[0]), place(ends[1])), bottom, f"{scale}-score")
    _effect_axis(sheet, run, columns, scale, (start, bottom))
    for index, trial in enumerate(rows):
        middle = first + (index + 0.5) * ROW
        marks = [(place(low), place(high)) for low, high in trial.scores]
        _row(sheet, run, columns, trial, marks, middle, f"{scale}-{index}")
    return bottom + 4.0 + 2 * look.small_leading


def _bands(sheet: Sheet, scale: str, place: Callable[[float], float], ends: tuple[float, float]) -> None:
    """Shade the bands of a scale, by turns lighter and darker."""
    top, bottom = ends
    for index, (band, left, right) in enumerate(_spans(SCALES[scale])):
        wide, fill = place(right) - place(left), SHADES[(index + 1) % 2]
        sheet.box(place(left), top, wide, bottom - top, f"{scale}-band-{band.label}", facecolor=fill)


def _effect_axis(sheet: Sheet, run: "AnalysisRun", columns: _Columns, scale: str, ends: tuple[float, float]) -> None:
    """Draw the axis of the effects, and the line at no effect."""
    look, axis = sheet.style, columns.axis
    top, bottom = ends
    ticks = [(_across(columns, tick), text) for tick, text in zip(axis.ticks, axis.labels, strict=True)]
    sides = columns.effects, columns.effects + columns.effects_wide
    _axis(sheet, ticks, sides, bottom, f"{scale}-effect")
    label = effect_side(run, look, [0.0]).label
    sheet.write(label, sum(sides) / 2, bottom + 4.0 + look.small_leading, f"{scale}-effect-label", ha="center")
    null = Scale(run.measure).null
    if axis.low <= null <= axis.high:
        x = _across(columns, null)
        sheet.line([x, x], [top, bottom], f"{scale}-no-effect", color=look.palette.rule, zorder=1.5)


def _across(columns: _Columns, value: float) -> float:
    """Return where an effect stands on the page."""
    axis = columns.axis
    return columns.effects + (value - axis.low) / (axis.high - axis.low) * columns.effects_wide


def _axis(sheet: Sheet, ticks: Sequence[tuple[float, str]], ends: tuple[float, float], bottom: float, key: str) -> None:
    look = sheet.style
    sheet.line(ends, [bottom, bottom], f"{key}-axis", color=look.palette.rule)
    for index, (x, text) in enumerate(ticks):
        sheet.line([x, x], [bottom, bottom + 2.5], f"{key}-tick-{index}", color=look.palette.rule)
        sheet.write(text, x, bottom + 3.5, f"{key}-tick-{index}-text", ha="center")


def _ticks(scale: FidelityScale, ends: tuple[float, float], long: float, look: Style) -> list[tuple[float, str]]:
    """Return ticks at the ends of a scale and where its bands begin; plain numbers where there are no bands."""
    low, high = ends
    if not scale.bands:
        made = Side(label="", low=low, high=high, limits=ends, pad=0.0).made(long, look.small)
        return list(zip(made.ticks, made.labels, strict=True))
    found: list[tuple[float, str]] = []
    for tick in (high, low, *sorted((band.low for band in scale.bands), reverse=True)):
        text = look.numerals.plain(tick)
        room = min((abs(tick - other) / (high - low) * long for other, _ in found), default=math.inf)
        if room >= width(text, look.small) + 3.0:
            found.append((tick, text))
    return found


def _row(
    sheet: Sheet,
    run: "AnalysisRun",
    columns: _Columns,
    trial: _Trial,
    scores: Sequence[tuple[float, float]],
    middle: float,
    key: str,
) -> None:
    """Draw one trial: its scores as they stand on the page, and its effect."""
    look = sheet.style
    top, ink, accent = middle - 0.57 * look.small, look.palette.ink, look.palette.accent
    sheet.write(fit(trial.label, columns.names_wide, look.small), look.margin, top, f"{key}-trial")
    sheet.write(trial.text, columns.score, top, f"{key}-score")
    sheet.write(_numbers(run, look, trial.index), columns.numbers, top, f"{key}-numbers")
    if len(scores) > 1:
        ends = [end for score in scores for end in score]
        sheet.line([min(ends), max(ends)], [middle, middle], f"{key}-from-to", color=ink)
    for number, (low, high) in enumerate(scores):
        if low == high:
            sheet.marks([low], [middle], f"{key}-mark-{number}", s=DOT**2, color=ink, linewidths=0.0)
        else:
            sheet.line([low, high], [middle, middle], f"{key}-mark-{number}", color=ink, linewidth=RANGE)
    place = Scale(run.measure).place
    bounds = [_across(columns, place(end)) for end in run.intervals[trial.index]]
    sheet.line(bounds, [middle, middle], f"{key}-interval", color=accent, linewidth=1.2)
    x = _across(columns, place(run.y[trial.index]))
    sheet.marks([x], [middle], f"{key}-effect", s=DOT**2, color=accent, linewidths=0.0)


def _numbers(run: "AnalysisRun", look: Style, index: int) -> str:
    write = numerals_of(run, look)
    low, high = (run.shown(end) for end in run.intervals[index])
    return f"{write.effect(run.shown(run.y[index]))}{NO_BREAK}({write.range(low, high)})"


def _counted(run: "AnalysisRun", studies: "dict[str, Study]", trials: dict[str, list[_Trial]]) -> str:
    """Say how many trials have a score, only words, or nothing; and how many with a score have no effect here."""
    drawn = {run.rows[trial.index].id for rows in trials.values() for trial in rows}
    here = {row.id for row in run.rows}
    others = [studies[row.id] for row in run.rows if row.id in studies and row.id not in drawn]
    words = sum(bool(study.fidelity) for study in others)
    missing = len(run.rows) - len(drawn) - words
    randomised = {"rct", "pilot-rct", "cluster-rct"}
    elsewhere = sum(
        study.status == "included"
        and study.design.type in randomised
        and study.id not in here
        and any(_scores(study, scale) for scale in SCALES)
        for study in studies.values()
    )
    rest = [f"{words} in words alone"] * bool(words) + [f"{missing} none that was read"] * bool(missing)
    said = f"Of {len(run.rows)} trials {len(drawn)} {_have(len(drawn))} a score{_and(rest)}."
    if not elsewhere:
        return said
    further = "further randomised trial has" if elsewhere == 1 else "further randomised trials have"
    return f"{said} {elsewhere} {further} a score but no effect here."


def _and(rest: Sequence[str]) -> str:
    return "".join(f", {text}" for text in rest)


def _have(number: int) -> str:
    return "has" if number == 1 else "have"


def _bands_note(trials: dict[str, list[_Trial]]) -> tuple[str, ...]:
    bands = [band for scale in trials for band in SCALES[scale].bands]
    if not bands:
        return ()
    labels = "Bands of different scales do not correspond." if len(trials) > 1 else ""
    unread = f"{UNREAD} A border of this band was not read in a source." if any(not one.read for one in bands) else ""
    return (" ".join(filter(None, (unread, labels))),) if unread or labels else ()


def _alternative(run: "AnalysisRun", trials: dict[str, list[_Trial]], look: Style, notes: tuple[str, ...]) -> str:
    level = look.numerals.level(float(run.spec.model.level))
    said = [f"Trials by fidelity score, with their {run.measure.label}s and {level} intervals."]
    for scale, rows in trials.items():
        parts = [f"{trial.label} score {trial.text}, {_numbers(run, look, trial.index)}" for trial in rows]
        said.append(f"{SCALES[scale].label}{_range(SCALES[scale])}: {'; '.join(parts)}.")
    return " ".join([*said, *notes])
